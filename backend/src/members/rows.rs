//! What a record is found by and what is wrong with it: plain functions over its columns, for the forms, the imports and the sample.

use chrono::NaiveDate;
use domain::{
    folding::{fold, name_order},
    members::{FullName, NationalId, check_dates},
};

pub(crate) use domain::members::Flaw;

use crate::Keys;

/// Columns that follow from others, so that a record is found. They are written whenever one of those changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Derived {
    /// The place in a list of names.
    pub(crate) sort_key: String,
    /// The given name, folded.
    pub(crate) given: String,
    /// Keyed hash of the last four digits of the national ID: ten thousand candidates, so it serves the search and proves nothing.
    pub(crate) id_tail: Option<String>,
    /// Keyed hash of folded name and birth date: equal for what may be the same person twice.
    pub(crate) twin_key: String,
}

/// The derived columns of a record.
pub(crate) fn derived(keys: &Keys, full_name: &FullName, birth_date: NaiveDate, national_id: Option<&NationalId>) -> Derived {
    let folded = fold(full_name.as_str());
    Derived {
        sort_key: name_order(full_name.as_str()),
        given: folded.rsplit(' ').next().unwrap_or_default().to_owned(),
        id_tail: national_id.map(|id| id_tail(keys, id.tail())),
        twin_key: keys.lookup("twin", &format!("{folded}\0{birth_date}")),
    }
}

/// The hash under which the last four digits of a national ID are looked up.
pub(crate) fn id_tail(keys: &Keys, digits: &str) -> String {
    keys.lookup("id_tail", digits)
}

/// What of a record needs somebody's work, as far as the record alone tells: all but [`Flaw::Twin`], which needs the others.
pub(crate) fn flaws(
    has_national_id: bool,
    has_phone: bool,
    birth_date: NaiveDate,
    admitted_on: NaiveDate,
    official_on: Option<NaiveDate>,
    today: NaiveDate,
) -> Vec<Flaw> {
    let impossible = !check_dates(birth_date, admitted_on, official_on, today).is_empty();
    let found = [(!has_national_id, Flaw::MissingId), (!has_phone, Flaw::MissingPhone), (impossible, Flaw::ImpossibleDate)];
    found.into_iter().filter_map(|(is_so, flaw)| is_so.then_some(flaw)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn one_person_in_two_spellings_has_one_twin_key() {
        let keys = Keys::from_master(&[7; 32]);
        let of = |name: &str, birth: &str| derived(&keys, &FullName::parse(name).expect("a name"), day(birth), None);
        let first = of("Nguyễn  Đức Thắng", "1960-01-02");
        assert_eq!(first.given, "thang");
        assert_eq!(first.sort_key, "thang nguyen duc thang");
        assert_eq!(first.twin_key, of("NGUYEN DUC THANG", "1960-01-02").twin_key);
        assert_ne!(first.twin_key, of("Nguyễn Đức Thắng", "1960-01-03").twin_key);
        assert_eq!(first.id_tail, None);
    }

    #[test]
    fn the_last_digits_are_hashed_apart_from_the_whole_number() {
        let keys = Keys::from_master(&[7; 32]);
        let id = NationalId::parse("051090001234").expect("an ID");
        let row = derived(&keys, &FullName::parse("A").expect("a name"), day("1960-01-02"), Some(&id));
        assert_eq!(row.id_tail, Some(id_tail(&keys, "1234")));
        assert_ne!(id_tail(&keys, "1234"), keys.lookup("id", "1234"));
    }

    #[test]
    fn a_record_tells_what_is_missing_and_what_cannot_be() {
        let (born, admitted, today) = (day("1960-01-02"), day("1985-05-19"), day("2026-11-21"));
        assert_eq!(flaws(true, true, born, admitted, None, today), []);
        assert_eq!(
            flaws(false, false, born, day("1970-01-01"), None, today),
            [Flaw::MissingId, Flaw::MissingPhone, Flaw::ImpossibleDate]
        );
    }
}
