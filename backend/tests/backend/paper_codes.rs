//! Paper codes: who issues them, what is listed, and the sheet.

use std::{fs, path::Path};

use backend::{Error, accounts::SignInForm, sms::Sms};
use chrono::TimeDelta;
use domain::{
    accounts::{
        Preferences,
        codes::{CodeState, TypedCode, grouped},
    },
    events::EventBody,
    forms::Problem,
};

use crate::{
    activation::{ActivationFixture, NEW_PASSWORD, PHONE, WITH_PHONE, refusal, register},
    support::{Fixture, on_disk, organisation},
    units::{merge, registrar},
};

#[tokio::test]
async fn leaders_and_registrars_issue_codes_in_their_own_subtree_and_nobody_else_does() {
    let (backend, _, org) = organisation().await;
    let accounts = backend.accounts();
    for may in [&org.secretary, &org.deputy, &org.coast_secretary, &org.coast_registrar] {
        accounts.issue_paper_code(&may.viewer, org.fisherman.id).await.expect(&may.name);
        accounts.branch_codes(&may.viewer, org.harbour.id).await.expect(&may.name);
        accounts.member_codes(&may.viewer, org.fisherman.id).await.expect(&may.name);
    }
    for may_not in [
        &org.fisherman,
        &org.school_secretary,
        &org.farm_secretary,
        &org.coast_editor,
        &org.coast_committee_member,
        &org.former_secretary,
        &org.province_statistician,
        &org.operator,
    ] {
        let viewer = &may_not.viewer;
        let member = org.fisherman.id.to_string();
        let code = accounts.member_codes(&org.secretary.viewer, org.fisherman.id).await.expect("reads").codes[0].id;
        for refused in [
            accounts.issue_paper_code(viewer, org.fisherman.id).await.map(|_| ()),
            accounts.issue_paper_codes(viewer, org.harbour.id, &[member]).await.map(|_| ()),
            accounts.branch_codes(viewer, org.harbour.id).await.map(|_| ()),
            accounts.member_codes(viewer, org.fisherman.id).await.map(|_| ()),
            accounts.revoke_paper_code(viewer, code).await.map(|_| ()),
        ] {
            assert!(matches!(refused, Err(Error::NotFound)), "{}: {refused:?}", may_not.name);
        }
    }
}

#[tokio::test]
async fn codes_are_issued_for_a_whole_branch_at_once() {
    let (backend, _, org) = organisation().await;
    let secretary = &org.secretary.viewer;
    for serial in 1..=45 {
        register(&backend, &format!("9541{serial:08}"), None, &org.harbour).await;
    }
    let page = backend.accounts().branch_codes(secretary, org.harbour.id).await.expect("reads");
    let waiting: Vec<String> =
        page.members.iter().filter(|member| !member.is_activated).map(|member| member.member.to_string()).collect();
    assert_eq!(waiting.len(), 46, "with the one of the small organisation");
    let issued = backend.accounts().issue_paper_codes(secretary, org.harbour.id, &waiting).await.expect("issues");
    let mut codes: Vec<_> = issued.iter().map(|one| one.code.clone()).collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 46, "each is another");
    assert!(codes.iter().all(|code| matches!(TypedCode::parse(code), Ok(TypedCode::Paper(_)))));

    let listed = backend.accounts().branch_codes(secretary, org.harbour.id).await.expect("reads").codes;
    assert_eq!(listed.len(), 46);
    assert!(listed.iter().all(|code| code.state == CodeState::Open));
}

#[tokio::test]
async fn a_branch_lists_and_revokes_the_codes_of_one_that_was_merged_into_it() {
    let (backend, _, org) = organisation().await;
    let (leader, member) = (&org.school_secretary.viewer, org.not_activated.id);
    backend.accounts().issue_paper_code(&org.secretary.viewer, member).await.expect("issues");
    merge(&backend, &registrar(&org), org.harbour.id, org.school.id).await.expect("merges");
    let codes = backend.accounts().branch_codes(leader, org.school.id).await.expect("reads").codes;
    assert_eq!(codes.iter().map(|code| (code.member, code.state)).collect::<Vec<_>>(), [(member, CodeState::Open)]);
    let revoked = backend.accounts().revoke_paper_code(leader, codes[0].id).await.expect("revokes");
    assert_eq!(revoked, (member, org.school.id));
}

#[tokio::test]
async fn branches_can_be_searched_and_show_members_without_an_account() {
    let (backend, _, org) = organisation().await;
    backend.catch_up().await.expect("reads the log");
    let accounts = backend.accounts();
    let all = accounts.code_branches(&org.coast_registrar.viewer, "", None).expect("a page");
    let shown: Vec<_> = all.units.iter().map(|branch| (branch.unit.id, branch.waiting)).collect();
    assert_eq!((shown, all.waiting), (vec![(org.harbour.id, 1), (org.school.id, 0)], 1));
    for words in ["gành đá", "GANH", "01", " thon ganh "] {
        let found = accounts.code_branches(&org.coast_registrar.viewer, words, None).expect("a page");
        assert_eq!(found.units.iter().map(|branch| branch.unit.id).collect::<Vec<_>>(), [org.harbour.id], "{words}");
        assert_eq!(found.waiting, 1, "the number of all");
    }
    assert_eq!(accounts.code_branches(&org.coast_registrar.viewer, "suối quế", None).expect("a page").units, []);
}

#[tokio::test]
async fn a_valid_card_is_kept_until_its_owner_is_chosen() {
    let (backend, clock, org) = organisation().await;
    let secretary = &org.secretary.viewer;
    let until = async || {
        let page = backend.accounts().branch_codes(secretary, org.harbour.id).await.expect("reads");
        page.members.iter().find(|member| member.member == org.not_activated.id).expect("is listed").card_until
    };
    assert_eq!(until().await, None);
    let issued = backend.accounts().issue_paper_code(secretary, org.not_activated.id).await.expect("issues");
    let sheet = backend.accounts().keep_sheet(secretary, std::slice::from_ref(&issued)).await.expect("keeps");
    let sheet = backend.accounts().sheet(secretary, &sheet, "https://sotay.example").await.expect("opens");
    assert_eq!(until().await, Some(sheet.expires_on), "the same date on card and list");
    let listed = backend.accounts().branch_codes(secretary, org.harbour.id).await.expect("reads").codes[0].expires_at;
    assert_eq!(domain::accounts::codes::last_day(listed), sheet.expires_on);
    let other = org.fisherman.id.to_string();
    backend.accounts().issue_paper_codes(secretary, org.harbour.id, &[other]).await.expect("issues");
    assert_eq!(until().await, Some(sheet.expires_on), "a code for somebody else invalidates no card");
    clock.advance(TimeDelta::days(31));
    assert_eq!(until().await, None, "an invalid one does not count");
}

#[tokio::test]
async fn an_empty_choice_and_people_of_other_branches_are_refused() {
    let (backend, _, org) = organisation().await;
    let secretary = &org.secretary.viewer;
    let none = refusal(backend.accounts().issue_paper_codes(secretary, org.harbour.id, &[]).await);
    assert_eq!(none.problem("members[]"), Some(&Problem::Required));
    let (own, others) = (org.fisherman.id.to_string(), org.teacher.id.to_string());
    for members in [vec![own.clone(), others], vec![own.clone(), own.clone()], vec!["x".to_owned()]] {
        let refused = backend.accounts().issue_paper_codes(secretary, org.harbour.id, &members).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{members:?}");
    }
    let above = backend.accounts().branch_codes(&org.coast_registrar.viewer, org.coast.id).await;
    assert!(matches!(above, Err(Error::NotFound)), "a commune is not a branch");
}

#[tokio::test]
async fn the_list_shows_the_state_of_each_code() {
    let fixture = ActivationFixture::open().await;
    let secretary = &fixture.org.secretary.viewer;
    let state = async || {
        let codes = fixture.backend.accounts().member_codes(secretary, fixture.newcomer).await.expect("reads").codes;
        codes.iter().map(|code| code.state).collect::<Vec<_>>()
    };
    assert_eq!(state().await, []);
    fixture.paper_code().await;
    fixture.clock.advance(TimeDelta::minutes(1));
    let code = fixture.paper_code().await;
    assert_eq!(state().await, [CodeState::Open, CodeState::Revoked], "the newest first; a new one ends the old one");
    fixture.clock.advance(TimeDelta::days(31));
    assert_eq!(state().await, [CodeState::Expired, CodeState::Revoked]);
    drop(code);

    let code = fixture.paper_code().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.try_code(&activation, &code).await.expect("is right");
    fixture.choose(&activation, NEW_PASSWORD).await.expect("chooses");
    assert_eq!(state().await, [CodeState::Used, CodeState::Expired, CodeState::Revoked]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_codes_issued_at_the_same_time_one_is_valid() {
    let fixture = ActivationFixture::open().await;
    let secretary = &fixture.org.secretary.viewer;
    for _ in 0..5 {
        tokio::join!(fixture.paper_code(), fixture.paper_code(), fixture.paper_code(), fixture.paper_code());
        let codes = fixture.backend.accounts().member_codes(secretary, fixture.newcomer).await.expect("reads").codes;
        assert_eq!(codes.iter().filter(|code| code.state == CodeState::Open).count(), 1);
    }
}

#[tokio::test]
async fn revoking_is_logged_once_and_changes_only_what_can_still_be_used() {
    let fixture = ActivationFixture::open().await;
    fixture.clock.advance(TimeDelta::minutes(1));
    let mut events = fixture.backend.events().listen();
    let secretary = &fixture.org.secretary.viewer;
    fixture.paper_code().await;
    let code = fixture.backend.accounts().member_codes(secretary, fixture.newcomer).await.expect("reads").codes[0].id;
    for _ in 0..2 {
        let (member, unit) = fixture.backend.accounts().revoke_paper_code(secretary, code).await.expect("revokes");
        assert_eq!((member, unit), (fixture.newcomer, fixture.org.harbour.id));
    }
    fixture.backend.catch_up().await.expect("reads the log");
    let mut revoked = 0;
    while let Ok(event) = events.try_recv() {
        if let EventBody::PaperCodeRevoked(member) = event.body {
            assert_eq!((event.actor, member), (Some(fixture.org.secretary.id), fixture.newcomer));
            revoked += 1;
        }
    }
    assert_eq!(revoked, 1);
}

#[tokio::test]
async fn the_sheet_is_for_its_issuer_for_ten_minutes() {
    let fixture = ActivationFixture::open().await;
    let (secretary, deputy) = (&fixture.org.secretary.viewer, &fixture.org.deputy.viewer);
    let issued = fixture.backend.accounts().issue_paper_code(secretary, fixture.newcomer).await.expect("issues");
    let token = fixture.backend.accounts().keep_sheet(secretary, std::slice::from_ref(&issued)).await.expect("keeps");
    for _ in 0..2 {
        let sheet =
            fixture.backend.accounts().sheet(secretary, &token, "https://sotay.example").await.expect("also when loaded again");
        assert_eq!((sheet.unit.id, sheet.address.as_str()), (fixture.org.harbour.id, "sotay.example"));
        assert_eq!(sheet.cards.len(), 1);
        assert_eq!(sheet.cards[0].code, grouped(&issued.code));
    }
    let others = fixture.backend.accounts().sheet(deputy, &token, "https://sotay.example").await;
    assert!(matches!(others, Err(Error::NotFound)));
    fixture.clock.advance(TimeDelta::minutes(10));
    let late = fixture.backend.accounts().sheet(secretary, &token, "https://sotay.example").await;
    assert!(matches!(late, Err(Error::NotFound)));
    assert!(matches!(fixture.backend.accounts().sheet(secretary, "x", "https://x").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn the_command_line_issues_a_first_code_for_a_member() {
    let (backend, _, org) = organisation().await;
    let code = backend.accounts().first_code(org.not_activated.id).await.expect("issues");
    let activation = backend.accounts().begin_activation(&org.not_activated.national_id).await.expect("an activation");
    backend.accounts().try_code(&activation, &code).await.expect("is right");
}

/// The content of every file below a folder.
fn dump(folder: &Path, all: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            dump(&path, all);
        } else {
            all.extend(fs::read(path).expect("reads"));
        }
    }
}

#[tokio::test]
async fn the_data_folder_contains_no_codes_passwords_or_numbers() {
    let (backend, clock, folder) = on_disk().await;
    let org = Fixture::insert(&backend).await;
    let outbox = tempfile::tempdir().expect("another folder");
    backend.send_messages_by(Sms::outbox(outbox.path(), &clock));
    let newcomer = register(&backend, WITH_PHONE, Some(PHONE), &org.harbour).await;
    let secretary = &org.secretary.viewer;

    let code = backend.accounts().issue_paper_code(secretary, newcomer).await.expect("issues");
    let sheet = backend.accounts().keep_sheet(secretary, std::slice::from_ref(&code)).await.expect("keeps");
    let activation = backend.accounts().begin_activation(WITH_PHONE).await.expect("an activation");
    let sent = std::sync::Mutex::new(String::new());
    let words = |code: &str| {
        code.clone_into(&mut sent.lock().expect("not poisoned"));
        "…".to_owned()
    };
    backend.accounts().send_code(&activation, words).await.expect("sends");
    backend.accounts().try_code(&activation, &code.code).await.expect("is right");
    let chosen =
        backend.accounts().choose_password(&activation, NEW_PASSWORD, "Phone", Preferences::default()).await.expect("chooses");
    let form = SignInForm { national_id: WITH_PHONE, password: NEW_PASSWORD, device: "Phone" };
    let again = backend.accounts().sign_in(form).await.expect("signs in");
    // While the store is open: the engine's log holds every row as written and compresses it later.
    let mut all = Vec::new();
    dump(folder.path(), &mut all);
    let holds = |needle: &str| all.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(holds("Trần Thị Lựu"), "the dump contains data that is not secret");
    let sms = sent.into_inner().expect("not poisoned");
    assert_eq!(sms.len(), 6);
    for secret in [
        &code.code,
        &grouped(&code.code),
        &sheet,
        &activation,
        NEW_PASSWORD,
        WITH_PHONE,
        PHONE,
        &chosen.token,
        &chosen.device,
        &again.device,
    ] {
        assert!(!holds(secret), "{secret}");
    }
    // Any number may contain six digits by chance; as a separate text they must not occur.
    assert!(!holds(&format!("\"{sms}\"")) && !holds(&format!("code is {sms}")));
}
