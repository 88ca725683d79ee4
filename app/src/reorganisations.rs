//! Reorganisations of units by file: upload, preview, confirmation, progress, and the queue of units below divided ones.

mod fns;
mod list_page;
mod lists;
mod new_page;
mod queue_page;
mod reorganisation_page;

use domain::{
    Locale,
    forms::Problem,
    imports::Reason,
    units::reorganisation::{
        AssignProblem, FileRefusal, OfficesRule, Part, PlanList, RefusedRow, ReorganisationColumn, ReorganisationFile,
        ReorganisationState, RowProblem,
    },
};
use leptos::prelude::*;

pub use list_page::ReorganisationsPage;
pub use new_page::NewReorganisationPage;
pub use queue_page::QueuePage;
pub use reorganisation_page::ReorganisationPage;

use crate::{
    imports::{self, ACCEPT, failure_text, reason_text},
    text,
};

/// Columns of a file that reorganises units.
const COLUMNS: [ReorganisationColumn; 6] = [
    ReorganisationColumn::OldCode,
    ReorganisationColumn::NewCode,
    ReorganisationColumn::NewParent,
    ReorganisationColumn::NewName,
    ReorganisationColumn::Part,
    ReorganisationColumn::Offices,
];

/// Columns of a file that assigns units of the queue.
const ASSIGN_COLUMNS: [ReorganisationColumn; 2] = [ReorganisationColumn::Unit, ReorganisationColumn::Target];

/// A file to fill in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    Reorganisation,
    Assign,
}

impl Template {
    /// The name of the file, without its extension.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Reorganisation => "reorganisation",
            Self::Assign => "assign",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Reorganisation, Self::Assign].into_iter().find(|template| template.key() == key)
    }

    fn name(self, l: Locale) -> &'static str {
        match self {
            Self::Reorganisation => text::reorganisations::template_name(l),
            Self::Assign => text::reorganisations::template_assign(l),
        }
    }

    const fn columns(self) -> &'static [ReorganisationColumn] {
        match self {
            Self::Reorganisation => &COLUMNS,
            Self::Assign => &ASSIGN_COLUMNS,
        }
    }

    /// A header, and rows that are recognisable as samples and are refused.
    pub fn rows(self, l: Locale) -> Vec<Vec<String>> {
        // Headers and words are recognised in Vietnamese and English only.
        let l = if l == Locale::Bn { Locale::En } else { l };
        let header = self.columns().iter().map(|column| text::with_plain_spaces(column_name(l, *column))).collect();
        let (whole, main, part) = (part_name(l, Part::Whole), part_name(l, Part::Main), part_name(l, Part::Part));
        let (keep, end) = (offices_name(l, OfficesRule::Keep), offices_name(l, OfficesRule::End));
        let examples: Vec<Vec<&str>> = match self {
            Self::Reorganisation => vec![
                vec!["001", "101", "01/51", "Phường Bình Châu", whole, end],
                vec!["002", "101", "01/51", "Phường Bình Châu", main, keep],
                vec!["002", "102", "01/51", "Phường Sơn Trà", part, ""],
            ],
            Self::Assign => vec![vec!["01/51/101/07", "102"], vec!["01/51/101/08", "101"]],
        };
        let mark = format!("({})", text::imports::template_example(l));
        let examples = examples.into_iter().map(|row| {
            row.into_iter()
                .enumerate()
                .map(|(at, cell)| if at == 0 { format!("{mark} {cell}") } else { cell.to_owned() })
                .collect()
        });
        std::iter::once(header).chain(examples).collect()
    }
}

/// Links to a template in both formats.
fn template_links(l: Locale, template: Template) -> AnyView {
    imports::template_links(l, [(template.name(l), format!("/reorganisations/template/{}", template.key()))])
}

fn state_name(l: Locale, state: ReorganisationState) -> &'static str {
    match state {
        ReorganisationState::Previewed => text::reorganisations::state_previewed(l),
        ReorganisationState::Confirmed => text::reorganisations::state_confirmed(l),
        ReorganisationState::Changed => text::reorganisations::state_changed(l),
        ReorganisationState::Following => text::reorganisations::state_following(l),
        ReorganisationState::Done => text::reorganisations::state_done(l),
        ReorganisationState::Cancelled => text::reorganisations::state_cancelled(l),
    }
}

fn list_name(l: Locale, list: PlanList) -> &'static str {
    match list {
        PlanList::Refused => text::reorganisations::list_refused(l),
        PlanList::Ended => text::reorganisations::list_ended(l),
        PlanList::Offices => text::reorganisations::offices_ended(l),
        PlanList::Begun => text::reorganisations::list_begun(l),
        PlanList::Renamed => text::reorganisations::list_renamed(l),
        PlanList::Recoded => text::reorganisations::list_recoded(l),
        PlanList::Moved => text::reorganisations::list_moved(l),
        PlanList::Phased => text::reorganisations::list_phased(l),
        PlanList::Queued => text::reorganisations::list_queued(l),
        PlanList::Undecided => text::reorganisations::list_undecided(l),
    }
}

fn part_name(l: Locale, part: Part) -> &'static str {
    match part {
        Part::Whole => text::reorganisations::part_whole(l),
        Part::Main => text::reorganisations::part_main(l),
        Part::Part => text::reorganisations::part_part(l),
    }
}

fn offices_name(l: Locale, rule: OfficesRule) -> &'static str {
    match rule {
        OfficesRule::Keep => text::reorganisations::offices_keep(l),
        OfficesRule::End => text::reorganisations::offices_end(l),
    }
}

pub fn column_name(l: Locale, column: ReorganisationColumn) -> &'static str {
    match column {
        ReorganisationColumn::OldCode => text::reorganisations::column_old_code(l),
        ReorganisationColumn::NewCode => text::reorganisations::column_new_code(l),
        ReorganisationColumn::NewParent => text::reorganisations::column_new_parent(l),
        ReorganisationColumn::NewName => text::reorganisations::column_new_name(l),
        ReorganisationColumn::Part => text::reorganisations::column_part(l),
        ReorganisationColumn::Offices => text::reorganisations::column_offices(l),
        ReorganisationColumn::Unit => text::reorganisations::column_unit(l),
        ReorganisationColumn::Target => text::reorganisations::column_target(l),
    }
}

/// Why a file is not accepted, and what to do.
pub fn refusal_text(l: Locale, file: &str, refusal: FileRefusal) -> String {
    match refusal {
        FileRefusal::File(failure) => text::reorganisations::file_failed(l, file, failure_text(l, failure)),
        FileRefusal::Missing(column) => text::reorganisations::file_missing(l, file, column_name(l, column)),
        FileRefusal::TooManyRows { max } => text::reorganisations::file_rows(l, l.number(max)),
        FileRefusal::TooManyFiles { max } => text::reorganisations::file_count(l, l.number(max)),
    }
}

/// Why a row is refused, and what to do; with the name of the file of another row that it names, if that is another file.
pub fn refused_text(l: Locale, files: &[ReorganisationFile], refused: &RefusedRow) -> String {
    let why = problem_text(l, &refused.problem);
    let other = refused.other_file.and_then(|at| files.get(usize::try_from(at).ok()?));
    match other {
        Some(file) => text::reorganisations::problem_in_file(l, &why, &file.name),
        None => why,
    }
}

fn problem_text(l: Locale, problem: &RowProblem) -> String {
    match problem {
        RowProblem::Cell { column, reason } => cell_text(l, *column, reason),
        RowProblem::UnknownCode => text::reorganisations::problem_unknown_code(l).to_owned(),
        RowProblem::AmbiguousCode => text::reorganisations::problem_ambiguous_code(l).to_owned(),
        RowProblem::WholeTwice { row } => text::reorganisations::problem_whole_twice(l, l.number(*row)),
        RowProblem::NoMainPart => text::reorganisations::problem_no_main_part(l).to_owned(),
        RowProblem::TwoMainParts { row } => text::reorganisations::problem_two_main_parts(l, l.number(*row)),
        RowProblem::PartsAndWhole { row } => text::reorganisations::problem_parts_and_whole(l, l.number(*row)),
        RowProblem::PartTwice { row } => text::reorganisations::problem_part_twice(l, l.number(*row)),
        RowProblem::HoldsMembers => text::reorganisations::problem_holds_members(l).to_owned(),
        RowProblem::Root => text::reorganisations::problem_root(l).to_owned(),
        RowProblem::UnknownParent => text::reorganisations::problem_unknown_parent(l).to_owned(),
        RowProblem::AmbiguousParent => text::reorganisations::problem_ambiguous_parent(l).to_owned(),
        RowProblem::ParentEnds => text::reorganisations::problem_parent_ends(l).to_owned(),
        RowProblem::WrongLevel => text::reorganisations::problem_wrong_level(l).to_owned(),
        RowProblem::LevelsDiffer => text::reorganisations::problem_levels_differ(l).to_owned(),
        RowProblem::Cycle => text::reorganisations::problem_cycle(l).to_owned(),
        RowProblem::NamesDiffer { row } => text::reorganisations::problem_names_differ(l, l.number(*row)),
        RowProblem::NameMissing => text::reorganisations::problem_name_missing(l).to_owned(),
        RowProblem::CodeTaken => text::reorganisations::problem_code_taken(l).to_owned(),
        RowProblem::ChangedLater { since } => text::reorganisations::problem_changed_later(l, l.date(*since)),
        RowProblem::NotAllowed => text::reorganisations::problem_not_allowed(l).to_owned(),
    }
}

/// Why a row of a file that assigns units is refused, and what to do.
fn assign_problem_text(l: Locale, problem: &AssignProblem) -> String {
    match problem {
        AssignProblem::Cell { column, reason } => cell_text(l, *column, reason),
        AssignProblem::UnknownUnit => text::reorganisations::problem_unknown_unit(l).to_owned(),
        AssignProblem::AmbiguousUnit => text::reorganisations::problem_ambiguous_unit(l).to_owned(),
        AssignProblem::UnitTwice { row } => text::reorganisations::problem_unit_twice(l, l.number(*row)),
        AssignProblem::UnknownTarget => text::reorganisations::problem_unknown_target(l).to_owned(),
        AssignProblem::AmbiguousTarget => text::reorganisations::problem_ambiguous_target(l).to_owned(),
        AssignProblem::NotAllowed => text::reorganisations::problem_assign_not_allowed(l).to_owned(),
    }
}

fn cell_text(l: Locale, column: ReorganisationColumn, reason: &Reason) -> String {
    let choices = match (reason, column) {
        (Reason::Value(Problem::NotOffered), ReorganisationColumn::Part) => Some(text::reorganisations::choices_part(l)),
        (Reason::Value(Problem::NotOffered), ReorganisationColumn::Offices) => Some(text::reorganisations::choices_offices(l)),
        _ => None,
    };
    let why = choices.map_or_else(|| reason_text(l, None, reason), |choices| text::imports::reason_choices(l, choices));
    text::problems::at_field(l, column_name(l, column), why)
}

/// Column headers of the list of refused rows.
pub fn refused_heads(l: Locale) -> [&'static str; 6] {
    [
        text::reorganisations::file(l),
        text::imports::row(l),
        text::reorganisations::column_old_code(l),
        text::reorganisations::column_new_code(l),
        text::reorganisations::column_new_name(l),
        text::imports::reason(l),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_have_a_header_and_marked_samples() {
        for (l, template) in Locale::ALL.into_iter().flat_map(|l| [(l, Template::Reorganisation), (l, Template::Assign)]) {
            let rows = template.rows(l);
            assert!(rows.iter().all(|row| row.len() == template.columns().len()), "{l:?} {rows:?}");
            assert!(rows.iter().skip(1).all(|row| row[0].starts_with('(')), "{l:?} {rows:?}");
            assert_eq!(Template::from_key(template.key()), Some(template));
        }
        assert_eq!(Template::from_key("units"), None);
    }

    #[test]
    fn a_row_in_another_file_is_named_with_its_file() {
        let file = |name: &str| ReorganisationFile { name: name.to_owned(), rows: 1 };
        let files = [file("a.csv"), file("b.csv")];
        let mut refused = RefusedRow {
            file: 1,
            row: 2,
            old_code: "001".to_owned(),
            new_code: "001".to_owned(),
            new_name: String::new(),
            problem: RowProblem::WholeTwice { row: 7 },
            other_file: Some(0),
        };
        for l in Locale::ALL {
            assert!(refused_text(l, &files, &refused).contains("a.csv"), "{l:?}");
        }
        refused.other_file = None;
        assert_eq!(refused_text(Locale::En, &files, &refused), problem_text(Locale::En, &refused.problem));
    }

    #[test]
    fn a_word_that_is_not_offered_is_answered_with_the_choices() {
        let reason = Reason::Value(Problem::NotOffered);
        for l in Locale::ALL {
            let part = RowProblem::Cell { column: ReorganisationColumn::Part, reason: reason.clone() };
            assert!(problem_text(l, &part).contains(text::reorganisations::choices_part(l)));
            let code = RowProblem::Cell { column: ReorganisationColumn::NewCode, reason: reason.clone() };
            assert!(problem_text(l, &code).contains(column_name(l, ReorganisationColumn::NewCode)));
        }
    }
}
