//! Languages, and the formats of numbers, dates and times in each.
//!
//! Sentences are in the application's text files; this module has the formats that do not depend on a sentence.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc, Weekday};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A language of the application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Locale {
    #[default]
    Vi,
    En,
    Bn,
}

crate::all_variants!(Locale);

/// `Asia/Ho_Chi_Minh`: UTC+7 without daylight saving since 1975.
const ZONE_SECONDS: i32 = 7 * 3600;

/// The two words of a Vietnamese weekday stay on one line.
const WEEKDAYS: [[&str; 7]; 3] = [
    ["Thứ\u{a0}Hai", "Thứ\u{a0}Ba", "Thứ\u{a0}Tư", "Thứ\u{a0}Năm", "Thứ\u{a0}Sáu", "Thứ\u{a0}Bảy", "Chủ\u{a0}Nhật"],
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    ["সোমবার", "মঙ্গলবার", "বুধবার", "বৃহস্পতিবার", "শুক্রবার", "শনিবার", "রবিবার"],
];

const MONTHS_EN: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const MONTHS_BN: [&str; 12] =
    ["জানুয়ারি", "ফেব্রুয়ারি", "মার্চ", "এপ্রিল", "মে", "জুন", "জুলাই", "আগস্ট", "সেপ্টেম্বর", "অক্টোবর", "নভেম্বর", "ডিসেম্বর"];

impl Locale {
    /// BCP 47 tag, for `lang` attributes.
    pub fn tag(self) -> &'static str {
        self.into()
    }

    /// The language's own name for itself.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vi => "Tiếng Việt",
            Self::En => "English",
            Self::Bn => "বাংলা",
        }
    }

    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.tag() == tag)
    }

    /// The preferred supported language of an `Accept-Language` header; Vietnamese when there is none.
    pub fn from_accept_language(header: &str) -> Self {
        header
            .split(',')
            .filter_map(|part| {
                let mut pieces = part.split(';');
                let tag = pieces.next()?.trim().get(..2)?.to_ascii_lowercase();
                let quality: f32 = pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
                Self::from_tag(&tag).map(|locale| (locale, quality))
            })
            // The first of equal weights wins.
            .fold(None, |best: Option<(Self, f32)>, next| match best {
                Some(found) if found.1 >= next.1 => Some(found),
                _ => Some(next),
            })
            .map_or_else(Self::default, |(locale, _)| locale)
    }

    /// A whole number with the locale's separators and digits: `2.514`, `2,514`, `২,৫১৪`.
    pub fn number(self, number: impl Into<u64>) -> String {
        let plain = number.into().to_string();
        let separator = if self == Self::Vi { '.' } else { ',' };
        let mut grouped = String::with_capacity(plain.len() + plain.len() / 3);
        for (at, digit) in plain.chars().enumerate() {
            let rest = plain.len() - at;
            // Bengali groups two digits beyond the first thousand: ১,২৩,৪৫৬.
            let breaks = if self == Self::Bn && rest > 3 { rest % 2 == 1 } else { rest % 3 == 0 };
            if at > 0 && breaks {
                grouped.push(separator);
            }
            grouped.push(digit);
        }
        self.digits(&grouped)
    }

    /// `part` of `whole` in whole percent, rounded to the nearest: `92%`. `0%` and `100%` are exact: values that would round to
    /// them are written as `<1%` and `>99%`. An empty whole is `0%`.
    pub fn percent(self, part: u64, whole: u64) -> String {
        let (part, whole) = (u128::from(part.min(whole)), u128::from(whole));
        let nearest = (200 * part + whole).checked_div(2 * whole).unwrap_or(0);
        let share = match nearest {
            0 if part > 0 => "<1".to_owned(),
            100 if part < whole => ">99".to_owned(),
            share => share.to_string(),
        };
        self.digits(&format!("{share}%"))
    }

    /// A file size in common units: `350 KB`, `1,2 MB`. Rounded up, so that it never understates the size.
    pub fn file_size(self, bytes: u64) -> String {
        let kilobytes = bytes.div_ceil(1024);
        if kilobytes < 1024 {
            return self.digits(&format!("{kilobytes} KB"));
        }
        let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
        let point = if self == Self::Vi { ',' } else { '.' };
        match (tenths / 10, tenths % 10) {
            (whole, 0) => self.digits(&format!("{whole} MB")),
            (whole, tenth) => self.digits(&format!("{whole}{point}{tenth} MB")),
        }
    }

    /// The text with the locale's own digits.
    pub fn digits(self, text: &str) -> String {
        if self != Self::Bn {
            return text.to_owned();
        }
        text.chars().map(|c| c.to_digit(10).and_then(|digit| char::from_u32('০' as u32 + digit)).unwrap_or(c)).collect()
    }

    /// `21/11/2026`, `21 November 2026`, `২১ নভেম্বর ২০২৬`.
    pub fn date(self, date: NaiveDate) -> String {
        let (day, month, year) = (date.day(), date.month0() as usize, date.year());
        match self {
            Self::Vi => format!("{day:02}/{:02}/{year}", month + 1),
            Self::En => format!("{day} {} {year}", MONTHS_EN[month]),
            Self::Bn => self.digits(&format!("{day} {} {year}", MONTHS_BN[month])),
        }
    }

    /// The format of official documents: `Ngày 21 tháng 11 năm 2026`, `21 November 2026`, `২১ নভেম্বর ২০২৬`.
    pub fn written_date(self, date: NaiveDate) -> String {
        if self != Self::Vi {
            return self.date(date);
        }
        format!("Ngày {:02} tháng {:02} năm {}", date.day(), date.month(), date.year())
    }

    /// The name of the month: `Tháng 11`, `November`, `নভেম্বর`.
    pub fn month(self, date: NaiveDate) -> String {
        let month = date.month0() as usize;
        match self {
            Self::Vi => format!("Tháng {}", month + 1),
            Self::En => MONTHS_EN[month].to_owned(),
            Self::Bn => MONTHS_BN[month].to_owned(),
        }
    }

    /// `Thứ Bảy`.
    pub const fn weekday(self, day: Weekday) -> &'static str {
        WEEKDAYS[self as usize][day.num_days_from_monday() as usize]
    }

    /// With the weekday: `Thứ Bảy, 21/11/2026`.
    pub fn long_date(self, date: NaiveDate) -> String {
        format!("{}, {}", self.weekday(date.weekday()), self.date(date))
    }

    /// The same within a sentence: only Vietnamese writes the weekday differently there, `thứ Bảy, 21/11/2026`.
    pub fn long_date_within(self, date: NaiveDate) -> String {
        self.long_date(date).replacen("Thứ", "thứ", 1)
    }

    /// `19:30`, in the organisation's time zone.
    pub fn time(self, at: DateTime<Utc>) -> String {
        let local = local(at);
        self.digits(&format!("{:02}:{:02}", local.hour(), local.minute()))
    }

    /// `19:30, thứ Bảy, 21/11/2026`.
    pub fn date_time(self, at: DateTime<Utc>) -> String {
        format!("{}, {}", self.time(at), self.long_date_within(local_date(at)))
    }
}

/// The calendar day of a moment, in the organisation's time zone.
pub fn local_date(at: DateTime<Utc>) -> NaiveDate {
    local(at).date_naive()
}

/// Converts a local time of the organisation to UTC; `None` when it is out of range.
pub fn utc_of_local(local: NaiveDateTime) -> Option<DateTime<Utc>> {
    Some(local.checked_sub_offset(FixedOffset::east_opt(ZONE_SECONDS)?)?.and_utc())
}

/// The start of a calendar day in the organisation's time zone; clamped to the supported range.
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    utc_of_local(day.and_time(NaiveTime::MIN)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

fn local(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    FixedOffset::east_opt(ZONE_SECONDS).map_or_else(|| at.fixed_offset(), |zone| at.with_timezone(&zone))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn sizes_are_as_people_say_them() {
        for (bytes, expected) in [
            (0, "0 KB"),
            (1, "1 KB"),
            (1024, "1 KB"),
            (1_000_000, "977 KB"),
            (1 << 20, "1 MB"),
            (1_258_292, "1,3 MB"),
            (50 << 20, "50 MB"),
        ] {
            assert_eq!(Locale::Vi.file_size(bytes), expected);
        }
        assert_eq!(Locale::En.file_size(3 << 19), "1.5 MB");
        assert_eq!(Locale::Bn.file_size(3 << 19), "১.৫ MB");
    }

    #[test]
    fn numbers_have_the_separators_and_digits_of_the_language() {
        assert_eq!(Locale::Vi.number(2_514_000u64), "2.514.000");
        assert_eq!(Locale::En.number(999u64), "999");
        assert_eq!(Locale::Bn.number(1_234_567u64), "১২,৩৪,৫৬৭");
        assert_eq!(Locale::Bn.number(1_234u64), "১,২৩৪");
    }

    #[test]
    fn dates_have_the_weekday_in_words() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a date");
        assert_eq!(Locale::Vi.long_date(date), "Thứ\u{a0}Bảy, 21/11/2026");
        assert_eq!(Locale::En.long_date(date), "Saturday, 21 November 2026");
        assert_eq!(Locale::Bn.long_date(date), "শনিবার, ২১ নভেম্বর ২০২৬");
        assert_eq!(Locale::Vi.written_date(date), "Ngày 21 tháng 11 năm 2026");
        assert_eq!(Locale::En.written_date(date), "21 November 2026");
    }

    #[test]
    fn a_weekday_has_a_small_letter_within_a_vietnamese_sentence() {
        let saturday = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a date");
        let sunday = saturday.succ_opt().expect("a date");
        assert_eq!(Locale::Vi.long_date_within(saturday), "thứ\u{a0}Bảy, 21/11/2026");
        assert_eq!(Locale::Vi.long_date_within(sunday), "Chủ\u{a0}Nhật, 22/11/2026");
        assert_eq!(Locale::En.long_date_within(saturday), "Saturday, 21 November 2026");
        assert_eq!(Locale::Bn.long_date_within(saturday), "শনিবার, ২১ নভেম্বর ২০২৬");
        let at = DateTime::parse_from_rfc3339("2026-11-21T12:30:00Z").expect("a time").to_utc();
        assert_eq!(Locale::Vi.date_time(at), "19:30, thứ\u{a0}Bảy, 21/11/2026");
    }

    #[test]
    fn a_late_evening_in_greenwich_is_tomorrow_in_viet_nam() {
        let at = DateTime::parse_from_rfc3339("2026-11-21T18:30:00Z").expect("a time").to_utc();
        assert_eq!(Locale::Vi.date_time(at), "01:30, Chủ\u{a0}Nhật, 22/11/2026");
    }

    #[test]
    fn a_day_begins_at_its_midnight() {
        let day = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
        assert_eq!(midnight(day).to_rfc3339(), "2025-12-31T17:00:00+00:00");
        assert_eq!(local_date(midnight(day)), day);
        assert_eq!(local_date(midnight(day) - TimeDelta::milliseconds(1)), day.pred_opt().expect("a day"));
    }

    #[test]
    fn the_ends_of_the_supported_range_are_clamped() {
        assert_eq!(midnight(NaiveDate::MIN), DateTime::<Utc>::MIN_UTC);
        assert!(midnight(NaiveDate::MAX) < DateTime::<Utc>::MAX_UTC);
        assert_eq!(utc_of_local(NaiveDateTime::MIN), None);
        assert!(utc_of_local(NaiveDateTime::MAX).is_some());
    }

    #[test]
    fn a_percentage_is_rounded_and_only_all_and_nothing_are_exact() {
        let told: Vec<String> = [
            (0, 0),
            (0, 9),
            (9, 2446),
            (12, 2446),
            (13, 2446),
            (1, 3),
            (2, 3),
            (1, 8),
            (994, 1000),
            (999, 1000),
            (9, 9),
            (12, 9),
        ]
        .map(|(part, whole)| Locale::Vi.percent(part, whole))
        .into();
        assert_eq!(told, ["0%", "0%", "<1%", "<1%", "1%", "33%", "67%", "13%", "99%", ">99%", "100%", "100%"]);
        assert_eq!((Locale::En.percent(1, 4), Locale::Bn.percent(1, 4)), ("25%".to_owned(), "২৫%".to_owned()));
        assert_eq!(Locale::Vi.percent(u64::MAX - 1, u64::MAX), ">99%");
    }

    #[test]
    fn the_language_follows_the_header() {
        for (header, locale) in [
            ("bn-BD,bn;q=0.9,en;q=0.8", Locale::Bn),
            ("fr-FR,en;q=0.8,vi;q=0.9", Locale::Vi),
            ("en-US,en;q=0.9,vi;q=0.9", Locale::En),
            ("fr", Locale::Vi),
            ("", Locale::Vi),
            ("é;q=x", Locale::Vi),
        ] {
            assert_eq!(Locale::from_accept_language(header), locale, "{header}");
        }
    }
}
