//! Meetings: coming and past ones, and the page of one with its agenda and papers.

mod fns;
mod list_page;
mod read_page;

use domain::Locale;

pub use fns::{ListMeetings, ReadMeeting};
pub use list_page::MeetingsPage;
pub use read_page::MeetingPage;

use crate::text;

/// The time until the day, in words. Computed by the server, because the phone's clock may be wrong.
fn countdown(l: Locale, days_away: i64) -> String {
    match days_away {
        0 => text::meetings::today(l).to_owned(),
        1 => text::meetings::tomorrow(l).to_owned(),
        -1 => text::meetings::yesterday(l).to_owned(),
        days if days > 0 => text::meetings::in_days(l, days.unsigned_abs()),
        days => text::meetings::days_ago(l, days.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_days_have_words_of_their_own() {
        let told: Vec<String> = [-7, -1, 0, 1, 2].into_iter().map(|days| countdown(Locale::En, days)).collect();
        assert_eq!(told, ["7 days ago", "Yesterday", "Today", "Tomorrow", "In 2 days"]);
        assert_eq!(countdown(Locale::Bn, 12), "১২ দিন পরে");
    }
}
