//! Keys: the names of enum variants in stored rows, addresses and forms. A key never changes once it is stored.

/// Defines `ALL` for an enum that derives [`strum::VariantArray`] and `Copy`.
#[macro_export]
macro_rules! all_variants {
    ($enum:ident) => {
        impl $enum {
            /// All variants, in the order of declaration.
            pub const ALL: [Self; <Self as ::strum::VariantArray>::VARIANTS.len()] =
                match <Self as ::strum::VariantArray>::VARIANTS.first_chunk() {
                    Some(all) => *all,
                    None => unreachable!(),
                };
        }
    };
}

/// Defines `ALL`, `key` and `from_key` for an enum that derives [`strum::IntoStaticStr`], [`strum::VariantArray`], `Copy` and
/// `PartialEq`.
#[macro_export]
macro_rules! keyed {
    ($enum:ident) => {
        $crate::all_variants!($enum);

        impl $enum {
            /// The name in stored rows, addresses and forms.
            pub fn key(self) -> &'static str {
                self.into()
            }

            /// `None` for an unknown key.
            pub fn from_key(key: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|variant| variant.key() == key)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::{Serialize, de::DeserializeOwned};

    use crate::{
        Locale,
        accounts::{AccountNotice, TextSize, Theme},
        audit::AuditGroup,
        courses::{Arrangement, CourseState, QuestionKind},
        documents::{
            DocumentField, DocumentKind, LeftOut, PersonalList, Relation,
            desk::Held,
            reading::Seen,
            steps::{DraftState, PublicationState},
        },
        events::EventKind,
        feedback::{OpinionAudience, OpinionState},
        files::{FileKind, FileRefused, Missing},
        guard::WarningKind,
        imports::{Column, Failure, ImportKind, ImportState},
        levels::{ASSOCIATION, Level, PARTY},
        meetings::{AttendanceKind, MeetingForm, MeetingKind, MeetingState},
        members::{CorrectionField, CorrectionState, DateField, MemberState, QualityIssue, Sex, Standing, TransferState},
        policy::Role,
        search::SearchKind,
        tables::UnitColumn,
        terms::Terms,
        units::{
            Phase, PickPurpose, UnitChange, UnitStep,
            reorganisation::{
                Hindrance, OfficesRule, Part, PlanList, ReassignmentState, ReorganisationColumn, ReorganisationState,
            },
        },
    };

    const EVENTS: &str = "signed_in signed_out sign_in_refused preferences_changed document_drafted document_saved \
        document_published document_withdrawn draft_submitted draft_recalled draft_commented draft_discarded changes_wanted \
        document_scheduled document_corrected document_expired readers_reminded desk_rules_changed file_attached file_removed \
        warning_overruled course_saved course_assigned course_ended try_given quiz_taken course_completed document_read \
        document_read_through meeting_announced meeting_reported opinion_sent opinion_seen opinion_answered member_registered \
        account_activated unit_created unit_renamed unit_moved unit_merged unit_split unit_closed reorganised \
        unit_phase_changed member_changed member_merged correction_requested correction_accepted correction_declined \
        transfer_requested transfer_accepted transfer_declined transfer_withdrawn members_imported units_imported \
        paper_code_issued paper_code_revoked sign_in_code_sent password_changed session_revoked role_granted role_ended \
        record_opened foreign_ids_met";

    /// The keys of an enum in the order of `ALL`, followed by the variants with a different name in JSON.
    macro_rules! keys {
        ($enum:ident, $keys:expr $(, $variant:ident: $json:literal)*) => {
            stored($enum::ALL, $enum::key, $enum::from_key, $keys);
            in_json($enum::ALL, $enum::key, &[$(($enum::$variant, $json)),*]);
        };
    }

    fn stored<E, const N: usize>(all: [E; N], key: fn(E) -> &'static str, from_key: fn(&str) -> Option<E>, keys: &str)
    where
        E: Copy + Debug + PartialEq,
    {
        assert_eq!(all.map(key).join(" "), keys);
        for variant in all {
            assert_eq!(from_key(key(variant)), Some(variant));
        }
        assert_eq!(from_key(""), None, "{all:?}");
    }

    fn in_json<E, const N: usize>(all: [E; N], key: fn(E) -> &'static str, others: &[(E, &'static str)])
    where
        E: Copy + Debug + PartialEq + Serialize + DeserializeOwned,
    {
        for variant in all {
            let other = others.iter().find(|(other, _)| *other == variant);
            let name = other.map_or_else(|| key(variant), |(_, name)| name);
            assert_eq!(serde_json::to_value(variant).expect("a name"), name, "{variant:?}");
            assert_eq!(serde_json::from_value::<E>(name.into()).expect("a variant"), variant);
        }
    }

    /// A change of this table needs a migration of the rows with the old key.
    #[test]
    fn keys_do_not_change() {
        keys!(TextSize, "1 2 3", Normal: "normal", Large: "large", Largest: "largest");
        keys!(Theme, "system light dark");
        keys!(
            AccountNotice,
            "code password phone national_id",
            CodeIssued: "code_issued",
            PasswordChanged: "password_changed",
            PhoneChanged: "phone_changed",
            IdChanged: "id_changed"
        );
        keys!(AuditGroup, "records roles units sign_in documents opinions");
        keys!(CourseState, "draft assigned ended");
        keys!(Arrangement, "add up down remove");
        keys!(QuestionKind, "single multiple");
        keys!(DocumentKind, "resolution directive regulation guidance study_material news form");
        keys!(DocumentField, "organisation inspection propaganda economy culture environment security digital youth");
        keys!(Relation, "supersedes amends guides");
        keys!(Held, "withdrawn number_taken audience over");
        keys!(LeftOut, "edges comments pictures objects hidden symbols");
        keys!(PersonalList, "must-read unread continue bookmarks recent", MustRead: "must_read");
        stored(Seen::ALL, Seen::key, Seen::from_key, "end in_view said");
        keys!(DraftState, "draft in_review scheduled");
        keys!(PublicationState, "published withdrawn");
        keys!(EventKind, EVENTS, DocumentOpened: "document_opened", DocumentRead: "document_read");
        keys!(OpinionAudience, "branch committee editors");
        keys!(PickPurpose, "document course role import");
        keys!(OpinionState, "received seen answered resolved");
        keys!(FileKind, "pdf docx xlsx png jpeg mp3 mp4");
        keys!(FileRefused, "empty too_big kind markup macros old_office broken unpacks dimensions too_many too_many_open closed");
        keys!(Missing, "nothing protected failed part");
        keys!(WarningKind, "secrecy_mark id_numbers phone_numbers");
        keys!(ImportKind, "members units");
        keys!(ImportState, "checking previewed running done cancelled failed");
        keys!(Failure, "unreadable too_big unpacks_too_big empty endless_row not_calculated lost damaged");
        keys!(
            Column,
            "card_number full_name sex birth_date admitted_on official_on standing national_id phone branch code parent kind name \
             opened_on phase male female"
        );
        keys!(MeetingKind, "regular thematic committee");
        keys!(MeetingForm, "in_person online mixed");
        keys!(MeetingState, "announced in_session closed reported cancelled");
        keys!(AttendanceKind, "present remote excused absent");
        keys!(Standing, "official probationary exempt");
        keys!(Sex, "female male");
        keys!(MemberState, "active transferred left deceased merged");
        keys!(DateField, "birth_date admitted_on official_on");
        keys!(QualityIssue, "missing_id missing_phone impossible_date twin");
        keys!(CorrectionField, "phone full_name birth_date sex national_id card admitted_on official_on");
        keys!(CorrectionState, "requested accepted declined");
        keys!(TransferState, "requested accepted declined withdrawn");
        keys!(Role, "secretary deputy committee_member editor chief_editor registrar statistician operator");
        keys!(SearchKind, "documents meetings courses");
        stored(UnitColumn::ALL, UnitColumn::key, UnitColumn::from_key, "name members done share active documents reads opinions");
        keys!(Terms, "party association");
        let levels = |list: &[Level]| list.iter().map(|level| level.key).collect::<Vec<_>>().join(" ");
        assert_eq!(levels(&PARTY), "central province district commune base section branch group");
        assert_eq!(levels(&ASSOCIATION), "central province commune branch group");
        keys!(Phase, "planned pilot live");
        keys!(UnitChange, "created renamed moved merged split absorbed reorganised");
        keys!(UnitStep, "new rename phase move merge split close");
        keys!(Part, "whole main part");
        keys!(OfficesRule, "end keep");
        keys!(ReorganisationColumn, "old_code new_code new_parent new_name part offices unit target");
        keys!(ReorganisationState, "previewed confirmed changed following done cancelled");
        keys!(PlanList, "refused ended offices begun renamed recoded moved phased queued undecided");
        keys!(Hindrance, "refused nothing in_future busy importing");
        keys!(ReassignmentState, "waiting assigned kept");
        stored(Locale::ALL, Locale::tag, Locale::from_tag, "vi en bn");
        in_json(Locale::ALL, Locale::tag, &[]);
    }
}
