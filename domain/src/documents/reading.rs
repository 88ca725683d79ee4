//! Opened and read (đã mở, đã đọc) are two things: when a text that was opened counts as read.
//!
//! A member has read a text when they say so, or when the page saw it:
//!
//! - its **end** was in view, and at least [`Length::to_reach_the_end`] has passed: 12 words a second (720 a minute). Adults read
//!   175 to 300 words of plain prose a minute (M. Brysbaert, "How many words do we read per minute?", 2019, a review of 190 studies);
//!   beyond about 600 they skim and miss what it says (K. Rayner et al., "So much to read, so little time", 2016). In Vietnamese
//!   each syllable is written as a word, so the true limit is lower: nobody who read the text is refused.
//! - or it was **in view** for [`Length::to_read_it_all`], the time told at its head: 180 words a minute. For who stops before the
//!   signature or reads it in another order. Time counts while the page is in front and something is moved or pressed at least
//!   every [`Length::IDLE`]: so long one screen takes an unhurried reader.
//!
//! Neither counts before [`Length::GLANCE`], so that opening a short notice is not reading it. The page keeps the time; what it tells
//! is checked against the time since the first opening, which nobody can shorten. Who only looks, for an office, has read nothing.

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// How it is known that a member has read a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Seen {
    /// Its end was in view.
    End,
    /// It was in view long enough.
    InView,
    /// The member says so (bấm "Tôi đã đọc").
    Said,
}

crate::keyed!(Seen);

/// How long a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    words: u32,
}

impl Length {
    /// Nothing is read in less.
    pub const GLANCE: TimeDelta = TimeDelta::seconds(5);

    /// Longer without a movement, and nobody may be there any more.
    pub const IDLE: TimeDelta = TimeDelta::seconds(90);

    /// Words a minute of an unhurried reader.
    const UNHURRIED: u32 = 180;

    /// Words a minute beyond which nobody reads.
    const FASTEST: u32 = 720;

    pub fn of(text: &str) -> Self {
        Self { words: u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX) }
    }

    /// Minutes an unhurried reader needs, at least 1.
    pub fn minutes(self) -> u32 {
        self.words.div_ceil(Self::UNHURRIED).max(1)
    }

    /// The least time in which somebody who reads comes to the end.
    pub fn to_reach_the_end(self) -> TimeDelta {
        self.at(Self::FASTEST)
    }

    /// The time in which an unhurried reader reads all of it.
    pub fn to_read_it_all(self) -> TimeDelta {
        self.at(Self::UNHURRIED)
    }

    /// The least time since a text was first opened after which this can be.
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

/// What becomes of a look at a document, as who looks is told it (ghi nhận việc đọc).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// It reaches them as a member.
    Member(OwnReceipt),
    /// Nothing: it reaches them as a member, but they look for an office.
    Looks,
    /// Nothing: it does not reach them as a member.
    Elsewhere,
}

/// What is recorded of a member's reading of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnReceipt {
    /// The first time.
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
        assert_eq!(seconds(0), (5, 5), "a glance is no reading");
        assert_eq!(seconds(15), (5, 5));
        assert_eq!(seconds(180), (15, 60));
        assert_eq!(seconds(1_800), (150, 600));
        let longest = Length { words: u32::MAX };
        assert!(longest.to_reach_the_end() < longest.to_read_it_all());
        assert_eq!([0, 1, 180, 181].map(|words| Length { words }.minutes()), [1, 1, 1, 2]);
    }

    #[test]
    fn who_says_so_is_believed_at_once_and_the_page_is_not() {
        let length = Length::of("một hai ba");
        assert_eq!(length.least(Seen::Said), TimeDelta::zero());
        assert!([Seen::End, Seen::InView].into_iter().all(|seen| length.least(seen) >= Length::GLANCE));
    }
}
