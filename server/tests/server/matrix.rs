//! The authorisation matrix: every server function, for people of every role and relation.
//!
//! The objects are a document of the coast's editor for the harbour's members, a draft of it, and a fisherman's opinion to his
//! branch. A server function without a row here fails the test.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use app::pages::{Access, PAGES, Page};
use backend::documents::RemarkForm;
use backend::files::NewUpload;
use backend::members::{CorrectionForm, TransferForm};
use backend::offices::GrantForm;
use backend::units::{BelowQuery, NewUnitForm};
use chrono::{Days, NaiveDate};
use domain::ids::{UnitId, UploadId};
use server_fn::axum::server_fn_paths;

use crate::{
    app::TestApp,
    browser::Browser,
    organisation::{Fixture, Person},
    pages::{filled, pattern_of},
    samples::docx,
};

/// The caller: role and relation to the harbour's branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    SignedOut,
    // Own branch.
    Author,
    Member,
    Exempt,
    Secretary,
    Deputy,
    // Sibling branch.
    SiblingMember,
    SiblingSecretary,
    // The unit above; its people belong to the sibling branch.
    AboveSecretary,
    AboveCommitteeMember,
    AboveEditor,
    AboveRegistrar,
    AboveFormerSecretary,
    // The root.
    TopChiefEditor,
    TopStatistician,
    TopOperator,
    // Another subtree.
    OtherMember,
    OtherSecretary,
    OtherEditor,
}

use Who::{
    AboveCommitteeMember, AboveEditor, AboveFormerSecretary, AboveRegistrar, AboveSecretary, Author, Deputy, Exempt, Member,
    OtherEditor, OtherMember, OtherSecretary, Secretary, SiblingMember, SiblingSecretary, SignedOut, TopChiefEditor, TopOperator,
    TopStatistician,
};

const EVERYBODY: [Who; 19] = [
    SignedOut,
    Author,
    Member,
    Exempt,
    Secretary,
    Deputy,
    SiblingMember,
    SiblingSecretary,
    AboveSecretary,
    AboveCommitteeMember,
    AboveEditor,
    AboveRegistrar,
    AboveFormerSecretary,
    TopChiefEditor,
    TopStatistician,
    TopOperator,
    OtherMember,
    OtherSecretary,
    OtherEditor,
];

impl Who {
    fn person(self, org: &Fixture) -> Option<&Person> {
        Some(match self {
            SignedOut => return None,
            Author => &org.fisherman,
            Member => &org.probationary,
            Exempt => &org.exempt,
            Secretary => &org.secretary,
            Deputy => &org.deputy,
            SiblingMember => &org.teacher,
            SiblingSecretary => &org.school_secretary,
            AboveSecretary => &org.coast_secretary,
            AboveCommitteeMember => &org.coast_committee_member,
            AboveEditor => &org.coast_editor,
            AboveRegistrar => &org.coast_registrar,
            AboveFormerSecretary => &org.former_secretary,
            TopChiefEditor => &org.province_chief_editor,
            TopStatistician => &org.province_statistician,
            TopOperator => &org.operator,
            OtherMember => &org.farmer,
            OtherSecretary => &org.farm_secretary,
            OtherEditor => &org.hills_editor,
        })
    }
}

/// Members in the audience of the document.
const REACHED: &[Who] = &[Author, Member, Exempt, Secretary, Deputy];
/// People who may read it by office only.
const READERS_BY_OFFICE: &[Who] = &[AboveSecretary, AboveCommitteeMember, AboveEditor, TopChiefEditor];
/// Editors of the document's issuer.
const EDITORS: &[Who] = &[AboveEditor, TopChiefEditor];

/// The one who publishes.
const CHIEF: &[Who] = &[TopChiefEditor];

/// People who may change the coast's units.
const UNIT_KEEPERS: &[Who] = &[AboveRegistrar, TopOperator];
/// People with another office above the harbour.
const OFFICES_ABOVE: &[Who] = &[AboveSecretary, AboveCommitteeMember, AboveEditor, TopChiefEditor, TopStatistician];
/// The other members below the coast.
const BESIDE: &[Who] = &[SiblingMember, SiblingSecretary, AboveFormerSecretary];
/// People whose office may read the records of the harbour's members and request their transfer.
const RECORD_READERS: &[Who] = &[Secretary, Deputy, AboveSecretary, AboveRegistrar];
/// Those who may also change the records.
const REGISTRARS: &[Who] = &[AboveRegistrar];
/// Everybody with a subtree of members.
const LEADERS: &[Who] = &[Secretary, Deputy, SiblingSecretary, AboveSecretary, AboveRegistrar, OtherSecretary];
/// People who lead the harbour's branch or keep its registry.
const ISSUERS: &[Who] = &[Secretary, Deputy, AboveSecretary, AboveRegistrar];
/// People whose office sees the harbour's roles but not its audit trail.
const LOOKERS: &[Who] = &[Secretary, Deputy, AboveSecretary, AboveCommitteeMember, AboveEditor, TopChiefEditor, TopStatistician];
/// People who grant roles there and read its audit trail.
const GIVERS: &[Who] = &[AboveRegistrar, TopOperator];
/// People who keep records or units.
const REGISTRY: &[Who] = &[AboveRegistrar, TopOperator];

/// People who follow or assign the harbour's courses by an office and take none of them.
const COURSE_OFFICES: &[Who] = &[AboveSecretary, AboveCommitteeMember, AboveEditor, TopChiefEditor, TopStatistician];

/// People who see the figures of some unit.
const FOLLOWERS: &[Who] =
    &[Secretary, Deputy, SiblingSecretary, AboveSecretary, AboveCommitteeMember, TopStatistician, OtherSecretary];

/// The arguments of a request. Created again after a successful step, so that the next person gets a fresh object.
#[derive(Debug, Clone, Copy)]
enum Given {
    Nothing,
    Document(&'static str),
    /// A published document and the harbour.
    Unread,
    OwnList,
    /// A reading position in a document.
    Place,
    Draft(&'static str),
    NewDraft,
    /// A draft and its version.
    Version,
    /// A draft in review, with the arguments of its steps.
    InReview,
    /// A remark on such a draft.
    Remark,
    /// A published document and the reason of its withdrawal.
    Reasoned,
    Coast,
    Opinion(&'static str),
    NewOpinion,
    Answer,
    Harbour,
    /// The codes of the harbour, from the root down.
    HarbourCode,
    Targets,
    /// Units of the coast, for the audience of a document.
    Pick,
    /// Units for a purpose, anywhere in the caller's offices.
    PickFor(&'static str),
    NewUnit,
    OtherName,
    Phase,
    /// The unit's current place.
    SamePlace,
    /// A branch created next to the harbour.
    FreshBranch,
    NobodyGoes,
    UnknownMeeting,
    UnknownSession,
    Preferences,
    /// A member registered at the harbour.
    Member(&'static str),
    NewMember,
    ChangedMember,
    Departure,
    Correction,
    AskedCorrection,
    Transfer,
    /// From the harbour to the farm.
    AskedTransfer,
    TwoMembers,
    Fisherman(&'static str),
    Codes,
    IssuedCode,
    NewOffice,
    Office,
    Guide,
    /// A file of the coast's registrar, checked and not confirmed.
    Import(&'static str),
    /// Of the coast's registrar, previewed and not confirmed, with today's day.
    Reorganisation,
    UnknownReassignment,
    /// A file with a secrecy mark in a draft of the coast's editor.
    WaitingFile,
    /// A file announced by the coast's editor, of which nothing has been sent.
    Upload,
    /// Of the coast's editor, for the harbour's members.
    Course(&'static str),
    CourseDraft(&'static str),
    NewCourse,
    CourseDocument,
    NewQuestion,
    FirstQuestion,
    Rules,
    Assignment,
    Copy,
    /// For the quiz of a course with one attempt, for all of the harbour.
    AnotherTry,
    /// An attempt of the fisherman.
    OpenTry,
    PassedTry,
    Passed,
}

struct Row {
    path: &'static str,
    given: Given,
    /// The statuses; the first line that names the person applies.
    expected: &'static [(u16, &'static [Who])],
    /// For all other signed-in people.
    otherwise: u16,
    /// For people who are not signed in.
    signed_out: u16,
}

const fn row(path: &'static str, given: Given, expected: &'static [(u16, &'static [Who])], otherwise: u16) -> Row {
    Row { path, given, expected, otherwise, signed_out: 401 }
}

/// Signing out is last: it ends the sessions that the other rows use.
const ROWS: &[Row] = &[
    Row { signed_out: 422, ..row("/api/account/sign_in", Given::Nothing, &[], 422) },
    row("/api/account/own", Given::Nothing, &[], 200),
    row("/api/account/menu", Given::Nothing, &[], 200),
    // Everybody may begin an activation; these requests lack their fields, or an activation.
    Row { signed_out: 200, ..row("/api/account/door", Given::Nothing, &[], 200) },
    Row { signed_out: 422, ..row("/api/account/welcome", Given::Nothing, &[], 422) },
    Row { signed_out: 422, ..row("/api/account/way", Given::Nothing, &[], 422) },
    Row { signed_out: 200, ..row("/api/account/code", Given::Nothing, &[], 200) },
    Row { signed_out: 200, ..row("/api/account/choose_password", Given::Nothing, &[], 200) },
    row("/api/account/code_branches", Given::Nothing, &[(200, ISSUERS), (200, &[SiblingSecretary, OtherSecretary])], 404),
    row("/api/account/branch_codes", Given::Harbour, &[(200, ISSUERS)], 404),
    row("/api/account/member_codes", Given::Fisherman("member"), &[(200, ISSUERS)], 404),
    // Before any was issued.
    row("/api/account/code_sheet", Given::Nothing, &[], 404),
    row("/api/account/issue_codes", Given::Codes, &[(200, ISSUERS)], 404),
    row("/api/account/issue_code", Given::Fisherman("member"), &[(200, ISSUERS)], 404),
    row("/api/account/revoke_code", Given::IssuedCode, &[(200, ISSUERS)], 404),
    row("/api/account/save_preferences", Given::Preferences, &[], 200),
    row("/api/account/set_text_size", Given::Preferences, &[], 200),
    row("/api/home/page", Given::Nothing, &[], 200),
    // The caller's own numbers.
    row("/api/home/badges", Given::Nothing, &[], 200),
    row("/api/documents/library", Given::Nothing, &[], 200),
    // Everybody may search; the results differ, see the tests of `backend`.
    row("/api/search/find", Given::Nothing, &[], 200),
    row("/api/documents/read", Given::Document("id"), &[(200, REACHED), (200, READERS_BY_OFFICE)], 404),
    // A draft is not even known to its future audience; editors read it at the desk.
    row("/api/documents/read", Given::Draft("id"), &[], 404),
    row("/api/documents/shelf", Given::OwnList, &[], 200),
    row("/api/documents/progress", Given::Place, &[(200, REACHED), (200, READERS_BY_OFFICE)], 404),
    // Opening it for an office is not reading.
    row("/api/documents/mark_read", Given::Document("id"), &[(200, REACHED), (403, READERS_BY_OFFICE)], 404),
    row("/api/documents/mark_read", Given::Draft("id"), &[], 404),
    row("/api/documents/bookmark", Given::Document("id"), &[(200, REACHED), (200, READERS_BY_OFFICE)], 404),
    row("/api/documents/bookmark", Given::Draft("id"), &[], 404),
    // Only the caller's own bookmark; removing a missing one does nothing.
    row("/api/documents/remove_bookmark", Given::Document("id"), &[], 200),
    row(
        "/api/documents/readers",
        Given::Document("id"),
        &[(200, &[Secretary, Deputy]), (200, COURSE_OFFICES), (403, REACHED)],
        404,
    ),
    row("/api/documents/followed", Given::Nothing, &[(200, FOLLOWERS)], 404),
    // People who may see the branch's readers may still lack the right to remind them.
    row("/api/documents/remind", Given::Unread, &[(200, &[Secretary, Deputy]), (200, CHIEF), (403, COURSE_OFFICES)], 404),
    row("/api/documents/desk", Given::Nothing, &[(200, EDITORS), (200, &[OtherEditor])], 404),
    row("/api/documents/blank", Given::Nothing, &[(200, EDITORS), (200, &[OtherEditor])], 404),
    row("/api/documents/draft", Given::Draft("id"), &[(200, EDITORS)], 404),
    // An editor elsewhere may not choose this issuer.
    row("/api/documents/save_draft", Given::NewDraft, &[(200, EDITORS), (422, &[OtherEditor])], 404),
    row("/api/documents/review", Given::Draft("id"), &[(200, EDITORS)], 404),
    row("/api/documents/approval", Given::Draft("id"), &[(200, EDITORS)], 404),
    row("/api/documents/submit", Given::Version, &[(200, EDITORS)], 404),
    row("/api/documents/discard", Given::Version, &[(200, EDITORS)], 404),
    row("/api/documents/restore", Given::Version, &[(200, EDITORS)], 404),
    // The coast's editor wrote it, and has no right to approve anyway.
    row("/api/documents/publish", Given::InReview, &[(200, CHIEF), (403, EDITORS)], 404),
    row("/api/documents/want_changes", Given::InReview, &[(200, CHIEF), (403, EDITORS)], 404),
    row("/api/documents/recall", Given::InReview, &[(200, EDITORS)], 404),
    row("/api/documents/remark", Given::InReview, &[(200, EDITORS)], 404),
    row("/api/documents/settle", Given::Remark, &[(200, EDITORS)], 404),
    row("/api/documents/withdraw", Given::Reasoned, &[(200, CHIEF), (403, REACHED), (403, READERS_BY_OFFICE)], 404),
    row("/api/documents/revise", Given::Document("id"), &[(200, EDITORS), (403, REACHED), (403, READERS_BY_OFFICE)], 404),
    row("/api/documents/revisions", Given::Document("id"), &[(200, EDITORS), (403, REACHED), (403, READERS_BY_OFFICE)], 404),
    row("/api/documents/rules", Given::Coast, &[(200, CHIEF)], 404),
    row("/api/documents/preview", Given::Nothing, &[(200, EDITORS), (200, &[OtherEditor])], 404),
    row("/api/documents/reach", Given::NewDraft, &[(200, EDITORS), (422, &[OtherEditor])], 404),
    row("/api/documents/convert_html", Given::Nothing, &[(200, EDITORS), (200, &[OtherEditor])], 404),
    row("/api/documents/unfinished", Given::Nothing, &[(200, EDITORS), (200, &[OtherEditor])], 404),
    row("/api/documents/begin_writing", Given::Draft("id"), &[(200, EDITORS)], 404),
    row("/api/documents/still_writing", Given::Draft("id"), &[(200, EDITORS)], 404),
    row("/api/documents/keep_typed", Given::Version, &[(200, EDITORS)], 404),
    row("/api/documents/conflict", Given::Draft("id"), &[(200, EDITORS)], 404),
    // Deletes only the caller's unsaved text; the owner of the draft does not matter.
    row("/api/documents/forget_typed", Given::Draft("id"), &[(200, EDITORS), (200, &[OtherEditor])], 404),
    row("/api/documents/set_rules", Given::Coast, &[(200, CHIEF)], 404),
    row("/api/feedback/invitation", Given::Document("document"), &[(200, REACHED), (403, READERS_BY_OFFICE)], 404),
    row("/api/feedback/send", Given::NewOpinion, &[(200, REACHED), (403, READERS_BY_OFFICE)], 404),
    row("/api/feedback/receipt", Given::Opinion("opinion"), &[(200, &[Author])], 404),
    row("/api/feedback/own", Given::Nothing, &[], 200),
    row(
        "/api/feedback/received",
        Given::Nothing,
        &[(200, &[Secretary, Deputy, SiblingSecretary, AboveSecretary, OtherSecretary]), (200, EDITORS), (200, &[OtherEditor])],
        404,
    ),
    // It was sent to the branch: not even the committee above may open it.
    row("/api/feedback/open", Given::Opinion("opinion"), &[(200, &[Secretary, Deputy])], 404),
    row("/api/feedback/answer", Given::Answer, &[(200, &[Secretary, Deputy])], 404),
    row("/api/meetings/list", Given::Nothing, &[], 200),
    row("/api/meetings/read", Given::UnknownMeeting, &[], 404),
    row(
        "/api/statistics/page",
        Given::Harbour,
        &[(200, &[Secretary, Deputy, AboveSecretary, AboveCommitteeMember, TopStatistician])],
        404,
    ),
    row("/api/offices/list", Given::Harbour, &[(200, GIVERS), (200, LOOKERS), (403, REACHED)], 404),
    row("/api/offices/choose_unit", Given::Nothing, &[(200, GIVERS)], 404),
    row("/api/offices/grant", Given::NewOffice, &[(200, GIVERS), (403, LOOKERS), (403, REACHED)], 404),
    row("/api/offices/end", Given::Office, &[(200, GIVERS), (403, LOOKERS), (403, REACHED)], 404),
    row("/api/audit/page", Given::Harbour, &[(200, GIVERS), (403, LOOKERS), (403, REACHED)], 404),
    row("/api/audit/own", Given::Nothing, &[], 200),
    Row { signed_out: 200, ..row("/api/guides/list", Given::Nothing, &[], 200) },
    Row { signed_out: 200, ..row("/api/guides/read", Given::Guide, &[], 200) },
    row("/api/account/devices", Given::Nothing, &[], 200),
    // An id of no device; other people's devices are the same.
    row("/api/account/revoke_session", Given::UnknownSession, &[], 404),
    row("/api/account/revoke_other_sessions", Given::Nothing, &[], 200),
    row("/api/account/change_password", Given::Nothing, &[], 422),
    row("/api/account/confirm_password", Given::Nothing, &[], 422),
    row("/api/units/list", Given::Nothing, &[], 200),
    row("/api/units/page", Given::Harbour, &[(200, REACHED), (200, OFFICES_ABOVE), (200, UNIT_KEEPERS)], 404),
    // Those who may see the unit of today that a unit became; a search without words finds nothing.
    row("/api/units/became", Given::Nothing, &[], 200),
    row("/api/units/became", Given::Harbour, &[(200, REACHED), (200, OFFICES_ABOVE), (200, UNIT_KEEPERS)], 404),
    row("/api/units/by_code", Given::HarbourCode, &[(200, REACHED), (200, OFFICES_ABOVE), (200, UNIT_KEEPERS)], 404),
    // Units to address are offered to those who write for them.
    row("/api/units/pick", Given::Pick, &[(200, EDITORS)], 404),
    row("/api/units/pick", Given::PickFor("document"), &[(200, EDITORS), (200, &[OtherEditor])], 404),
    row("/api/units/pick", Given::PickFor("role"), &[(200, GIVERS)], 404),
    row("/api/units/pick", Given::PickFor("import"), &[(200, REGISTRY)], 404),
    row("/api/units/targets", Given::Targets, &[(200, UNIT_KEEPERS), (403, REACHED), (403, OFFICES_ABOVE)], 404),
    // Names of members are for those who keep their records.
    row(
        "/api/units/roster",
        Given::Harbour,
        &[(200, &[AboveRegistrar]), (403, REACHED), (403, OFFICES_ABOVE), (403, UNIT_KEEPERS)],
        404,
    ),
    row("/api/units/create", Given::NewUnit, &[(200, UNIT_KEEPERS), (403, REACHED), (403, BESIDE), (403, OFFICES_ABOVE)], 404),
    row("/api/units/rename", Given::OtherName, &[(200, UNIT_KEEPERS), (403, REACHED), (403, OFFICES_ABOVE)], 404),
    row("/api/units/phase", Given::Phase, &[(200, UNIT_KEEPERS), (403, REACHED), (403, OFFICES_ABOVE)], 404),
    row("/api/units/move", Given::SamePlace, &[(200, UNIT_KEEPERS), (403, REACHED), (403, OFFICES_ABOVE)], 404),
    row("/api/units/merge", Given::FreshBranch, &[(200, UNIT_KEEPERS), (403, OFFICES_ABOVE)], 404),
    row("/api/units/close", Given::FreshBranch, &[(200, UNIT_KEEPERS), (403, OFFICES_ABOVE)], 404),
    row(
        "/api/units/split",
        Given::NobodyGoes,
        &[(422, &[AboveRegistrar]), (403, REACHED), (403, OFFICES_ABOVE), (403, UNIT_KEEPERS)],
        404,
    ),
    row("/api/members/search", Given::Nothing, &[(200, LEADERS)], 404),
    row("/api/members/record", Given::Member("id"), &[(200, RECORD_READERS)], 404),
    row("/api/members/own", Given::Nothing, &[], 200),
    row("/api/members/blank", Given::Nothing, &[(200, REGISTRARS)], 404),
    row("/api/members/form", Given::Member("id"), &[(200, REGISTRARS), (403, RECORD_READERS)], 404),
    row("/api/members/register", Given::NewMember, &[(200, REGISTRARS)], 404),
    row("/api/members/change", Given::ChangedMember, &[(200, REGISTRARS), (403, RECORD_READERS)], 404),
    row("/api/members/state", Given::Member("id"), &[(200, REGISTRARS), (403, RECORD_READERS)], 404),
    row("/api/members/set_state", Given::Departure, &[(200, REGISTRARS), (403, RECORD_READERS)], 404),
    row("/api/members/request_correction", Given::Correction, &[], 200),
    row("/api/members/corrections", Given::Nothing, &[(200, REGISTRARS)], 404),
    row("/api/members/decide_correction", Given::AskedCorrection, &[(200, REGISTRARS), (403, RECORD_READERS)], 404),
    row("/api/members/transfer_form", Given::Member("id"), &[(200, RECORD_READERS)], 404),
    row("/api/members/request_transfer", Given::Transfer, &[(200, RECORD_READERS)], 404),
    row("/api/members/transfers", Given::Nothing, &[(200, LEADERS)], 404),
    // The sending side sees it, but only the receiving side accepts.
    row("/api/members/decide_transfer", Given::AskedTransfer, &[(200, &[OtherSecretary]), (403, RECORD_READERS)], 404),
    row("/api/members/quality", Given::Nothing, &[(200, LEADERS)], 404),
    row("/api/members/merge_form", Given::TwoMembers, &[(200, REGISTRARS), (403, RECORD_READERS)], 404),
    row("/api/members/merge", Given::TwoMembers, &[(200, REGISTRARS), (403, RECORD_READERS)], 404),
    row("/api/members/keep_apart", Given::TwoMembers, &[(200, REGISTRARS), (403, RECORD_READERS)], 404),
    row("/api/files/page", Given::Draft("id"), &[(200, EDITORS)], 404),
    // The guard warned of it, and nobody has decided.
    row("/api/files/keep", Given::WaitingFile, &[(200, EDITORS)], 404),
    row("/api/files/remove", Given::WaitingFile, &[(200, EDITORS)], 404),
    // An upload belongs to its sender.
    row("/api/files/give_up", Given::Upload, &[(200, &[AboveEditor])], 404),
    // Its bytes are missing.
    row("/api/files/finish", Given::Upload, &[(422, &[AboveEditor])], 404),
    row("/api/imports/list", Given::Nothing, &[(200, REGISTRY)], 404),
    row("/api/imports/blank", Given::Nothing, &[(200, REGISTRY)], 404),
    row("/api/imports/page", Given::Import("id"), &[(200, &[AboveRegistrar])], 404),
    // No columns are not a valid mapping of the file's two.
    row("/api/imports/remap", Given::Import("id"), &[(422, &[AboveRegistrar])], 404),
    // It lacks columns, so it cannot be confirmed.
    row("/api/imports/confirm", Given::Import("id"), &[(403, &[AboveRegistrar])], 404),
    row("/api/imports/cancel", Given::Import("id"), &[(200, &[AboveRegistrar])], 404),
    row("/api/reorganisations/list", Given::Nothing, &[(200, REGISTRY)], 404),
    row("/api/reorganisations/queue", Given::Nothing, &[(200, REGISTRY)], 404),
    row("/api/reorganisations/page", Given::Reorganisation, &[(200, REGISTRY)], 404),
    row("/api/reorganisations/set_day", Given::Reorganisation, &[(200, REGISTRY)], 404),
    // Without the version of the plan that was seen.
    row("/api/reorganisations/confirm", Given::Reorganisation, &[(422, REGISTRY)], 404),
    row("/api/reorganisations/cancel", Given::Reorganisation, &[(200, REGISTRY)], 404),
    // An unknown unit of the queue.
    row("/api/reorganisations/assign", Given::UnknownReassignment, &[], 404),
    // Idempotent, also for one that does not concern the member.
    row("/api/reorganisations/dismiss", Given::Reorganisation, &[], 200),
    row("/api/courses/list", Given::Nothing, &[], 200),
    row("/api/courses/read", Given::Course("id"), &[(200, REACHED), (403, COURSE_OFFICES)], 404),
    // The quiz has to be passed first.
    row("/api/courses/complete", Given::Course("course"), &[(403, REACHED), (403, COURSE_OFFICES)], 404),
    row("/api/courses/start", Given::Course("course"), &[(200, REACHED), (403, COURSE_OFFICES)], 404),
    row("/api/courses/quiz", Given::Course("id"), &[(200, REACHED), (403, COURSE_OFFICES)], 404),
    // Other people's attempts are not found.
    row("/api/courses/answer", Given::OpenTry, &[(200, &[Author])], 404),
    row("/api/courses/result", Given::PassedTry, &[(200, &[Author]), (403, COURSE_OFFICES)], 404),
    row("/api/courses/certificate", Given::Passed, &[(200, &[Author])], 404),
    row("/api/courses/following", Given::Nothing, &[(200, FOLLOWERS)], 404),
    row(
        "/api/courses/completion",
        Given::Course("id"),
        &[(200, &[Secretary, Deputy]), (200, COURSE_OFFICES), (403, REACHED)],
        404,
    ),
    row("/api/courses/desk", Given::Nothing, &[(200, EDITORS), (200, &[OtherEditor])], 404),
    row("/api/courses/blank", Given::Nothing, &[(200, EDITORS), (200, &[OtherEditor])], 404),
    row("/api/courses/form", Given::CourseDraft("id"), &[(200, EDITORS)], 404),
    // An editor elsewhere may not choose this unit.
    row("/api/courses/save", Given::NewCourse, &[(200, EDITORS), (422, &[OtherEditor])], 404),
    row("/api/courses/arrange", Given::CourseDocument, &[(200, EDITORS)], 404),
    row("/api/courses/question", Given::CourseDraft("id"), &[(200, EDITORS)], 404),
    row("/api/courses/save_question", Given::NewQuestion, &[(200, EDITORS)], 404),
    row("/api/courses/arrange_question", Given::FirstQuestion, &[(200, EDITORS)], 404),
    row("/api/courses/save_rules", Given::Rules, &[(200, EDITORS)], 404),
    row("/api/courses/assignment", Given::CourseDraft("id"), &[(200, EDITORS)], 404),
    row("/api/courses/reach", Given::Assignment, &[(200, EDITORS)], 404),
    row("/api/courses/assign", Given::Assignment, &[(200, EDITORS)], 404),
    row("/api/courses/copy", Given::Copy, &[(200, EDITORS), (403, REACHED), (403, COURSE_OFFICES)], 404),
    row("/api/courses/give_try", Given::AnotherTry, &[(200, EDITORS), (403, REACHED), (403, COURSE_OFFICES)], 404),
    row("/api/courses/end", Given::Course("course"), &[(200, EDITORS), (403, REACHED), (403, COURSE_OFFICES)], 404),
    Row { signed_out: 200, ..row("/api/account/sign_out", Given::Nothing, &[], 200) },
];

impl Row {
    fn expected(&self, who: Who) -> u16 {
        if who == SignedOut {
            return self.signed_out;
        }
        self.expected.iter().find(|(_, people)| people.contains(&who)).map_or(self.otherwise, |(status, _)| *status)
    }
}

/// The method of every server function.
fn methods() -> BTreeMap<&'static str, String> {
    server_fn_paths().map(|(path, method)| (path, method.to_string())).collect()
}

#[test]
fn every_server_function_has_a_row() {
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.path).collect();
    let functions: BTreeSet<&str> = methods().into_keys().collect();
    assert_eq!(functions.difference(&rows).collect::<Vec<_>>(), Vec::<&&str>::new(), "every server function needs a row");
    assert_eq!(rows.difference(&functions).collect::<Vec<_>>(), Vec::<&&str>::new(), "a row without its server function");
}

/// Read functions for what is shown next to a page's own data, or in the frame of every page.
const OF_NO_PAGE: [&str; 4] =
    ["/api/documents/begin_writing", "/api/documents/unfinished", "/api/home/badges", "/api/units/pick"];

#[test]
fn every_page_names_a_row_and_every_row_that_reads_is_named() {
    let by = |page: &Page| match page.access {
        Access::By(function) => Some(function),
        Access::Open => None,
    };
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.path).collect();
    let named: BTreeSet<&str> = PAGES.iter().filter_map(by).collect();
    assert_eq!(named.difference(&rows).collect::<Vec<_>>(), Vec::<&&str>::new(), "a page without its row");
    let reading = methods().into_iter().filter(|(_, method)| method == "GET").map(|(path, _)| path);
    let without: Vec<&str> = reading.filter(|path| !named.contains(path)).collect();
    assert_eq!(without, OF_NO_PAGE, "a function that reads without its page");
}

/// The expected status of a page; none if it depends on the object in its address, or on the arguments of its function.
fn status_of(page: &Page, who: Who) -> Option<u16> {
    let names_something = page.path.contains(':');
    match page.access {
        Access::Open => (!names_something).then_some(200),
        Access::By(function) => {
            let row = ROWS.iter().find(|row| row.path == function)?;
            let is_asked_alike = !names_something && matches!(row.given, Given::Nothing);
            // A signed-out visitor is asked to sign in, whatever the address.
            (is_asked_alike || who == SignedOut).then(|| row.expected(who))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_are_opened_by_those_their_rows_allow() {
    let app = TestApp::spawn().await;
    let mut wrong = Vec::new();
    for who in EVERYBODY {
        let mut browser = match who.person(&app.org) {
            Some(person) => app.signed_in(person).await,
            None => app.browser(),
        };
        for page in PAGES {
            let Some(expected) = status_of(page, who) else { continue };
            let answer = browser.get(&filled(&pattern_of(page.path), &BTreeMap::new())).await;
            let is_way_in = answer.location().is_some_and(|to| to.starts_with("/sign-in?"));
            let status = if is_way_in { 401 } else { answer.status };
            if status != expected {
                wrong.push(format!("{} for {who:?}: {status} instead of {expected}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rows are tested in parts, one test each, so that they run concurrently. Each part starts a program and signs everybody in,
/// which takes a few seconds.
macro_rules! parts {
    ($($name:ident)+) => {
        const PARTS: &[&str] = &[$(stringify!($name)),+];
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                let part = PARTS.iter().position(|part| *part == stringify!($name)).expect("is one of them");
                Box::pin(assert_answers(part)).await;
            }
        )+
    };
}

parts! {
    every_person_is_answered_as_the_table_says_first_part
    every_person_is_answered_as_the_table_says_second_part
    every_person_is_answered_as_the_table_says_third_part
}

/// Sends the requests of one part, as everybody.
async fn assert_answers(part: usize) {
    let app = TestApp::spawn().await;
    let methods = methods();
    let mut browsers = BTreeMap::new();
    for who in EVERYBODY {
        let browser = match who.person(&app.org) {
            Some(person) => app.signed_in(person).await,
            None => app.browser(),
        };
        browsers.insert(who, browser);
    }
    let mut wrong = Vec::new();
    for row in ROWS.iter().skip(part).step_by(PARTS.len()) {
        let method = methods.get(row.path).expect("a server function").as_str();
        let mut unchanged = None;
        for (who, browser) in &mut browsers {
            let arguments = match unchanged.take() {
                Some(arguments) => arguments,
                None => row.given.arguments(&app).await,
            };
            let status = ask(browser, row.path, method, &arguments).await;
            // A read or a rejected request changes nothing, so the next person gets the same object.
            unchanged = (method == "GET" || status != 200).then_some(arguments);
            if status != row.expected(*who) {
                wrong.push(format!("{} {:?} for {who:?}: {status} instead of {}", row.path, row.given, row.expected(*who)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn ask(browser: &mut Browser, path: &str, method: &str, arguments: &[(&'static str, String)]) -> u16 {
    let arguments: Vec<(&str, &str)> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if method == "GET" {
        // Ids and keys need no escaping.
        let query: Vec<String> = arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
        browser.get_json(&format!("{path}?{}", query.join("&"))).await.status
    } else {
        browser.post_json(path, &arguments).await.status
    }
}

/// A role can be held once at a time, so each request uses another day.
fn a_day_of_its_own() -> String {
    static DAYS: AtomicU64 = AtomicU64::new(0);
    let first = NaiveDate::from_ymd_opt(2027, 1, 1).expect("a day");
    (first + Days::new(DAYS.fetch_add(1, Ordering::Relaxed))).to_string()
}

impl Given {
    #[expect(clippy::too_many_lines, reason = "a table: an arm for each thing that is asked for")]
    async fn arguments(self, app: &TestApp) -> Vec<(&'static str, String)> {
        let org = &app.org;
        let fresh = || app.backend.clock().ulid().to_string();
        match self {
            Self::Nothing => Vec::new(),
            Self::Unread => {
                vec![("document", app.published(&org.harbour).await.to_string()), ("unit", org.harbour.id.to_string())]
            }
            Self::Version => vec![("id", app.draft(&org.harbour).await.to_string()), ("version", "1".to_owned())],
            Self::InReview => {
                let id = app.in_review(&org.harbour).await;
                vec![
                    ("id", id.to_string()),
                    ("version", "1".to_owned()),
                    ("review", app.review(id).await),
                    ("when", "now".to_owned()),
                    ("reason", "Thiếu ngày tháng.".to_owned()),
                    ("text", "Xem lại câu này.".to_owned()),
                ]
            }
            Self::Remark => {
                let id = app.in_review(&org.harbour).await;
                let form = RemarkForm { id: &id.to_string(), text: "Xem lại.", ..RemarkForm::default() };
                let editor = &org.coast_editor.viewer;
                app.backend.documents().remark(editor, form).await.expect("remarks");
                let remarks = app.backend.documents().review(editor, id).await.expect("a page").remarks;
                vec![("id", id.to_string()), ("remark", remarks[0].key.clone()), ("settled", "yes".to_owned())]
            }
            Self::Reasoned => {
                vec![("id", app.published(&org.harbour).await.to_string()), ("reason", "Sai số liệu.".to_owned())]
            }
            Self::Coast => vec![("unit", org.coast.id.to_string())],
            Self::Document(name) => vec![(name, app.published(&org.harbour).await.to_string())],
            Self::OwnList => vec![("list", "unread".to_owned())],
            Self::Place => vec![
                ("id", app.published(&org.harbour).await.to_string()),
                ("heading", "s-muc-tieu".to_owned()),
                ("part", "400".to_owned()),
            ],
            Self::Draft(name) => vec![(name, app.draft(&org.harbour).await.to_string())],
            Self::NewDraft => vec![
                ("id", fresh()),
                ("version", "0".to_owned()),
                ("kind", "news".to_owned()),
                ("number", String::new()),
                ("title", "Tin mới".to_owned()),
                ("issuer", org.coast.id.to_string()),
                ("audience", org.coast.id.to_string()),
                ("body", "Nội dung".to_owned()),
            ],
            Self::Opinion(name) => {
                let document = app.published(&org.harbour).await;
                vec![(name, app.opinion(&org.fisherman.viewer, document).await.to_string())]
            }
            Self::NewOpinion => vec![
                ("opinion", fresh()),
                ("document", app.published(&org.harbour).await.to_string()),
                ("audience", "branch".to_owned()),
                ("text", "Đồng ý.".to_owned()),
            ],
            Self::Answer => {
                let document = app.published(&org.harbour).await;
                let opinion = app.opinion(&org.fisherman.viewer, document).await;
                vec![("opinion", opinion.to_string()), ("text", "Đã ghi nhận.".to_owned())]
            }
            Self::WaitingFile => {
                let (files, editor) = (app.backend.files(), &org.coast_editor.viewer);
                let document = app.draft(&org.harbour).await;
                let mut intake = files.receive(editor, document, "ke-hoach.docx").await.expect("begins");
                intake.write(&docx("MẬT")).await.expect("is taken");
                let arrived = intake.complete(editor).await.expect("arrives");
                assert_eq!(arrived.warnings.len(), 1);
                vec![("file", arrived.attachment.to_string()), ("reason", "Đã được giải mật.".to_owned())]
            }
            Self::Upload => {
                /// A person may have only a few uploads in progress.
                static LAST: Mutex<Option<UploadId>> = Mutex::new(None);
                let (files, editor) = (app.backend.files(), &org.coast_editor.viewer);
                let last = LAST.lock().expect("is whole").take();
                if let Some(last) = last {
                    // Already gone if the previous row deleted it.
                    let _ = files.give_up(editor, last).await;
                }
                let new = NewUpload { document: app.draft(&org.harbour).await, name: "a.pdf", size: 10 };
                let upload = files.begin(editor, new).await.expect("is announced");
                *LAST.lock().expect("is whole") = Some(upload);
                vec![("upload", upload.to_string())]
            }
            Self::Course(name) => vec![(name, app.course(&org.harbour).await.to_string())],
            Self::CourseDraft(name) => vec![(name, app.course_draft().await.to_string())],
            Self::NewCourse => vec![
                ("id", fresh()),
                ("version", "0".to_owned()),
                ("issuer", org.coast.id.to_string()),
                ("title", "Chuyên đề mới".to_owned()),
                ("description", String::new()),
            ],
            Self::CourseDocument => vec![
                ("id", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("document", app.published(&org.harbour).await.to_string()),
                ("step", "add".to_owned()),
            ],
            Self::NewQuestion => vec![
                ("course", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("text", "Ai làm?".to_owned()),
                ("kind", "multiple".to_owned()),
                ("options[1]", "Chi bộ".to_owned()),
                ("options[2]", "Chi ủy".to_owned()),
                ("right[]", "2".to_owned()),
            ],
            Self::FirstQuestion => vec![
                ("id", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("number", "1".to_owned()),
                ("step", "remove".to_owned()),
            ],
            Self::Rules => vec![
                ("course", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("pass_percent", "80".to_owned()),
                ("minutes", "10".to_owned()),
                ("tries", "3".to_owned()),
            ],
            Self::Assignment => vec![
                ("course", app.course_draft().await.to_string()),
                ("version", "2".to_owned()),
                ("unit", org.harbour.id.to_string()),
                ("due_on", today(app)),
            ],
            Self::Copy => vec![("course", app.course(&org.harbour).await.to_string()), ("copy", fresh())],
            Self::AnotherTry => vec![
                ("course", app.course_of_one_try(&org.harbour).await.to_string()),
                ("unit", org.harbour.id.to_string()),
                ("act", fresh()),
            ],
            Self::OpenTry => {
                let course = app.course(&org.harbour).await;
                app.backend.courses().start(&org.fisherman.viewer, course).await.expect("begins");
                vec![
                    ("course", course.to_string()),
                    ("number", "1".to_owned()),
                    ("step", "hand_in".to_owned()),
                    ("answers[0][]", "1".to_owned()),
                ]
            }
            Self::PassedTry | Self::Passed => {
                let course = app.course(&org.harbour).await;
                app.passed(&org.fisherman.viewer, course).await;
                let mut given = vec![("id", course.to_string())];
                given.extend(matches!(self, Self::PassedTry).then(|| ("number", "1".to_owned())));
                given
            }
            Self::Import(name) => vec![(name, app.import("Số thẻ,Họ tên\n1,A\n").await.to_string())],
            Self::Reorganisation => {
                let file = "Mã cũ,Mã mới,Tên mới\n51/001/01,01,Chi bộ thôn Gành Đá Mới\n";
                vec![("id", app.reorganisation(file).await.to_string()), ("on", today(app))]
            }
            Self::UnknownReassignment => vec![("id", fresh()), ("target", org.school.id.to_string())],
            Self::Harbour => vec![("unit", org.harbour.id.to_string())],
            Self::HarbourCode => vec![("code", org.harbour.path.as_str().trim_matches('/').replace('/', "."))],
            Self::NewOffice => {
                let day = a_day_of_its_own();
                vec![
                    ("unit", org.harbour.id.to_string()),
                    ("card", format!("51.{}", &org.not_activated.national_id[6..])),
                    ("role", "registrar".to_owned()),
                    ("from", day.clone()),
                    ("until", day),
                ]
            }
            Self::Office => {
                let (unit, day) = (org.harbour.id.to_string(), a_day_of_its_own());
                let card = format!("51.{}", &org.not_activated.national_id[6..]);
                let form = GrantForm { unit: &unit, card: &card, role: "registrar", from: &day, until: &day };
                let office = app.backend.offices().grant(&org.coast_registrar.viewer, form).await.expect("gives");
                vec![("office", office.to_string())]
            }
            Self::Guide => vec![("slug", "member".to_owned()), ("language", "bn".to_owned())],
            Self::UnknownSession => vec![("session", fresh())],
            Self::Targets => vec![("unit", org.harbour.id.to_string()), ("step", "move".to_owned())],
            Self::PickFor(purpose) => vec![("purpose", purpose.to_owned())],
            Self::Pick => vec![("purpose", "document".to_owned()), ("within", org.coast.id.to_string())],
            Self::NewUnit => vec![
                ("parent", org.coast.id.to_string()),
                ("kind", "branch".to_owned()),
                ("code", fresh_code(app)),
                ("name", "Chi bộ thôn mới".to_owned()),
                ("on", today(app)),
            ],
            Self::OtherName => {
                let name = format!("Chi bộ {}", fresh_code(app));
                identified(app, org.harbour.id, vec![("name", name), ("on", today(app))]).await
            }
            Self::Phase => {
                let phase = vec![("phase", "live".to_owned()), ("live_from", String::new()), ("contact", String::new())];
                identified(app, org.harbour.id, phase).await
            }
            Self::SamePlace => {
                let place = vec![("target", org.coast.id.to_string()), ("code", "01".to_owned()), ("on", today(app))];
                identified(app, org.harbour.id, place).await
            }
            Self::FreshBranch => {
                let (parent, code, on) = (org.coast.id.to_string(), fresh_code(app), today(app));
                let form = NewUnitForm { parent: &parent, kind: "branch", code: &code, name: "Chi bộ tạm", on: &on };
                let unit = app.backend.unit_desk().create(&org.operator.viewer, form).await.expect("creates");
                identified(app, unit, vec![("target", org.school.id.to_string()), ("on", on.clone())]).await
            }
            Self::NobodyGoes => {
                let branch = vec![("code", fresh_code(app)), ("name", "Chi bộ hai".to_owned()), ("on", today(app))];
                identified(app, org.harbour.id, branch).await
            }
            Self::UnknownMeeting => vec![("id", fresh())],
            Self::Fisherman(name) => vec![(name, org.fisherman.id.to_string())],
            Self::Codes => vec![("unit", org.harbour.id.to_string()), ("members[]", org.fisherman.id.to_string())],
            Self::IssuedCode => {
                let (accounts, secretary) = (app.backend.accounts(), &org.secretary.viewer);
                accounts.issue_paper_code(secretary, org.fisherman.id).await.expect("issues");
                let codes = accounts.member_codes(secretary, org.fisherman.id).await.expect("reads").codes;
                vec![("code", codes[0].id.to_string())]
            }
            Self::Preferences => {
                vec![("locale", "vi".to_owned()), ("text_size", "1".to_owned()), ("theme", "system".to_owned())]
            }
            Self::Member(name) => vec![(name, app.member(&org.harbour).await.to_string())],
            Self::NewMember => member_form(&fresh(), "0", &org.harbour.id.to_string()),
            Self::ChangedMember => {
                let mut form = member_form(&app.member(&org.harbour).await.to_string(), "1", "");
                form.push(("phone", "0912345678".to_owned()));
                form
            }
            Self::Departure => vec![
                ("id", app.member(&org.harbour).await.to_string()),
                ("version", "1".to_owned()),
                ("state", "left".to_owned()),
                ("day", app.backend.clock().today().to_string()),
            ],
            Self::Correction => {
                vec![("field", "phone".to_owned()), ("wanted", "0912345678".to_owned()), ("reason", "Đổi số.".to_owned())]
            }
            Self::AskedCorrection => {
                let form = CorrectionForm { field: "phone", wanted: "0912345678", reason: "Đổi số." };
                let id = app.backend.members().request_correction(&org.fisherman.viewer, form).await.expect("is asked for");
                let note = "Chưa đủ giấy tờ.".to_owned();
                vec![("id", id.to_string()), ("decision", "decline".to_owned()), ("note", note)]
            }
            Self::Transfer => vec![
                ("member", app.member(&org.harbour).await.to_string()),
                ("to", org.farm.id.to_string()),
                ("reason", "Chuyển nơi cư trú.".to_owned()),
            ],
            Self::AskedTransfer => {
                let (member, to) = (app.member(&org.harbour).await.to_string(), org.farm.id.to_string());
                let form = TransferForm { member: &member, to: &to, reason: "Chuyển nơi cư trú." };
                let id = app.backend.members().request_transfer(&org.secretary.viewer, form).await.expect("is asked for");
                vec![("id", id.to_string()), ("decision", "accept".to_owned())]
            }
            Self::TwoMembers => {
                vec![("keep", app.member(&org.harbour).await.to_string()), ("with", app.member(&org.harbour).await.to_string())]
            }
        }
    }
}

/// A unit as its forms identify it, with the version they are based on.
async fn identified(app: &TestApp, unit: UnitId, mut fields: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let page = app
        .backend
        .unit_desk()
        .page(&app.org.operator.viewer, &unit.to_string(), None, BelowQuery::default())
        .await
        .expect("a page");
    fields.extend([("unit", unit.to_string()), ("version", page.version.to_string())]);
    fields
}

fn fresh_code(app: &TestApp) -> String {
    app.backend.clock().ulid().to_string()[10..].to_owned()
}

fn today(app: &TestApp) -> String {
    app.backend.clock().today().to_string()
}

/// A valid form of a member; the card number is the end of the id, so it is unique.
fn member_form(id: &str, version: &str, unit: &str) -> Vec<(&'static str, String)> {
    // Hundreds of people with one name and birth date would be duplicates of each other.
    let name = format!("Trương Thị {}", &id[16..]);
    [
        ("id", id),
        ("version", version),
        ("full_name", name.as_str()),
        ("card", &id[10..]),
        ("sex", "female"),
        ("birth_date", "1990-05-19"),
        ("admitted_on", "2020-02-03"),
        ("standing", "official"),
        ("unit", unit),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}
