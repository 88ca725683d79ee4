//! A walk through the pages of the application by their links.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use app::{
    App,
    pages::{PAGES, Rendering},
};
use leptos_axum::generate_route_list;

use crate::{
    app::TestApp,
    browser::{Answer, Browser},
    organisation::{Fixture, Person},
};

/// Pages that redirect without an activation, which needs a code.
pub(crate) const NOT_SEEN: [&str; 5] = ["/welcome/way", "/welcome/code", "/welcome/password", "/welcome/later", "/welcome/phone"];

/// A valid id that belongs to nothing.
pub(crate) const NOWHERE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// People who together can see every page.
pub(crate) fn one_of_each(org: &Fixture) -> [&Person; 8] {
    [
        &org.fisherman,
        &org.secretary,
        &org.coast_secretary,
        &org.coast_editor,
        &org.coast_registrar,
        &org.province_chief_editor,
        &org.province_statistician,
        &org.operator,
    ]
}

/// A page that was shown.
pub(crate) struct Page<'p> {
    /// Its address, with `{…}` for variable parts.
    pub(crate) pattern: &'p str,
    pub(crate) address: &'p str,
    pub(crate) answer: &'p Answer,
}

/// The addresses of all pages, with `{…}` for variable parts.
pub(crate) struct Pages {
    pub(crate) patterns: BTreeSet<String>,
}

impl Pages {
    pub(crate) fn all() -> Self {
        let patterns: BTreeSet<String> = generate_route_list(App).iter().map(|route| route.path().to_owned()).collect();
        let rows: BTreeSet<String> = PAGES.iter().map(|page| pattern_of(page.path)).collect();
        assert_eq!(patterns, rows, "the router has the pages of the table");
        Self { patterns }
    }

    /// Follows every link, to one page of each kind. Kinds with `word` in the address (such as `asked`) are visited once per value.
    pub(crate) async fn walk(&self, mut browser: Browser, (word, asked): (&str, &[String]), mut look: impl FnMut(Page<'_>)) {
        let plain = self.patterns.iter().filter(|pattern| !pattern.contains('{')).cloned();
        let mut ahead: VecDeque<String> = plain.chain(asked.iter().cloned()).collect();
        let mut done = BTreeSet::new();
        // Pages that no link leads to come last, with ids from other links.
        let mut known = BTreeMap::<String, String>::new();
        let mut unlinked: VecDeque<String> = self.patterns.iter().filter(|pattern| pattern.contains('{')).cloned().collect();
        while let Some(address) = ahead.pop_front().or_else(|| unlinked.pop_front().map(|pattern| filled(&pattern, &known))) {
            remember(&address, &mut known);
            let Some(pattern) = self.pattern(&address) else { continue };
            if !done.insert((pattern.clone(), !word.is_empty() && address.contains(word))) {
                continue;
            }
            let answer = browser.get(&address).await;
            assert!(answer.status < 500, "{address}: {}", answer.status);
            // A redirect.
            if answer.status < 400 && answer.status != 200 {
                continue;
            }
            look(Page { pattern: &pattern, address: &address, answer: &answer });
            ahead.extend(links(&answer.body));
        }
    }

    fn pattern(&self, address: &str) -> Option<String> {
        let path = address.split(['?', '#']).next()?;
        let fits = |pattern: &&String| {
            let (mut own, mut asked) = (pattern.split('/'), path.split('/'));
            own.by_ref().zip(asked.by_ref()).all(|(own, asked)| own == asked || own.starts_with('{'))
                && pattern.split('/').count() == path.split('/').count()
        };
        self.patterns.get(path).or_else(|| self.patterns.iter().find(fits)).cloned()
    }
}

/// The path of a row of the table, with `{…}` for variable parts.
pub(crate) fn pattern_of(path: &str) -> String {
    let part = |part: &str| part.strip_prefix(':').map_or_else(|| part.to_owned(), |name| format!("{{{name}}}"));
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Stores each id under the path before it.
fn remember(address: &str, known: &mut BTreeMap<String, String>) {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    for (at, _) in path.match_indices('/') {
        let id = path[at + 1..].split('/').next().unwrap_or_default();
        if id.len() == NOWHERE.len() {
            known.insert(path[..at].to_owned(), id.to_owned());
        }
    }
}

/// An address of this pattern, with [`NOWHERE`] for unknown ids.
pub(crate) fn filled(pattern: &str, known: &BTreeMap<String, String>) -> String {
    let mut address = String::new();
    for part in pattern.split('/').skip(1) {
        let part = match part {
            "{number}" => "1",
            "{list}" => "unread",
            "{slug}" => "member",
            "{kind}" => "not_found",
            part if part.starts_with('{') => known.get(&address).map_or(NOWHERE, String::as_str),
            part => part,
        };
        address = format!("{address}/{part}");
    }
    address
}

/// Local addresses that a page links to.
fn links(body: &str) -> Vec<String> {
    let hrefs = body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    hrefs.filter(|href| href.starts_with('/')).map(|href| href.replace("&amp;", "&")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_are_rendered_where_the_table_says() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await;
    let known = BTreeMap::from([("/library".to_owned(), document.to_string())]);
    let mut member = app.signed_in(&app.org.fisherman).await;
    for page in PAGES {
        let address = filled(&pattern_of(page.path), &known);
        let answer = member.get(&address).await;
        let starts_nothing = answer.body.contains("data-static=\"true\"");
        assert_eq!(starts_nothing, page.rendering == Rendering::Server, "{address}");
        if page.rendering == Rendering::Markup {
            assert_eq!(answer.status, 200, "{address}");
            let (_, content) = answer.body.split_once("<div class=\"page\">").expect("the page");
            let (content, _) = content.split_once("</main>").expect("its end");
            let (content, _) = content.rsplit_once("</div>").expect("its end");
            assert!(!content.contains("<!>"), "{address} has marks for the browser half: {content}");
        }
    }
}
