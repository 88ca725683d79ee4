//! When an opened text counts as read: opened and read are two things (đã mở, đã đọc).
//!
//! A member has read a text when they say so, or when the page observes one of these:
//!
//! - its **end** was in view, and at least [`Length::to_reach_the_end`] has passed: 12 words a second (720 a minute). Adults read
//!   175 to 300 words of plain prose a minute (M. Brysbaert, "How many words do we read per minute?", 2019, a review of 190
//!   studies); beyond about 600 they skim and miss content (K. Rayner et al., "So much to read, so little time", 2016). In
//!   Vietnamese each syllable is written as a word, so the true limit is lower: nobody who read the text is refused.
//! - it was **in view** for [`Length::to_read_it_all`], the reading time shown at its head: 180 words a minute. This is for
//!   readers who stop before the signature or read in another order. Time counts while the page is in the foreground and there is
//!   some input at least every [`Length::IDLE`]: an unhurried reader needs about that long for one screen.
//!
//! Neither counts before [`Length::GLANCE`], so that opening a short notice is not reading it. The page measures the time; the
//! server checks it against the time since the first opening, which no client can shorten. A look for an office is not recorded
//! as reading.

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// How a text came to count as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Seen {
    /// Its end was in view.
    End,
    /// It was in view long enough.
    InView,
    /// The member said so (bấm "Tôi đã đọc").
    Said,
}

crate::keyed!(Seen);

/// The length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    words: u32,
}

impl Length {
    /// The shortest time in which anything is read.
    pub const GLANCE: TimeDelta = TimeDelta::seconds(5);

    /// After this time without input the reader may be away.
    pub const IDLE: TimeDelta = TimeDelta::seconds(90);

    /// Words a minute of an unhurried reader.
    const UNHURRIED: u32 = 180;

    /// Upper bound of the reading speed, in words a minute.
    const FASTEST: u32 = 720;

    pub fn of(text: &str) -> Self {
        Self { words: u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX) }
    }

    /// Minutes an unhurried reader needs, at least 1.
    pub fn minutes(self) -> u32 {
        self.words.div_ceil(Self::UNHURRIED).max(1)
    }

    /// The shortest time in which a reader reaches the end.
    pub fn to_reach_the_end(self) -> TimeDelta {
        self.at(Self::FASTEST)
    }

    /// The time in which an unhurried reader reads the whole text.
    pub fn to_read_it_all(self) -> TimeDelta {
        self.at(Self::UNHURRIED)
    }

    /// The shortest time since the first opening after which `seen` is accepted.
    pub fn least(self, seen: Seen) -> TimeDelta {
        match seen {
            Seen::End => self.to_reach_the_end(),
            Seen::InView => self.to_read_it_all(),
            Seen::Said => TimeDelta::zero(),
        }
    }

    fn at(self, words_a_minute: u32) -> TimeDelta {
        TimeDelta::milliseconds(i64::from(self.words) * 60_000 / i64::from(words_a_minute)).max(Self::GLANCE)
    }
}

/// What is recorded when a person opens a document, as shown to that person (ghi nhận việc đọc).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// The person is in the audience: opening and reading are recorded.
    Member(OwnReceipt),
    /// Nothing: the person is in the audience, but looks for an office.
    Looks,
    /// Nothing: the person is not in the audience.
    Elsewhere,
}

/// What is recorded about a member's reading of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnReceipt {
    /// The first opening.
    pub opened_on: NaiveDate,
    pub read_on: Option<NaiveDate>,
    pub length: Length,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(words: usize) -> (i64, i64) {
        let length = Length::of(&"từ ".repeat(words));
        (length.to_reach_the_end().num_seconds(), length.to_read_it_all().num_seconds())
    }

    #[test]
    fn a_text_takes_the_time_its_words_take() {
        assert_eq!(seconds(0), (5, 5), "a glance does not count");
        assert_eq!(seconds(15), (5, 5));
        assert_eq!(seconds(180), (15, 60));
        assert_eq!(seconds(1_800), (150, 600));
        let longest = Length { words: u32::MAX };
        assert!(longest.to_reach_the_end() < longest.to_read_it_all());
        assert_eq!([0, 1, 180, 181].map(|words| Length { words }.minutes()), [1, 1, 1, 2]);
    }

    #[test]
    fn a_member_is_believed_at_once_and_the_page_is_not() {
        let length = Length::of("một hai ba");
        assert_eq!(length.least(Seen::Said), TimeDelta::zero());
        assert!([Seen::End, Seen::InView].into_iter().all(|seen| length.least(seen) >= Length::GLANCE));
    }
}
