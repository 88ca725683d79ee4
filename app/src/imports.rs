//! Imports of files into the registry: upload, preview, confirmation, progress, report.

mod fns;
mod import_page;
mod list_page;
mod new_page;
mod progress;

use domain::{
    Locale,
    forms::Problem,
    imports::{Column, Failure, ImportKind, ImportState, Reason},
    members::Standing,
    units::UnitKind,
};

pub use import_page::ImportPage;
pub use list_page::ImportsPage;
pub use new_page::NewImportPage;
pub(crate) use new_page::{ACCEPT, template_links};

use crate::{terms, text};

pub fn kind_name(l: Locale, kind: ImportKind) -> &'static str {
    match kind {
        ImportKind::Members => text::imports::kind_members(l),
        ImportKind::Units => text::imports::kind_units(l),
    }
}

pub fn state_name(l: Locale, state: ImportState) -> &'static str {
    match state {
        ImportState::Checking => text::imports::state_checking(l),
        ImportState::Previewed => text::imports::state_previewed(l),
        ImportState::Running => text::imports::state_running(l),
        ImportState::Done => text::imports::state_done(l),
        ImportState::Cancelled => text::imports::state_cancelled(l),
        ImportState::Failed => text::imports::state_failed(l),
    }
}

pub fn column_name(l: Locale, column: Column) -> &'static str {
    match column {
        Column::CardNumber => text::imports::column_card_number(l),
        Column::FullName => text::imports::column_full_name(l),
        Column::Sex => text::imports::column_sex(l),
        Column::BirthDate => text::imports::column_birth_date(l),
        Column::AdmittedOn => text::imports::column_admitted_on(l),
        Column::OfficialOn => text::imports::column_official_on(l),
        Column::Standing => text::imports::column_standing(l),
        Column::NationalId => text::imports::column_national_id(l),
        Column::Phone => text::imports::column_phone(l),
        Column::Branch => text::imports::column_branch(l),
        Column::Code => text::imports::column_code(l),
        Column::Parent => text::imports::column_parent(l),
        Column::Kind => text::imports::column_kind(l),
        Column::Name => text::imports::column_name(l),
        Column::OpenedOn => text::imports::column_opened_on(l),
        Column::Phase => text::imports::column_phase(l),
        Column::Male => text::imports::column_male(l),
        Column::Female => text::imports::column_female(l),
    }
}

/// Why a file was rejected, and what to do.
pub fn failure_text(l: Locale, failure: Failure) -> &'static str {
    match failure {
        Failure::Unreadable => text::imports::failure_unreadable(l),
        Failure::TooBig => text::imports::failure_too_big(l),
        Failure::UnpacksTooBig => text::imports::failure_unpacks_too_big(l),
        Failure::Empty => text::imports::failure_empty(l),
        Failure::EndlessRow => text::imports::failure_endless_row(l),
        Failure::NotCalculated => text::imports::failure_not_calculated(l),
        Failure::Lost => text::imports::failure_lost(l),
        Failure::Damaged => text::imports::failure_damaged(l),
    }
}

/// Why a row was refused, and what to do. `column` selects the list of valid values.
pub fn reason_text(l: Locale, column: Option<Column>, reason: &Reason) -> String {
    match reason {
        Reason::Value(Problem::NotOffered) => match column.and_then(|column| choices(l, column)) {
            Some(choices) => text::imports::reason_choices(l, choices),
            None => terms::problem(l, &Problem::NotOffered),
        },
        Reason::Value(problem) => terms::problem(l, problem),
        Reason::Unvalued => text::imports::reason_unvalued(l).to_owned(),
        Reason::PartOfDate => text::imports::reason_part_of_date(l).to_owned(),
        Reason::MonthFirst => text::imports::reason_month_first(l).to_owned(),
        Reason::LostLetters => text::imports::reason_lost_letters(l).to_owned(),
        Reason::ForeignLetters => text::imports::reason_foreign_letters(l).to_owned(),
        Reason::BothSexes => text::imports::reason_both_sexes(l).to_owned(),
        Reason::AmbiguousCard => text::imports::reason_ambiguous_card(l).to_owned(),
        Reason::InFuture => text::imports::reason_in_future(l).to_owned(),
        Reason::TooYoung => text::imports::reason_too_young(l).to_owned(),
        Reason::BeforeAdmission => text::imports::reason_before_admission(l).to_owned(),
        Reason::NothingToRead => text::imports::reason_nothing_to_read(l).to_owned(),
        Reason::Undecodable => text::imports::reason_undecodable(l).to_owned(),
        Reason::CellError => text::imports::reason_cell_error(l).to_owned(),
        Reason::OpenQuote => text::imports::reason_open_quote(l).to_owned(),
        Reason::PhoneLeftOut => text::imports::reason_phone_left_out(l).to_owned(),
        Reason::LostDigits => text::imports::reason_lost_digits(l).to_owned(),
        Reason::CardTwice { row } => text::imports::reason_card_twice(l, l.number(*row)),
        Reason::IdTwice { row } => text::imports::reason_id_twice(l, l.number(*row)),
        Reason::IdTaken => text::imports::reason_id_taken(l).to_owned(),
        Reason::ToBeVerified => text::imports::reason_to_be_verified(l).to_owned(),
        Reason::Elsewhere => text::imports::reason_elsewhere(l).to_owned(),
        Reason::HeldAbove => text::problems::held_above(l).to_owned(),
        Reason::NotActive => text::imports::reason_not_active(l).to_owned(),
        Reason::UnknownUnit => text::imports::reason_unknown_unit(l).to_owned(),
        Reason::AmbiguousUnit => text::imports::reason_ambiguous_unit(l).to_owned(),
        Reason::ClosedUnit => text::imports::reason_closed_unit(l).to_owned(),
        Reason::NotABranch => text::imports::reason_not_a_branch(l).to_owned(),
        Reason::UnitTwice { row } => text::imports::reason_unit_twice(l, l.number(*row)),
        Reason::UnknownParent => text::imports::reason_unknown_parent(l).to_owned(),
        Reason::WrongLevel => text::imports::reason_wrong_level(l).to_owned(),
        Reason::LevelEnded { last } => text::imports::reason_level_ended(l, l.date(*last)),
        Reason::ChangedLater { since } => text::imports::reason_changed_later(l, l.date(*since)),
        Reason::PathUsed => text::imports::reason_path_used(l).to_owned(),
        Reason::KindDiffers => text::imports::reason_kind_differs(l).to_owned(),
    }
}

/// The values a column accepts, if they are few.
fn choices(l: Locale, column: Column) -> Option<String> {
    match column {
        Column::Sex => Some(text::imports::choices_sex(l).to_owned()),
        Column::Standing => Some(text::imports::choices_standing(l).to_owned()),
        // Some names contain a comma.
        Column::Kind => {
            let names: Vec<&str> = UnitKind::all().map(|kind| terms::short_unit_kind(l, kind)).collect();
            Some(text::with_plain_spaces(&names.join("; ")))
        }
        Column::Phase => Some(text::imports::choices_phase(l).to_owned()),
        _ => None,
    }
}

/// Column headers of the report.
pub fn report_heads(l: Locale) -> [&'static str; 6] {
    [
        text::imports::row(l),
        text::imports::who(l),
        text::imports::column(l),
        text::imports::value(l),
        text::imports::outcome(l),
        text::imports::reason(l),
    ]
}

/// The result for the row of a report line.
pub fn outcome_text(l: Locale, reason: &Reason) -> &'static str {
    if reason.is_remark() { text::imports::outcome_remark(l) } else { text::imports::outcome_refused(l) }
}

/// A sample table for a kind of file: a header, and rows that are recognisable as samples and are refused by an import.
pub fn template(l: Locale, kind: ImportKind) -> Vec<Vec<String>> {
    // Headers are recognised in Vietnamese and English only.
    let l = if l == Locale::Bn { Locale::En } else { l };
    let columns: Vec<Column> = Column::of(kind).filter(|column| !matches!(column, Column::Male | Column::Female)).collect();
    // Samples are in Vietnamese, with the terms of the organisation.
    let named = |level: UnitKind| text::with_plain_spaces(terms::short_unit_kind(Locale::Vi, level));
    let branch = UnitKind::all().find(|level| level.is_home()).map(named).unwrap_or_default();
    // The usual word for the level, if it is one of this organisation.
    let above = match UnitKind::from_words("Xã") {
        Some(_) => "Xã".to_owned(),
        None => UnitKind::all().next().map(named).unwrap_or_default(),
    };
    let on_probation = terms::standing(Locale::Vi, Standing::Probationary);
    let its_name = format!("{branch} thôn Bảy");
    let examples: [Vec<&str>; 2] = match kind {
        ImportKind::Members => [
            vec!["77.000001", "Nguyễn Văn An", "Nam", "21/11/1980", "03/02/2005", "03/02/2006", "", "", "", "01/51/001/07"],
            vec![
                "77.000002",
                "Trần Thị Bình",
                "Nữ",
                "08/03/1999",
                "19/05/2026",
                "",
                on_probation,
                "",
                "0912 345 678",
                "01/51/001/07",
            ],
        ],
        ImportKind::Units => [
            vec!["001", "01/51", above.as_str(), "Xã Bình Châu", "01/07/2025", ""],
            vec!["07", "01/51/001", branch.as_str(), its_name.as_str(), "01/07/2025", ""],
        ],
    };
    let header = columns.iter().map(|column| text::with_plain_spaces(column_name(l, *column))).collect();
    let examples = examples.iter().map(|row| {
        let mark = format!("({})", text::imports::template_example(l));
        row.iter().enumerate().map(|(at, cell)| if at == 0 { format!("{mark} {cell}") } else { (*cell).to_owned() }).collect()
    });
    std::iter::once(header).chain(examples).collect()
}
