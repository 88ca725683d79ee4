//! A walk through the pages of the application, as one follows its links.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use app::App;
use leptos_axum::generate_route_list;

use crate::{
    browser::{Answer, Browser},
    organisation::{Fixture, Person},
};

/// Pages that lead elsewhere without a visit, which needs a code.
pub(crate) const NOT_SEEN: [&str; 5] = ["/welcome/way", "/welcome/code", "/welcome/password", "/welcome/later", "/welcome/phone"];

/// An id of nothing.
const NOWHERE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

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
    /// Its address, with `{…}` for what differs.
    pub(crate) pattern: &'p str,
    pub(crate) address: &'p str,
    pub(crate) answer: &'p Answer,
}

/// Every page's address, with `{…}` for what differs.
pub(crate) struct Pages {
    pub(crate) patterns: BTreeSet<String>,
}

impl Pages {
    pub(crate) fn all() -> Self {
        let patterns: BTreeSet<String> = generate_route_list(App).iter().map(|route| route.path().to_owned()).collect();
        assert!(patterns.len() > 60, "{patterns:?}");
        Self { patterns }
    }

    /// Follows every link, to one page of each kind. Of those whose address has `word`, such as `asked`, each kind is seen once more.
    pub(crate) async fn walk(&self, mut browser: Browser, (word, asked): (&str, &[String]), mut look: impl FnMut(Page<'_>)) {
        let plain = self.patterns.iter().filter(|pattern| !pattern.contains('{')).cloned();
        let mut ahead: VecDeque<String> = plain.chain(asked.iter().cloned()).collect();
        let mut done = BTreeSet::new();
        // What no link leads to comes last, with ids that links had.
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
            // Sent elsewhere.
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

/// Keeps each id under the path before it.
fn remember(address: &str, known: &mut BTreeMap<String, String>) {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    for (at, _) in path.match_indices('/') {
        let id = path[at + 1..].split('/').next().unwrap_or_default();
        if id.len() == NOWHERE.len() {
            known.insert(path[..at].to_owned(), id.to_owned());
        }
    }
}

/// An address of this pattern.
fn filled(pattern: &str, known: &BTreeMap<String, String>) -> String {
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

/// Addresses of this site that a page leads to.
fn links(body: &str) -> Vec<String> {
    let hrefs = body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    hrefs.filter(|href| href.starts_with('/')).map(|href| href.replace("&amp;", "&")).collect()
}
