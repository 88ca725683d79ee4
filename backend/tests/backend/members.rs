//! The registry: who finds, reads, corrects and moves whom, and that no number is stored in the clear.

use std::{collections::BTreeSet, fs, path::Path};

use backend::{
    Backend, Error,
    accounts::SignInForm,
    demo::registry::{NewMember, Registry},
    feedback::OpinionForm,
    members::{CorrectionForm, MemberForm, StateForm, TransferForm},
    units::PhaseForm,
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    events::{Event, EventBody, EventKind, MemberChange},
    forms::Problem,
    ids::MemberId,
    meetings::AttendanceKind,
    members::{
        CorrectionField, CorrectionState, Hits, MemberState, NationalId, PhoneNumber, QualityIssue, RECORD_HOLDER,
        RECORD_HOLDER_NAME, Sex, Standing,
    },
    policy::Role,
    units::{Phase, UnitRef},
};

use crate::{
    documents::published,
    engines::on_both_engines,
    meetings::{held, took_part},
    support::{Fixture, PASSWORD, Person, on_disk, organisation, read_through, start},
    units::registrar,
};

on_both_engines! {
    members_are_found_by_name_and_card_and_by_registrars_by_the_whole_id,
    nobody_finds_or_opens_a_record_outside_the_own_subtree,
    a_list_goes_on_where_it_stopped,
    opening_a_record_is_logged,
    a_member_is_registered_once_and_counts,
    a_change_names_its_fields_and_never_their_values,
    numbers_of_other_members_are_refused,
    a_member_who_leaves_is_signed_out_and_may_return,
    a_correction_is_requested_accepted_and_seen,
    of_concurrent_correction_requests_one_is_pending,
    an_invalid_correction_is_refused,
    a_transfer_moves_a_member_with_the_history_kept,
    a_transfer_belongs_to_its_two_ends,
    the_queue_shrinks_as_issues_are_fixed,
    two_records_become_one_with_one_history,
    attendance_of_leaders_follows_when_two_records_become_one,
    duplicates_may_be_two_people,
    of_two_decisions_at_the_same_time_none_is_lost,
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>, field: &str) -> Option<Problem> {
    match outcome {
        Err(Error::Invalid(errors)) => errors.problem(field).cloned(),
        other => panic!("{other:?}"),
    }
}

async fn found(backend: &Backend, viewer: &Viewer, typed: &str) -> Vec<String> {
    let page = backend.members().search(viewer, typed, None, None).await.expect("a page");
    page.members.into_iter().map(|member| member.name).collect()
}

/// Subscribes to events from now on.
async fn listen(backend: &Backend) -> tokio::sync::broadcast::Receiver<Event> {
    backend.catch_up().await.expect("reads the log");
    backend.events().listen()
}

/// Events since the subscription; unordered, because the clock stands still.
async fn new_events(backend: &Backend, listener: &mut tokio::sync::broadcast::Receiver<Event>) -> Vec<Event> {
    backend.catch_up().await.expect("reads the log");
    std::iter::from_fn(|| listener.try_recv().ok()).collect()
}

/// A form of a new member that is valid as it is.
fn new_member<'f>(id: &'f str, unit: &'f str) -> MemberForm<'f> {
    MemberForm {
        id,
        version: "0",
        full_name: "Trương Thị Mới",
        card: "51.900 001",
        sex: "female",
        birth_date: "19/5/1990",
        admitted_on: "2020-02-03",
        official_on: "3/2/2021",
        standing: "official",
        national_id: "951 300 900 001",
        phone: "+84 900 900 001",
        unit,
    }
}

async fn registered(backend: &Backend, org: &Fixture, change: impl FnOnce(MemberForm<'_>) -> MemberForm<'_>) -> MemberId {
    let (id, unit) = (backend.clock().ulid().to_string(), org.harbour.id.to_string());
    backend.members().register(&org.coast_registrar.viewer, change(new_member(&id, &unit))).await.expect("registers")
}

async fn version(backend: &Backend, org: &Fixture, id: MemberId) -> String {
    backend.members().record(&org.coast_registrar.viewer, id).await.expect("a record").record.version.to_string()
}

async fn transfer(backend: &Backend, by: &Viewer, member: MemberId, to: &UnitRef) -> String {
    let (member, to) = (member.to_string(), to.id.to_string());
    let form = TransferForm { member: &member, to: &to, reason: "Chuyển nơi cư trú." };
    backend.members().request_transfer(by, form).await.expect("is asked for").to_string()
}

async fn members_are_found_by_name_and_card_and_by_registrars_by_the_whole_id(backend: &Backend, org: &Fixture) {
    let registrar = &org.coast_registrar.viewer;
    assert_eq!(found(backend, registrar, "nguyen duc").await, ["Nguyễn Đức Thắng"]);
    assert_eq!(found(backend, registrar, "THẮNG").await, ["Nguyễn Đức Thắng"]);
    assert_eq!(
        found(backend, registrar, "thi b").await,
        ["Huỳnh Thị Bến", "Ngô Thị Bảng"],
        "beginnings, in the order of branches"
    );
    assert_eq!(found(backend, registrar, "51.000 001").await, ["Võ Văn Khơi"]);
    let national_id = &org.fisherman.national_id;
    assert_eq!(found(backend, registrar, national_id).await, ["Võ Văn Khơi"]);
    for leader in [&org.secretary.viewer, &org.coast_secretary.viewer] {
        assert_eq!(found(backend, leader, "Võ Văn Khơi").await, ["Võ Văn Khơi"]);
        assert_eq!(found(backend, leader, national_id).await, [] as [&str; 0], "without visible digits nobody is found by them");
    }
    for part in 1..national_id.len() {
        let (start, end) = (&national_id[..part], &national_id[national_id.len() - part..]);
        for typed in [start, end] {
            assert_eq!(found(backend, registrar, typed).await, [] as [&str; 0], "a part of the national ID: {typed}");
        }
    }
    for nothing in ["khong co ai", "51999999", "9999", "951000999999", "Đức 12", "a b c d e f g h i"] {
        assert_eq!(found(backend, registrar, nothing).await, Vec::<String>::new(), "{nothing}");
    }
    assert_eq!(found(backend, registrar, "").await.len(), 16);
    let narrowed = backend.members().search(registrar, "thi", Some(org.harbour.id), None).await.expect("a page");
    assert_eq!((narrowed.members.len(), narrowed.unit.id, narrowed.narrowed), (2, org.harbour.id, true));
}

async fn nobody_finds_or_opens_a_record_outside_the_own_subtree(backend: &Backend, org: &Fixture) {
    let members = backend.members();
    for (person, sees, opens) in [
        (&org.secretary, 6, true),
        (&org.coast_secretary, 16, true),
        (&org.coast_registrar, 16, true),
        (&org.school_secretary, 10, false),
        (&org.farm_secretary, 3, false),
    ] {
        assert_eq!(found(backend, &person.viewer, "").await.len(), sees, "{}", person.name);
        for typed in ["khoi", "51000001"] {
            assert_eq!(found(backend, &person.viewer, typed).await.len(), usize::from(opens), "{} {typed}", person.name);
        }
        // A part of an ID finds nobody; the whole ID only for those who keep the records.
        let keeps = person.id == org.coast_registrar.id;
        for (typed, finds) in [("0001", false), (org.fisherman.national_id.as_str(), keeps)] {
            assert_eq!(found(backend, &person.viewer, typed).await.len(), usize::from(finds), "{} {typed}", person.name);
        }
        let record = members.record(&person.viewer, org.fisherman.id).await;
        assert_eq!(record.is_ok(), opens, "{}: {record:?}", person.name);
        assert!(opens || matches!(record, Err(Error::NotFound)));
    }
    for person in [&org.fisherman, &org.coast_editor, &org.coast_committee_member, &org.former_secretary, &org.operator] {
        assert!(matches!(members.search(&person.viewer, "", None, None).await, Err(Error::NotFound)), "{}", person.name);
        assert!(matches!(members.record(&person.viewer, person.id).await, Err(Error::NotFound)), "{}", person.name);
        assert_eq!(members.own(&person.viewer).await.expect("the own record").record.name, person.name);
    }
    let outside = members.search(&org.coast_registrar.viewer, "", Some(org.farm.id), None).await;
    assert!(matches!(outside, Err(Error::NotFound)), "{outside:?}");
    let foreign = format!("0-{}", org.farmer.id);
    for after in [foreign.as_str(), "7-01ARZ3NDEKTSV4RRFFQ69G5FAV", "x", "0-x"] {
        let page = members.search(&org.coast_registrar.viewer, "", None, Some(after)).await;
        assert!(matches!(page, Err(Error::NotFound)), "{after}");
    }
    // A secretary reads but does not write.
    let id = org.fisherman.id;
    assert!(matches!(members.form(&org.secretary.viewer, id).await, Err(Error::NotAllowed)));
    assert!(matches!(members.state_page(&org.secretary.viewer, id).await, Err(Error::NotAllowed)));
    assert!(matches!(members.merge(&org.secretary.viewer, id, org.deputy.id).await, Err(Error::NotAllowed)));
    assert!(matches!(members.form(&org.school_secretary.viewer, id).await, Err(Error::NotFound)));
    assert!(matches!(members.blank(&org.secretary.viewer, None, "").await, Err(Error::NotFound)));
}

async fn a_list_goes_on_where_it_stopped(backend: &Backend, org: &Fixture) {
    let mut registry = Registry::new(backend, 5, start() - TimeDelta::days(1));
    for number in 0..55 {
        let name = ["Nguyễn Văn An", "Lê Thị An Bình", "Trần An"][number % 3];
        let unit = if number % 2 == 0 { &org.harbour } else { &org.school };
        plant(&mut registry, name, unit, number, None);
    }
    registry.save().await.expect("saves");
    let registrar = &org.coast_registrar.viewer;
    for (typed, expected) in [("", 71), ("an", 55), ("an v", 19), ("tran an", 18)] {
        let mut seen = BTreeSet::new();
        let mut after: Option<String> = None;
        let mut pages = 0;
        loop {
            let page = backend.members().search(registrar, typed, None, after.as_deref()).await.expect("a page");
            assert!(page.members.len() <= 20);
            let hits = after.is_none().then_some(Hits::Exactly(expected));
            assert_eq!(page.hits, hits, "{typed}");
            for member in page.members {
                assert!(seen.insert(member.id), "{typed}: {} comes once", member.name);
            }
            pages += 1;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len() as u64, expected, "{typed} in {pages} pages");
    }
    let rows = async |rows| backend.members().search_rows(registrar, "an", None, None, rows).await.expect("a page");
    let (few, more) = (rows(20).await, rows(60).await);
    assert_eq!((few.members.len(), more.members.len()), (20, 55));
    assert_eq!(few.members, more.members[..20], "those that were there stay");
    assert_eq!((more.hits, more.next), (Some(Hits::Exactly(55)), None));
}

fn plant(registry: &mut Registry<'_>, name: &str, unit: &UnitRef, number: usize, phone: Option<&PhoneNumber>) -> MemberId {
    let id = NationalId::parse(&format!("9527{number:08}")).expect("an ID");
    let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
    registry
        .member(&NewMember {
            code: &format!("52{number:06}"),
            full_name: name,
            sex: Sex::Male,
            birth_date: day("1970-01-02"),
            admitted_on: day("1999-01-02"),
            standing: Standing::Official,
            national_id: &id,
            phone,
            unit,
        })
        .expect("registers")
}

async fn opening_a_record_is_logged(backend: &Backend, org: &Fixture) {
    let id = registered(backend, org, |form| form).await;
    let mut listener = listen(backend).await;
    let members = backend.members();
    let for_registrar = members.record(&org.coast_registrar.viewer, id).await.expect("a record");
    assert_eq!(for_registrar.record.national_id.as_deref(), Some("••••••••••01"));
    assert_eq!(for_registrar.record.phone.as_deref(), Some("0900900001"));
    assert!(for_registrar.may.manage && for_registrar.may.transfer);
    let for_secretary = members.record(&org.secretary.viewer, id).await.expect("a record");
    assert_eq!(for_secretary.record.national_id.as_deref(), Some("••••••••••••"), "with the birth date, each digit reveals much");
    assert_eq!(for_secretary.record.phone.as_deref(), Some("•••••••001"));
    assert!(!for_secretary.may.manage && for_secretary.may.transfer);
    members.record(&org.secretary.viewer, org.secretary.id).await.expect("the own record by office");
    members.own(&org.fisherman.viewer).await.expect("the own record");
    let _ = members.record(&org.farm_secretary.viewer, id).await;
    let events = new_events(backend, &mut listener).await;
    let mut looks: Vec<_> =
        events.iter().filter(|event| event.body == EventBody::RecordOpened(id)).filter_map(|event| event.actor).collect();
    looks.sort_unstable();
    let mut lookers = [org.coast_registrar.id, org.secretary.id];
    lookers.sort_unstable();
    assert_eq!(looks, lookers, "opening the own record is private");
    let own = members.own(&org.fisherman.viewer).await.expect("the own record").record;
    assert_eq!(own.national_id.as_deref(), Some(org.fisherman.national_id.as_str()), "the owner sees everything");
    assert_eq!(own.postings.len(), 1);
}

async fn a_member_is_registered_once_and_counts(backend: &Backend, org: &Fixture) {
    let statistics = async || {
        Registry::new(backend, 9, start()).save().await.expect("counts afresh");
        let viewer = &org.province_statistician.viewer;
        backend.statistics().page(viewer, None).await.expect("a page").total.figures.expect("a large group").members
    };
    let before = statistics().await;
    let (id, unit) = (backend.clock().ulid().to_string(), org.harbour.id.to_string());
    let form = new_member(&id, &unit);
    let mut listener = listen(backend).await;
    let registrar = &org.coast_registrar.viewer;
    let member = backend.members().register(registrar, form).await.expect("registers");
    assert_eq!(backend.members().register(registrar, form).await.expect("the same button twice"), member);
    let events = new_events(backend, &mut listener).await;
    let registrations: Vec<_> = events.iter().filter(|event| event.kind() == EventKind::MemberRegistered).collect();
    assert_eq!(registrations.len(), 1);
    assert_eq!(registrations[0].unit, org.harbour.path);
    assert_eq!(registrations[0].body, EventBody::MemberRegistered { member, standing: Some(Standing::Official) });
    assert_eq!(statistics().await, before + 1);
    let record = backend.members().record(registrar, member).await.expect("a record").record;
    assert_eq!((record.name.as_str(), record.card.as_str(), record.version), ("Trương Thị Mới", "51900001", 1));
    assert_eq!(record.postings.len(), 1);
    assert_eq!(record.branch.id, org.harbour.id);
    assert_eq!(found(backend, registrar, "truong moi").await, ["Trương Thị Mới"]);
    let state = StateForm { id: &member.to_string(), version: &record.version.to_string(), state: "deceased", day: "21/11/2026" };
    backend.members().set_state(registrar, state).await.expect("is written down");
    assert_eq!(statistics().await, before, "former members do not count");

    for (form, field, problem) in [
        (MemberForm { full_name: " ", ..form }, "full_name", Problem::Required),
        (MemberForm { national_id: "12345678901", ..form }, "national_id", Problem::Digits { expected: 12 }),
        (MemberForm { birth_date: "1/1/2190", ..form }, "birth_date", Problem::DateRange),
        (MemberForm { birth_date: "31/2/1990", ..form }, "birth_date", Problem::NoSuchDay),
        (MemberForm { admitted_on: "1/1/2000", official_on: "", ..form }, "admitted_on", Problem::DateRange),
        (MemberForm { official_on: "1/1/2019", ..form }, "official_on", Problem::DateRange),
        (MemberForm { unit: "", ..form }, "unit", Problem::Required),
        (MemberForm { unit: &org.farm.id.to_string(), ..form }, "unit", Problem::NotOffered),
        (MemberForm { unit: &org.coast.id.to_string(), ..form }, "unit", Problem::NotOffered),
        (MemberForm { standing: "king", ..form }, "standing", Problem::NotOffered),
        (MemberForm { card: "=cmd|1", ..form }, "card", Problem::Characters),
    ] {
        assert_eq!(refusal(backend.members().register(registrar, form).await, field), Some(problem), "{field}");
    }
    assert!(matches!(backend.members().register(&org.secretary.viewer, form).await, Err(Error::NotFound)));

    // The same form sent again with another person's data.
    let other = MemberForm { full_name: "Lê Thử Hai", card: "51.900 002", national_id: "951 300 900 002", phone: "", ..form };
    let mended = MemberForm { national_id: "951 300 900 003", ..form };
    assert_eq!(refusal(backend.members().register(registrar, mended).await, "card"), Some(Problem::Taken));
    let second = backend.members().register(registrar, other).await.expect("registers the other one");
    assert_ne!(second, member);
    assert_eq!(backend.members().record(registrar, second).await.expect("reads").record.name, "Lê Thử Hai");
}

async fn a_change_names_its_fields_and_never_their_values(backend: &Backend, org: &Fixture) {
    let id = registered(backend, org, |form| form).await;
    let (key, registrar) = (id.to_string(), &org.coast_registrar.viewer);
    let form = MemberForm { version: "1", national_id: "", ..new_member(&key, "") };
    let mut listener = listen(backend).await;
    let members = backend.members();
    members.change(registrar, form).await.expect("nothing to change is no mistake");
    let changed = MemberForm { full_name: "Trương Thị Mới Hơn", phone: "0900900002", ..form };
    members.change(registrar, changed).await.expect("changes");
    let events = new_events(backend, &mut listener).await;
    let logged: Vec<_> =
        events.into_iter().filter(|event| event.kind() == EventKind::MemberChanged).map(|event| event.body).collect();
    let fields = ["full_name", "phone"].map(str::to_owned).to_vec();
    assert_eq!(logged, [EventBody::MemberChanged { member: id, change: Some(MemberChange::Fields(fields)) }]);
    assert_eq!(refusal(members.change(registrar, changed).await, "full_name"), Some(Problem::Stale), "an older version");
    let record = members.record(registrar, id).await.expect("a record").record;
    assert_eq!((record.version, record.national_id.as_deref()), (2, Some("••••••••••01")), "an empty ID leaves the stored one");
    assert_eq!(found(backend, registrar, "hơn").await, ["Trương Thị Mới Hơn"]);
    assert!(matches!(members.change(&org.secretary.viewer, changed).await, Err(Error::NotAllowed)));
    assert!(matches!(members.change(&org.farm_secretary.viewer, changed).await, Err(Error::NotFound)));
}

async fn numbers_of_other_members_are_refused(backend: &Backend, org: &Fixture) {
    let id = registered(backend, org, |form| form).await.to_string();
    let registrar = &org.coast_registrar.viewer;
    let (fresh, unit) = (backend.clock().ulid().to_string(), org.school.id.to_string());
    let form = new_member(&fresh, &unit);
    let same_id = MemberForm { card: "51900002", ..form };
    let same_card = MemberForm { national_id: "", ..form };
    for (taken, field) in [(same_id, "national_id"), (same_card, "card")] {
        match backend.members().register(registrar, taken).await {
            Err(Error::Invalid(errors)) => {
                assert_eq!(errors.problem(field), Some(&Problem::Taken));
                assert_eq!(errors.value(RECORD_HOLDER), Some(&*id), "{field}");
                assert_eq!(errors.value(RECORD_HOLDER_NAME), Some(form.full_name), "{field}");
            }
            other => panic!("{other:?}"),
        }
    }
    // The conflicting record is outside the subtree: the answer does not reveal it.
    let taken = MemberForm { id: &id, version: "1", national_id: &org.farmer.national_id, ..form };
    assert_eq!(refusal(backend.members().change(registrar, taken).await, "national_id"), Some(Problem::ToBeVerified));
}

async fn a_member_who_leaves_is_signed_out_and_may_return(backend: &Backend, org: &Fixture) {
    let (secretary, registrar) = (&org.secretary, &org.coast_registrar.viewer);
    let sign_in = || SignInForm { national_id: &secretary.national_id, password: PASSWORD, device: "" };
    let token = backend.accounts().sign_in(sign_in()).await.expect("signs in").token;
    transfer(backend, &org.coast_secretary.viewer, secretary.id, &org.school).await;
    let id = secretary.id.to_string();
    let members = backend.members();
    let page = members.state_page(registrar, secretary.id).await.expect("a page");
    assert_eq!(page.next, [MemberState::Transferred, MemberState::Left, MemberState::Deceased]);
    let number = page.version.to_string();
    let form = StateForm { id: &id, version: &number, state: "left", day: "20/11/2026" };
    for (form, field, problem) in [
        (StateForm { state: "merged", ..form }, "state", Problem::NotOffered),
        (StateForm { day: "22/11/2026", ..form }, "day", Problem::DateRange),
        (StateForm { day: "2/2/2008", ..form }, "day", Problem::DateRange),
        (StateForm { version: "77", ..form }, "state", Problem::Stale),
    ] {
        assert_eq!(refusal(members.set_state(registrar, form).await, field), Some(problem));
    }
    members.set_state(registrar, form).await.expect("leaves");
    assert_eq!(backend.accounts().session(&token).await.expect("reads"), None);
    assert!(backend.accounts().sign_in(sign_in()).await.is_err());
    let record = members.record(registrar, secretary.id).await.expect("stays readable");
    assert_eq!(record.record.state, MemberState::Left);
    assert_eq!(record.record.postings[0].until, NaiveDate::from_ymd_opt(2026, 11, 20));
    assert_eq!((record.quality_issues, record.transfer), (Vec::new(), None), "it has no issues any more");

    let number = version(backend, org, secretary.id).await;
    let back = StateForm { id: &id, version: &number, state: "active", day: "21/11/2026" };
    members.set_state(registrar, back).await.expect("comes back");
    let token = backend.accounts().sign_in(sign_in()).await.expect("signs in again").token;
    let viewer = backend.accounts().session(&token).await.expect("reads").expect("is open").viewer;
    assert!(viewer.offices.is_empty(), "the office is not restored");
    let record = members.record(registrar, secretary.id).await.expect("a record");
    assert_eq!(record.record.postings.iter().filter(|posting| posting.until.is_none()).count(), 1);
    assert_eq!(record.quality_issues, [QualityIssue::MissingPhone]);
}

async fn a_correction_is_requested_accepted_and_seen(backend: &Backend, org: &Fixture) {
    let (member, registrar, members) = (&org.fisherman.viewer, &org.coast_registrar.viewer, backend.members());
    let ask = async |field: &str, wanted: &str| {
        let form = CorrectionForm { field, wanted, reason: "Tôi đổi số." };
        members.request_correction(member, form).await.expect("is asked for")
    };
    let first = ask("phone", "0900 111 222").await;
    assert_eq!(ask("phone", "0900 111 223").await, first, "a new request replaces the pending one");
    let second = ask("full_name", "Võ Văn Khởi").await;
    let page = members.corrections(registrar).await.expect("a page");
    assert_eq!((page.count, page.waiting.len()), (2, 2));
    let phone = page.waiting.iter().find(|correction| correction.id == first).expect("is there");
    assert_eq!((phone.wanted.as_str(), phone.now.as_deref(), phone.reason.as_str()), ("0900111223", None, "Tôi đổi số."));
    for outsider in [&org.farm_secretary, &org.fisherman] {
        assert!(matches!(members.corrections(&outsider.viewer).await, Err(Error::NotFound)));
        let decided = members.decide_correction(&outsider.viewer, &first.to_string(), "accept", "").await;
        assert!(matches!(decided, Err(Error::NotFound)), "{decided:?}");
    }
    let decided = members.decide_correction(&org.secretary.viewer, &first.to_string(), "accept", "").await;
    assert!(matches!(decided, Err(Error::NotAllowed)), "{decided:?}");

    assert_eq!(backend.home().page(member).await.expect("a page").corrections_decided, 0);
    let mut listener = listen(backend).await;
    members.decide_correction(registrar, &first.to_string(), "accept", "").await.expect("accepts");
    let again = members.decide_correction(registrar, &first.to_string(), "decline", "Không.").await;
    assert_eq!(refusal(again, "decision"), Some(Problem::Stale));
    let silent = members.decide_correction(registrar, &second.to_string(), "decline", " ").await;
    assert_eq!(refusal(silent, "note"), Some(Problem::Required), "a refusal needs a reason");
    members.decide_correction(registrar, &second.to_string(), "decline", "Giấy khai sinh ghi Khơi.").await.expect("declines");
    let mut bodies: Vec<_> = new_events(backend, &mut listener).await.into_iter().map(|event| event.body).collect();
    bodies.sort_unstable_by_key(|body| body.kind().key());
    assert_eq!(
        bodies,
        [
            EventBody::CorrectionAccepted { member: member.member, field: Some(CorrectionField::Phone) },
            EventBody::CorrectionDeclined { member: member.member, field: Some(CorrectionField::FullName) },
        ]
    );

    assert_eq!(backend.home().page(member).await.expect("a page").corrections_decided, 2);
    let own = members.own(member).await.expect("the own record");
    assert_eq!((own.record.phone.as_deref(), own.record.name.as_str()), (Some("0900111223"), "Võ Văn Khơi"));
    assert!(own.corrections.iter().all(|correction| correction.is_news));
    let declined = own.corrections.iter().find(|correction| correction.state == CorrectionState::Declined).expect("is there");
    assert_eq!(declined.note.as_deref(), Some("Giấy khai sinh ghi Khơi."));
    assert_eq!(backend.home().page(member).await.expect("a page").corrections_decided, 0, "shown once");
    assert_eq!(
        members.record(registrar, org.fisherman.id).await.expect("a record").quality_issues,
        [],
        "the phone is stored now"
    );
}

async fn of_concurrent_correction_requests_one_is_pending(backend: &Backend, org: &Fixture) {
    let members = backend.members();
    // The first of all, and one after another was decided.
    for _ in 0..2 {
        let asked: Vec<_> = (0..6)
            .map(|number| {
                let (backend, member) = (backend.clone(), org.fisherman.viewer.clone());
                tokio::spawn(async move {
                    let wanted = format!("090011122{number}");
                    let form = CorrectionForm { field: "phone", wanted: &wanted, reason: "Tôi đổi số." };
                    backend.members().request_correction(&member, form).await
                })
            })
            .collect();
        let mut ids = BTreeSet::new();
        for asking in asked {
            ids.insert(asking.await.expect("runs").expect("is asked for").to_string());
        }
        assert_eq!(ids.len(), 1, "the later request replaces the earlier one");
        let page = members.corrections(&org.coast_registrar.viewer).await.expect("a page");
        assert_eq!((page.count, page.waiting.len()), (1, 1));
        let id = page.waiting[0].id.to_string();
        members.decide_correction(&org.coast_registrar.viewer, &id, "decline", "Không.").await.expect("declines");
    }
    assert_eq!(members.own(&org.fisherman.viewer).await.expect("the own record").corrections.len(), 2);
}

async fn an_invalid_correction_is_refused(backend: &Backend, org: &Fixture) {
    let (member, registrar, members) = (&org.fisherman.viewer, &org.coast_registrar.viewer, backend.members());
    let form = CorrectionForm { field: "phone", wanted: "0900111222", reason: "Tôi đổi số." };
    for (form, field, problem) in [
        (CorrectionForm { field: "", ..form }, "field", Problem::Required),
        (CorrectionForm { field: "standing", ..form }, "field", Problem::NotOffered),
        (CorrectionForm { wanted: "123", ..form }, "wanted", Problem::Digits { expected: 10 }),
        (CorrectionForm { reason: " ", ..form }, "reason", Problem::Required),
    ] {
        assert_eq!(refusal(members.request_correction(member, form).await, field), Some(problem), "{field}");
    }
    for (field, wanted, problem) in
        [("national_id", org.farmer.national_id.as_str(), Problem::Taken), ("birth_date", "1/1/2000", Problem::DateRange)]
    {
        let id = members.request_correction(member, CorrectionForm { field, wanted, ..form }).await.expect("is asked for");
        let accepted = members.decide_correction(registrar, &id.to_string(), "accept", "").await;
        assert_eq!(refusal(accepted, "decision"), Some(problem), "{field}");
        let page = members.corrections(registrar).await.expect("a page");
        assert!(page.waiting.iter().any(|correction| correction.id == id), "it is still pending");
    }
}

async fn a_transfer_moves_a_member_with_the_history_kept(backend: &Backend, org: &Fixture) {
    let members = backend.members();
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    backend.documents().read(&org.deputy.viewer, document).await.expect("reads");
    let wish = CorrectionForm { field: "sex", wanted: "nam", reason: "Ghi nhầm." };
    members.request_correction(&org.deputy.viewer, wish).await.expect("is asked for");
    let id = transfer(backend, &org.secretary.viewer, org.deputy.id, &org.farm).await;
    assert_eq!(members.transfers(&org.secretary.viewer).await.expect("a page").outgoing.len(), 1);
    let waiting = members.transfers(&org.farm_secretary.viewer).await.expect("a page").incoming;
    assert_eq!((waiting.len(), waiting[0].name.as_str(), waiting[0].to.as_str()), (1, "Tiêu Viết Lộng", org.farm.name.as_str()));
    assert_eq!(members.search(&org.farm_secretary.viewer, "", None, None).await.expect("a page").waiting.transfers, 1);
    let sign_in = SignInForm { national_id: &org.deputy.national_id, password: PASSWORD, device: "" };
    let token = backend.accounts().sign_in(sign_in).await.expect("signs in").token;
    let mut listener = listen(backend).await;
    members.decide_transfer(&org.farm_secretary.viewer, &id, "accept", "").await.expect("accepts");
    let events = new_events(backend, &mut listener).await;
    let accepted = events.iter().find(|event| event.kind() == EventKind::TransferAccepted).expect("is told");
    assert_eq!(accepted.unit, org.farm.path);
    let other = Some(org.harbour.path.clone());
    assert_eq!(accepted.body, EventBody::TransferAccepted { member: org.deputy.id, other });

    let viewer = backend.accounts().session(&token).await.expect("reads").expect("stays signed in").viewer;
    assert_eq!(viewer.branch.id, org.farm.id);
    assert!(viewer.offices.is_empty(), "nobody is deputy of a branch they left");
    let own = members.own(&viewer).await.expect("the own record").record;
    let postings: Vec<_> = own.postings.iter().map(|posting| (posting.branch.as_str(), posting.until.is_some())).collect();
    assert_eq!(postings, [(org.farm.name.as_str(), false), (org.harbour.name.as_str(), true)]);
    assert!(matches!(members.record(&org.secretary.viewer, org.deputy.id).await, Err(Error::NotFound)));
    let record = members.record(&org.farm_secretary.viewer, org.deputy.id).await.expect("a record");
    assert_eq!(record.quality_issues, [QualityIssue::MissingPhone]);
    assert_eq!(
        members.quality(&org.farm_secretary.viewer, Some(QualityIssue::MissingPhone), None).await.expect("a page").members.len(),
        4
    );
    assert_eq!(members.corrections(&org.coast_registrar.viewer).await.expect("a page").count, 0, "requests follow");
}

#[tokio::test]
async fn both_ends_of_a_transfer_know_the_phase_of_the_branch_to_join() {
    let (backend, _, org) = organisation().await;
    let (members, farm) = (backend.members(), org.farm.id.to_string());
    transfer(&backend, &org.secretary.viewer, org.fisherman.id, &org.farm).await;
    for (version, phase) in [("0", Phase::Planned), ("1", Phase::Live)] {
        let form = PhaseForm { unit: &farm, version, phase: phase.key(), live_from: "", contact: "" };
        backend.unit_desk().set_phase(&registrar(&org), form).await.expect("is set");
        let page = members.transfer_form(&org.secretary.viewer, org.deputy.id, "suoi que").await.expect("a page");
        assert_eq!(page.choices.iter().map(|choice| choice.phase).collect::<Vec<_>>(), [phase]);
        let outgoing = members.transfers(&org.secretary.viewer).await.expect("a page").outgoing;
        let incoming = members.transfers(&org.farm_secretary.viewer).await.expect("a page").incoming;
        assert_eq!([outgoing, incoming].map(|transfers| transfers[0].phase), [phase; 2]);
    }
}

async fn a_transfer_belongs_to_its_two_ends(backend: &Backend, org: &Fixture) {
    let members = backend.members();
    let (fisherman, target) = (org.fisherman.id.to_string(), org.farm.id.to_string());
    let form = TransferForm { member: &fisherman, to: &target, reason: "Chuyển nơi cư trú." };
    for (to, problem) in [
        ("", Problem::Required),
        (org.harbour.id.to_string().as_str(), Problem::NotOffered),
        (org.hills.id.to_string().as_str(), Problem::NotOffered),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", Problem::NotOffered),
    ] {
        let refused = members.request_transfer(&org.secretary.viewer, TransferForm { to, ..form }).await;
        assert_eq!(refusal(refused, "to"), Some(problem));
    }
    assert!(matches!(members.request_transfer(&org.farm_secretary.viewer, form).await, Err(Error::NotFound)));
    assert!(matches!(members.request_transfer(&org.fisherman.viewer, form).await, Err(Error::NotFound)));
    let id = transfer(backend, &org.secretary.viewer, org.fisherman.id, &org.farm).await;
    assert_eq!(refusal(members.request_transfer(&org.secretary.viewer, form).await, "to"), Some(Problem::Stale), "one at a time");
    let decide = async |who: &Person, decision: &str, note: &str| members.decide_transfer(&who.viewer, &id, decision, note).await;
    assert!(matches!(decide(&org.secretary, "accept", "").await, Err(Error::NotAllowed)), "the sending side does not accept");
    assert!(matches!(decide(&org.farm_secretary, "withdraw", "").await, Err(Error::NotAllowed)));
    for outsider in [&org.school_secretary, &org.fisherman, &org.operator, &org.hills_editor] {
        assert!(matches!(decide(outsider, "accept", "").await, Err(Error::NotFound)), "{}", outsider.name);
    }
    assert_eq!(refusal(decide(&org.farm_secretary, "decline", "").await, "note"), Some(Problem::Required));
    decide(&org.farm_secretary, "decline", "Chi bộ chưa nhận được hồ sơ.").await.expect("declines");
    assert_eq!(refusal(decide(&org.farm_secretary, "accept", "").await, "decision"), Some(Problem::Stale));
    assert_eq!(members.own(&org.fisherman.viewer).await.expect("the own record").record.branch.id, org.harbour.id);
    let id = transfer(backend, &org.secretary.viewer, org.fisherman.id, &org.farm).await;
    members.decide_transfer(&org.coast_registrar.viewer, &id, "withdraw", "").await.expect("the sending side withdraws");
    assert_eq!(members.transfers(&org.farm_secretary.viewer).await.expect("a page").incoming, []);
    let choices = members.transfer_form(&org.secretary.viewer, org.fisherman.id, "suoi que").await.expect("a page").choices;
    assert_eq!(choices.iter().map(|choice| choice.id).collect::<Vec<_>>(), [org.farm.id], "found by folded name");
}

async fn the_queue_shrinks_as_issues_are_fixed(backend: &Backend, org: &Fixture) {
    let (registrar, members) = (&org.coast_registrar.viewer, backend.members());
    let count = async |kind| members.quality(registrar, Some(kind), None).await.expect("a page").counts[&kind];
    assert_eq!(count(QualityIssue::MissingPhone).await, 16);
    assert_eq!(count(QualityIssue::MissingId).await, 0);
    let id = registered(backend, org, |form| MemberForm { national_id: "", phone: "", ..form }).await;
    assert_eq!((count(QualityIssue::MissingPhone).await, count(QualityIssue::MissingId).await), (17, 1));
    let key = id.to_string();
    let form = MemberForm { version: "1", ..new_member(&key, "") };
    members.change(registrar, form).await.expect("changes");
    assert_eq!((count(QualityIssue::MissingPhone).await, count(QualityIssue::MissingId).await), (16, 0));
    assert_eq!(found(backend, registrar, "951300900001").await.len(), 1);
    let mut listed = 0;
    let mut after = None;
    loop {
        let page = members.quality(registrar, Some(QualityIssue::MissingPhone), after).await.expect("a page");
        listed += page.members.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, 16);
    assert_eq!(
        members.quality(&org.farm_secretary.viewer, None, None).await.expect("a page").counts[&QualityIssue::MissingPhone],
        3
    );
    let foreign = members.quality(registrar, Some(QualityIssue::MissingPhone), Some(org.farmer.id)).await;
    assert!(matches!(foreign, Err(Error::NotFound)), "{foreign:?}");
    assert!(matches!(members.quality(&org.fisherman.viewer, None, None).await, Err(Error::NotFound)));
}

async fn two_records_become_one_with_one_history(backend: &Backend, org: &Fixture) {
    let (registrar, members) = (&org.coast_registrar.viewer, backend.members());
    // The fisherman again, spelled differently, without an ID but with a phone.
    let duplicate = registered(backend, org, |form| MemberForm {
        full_name: "VÕ VĂN KHƠI",
        birth_date: "1980-02-03",
        admitted_on: "2008-02-03",
        official_on: "",
        national_id: "",
        ..form
    })
    .await;
    let count =
        async || members.quality(registrar, Some(QualityIssue::Twin), None).await.expect("a page").counts[&QualityIssue::Twin];
    assert_eq!(count().await, 2);
    let page = members.record(registrar, duplicate).await.expect("a record");
    assert_eq!(page.duplicates.iter().map(|duplicate| duplicate.id).collect::<Vec<_>>(), [org.fisherman.id]);

    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    read_through(backend, &org.fisherman.viewer, document).await;
    let invitation = backend.documents().invitation(&org.fisherman.viewer, document).await.expect("is invited");
    let (key, about) = (invitation.opinion.to_string(), document.to_string());
    let opinion = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Ý kiến." };
    backend.feedback().send(&org.fisherman.viewer, opinion).await.expect("is sent");
    let sign_in = || SignInForm { national_id: &org.fisherman.national_id, password: PASSWORD, device: "" };
    let token = backend.accounts().sign_in(sign_in()).await.expect("signs in").token;

    assert!(matches!(members.merge(registrar, duplicate, org.farmer.id).await, Err(Error::NotFound)), "not across subtrees");
    assert!(matches!(members.merge(registrar, duplicate, duplicate).await, Err(Error::NotFound)));
    let both = members.merge_form(registrar, duplicate, org.fisherman.id).await.expect("a page");
    assert_eq!((both.keep.id, both.other.id), (duplicate, org.fisherman.id));
    members.merge(registrar, duplicate, org.fisherman.id).await.expect("merges");
    assert_eq!(count().await, 0);
    assert_eq!(backend.accounts().session(&token).await.expect("reads"), None, "the other's sessions are closed");
    let gone = members.record(registrar, org.fisherman.id).await.expect("stays readable").record;
    assert_eq!((gone.state, gone.merged_into), (MemberState::Merged, Some(duplicate)));
    let kept = members.record(registrar, duplicate).await.expect("a record");
    assert_eq!(kept.quality_issues, [], "it has the ID of the one and the phone of the other");
    assert_eq!(kept.record.postings.iter().filter(|posting| posting.until.is_none()).count(), 1);
    assert_eq!(kept.record.postings.len(), 2, "the history of both");
    assert_eq!(found(backend, registrar, "khoi").await.len(), 1);

    let token = backend.accounts().sign_in(sign_in()).await.expect("the same ID and password lead to the kept record").token;
    let viewer = backend.accounts().session(&token).await.expect("reads").expect("is open").viewer;
    assert_eq!(viewer.member, duplicate);
    assert_eq!(backend.feedback().own(&viewer, None).await.expect("a list").opinions.len(), 1);
    assert!(backend.documents().read(&viewer, document).await.expect("reads").summary.read, "it counts as read");
    assert!(matches!(members.merge(registrar, duplicate, org.fisherman.id).await, Err(Error::NotFound)), "once is enough");
    let form = members.form(registrar, org.fisherman.id).await;
    assert!(matches!(form, Err(Error::NotAllowed)), "a merged record cannot be edited: {form:?}");
}

async fn attendance_of_leaders_follows_when_two_records_become_one(backend: &Backend, org: &Fixture) {
    // A member of the committee of the coast, and until recently of that of the hills, which is not above the own branch.
    let (kept, gone) = (org.coast_secretary.id, org.coast_committee_member.id);
    let mut registry = Registry::new(backend, 6, start() - TimeDelta::days(60));
    let until = NaiveDate::from_ymd_opt(2026, 11, 1).expect("a day");
    registry.office(gone, Role::CommitteeMember, &org.hills, Some(until));
    registry.save().await.expect("saves");
    let meetings = [
        (&org.coast, vec![(gone, AttendanceKind::Present), (org.former_secretary.id, AttendanceKind::Present)]),
        (&org.coast, vec![(gone, AttendanceKind::Present), (kept, AttendanceKind::Excused)]),
        (&org.hills, vec![(gone, AttendanceKind::Remote)]),
    ];
    let ids = held(backend, &meetings).await;
    backend.members().merge(&org.coast_registrar.viewer, kept, gone).await.expect("merges");
    let viewer = &org.coast_secretary.viewer;
    assert_eq!(took_part(backend, viewer, ids[0]).await, (Some(AttendanceKind::Present), Some(2)));
    assert_eq!(took_part(backend, viewer, ids[1]).await, (Some(AttendanceKind::Excused), Some(1)), "that of the kept record");
    // The row of the kept record, with the rights of a member below the hills.
    let there = Viewer { member: kept, ..org.farmer.viewer.clone() };
    assert_eq!(took_part(backend, &there, ids[2]).await, (Some(AttendanceKind::Remote), Some(1)));
}

/// The form of another person with the fisherman's name and birth date.
fn same(form: MemberForm<'_>) -> MemberForm<'_> {
    MemberForm { full_name: "Võ Văn Khơi", birth_date: "1980-02-03", admitted_on: "2008-02-03", ..form }
}

async fn duplicates_may_be_two_people(backend: &Backend, org: &Fixture) {
    let (registrar, members) = (&org.coast_registrar.viewer, backend.members());
    let second = registered(backend, org, same).await;
    let third = registered(backend, org, |form| MemberForm { card: "51900003", national_id: "", ..same(form) }).await;
    let count =
        async || members.quality(registrar, Some(QualityIssue::Twin), None).await.expect("a page").counts[&QualityIssue::Twin];
    assert_eq!(count().await, 3);
    members.keep_apart(registrar, second, org.fisherman.id).await.expect("are two");
    assert_eq!(count().await, 3, "each may still be the third");
    members.keep_apart(registrar, third, org.fisherman.id).await.expect("are two");
    assert_eq!(count().await, 2);
    members.keep_apart(registrar, second, third).await.expect("are two");
    assert_eq!(count().await, 0);
    let key = third.to_string();
    let form = same(MemberForm { version: "1", card: "51900003", national_id: "", phone: "", ..new_member(&key, "") });
    members.change(registrar, form).await.expect("changes");
    assert_eq!(count().await, 0, "the decision is kept");
}

async fn of_two_decisions_at_the_same_time_none_is_lost(backend: &Backend, org: &Fixture) {
    let (registrar, members) = (&org.coast_registrar.viewer, backend.members());
    let second = registered(backend, org, same).await;
    let third = registered(backend, org, |form| MemberForm { card: "51900003", national_id: "", ..same(form) }).await;
    let apart = async |other: MemberId| members.keep_apart(registrar, org.fisherman.id, other).await;
    let (one, two) = tokio::join!(apart(second), apart(third));
    for (decided, other) in [(one, second), (two, third)] {
        let page = members.record(registrar, org.fisherman.id).await.expect("opens");
        let is_listed = page.duplicates.iter().any(|duplicate| duplicate.id == other);
        match decided {
            Ok(()) => assert!(!is_listed, "what was decided is stored"),
            Err(error) => assert!(is_listed && matches!(error, Error::Invalid(_)), "{error:?}"),
        }
    }
}

/// A copy of the data folder contains no readable number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_ids_and_phones_are_nowhere_in_the_data_folder() {
    let (backend, _, folder) = on_disk().await;
    let org = Fixture::insert(&backend).await;
    let mut registry = Registry::new(&backend, 5, start() - TimeDelta::days(1));
    let mut planted: Vec<String> = Vec::new();
    for number in 0..1_000 {
        let phone = PhoneNumber::parse(&format!("09871{number:05}")).expect("a phone");
        plant(&mut registry, "Nguyễn Văn Kín", &org.harbour, number, Some(&phone));
        planted.extend([format!("9527{number:08}"), phone.expose().to_owned()]);
    }
    registry.save().await.expect("saves");
    let registrar = &org.coast_registrar.viewer;
    let (id, unit) = (backend.clock().ulid().to_string(), org.harbour.id.to_string());
    let form = MemberForm { national_id: "952800000000", phone: "0987200000", ..new_member(&id, &unit) };
    backend.members().register(registrar, form).await.expect("registers");
    let changed = MemberForm { version: "1", national_id: "952800000001", phone: "0987200001", ..form };
    backend.members().change(registrar, changed).await.expect("changes");
    let wish = CorrectionForm { field: "phone", wanted: "0987200002", reason: "Số mới 0987200003." };
    let wish = backend.members().request_correction(&org.fisherman.viewer, wish).await.expect("is asked for");
    let note = "Đã gọi 0987200004.";
    backend.members().decide_correction(registrar, &wish.to_string(), "decline", note).await.expect("declines");
    let typed = ["952800000000", "952800000001", "0987200000", "0987200001", "0987200002", "0987200003", "0987200004"];
    planted.extend(typed.map(str::to_owned));

    let bytes = read_all(folder.path());
    assert!(contains(&bytes, b"51900001"), "the folder is searched as it lies: a card number is found in it");
    let wanted: BTreeSet<&[u8]> = planted.iter().map(String::as_bytes).collect();
    let is_searched_for = |number: &&[u8]| [10, 12].contains(&number.len()) && number.iter().all(u8::is_ascii_digit);
    assert!(wanted.iter().all(is_searched_for), "a planted number is found only in a run of digits");
    for run in bytes.split(|byte| !byte.is_ascii_digit()) {
        for window in run.windows(10).chain(run.windows(12)) {
            assert!(!wanted.contains(window), "{} is in the clear in the store", String::from_utf8_lossy(window));
        }
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn read_all(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(read_all(&path));
        } else {
            all.extend(fs::read(&path).expect("a file"));
        }
    }
    all
}

#[tokio::test]
async fn the_figures_follow_a_transfer() {
    let (backend, _, org) = organisation().await;
    let id = transfer(&backend, &org.secretary.viewer, org.fisherman.id, &org.farm).await;
    backend.members().decide_transfer(&org.farm_secretary.viewer, &id, "accept", "").await.expect("accepts");
    Registry::new(&backend, 9, start()).save().await.expect("counts afresh");
    let page = backend.statistics().page(&org.coast_secretary.viewer, None).await.expect("a page");
    assert_eq!(page.total.figures.expect("a large group").members, 14, "fifteen before");
}
