//! Display names of kinds, roles, states and problems in the viewer's language. The names of levels, roles and members come from
//! the installation's terminology pack (`locales/packs/`).

use domain::{
    Locale,
    documents::{DocumentField, DocumentKind, LeftOut, steps::DocumentState},
    feedback::{OpinionAudience, OpinionState},
    forms::{FieldProblem, FormErrors, Problem},
    meetings::{AttendanceKind, MeetingForm, MeetingKind, MeetingState},
    members::Standing,
    policy::Role,
    statistics::{MemberCount, Reach, SMALLEST_GROUP},
    units::{UnitKind, UnitRef},
};
use leptos::prelude::*;

use crate::{
    error::Kind,
    text,
    ui::{Choice, HERE, Line},
};

/// A sentence about parts of a file that an imported text does not have; `None` when it is complete.
pub fn left_out(l: Locale, parts: &[LeftOut]) -> Option<String> {
    let named = |part: &LeftOut| match part {
        LeftOut::Edges => text::writing::left_out_edges(l),
        LeftOut::Comments => text::writing::left_out_comments(l),
        LeftOut::Pictures => text::writing::left_out_pictures(l),
        LeftOut::Objects => text::writing::left_out_objects(l),
        LeftOut::Hidden => text::writing::left_out_hidden(l),
        LeftOut::Symbols => text::writing::left_out_symbols(l),
    };
    let parts: Vec<&str> = parts.iter().map(named).collect();
    (!parts.is_empty()).then(|| text::writing::left_out(l, parts.join(", ")))
}

pub fn document_kind(l: Locale, kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Resolution => text::terms::resolution(l),
        DocumentKind::Directive => text::terms::directive(l),
        DocumentKind::Regulation => text::terms::regulation(l),
        DocumentKind::Guidance => text::terms::guidance(l),
        DocumentKind::StudyMaterial => text::terms::study_material(l),
        DocumentKind::News => text::terms::news(l),
        DocumentKind::Form => text::terms::form(l),
    }
}

pub fn document_field(l: Locale, field: DocumentField) -> &'static str {
    match field {
        DocumentField::Organisation => text::terms::field_organisation(l),
        DocumentField::Inspection => text::terms::field_inspection(l),
        DocumentField::Propaganda => text::terms::field_propaganda(l),
        DocumentField::Economy => text::terms::field_economy(l),
        DocumentField::Culture => text::terms::field_culture(l),
        DocumentField::Environment => text::terms::field_environment(l),
        DocumentField::Security => text::terms::field_security(l),
        DocumentField::Digital => text::terms::field_digital(l),
        DocumentField::Youth => text::terms::field_youth(l),
    }
}

pub fn document_state(l: Locale, state: DocumentState) -> &'static str {
    match state {
        DocumentState::Draft => text::terms::draft(l),
        DocumentState::InReview => text::terms::in_review(l),
        DocumentState::Scheduled => text::terms::scheduled(l),
        DocumentState::Published => text::terms::published(l),
        DocumentState::Withdrawn => text::terms::withdrawn(l),
    }
}

/// The full name of a level, for forms.
pub fn unit_kind(l: Locale, kind: UnitKind) -> &'static str {
    kind.name(l)
}

/// The short name of a level, for tags and lines.
pub fn short_unit_kind(l: Locale, kind: UnitKind) -> &'static str {
    kind.short_name(l)
}

/// The levels that issue documents, as choices of a filter.
pub fn issuing_levels(l: Locale) -> impl Iterator<Item = Choice> {
    UnitKind::all().filter(|kind| kind.issues_documents()).map(move |kind| Choice::new(kind.key(), unit_kind(l, kind)))
}

/// Names of units: the first five, and how many more.
pub fn units(l: Locale, units: &[UnitRef]) -> Line {
    const NAMED: usize = 5;
    let named = Line::name(units.iter().take(NAMED).map(|unit| unit.name.as_str()).collect::<Vec<_>>().join(", "));
    match u32::try_from(units.len().saturating_sub(NAMED)) {
        Ok(0) => named,
        more => Line::around(text::terms::units_more(l, HERE, l.number(more.unwrap_or(u32::MAX))), &named),
    }
}

/// Whom something is for: the unit or its parts, without the excepted units.
pub fn audience(l: Locale, unit: &UnitRef, parts: &[UnitRef], except: &[UnitRef]) -> Line {
    let whom = if parts.is_empty() { Line::name(&unit.name) } else { units(l, parts) };
    if except.is_empty() { whom } else { whom.then(&Line::around(text::terms::except(l, HERE), &units(l, except))) }
}

/// The title of a role where its unit is not known.
pub fn role(l: Locale, role: Role) -> &'static str {
    match role {
        Role::Secretary => text::terms::secretary(l),
        Role::Deputy => text::terms::deputy(l),
        Role::CommitteeMember => text::terms::committee_member(l),
        Role::Editor => text::terms::editor(l),
        Role::ChiefEditor => text::terms::chief_editor(l),
        Role::Registrar => text::terms::registrar(l),
        Role::Statistician => text::terms::statistician(l),
        Role::Operator => text::terms::operator(l),
    }
}

/// The title of a role in a unit of this level: the leaders of a branch and of a group, which is a part of one, may have other titles
/// than the leader of a committee.
pub fn role_at(l: Locale, held: Role, kind: UnitKind) -> &'static str {
    let is_group = kind.holds_members() && !kind.is_home();
    match held {
        Role::Secretary if kind.meets_as_branch() => text::terms::branch_secretary(l),
        Role::Deputy if kind.meets_as_branch() => text::terms::branch_deputy(l),
        Role::Secretary if is_group => text::terms::group_secretary(l),
        Role::Deputy if is_group => text::terms::group_deputy(l),
        _ => role(l, held),
    }
}

/// The name of a standing.
pub fn standing(l: Locale, standing: Standing) -> &'static str {
    match standing {
        Standing::Official => text::terms::official(l),
        Standing::Probationary => text::terms::probationary(l),
        Standing::Exempt => text::terms::exempt(l),
    }
}

/// The term for members of the organisation, as a heading.
pub fn members(l: Locale) -> &'static str {
    text::terms::members(l)
}

/// A number of members.
pub fn members_count(l: Locale, n: u64) -> String {
    text::terms::members_count(l, n)
}

/// A number of members, as far as the person may know it.
pub fn member_count(l: Locale, count: MemberCount) -> String {
    match count {
        MemberCount::Exact(members) => members_count(l, members.into()),
        MemberCount::AtMost(members) => text::terms::members_at_most(l, members_count(l, members.into())),
        MemberCount::AtLeast(members) => text::terms::members_at_least(l, members_count(l, members.into())),
        MemberCount::Hidden => text::terms::members_hidden(l).to_owned(),
    }
}

/// "2.514 members in 89 branches".
pub fn reach(l: Locale, reach: Reach) -> String {
    text::desk::reach(l, member_count(l, reach.members), text::desk::branches(l, reach.branches.into()))
}

/// Why the number of members is not exact.
pub fn reach_hint(l: Locale, reach: Reach) -> Option<String> {
    reach.members.exact().is_none().then(|| text::terms::members_hidden_hint(l, l.number(SMALLEST_GROUP)))
}

pub fn meeting_kind(l: Locale, kind: MeetingKind) -> &'static str {
    match kind {
        MeetingKind::Regular => text::terms::meeting_regular(l),
        MeetingKind::Thematic => text::terms::meeting_thematic(l),
        MeetingKind::Committee => text::terms::meeting_committee(l),
    }
}

pub fn meeting_form(l: Locale, form: MeetingForm) -> &'static str {
    match form {
        MeetingForm::InPerson => text::terms::in_person(l),
        MeetingForm::Online => text::terms::online(l),
        MeetingForm::Mixed => text::terms::mixed(l),
    }
}

pub fn meeting_state(l: Locale, state: MeetingState) -> &'static str {
    match state {
        MeetingState::Announced => text::terms::announced(l),
        MeetingState::InSession => text::terms::in_session(l),
        MeetingState::Closed => text::terms::closed(l),
        MeetingState::Reported => text::terms::reported(l),
        MeetingState::Cancelled => text::terms::cancelled(l),
    }
}

pub fn attendance(l: Locale, kind: AttendanceKind) -> &'static str {
    match kind {
        AttendanceKind::Present => text::terms::present(l),
        AttendanceKind::Remote => text::terms::remote(l),
        AttendanceKind::Excused => text::terms::excused(l),
        AttendanceKind::Absent => text::terms::absent(l),
    }
}

pub fn opinion_state(l: Locale, state: OpinionState) -> &'static str {
    match state {
        OpinionState::Received => text::terms::received(l),
        OpinionState::Seen => text::terms::seen(l),
        OpinionState::Answered => text::terms::answered(l),
        OpinionState::Resolved => text::terms::resolved(l),
    }
}

pub fn opinion_audience(l: Locale, audience: OpinionAudience) -> &'static str {
    match audience {
        OpinionAudience::Branch => text::terms::audience_branch(l),
        OpinionAudience::Committee => text::terms::audience_committee(l),
        OpinionAudience::Editors => text::terms::audience_editors(l),
    }
}

/// A problem of a field and what to do.
pub fn problem(l: Locale, problem: &Problem) -> String {
    match problem {
        Problem::Required => text::problems::required(l).to_owned(),
        Problem::TooShort { min } => text::problems::too_short(l, l.number(*min)),
        Problem::TooLong { max } => text::problems::too_long(l, l.number(*max)),
        Problem::Digits { expected } => text::problems::digits(l, l.number(*expected)),
        Problem::NotOffered => text::problems::not_offered(l).to_owned(),
        Problem::Characters => text::problems::characters(l).to_owned(),
        Problem::NumberTaken => text::problems::number_taken(l).to_owned(),
        Problem::WrongCredentials => text::problems::wrong_credentials(l).to_owned(),
        Problem::WrongPassword => text::problems::wrong_password(l).to_owned(),
        Problem::TooManyTries { minutes } => text::problems::too_many_tries(l, l.number(*minutes)),
        Problem::Stale => text::problems::stale(l).to_owned(),
        Problem::Date => text::problems::date(l).to_owned(),
        Problem::NoSuchDay => text::problems::no_such_day(l).to_owned(),
        Problem::NoLetters => text::problems::no_letters(l).to_owned(),
        Problem::NameSigns => text::problems::name_signs(l).to_owned(),
        Problem::DateRange => text::problems::date_range(l).to_owned(),
        Problem::Taken => text::problems::taken(l).to_owned(),
        Problem::CodeTaken => text::problems::code_taken(l).to_owned(),
        Problem::Unknown => text::problems::unknown(l).to_owned(),
        Problem::UnknownCard => text::problems::unknown_card(l).to_owned(),
        Problem::UnknownNumber => text::problems::unknown_number(l).to_owned(),
        Problem::CommonPassword => text::problems::common_password(l).to_owned(),
        Problem::Mismatch => text::problems::mismatch(l).to_owned(),
        Problem::CodeRefused => text::problems::code_refused(l).to_owned(),
        Problem::HasMembers => text::problems::has_members(l).to_owned(),
        Problem::HasUnits => text::problems::has_units(l).to_owned(),
        Problem::WrongPlace => text::problems::wrong_place(l).to_owned(),
        Problem::LevelEnded { last } => text::problems::level_ended(l, l.date(*last)),
        Problem::Closed => text::problems::closed(l).to_owned(),
        Problem::AlreadyHeld => text::problems::already_held(l).to_owned(),
        Problem::ToBeVerified => text::problems::to_be_verified(l).to_owned(),
        Problem::HeldAbove => text::problems::held_above(l).to_owned(),
        Problem::RolesFirst => text::problems::roles_first(l).to_owned(),
        Problem::KeepsRoles => text::problems::keeps_roles(l).to_owned(),
        Problem::Unreadable => text::problems::unreadable(l).to_owned(),
        Problem::NoWordText => text::problems::no_word_text(l).to_owned(),
        Problem::Over => text::problems::over(l).to_owned(),
        Problem::Expired => text::problems::expired(l).to_owned(),
        Problem::Undecided => text::problems::undecided(l).to_owned(),
        Problem::OutOfReach => text::problems::out_of_reach(l).to_owned(),
        Problem::TooMany { max } => text::problems::too_many(l, l.number(*max)),
        Problem::NotBelow => text::problems::not_below(l).to_owned(),
        Problem::Nobody => text::problems::nobody(l).to_owned(),
    }
}

pub fn error_title(l: Locale, kind: Kind) -> &'static str {
    match kind {
        Kind::NotSignedIn => text::problems::not_signed_in_title(l),
        Kind::ConfirmPassword => text::sessions::confirm_title(l),
        Kind::NotFound => text::problems::not_found_title(l),
        Kind::NotAllowed => text::problems::not_allowed_title(l),
        Kind::Invalid => text::problems::invalid_title(l),
        Kind::Busy => text::problems::busy_title(l),
        Kind::Offline => text::problems::offline_title(l),
        Kind::Internal => text::problems::internal_title(l),
    }
}

pub fn error_text(l: Locale, kind: Kind) -> &'static str {
    match kind {
        Kind::NotSignedIn => text::problems::not_signed_in(l),
        Kind::ConfirmPassword => text::sessions::rested(l),
        Kind::NotFound => text::problems::not_found(l),
        Kind::NotAllowed => text::problems::not_allowed(l),
        Kind::Invalid => text::problems::invalid(l),
        Kind::Busy => text::problems::busy(l),
        Kind::Offline => text::problems::offline(l),
        Kind::Internal => text::problems::internal(l),
    }
}

/// Form fields and their labels on the page.
pub type Labels = &'static [(&'static str, fn(Locale) -> &'static str)];

fn label(l: Locale, labels: Labels, field: &str) -> Option<&'static str> {
    labels.iter().find(|(name, _)| *name == field).map(|(_, label)| label(l))
}

/// The message of a field with the label `label`, which is named when the field is empty.
fn at_field(l: Locale, found: &Problem, label: Option<&str>) -> String {
    match (found, label) {
        (Problem::Required, Some(label)) => text::problems::required_named(l, label),
        _ => problem(l, found),
    }
}

/// The message of one form field, updated with each response.
pub fn field_error(
    l: Locale,
    errors: RwSignal<Option<FormErrors>>,
    labels: Labels,
    field: &'static str,
) -> Signal<Option<String>> {
    Signal::derive(move || {
        errors.with(|errors| errors.as_ref()?.problem(field).map(|found| at_field(l, found, label(l, labels, field))))
    })
}

/// All messages of a form with their fields, for the summary at the top. Each contains the field's label.
pub fn all_errors(l: Locale, errors: RwSignal<Option<FormErrors>>, labels: Labels) -> Signal<Vec<(String, String)>> {
    let told = move |found: &FieldProblem| {
        let label = label(l, labels, &found.field);
        let message = at_field(l, &found.problem, label);
        let message = match label {
            Some(label) if found.problem != Problem::Required => text::problems::at_field(l, label, message),
            _ => message,
        };
        (found.field.clone(), message)
    };
    Signal::derive(move || errors.with(|errors| errors.iter().flat_map(|errors| &errors.problems).map(told).collect()))
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::terms::Terms;

    use super::*;

    /// A level of the pack in use.
    pub(crate) fn level(key: &str) -> UnitKind {
        UnitKind::from_key(key).expect("a level of the pack")
    }

    #[test]
    fn an_empty_field_is_named_in_its_message_and_in_the_summary() {
        const LABELS: Labels = &[("full_name", text::members::full_name), ("phone", text::members::phone)];
        let owner = Owner::new();
        owner.set();
        let problems =
            [("full_name", Problem::Required), ("phone", Problem::Digits { expected: 10 }), ("other", Problem::Required)];
        let problems = problems.map(|(field, problem)| FieldProblem { field: field.to_owned(), problem }).to_vec();
        let errors = RwSignal::new(Some(FormErrors { problems, ..FormErrors::default() }));
        for l in Locale::ALL {
            let at = |field| field_error(l, errors, LABELS, field).get_untracked().expect("a message");
            let name = text::members::full_name(l);
            assert!(at("full_name").contains(name), "{}", at("full_name"));
            assert!(!at("phone").contains(text::members::phone(l)), "other messages say what to do");
            let on_top: Vec<_> = all_errors(l, errors, LABELS).get_untracked().into_iter().map(|(_, told)| told).collect();
            assert_eq!(on_top[0], at("full_name"), "the label occurs once");
            assert_eq!(on_top[1], text::problems::at_field(l, text::members::phone(l), at("phone")));
            assert_eq!(on_top[2], text::problems::required(l), "without a label the message is general");
        }
    }

    #[test]
    fn a_pack_has_words_of_its_own_for_levels_and_leaders() {
        let called = || {
            let branch = level("branch");
            (unit_kind(Locale::Vi, branch), role_at(Locale::Vi, Role::Secretary, branch))
        };
        assert_eq!(called(), ("Chi\u{a0}bộ", "Bí thư"));
        assert_eq!(
            [Role::Secretary, Role::Deputy].map(|held| role_at(Locale::Vi, held, level("group"))),
            ["Tổ trưởng", "Tổ phó"]
        );
        assert_eq!(unit_kind(Locale::Vi, level("commune")), "Xã, phường (cấp trên trực tiếp cơ sở)");
        assert_eq!(short_unit_kind(Locale::Vi, level("commune")), "Xã, phường");
        text::use_pack(Terms::Association);
        assert_eq!(called(), ("Chi\u{a0}hội", "Chi\u{a0}hội trưởng"));
        assert_eq!(role_at(Locale::Vi, Role::Secretary, level("commune")), "Chủ tịch");
        let issuing: Vec<String> = issuing_levels(Locale::En).map(|choice| choice.value).collect();
        assert_eq!(issuing, ["central", "province", "commune"]);
        assert_eq!(role(Locale::En, Role::Editor), "Editor");
        text::use_pack(Terms::Party);
    }
}
