//! Files on their way into the registry: upload, preview, confirmation, progress, report.

mod fns;
mod import_page;
mod list_page;
mod new_page;
mod progress;

use domain::{
    Locale,
    imports::{Column, Failure, ImportKind, ImportState, Reason},
};

pub use import_page::ImportPage;
pub use list_page::ImportsPage;
pub use new_page::NewImportPage;

use crate::{terms, text};

pub const fn kind_name(l: Locale, kind: ImportKind) -> &'static str {
    match kind {
        ImportKind::Members => text::imports::kind_members(l),
        ImportKind::Units => text::imports::kind_units(l),
    }
}

pub const fn state_name(l: Locale, state: ImportState) -> &'static str {
    match state {
        ImportState::Checking => text::imports::state_checking(l),
        ImportState::Previewed => text::imports::state_previewed(l),
        ImportState::Running => text::imports::state_running(l),
        ImportState::Done => text::imports::state_done(l),
        ImportState::Cancelled => text::imports::state_cancelled(l),
        ImportState::Failed => text::imports::state_failed(l),
    }
}

pub const fn column_name(l: Locale, column: Column) -> &'static str {
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
    }
}

/// Why a whole file was not taken, and what to do.
pub const fn failure_text(l: Locale, failure: Failure) -> &'static str {
    match failure {
        Failure::Unreadable => text::imports::failure_unreadable(l),
        Failure::TooBig => text::imports::failure_too_big(l),
        Failure::UnpacksTooBig => text::imports::failure_unpacks_too_big(l),
        Failure::Empty => text::imports::failure_empty(l),
        Failure::EndlessRow => text::imports::failure_endless_row(l),
        Failure::Lost => text::imports::failure_lost(l),
    }
}

/// Why a row was not taken, and what to do.
pub fn reason_text(l: Locale, reason: &Reason) -> String {
    match reason {
        Reason::Value(problem) => terms::problem(l, problem),
        Reason::Undecodable => text::imports::reason_undecodable(l).to_owned(),
        Reason::CellError => text::imports::reason_cell_error(l).to_owned(),
        Reason::OpenQuote => text::imports::reason_open_quote(l).to_owned(),
        Reason::LostDigits => text::imports::reason_lost_digits(l).to_owned(),
        Reason::CardTwice { row } => text::imports::reason_card_twice(l, l.number(*row)),
        Reason::IdTwice { row } => text::imports::reason_id_twice(l, l.number(*row)),
        Reason::IdTaken => text::imports::reason_id_taken(l).to_owned(),
        Reason::Elsewhere => text::imports::reason_elsewhere(l).to_owned(),
        Reason::NotActive => text::imports::reason_not_active(l).to_owned(),
        Reason::UnknownUnit => text::imports::reason_unknown_unit(l).to_owned(),
        Reason::AmbiguousUnit => text::imports::reason_ambiguous_unit(l).to_owned(),
        Reason::ClosedUnit => text::imports::reason_closed_unit(l).to_owned(),
        Reason::NotABranch => text::imports::reason_not_a_branch(l).to_owned(),
        Reason::UnitTwice { row } => text::imports::reason_unit_twice(l, l.number(*row)),
        Reason::UnknownParent => text::imports::reason_unknown_parent(l).to_owned(),
        Reason::WrongLevel => text::imports::reason_wrong_level(l).to_owned(),
        Reason::PathUsed => text::imports::reason_path_used(l).to_owned(),
        Reason::KindDiffers => text::imports::reason_kind_differs(l).to_owned(),
    }
}

/// The heads of the report's columns.
pub fn report_heads(l: Locale) -> [&'static str; 4] {
    [text::imports::row(l), text::imports::column(l), text::imports::value(l), text::imports::reason(l)]
}
