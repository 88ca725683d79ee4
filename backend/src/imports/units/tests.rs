//! Units of a file: where they belong, and what is written when the tree changes meanwhile.

use domain::imports::ImportKind;

use super::*;
use crate::{
    StoreLocation,
    units::tests::{level, open},
};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn unit(row: u64, code: &str, parent: &str, kind: UnitKind) -> Unit {
    let codes = |text: &str| text.split('/').map(str::to_owned).collect();
    Unit {
        row,
        codes: codes(code),
        is_number: false,
        parent: (!parent.is_empty()).then(|| codes(parent)),
        kind,
        name: format!("Đơn vị {code}"),
        opened_on: None,
        phase: None,
    }
}

fn planned(units: Vec<Unit>) -> (Vec<String>, Vec<(u64, Reason)>) {
    let planner = Planner {
        tree: Arc::default(),
        scope: None,
        known: HashMap::new(),
        closed: HashSet::from([UnitPath::parse("/01/51/009/").expect("a path")]),
        as_of: day("2026-11-21"),
        written: Written::default(),
    };
    let mut refused = BTreeMap::new();
    let plan = planner.plan(units, &mut refused);
    let lines = refused.into_values().flatten().map(|line| (line.row, line.reason)).collect();
    (plan.steps.into_iter().map(|step| step.path.to_string()).collect(), lines)
}

#[test]
fn units_are_resolved_in_any_order() {
    let [central, province, commune, branch] = ["central", "province", "commune", "branch"].map(level);
    let (paths, refused) = planned(vec![
        unit(2, "07", "001", branch),
        unit(3, "001", "01/51", commune),
        unit(4, "51", "01", province),
        unit(5, "01", "", central),
        unit(6, "01/51/001/08", "", branch),
    ]);
    assert_eq!(refused, []);
    assert_eq!(paths, ["/01/", "/01/51/", "/01/51/001/", "/01/51/001/07/", "/01/51/001/08/"]);
}

#[test]
fn a_level_that_has_ended_is_imported_for_earlier_days_only() {
    let dated = |row, code: &str, on: Option<&str>| Unit { opened_on: on.map(day), ..unit(row, code, "51", level("district")) };
    let (paths, refused) = planned(vec![
        unit(2, "51", "", level("province")),
        dated(3, "a", Some("2025-06-30")),
        dated(4, "b", Some("2025-07-01")),
        dated(5, "c", None),
        unit(6, "07", "a", level("branch")),
        unit(7, "1", "51/a/07", level("group")),
        unit(8, "2", "51/a", level("group")),
    ]);
    assert_eq!(paths, ["/51/", "/51/a/", "/51/a/07/", "/51/a/07/1/"]);
    let ended = || Reason::LevelEnded { last: day("2025-06-30") };
    assert_eq!(refused, [(4, ended()), (5, ended()), (8, Reason::WrongLevel)]);
}

#[test]
fn a_long_chain_of_units_is_refused_without_deep_recursion() {
    let chain = (2..50_000).rev().map(|row| unit(row, &format!("c{row}"), &format!("x/c{}", row - 1), level("commune")));
    let (paths, refused) = planned(chain.collect());
    assert_eq!((paths.len(), refused.len()), (0, 49_998));
}

#[test]
fn a_number_without_leading_zeros_finds_its_unit() {
    let path = |path: &str| UnitPath::parse(path).expect("a path");
    let since = day("2026-11-01");
    let known = |kind| Known { id: UnitId::new(Ulid::nil()), kind, name: "Đơn vị".to_owned(), phase: None, since };
    let paths = [("/01/", level("central")), ("/01/51/", level("province")), ("/01/51/001/", level("commune"))];
    let planner = Planner {
        tree: Arc::default(),
        scope: None,
        known: paths.into_iter().map(|(at, kind)| (path(at), known(kind))).collect(),
        closed: HashSet::new(),
        as_of: day("2026-11-21"),
        written: Written::default(),
    };
    let number = Unit { is_number: true, name: "Tên mới".to_owned(), ..unit(2, "1", "01/51", level("commune")) };
    let text = Unit { is_number: false, ..number.clone() };
    for (unit, expected) in [(number, "/01/51/001/"), (text, "/01/51/1/")] {
        let plan = planner.plan(vec![unit], &mut BTreeMap::new());
        assert_eq!(plan.steps.iter().map(|step| step.path.to_string()).collect::<Vec<_>>(), [expected]);
    }
}

/// As in a file that gives the parents by codes that are not unique. Neither the number of rows with a code nor that of the rows
/// that refer to it may make the other one slow.
#[test]
fn a_code_of_very_many_units_is_looked_up_in_little_time() {
    const COUNT: u64 = 20_000;
    let (province, commune, branch) = (level("province"), level("commune"), level("branch"));
    let mut units = vec![unit(1, "r", "", level("central"))];
    units.extend((0..COUNT).map(|at| unit(10 + at, &format!("p{at}"), "r", province)));
    units.extend((0..COUNT).map(|at| unit(100_000 + at, "01", &format!("p{at}"), commune)));
    units.extend((0..COUNT).map(|at| unit(200_000 + at, &format!("b{at}"), "01", branch)));
    units.extend((0..COUNT).map(|at| unit(300_000 + at, "02", &format!("r/p{at}/01"), branch)));
    let (paths, refused) = planned(units);
    assert_eq!(paths.len() as u64, 1 + 3 * COUNT);
    assert_eq!(refused.len() as u64, COUNT);
    assert!(refused.iter().all(|(row, reason)| (200_000..300_000).contains(row) && *reason == Reason::AmbiguousUnit));
}

#[test]
fn cycles_second_roots_wrong_levels_and_closed_units_are_refused() {
    let [central, province, commune, branch] = ["central", "province", "commune", "branch"].map(level);
    let (paths, refused) = planned(vec![
        unit(2, "01", "", central),
        unit(3, "51", "01", province),
        unit(4, "02", "", central),
        unit(5, "a", "b", commune),
        unit(6, "b", "a", commune),
        unit(7, "52", "51", province),
        unit(9, "009", "51", commune),
        unit(10, "51", "01", province),
        unit(11, "07", "nowhere", branch),
        unit(12, "x/y/07", "", branch),
    ]);
    assert_eq!(paths, ["/01/", "/01/51/"]);
    let rows: Vec<u64> = refused.iter().map(|(row, _)| *row).collect();
    assert_eq!(rows, [4, 5, 6, 7, 9, 10, 11, 12]);
    assert_eq!(refused[4].1, Reason::ClosedUnit);
    assert_eq!(refused[5].1, Reason::UnitTwice { row: 3 });
}

/// Uploads a file of the operator for the whole tree and waits for its preview.
async fn previewed(backend: &Backend, file: &str, as_of: &str) -> ImportRow {
    let imports = backend.imports();
    let mut upload = imports.receive_from_operator(ImportKind::Units, None, "units.csv").expect("is accepted");
    upload.set_as_of(day(as_of));
    upload.write(file.as_bytes().to_vec()).await.expect("writes");
    let id = upload.finish().await.expect("arrives").import;
    imports.settled(id).await.expect("is previewed");
    imports.row(id).await.expect("exists")
}

async fn confirmed(backend: &Backend, previewed: &ImportRow) -> ImportRow {
    let imports = backend.imports();
    imports.allow(previewed, previewed.day().expect("a day")).await.expect("is confirmed");
    imports.row(previewed.key().expect("an id")).await.expect("exists")
}

async fn finished(backend: &Backend, confirmed: &ImportRow) -> Result<ImportRow, ImportError> {
    let imports = backend.imports();
    imports.finish(confirmed, &RowProgress::default()).await?;
    Ok(imports.row(confirmed.key().expect("an id")).await.expect("exists"))
}

async fn imported(backend: &Backend, file: &str, as_of: &str) -> ImportRow {
    let confirmed = confirmed(backend, &previewed(backend, file, as_of).await).await;
    finished(backend, &confirmed).await.expect("is written")
}

const TREE: &str = "Mã,Cấp,Tên đơn vị\n1,Trung ương,Trung ương\n1/01,Tỉnh,Tỉnh Một\n";

fn name_of(backend: &Backend, path: &str) -> Option<String> {
    backend.units().tree().at(&UnitPath::parse(path).expect("a path")).map(|unit| unit.name.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_planned_again_when_the_tree_changes_before_it_is_written() {
    let backend = open(&StoreLocation::Memory).await;
    imported(&backend, TREE, "2026-11-01").await;
    let file = format!("{}1/02,Tỉnh,Tỉnh Hai\n", TREE.replace("Tỉnh Một", "Tỉnh Mới"));
    let row = confirmed(&backend, &previewed(&backend, &file, "2026-11-20").await).await;
    let plan = plan(&backend, &row, &row.columns(), &RowProgress::default(), &Written::default()).await.expect("plans");
    assert_eq!(plan.steps.len(), 2);

    imported(&backend, &TREE.replace("Tỉnh Một", "Tỉnh Khác"), "2026-11-19").await;
    let mut written = Written::default();
    let is_written = write(&backend, &row, &plan, &mut written, &RowProgress::default()).await.expect("notices");
    assert_eq!((is_written, written.len()), (false, 0));
    let names = |paths: [&str; 2]| paths.map(|path| name_of(&backend, path));
    assert_eq!(names(["/1/01/", "/1/02/"]), [Some("Tỉnh Khác".to_owned()), None]);

    let done = finished(&backend, &row).await.expect("is written");
    assert_eq!((done.fresh, done.changed, done.unchanged, done.refused), (1, 1, 1, 0));
    assert_eq!(names(["/1/01/", "/1/02/"]), ["Tỉnh Mới", "Tỉnh Hai"].map(|name| Some(name.to_owned())));
}

/// The versions of a unit in the order of days: first day, last day, name.
async fn versions(backend: &Backend, path: &str) -> Vec<String> {
    let unit = backend.units().tree().at(&UnitPath::parse(path).expect("a path")).expect("a unit").id.to_string();
    let sql = "SELECT VALUE `from` + ' ' + (until ?? '') + ' ' + name FROM unit_version WHERE unit = $unit";
    let mut answers = backend.store().read(sql, vars! { unit: unit }).await.expect("reads");
    let mut versions: Vec<String> = answers.rows(0).expect("texts");
    versions.sort();
    versions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_of_a_day_before_the_latest_change_of_its_unit_is_refused() {
    let backend = open(&StoreLocation::Memory).await;
    imported(&backend, TREE, "2026-11-01").await;
    let file = |name: &str| TREE.replace("Tỉnh Một", name);
    let refused = async |row: &ImportRow| {
        let page = backend.imports().page_for_operator(row.key().expect("an id")).await.expect("has a page");
        page.refused.into_iter().map(|line| (line.row, line.column, line.value, line.reason)).collect::<Vec<_>>()
    };
    let later = |name: &str, since| vec![(3, Some(Column::Name), name.to_owned(), Reason::ChangedLater { since: day(since) })];

    // The first day of a unit that has never changed.
    let before = previewed(&backend, &file("Tỉnh Cũ"), "2026-10-31").await;
    assert_eq!((before.changed, before.refused), (0, 1));
    assert_eq!(refused(&before).await, later("Tỉnh Cũ", "2026-11-01"));

    // It can be written when it is previewed, but not any more when it is confirmed.
    let row = previewed(&backend, &file("Tỉnh Hai"), "2026-11-10").await;
    assert_eq!((row.changed, row.refused), (1, 0));
    imported(&backend, &file("Tỉnh Ba"), "2026-11-15").await;
    let done = finished(&backend, &confirmed(&backend, &row).await).await.expect("ends");
    assert_eq!((done.changed, done.unchanged, done.refused), (0, 1, 1));
    assert_eq!(refused(&done).await, later("Tỉnh Hai", "2026-11-15"));
    let expected = ["2026-11-01 2026-11-14 Tỉnh Một", "2026-11-15  Tỉnh Ba"];
    assert_eq!(versions(&backend, "/1/01/").await, expected);

    // The same name, and a phase, which has no history, can be of any day.
    let phase = "Mã,Cấp,Tên đơn vị,Giai đoạn triển khai\n1,Trung ương,Trung ương,\n1/01,Tỉnh,Tỉnh Ba,pilot\n";
    let done = imported(&backend, phase, "2026-11-10").await;
    assert_eq!((done.changed, done.unchanged, done.refused), (1, 1, 0));
    assert_eq!(versions(&backend, "/1/01/").await, expected);

    // On the day of the latest change, the version that began on it was never in effect.
    let done = imported(&backend, &file("Tỉnh Hai"), "2026-11-15").await;
    assert_eq!((done.changed, done.refused), (1, 0));
    let expected = ["2026-11-01 2026-11-14 Tỉnh Một", "2026-11-15  Tỉnh Hai", "2026-11-15 2026-11-14 Tỉnh Ba"];
    assert_eq!(versions(&backend, "/1/01/").await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_written_before_the_file_is_planned_again_are_counted_by_what_they_changed() {
    let backend = open(&StoreLocation::Memory).await;
    imported(&backend, TREE, "2026-11-01").await;
    let file = format!("{}1/02,Tỉnh,Tỉnh Hai\n", TREE.replace("Tỉnh Một", "Tỉnh Mới"));
    let row = confirmed(&backend, &previewed(&backend, &file, "2026-11-20").await).await;
    let (columns, mut written) = (row.columns(), Written::default());
    let first = plan(&backend, &row, &columns, &RowProgress::default(), &written).await.expect("plans");
    assert!(write(&backend, &row, &first, &mut written, &RowProgress::default()).await.expect("writes"));
    let again = plan(&backend, &row, &columns, &RowProgress::default(), &written).await.expect("plans");
    assert!(again.steps.is_empty());
    assert_eq!(again.outcome.counts, first.outcome.counts);
    assert_eq!(again.outcome.counts, Counts { fresh: 1, changed: 1, unchanged: 1, refused: 0 });
}

/// Begins an operation of this kind that moved `/1/01/` to `/1/03/`, without any of its batches.
async fn move_province(backend: &Backend, kind: &str) {
    let sql = "CREATE unit_operation SET kind = $kind, unit = 'x', target = 'x', shifts = [{ from: '/1/01/', to: '/1/03/' }], \
               effective_on = '2026-11-20', state = 'running', started_at = $now RETURN NONE; \
               UPDATE unit SET code = '03' WHERE path = '/1/01/' RETURN NONE; \
               UPSERT tree:units SET version = (version ?? 0) + 1 RETURN NONE;";
    let vars = vars! { kind: kind, now: backend.clock().now() };
    backend.store().write(sql, vars).await.expect("writes");
    backend.units().reload(backend.store()).await.expect("reads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_below_a_unit_that_is_moving_are_written_at_their_new_place() {
    let backend = open(&StoreLocation::Memory).await;
    imported(&backend, TREE, "2026-11-01").await;
    move_province(&backend, "move").await;
    let file = "Mã,Cấp,Tên đơn vị\n1/03,Tỉnh,Tỉnh Mới\n1/03/001,Xã,Xã Mới\n";
    let done = imported(&backend, file, "2026-11-21").await;
    assert_eq!((done.fresh, done.changed, done.refused), (1, 1, 0));
    assert_eq!(name_of(&backend, "/1/03/"), Some("Tỉnh Mới".to_owned()));
    assert_eq!(name_of(&backend, "/1/03/001/"), Some("Xã Mới".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_is_renamed_only_when_the_version_of_its_new_place_is_written() {
    let backend = open(&StoreLocation::Memory).await;
    imported(&backend, TREE, "2026-11-01").await;
    move_province(&backend, "reorganise").await;
    let file = "Mã,Cấp,Tên đơn vị\n1/03,Tỉnh,Tỉnh Mới\n";
    let row = confirmed(&backend, &previewed(&backend, file, "2026-11-21").await).await;
    assert!(matches!(finished(&backend, &row).await, Err(ImportError::Other(Error::Busy))));
    backend.store().write("UPDATE unit_operation SET step = 1; UPDATE tree:units SET version += 1", ()).await.expect("writes");
    assert_eq!(finished(&backend, &row).await.expect("is written").changed, 1);
    assert_eq!(name_of(&backend, "/1/03/"), Some("Tỉnh Mới".to_owned()));
}
