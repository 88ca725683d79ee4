//! The event log: the source of live updates, statistics and the audit trail.
//!
//! [`EventBody`] is the complete list of events. [`EventKind`] is derived from it. The table of `kinds.rs` has a line for each kind,
//! with its effect on figures ([`EventBody::effect`]); [`EventBody::subject`] is the entity concerned. Both name every kind, so that
//! no new kind is forgotten there. `row.rs` has the texts of a row.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumDiscriminants, IntoStaticStr, VariantArray};
use ulid::Ulid;

use crate::{
    ids::{CourseId, DocumentId, EventId, ImportId, MeetingId, MemberId, OpinionId, ReorganisationId, SessionId, UnitId},
    members::{CorrectionField, MemberState, Standing},
    policy::Role,
    units::{Phase, Shift, UnitPath},
};

mod kinds;
mod row;

/// An event with its subject and the details needed to count and to describe it. Never personal data.
///
/// A row of the log stores it as three texts: the key of the kind, [`Self::subject`] and [`Self::detail`]; [`Self::parse`] reads
/// them. Rows are sealed and never rewritten, so rows of older versions may lack a detail: the field is `None` then.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(EventKind),
    doc = "The kind of an event, without what it happened to.",
    derive(Hash, Serialize, Deserialize, IntoStaticStr, VariantArray),
    serde(rename_all = "snake_case"),
    strum(serialize_all = "snake_case")
)]
pub enum EventBody {
    SignedIn(SignIn),
    SignedOut(SessionId),
    SignInRefused {
        member: MemberId,
        again: bool,
    },
    PreferencesChanged(MemberId),
    DocumentDrafted(DocumentId),
    /// `restored`: number of the revision whose text was restored.
    DocumentSaved {
        document: DocumentId,
        restored: Option<u32>,
    },
    DocumentPublished(DocumentId),
    DocumentWithdrawn(DocumentId),
    /// A draft was submitted for review.
    DraftSubmitted(DocumentId),
    /// Returned from review, or from the schedule, to draft.
    DraftRecalled(DocumentId),
    DraftCommented(DocumentId),
    DraftDiscarded(DocumentId),
    ChangesWanted(DocumentId),
    /// Approved, to be published at a set time.
    DocumentScheduled {
        document: DocumentId,
        at: Option<DateTime<Utc>>,
    },
    /// Published again with another text.
    DocumentCorrected(DocumentId),
    /// Left the library because it expired.
    DocumentExpired(DocumentId),
    ReadersReminded(DocumentId),
    /// Whether authors may approve their own texts.
    DeskRulesChanged {
        unit: UnitId,
        own_approval: Option<bool>,
    },
    FileAttached(DocumentId),
    FileRemoved(DocumentId),
    /// The editor kept a text or file in spite of warnings of the guard. `warnings`: keys of the kinds, separated by commas.
    WarningOverruled {
        document: DocumentId,
        warnings: Option<String>,
    },
    CourseSaved(CourseId),
    CourseAssigned(CourseId),
    CourseEnded(CourseId),
    /// A course manager granted another try at the quiz to members who had none left.
    TryGiven(CourseId),
    /// A member handed in a quiz.
    QuizTaken(CourseId),
    /// All documents were read and the quiz, if there is one, was passed.
    CourseCompleted(CourseId),
    /// A member opened a document for the first time.
    // The key is historical: it dates from when an opening counted as reading, and the log is not rewritten.
    #[strum_discriminants(strum(to_string = "document_read"))]
    DocumentOpened {
        document: DocumentId,
        counted: Option<bool>,
    },
    /// A member has read a document.
    #[strum_discriminants(strum(to_string = "document_read_through"))]
    DocumentRead {
        document: DocumentId,
        counted: Option<bool>,
    },
    MeetingAnnounced(MeetingId),
    MeetingReported(MeetingId),
    OpinionSent {
        opinion: OpinionId,
        counted: Option<bool>,
    },
    OpinionSeen(OpinionId),
    OpinionAnswered(OpinionId),
    MemberRegistered {
        member: MemberId,
        standing: Option<Standing>,
    },
    AccountActivated(MemberId),
    UnitCreated(UnitId),
    UnitRenamed(UnitId),
    UnitMoved {
        unit: UnitId,
        shifts: Vec<Shift>,
    },
    /// `unit` was merged into another; `shifts` are its path changes.
    UnitMerged {
        unit: UnitId,
        shifts: Vec<Shift>,
    },
    /// `unit` is the new one, with members of the unit that had the path `from`.
    UnitSplit {
        unit: UnitId,
        from: Option<UnitPath>,
    },
    UnitClosed(UnitId),
    /// Units below `unit` were reorganised by file. One event for the root, and one for each unit below it that is concerned.
    Reorganised {
        unit: UnitId,
        detail: Option<Reorganised>,
    },
    /// `phase`: `None` when the unit no longer has a phase of its own.
    UnitPhaseChanged {
        unit: UnitId,
        phase: Option<Phase>,
    },
    /// A record was changed, by a registrar or by an import.
    MemberChanged {
        member: MemberId,
        change: Option<MemberChange>,
    },
    /// One event for each of the two records; `other` is the other one.
    MemberMerged {
        member: MemberId,
        other: Option<MemberId>,
    },
    CorrectionRequested {
        member: MemberId,
        field: Option<CorrectionField>,
    },
    CorrectionAccepted {
        member: MemberId,
        field: Option<CorrectionField>,
    },
    CorrectionDeclined {
        member: MemberId,
        field: Option<CorrectionField>,
    },
    /// `other`: the branch at the other end of the transfer. The event is counted for the member's current branch.
    TransferRequested {
        member: MemberId,
        other: Option<UnitPath>,
    },
    TransferAccepted {
        member: MemberId,
        other: Option<UnitPath>,
    },
    TransferDeclined {
        member: MemberId,
        other: Option<UnitPath>,
    },
    TransferWithdrawn {
        member: MemberId,
        other: Option<UnitPath>,
    },
    /// One event for a whole file.
    MembersImported {
        import: ImportId,
        rows: Option<ImportedRows>,
    },
    UnitsImported {
        import: ImportId,
        rows: Option<ImportedRows>,
    },
    PaperCodeIssued(MemberId),
    PaperCodeRevoked(MemberId),
    SignInCodeSent(MemberId),
    PasswordChanged(MemberId),
    SessionRevoked(Revoked),
    RoleGranted {
        member: MemberId,
        role: Role,
    },
    RoleEnded {
        member: MemberId,
        role: Role,
    },
    /// Somebody other than the member opened a record.
    RecordOpened(MemberId),
    /// A file or a form contained national IDs of people outside the actor's subtree. `source`: the import, or the member who
    /// submitted the form.
    ForeignIdsMet {
        source: Ulid,
        met: u64,
    },
}

crate::keyed!(EventKind);

impl EventKind {
    /// Whether it invalidates a tree that was read before.
    pub const fn changes_tree(self) -> bool {
        matches!(
            self,
            Self::UnitCreated
                | Self::UnitRenamed
                | Self::UnitMoved
                | Self::UnitMerged
                | Self::UnitSplit
                | Self::UnitClosed
                | Self::Reorganised
                | Self::UnitPhaseChanged
                | Self::UnitsImported
        )
    }
}

/// How a person authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// A session was opened.
    Opened(SessionId),
    /// The password was entered again within a session of this member.
    Again(MemberId),
}

/// Sessions that were ended from another device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    One(SessionId),
    /// All other sessions of a member, and their number.
    Others {
        member: MemberId,
        count: u64,
    },
}

/// What was changed in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// Names of the fields.
    Fields(Vec<String>),
    State(MemberState),
    /// Two records reported as duplicates were confirmed to be different people.
    KeptApart,
}

/// The result of an import, in rows of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedRows {
    pub fresh: u64,
    pub changed: u64,
    pub refused: u64,
}

/// A reorganisation by file, in numbers of units of the whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reorganised {
    pub reorganisation: ReorganisationId,
    pub ended: u64,
    pub begun: u64,
    /// Units that continue with another name, code or parent.
    pub changed: u64,
}

/// The entity an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Course(CourseId),
    Document(DocumentId),
    Import(ImportId),
    Meeting(MeetingId),
    Member(MemberId),
    Opinion(OpinionId),
    Session(SessionId),
    Unit(UnitId),
    /// For [`EventBody::ForeignIdsMet`]: an import or a member.
    Source(Ulid),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Course(id) => id.fmt(f),
            Self::Document(id) => id.fmt(f),
            Self::Import(id) => id.fmt(f),
            Self::Meeting(id) => id.fmt(f),
            Self::Member(id) => id.fmt(f),
            Self::Opinion(id) => id.fmt(f),
            Self::Session(id) => id.fmt(f),
            Self::Unit(id) => id.fmt(f),
            Self::Source(id) => id.fmt(f),
        }
    }
}

/// The effect of an event on the figures, besides use of the handbook ([`EventKind::counts_as_use`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    Published(DocumentId),
    /// A document left the library.
    Withdrawn(DocumentId),
    /// A read. `counted`: whether the reader was counted at that time; `None` when the row does not say.
    Read {
        counted: Option<bool>,
    },
    /// An opinion, with the same meaning of `counted`.
    Opinion {
        counted: Option<bool>,
    },
    /// Paths of units changed, and with them those of their members.
    Moved,
    /// This member may be counted at another unit, differently, or no longer.
    Member(MemberId),
    /// The same for the members of this unit.
    MembersOf(UnitId),
    /// The same for the members of this import's file.
    Imported(ImportId),
    /// Two records were merged.
    Merged {
        member: MemberId,
        other: Option<MemberId>,
    },
}

impl Effect {
    /// Whether it can change figures, whoever the actor is. A read or an opinion changes them only when it is counted.
    pub const fn changes_figures(self) -> bool {
        !matches!(self, Self::Nothing | Self::Read { .. } | Self::Opinion { .. })
    }
}

impl EventBody {
    pub fn kind(&self) -> EventKind {
        self.into()
    }

    /// The entity it is about.
    pub const fn subject(&self) -> Subject {
        match self {
            Self::SignedIn(SignIn::Opened(session)) | Self::SignedOut(session) | Self::SessionRevoked(Revoked::One(session)) => {
                Subject::Session(*session)
            }
            Self::SignedIn(SignIn::Again(member))
            | Self::SignInRefused { member, .. }
            | Self::PreferencesChanged(member)
            | Self::MemberRegistered { member, .. }
            | Self::AccountActivated(member)
            | Self::MemberChanged { member, .. }
            | Self::MemberMerged { member, .. }
            | Self::CorrectionRequested { member, .. }
            | Self::CorrectionAccepted { member, .. }
            | Self::CorrectionDeclined { member, .. }
            | Self::TransferRequested { member, .. }
            | Self::TransferAccepted { member, .. }
            | Self::TransferDeclined { member, .. }
            | Self::TransferWithdrawn { member, .. }
            | Self::PaperCodeIssued(member)
            | Self::PaperCodeRevoked(member)
            | Self::SignInCodeSent(member)
            | Self::PasswordChanged(member)
            | Self::SessionRevoked(Revoked::Others { member, .. })
            | Self::RoleGranted { member, .. }
            | Self::RoleEnded { member, .. }
            | Self::RecordOpened(member) => Subject::Member(*member),
            Self::DocumentDrafted(document)
            | Self::DocumentSaved { document, .. }
            | Self::DocumentPublished(document)
            | Self::DocumentWithdrawn(document)
            | Self::DraftSubmitted(document)
            | Self::DraftRecalled(document)
            | Self::DraftCommented(document)
            | Self::DraftDiscarded(document)
            | Self::ChangesWanted(document)
            | Self::DocumentScheduled { document, .. }
            | Self::DocumentCorrected(document)
            | Self::DocumentExpired(document)
            | Self::ReadersReminded(document)
            | Self::FileAttached(document)
            | Self::FileRemoved(document)
            | Self::WarningOverruled { document, .. }
            | Self::DocumentOpened { document, .. }
            | Self::DocumentRead { document, .. } => Subject::Document(*document),
            Self::CourseSaved(course)
            | Self::CourseAssigned(course)
            | Self::CourseEnded(course)
            | Self::TryGiven(course)
            | Self::QuizTaken(course)
            | Self::CourseCompleted(course) => Subject::Course(*course),
            Self::MeetingAnnounced(meeting) | Self::MeetingReported(meeting) => Subject::Meeting(*meeting),
            Self::OpinionSent { opinion, .. } | Self::OpinionSeen(opinion) | Self::OpinionAnswered(opinion) => {
                Subject::Opinion(*opinion)
            }
            Self::DeskRulesChanged { unit, .. }
            | Self::UnitCreated(unit)
            | Self::UnitRenamed(unit)
            | Self::UnitMoved { unit, .. }
            | Self::UnitMerged { unit, .. }
            | Self::UnitSplit { unit, .. }
            | Self::UnitClosed(unit)
            | Self::Reorganised { unit, .. }
            | Self::UnitPhaseChanged { unit, .. } => Subject::Unit(*unit),
            Self::MembersImported { import, .. } | Self::UnitsImported { import, .. } => Subject::Import(*import),
            Self::ForeignIdsMet { source, .. } => Subject::Source(*source),
        }
    }

    /// The role it is about.
    pub const fn role(&self) -> Option<Role> {
        match self {
            Self::RoleGranted { role, .. } | Self::RoleEnded { role, .. } => Some(*role),
            _ => None,
        }
    }

    /// Number of rows of a file: those written, or those with national IDs of people outside the subtree. Of a reorganisation, the
    /// number of units.
    pub const fn rows(&self) -> Option<u64> {
        match self {
            Self::MembersImported { rows: Some(rows), .. } | Self::UnitsImported { rows: Some(rows), .. } => {
                Some(rows.fresh.saturating_add(rows.changed))
            }
            Self::ForeignIdsMet { met, .. } => Some(*met),
            Self::Reorganised { detail: Some(detail), .. } => {
                Some(detail.ended.saturating_add(detail.begun).saturating_add(detail.changed))
            }
            _ => None,
        }
    }
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Ordered by time.
    pub id: EventId,
    pub at: DateTime<Utc>,
    /// `None` without a session.
    pub actor: Option<MemberId>,
    /// The unit it is counted for: the branch of the actor, or the issuer of the document.
    pub unit: UnitPath,
    pub body: EventBody,
}

impl Event {
    pub fn kind(&self) -> EventKind {
        self.body.kind()
    }
}

#[cfg(test)]
mod tests;
