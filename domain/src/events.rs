//! The event log: the source of live updates, statistics and the audit trail.
//!
//! [`EventBody`] is the complete list of events. [`EventKind`] is derived from it. The table of `kinds.rs` has a line for each kind,
//! with its effect on figures ([`EventBody::effect`]); [`EventBody::subject`] is the entity concerned. Both name every kind, so that
//! no new kind is forgotten there.

use std::{fmt, str::FromStr};

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

/// Details of events, as stored in rows.
const AGAIN: &str = "again";
const OWN_APPROVAL: &str = "own_approval";
const APPROVAL_BY_OTHERS: &str = "approval_by_others";
const COUNTED: &str = "counted";
const NOT_COUNTED: &str = "not_counted";
const KEPT_APART: &str = "twin";
const RESTORED: &str = "restored ";
const STATE: &str = "state:";
const MET: &str = "met ";

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

    /// The detail stored in a row, besides the kind and the subject.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::SignedIn(SignIn::Again(_)) | Self::SignInRefused { again: true, .. } => Some(AGAIN.to_owned()),
            Self::DocumentSaved { restored, .. } => restored.map(|number| format!("{RESTORED}{number}")),
            Self::DocumentScheduled { at, .. } => at.map(|at| at.to_rfc3339()),
            Self::DeskRulesChanged { own_approval, .. } => {
                own_approval.map(|own| if own { OWN_APPROVAL } else { APPROVAL_BY_OTHERS }.to_owned())
            }
            Self::WarningOverruled { warnings, .. } => warnings.clone(),
            Self::DocumentOpened { counted, .. } | Self::DocumentRead { counted, .. } | Self::OpinionSent { counted, .. } => {
                counted.map(|counted| if counted { COUNTED } else { NOT_COUNTED }.to_owned())
            }
            Self::MemberRegistered { standing, .. } => standing.map(|standing| standing.key().to_owned()),
            Self::UnitMoved { shifts, .. } | Self::UnitMerged { shifts, .. } => Some(written(shifts)),
            Self::UnitSplit { from: path, .. }
            | Self::TransferRequested { other: path, .. }
            | Self::TransferAccepted { other: path, .. }
            | Self::TransferDeclined { other: path, .. }
            | Self::TransferWithdrawn { other: path, .. } => path.as_ref().map(UnitPath::to_string),
            Self::Reorganised { detail, .. } => detail.map(|detail| detail.to_string()),
            Self::UnitPhaseChanged { phase, .. } => phase.map(|phase| phase.key().to_owned()),
            Self::MemberChanged { change, .. } => change.as_ref().map(|change| match change {
                MemberChange::Fields(fields) => fields.join(","),
                MemberChange::State(state) => format!("{STATE}{}", state.key()),
                MemberChange::KeptApart => KEPT_APART.to_owned(),
            }),
            Self::MemberMerged { other, .. } => other.map(|other| other.to_string()),
            Self::CorrectionRequested { field, .. }
            | Self::CorrectionAccepted { field, .. }
            | Self::CorrectionDeclined { field, .. } => field.map(|field| field.key().to_owned()),
            Self::MembersImported { rows, .. } | Self::UnitsImported { rows, .. } => rows.map(|rows| rows.to_string()),
            Self::SessionRevoked(Revoked::Others { count, .. }) => Some(count.to_string()),
            Self::RoleGranted { role, .. } | Self::RoleEnded { role, .. } => Some(role.key().to_owned()),
            Self::ForeignIdsMet { met, .. } => Some(format!("{MET}{met}")),
            _ => None,
        }
    }

    /// Parses a row. `None` when the subject is not an id, or when a required detail is missing.
    pub fn parse(kind: EventKind, subject: &str, detail: Option<&str>) -> Option<Self> {
        use EventKind as Kind;

        let path = || detail.and_then(|detail| UnitPath::parse(detail).ok());
        let counted = match detail {
            Some(COUNTED) => Some(true),
            Some(NOT_COUNTED) => Some(false),
            _ => None,
        };
        Some(match kind {
            Kind::SignedIn if detail == Some(AGAIN) => Self::SignedIn(SignIn::Again(id(subject)?)),
            Kind::SignedIn => Self::SignedIn(SignIn::Opened(id(subject)?)),
            Kind::SignedOut => Self::SignedOut(id(subject)?),
            Kind::SignInRefused => Self::SignInRefused { member: id(subject)?, again: detail == Some(AGAIN) },
            Kind::PreferencesChanged => Self::PreferencesChanged(id(subject)?),
            Kind::DocumentDrafted => Self::DocumentDrafted(id(subject)?),
            Kind::DocumentSaved => {
                let restored = detail.and_then(|detail| detail.strip_prefix(RESTORED)?.parse().ok());
                Self::DocumentSaved { document: id(subject)?, restored }
            }
            Kind::DocumentPublished => Self::DocumentPublished(id(subject)?),
            Kind::DocumentWithdrawn => Self::DocumentWithdrawn(id(subject)?),
            Kind::DraftSubmitted => Self::DraftSubmitted(id(subject)?),
            Kind::DraftRecalled => Self::DraftRecalled(id(subject)?),
            Kind::DraftCommented => Self::DraftCommented(id(subject)?),
            Kind::DraftDiscarded => Self::DraftDiscarded(id(subject)?),
            Kind::ChangesWanted => Self::ChangesWanted(id(subject)?),
            Kind::DocumentScheduled => {
                let at = detail.and_then(|at| DateTime::parse_from_rfc3339(at).ok()).map(|at| at.to_utc());
                Self::DocumentScheduled { document: id(subject)?, at }
            }
            Kind::DocumentCorrected => Self::DocumentCorrected(id(subject)?),
            Kind::DocumentExpired => Self::DocumentExpired(id(subject)?),
            Kind::ReadersReminded => Self::ReadersReminded(id(subject)?),
            Kind::DeskRulesChanged => {
                let own_approval = match detail {
                    Some(OWN_APPROVAL) => Some(true),
                    Some(APPROVAL_BY_OTHERS) => Some(false),
                    _ => None,
                };
                Self::DeskRulesChanged { unit: id(subject)?, own_approval }
            }
            Kind::FileAttached => Self::FileAttached(id(subject)?),
            Kind::FileRemoved => Self::FileRemoved(id(subject)?),
            Kind::WarningOverruled => Self::WarningOverruled { document: id(subject)?, warnings: detail.map(str::to_owned) },
            Kind::CourseSaved => Self::CourseSaved(id(subject)?),
            Kind::CourseAssigned => Self::CourseAssigned(id(subject)?),
            Kind::CourseEnded => Self::CourseEnded(id(subject)?),
            Kind::TryGiven => Self::TryGiven(id(subject)?),
            Kind::QuizTaken => Self::QuizTaken(id(subject)?),
            Kind::CourseCompleted => Self::CourseCompleted(id(subject)?),
            Kind::DocumentOpened => Self::DocumentOpened { document: id(subject)?, counted },
            Kind::DocumentRead => Self::DocumentRead { document: id(subject)?, counted },
            Kind::MeetingAnnounced => Self::MeetingAnnounced(id(subject)?),
            Kind::MeetingReported => Self::MeetingReported(id(subject)?),
            Kind::OpinionSent => Self::OpinionSent { opinion: id(subject)?, counted },
            Kind::OpinionSeen => Self::OpinionSeen(id(subject)?),
            Kind::OpinionAnswered => Self::OpinionAnswered(id(subject)?),
            Kind::MemberRegistered => {
                Self::MemberRegistered { member: id(subject)?, standing: detail.and_then(Standing::from_key) }
            }
            Kind::AccountActivated => Self::AccountActivated(id(subject)?),
            Kind::UnitCreated => Self::UnitCreated(id(subject)?),
            Kind::UnitRenamed => Self::UnitRenamed(id(subject)?),
            Kind::UnitMoved => Self::UnitMoved { unit: id(subject)?, shifts: shifts(detail) },
            Kind::UnitMerged => Self::UnitMerged { unit: id(subject)?, shifts: shifts(detail) },
            Kind::UnitSplit => Self::UnitSplit { unit: id(subject)?, from: path() },
            Kind::UnitClosed => Self::UnitClosed(id(subject)?),
            Kind::Reorganised => Self::Reorganised { unit: id(subject)?, detail: detail.and_then(Reorganised::parse) },
            Kind::UnitPhaseChanged => Self::UnitPhaseChanged { unit: id(subject)?, phase: detail.and_then(Phase::from_key) },
            Kind::MemberChanged => Self::MemberChanged { member: id(subject)?, change: detail.and_then(MemberChange::parse) },
            Kind::MemberMerged => Self::MemberMerged { member: id(subject)?, other: detail.and_then(id) },
            Kind::CorrectionRequested => Self::CorrectionRequested { member: id(subject)?, field: field(detail) },
            Kind::CorrectionAccepted => Self::CorrectionAccepted { member: id(subject)?, field: field(detail) },
            Kind::CorrectionDeclined => Self::CorrectionDeclined { member: id(subject)?, field: field(detail) },
            Kind::TransferRequested => Self::TransferRequested { member: id(subject)?, other: path() },
            Kind::TransferAccepted => Self::TransferAccepted { member: id(subject)?, other: path() },
            Kind::TransferDeclined => Self::TransferDeclined { member: id(subject)?, other: path() },
            Kind::TransferWithdrawn => Self::TransferWithdrawn { member: id(subject)?, other: path() },
            Kind::MembersImported => Self::MembersImported { import: id(subject)?, rows: detail.and_then(ImportedRows::parse) },
            Kind::UnitsImported => Self::UnitsImported { import: id(subject)?, rows: detail.and_then(ImportedRows::parse) },
            Kind::PaperCodeIssued => Self::PaperCodeIssued(id(subject)?),
            Kind::PaperCodeRevoked => Self::PaperCodeRevoked(id(subject)?),
            Kind::SignInCodeSent => Self::SignInCodeSent(id(subject)?),
            Kind::PasswordChanged => Self::PasswordChanged(id(subject)?),
            Kind::SessionRevoked => Self::SessionRevoked(match detail {
                Some(count) => Revoked::Others { member: id(subject)?, count: count.parse().ok()? },
                None => Revoked::One(id(subject)?),
            }),
            Kind::RoleGranted => Self::RoleGranted { member: id(subject)?, role: Role::from_key(detail?)? },
            Kind::RoleEnded => Self::RoleEnded { member: id(subject)?, role: Role::from_key(detail?)? },
            Kind::RecordOpened => Self::RecordOpened(id(subject)?),
            Kind::ForeignIdsMet => Self::ForeignIdsMet { source: id(subject)?, met: detail?.strip_prefix(MET)?.parse().ok()? },
        })
    }
}

fn id<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn field(detail: Option<&str>) -> Option<CorrectionField> {
    detail.and_then(CorrectionField::from_key)
}

/// `/01/51/ → /01/60/; /01/51/02/ → /01/60/02/`
fn written(shifts: &[Shift]) -> String {
    shifts.iter().map(|shift| format!("{} → {}", shift.from, shift.to)).collect::<Vec<_>>().join("; ")
}

fn shifts(detail: Option<&str>) -> Vec<Shift> {
    let shift = |text: &str| {
        let (from, to) = text.split_once(" → ")?;
        Some(Shift { from: UnitPath::parse(from).ok()?, to: UnitPath::parse(to).ok()? })
    };
    detail.unwrap_or_default().split("; ").filter_map(shift).collect()
}

impl MemberChange {
    fn parse(detail: &str) -> Option<Self> {
        match detail {
            "" => None,
            KEPT_APART => Some(Self::KeptApart),
            _ => match detail.strip_prefix(STATE) {
                Some(state) => MemberState::from_key(state).map(Self::State),
                None => Some(Self::Fields(detail.split(',').map(str::to_owned).collect())),
            },
        }
    }
}

impl fmt::Display for ImportedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fresh {}, changed {}, refused {}", self.fresh, self.changed, self.refused)
    }
}

impl ImportedRows {
    fn parse(detail: &str) -> Option<Self> {
        let mut counts = detail.split(", ").map(|count| count.split_once(' '));
        let mut next = |name: &str| match counts.next()?? {
            (found, count) if found == name => count.parse().ok(),
            _ => None,
        };
        Some(Self { fresh: next("fresh")?, changed: next("changed")?, refused: next("refused")? })
    }
}

impl fmt::Display for Reorganised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ended {}, begun {}, changed {}", self.reorganisation, self.ended, self.begun, self.changed)
    }
}

impl Reorganised {
    fn parse(detail: &str) -> Option<Self> {
        let (reorganisation, numbers) = detail.split_once(": ")?;
        let mut numbers = numbers.split(", ").map(|number| number.split_once(' '));
        let mut next = |name: &str| match numbers.next()?? {
            (found, number) if found == name => number.parse().ok(),
            _ => None,
        };
        let (ended, begun, changed) = (next("ended")?, next("begun")?, next("changed")?);
        Some(Self { reorganisation: id(reorganisation)?, ended, begun, changed })
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
mod tests {
    use std::{collections::BTreeSet, fmt::Debug};

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
}
