//! The row of a page, and lookups by address.

use super::{PAGES, WILDCARDS};

/// A row of [`PAGES`].
#[derive(Debug)]
pub struct Page {
    /// With `:name` for variable segments: `/desk/:id`.
    pub path: &'static str,
    pub rendering: Rendering,
    /// Names of files in `scripts/`, without their extension.
    pub scripts: &'static [&'static str],
    /// The guide that explains it (its file name) and the section, counted from 1.
    pub guide: Option<(&'static str, usize)>,
    pub access: Access,
}

/// Where a page is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendering {
    /// In both halves.
    Browser,
    /// By the server, as markup that the browser half shows unchanged.
    Markup,
    /// By the server, as a page that does not start the browser half.
    Server,
}

/// Who may open a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody: it has no data.
    Open,
    /// Those whom this server function (`/api/…`) allows.
    By(&'static str),
}

impl Page {
    /// The page at a path.
    pub fn at(path: &str) -> Option<&'static Self> {
        PAGES.iter().find(|page| page.fits(path))
    }

    fn fits(&self, path: &str) -> bool {
        let mut pairs = parts(self.path).zip(parts(path));
        parts(self.path).count() == parts(path).count() && pairs.all(|(own, asked)| own == asked || own.starts_with(':'))
    }
}

/// The segments of a path.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// The scripts of the page at this path.
pub(crate) fn scripts_of(path: &str) -> &'static [&'static str] {
    Page::at(path).map(|page| page.scripts).unwrap_or_default()
}

/// Whether the browser half leaves this path to the server, even where there is no page.
pub(crate) fn is_server_only(path: &str) -> bool {
    WILDCARDS.iter().any(|wildcard| lies_at(path, wildcard.strip_suffix("/*rest").unwrap_or(wildcard)))
}

fn lies_at(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::PathBuf};

    use domain::{Locale, home::WorkKind};

    use super::*;
    use crate::{acting, frame, guides, shell};

    /// A file or folder of the repository.
    fn project(path: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
    }

    #[test]
    fn a_common_prefix_is_not_a_match() {
        for path in ["/units", "/units/01ARZ3NDEKTSV4RRFFQ69G5FAV/move", "/imports/new", "/files/01A", "/devices/"] {
            assert!(is_server_only(path), "{path}");
        }
        for (path, scripts) in [
            ("/search", &["search"][..]),
            ("/desk", &["desk", "dates"]),
            ("/desk/", &["desk", "dates"]),
            ("/desk/01A", &["desk", "picker", "dates"]),
            ("/desk/01A/files", &["files", "dates"]),
            ("/imports/01A", &["look_again", "dates"]),
            ("/units/01A/roles", &["dates"]),
            ("/courses/01A", &["courses"]),
            ("/courses/manage/01A", &["courses", "dates"]),
            ("/transfers", &[]),
            ("/", &[]),
            ("/desk/01A/nothing", &[]),
        ] {
            assert_eq!(scripts_of(path), scripts, "{path}");
        }
        for path in ["/", "/unitsx", "/library", "/recorded", "/more", "/membership"] {
            assert!(!is_server_only(path), "{path}");
        }
    }

    #[test]
    fn every_page_is_found_at_its_address_and_rendered_by_its_block() {
        for page in PAGES {
            let address: Vec<&str> = page.path.split('/').map(|part| if part.starts_with(':') { "01A" } else { part }).collect();
            let found = Page::at(&address.join("/")).map(|page| page.path);
            assert_eq!(found, Some(page.path), "a row above it takes its address");
            assert_eq!(is_server_only(page.path), page.rendering == Rendering::Server, "{}", page.path);
        }
    }

    #[test]
    fn every_script_exists_and_is_loaded_by_some_page() {
        let mut files = BTreeSet::new();
        for file in fs::read_dir(project("scripts")).expect("the scripts") {
            let path = file.expect("a script").path();
            files.insert(path.file_stem().expect("a name").to_str().expect("a name in UTF-8").to_owned());
        }
        // Loaded by all pages.
        let shared = ["keep", "start"].into_iter().chain(shell::BESIDE);
        let loaded = PAGES.iter().flat_map(|page| page.scripts).copied().chain(shared);
        assert_eq!(loaded.map(str::to_owned).collect::<BTreeSet<_>>(), files);
    }

    /// Guides that belong to no page: installing the handbook on a phone, and operating the program.
    const GUIDES_OF_NO_PAGE: [&str; 3] = ["android", "ios", "operator"];

    #[test]
    fn every_page_names_an_existing_section_and_every_guide_is_named() {
        let named: BTreeSet<&str> = PAGES.iter().filter_map(|page| page.guide).map(|(slug, _)| slug).collect();
        let all: BTreeSet<&str> = guides::texts().map(|(slug, ..)| slug).collect();
        let expected: BTreeSet<&str> = all.into_iter().filter(|slug| !GUIDES_OF_NO_PAGE.contains(slug)).collect();
        assert_eq!(named, expected);
        for page in PAGES {
            let Some((slug, section)) = page.guide else { continue };
            let texts: Vec<_> = guides::texts().filter(|(other, ..)| *other == slug).collect();
            assert_eq!(texts.len(), Locale::ALL.len(), "{slug}");
            for (_, l, text) in texts {
                let sections = text.lines().filter(|line| line.starts_with("## ")).count();
                assert!((1..=sections).contains(&section), "{}: {slug} has {sections} sections in {l:?}", page.path);
            }
        }
    }

    #[test]
    fn every_place_in_the_frame_is_a_page() {
        let acting = acting::PLACES.into_iter().map(|(place, _)| place);
        let work = WorkKind::ALL.into_iter().flat_map(|kind| [kind.href(), kind.place()]);
        let places = acting.chain(frame::THROUGH_MORE).chain(frame::WORK_THROUGH_MORE).chain(work);
        // Where the journeys look for no way back.
        let file = fs::read_to_string(project("end2end/way_back.mjs")).expect("the way back");
        let (_, roots) = file.split_once("const ROOTS = [").expect("the roots");
        let (roots, _) = roots.split_once(']').expect("their end");
        let roots = roots.split(", ").map(|root| root.trim_matches('\'').to_owned());
        let places: BTreeSet<String> = roots.chain(places.map(str::to_owned)).collect();
        let strange: Vec<String> = places.into_iter().filter(|place| PAGES.iter().all(|page| page.path != place)).collect();
        assert_eq!(strange, Vec::<String>::new());
    }

    /// The quoted values behind each `key` of a text.
    fn quoted<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
        text.split(key).skip(1).filter_map(|rest| rest.split('\'').next()).collect()
    }

    /// Pages without a state in the journeys: they need a session with a code, a second record of one person, or a file.
    const WITHOUT_STATE: [&str; 4] = ["/imports/:id", "/members/:id/code", "/members/:id/merge", "/welcome/later"];

    /// The journeys check each state for accessibility, markup, languages and size.
    #[test]
    fn every_page_has_a_state_in_the_journeys() {
        let file = fs::read_to_string(project("end2end/states.mjs")).expect("the states");
        let (_, states) = file.split_once("export const STATES = [").expect("the states");
        let (states, _) = states.split_once("\n];").expect("their end");
        let found = quoted(states, "page: '");
        assert_eq!(found.len(), states.matches("find: ").count(), "each state that is found names its page");
        let mut seen: BTreeSet<&str> = found.into_iter().chain(quoted(states, "to: '")).collect();
        for address in quoted(states, "address: '") {
            let path = address.split('?').next().unwrap_or_default();
            seen.insert(Page::at(path).unwrap_or_else(|| panic!("{address} is no page")).path);
        }
        let expected: BTreeSet<&str> = PAGES.iter().map(|page| page.path).filter(|path| !WITHOUT_STATE.contains(path)).collect();
        assert_eq!(seen, expected);
    }
}
