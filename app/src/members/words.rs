//! The registry's terms in the viewer's language, and display formats of values.

use std::fmt::Write;

use chrono::NaiveDate;
use domain::{
    Locale,
    members::{CorrectionField, CorrectionState, MemberState, QualityIssue, Sex, Standing},
};

use crate::{text, ui::Line};

pub(super) fn standing(l: Locale, standing: Standing) -> &'static str {
    match standing {
        Standing::Official => text::members::standing_official(l),
        Standing::Probationary => text::members::standing_probationary(l),
        Standing::Exempt => text::members::standing_exempt(l),
    }
}

pub(super) fn sex(l: Locale, sex: Sex) -> &'static str {
    match sex {
        Sex::Female => text::members::female(l),
        Sex::Male => text::members::male(l),
    }
}

pub(super) fn state(l: Locale, state: MemberState) -> &'static str {
    match state {
        MemberState::Active => text::members::state_active(l),
        MemberState::Transferred => text::members::state_transferred(l),
        MemberState::Left => text::members::state_left(l),
        MemberState::Deceased => text::members::state_deceased(l),
        MemberState::Merged => text::members::state_merged(l),
    }
}

pub(super) fn quality_issue(l: Locale, quality_issue: QualityIssue) -> &'static str {
    match quality_issue {
        QualityIssue::MissingId => text::members::flaw_missing_id(l),
        QualityIssue::MissingPhone => text::members::flaw_missing_phone(l),
        QualityIssue::ImpossibleDate => text::members::flaw_impossible_date(l),
        QualityIssue::Twin => text::members::flaw_twin(l),
    }
}

/// What to do about an issue.
pub(super) fn quality_issue_help(l: Locale, quality_issue: QualityIssue) -> &'static str {
    match quality_issue {
        QualityIssue::MissingId => text::members::flaw_missing_id_help(l),
        QualityIssue::MissingPhone => text::members::flaw_missing_phone_help(l),
        QualityIssue::ImpossibleDate => text::members::flaw_impossible_date_help(l),
        QualityIssue::Twin => text::members::flaw_twin_help(l),
    }
}

pub(super) fn correction_field(l: Locale, field: CorrectionField) -> &'static str {
    match field {
        CorrectionField::Phone => text::members::phone(l),
        CorrectionField::FullName => text::members::full_name(l),
        CorrectionField::BirthDate => text::members::birth_date(l),
        CorrectionField::Sex => text::members::sex(l),
        CorrectionField::NationalId => text::members::national_id(l),
        CorrectionField::Card => text::members::card(l),
        CorrectionField::AdmittedOn => text::members::admitted_on(l),
        CorrectionField::OfficialOn => text::members::official_on(l),
    }
}

pub(super) fn correction_state(l: Locale, state: CorrectionState) -> &'static str {
    match state {
        CorrectionState::Requested => text::members::correction_requested(l),
        CorrectionState::Accepted => text::members::correction_accepted(l),
        CorrectionState::Declined => text::members::correction_declined(l),
    }
}

/// Formats a stored value for display: dates in the viewer's language, numbers in groups.
pub(super) fn value(l: Locale, field: CorrectionField, stored: &str) -> Line {
    match field {
        CorrectionField::BirthDate | CorrectionField::AdmittedOn | CorrectionField::OfficialOn => {
            stored.parse().map_or_else(|_| Line::content(stored), |day: NaiveDate| l.date(day).into())
        }
        CorrectionField::Sex => Sex::from_key(stored).map_or_else(|| Line::content(stored), |known| sex(l, known).into()),
        CorrectionField::Phone => Line::name(phone(stored)),
        CorrectionField::NationalId => Line::name(national_id(stored)),
        CorrectionField::FullName | CorrectionField::Card => Line::name(stored),
    }
}

/// `0912 345 678`.
pub(super) fn phone(number: &str) -> String {
    in_groups(number, &[4, 3, 3])
}

/// `051 090 001 234`.
pub(super) fn national_id(number: &str) -> String {
    in_groups(number, &[3, 3, 3, 3])
}

/// Divides a text of exactly the expected length into groups; any other is returned unchanged.
fn in_groups(text: &str, groups: &[usize]) -> String {
    if text.chars().count() != groups.iter().sum::<usize>() {
        return text.to_owned();
    }
    let mut characters = text.chars();
    let mut grouped = String::with_capacity(text.len() + groups.len());
    for (at, length) in groups.iter().enumerate() {
        let group: String = characters.by_ref().take(*length).collect();
        // Writing to a string cannot fail.
        let _ = write!(grouped, "{}{group}", if at == 0 { "" } else { "\u{a0}" });
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_groups() {
        assert_eq!(phone("0912345678"), "0912\u{a0}345\u{a0}678");
        assert_eq!(phone("•••••••678"), "••••\u{a0}•••\u{a0}678");
        assert_eq!(national_id("051090001234"), "051\u{a0}090\u{a0}001\u{a0}234");
        assert_eq!(phone("12"), "12");
    }

    #[test]
    fn values_are_shown_as_people_read_them() {
        assert_eq!(value(Locale::Vi, CorrectionField::BirthDate, "1960-09-02"), Line::from("02/09/1960"));
        assert_eq!(value(Locale::En, CorrectionField::Sex, "female"), Line::from("Female"));
        assert_eq!(value(Locale::En, CorrectionField::BirthDate, "unknown"), Line::content("unknown"));
    }
}
