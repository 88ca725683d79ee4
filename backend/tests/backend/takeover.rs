//! Nobody can take over an account whose owner holds a higher role: not by a code, a new number, a merge, a transfer or an import.

use std::collections::BTreeSet;

use backend::{
    Backend, Clock, Error, Keys, StoreLocation,
    accounts::{PasswordForm, SignInForm},
    demo::registry::{NewMember, Registry},
    members::{CorrectionForm, MemberForm, StateForm, TransferForm},
    offices::GrantForm,
    units::{MergeForm, MoveForm},
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    Locale,
    accounts::{AccountChange, AccountNotice, Office, Viewer},
    forms::Problem,
    ids::MemberId,
    members::{MemberState, NationalId, Sex, Standing},
    offices::Term,
    policy::{Grant, Role, Standpoint},
    units::{UnitPath, UnitRef},
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::{
    activation::{ActivationFixture, NEW_PASSWORD, PHONE, refusal},
    support::{Fixture, PASSWORD, Person, level, organisation, start},
};

/// A registrar of the whole province.
fn above(org: &Fixture) -> Viewer {
    let mut viewer = org.province_statistician.viewer.clone();
    viewer.standpoint.grants = vec![Grant { role: Role::Registrar, path: org.province.path.clone() }];
    viewer
}

/// The record of a person as the form holds it.
async fn form_of(backend: &Backend, person: &Person) -> (String, String, String) {
    let row = backend.members().record(&person.viewer_of_all(), person.id).await.expect("a record").record;
    (row.id.to_string(), row.version.to_string(), row.card)
}

impl Person {
    /// A viewer who can read every record.
    fn viewer_of_all(&self) -> Viewer {
        let mut viewer = self.viewer.clone();
        let root = UnitPath::parse("/51/").expect("a path");
        viewer.standpoint.grants = vec![Grant { role: Role::Registrar, path: root }];
        viewer
    }
}

fn unchanged<'f>(id: &'f str, version: &'f str, name: &'f str, card: &'f str) -> MemberForm<'f> {
    MemberForm {
        id,
        version,
        full_name: name,
        card,
        sex: "female",
        birth_date: "1980-02-03",
        admitted_on: "2008-02-03",
        official_on: "",
        standing: "official",
        national_id: "",
        phone: "",
        unit: "",
    }
}

#[tokio::test]
async fn a_code_for_somebody_with_a_role_above_is_issued_from_above() {
    let (backend, _, org) = organisation().await;
    let accounts = backend.accounts();
    for person in [&org.province_chief_editor, &org.operator, &org.province_statistician] {
        for below in [&org.coast_registrar, &org.coast_secretary, &org.school_secretary] {
            let refused = accounts.issue_paper_code(&below.viewer, person.id).await;
            assert!(matches!(refused, Err(Error::NotAllowed)), "{} for {}", below.name, person.name);
            let chosen = [person.id.to_string(), org.teacher.id.to_string()];
            let refused = refusal(accounts.issue_paper_codes(&below.viewer, org.school.id, &chosen).await);
            assert_eq!(refused.problem("members[]"), Some(&Problem::HeldAbove));
        }
        accounts.issue_paper_code(&above(&org), person.id).await.expect("from above");
    }
    let coast = accounts.issue_paper_code(&org.school_secretary.viewer, org.coast_registrar.id).await;
    assert!(matches!(coast, Err(Error::NotAllowed)), "a role of the commune is above a branch too");
    accounts.issue_paper_code(&org.coast_secretary.viewer, org.coast_registrar.id).await.expect("a role on the own unit");
    accounts.issue_paper_code(&org.coast_registrar.viewer, org.former_secretary.id).await.expect("a role that is over");

    let page = accounts.branch_codes(&org.coast_registrar.viewer, org.school.id).await.expect("a page");
    let mut names: Vec<_> = page.members.iter().filter(|member| member.held_above).map(|member| member.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Hồ Thị Đếm", "Mai Văn Máy", "Nguyễn Đức Thắng"]);
    let record = backend.members().record(&org.coast_registrar.viewer, org.operator.id).await.expect("a record").may;
    assert!(record.held_above && record.manage && !record.issue_codes && !record.transfer, "{record:?}");
}

#[tokio::test]
async fn an_older_card_opens_nothing_once_its_owner_holds_a_role_above() {
    let fixture = ActivationFixture::open().await;
    let code = fixture.paper_code().await;
    let activation = fixture.begin_activation(crate::activation::WITH_PHONE).await;
    fixture.try_code(&activation, &code).await.expect("is right");
    let mut registry = Registry::new(&fixture.backend, 9, start() - TimeDelta::days(1));
    registry.office(fixture.newcomer, Role::Editor, &fixture.org.coast, None);
    registry.save().await.expect("saves");
    let refused = refusal(fixture.choose(&activation, NEW_PASSWORD).await);
    assert_eq!(refused.problem("password"), Some(&Problem::CodeRefused), "the activation was proved with it already");
    let activation = fixture.begin_activation(crate::activation::WITH_PHONE).await;
    assert_eq!(refusal(fixture.try_code(&activation, &code).await).problem("code"), Some(&Problem::CodeRefused));

    let issued = fixture.backend.accounts().issue_paper_code(&fixture.org.coast_registrar.viewer, fixture.newcomer).await;
    let activation = fixture.begin_activation(crate::activation::WITH_PHONE).await;
    fixture.try_code(&activation, &issued.expect("issues").code).await.expect("is right");
    fixture.choose(&activation, NEW_PASSWORD).await.expect("a card from the unit of the role");
}

#[tokio::test]
async fn a_card_of_a_closed_unit_works_for_members_without_a_role() {
    let fixture = ActivationFixture::open().await;
    let (code, org) = (fixture.paper_code().await, &fixture.org);
    let officer = crate::units::registrar(org);
    crate::units::merge(&fixture.backend, &officer, org.harbour.id, org.school.id).await.expect("is merged");
    let activation = fixture.begin_activation(crate::activation::WITH_PHONE).await;
    fixture.try_code(&activation, &code).await.expect("is right");
    let mut registry = Registry::new(&fixture.backend, 9, start() - TimeDelta::days(1));
    registry.office(fixture.newcomer, Role::Editor, &org.school, None);
    registry.save().await.expect("saves");
    let activation = fixture.begin_activation(crate::activation::WITH_PHONE).await;
    let refused = refusal(fixture.try_code(&activation, &code).await);
    assert_eq!(refused.problem("code"), Some(&Problem::CodeRefused), "a role of the successor is not from below");
}

#[tokio::test]
async fn numbers_of_somebody_with_a_role_above_are_changed_from_above() {
    let (backend, _, org) = organisation().await;
    let (below, person) = (&org.coast_registrar.viewer, &org.operator);
    let (id, version, card) = form_of(&backend, person).await;
    let form = unchanged(&id, &version, &person.name, &card);
    for (field, form) in [
        ("phone", MemberForm { phone: "0901234567", ..form }),
        ("national_id", MemberForm { national_id: "951000777777", ..form }),
        ("card", MemberForm { card: "51.777777", ..form }),
    ] {
        let refused = refusal(backend.members().change(below, form).await);
        assert_eq!(refused.problem(field), Some(&Problem::HeldAbove), "{field}");
    }
    backend.members().change(below, MemberForm { full_name: "Mai Văn Mây", ..form }).await.expect("a slip in the name");
    let form = MemberForm { version: "1", phone: "0901234567", ..form };
    let (_, version, _) = form_of(&backend, person).await;
    backend.members().change(&above(&org), MemberForm { version: &version, ..form }).await.expect("from above");

    let wish = CorrectionForm { field: "phone", wanted: "0907654321", reason: "Đổi số." };
    let wish = backend.members().request_correction(&person.viewer, wish).await.expect("asks").to_string();
    let refused = refusal(backend.members().decide_correction(below, &wish, "accept", "").await);
    assert_eq!(refused.problem("decision"), Some(&Problem::HeldAbove));
    backend.members().decide_correction(&above(&org), &wish, "accept", "").await.expect("from above");
}

#[tokio::test]
async fn somebody_with_a_role_above_is_merged_moved_and_struck_off_from_above() {
    let (backend, _, org) = organisation().await;
    let (below, members, chief) = (&org.coast_registrar.viewer, backend.members(), &org.province_chief_editor);
    for (keep, other) in [(org.teacher.id, chief.id), (chief.id, org.teacher.id)] {
        let refused = refusal(members.merge(below, keep, other).await);
        assert_eq!(refused.problem("keep"), Some(&Problem::HeldAbove));
    }
    let (id, to) = (chief.id.to_string(), org.harbour.id.to_string());
    let form = TransferForm { member: &id, to: &to, reason: "Chuyển nơi cư trú." };
    assert_eq!(refusal(members.request_transfer(below, form).await).problem("to"), Some(&Problem::HeldAbove));
    let transfer = members.request_transfer(&above(&org), form).await.expect("from above").to_string();
    let refused = refusal(members.decide_transfer(&org.secretary.viewer, &transfer, "accept", "").await);
    assert_eq!(refused.problem("decision"), Some(&Problem::RolesFirst), "the requester has no right to records");
    let mut registry = Registry::new(&backend, 9, start() - TimeDelta::days(1));
    registry.office(org.province_statistician.id, Role::Registrar, &org.province, None);
    registry.save().await.expect("saves");
    members.decide_transfer(&org.secretary.viewer, &transfer, "accept", "").await.expect("was sent from above");

    let (id, version, _) = form_of(&backend, chief).await;
    let form = StateForm { id: &id, version: &version, state: "left", day: "2026-11-21" };
    assert_eq!(refusal(members.set_state(below, form).await).problem("state"), Some(&Problem::HeldAbove));
    members.set_state(&above(&org), form).await.expect("from above");
}

#[tokio::test]
async fn roles_never_move_with_a_merge() {
    let (backend, _, org) = organisation().await;
    let refused = refusal(backend.members().merge(&above(&org), org.teacher.id, org.province_chief_editor.id).await);
    assert_eq!(refused.problem("keep"), Some(&Problem::KeepsRoles), "no role would be left");
    backend.members().merge(&above(&org), org.coast_registrar.id, org.province_chief_editor.id).await.expect("merges");
    let page = backend.offices().list(&above(&org), org.province.id, None).await.expect("a page");
    assert!(page.current.iter().all(|office| office.role != Role::ChiefEditor), "{:?}", page.current);
    let over: Vec<_> = page.over.iter().filter(|office| office.role == Role::ChiefEditor).collect();
    assert_eq!((over.len(), over[0].member), (1, org.province_chief_editor.id), "it stays with the record it was given to");
}

#[tokio::test]
async fn the_owner_is_notified_of_a_code_a_new_password_and_a_new_phone() {
    let fixture = ActivationFixture::open().await;
    fixture.backend.word_notices_by(|_: Locale, notice: AccountNotice| format!("Told: {notice:?}"));
    let secretary = &fixture.org.secretary.viewer;
    let first = fixture.paper_code().await;
    let activation = fixture.begin_activation(crate::activation::WITH_PHONE).await;
    fixture.try_code(&activation, &first).await.expect("is right");
    fixture.choose(&activation, NEW_PASSWORD).await.expect("the account begins, and nobody is told what they did themselves");

    let session = fixture.sign_in(crate::activation::WITH_PHONE, NEW_PASSWORD).await.expect("signs in").token;
    let viewer = fixture.backend.accounts().session(&session).await.expect("reads").expect("is open").viewer;
    let home = fixture.backend.home().page(&viewer).await.expect("a page");
    assert!(!home.code_open && home.account_changes.is_empty(), "their own actions are not notified");
    let second = fixture.paper_code().await;
    assert!(fixture.sent().await.contains("Told: CodeIssued"));
    assert!(fixture.backend.home().page(&viewer).await.expect("a page").code_open, "where the owner is signed in too");
    let activation = fixture.begin_activation(crate::activation::WITH_PHONE).await;
    fixture.try_code(&activation, &second).await.expect("is right");
    fixture.choose(&activation, "thuyen ve ben luc 6 gio").await.expect("chooses");
    assert!(fixture.sent().await.contains("Told: PasswordChanged"));
    assert!(!fixture.backend.home().page(&viewer).await.expect("a page").code_open, "the code is spent");

    let row = fixture.backend.members().record(secretary, fixture.newcomer).await.expect("a record").record;
    let (id, version) = (row.id.to_string(), row.version.to_string());
    let form = MemberForm {
        phone: "0901234567",
        birth_date: "1952-04-30",
        admitted_on: "1975-04-30",
        ..unchanged(&id, &version, &row.name, &row.card)
    };
    fixture.backend.members().change(&fixture.org.coast_registrar.viewer, form).await.expect("changes");
    let told = fixture.sent().await;
    assert!(told.contains("Told: PhoneChanged") && told.contains(&PHONE[7..]), "to the previous number: {told}");
    let row = fixture.backend.members().record(secretary, fixture.newcomer).await.expect("a record").record;
    let version = row.version.to_string();
    let form = MemberForm { version: &version, phone: "0901234567", national_id: "951000777777", ..form };
    fixture.backend.members().change(&fixture.org.coast_registrar.viewer, form).await.expect("changes");
    assert!(fixture.sent().await.contains("Told: IdChanged"));

    let (coast, harbour) = (Some(fixture.org.coast.name.clone()), Some(fixture.org.harbour.name.clone()));
    let expected = [("national_id", coast.clone()), ("password", harbour), ("phone", coast)];
    assert_eq!(changes(fixture.backend.home().page(&viewer).await.expect("a page").account_changes), expected);
    let members = fixture.backend.members();
    assert_eq!(changes(members.own(&viewer).await.expect("the own record").account_changes), expected);
    assert_eq!(changes(members.own(&viewer).await.expect("the own record").account_changes), NOTHING, "shown once");
    assert_eq!(changes(fixture.backend.home().page(&viewer).await.expect("a page").account_changes), NOTHING);
}

const NOTHING: [(&str, Option<String>); 0] = [];

/// What was changed, and by which unit.
fn changes(told: Vec<AccountChange>) -> Vec<(&'static str, Option<String>)> {
    let mut changes: Vec<_> = told.into_iter().map(|change| (change.notice.key(), change.office)).collect();
    changes.sort_unstable();
    changes
}

#[tokio::test]
async fn owners_of_accounts_are_notified_of_accepted_numbers_and_new_passwords_on_the_first_page() {
    let (backend, _, org) = organisation().await;
    let person = &org.fisherman;
    let wish = CorrectionForm { field: "phone", wanted: "0907654321", reason: "Đổi số." };
    let wish = backend.members().request_correction(&person.viewer, wish).await.expect("asks").to_string();
    backend.members().decide_correction(&org.coast_registrar.viewer, &wish, "decline", "Số này sai.").await.expect("declines");
    assert_eq!(
        changes(backend.home().page(&person.viewer).await.expect("a page").account_changes),
        NOTHING,
        "nothing was changed"
    );
    let wish = CorrectionForm { field: "phone", wanted: "0907654322", reason: "Đổi số." };
    let wish = backend.members().request_correction(&person.viewer, wish).await.expect("asks").to_string();
    backend.members().decide_correction(&org.coast_registrar.viewer, &wish, "accept", "").await.expect("accepts");
    let token = {
        let form = SignInForm { national_id: &person.national_id, password: PASSWORD, device: "" };
        backend.accounts().sign_in(form).await.expect("signs in").token
    };
    let typed = PasswordForm { current: PASSWORD, new: NEW_PASSWORD };
    backend.accounts().change_password(&person.viewer, &token, typed).await.expect("changes");
    let expected = [("password", None), ("phone", Some(org.coast.name.clone()))];
    assert_eq!(changes(backend.home().page(&person.viewer).await.expect("a page").account_changes), expected);

    let (id, unit) = (backend.clock().ulid().to_string(), org.harbour.id.to_string());
    let form = MemberForm { phone: "0907654323", unit: &unit, ..unchanged(&id, "0", "Võ Thị Sứa", "51.888888") };
    let stranger = backend.members().register(&org.coast_registrar.viewer, form).await.expect("registers");
    let version = backend.members().record(&org.coast_registrar.viewer, stranger).await.expect("a record").record.version;
    let version = version.to_string();
    let form = MemberForm { version: &version, phone: "0907654324", ..form };
    backend.members().change(&org.coast_registrar.viewer, form).await.expect("changes");
    let viewer = Viewer { member: stranger, ..person.viewer.clone() };
    assert_eq!(
        changes(backend.home().page(&viewer).await.expect("a page").account_changes),
        NOTHING,
        "nothing to be taken over yet"
    );
}

// The property test.

/// A member of the random organisation.
struct Somebody {
    id: MemberId,
    name: String,
    card: String,
    branch: usize,
}

/// A random organisation: a province, communes, branches, people, and roles anywhere.
struct World {
    backend: Backend,
    units: Vec<UnitRef>,
    branches: Vec<usize>,
    people: Vec<Somebody>,
    /// The subtree whose people attack.
    inside: UnitPath,
}

const COMMUNES: usize = 3;

impl World {
    async fn grow(shape: &[u8], roles: &[(u8, u8, u8)]) -> Self {
        let clock = Clock::fixed(start(), 1);
        let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock).await.expect("opens");
        let mut registry = Registry::new(&backend, 1, start() - TimeDelta::days(400));
        let mut units = vec![registry.unit(None, level("province"), "51", "Tỉnh").expect("a code")];
        let (mut branches, mut people) = (Vec::new(), Vec::new());
        for (commune, size) in shape.iter().enumerate().take(COMMUNES) {
            let code = format!("{:03}", commune + 1);
            let above = registry.unit(Some(&units[0]), level("commune"), &code, &format!("Xã {code}")).expect("a code");
            units.push(above.clone());
            for branch in 0..=usize::from(size % 2) {
                let code = format!("{:02}", branch + 1);
                units.push(registry.unit(Some(&above), level("branch"), &code, &format!("Chi bộ {code}")).expect("a code"));
                branches.push(units.len() - 1);
            }
        }
        for (at, branch) in branches.iter().copied().cycle().take(branches.len() * 4).enumerate() {
            let (name, card) = (format!("Nguyễn Văn {}", ["An", "Ba", "Cư", "Da"][at % 4]), format!("51{at:06}"));
            let id = NationalId::parse(&format!("9510{at:08}")).expect("twelve digits");
            let member = NewMember {
                code: &card,
                full_name: &name,
                sex: Sex::Female,
                birth_date: NaiveDate::from_ymd_opt(1980, 2, 3).expect("a day"),
                admitted_on: NaiveDate::from_ymd_opt(2008, 2, 3).expect("a day"),
                standing: Standing::Official,
                national_id: &id,
                phone: None,
                unit: &units[branch],
            };
            let id = registry.member(&member).expect("registers");
            people.push(Somebody { id, name, card, branch });
        }
        let mut given = BTreeSet::new();
        for (who, role, unit) in roles {
            let (who, unit) = (usize::from(*who) % people.len(), usize::from(*unit) % units.len());
            let role = Role::ALL[usize::from(*role) % Role::ALL.len()];
            if given.insert((who, role, unit)) {
                registry.office(people[who].id, role, &units[unit], None);
            }
        }
        // So that every world has a target, and an attacker with rights.
        registry.office(people[0].id, Role::Operator, &units[0], Some(NaiveDate::from_ymd_opt(2030, 1, 1).expect("a day")));
        let fresh = branches.len();
        registry.office(people[fresh].id, Role::Registrar, &units[1], Some(NaiveDate::from_ymd_opt(2030, 1, 1).expect("a day")));
        registry.save().await.expect("saves");
        let inside = units[1].path.clone();
        Self { backend, units, branches, people, inside }
    }

    /// A person who sees all roles.
    fn observer(&self) -> Viewer {
        self.viewer(0, vec![Office { role: Role::Operator, unit: self.units[0].clone() }])
    }

    fn viewer(&self, who: usize, offices: Vec<Office>) -> Viewer {
        let (person, branch) = (&self.people[who], &self.units[self.people[who].branch]);
        let grants = offices.iter().map(|office| Grant { role: office.role, path: office.unit.path.clone() }).collect();
        let standpoint = Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants };
        Viewer { member: person.id, name: person.name.clone(), branch: branch.clone(), standpoint, offices, resting: Vec::new() }
    }

    /// Who holds which role on which unit, today or later.
    async fn roles(&self) -> Vec<(MemberId, Role, UnitRef, bool)> {
        let (observer, mut roles) = (self.observer(), Vec::new());
        for unit in &self.units {
            let Ok(page) = self.backend.offices().list(&observer, unit.id, None).await else { continue };
            for office in page.current {
                roles.push((office.member, office.role, page.unit.clone(), office.term == Term::Held));
            }
        }
        roles
    }

    /// Lets a controlled person of the subtree do one thing, and adds the accounts they gain control of.
    async fn act(&self, hands: &mut BTreeSet<usize>, [who, act, whom, other, unit]: [u8; 5]) {
        let pick = |byte: u8, count: usize| usize::from(byte) % count;
        let actors: Vec<usize> = hands.iter().copied().collect();
        let actor = actors[pick(who, actors.len())];
        let roles = self.roles().await;
        let own = roles.iter().filter(|(member, _, _, held)| *member == self.people[actor].id && *held);
        let viewer = self.viewer(actor, own.map(|(_, role, unit, _)| Office { role: *role, unit: unit.clone() }).collect());
        let (whom, other, unit) =
            (pick(whom, self.people.len()), pick(other, self.people.len()), &self.units[pick(unit, self.units.len())]);
        let (target, id, target_unit) = (&self.people[whom], self.people[whom].id.to_string(), unit.id.to_string());
        let (accounts, members) = (self.backend.accounts(), self.backend.members());
        let taken = match act % 10 {
            0 => accounts.issue_paper_code(&viewer, target.id).await.is_ok(),
            1 => {
                let branch = &self.units[self.branches[pick(act / 10, self.branches.len())]];
                accounts.issue_paper_codes(&viewer, branch.id, std::slice::from_ref(&id)).await.is_ok()
            }
            2 => {
                let version = match members.record(&viewer, target.id).await {
                    Ok(page) => page.record.version.to_string(),
                    Err(_) => return,
                };
                let (phone, number) =
                    (format!("090{:07}", u32::from(who) * 251 + u32::from(act)), format!("9519{who:04}{act:04}"));
                let form = unchanged(&id, &version, &target.name, &target.card);
                let form = if unit.kind.holds_members() {
                    MemberForm { phone: &phone, ..form }
                } else {
                    MemberForm { national_id: &number, ..form }
                };
                members.change(&viewer, form).await.is_ok()
            }
            3 => {
                // The rights of one record then belong to the other.
                let merged = members.merge(&viewer, target.id, self.people[other].id).await.is_ok();
                merged && (hands.contains(&whom) || hands.contains(&other))
            }
            4 => {
                let form = TransferForm { member: &id, to: &target_unit, reason: "Chuyển." };
                if let Ok(transfer) = members.request_transfer(&viewer, form).await {
                    let _ = members.decide_transfer(&viewer, &transfer.to_string(), "accept", "").await;
                }
                false
            }
            5 => {
                let Ok(page) = members.record(&viewer, target.id).await else { return };
                let version = page.record.version.to_string();
                let state = if page.record.state == MemberState::Active { "left" } else { "active" };
                let _ = members.set_state(&viewer, StateForm { id: &id, version: &version, state, day: "2026-11-21" }).await;
                false
            }
            6 => {
                let role = Role::ALL[pick(u8::try_from(other).unwrap_or(u8::MAX), Role::ALL.len())].key();
                let form = GrantForm { unit: &target_unit, card: &target.card, role, from: "2026-11-21", until: "" };
                let _ = self.backend.offices().grant(&viewer, form).await;
                false
            }
            7 => {
                if let Ok(page) = self.backend.offices().list(&viewer, unit.id, None).await {
                    for office in page.current.iter().skip(pick(u8::try_from(other).unwrap_or(u8::MAX), 3)).take(1) {
                        let _ = self.backend.offices().end(&viewer, office.id).await;
                    }
                }
                false
            }
            8 => {
                let moved =
                    self.units[self.branches[pick(u8::try_from(whom).unwrap_or(u8::MAX), self.branches.len())]].id.to_string();
                let code = format!("{:02}", 10 + other % 80);
                let form = MoveForm { unit: &moved, version: "1", target: &target_unit, code: &code, on: "2026-11-21" };
                let _ = self.backend.unit_desk().move_below(&viewer, form).await;
                false
            }
            _ => {
                let gone =
                    self.units[self.branches[pick(u8::try_from(whom).unwrap_or(u8::MAX), self.branches.len())]].id.to_string();
                let form = MergeForm { unit: &gone, version: "1", target: &target_unit, on: "2026-11-21" };
                let _ = self.backend.unit_desk().merge(&viewer, form).await;
                false
            }
        };
        if taken {
            hands.insert(whom);
        }
    }

    /// Roles outside the subtree, held by controlled people.
    async fn rights_outside(&self, hands: &BTreeSet<usize>) -> Vec<(MemberId, Role, UnitPath)> {
        let in_hands: BTreeSet<MemberId> = hands.iter().map(|who| self.people[*who].id).collect();
        let roles = self
            .roles()
            .await
            .into_iter()
            .filter(|(member, _, unit, _)| in_hands.contains(member) && !self.inside.contains(&unit.path));
        roles.map(|(member, role, unit, _)| (member, role, unit.path)).collect()
    }
}

/// No sequence of actions by people of a subtree gives them a right outside it.
#[test]
fn no_actions_of_people_of_a_subtree_gain_rights_outside_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let config = ProptestConfig { cases: 10, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (vec(any::<u8>(), COMMUNES), vec(any::<(u8, u8, u8)>(), 4..10), vec(any::<[u8; 5]>(), 60));
    let outcome = TestRunner::new(config).run(&strategy, |(shape, roles, acts)| {
        let (tried, found) = runtime.block_on(async {
            let world = World::grow(&shape, &roles).await;
            let held = world.roles().await;
            // People of the subtree who hold nothing outside it.
            let mut hands: BTreeSet<usize> = (0..world.people.len())
                .filter(|who| world.inside.contains(&world.units[world.people[*who].branch].path))
                .filter(|who| {
                    let own = held.iter().filter(|(member, ..)| *member == world.people[*who].id);
                    own.into_iter().all(|(_, _, unit, _)| world.inside.contains(&unit.path))
                })
                .collect();
            let began = hands.len();
            // Everybody of the subtree may hold something outside it.
            for act in acts.iter().filter(|_| began > 0) {
                world.act(&mut hands, *act).await;
                let found = world.rights_outside(&hands).await;
                if !found.is_empty() {
                    return (began, found);
                }
            }
            (began, Vec::new())
        });
        prop_assume!(tried > 0, "nobody tries");
        prop_assert_eq!(found, Vec::new());
        Ok(())
    });
    outcome.expect("no right outside the subtree");
}
