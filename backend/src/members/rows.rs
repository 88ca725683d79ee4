//! New rows of the registry, as written by forms, imports, the command line and the sample data, with pure functions for their
//! derived columns and issues.
//!
//! Rows that are read are declared where they are read, and updates name the columns they change.

use std::fmt::Display;

use chrono::NaiveDate;
use domain::{
    folding::{fold_name, name_order},
    ids::MemberId,
    members::{CardNumber, FullName, MemberState, NationalId, PhoneNumber, QualityIssue, Sex, Standing, check_dates},
    units::UnitRef,
};

use crate::{
    Backend, Keys, Result,
    store::{RecordId, SurrealValue, pair, record},
};

/// The validated values of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Particulars {
    pub(crate) full_name: FullName,
    pub(crate) card: CardNumber,
    pub(crate) sex: Sex,
    pub(crate) birth_date: NaiveDate,
    pub(crate) admitted_on: NaiveDate,
    pub(crate) official_on: Option<NaiveDate>,
    pub(crate) standing: Standing,
    /// `None` in a change: the stored one stays.
    pub(crate) national_id: Option<NationalId>,
    pub(crate) phone: Option<PhoneNumber>,
}

impl Particulars {
    /// The issues of a new record with these values.
    pub(crate) fn quality_issues(&self, today: NaiveDate) -> Vec<QualityIssue> {
        let (has_id, has_phone) = (self.national_id.is_some(), self.phone.is_some());
        quality_issues(has_id, has_phone, self.birth_date, self.admitted_on, self.official_on, today)
    }
}

/// The row of a new member.
#[derive(Debug, Clone, SurrealValue)]
pub(crate) struct NewMember {
    pub(crate) id: RecordId,
    pub(crate) code: String,
    pub(crate) full_name: String,
    pub(crate) sort_key: String,
    pub(crate) given: String,
    pub(crate) sex: String,
    pub(crate) birth_date: String,
    pub(crate) admitted_on: String,
    pub(crate) official_on: Option<String>,
    pub(crate) standing: String,
    pub(crate) state: String,
    pub(crate) unit: String,
    pub(crate) path: String,
    pub(crate) id_hash: Option<String>,
    pub(crate) id_cipher: Option<String>,
    pub(crate) phone_hash: Option<String>,
    pub(crate) phone_cipher: Option<String>,
    pub(crate) twin_key: String,
    /// Hash of the imported row, to recognise an unchanged row; `None` when the member was not imported.
    pub(crate) import_print: Option<String>,
    /// `None` counts as 0.
    pub(crate) version: Option<i64>,
    /// The day the member joined the branch.
    pub(crate) posted_from: String,
}

impl NewMember {
    /// The first version of an active member of `branch` since a day, with hashed and sealed numbers.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when encryption fails.
    pub(crate) fn new(backend: &Backend, id: MemberId, says: &Particulars, branch: &UnitRef, since: NaiveDate) -> Result<Self> {
        let (keys, owner) = (backend.keys(), id.to_string());
        let sealed = |text: &str| keys.seal(backend.clock(), &owner, text);
        let Particulars { national_id, phone, .. } = says;
        let derived = derived(keys, &says.full_name, says.birth_date);
        Ok(Self {
            id: record("member", id),
            code: says.card.as_str().to_owned(),
            full_name: says.full_name.as_str().to_owned(),
            sort_key: derived.sort_key,
            given: derived.given,
            sex: says.sex.key().to_owned(),
            birth_date: says.birth_date.to_string(),
            admitted_on: says.admitted_on.to_string(),
            official_on: says.official_on.map(|day| day.to_string()),
            standing: says.standing.key().to_owned(),
            state: MemberState::Active.key().to_owned(),
            unit: branch.id.to_string(),
            path: branch.path.to_string(),
            id_hash: national_id.as_ref().map(|id| keys.lookup("id", id.expose())),
            id_cipher: national_id.as_ref().map(|id| sealed(id.expose())).transpose()?,
            phone_hash: phone.as_ref().map(|phone| keys.lookup("phone", phone.expose())),
            phone_cipher: phone.as_ref().map(|phone| sealed(phone.expose())).transpose()?,
            twin_key: derived.twin_key,
            import_print: None,
            version: Some(1),
            posted_from: since.to_string(),
        })
    }
}

/// Statements that store the end of a member's posting. They must come before the member's row changes.
///
/// The arguments are names of bound variables: the member's record, the key of the posting's owner, the id of the new row, the
/// last day.
pub(crate) fn end_posting(member: &str, owner: &str, ended: &str, day: &str) -> String {
    format!(
        "LET $was = (SELECT unit, posted_from FROM ONLY ${member}); \
         IF $was.posted_from != NONE {{ CREATE ${ended} SET member = ${owner}, unit = $was.unit, from = $was.posted_from, \
         until = ${day} RETURN NONE }};"
    )
}

/// The row of an issue.
#[derive(Debug, SurrealValue)]
pub(crate) struct NewQualityIssue {
    id: RecordId,
    kind: &'static str,
    member: String,
    path: String,
}

impl NewQualityIssue {
    /// `path` is the path of the member's branch.
    pub(crate) fn new(kind: QualityIssue, member: impl Display, path: impl Display) -> Self {
        Self { id: quality_issue_id(kind, &member), kind: kind.key(), member: member.to_string(), path: path.to_string() }
    }
}

/// Id of an issue: one per kind and member.
pub(crate) fn quality_issue_id(kind: QualityIssue, member: impl Display) -> RecordId {
    pair("flaw", kind.key(), member)
}

/// Columns derived from others, for searches. They are written whenever their sources change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Derived {
    /// Sort key of name lists.
    pub(crate) sort_key: String,
    /// The folded given name.
    pub(crate) given: String,
    /// Keyed hash of folded name and birth date: equal for possible duplicates.
    pub(crate) twin_key: String,
}

/// The derived columns of a record.
pub(crate) fn derived(keys: &Keys, full_name: &FullName, birth_date: NaiveDate) -> Derived {
    let folded = fold_name(full_name.as_str());
    Derived {
        sort_key: name_order(full_name.as_str()),
        given: folded.rsplit(' ').next().unwrap_or_default().to_owned(),
        twin_key: keys.lookup("twin", &format!("{folded}\0{birth_date}")),
    }
}

/// The issues that depend on the record alone: all but [`QualityIssue::Twin`].
pub(crate) fn quality_issues(
    has_national_id: bool,
    has_phone: bool,
    birth_date: NaiveDate,
    admitted_on: NaiveDate,
    official_on: Option<NaiveDate>,
    today: NaiveDate,
) -> Vec<QualityIssue> {
    let impossible = !check_dates(birth_date, admitted_on, official_on, today).is_empty();
    let found = [
        (!has_national_id, QualityIssue::MissingId),
        (!has_phone, QualityIssue::MissingPhone),
        (impossible, QualityIssue::ImpossibleDate),
    ];
    found.into_iter().filter_map(|(is_so, quality_issue)| is_so.then_some(quality_issue)).collect()
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
        let of = |name: &str, birth: &str| derived(&keys, &FullName::parse(name).expect("a name"), day(birth));
        let first = of("Nguyễn  Đức Thắng", "1960-01-02");
        assert_eq!(first.given, "thang");
        assert_eq!(first.sort_key, "thang nguyen duc thang");
        assert_eq!(first.twin_key, of("NGUYEN DUC THANG", "1960-01-02").twin_key);
        assert_ne!(first.twin_key, of("Nguyễn Đức Thắng", "1960-01-03").twin_key);
    }

    #[test]
    fn missing_numbers_and_impossible_dates_are_issues() {
        let (born, admitted, today) = (day("1960-01-02"), day("1985-05-19"), day("2026-11-21"));
        assert_eq!(quality_issues(true, true, born, admitted, None, today), []);
        assert_eq!(
            quality_issues(false, false, born, day("1970-01-01"), None, today),
            [QualityIssue::MissingId, QualityIssue::MissingPhone, QualityIssue::ImpossibleDate]
        );
    }
}
