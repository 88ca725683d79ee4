//! What the server functions are given.

use domain::meetings::MeetingKind;

/// The arguments of a request. Created again after a successful step, so that the next person gets a fresh object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given {
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
    /// A meeting of the coast.
    Meeting(MeetingKind),
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
