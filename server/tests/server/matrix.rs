//! The authorisation matrix: every server function, for people of every role and relation.
//!
//! The objects are a document of the coast's editor for the harbour's members, a draft of it, and a fisherman's opinion to his
//! branch. A server function without a row here fails the test.

use std::collections::{BTreeMap, BTreeSet};

use app::pages::{Access, PAGES, Page};
use server_fn::axum::server_fn_paths;
use strum::IntoEnumIterator as _;

use self::{given::Given, people::Who, rows::ROWS};
use crate::{
    app::TestApp,
    browser::Browser,
    pages::{filled, pattern_of},
};

#[path = "matrix/arguments.rs"]
mod arguments;
#[path = "matrix/given.rs"]
mod given;
#[path = "matrix/people.rs"]
mod people;
#[path = "matrix/rows.rs"]
mod rows;

struct Row {
    path: &'static str,
    given: Given,
    /// The statuses; the first line that names the person applies.
    expected: &'static [(u16, &'static [Who])],
    /// For all other signed-in people.
    otherwise: u16,
    /// For people who are not signed in.
    signed_out: u16,
}

const fn row(path: &'static str, given: Given, expected: &'static [(u16, &'static [Who])], otherwise: u16) -> Row {
    Row { path, given, expected, otherwise, signed_out: 401 }
}

impl Row {
    fn expected(&self, who: Who) -> u16 {
        if who == Who::SignedOut {
            return self.signed_out;
        }
        self.expected.iter().find(|(_, people)| people.contains(&who)).map_or(self.otherwise, |(status, _)| *status)
    }
}

/// The method of every server function.
fn methods() -> BTreeMap<&'static str, String> {
    server_fn_paths().map(|(path, method)| (path, method.to_string())).collect()
}

#[test]
fn every_server_function_has_a_row() {
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.path).collect();
    let functions: BTreeSet<&str> = methods().into_keys().collect();
    assert_eq!(functions.difference(&rows).collect::<Vec<_>>(), Vec::<&&str>::new(), "every server function needs a row");
    assert_eq!(rows.difference(&functions).collect::<Vec<_>>(), Vec::<&&str>::new(), "a row without its server function");
}

/// Read functions for what is shown next to a page's own data, or in the frame of every page.
const OF_NO_PAGE: [&str; 5] = [
    "/api/documents/begin_writing",
    "/api/documents/has_unsaved",
    "/api/documents/unfinished",
    "/api/home/badges",
    "/api/units/pick",
];

#[test]
fn every_page_names_a_row_and_every_row_that_reads_is_named() {
    let by = |page: &Page| match page.access {
        Access::By(function) => Some(function),
        Access::Open => None,
    };
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.path).collect();
    let named: BTreeSet<&str> = PAGES.iter().filter_map(by).collect();
    assert_eq!(named.difference(&rows).collect::<Vec<_>>(), Vec::<&&str>::new(), "a page without its row");
    let reading = methods().into_iter().filter(|(_, method)| method == "GET").map(|(path, _)| path);
    let without: Vec<&str> = reading.filter(|path| !named.contains(path)).collect();
    assert_eq!(without, OF_NO_PAGE, "a function that reads without its page");
}

/// The expected status of a page; none if it depends on the object in its address, or on the arguments of its function.
fn status_of(page: &Page, who: Who) -> Option<u16> {
    let names_something = page.path.contains(':');
    match page.access {
        Access::Open => (!names_something).then_some(200),
        Access::By(function) => {
            let row = ROWS.iter().find(|row| row.path == function)?;
            let is_asked_alike = !names_something && matches!(row.given, Given::Nothing);
            // A signed-out visitor is asked to sign in, whatever the address.
            (is_asked_alike || who == Who::SignedOut).then(|| row.expected(who))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_are_opened_by_those_their_rows_allow() {
    let app = TestApp::spawn().await;
    let mut wrong = Vec::new();
    for who in Who::iter() {
        let mut browser = match who.person(&app.org) {
            Some(person) => app.signed_in(person).await,
            None => app.browser(),
        };
        for page in PAGES {
            let Some(expected) = status_of(page, who) else { continue };
            let answer = browser.get(&filled(&pattern_of(page.path), &BTreeMap::new())).await;
            let is_way_in = answer.location().is_some_and(|to| to.starts_with("/sign-in?"));
            let status = if is_way_in { 401 } else { answer.status };
            if status != expected {
                wrong.push(format!("{} for {who:?}: {status} instead of {expected}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rows are tested in parts, one test each, so that they run concurrently. Each part starts a program and signs everybody in,
/// which takes a few seconds.
macro_rules! parts {
    ($($name:ident)+) => {
        const PARTS: &[&str] = &[$(stringify!($name)),+];
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                let part = PARTS.iter().position(|part| *part == stringify!($name)).expect("is one of them");
                Box::pin(assert_answers(part)).await;
            }
        )+
    };
}

parts! {
    every_person_is_answered_as_the_table_says_first_part
    every_person_is_answered_as_the_table_says_second_part
    every_person_is_answered_as_the_table_says_third_part
}

/// Sends the requests of one part, as everybody.
async fn assert_answers(part: usize) {
    let app = TestApp::spawn().await;
    let methods = methods();
    let mut browsers = BTreeMap::new();
    for who in Who::iter() {
        let browser = match who.person(&app.org) {
            Some(person) => app.signed_in(person).await,
            None => app.browser(),
        };
        browsers.insert(who, browser);
    }
    let mut wrong = Vec::new();
    for row in ROWS.iter().skip(part).step_by(PARTS.len()) {
        let method = methods.get(row.path).expect("a server function").as_str();
        let mut unchanged = None;
        for (who, browser) in &mut browsers {
            let arguments = match unchanged.take() {
                Some(arguments) => arguments,
                None => row.given.arguments(&app).await,
            };
            let status = ask(browser, row.path, method, &arguments).await;
            // A read or a rejected request changes nothing, so the next person gets the same object.
            unchanged = (method == "GET" || status != 200).then_some(arguments);
            if status != row.expected(*who) {
                wrong.push(format!("{} {:?} for {who:?}: {status} instead of {}", row.path, row.given, row.expected(*who)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn ask(browser: &mut Browser, path: &str, method: &str, arguments: &[(&'static str, String)]) -> u16 {
    let arguments: Vec<(&str, &str)> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if method == "GET" {
        // Ids and keys need no escaping.
        let query: Vec<String> = arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
        browser.get_json(&format!("{path}?{}", query.join("&"))).await.status
    } else {
        browser.post_json(path, &arguments).await.status
    }
}
