use std::{borrow::Cow, cell::RefCell, fmt::Write as _};

use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::{
    imports::{Column, Counts, ImportKind},
    policy::Role,
    units::UnitRef,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    super::{Entry, Verdict},
    *,
};
use crate::{
    Clock, Keys, StoreLocation,
    bulk::Bulk,
    demo::registry::Registry,
    members::rows::NewMember,
    store::{RecordId, record, tests::migrated},
    units::tests::level,
};

const HEADER: &str = "Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào Đảng,CCCD,Điện thoại,Mã chi bộ";

const MAPPING: [Option<Column>; 8] = [
    Some(Column::CardNumber),
    Some(Column::FullName),
    Some(Column::Sex),
    Some(Column::BirthDate),
    Some(Column::AdmittedOn),
    Some(Column::NationalId),
    Some(Column::Phone),
    Some(Column::Branch),
];

/// The cells of a row, in the order of [`MAPPING`].
type Texts = [String; 8];

fn cells(texts: &Texts) -> Vec<Cell<'_>> {
    let cells = texts.iter().map(|text| match text.as_str() {
        "" => Cell::Empty,
        text => Cell::Text(Cow::Borrowed(text)),
    });
    cells.collect()
}

/// Two communes. The file is for the first one, which has two open branches and a closed one.
struct Organisation {
    backend: Backend,
    province: UnitRef,
    coast: UnitRef,
    hills: UnitRef,
}

const BRANCHES: [&str; 4] = ["51/001/01", "51/001/02", "51/002/01", "51/001/03"];

async fn organisation() -> Organisation {
    let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().expect("a moment");
    let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::fixed(now, 1)).await.expect("opens");
    let mut registry = Registry::new(&backend, 1, now - Days::new(400));
    let province = registry.unit(None, level("province"), "51", "Tỉnh").expect("a code");
    let coast = registry.unit(Some(&province), level("commune"), "001", "Xã Biển").expect("a code");
    let hills = registry.unit(Some(&province), level("commune"), "002", "Xã Núi").expect("a code");
    registry.unit(Some(&coast), level("branch"), "01", "Chi bộ Một").expect("a code");
    registry.unit(Some(&coast), level("branch"), "02", "Chi bộ Hai").expect("a code");
    registry.unit(Some(&hills), level("branch"), "01", "Chi bộ Núi").expect("a code");
    let closed = registry.unit(Some(&coast), level("branch"), "03", "Chi bộ Ba").expect("a code");
    registry.save().await.expect("saves");
    let sql = "UPDATE $unit SET closed_on = '2026-01-01', parent = $parent RETURN NONE;";
    let vars = vars! { unit: record("unit", closed.id), parent: coast.id.to_string() };
    backend.store().write(sql, vars).await.expect("closes");
    backend.recount().await.expect("reads the tree");
    Organisation { backend, province, coast, hills }
}

impl Organisation {
    /// The record that an import of this row would have written.
    fn record(&self, id: Ulid, says: &Texts) -> NewMember {
        let mut parser = RowParser::new(&self.backend, None, &MAPPING);
        let (cells, positions) = (cells(says), parser.positions.clone());
        let parsed = parser.parse(&mut RowReader::new(2, &cells, &positions)).expect("parses");
        let derived = parsed.derived(self.backend.keys());
        NewMember {
            id: record("member", id),
            code: parsed.card.as_str().to_owned(),
            full_name: parsed.full_name.as_str().to_owned(),
            sort_key: derived.sort_key,
            given: derived.given,
            sex: parsed.sex.key().to_owned(),
            birth_date: parsed.birth_date.to_string(),
            admitted_on: parsed.admitted_on.to_string(),
            official_on: None,
            standing: "official".to_owned(),
            state: "active".to_owned(),
            unit: parsed.branch.id.to_string(),
            path: parsed.branch.path.to_string(),
            import_print: Some(parsed.print()),
            id_hash: parsed.national_id.map(|(_, hash)| hash),
            id_cipher: None,
            phone_hash: parsed.phone.map(|(_, hash)| hash),
            phone_cipher: None,
            twin_key: derived.twin_key,
            version: None,
            posted_from: "2020-01-01".to_owned(),
        }
    }

    /// Replaces the registry with that of the case.
    async fn fill(&self, case: &Case) {
        self.backend.store().write("DELETE member RETURN NONE; DELETE office RETURN NONE;", ()).await.expect("empties");
        let mut bulk = Bulk::default();
        let (mut cards, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for (at, Known { person, state, is_told }) in case.known.iter().enumerate() {
            if !cards.insert(person.card) {
                continue;
            }
            let id = person.id.filter(|id| ids.insert(*id));
            // No record is in the closed branch.
            let mut row = self.record(member_id(at), &Person { id, branch: person.branch % 3, ..*person }.texts());
            (*state).clone_into(&mut row.state);
            row.import_print = row.import_print.filter(|_| *is_told);
            bulk.push("member", row);
        }
        for (at, (member, unit, until)) in case.offices.iter().enumerate() {
            let unit = [&self.province, &self.hills, &self.coast][*unit];
            bulk.push(
                "office",
                OfficeHeld {
                    id: record("office", Ulid::from_parts(1, at as u128)),
                    member: member_id(member % case.known.len().max(1)).to_string(),
                    role: Role::Secretary.key().to_owned(),
                    unit: unit.id.to_string(),
                    path: unit.path.to_string(),
                    from: "2020-01-01".to_owned(),
                    until: until.map(str::to_owned),
                },
            );
        }
        bulk.save(&self.backend).await.expect("fills");
    }

    /// Verdicts on the rows of the case when up to `limit` records are scanned and the others are looked up.
    async fn checked(&self, case: &Case, limit: usize) -> Checked {
        let lines: Vec<Texts> = case.lines.iter().map(|line| line.person(&case.known).texts()).collect();
        let scope = case.is_scoped.then(|| self.coast.path.clone());
        let mut parser = RowParser::new(&self.backend, scope, &MAPPING);
        let mut keys = FileKeys::default();
        for (row, line) in (2..).zip(&lines) {
            assert!(keys.add(&mut parser, row, &cells(line)).is_continue());
        }
        let met_before: Vec<String> = (1..=case.met_before).map(|at| format!("{at:032x}")).collect();
        let mut ledger = Ledger::empty(parser, 1_700_000_000_000, &met_before);
        ledger.read_registry(&self.backend, &keys, limit).await.expect("reads");
        let verdicts: Vec<Verdict> = (2..).zip(&lines).map(|(row, line)| ledger.check(row, &cells(line))).collect();
        let mut foreign_ids = ledger.foreign_ids();
        foreign_ids.sort_unstable();
        Checked {
            verdicts: verdicts.iter().map(rendered).collect(),
            kinds: verdicts.iter().flat_map(kinds).collect(),
            foreign: (ledger.foreign_rows(), foreign_ids),
        }
    }
}

/// The order of ids differs from the order of cards.
fn member_id(at: usize) -> Ulid {
    Ulid::from_parts(1_000, (at * 7_919 % 1_009) as u128)
}

#[derive(Debug, SurrealValue)]
struct OfficeHeld {
    id: RecordId,
    member: String,
    role: String,
    unit: String,
    path: String,
    from: String,
    until: Option<String>,
}

/// Everything reported for a file.
#[derive(Debug, PartialEq)]
struct Checked {
    verdicts: Vec<String>,
    kinds: BTreeSet<String>,
    foreign: (u64, Vec<String>),
}

fn rendered(verdict: &Verdict) -> String {
    let entry = |entry: &Entry| {
        let Entry {
            row,
            member,
            full_name,
            likely_standing,
            branch,
            remarks,
            is_moved,
            derived,
            print,
            quality_issues,
            duplicate,
            is_renamed,
            ..
        } = entry;
        format!(
            "{row} {member} {} {likely_standing:?} {} {remarks:?} {is_moved} {derived:?} {print} {quality_issues:?} {duplicate:?} {is_renamed}",
            full_name.as_str(),
            branch.path
        )
    };
    match verdict {
        Verdict::Fresh(fresh) => format!("fresh {}", entry(fresh)),
        Verdict::Changed(changed) => format!("changed {}", entry(changed)),
        Verdict::Unchanged(remarks) => format!("unchanged {remarks:?}"),
        Verdict::Refused(lines) => format!("refused {lines:?}"),
        Verdict::Passed(line) => format!("passed {line:?}"),
    }
}

fn kinds(verdict: &Verdict) -> Vec<String> {
    let duplicate = |entry: &Entry| if entry.duplicate.is_some() { " twin" } else { "" };
    match verdict {
        Verdict::Fresh(entry) => vec![format!("fresh{}", duplicate(entry))],
        Verdict::Changed(entry) => vec![format!("changed{}", duplicate(entry))],
        Verdict::Unchanged(_) => vec!["unchanged".to_owned()],
        Verdict::Refused(lines) => {
            let reason = |reason: String| reason.split(' ').next().unwrap_or_default().to_owned();
            lines.iter().map(|line| reason(format!("{:?}", line.reason))).collect()
        }
        Verdict::Passed(_) => vec!["passed".to_owned()],
    }
}

/// Values of a record or a row, as indexes into short lists, so that many are equal.
#[derive(Debug, Clone, Copy)]
struct Person {
    card: usize,
    id: Option<usize>,
    name: usize,
    birth: usize,
    phone: Option<usize>,
    branch: usize,
}

const CARDS: [&str; 16] = [
    "7001",
    "07001",
    "007001",
    "7002",
    "07002",
    "7003",
    "0007003",
    "7004",
    "7005",
    "07005",
    "00000000000000007005",
    "AB-1",
    "0AB-1",
    "7006",
    "7007",
    "7008",
];
const IDS: usize = 12;
const NAMES: [&str; 3] = ["Nguyễn Văn An", "Trần Thị Bình", "Lê Văn Cường"];
const BIRTHS: [&str; 2] = ["01/02/1980", "02/02/1980"];
const PHONES: usize = 4;

impl Person {
    fn texts(&self) -> Texts {
        [
            CARDS[self.card].to_owned(),
            NAMES[self.name].to_owned(),
            "Nam".to_owned(),
            BIRTHS[self.birth].to_owned(),
            "03/02/2008".to_owned(),
            self.id.map(|id| format!("9510000000{id:02}")).unwrap_or_default(),
            self.phone.map(|phone| format!("09120000{phone:02}")).unwrap_or_default(),
            BRANCHES[self.branch].to_owned(),
        ]
    }
}

#[derive(Debug, Clone)]
struct Known {
    person: Person,
    state: &'static str,
    /// The record was imported with these values.
    is_told: bool,
}

/// A row: a record of the registry with some columns replaced.
#[derive(Debug, Clone)]
struct Line {
    known: usize,
    replaced: u8,
    other: Person,
}

impl Line {
    fn person(&self, known: &[Known]) -> Person {
        let Self { known: at, replaced, other } = self;
        if known.is_empty() {
            return *other;
        }
        let base = known[at % known.len()].person;
        let of = |column: u8| if (replaced >> column) & 1 == 1 { other } else { &base };
        Person { card: of(0).card, id: of(1).id, name: of(2).name, birth: of(3).birth, phone: of(4).phone, branch: of(5).branch }
    }
}

#[derive(Debug, Clone)]
struct Case {
    known: Vec<Known>,
    /// Member, unit and last day.
    offices: Vec<(usize, usize, Option<&'static str>)>,
    lines: Vec<Line>,
    is_scoped: bool,
    met_before: usize,
    limit: usize,
}

fn people() -> impl Strategy<Value = Person> {
    let numbers = (prop::option::of(0..IDS), prop::option::of(0..PHONES));
    let people = (0..CARDS.len(), numbers, 0..NAMES.len(), 0..BIRTHS.len(), 0..BRANCHES.len());
    people.prop_map(|(card, (id, phone), name, birth, branch)| Person { card, id, name, birth, phone, branch })
}

fn cases() -> impl Strategy<Value = Case> {
    let states = prop::sample::select(vec!["active", "active", "active", "transferred", "merged"]);
    let known = (people(), states, any::<bool>()).prop_map(|(person, state, is_told)| Known { person, state, is_told });
    let replaced = prop_oneof![2 => Just(0_u8), 1 => Just(63), 3 => 0..64_u8];
    let line = (0..1_000_usize, replaced, people()).prop_map(|(known, replaced, other)| Line { known, replaced, other });
    let until = prop::sample::select(vec![None, Some("2026-11-20"), Some("2026-11-21")]);
    let met_before = prop_oneof![4 => Just(0_usize), 1 => 18..=20_usize];
    let case = (
        prop::collection::vec(known, 0..20),
        prop::collection::vec((0..1_000_usize, 0..3_usize, until), 0..8),
        prop::collection::vec(line, 1..20),
        prop::bool::weighted(0.8),
        met_before,
        1..20_usize,
    );
    case.prop_map(|(known, offices, lines, is_scoped, met_before, limit)| Case {
        known,
        offices,
        lines,
        is_scoped,
        met_before,
        limit,
    })
}

#[test]
fn rows_have_the_same_verdicts_whether_records_are_read_in_order_or_looked_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let organisation = runtime.block_on(organisation());
    let met = RefCell::new(BTreeSet::new());
    let config = Config { failure_persistence: None, ..Config::with_cases(64) };
    // A fixed seed, so that the verdicts asserted below always occur.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&cases(), |case| {
        runtime.block_on(async {
            organisation.fill(&case).await;
            let in_order = organisation.checked(&case, usize::MAX).await;
            for limit in [0, case.limit] {
                let looked_up = organisation.checked(&case, limit).await;
                prop_assert_eq!(&looked_up, &in_order, "{} records in order", limit);
            }
            met.borrow_mut().extend(in_order.kinds);
            Ok(())
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let met = met.into_inner();
    for kind in [
        "fresh",
        "fresh twin",
        "changed",
        "changed twin",
        "unchanged",
        "AmbiguousCard",
        "CardTwice",
        "IdTwice",
        "IdTaken",
        "ToBeVerified",
        "Elsewhere",
        "HeldAbove",
        "NotActive",
        "ClosedUnit",
    ] {
        assert!(met.contains(kind), "no row was {kind}: {met:?}");
    }
}

#[tokio::test]
async fn records_are_looked_up_by_index() {
    let store = migrated().await;
    for condition in [BY_CARD, BY_ID_HASH, BY_TWIN_KEY] {
        for count in [1, 2, IN_MAX] {
            let wanted: Vec<String> = (0..count).map(|at| at.to_string()).collect();
            store.assert_no_scan(&found_by(condition), vars! { wanted: wanted }).await;
        }
    }
}

#[test]
fn the_records_of_a_long_file_are_not_looked_up() {
    let keys =
        FileKeys { rows: ROWS_MAX, cards: BTreeSet::from([CardNumber::parse("1").expect("a card")]), ..FileKeys::default() };
    assert_eq!(keys.records_before_look_ups(), RECORDS_PER_ROW);
    assert_eq!(FileKeys { rows: ROWS_MAX + 1, ..keys }.records_before_look_ups(), usize::MAX);
}

/// Rows of the short file: half of them are known.
const SHORT: usize = 34;

impl Organisation {
    async fn register(&self, numbers: std::ops::Range<usize>) {
        let mut bulk = Bulk::default();
        for number in numbers {
            let row = self.record(Ulid::from_parts(1_000, number as u128), &somebody(number, "Nguyễn Văn An"));
            bulk.push("member", NewMember { import_print: None, ..row });
        }
        bulk.save(&self.backend).await.expect("fills");
    }

    /// Previews and writes a short file. Returns how many rows of the store were read.
    async fn import(&self, known: usize, fresh: usize) -> u64 {
        let mut file = format!("{HEADER}\n");
        for at in 0..SHORT / 2 {
            // Every third number is in the first branch.
            let _ = writeln!(file, "{}", somebody(known + 3 * at, "Nguyễn Văn Đổi").join(","));
            let _ = writeln!(file, "{}", somebody(fresh + 3 * at, "Nguyễn Văn Mới").join(","));
        }
        let imports = self.backend.imports();
        self.backend.store().count_rows_read();
        let unit = self.coast.path.as_str();
        let mut upload = imports.receive_from_operator(ImportKind::Members, Some(unit), "a.csv").expect("is taken");
        upload.write(file.into_bytes()).await.expect("writes");
        let import = upload.finish().await.expect("arrives").import;
        imports.settled(import).await.expect("is previewed");
        imports.write(import, None).await.expect("is written");
        let read = self.backend.store().counted_rows();
        let page = imports.page_for_operator(import).await.expect("has a page");
        let half = SHORT as u64 / 2;
        assert_eq!(page.import.counts, Counts { fresh: half, changed: half, ..Counts::default() }, "{:?}", page.refused);
        read
    }
}

/// A person whose birth date is unique.
fn somebody(number: usize, name: &str) -> Texts {
    let born = NaiveDate::from_ymd_opt(1930, 1, 1).expect("a day") + Days::new(number as u64);
    [
        format!("60{number:06}"),
        name.to_owned(),
        "Nam".to_owned(),
        born.format("%d/%m/%Y").to_string(),
        "03/02/2008".to_owned(),
        format!("9520{number:08}"),
        format!("09{number:08}"),
        BRANCHES[number % 3].to_owned(),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_file_reads_no_more_of_a_large_registry_than_of_a_small_one() {
    let organisation = organisation().await;
    let in_order = SHORT * RECORDS_PER_ROW;
    let (small, large) = (in_order + 300, 10 * in_order);
    organisation.register(0..small).await;
    // From the second file on, one more row is read: the stored mapping of this header.
    organisation.import(0, 9_000).await;
    let of_small = organisation.import(300, 9_300).await;
    organisation.register(small..large).await;
    let of_large = organisation.import(600, 9_600).await;
    // The file is read twice: for the preview and for writing.
    assert!(of_small >= 2 * in_order as u64, "{of_small} rows are too few: not all were counted");
    assert!(of_large <= of_small, "{of_large} rows instead of {of_small}");
    assert!(of_large <= 2 * (in_order + 2 * SHORT) as u64, "{of_large} rows");
}
