//! The table of the kinds of events: the group of the audit trail, who may see the event, whether it shows use, and its effect on
//! the figures.
//!
//! A new kind is one line. A kind without a line does not compile, nor does one with two lines.

use super::{Effect, EventBody, EventKind};
use crate::audit::AuditGroup;

/// Each line: `Kind fields: Group, mark => effect;`. The fields are a pattern of [`EventBody`]. The mark is left out, or one of
/// `private` ([`EventKind::is_private`]) and `not_use` (see [`EventKind::counts_as_use`]). Without an effect the figures stay.
macro_rules! kinds {
    (@is_private private) => { true };
    (@is_private not_use) => { false };
    (@is_private) => { false };
    (@counts_as_use private) => { true };
    (@counts_as_use not_use) => { false };
    (@counts_as_use) => { true };
    (@effect $effect:expr) => { $effect };
    (@effect) => { Effect::Nothing };
    ($($kind:ident $fields:tt: $group:ident $(, $mark:ident)? $(=> $effect:expr)?;)+) => {
        impl EventKind {
            /// The group in the audit trail.
            pub const fn group(self) -> AuditGroup {
                match self {
                    $(Self::$kind => AuditGroup::$group,)+
                }
            }

            /// Whether the event is private to the member: reading and writing opinions are logged for statistics, but not shown
            /// on the page of the registry's keepers.
            pub const fn is_private(self) -> bool {
                match self {
                    $(Self::$kind => kinds!(@is_private $($mark)?),)+
                }
            }

            /// Whether it shows that its actor uses the handbook. A refused sign-in does not.
            pub const fn counts_as_use(self) -> bool {
                match self {
                    $(Self::$kind => kinds!(@counts_as_use $($mark)?),)+
                }
            }
        }

        impl EventBody {
            /// Its effect on the figures.
            pub const fn effect(&self) -> Effect {
                match self {
                    $(Self::$kind $fields => kinds!(@effect $($effect)?),)+
                }
            }
        }
    };
}

kinds! {
    SignedIn(_): SignIn;
    SignedOut(_): SignIn;
    SignInRefused { .. }: SignIn, not_use;
    PreferencesChanged(_): SignIn, private;
    DocumentDrafted(_): Documents;
    DocumentSaved { .. }: Documents;
    DocumentPublished(document): Documents => Effect::Published(*document);
    DocumentWithdrawn(document): Documents => Effect::Withdrawn(*document);
    DraftSubmitted(_): Documents;
    DraftRecalled(_): Documents;
    DraftCommented(_): Documents;
    DraftDiscarded(_): Documents;
    ChangesWanted(_): Documents;
    DocumentScheduled { .. }: Documents;
    DocumentCorrected(_): Documents;
    DocumentExpired(document): Documents => Effect::Withdrawn(*document);
    ReadersReminded(_): Documents;
    DeskRulesChanged { .. }: Documents;
    FileAttached(_): Documents;
    FileRemoved(_): Documents;
    WarningOverruled { .. }: Documents;
    CourseSaved(_): Documents;
    CourseAssigned(_): Documents;
    CourseEnded(_): Documents;
    TryGiven(_): Documents;
    QuizTaken(_): Documents, private;
    CourseCompleted(_): Documents, private;
    DocumentOpened { .. }: Documents, private;
    DocumentRead { counted, .. }: Documents, private => Effect::Read { counted: *counted };
    MeetingAnnounced(_): Documents;
    MeetingReported(_): Documents;
    OpinionSent { counted, .. }: Opinions, private => Effect::Opinion { counted: *counted };
    OpinionSeen(_): Opinions;
    OpinionAnswered(_): Opinions;
    MemberRegistered { member, .. }: Records, not_use => Effect::Member(*member);
    AccountActivated(member): SignIn, not_use => Effect::Member(*member);
    UnitCreated(_): Units;
    UnitRenamed(_): Units;
    UnitMoved { .. }: Units => Effect::Moved;
    UnitMerged { .. }: Units => Effect::Moved;
    UnitSplit { unit, .. }: Units => Effect::MembersOf(*unit);
    UnitClosed(_): Units;
    Reorganised { .. }: Units => Effect::Moved;
    UnitPhaseChanged { .. }: Units;
    MemberChanged { member, .. }: Records => Effect::Member(*member);
    MemberMerged { member, other }: Records => Effect::Merged { member: *member, other: *other };
    CorrectionRequested { .. }: Records;
    CorrectionAccepted { member, .. }: Records => Effect::Member(*member);
    CorrectionDeclined { .. }: Records;
    TransferRequested { .. }: Records;
    TransferAccepted { member, .. }: Records => Effect::Member(*member);
    TransferDeclined { .. }: Records;
    TransferWithdrawn { .. }: Records;
    MembersImported { import, .. }: Records => Effect::Imported(*import);
    UnitsImported { .. }: Units;
    PaperCodeIssued(_): SignIn;
    PaperCodeRevoked(_): SignIn;
    SignInCodeSent(_): SignIn, not_use;
    PasswordChanged(_): SignIn;
    SessionRevoked(_): SignIn;
    RoleGranted { .. }: Roles;
    RoleEnded { .. }: Roles;
    RecordOpened(_): Records;
    ForeignIdsMet { .. }: Records;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DocumentId, MemberId};

    fn kinds(holds: impl Fn(EventKind) -> bool) -> Vec<&'static str> {
        EventKind::ALL.into_iter().filter(|kind| holds(*kind)).map(EventKind::key).collect()
    }

    #[test]
    fn what_a_member_reads_and_writes_is_private() {
        let private =
            ["preferences_changed", "quiz_taken", "course_completed", "document_read", "document_read_through", "opinion_sent"];
        assert_eq!(kinds(EventKind::is_private), private);
    }

    #[test]
    fn what_happens_to_a_member_without_an_account_is_no_use() {
        let without = ["sign_in_refused", "member_registered", "account_activated", "sign_in_code_sent"];
        assert_eq!(kinds(|kind| !kind.counts_as_use()), without);
    }

    #[test]
    fn kinds_are_in_the_group_of_what_they_change() {
        let size = |group: AuditGroup| kinds(|kind| kind.group() == group).len();
        let sizes = AuditGroup::ALL.map(|group| (group.key(), size(group)));
        let of_units = kinds(|kind| kind.group() == AuditGroup::Units);
        assert!(of_units.iter().all(|key| key.starts_with("unit") || kind_of(key).changes_tree()), "{of_units:?}");
        assert_eq!(sizes.iter().map(|(_, size)| size).sum::<usize>(), EventKind::ALL.len(), "{sizes:?}");
        assert_eq!(kinds(|kind| kind.group() == AuditGroup::Roles), ["role_granted", "role_ended"]);
        assert_eq!(kinds(|kind| kind.group() == AuditGroup::Opinions), ["opinion_sent", "opinion_seen", "opinion_answered"]);
    }

    fn kind_of(key: &str) -> EventKind {
        EventKind::from_key(key).expect("a kind")
    }

    #[test]
    fn an_effect_has_the_fields_of_its_event() {
        let (document, member): (DocumentId, MemberId) = (DocumentId::new(ulid::Ulid::nil()), MemberId::new(ulid::Ulid::nil()));
        for (body, effect) in [
            (EventBody::DocumentExpired(document), Effect::Withdrawn(document)),
            (EventBody::DocumentOpened { document, counted: Some(true) }, Effect::Nothing),
            (EventBody::DocumentRead { document, counted: Some(true) }, Effect::Read { counted: Some(true) }),
            (EventBody::MemberMerged { member, other: None }, Effect::Merged { member, other: None }),
            (EventBody::UnitMerged { unit: crate::ids::UnitId::new(ulid::Ulid::nil()), shifts: Vec::new() }, Effect::Moved),
            (EventBody::TransferRequested { member, other: None }, Effect::Nothing),
            (EventBody::TransferAccepted { member, other: None }, Effect::Member(member)),
        ] {
            assert_eq!(body.effect(), effect, "{body:?}");
        }
    }
}
