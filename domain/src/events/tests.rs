use std::{collections::BTreeSet, fmt::Debug, str::FromStr};

use super::*;

/// The subject of all samples.
const SUBJECT: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn some<T: FromStr<Err: Debug>>() -> T {
    SUBJECT.parse().expect("an id")
}

fn path(text: &str) -> UnitPath {
    UnitPath::parse(text).expect("a path")
}

/// An event and the detail of its row.
type Sample = (EventBody, Option<&'static str>);

fn of_accounts() -> Vec<Sample> {
    vec![
        (EventBody::SignedIn(SignIn::Opened(some())), None),
        (EventBody::SignedIn(SignIn::Again(some())), Some("again")),
        (EventBody::SignedOut(some()), None),
        (EventBody::SignInRefused { member: some(), again: false }, None),
        (EventBody::SignInRefused { member: some(), again: true }, Some("again")),
        (EventBody::PreferencesChanged(some()), None),
        (EventBody::AccountActivated(some()), None),
        (EventBody::PaperCodeIssued(some()), None),
        (EventBody::PaperCodeRevoked(some()), None),
        (EventBody::SignInCodeSent(some()), None),
        (EventBody::PasswordChanged(some()), None),
        (EventBody::SessionRevoked(Revoked::One(some())), None),
        (EventBody::SessionRevoked(Revoked::Others { member: some(), count: 2 }), Some("2")),
    ]
}

fn of_documents() -> Vec<Sample> {
    let at = "2026-12-01T01:30:00Z".parse().ok();
    let warnings = Some("secrecy_mark,phone_numbers");
    vec![
        (EventBody::DocumentDrafted(some()), None),
        (EventBody::DocumentSaved { document: some(), restored: None }, None),
        (EventBody::DocumentSaved { document: some(), restored: Some(3) }, Some("restored 3")),
        (EventBody::DocumentPublished(some()), None),
        (EventBody::DocumentWithdrawn(some()), None),
        (EventBody::DraftSubmitted(some()), None),
        (EventBody::DraftRecalled(some()), None),
        (EventBody::DraftCommented(some()), None),
        (EventBody::DraftDiscarded(some()), None),
        (EventBody::ChangesWanted(some()), None),
        (EventBody::DocumentScheduled { document: some(), at }, Some("2026-12-01T01:30:00+00:00")),
        (EventBody::DocumentCorrected(some()), None),
        (EventBody::DocumentExpired(some()), None),
        (EventBody::ReadersReminded(some()), None),
        (EventBody::DeskRulesChanged { unit: some(), own_approval: Some(true) }, Some("own_approval")),
        (EventBody::DeskRulesChanged { unit: some(), own_approval: Some(false) }, Some("approval_by_others")),
        (EventBody::FileAttached(some()), None),
        (EventBody::FileRemoved(some()), None),
        (EventBody::WarningOverruled { document: some(), warnings: warnings.map(str::to_owned) }, warnings),
        (EventBody::DocumentOpened { document: some(), counted: Some(true) }, Some("counted")),
        (EventBody::DocumentOpened { document: some(), counted: Some(false) }, Some("not_counted")),
        (EventBody::DocumentRead { document: some(), counted: Some(true) }, Some("counted")),
        (EventBody::DocumentRead { document: some(), counted: Some(false) }, Some("not_counted")),
    ]
}

fn of_courses_meetings_and_opinions() -> Vec<Sample> {
    vec![
        (EventBody::CourseSaved(some()), None),
        (EventBody::CourseAssigned(some()), None),
        (EventBody::CourseEnded(some()), None),
        (EventBody::TryGiven(some()), None),
        (EventBody::QuizTaken(some()), None),
        (EventBody::CourseCompleted(some()), None),
        (EventBody::MeetingAnnounced(some()), None),
        (EventBody::MeetingReported(some()), None),
        (EventBody::OpinionSent { opinion: some(), counted: Some(true) }, Some("counted")),
        (EventBody::OpinionSent { opinion: some(), counted: Some(false) }, Some("not_counted")),
        (EventBody::OpinionSeen(some()), None),
        (EventBody::OpinionAnswered(some()), None),
    ]
}

fn of_members() -> Vec<Sample> {
    let member = some();
    let fields = MemberChange::Fields(vec!["full_name".to_owned(), "phone".to_owned()]);
    let changed = |change: MemberChange| EventBody::MemberChanged { member, change: Some(change) };
    let (field, other) = (Some(CorrectionField::FullName), Some(path("/01/51/")));
    vec![
        (EventBody::MemberRegistered { member, standing: Some(Standing::Official) }, Some("official")),
        (changed(fields), Some("full_name,phone")),
        (changed(MemberChange::State(MemberState::Transferred)), Some("state:transferred")),
        (changed(MemberChange::KeptApart), Some("twin")),
        (EventBody::MemberMerged { member, other: Some(some()) }, Some(SUBJECT)),
        (EventBody::CorrectionRequested { member, field }, Some("full_name")),
        (EventBody::CorrectionAccepted { member, field }, Some("full_name")),
        (EventBody::CorrectionDeclined { member, field }, Some("full_name")),
        (EventBody::TransferRequested { member, other: other.clone() }, Some("/01/51/")),
        (EventBody::TransferAccepted { member, other: other.clone() }, Some("/01/51/")),
        (EventBody::TransferDeclined { member, other: other.clone() }, Some("/01/51/")),
        (EventBody::TransferWithdrawn { member, other }, Some("/01/51/")),
        (EventBody::RoleGranted { member, role: Role::Deputy }, Some("deputy")),
        (EventBody::RoleEnded { member, role: Role::ChiefEditor }, Some("chief_editor")),
        (EventBody::RecordOpened(member), None),
    ]
}

fn of_units_and_imports() -> Vec<Sample> {
    let shifts = [("/01/51/", "/01/60/"), ("/01/52/", "/01/60/02/")];
    let shifts: Vec<Shift> = shifts.into_iter().map(|(from, to)| Shift { from: path(from), to: path(to) }).collect();
    let rows = Some(ImportedRows { fresh: 12, changed: 3, refused: 1 });
    let reorganised = Reorganised { reorganisation: some(), ended: 7_415, begun: 2, changed: 3_353 };
    vec![
        (EventBody::UnitCreated(some()), None),
        (EventBody::UnitRenamed(some()), None),
        (EventBody::UnitMoved { unit: some(), shifts: shifts[..1].to_vec() }, Some("/01/51/ → /01/60/")),
        (EventBody::UnitMerged { unit: some(), shifts }, Some("/01/51/ → /01/60/; /01/52/ → /01/60/02/")),
        (EventBody::UnitSplit { unit: some(), from: Some(path("/01/51/")) }, Some("/01/51/")),
        (EventBody::UnitClosed(some()), None),
        (
            EventBody::Reorganised { unit: some(), detail: Some(reorganised) },
            Some("01ARZ3NDEKTSV4RRFFQ69G5FAV: ended 7415, begun 2, changed 3353"),
        ),
        (EventBody::UnitPhaseChanged { unit: some(), phase: None }, None),
        (EventBody::UnitPhaseChanged { unit: some(), phase: Some(Phase::Pilot) }, Some("pilot")),
        (EventBody::MembersImported { import: some(), rows }, Some("fresh 12, changed 3, refused 1")),
        (EventBody::UnitsImported { import: some(), rows }, Some("fresh 12, changed 3, refused 1")),
        (EventBody::ForeignIdsMet { source: some(), met: 25 }, Some("met 25")),
    ]
}

/// At least one sample of each kind, and each form of a detail.
fn samples() -> Vec<Sample> {
    [of_accounts(), of_documents(), of_courses_meetings_and_opinions(), of_members(), of_units_and_imports()].concat()
}

#[test]
fn there_is_a_sample_of_each_kind() {
    let kinds: BTreeSet<&str> = samples().iter().map(|(body, _)| body.kind().key()).collect();
    assert_eq!(kinds, EventKind::ALL.into_iter().map(EventKind::key).collect());
}

/// Rows are sealed, so their texts must not change.
#[test]
fn a_row_keeps_its_texts_and_is_parsed_as_written() {
    for (body, detail) in samples() {
        let (kind, subject) = (body.kind().key(), body.subject().to_string());
        assert_eq!((subject.as_str(), body.detail().as_deref()), (SUBJECT, detail), "{body:?}");
        let kind = EventKind::from_key(kind).expect("a kind");
        assert_eq!(EventBody::parse(kind, &subject, detail), Some(body));
    }
}

#[test]
fn a_row_of_an_older_version_may_lack_its_detail() {
    let (member, document, unit, import) = (some(), some(), some(), some());
    let older = [
        EventBody::DocumentScheduled { document, at: None },
        EventBody::DeskRulesChanged { unit, own_approval: None },
        EventBody::WarningOverruled { document, warnings: None },
        EventBody::DocumentOpened { document, counted: None },
        EventBody::DocumentRead { document, counted: None },
        EventBody::OpinionSent { opinion: some(), counted: None },
        EventBody::MemberRegistered { member, standing: None },
        EventBody::UnitMoved { unit, shifts: Vec::new() },
        EventBody::UnitMerged { unit, shifts: Vec::new() },
        EventBody::UnitSplit { unit, from: None },
        EventBody::Reorganised { unit, detail: None },
        EventBody::MemberChanged { member, change: None },
        EventBody::MemberMerged { member, other: None },
        EventBody::CorrectionRequested { member, field: None },
        EventBody::CorrectionAccepted { member, field: None },
        EventBody::CorrectionDeclined { member, field: None },
        EventBody::TransferRequested { member, other: None },
        EventBody::TransferAccepted { member, other: None },
        EventBody::TransferDeclined { member, other: None },
        EventBody::TransferWithdrawn { member, other: None },
        EventBody::MembersImported { import, rows: None },
        EventBody::UnitsImported { import, rows: None },
    ];
    for body in older {
        assert_eq!(EventBody::parse(body.kind(), SUBJECT, None), Some(body));
    }
    let unread: Vec<EventKind> =
        EventKind::ALL.into_iter().filter(|kind| EventBody::parse(*kind, SUBJECT, None).is_none()).collect();
    assert_eq!(unread, [EventKind::RoleGranted, EventKind::RoleEnded, EventKind::ForeignIdsMet], "they need their detail");
}

#[test]
fn an_unknown_detail_is_ignored() {
    let (member, document, import) = (some(), some(), some());
    for (detail, body) in [
        ("half", EventBody::DocumentRead { document, counted: None }),
        ("restored many", EventBody::DocumentSaved { document, restored: None }),
        ("tomorrow", EventBody::DocumentScheduled { document, at: None }),
        ("honorary", EventBody::MemberRegistered { member, standing: None }),
        ("state:asleep", EventBody::MemberChanged { member, change: None }),
        ("", EventBody::MemberChanged { member, change: None }),
        ("hair", EventBody::CorrectionAccepted { member, field: None }),
        ("01/51", EventBody::TransferAccepted { member, other: None }),
        ("fresh many", EventBody::MembersImported { import, rows: None }),
        ("some: ended 1", EventBody::Reorganised { unit: some(), detail: None }),
        ("/01/51/, /01/60/", EventBody::UnitMoved { unit: some(), shifts: Vec::new() }),
    ] {
        assert_eq!(EventBody::parse(body.kind(), SUBJECT, Some(detail)), Some(body), "{detail}");
    }
}

#[test]
fn a_row_without_meaning_is_none() {
    for (body, detail) in samples() {
        for subject in ["", "subject 1", "01ARZ3NDEKTSV4RRFFQ69G5FA"] {
            assert_eq!(EventBody::parse(body.kind(), subject, detail), None, "{body:?}");
        }
    }
    for (kind, detail) in [
        (EventKind::RoleGranted, "king"),
        (EventKind::RoleEnded, ""),
        (EventKind::ForeignIdsMet, "25"),
        (EventKind::ForeignIdsMet, "met many"),
        (EventKind::SessionRevoked, "many"),
    ] {
        assert_eq!(EventBody::parse(kind, SUBJECT, Some(detail)), None, "{kind:?} {detail}");
    }
}
