//! Migrates stores of landed versions to the current one. `backend/schema/fixtures/README.md` describes the origin of their rows.

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    courses::Tries,
    documents::{LibraryQuery, PersonalList, desk::Held, readers::ReaderRow, reading::Recording},
    feedback::ReceivedShown,
    ids::{CourseId, DocumentId, MeetingId, MemberId, UnitId},
    meetings::{AttendanceKind, MeetingSummary},
    units::UnitPath,
};

use super::{MIGRATIONS, Progress, tests::at_version};
use crate::{
    Backend, Clock, Keys, StoreLocation,
    accounts::SignInForm,
    jobs::JobKind,
    key_check::KeySource,
    store::{RecordId, Store, Value, record, vars},
    units::NewUnitForm,
};

/// Rows that are equal in all landed versions.
const COMMON: &str = include_str!("../../schema/fixtures/common.surql");

const LANDED: &[Landed] = &[
    Landed {
        version: 15,
        rows: include_str!("../../schema/fixtures/0015.surql"),
        now: "2026-11-22T17:00:00Z",
        opened: &[SECRETARY, FISHERMAN],
        read: &[],
        opened_on: "2026-11-11",
        read_on: None,
        unread: &[GUIDANCE, RESOLUTION],
        reads: 0,
        tries: Tries::UsedUp,
        has_sums: false,
        has_parts: false,
        changes: 0,
        events: 14,
        jobs: 0,
    },
    Landed {
        version: 20,
        rows: include_str!("../../schema/fixtures/0020.surql"),
        now: "2026-11-30T12:30:00Z",
        opened: &[SECRETARY],
        read: &[FISHERMAN],
        opened_on: "2026-11-30",
        // Reading a corrected text is recorded since version 22.
        read_on: None,
        unread: &[GUIDANCE],
        reads: 1,
        tries: Tries::UsedUp,
        has_sums: true,
        has_parts: false,
        changes: 0,
        events: 15,
        jobs: 0,
    },
    Landed {
        version: 28,
        rows: include_str!("../../schema/fixtures/0028.surql"),
        now: "2026-11-30T18:50:00Z",
        opened: &[SECRETARY],
        read: &[FISHERMAN],
        opened_on: "2026-11-30",
        read_on: Some("2026-11-30"),
        unread: &[GUIDANCE],
        reads: 1,
        tries: Tries::Given,
        has_sums: true,
        has_parts: true,
        changes: 1,
        events: 16,
        jobs: 0,
    },
    Landed {
        version: 30,
        rows: include_str!("../../schema/fixtures/0030.surql"),
        now: "2026-11-30T23:30:00Z",
        opened: &[SECRETARY],
        read: &[FISHERMAN],
        opened_on: "2026-11-30",
        read_on: Some("2026-11-30"),
        unread: &[GUIDANCE],
        reads: 2,
        tries: Tries::Given,
        has_sums: true,
        has_parts: true,
        changes: 1,
        events: 18,
        jobs: 1,
    },
];

/// A landed version, and the expected values of its rows.
struct Landed {
    /// Its last migration.
    version: u32,
    rows: &'static str,
    /// Shortly after the version was last used.
    now: &'static str,
    /// Members of the branch who have opened the resolution, but not read it.
    opened: &'static [&'static str],
    read: &'static [&'static str],
    /// When the fisherman opened and read it, in its current text.
    opened_on: &'static str,
    read_on: Option<&'static str>,
    /// Documents that the fisherman has not read.
    unread: &'static [&'static str],
    reads: u32,
    /// Tries of the secretary, who failed the first one.
    tries: Tries,
    has_sums: bool,
    /// Whether there is a document for the school's branch only.
    has_parts: bool,
    /// Changes of his account that the fisherman has not seen.
    changes: usize,
    events: u64,
    jobs: usize,
}

/// Number of sealed events at the beginning of the log.
const SEALED: u64 = 13;

const HARBOUR: &str = "01K6EMH1M09SDBAT6SYYMGQWSC";

const FISHERMAN: &str = "01K6EMH1M06TW6WPN2M9W5P5XE";
const SECRETARY: &str = "01K6EMH1M0AEN9TKJT83YVXVDQ";
const NOT_ACTIVATED: &str = "01K6EMH1M08GH032VDPGB2J2V9";
/// The second record of the fisherman.
const MERGED: &str = "01K6EMH1M02KFDJQJHQM83M542";

const RESOLUTION: &str = "01M6YX3DM0GDZFGEP3N5PEC5W0";
const DIRECTIVE: &str = "01M76M9JM077FK94PNT92GP8R4";
const NEWS: &str = "01M7XSW1M06GPT9DEZ9BT4MHH7";
const GUIDANCE: &str = "01M7BS30M0GZWPT91NZCTGGZDA";
const PARTS: &str = "01M8PN7PR0H805JY4PTSP228DV";

const COURSE: &str = "01M76M9JM0QGKMM8N2P18F412T";

/// Tables without rows in the fixtures: short-lived rows, and snapshots, which only their own version uses.
const LEFT_OUT: &[&str] =
    &["attempt", "code_sheet", "counter_piece", "counter_snapshot", "counter_turn", "door", "flash", "stranger", "upload"];

/// Members with sessions in the fixtures, by their tokens.
struct People {
    fisherman: Viewer,
    secretary: Viewer,
    editor: Viewer,
    registrar: Viewer,
}

impl People {
    async fn signed_in(backend: &Backend) -> Self {
        let viewer = async |token| {
            let session = backend.accounts().session(token).await.expect("reads");
            session.unwrap_or_else(|| panic!("{token} has no session")).viewer
        };
        Self {
            fisherman: viewer("K").await,
            secretary: viewer("B").await,
            editor: viewer("E").await,
            registrar: viewer("R").await,
        }
    }
}

fn document(id: &str) -> DocumentId {
    id.parse().expect("an id")
}

fn member(id: &str) -> MemberId {
    id.parse().expect("an id")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// A store of that version with its rows.
async fn left(landed: &Landed) -> Store {
    let store = at_version(landed.version).await;
    for rows in [COMMON, landed.rows] {
        store.write(rows, ()).await.unwrap_or_else(|error| panic!("version {}: {error}", landed.version));
    }
    store
}

async fn opened(landed: &Landed) -> Backend {
    let store = left(landed).await;
    let clock = Clock::fixed(landed.now.parse().expect("a moment"), 1);
    let keys = KeySource::Given(Keys::from_master(&[7; 32]));
    Backend::over(store, &StoreLocation::Memory, keys, clock, &Progress::default()).await.expect("opens")
}

#[tokio::test]
async fn every_landed_version_has_rows_in_all_its_tables() {
    for landed in LANDED {
        let store = left(landed).await;
        let database: Option<Value> = store.read("INFO FOR DB", ()).await.expect("reads").row(0).expect("a value");
        let database = database.expect("is there").into_json_value();
        let tables = database["tables"].as_object().expect("tables").keys().filter(|name| !name.starts_with("migration"));
        for table in tables {
            let sql = format!("SELECT VALUE id FROM {table} LIMIT 1");
            let rows: Vec<RecordId> = store.read(sql, ()).await.expect("reads").rows(0).expect("rows");
            assert_eq!(rows.is_empty(), LEFT_OUT.contains(&table.as_str()), "{table} in version {}", landed.version);
        }
    }
}

#[test]
fn landed_versions_are_migrations_in_order() {
    assert!(LANDED.is_sorted_by(|one, next| one.version < next.version));
    assert!(LANDED.iter().all(|landed| MIGRATIONS.iter().any(|migration| migration.version == landed.version)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_log_of_a_landed_version_is_verified_and_continues() {
    for landed in LANDED {
        let backend = opened(landed).await;
        let report = backend.audit().verify().await.expect("checks");
        assert!(report.findings.is_empty(), "version {}: {:?}", landed.version, report.findings);
        assert_eq!((report.events, report.links, report.unsealed), (SEALED, 1, landed.events - SEALED));
        assert_eq!(backend.audit().seal().await.expect("seals"), landed.events - SEALED);
        let report = backend.audit().verify().await.expect("checks");
        assert!(report.findings.is_empty(), "version {}: {:?}", landed.version, report.findings);
        assert_eq!((report.events, report.links, report.unsealed), (landed.events, 2, 0));
        let read = crate::events::read_from(backend.store(), chrono::DateTime::UNIX_EPOCH).await.expect("reads");
        assert_eq!(
            u64::try_from(read.len()).ok(),
            Some(landed.events),
            "every event of version {} is understood",
            landed.version
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counters_of_a_landed_version_match_its_tables() {
    for landed in LANDED {
        let backend = opened(landed).await;
        let commune = UnitPath::parse("/01/51/001/").expect("a path");
        let figures = backend.counters().figures(&commune, backend.clock().today());
        let documents = if landed.has_parts { 3 } else { 2 };
        assert_eq!(
            (figures.members, figures.activated, figures.documents, figures.reads, figures.opinions),
            (6, 5, documents, landed.reads, 2),
            "version {}",
            landed.version
        );
        let different = backend.statistics().recount().await.expect("counts");
        assert!(different.is_empty(), "version {}: {different:?}", landed.version);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_a_landed_version_are_kept() {
    for landed in LANDED {
        let backend = opened(landed).await;
        let people = People::signed_in(&backend).await;
        let form = SignInForm { national_id: "951000000001", password: "ca-voi-xanh-2026", device: "" };
        backend.accounts().sign_in(form).await.expect("signs in");
        let tree = backend.units().tree();
        let former = UnitPath::parse("/01/51/001/03/").expect("a path");
        assert_eq!(tree.former(&former).map(|unit| unit.id.to_string()).as_deref(), Some(HARBOUR));

        let (members, registrar) = (backend.members(), &people.registrar);
        let own = members.own(&people.fisherman).await.expect("reads");
        assert_eq!(own.record.national_id.as_deref(), Some("951000000001"));
        assert_eq!(own.record.phone.as_deref(), Some("0912345678"));
        let postings: Vec<_> = own.record.postings.iter().map(|posting| (posting.branch.as_str(), posting.until)).collect();
        assert_eq!(postings, [("Chi bộ thôn Gành Đá", None), ("Chi bộ thôn Bãi Ngang", Some(day("2026-05-31")))]);
        assert_eq!(own.account_changes.len(), landed.changes, "version {}", landed.version);
        let merged = members.record(registrar, member(MERGED)).await.expect("reads");
        assert_eq!(merged.record.merged_into, Some(member(FISHERMAN)));
        let found = members.search(registrar, "y bham", None, None).await.expect("searches");
        assert_eq!(found.members.iter().map(|line| line.id).collect::<Vec<_>>(), [member(NOT_ACTIVATED)]);
        // The first version kept the dash of this name in the sort key.
        let sql = "SELECT VALUE sort_key FROM $member";
        let vars = vars! { member: record("member", NOT_ACTIVATED) };
        let folded: Option<String> = backend.store().read(sql, vars).await.expect("reads").row(0).expect("a name");
        assert_eq!(folded.as_deref(), Some("nie y bham nie"), "version {}", landed.version);

        let corrections = members.corrections(registrar).await.expect("reads");
        let wanted: Vec<_> = corrections.waiting.iter().map(|one| (one.wanted.as_str(), one.reason.as_str())).collect();
        assert_eq!(wanted, [("0987654321", "Đổi số")]);
        let transfers = members.transfers(registrar).await.expect("reads");
        assert_eq!(transfers.outgoing.iter().map(|one| one.member).collect::<Vec<_>>(), [member(NOT_ACTIVATED)]);
        let codes = backend.accounts().member_codes(&people.secretary, member(NOT_ACTIVATED)).await.expect("reads");
        assert_eq!(codes.codes.len(), 1);
        let imports = backend.imports().list(registrar).await.expect("reads").imports;
        let found: Vec<_> = imports.iter().map(|one| (one.file_name.as_str(), one.rows.is_some())).collect();
        assert_eq!(found, [("dang-vien.csv", landed.has_sums)], "version {}", landed.version);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_of_a_landed_version_keep_their_levels_and_get_new_ones() {
    for landed in LANDED {
        let backend = opened(landed).await;
        let levels: Vec<_> = backend.units().tree().all().map(|unit| (unit.path.to_string(), unit.kind.key())).collect();
        let levels: Vec<_> = levels.iter().map(|(path, level)| (path.as_str(), *level)).collect();
        let expected = [
            ("/01/", "central"),
            ("/01/51/", "province"),
            ("/01/51/001/", "commune"),
            ("/01/51/001/01/", "branch"),
            ("/01/51/001/02/", "branch"),
        ];
        assert_eq!(levels, expected, "version {}", landed.version);
        let people = People::signed_in(&backend).await;
        let form = NewUnitForm { parent: HARBOUR, kind: "group", code: "1", name: "Tổ Một", on: "2026-11-01" };
        let group = backend.unit_desk().create(&people.registrar, form).await.expect("creates");
        assert_eq!(backend.units().tree().get(group).map(|unit| unit.kind.key()), Some("group"), "version {}", landed.version);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_of_a_landed_version_are_read_as_before() {
    for landed in LANDED {
        let backend = opened(landed).await;
        let people = People::signed_in(&backend).await;
        let (documents, reader, version) = (backend.documents(), &people.fisherman, landed.version);
        let shelf = async |viewer| {
            let page = documents.list(viewer, &LibraryQuery::default()).await.expect("reads");
            page.documents.into_iter().map(|document| document.id).collect::<Vec<_>>()
        };
        assert_eq!(shelf(reader).await, [GUIDANCE, RESOLUTION].map(document), "version {version}");
        let all = if landed.has_parts { vec![PARTS, GUIDANCE, RESOLUTION] } else { vec![GUIDANCE, RESOLUTION] };
        assert_eq!(shelf(&people.editor).await, all.into_iter().map(document).collect::<Vec<_>>(), "version {version}");
        let unread = documents.personal(reader, PersonalList::Unread, None).await.expect("reads");
        let unread: Vec<_> = unread.rows.iter().map(|row| row.document.id.to_string()).collect();
        assert_eq!(unread, landed.unread, "version {version}");

        let harbour: UnitId = HARBOUR.parse().expect("an id");
        let readers = documents.readers(&people.secretary, document(RESOLUTION), Some(harbour)).await.expect("reads");
        let names = readers.names.expect("with names");
        let ids = |rows: &[ReaderRow]| rows.iter().map(|row| row.member.to_string()).collect::<Vec<_>>();
        assert_eq!((ids(&names.opened), ids(&names.read)), (texts(landed.opened), texts(landed.read)), "version {version}");
        assert_eq!((ids(&names.not_opened), ids(&names.not_activated)), (Vec::new(), texts(&[NOT_ACTIVATED])));

        let page = documents.read(reader, document(RESOLUTION)).await.expect("reads");
        assert!(page.html.contains("75 chiếc") && page.bookmarked && page.place.is_some(), "{page:?}");
        assert_eq!(page.attachments.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["Bảng số liệu.pdf"]);
        let Recording::Member(receipt) = &page.recording else { panic!("version {version}: {:?}", page.recording) };
        assert_eq!((receipt.opened_on, receipt.read_on), (day(landed.opened_on), landed.read_on.map(day)), "version {version}");
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_of_a_landed_version_are_kept() {
    for landed in LANDED {
        let backend = opened(landed).await;
        let people = People::signed_in(&backend).await;
        let (documents, editor, version) = (backend.documents(), &people.editor, landed.version);
        let desk = documents.desk(editor).await.expect("reads");
        assert!(desk.in_review.is_empty() && desk.scheduled.is_empty(), "version {version}: {desk:?}");
        assert_eq!(desk.drafts.iter().map(|row| row.id).collect::<Vec<_>>(), [NEWS, DIRECTIVE].map(document));
        assert_eq!(desk.withdrawn.iter().map(|row| row.id).collect::<Vec<_>>(), [document(DIRECTIVE)]);
        assert_eq!(desk.published.len(), if landed.has_parts { 3 } else { 2 }, "version {version}");
        // The document was withdrawn while its correction waited for approval.
        let draft = documents.draft(editor, document(DIRECTIVE)).await.expect("reads");
        assert_eq!(draft.held.map(|(why, _)| why), Some(Held::Withdrawn), "version {version}");
        assert_eq!((draft.draft.body.as_str(), draft.draft.version), ("Kiểm tra neo đậu ở hai khu.", 2));
        let review = documents.review(editor, document(DIRECTIVE)).await.expect("reads");
        assert!(review.review.is_none(), "version {version}: {review:?}");
        assert_eq!(review.remarks.iter().map(|remark| remark.text.as_str()).collect::<Vec<_>>(), ["Khu nào?"]);
        let typed = documents.begin_writing(editor, document(NEWS)).await.expect("reads");
        assert_eq!(typed.unsaved.iter().map(|typed| typed.body.as_str()).collect::<Vec<_>>(), ["Lịch trực mới."]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meetings_opinions_courses_and_jobs_of_a_landed_version_are_kept() {
    for landed in LANDED {
        let backend = opened(landed).await;
        let people = People::signed_in(&backend).await;
        let (reader, secretary, version) = (&people.fisherman, &people.secretary, landed.version);
        let meetings = backend.meetings().list(reader).await.expect("reads");
        let titles = |of: &[MeetingSummary]| of.iter().map(|one| one.title.clone()).collect::<Vec<_>>();
        assert_eq!(titles(&meetings.coming), ["Sinh hoạt chi bộ tháng 12"]);
        assert_eq!(titles(&meetings.past), ["Sinh hoạt chi bộ tháng 11"]);
        let past: MeetingId = meetings.past[0].id;
        let meeting = backend.meetings().read(reader, past).await.expect("reads");
        assert_eq!(meeting.own_attendance, Some(AttendanceKind::Present));
        assert_eq!(meeting.summary.venue, "Nhà văn hóa thôn", "version {version}");

        let opinions = backend.feedback().own(reader, None).await.expect("reads").opinions;
        let answers: Vec<_> = opinions.iter().map(|one| one.answer.as_ref().map(|answer| answer.text.as_str())).collect();
        assert_eq!(answers, [None, Some("Vốn vay theo Nghị định 67.")]);
        let received = backend.feedback().received(secretary, ReceivedShown::All, None).await.expect("reads").list.opinions;
        assert!(received.iter().any(|one| one.id == opinions[1].id), "version {version}");

        let course: CourseId = COURSE.parse().expect("an id");
        let done = backend.courses().list(reader).await.expect("reads").done;
        assert_eq!(done.iter().map(|row| row.id).collect::<Vec<_>>(), [course], "version {version}");
        let certificate = backend.courses().certificate(reader, course).await.expect("reads");
        assert_eq!((certificate.serial.as_str(), certificate.branch.as_str()), ("2026-9XK2-4TMB", "Chi bộ thôn Gành Đá"));
        let to_do = backend.courses().list(secretary).await.expect("reads").to_do;
        assert_eq!(
            to_do.iter().map(|row| (row.id, row.tries)).collect::<Vec<_>>(),
            [(course, landed.tries)],
            "version {version}"
        );

        let notices = async || {
            let jobs = backend.jobs().list().await.expect("reads");
            jobs.iter().filter(|job| job.kind == Some(JobKind::NotifyOwner)).count()
        };
        assert_eq!(notices().await, landed.jobs, "version {version}");
        backend.run_due_jobs().await.expect("runs");
        assert_eq!(notices().await, 0, "version {version}: its payload opens");
    }
}
