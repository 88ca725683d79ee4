//! Badges of the navigation: the number of pending items.
//!
//! The server renders them in the viewer's language; the browser half only shows them. `scripts/places.js` fetches them again
//! when the page changes within the application.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The badge of a navigation entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badge {
    /// Address of the entry.
    pub place: String,
    /// Display text, at most `99+`.
    pub number: String,
    /// The exact number in words, for screen readers: `132 việc đang chờ`.
    pub label: String,
}

/// Entries of offices with pending work.
const WORK: [&str; 6] = ["/desk", "/branch", "/readers", "/units", "/members", "/codes"];

/// Whether a navigation entry can have a badge. On the phone all work of offices is reached through "more".
pub(super) fn has_badge(href: &str, is_tab: bool) -> bool {
    href == "/library" || WORK.contains(&href) || (is_tab && href == "/more")
}

/// The badge of an entry; hidden when there is nothing, so that the script can fill it.
pub(super) fn badge_at(badges: &[Badge], place: &str) -> AnyView {
    let found = badges.iter().find(|badge| badge.place == place).cloned();
    let hidden = found.is_none();
    let (number, label) = found.map(|badge| (badge.number, badge.label)).unzip();
    view! { <span class="badge" role="img" aria-label=label hidden=hidden>{number}</span> }.into_any()
}

/// The badges of a person, from their pending items.
#[cfg(feature = "ssr")]
pub fn badges(l: domain::Locale, pending: &domain::home::Pending) -> Vec<Badge> {
    use crate::text::frame::{badge_read, badge_work};

    /// Largest number shown.
    const MOST: u64 = 99;

    let badge = |place: &str, count: u64, label: fn(domain::Locale, u64) -> String| {
        let number = if count > MOST { format!("{}+", l.number(MOST)) } else { l.number(count) };
        (count > 0).then(|| Badge { place: place.to_owned(), number, label: label(l, count) })
    };
    let work = WORK.map(|place| badge(place, pending.at(place), badge_work));
    let all = badge("/more", pending.all_work(), badge_work);
    let read = badge("/library", pending.must_read.into(), badge_read);
    work.into_iter().chain([all, read]).flatten().collect()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::{
        Locale,
        home::{Pending, WorkItem, WorkKind},
    };

    use super::*;

    #[test]
    fn a_place_has_its_number_and_more_has_the_sum() {
        let work = [(WorkKind::Answers, 3), (WorkKind::Reviews, 0), (WorkKind::Transfers, 2), (WorkKind::QualityIssues, 130)];
        let work = work.map(|(kind, count)| WorkItem { kind, count }).to_vec();
        let told = badges(Locale::Vi, &Pending { must_read: 4, work });
        let told: Vec<_> = told.iter().map(|badge| [&*badge.place, &*badge.number, &*badge.label]).collect();
        assert_eq!(
            told,
            [
                ["/branch", "3", "3 việc đang chờ"],
                ["/members", "99+", "132 việc đang chờ"],
                ["/more", "99+", "135 việc đang chờ"],
                ["/library", "4", "4 tài\u{a0}liệu phải đọc"],
            ]
        );
        assert_eq!(badges(Locale::Vi, &Pending::default()), []);
    }

    #[test]
    fn every_kind_of_work_has_a_place_with_a_number() {
        for kind in WorkKind::ALL {
            assert!(has_badge(kind.place(), false), "{kind:?}");
        }
    }
}
