//! The texts of a row of the log: what [`EventBody::detail`] writes and [`EventBody::parse`] reads.

use std::{fmt, str::FromStr};

use chrono::DateTime;

use super::{EventBody, EventKind, ImportedRows, MemberChange, Reorganised, Revoked, SignIn};
use crate::{
    members::{CorrectionField, MemberState, Standing},
    policy::Role,
    units::{Phase, Shift, UnitPath},
};

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
