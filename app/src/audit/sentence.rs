//! An event as a sentence.

use domain::{
    Locale,
    audit::{AuditEntry, AuditGroup},
    events::EventKind,
};

use crate::{terms, text, ui::IconName};

/// Actor, action and subject. Names of deleted entities are replaced by general words.
pub(super) fn sentence(l: Locale, entry: &AuditEntry) -> String {
    use EventKind as Kind;

    let who = match &entry.actor {
        Some(_) if entry.by_viewer => text::audit::you(l),
        Some(name) => name.as_str(),
        None => text::audit::system(l),
    };
    let whom = entry.subject.as_deref().unwrap_or_else(|| text::audit::gone(l));
    let role = match (entry.role, entry.level) {
        (Some(role), Some(level)) => terms::role_at(l, role, level),
        (Some(role), None) => terms::role(l, role),
        (None, _) => text::audit::a_role(l),
    };
    let unit = entry.unit.as_deref().unwrap_or_else(|| text::audit::a_former_unit(l));
    match entry.kind {
        Kind::SignedIn => text::audit::signed_in(l, who),
        Kind::SignedOut => text::audit::signed_out(l, who),
        Kind::SignInRefused => text::audit::sign_in_refused(l, whom),
        Kind::PreferencesChanged => text::audit::preferences_changed(l, who),
        Kind::DocumentDrafted => text::audit::document_drafted(l, who, whom),
        Kind::DocumentSaved => text::audit::document_saved(l, who, whom),
        Kind::DocumentPublished => text::audit::document_published(l, who, whom),
        Kind::DocumentWithdrawn => text::audit::document_withdrawn(l, who, whom),
        Kind::DraftSubmitted => text::audit::draft_submitted(l, who, whom),
        Kind::DraftRecalled => text::audit::draft_recalled(l, who, whom),
        Kind::DraftCommented => text::audit::draft_commented(l, who, whom),
        Kind::DraftDiscarded => text::audit::draft_discarded(l, who, whom),
        Kind::ChangesWanted => text::audit::changes_wanted(l, who, whom),
        Kind::DocumentScheduled => text::audit::document_scheduled(l, who, whom),
        Kind::DocumentCorrected => text::audit::document_corrected(l, who, whom),
        Kind::DocumentExpired => text::audit::document_expired(l, who, whom),
        Kind::ReadersReminded => text::audit::readers_reminded(l, who, whom),
        Kind::DeskRulesChanged => text::audit::desk_rules_changed(l, who, whom),
        Kind::FileAttached => text::audit::file_attached(l, who, whom),
        Kind::FileRemoved => text::audit::file_removed(l, who, whom),
        Kind::WarningOverruled => text::audit::warning_overruled(l, who, whom),
        Kind::CourseSaved => text::audit::course_saved(l, who, whom),
        Kind::CourseAssigned => text::audit::course_assigned(l, who, whom),
        Kind::CourseEnded => text::audit::course_ended(l, who, whom),
        Kind::TryGiven => text::audit::try_given(l, who, whom),
        Kind::QuizTaken => text::audit::quiz_taken(l, who, whom),
        Kind::CourseCompleted => text::audit::course_completed(l, who, whom),
        Kind::DocumentOpened => text::audit::document_opened(l, who, whom),
        Kind::DocumentRead => text::audit::document_read(l, who, whom),
        Kind::MeetingAnnounced => text::audit::meeting_announced(l, who, whom),
        Kind::MeetingReported => text::audit::meeting_reported(l, who, whom),
        Kind::OpinionSent => text::audit::opinion_sent(l, who),
        Kind::OpinionSeen => text::audit::opinion_seen(l, who),
        Kind::OpinionAnswered => text::audit::opinion_answered(l, who),
        Kind::MemberRegistered => text::audit::member_registered(l, who, whom),
        Kind::AccountActivated => text::audit::account_activated(l, whom),
        Kind::UnitCreated => text::audit::unit_created(l, who, whom),
        Kind::UnitRenamed => text::audit::unit_renamed(l, who, whom),
        Kind::UnitMoved => text::audit::unit_moved(l, who, whom),
        Kind::UnitMerged => text::audit::unit_merged(l, who, whom),
        Kind::UnitSplit => text::audit::unit_split(l, who, whom),
        Kind::UnitClosed => text::audit::unit_closed(l, who, whom),
        Kind::Reorganised => match entry.count {
            Some(count) => text::audit::reorganised_units(l, who, l.number(count), whom),
            None => text::audit::reorganised(l, who, whom),
        },
        Kind::UnitPhaseChanged => text::audit::unit_phase_changed(l, who, whom),
        Kind::MemberChanged => text::audit::member_changed(l, who, whom),
        Kind::MemberMerged => text::audit::member_merged(l, who, whom),
        Kind::CorrectionRequested => text::audit::correction_requested(l, who, whom),
        Kind::CorrectionAccepted => text::audit::correction_accepted(l, who, whom),
        Kind::CorrectionDeclined => text::audit::correction_declined(l, who, whom),
        Kind::TransferRequested => text::audit::transfer_requested(l, who, whom),
        Kind::TransferAccepted => text::audit::transfer_accepted(l, who, whom),
        Kind::TransferDeclined => text::audit::transfer_declined(l, who, whom),
        Kind::TransferWithdrawn => text::audit::transfer_withdrawn(l, who, whom),
        Kind::MembersImported => match entry.count {
            Some(count) => text::audit::members_imported(l, who, l.number(count)),
            None => text::audit::members_file_imported(l, who),
        },
        Kind::UnitsImported => match entry.count {
            Some(count) => text::audit::units_imported(l, who, l.number(count)),
            None => text::audit::units_file_imported(l, who),
        },
        Kind::PaperCodeIssued => text::audit::paper_code_issued(l, who, whom),
        Kind::PaperCodeRevoked => text::audit::paper_code_revoked(l, who, whom),
        Kind::SignInCodeSent => text::audit::sign_in_code_sent(l, whom),
        Kind::PasswordChanged => text::audit::password_changed(l, who),
        Kind::SessionRevoked => text::audit::session_revoked(l, who),
        Kind::RoleGranted => text::audit::role_granted(l, who, role, unit, whom),
        Kind::RoleEnded => text::audit::role_ended(l, who, role, unit, whom),
        Kind::RecordOpened => text::audit::record_opened(l, who, whom),
        Kind::ForeignIdsMet => text::audit::foreign_ids_met(l, who, l.number(entry.count.unwrap_or(1))),
    }
}

pub(super) fn group_name(l: Locale, group: AuditGroup) -> &'static str {
    match group {
        AuditGroup::Records => text::audit::records(l),
        AuditGroup::Roles => text::audit::roles(l),
        AuditGroup::Units => text::audit::units(l),
        AuditGroup::SignIn => text::audit::sign_in(l),
        AuditGroup::Documents => text::audit::documents(l),
        AuditGroup::Opinions => text::audit::opinions(l),
    }
}

pub(super) const fn group_icon(group: AuditGroup) -> IconName {
    match group {
        AuditGroup::Records => IconName::Card,
        AuditGroup::Roles => IconName::Key,
        AuditGroup::Units => IconName::Layers,
        AuditGroup::SignIn => IconName::SignIn,
        AuditGroup::Documents => IconName::File,
        AuditGroup::Opinions => IconName::Message,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::DateTime;
    use domain::{policy::Role, terms::Terms};

    use super::*;
    use crate::terms::tests::level;

    fn entry(kind: EventKind) -> AuditEntry {
        AuditEntry {
            id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id"),
            at: DateTime::UNIX_EPOCH,
            kind,
            actor: Some("Cao Thị Sổ".to_owned()),
            by_viewer: false,
            subject: Some("Võ Văn Khơi".to_owned()),
            unit: Some("Chi bộ thôn Gành Đá".to_owned()),
            level: Some(level("branch")),
            role: Some(Role::Deputy),
            count: Some(1234),
        }
    }

    #[test]
    fn every_event_has_a_sentence_of_its_own_in_every_language() {
        for l in Locale::ALL {
            let all: BTreeSet<String> = EventKind::ALL.into_iter().map(|kind| sentence(l, &entry(kind))).collect();
            assert_eq!(all.len(), EventKind::ALL.len(), "two events say the same in {}", l.tag());
            for told in all {
                assert!(told.contains("Cao Thị Sổ") || told.contains("Võ Văn Khơi"), "nobody in {told:?}");
                assert!(!told.contains(['{', '}']), "{told}");
            }
        }
    }

    #[test]
    fn a_deleted_subject_is_described_in_words() {
        for l in Locale::ALL {
            for kind in EventKind::ALL {
                let blank =
                    AuditEntry { actor: None, subject: None, unit: None, level: None, role: None, count: None, ..entry(kind) };
                let told = sentence(l, &blank);
                assert!(told.chars().count() > 8 && !told.contains("  "), "{kind:?}: {told:?}");
            }
        }
    }

    #[test]
    fn a_role_event_names_role_unit_and_person() {
        let told = sentence(Locale::En, &entry(EventKind::RoleGranted));
        assert_eq!(told, "Cao Thị Sổ gave the role Deputy secretary in Chi bộ thôn Gành Đá to Võ Văn Khơi");
    }

    #[test]
    fn the_leader_of_a_branch_has_the_title_of_a_branch() {
        text::use_pack(Terms::Association);
        let branch = AuditEntry { role: Some(Role::Secretary), ..entry(EventKind::RoleGranted) };
        let commune = AuditEntry { level: Some(level("commune")), ..branch.clone() };
        let told = [&branch, &commune].map(|entry| text::with_plain_spaces(&sentence(Locale::Vi, entry)).to_lowercase());
        text::use_pack(Terms::Party);
        assert!(told[0].contains("chi hội trưởng") && told[1].contains("chủ tịch"), "{told:?}");
    }
}
