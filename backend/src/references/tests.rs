//! Compares the list with the schema, and checks it by a move, a merge and a reorganisation.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    ids::MemberId,
    members::{NationalId, Sex, Standing},
    policy::{Grant, Role, Standpoint},
    units::{UnitRef, reorganisation::PlanList},
};

use super::{
    Fate::{self, Follows, Stays},
    Holds, TABLES,
};
use crate::{
    Backend, Clock, Keys, StoreLocation,
    demo::{
        self,
        registry::{NewMember, Registry},
    },
    store::{Store, Value, record, tests::migrated, vars},
    units::{MoveForm, ReceiveForm, Received, tests::level},
};

/// The columns of [`TABLES`] of this kind for which `keep` returns true, as `table.column`.
fn listed(holds: Holds, keep: impl Fn(&Fate) -> bool) -> BTreeSet<String> {
    let columns = TABLES.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    columns
        .filter(|(_, column)| column.holds == holds && keep(&column.fate))
        .map(|(table, column)| format!("{}.{}", table.name, column.name))
        .collect()
}

fn follows(fate: &Fate) -> bool {
    matches!(fate, Follows(_))
}

fn stays(fate: &Fate) -> bool {
    matches!(fate, Stays(_))
}

/// The definition of a column.
struct Definition {
    kind: String,
    is_computed: bool,
}

impl Definition {
    /// `text` is `DEFINE FIELD … ON … TYPE … PERMISSIONS …`, as the engine writes it.
    fn parse(text: &str) -> Self {
        const ENDS: [&str; 8] =
            [" FLEXIBLE", " DEFAULT ", " READONLY", " VALUE ", " ASSERT ", " COMPUTED ", " COMMENT ", " PERMISSIONS "];
        let (_, rest) = text.split_once(" TYPE ").unwrap_or_else(|| panic!("a column without a type: {text}"));
        let end = ENDS.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
        let (kind, clauses) = rest.split_at(end);
        Self { kind: kind.to_owned(), is_computed: clauses.contains(" VALUE ") }
    }

    /// Whether its values can hold arbitrary text, not only the literals of the definition.
    fn holds_text(&self) -> bool {
        let unquoted: String = self.kind.split('\'').step_by(2).collect();
        ["string", "object", "any", "record", "bytes"].iter().any(|kind| unquoted.contains(kind))
    }

    /// A value of the type in `SurrealQL`; `text` is used for text. None for an optional column.
    fn value(&self, text: Option<&str>) -> Option<String> {
        let kind = self.kind.as_str();
        let value = match text {
            Some(text) if kind.contains("array") => format!("[{text}]"),
            Some(text) => text.to_owned(),
            None if kind.contains("none") || kind.contains("option<") => return None,
            None if kind.contains('\'') => format!("'{}'", kind.split('\'').nth(1).unwrap_or_default()),
            None if kind.contains("array") => "[]".to_owned(),
            None => match kind {
                "int" => "1".to_owned(),
                "bool" => "true".to_owned(),
                "datetime" => "time::now()".to_owned(),
                "string" => "$key".to_owned(),
                _ => panic!("no value for the type {kind}"),
            },
        };
        Some(value)
    }
}

async fn json(store: &Store, sql: String) -> serde_json::Value {
    let found: Option<Value> = store.read(sql, ()).await.expect("reads").row(0).expect("a value");
    found.expect("is there").into_json_value()
}

async fn tables(store: &Store) -> Vec<String> {
    let database = json(store, "INFO FOR DB".to_owned()).await;
    database["tables"].as_object().expect("tables").keys().cloned().collect()
}

/// The columns of a table by name, such as `shifts.*.from`, without those that the engine adds for the items of an array.
async fn columns(store: &Store, table: &str) -> BTreeMap<String, Definition> {
    let info = json(store, format!("INFO FOR TABLE {table}")).await;
    let fields = info["fields"].as_object().expect("columns");
    fields
        .iter()
        .map(|(name, text)| (name.replace("[*]", ".*").replace('`', ""), text))
        .filter(|(name, _)| !name.ends_with(".*"))
        .map(|(name, text)| (name, Definition::parse(text.as_str().expect("a definition"))))
        .collect()
}

/// The columns, as `table.column`, in which some row has a text for which `holds` returns true. All parts of a key are the column
/// `id`.
async fn columns_with(store: &Store, holds: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for table in tables(store).await {
        let sql = format!("SELECT *, record::id(id) AS record_key FROM {table}");
        let rows: Vec<Value> = store.read(sql, ()).await.expect("reads").rows(0).expect("rows");
        for row in rows {
            let serde_json::Value::Object(mut row) = row.into_json_value() else { panic!("a row of {table} is no object") };
            row.remove("id");
            for (name, value) in &row {
                let name = if name == "record_key" { "id" } else { name.as_str() };
                collect(value, &format!("{table}.{name}"), &holds, &mut found);
            }
        }
    }
    found
}

fn collect(value: &serde_json::Value, place: &str, holds: &impl Fn(&str) -> bool, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) if holds(text) => {
            found.insert(place.to_owned());
        }
        serde_json::Value::Array(items) => {
            for item in items {
                let place = if item.is_object() { format!("{place}.*") } else { place.to_owned() };
                collect(item, &place, holds, found);
            }
        }
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                collect(value, &format!("{place}.{name}"), holds, found);
            }
        }
        _ => {}
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-21T08:00:00Z".parse().expect("a moment")
}

/// Two provinces. The first has a commune with a branch of three members and a closed branch.
struct Organisation {
    commune: UnitRef,
    branch: UnitRef,
    other_province: UnitRef,
    /// Two records of one person.
    kept: MemberId,
    gone: MemberId,
    /// Registrar and operator of the whole tree.
    viewer: Viewer,
}

async fn organisation(backend: &Backend) -> Organisation {
    let mut registry = Registry::new(backend, 1, now() - TimeDelta::days(400));
    let mut unit = |parent: Option<&UnitRef>, kind, code| registry.unit(parent, kind, code, "Tên").expect("a code");
    let central = unit(None, level("central"), "01");
    let province = unit(Some(&central), level("province"), "51");
    let other_province = unit(Some(&central), level("province"), "52");
    let commune = unit(Some(&province), level("commune"), "001");
    let branch = unit(Some(&commune), level("branch"), "01");
    let closed = unit(Some(&commune), level("branch"), "02");
    let mut member = |number: u32, name| {
        registry
            .member(&NewMember {
                code: &format!("51.{number:06}"),
                full_name: name,
                sex: Sex::Female,
                birth_date: "1980-02-03".parse().expect("a day"),
                admitted_on: "2008-02-03".parse().expect("a day"),
                standing: Standing::Official,
                national_id: &NationalId::parse(&format!("951000{number:06}")).expect("twelve digits"),
                phone: None,
                unit: &branch,
            })
            .expect("registers")
    };
    let (kept, gone, other) = (member(1, "Võ Thị Khơi"), member(2, "Võ Thị Khơi"), member(3, "Cao Thị Sổ"));
    registry.office(other, Role::Registrar, &central, None);
    registry.save().await.expect("saves");
    let sql = "UPDATE $closed SET closed_on = '2026-01-01', parent = $commune RETURN NONE;";
    let vars = vars! { closed: record("unit", closed.id), commune: commune.id.to_string() };
    backend.store().write(sql, vars).await.expect("closes");
    let grants = [Role::Operator, Role::Registrar].map(|role| Grant { role, path: central.path.clone() });
    let viewer = Viewer {
        member: other,
        name: "Cao Thị Sổ".to_owned(),
        standpoint: Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants: grants.to_vec() },
        branch: branch.clone(),
        offices: Vec::new(),
        resting: Vec::new(),
    };
    Organisation { commune, branch, other_province, kept, gone, viewer }
}

/// Creates a row in every table with references: each path is that of the branch, each member id that of the record to be merged.
async fn fill(store: &Store, organisation: &Organisation) {
    for table in TABLES {
        let Some(row) = table.row else { continue };
        let mut values = Vec::new();
        for (name, definition) in columns(store, table.name).await {
            let is_set = table.set.iter().any(|(set, _)| *set == name);
            if is_set || definition.is_computed || name.contains('.') {
                continue;
            }
            let texts: Vec<&str> = table
                .columns
                .iter()
                .filter(|column| column.name == name)
                .map(|column| if column.holds == Holds::Path { "$path" } else { "$gone" })
                .collect();
            let text = (!texts.is_empty()).then(|| texts.join(" + ' ' + "));
            values.extend(definition.value(text.as_deref()).map(|value| format!("{name} = {value}")));
        }
        values.extend(table.set.iter().map(|(name, value)| format!("{name} = {value}")));
        let set = if values.is_empty() { String::new() } else { format!("SET {}", values.join(", ")) };
        let sql = format!("CREATE type::record('{}', {row}) {set} RETURN NONE;", table.name);
        let vars = vars! {
            key: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            gone: organisation.gone.to_string(),
            path: organisation.branch.path.to_string(),
        };
        store.write(&sql, vars).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let sql = "UPDATE $other SET distinct_from = [$gone], merged_into = $gone RETURN NONE;";
    let vars = vars! { other: record("member", organisation.viewer.member), gone: organisation.gone.to_string() };
    store.write(sql, vars).await.expect("names the record");
}

#[tokio::test]
async fn every_text_column_is_listed() {
    let store = migrated().await;
    let names: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    let defined: BTreeSet<String> = tables(&store).await.into_iter().collect();
    assert_eq!(names, defined, "the tables");
    assert_eq!(names.len(), TABLES.len(), "each is listed once");
    for table in TABLES {
        let defined: BTreeSet<String> = columns(&store, table.name)
            .await
            .into_iter()
            .filter(|(_, definition)| definition.holds_text())
            .map(|(name, _)| name)
            .collect();
        let referring = table.columns.iter().map(|column| column.name).filter(|name| *name != "id");
        let sorted: BTreeSet<String> = referring.chain(table.other.split_whitespace()).map(str::to_owned).collect();
        assert_eq!(sorted, defined, "the columns of {} that can hold a text", table.name);
    }
    for column in TABLES.iter().flat_map(|table| table.columns) {
        let (Follows(said) | Stays(said)) = column.fate;
        assert!(!said.is_empty(), "{}", column.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_follows_a_move_and_every_member_id_a_merge_unless_listed() {
    let backend =
        Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::fixed(now(), 1)).await.expect("opens");
    let store = backend.store();
    let organisation = organisation(&backend).await;
    fill(store, &organisation).await;

    let old = organisation.commune.path.as_str();
    let at_old_place = |text: &str| text.contains(old);
    assert_eq!(columns_with(store, at_old_place).await, listed(Holds::Path, |_| true), "all columns of paths are filled");
    let (unit, target) = (organisation.commune.id.to_string(), organisation.other_province.id.to_string());
    let form = MoveForm { unit: &unit, version: "0", target: &target, code: "001", on: "2026-11-21" };
    let desk = backend.unit_desk();
    desk.move_below(&organisation.viewer, form).await.expect("moves");
    desk.resume().await.expect("finishes");
    assert_eq!(columns_with(store, at_old_place).await, listed(Holds::Path, stays), "what still has the old path");
    let sql = "SELECT VALUE path FROM unit WHERE closed_on = NONE";
    let open: Vec<String> = store.read(sql, ()).await.expect("reads").rows(0).expect("paths");
    assert!(!open.iter().any(|path| at_old_place(path)), "{open:?}");

    let gone = organisation.gone.to_string();
    let names_gone = |text: &str| text.contains(&gone);
    let before = columns_with(store, names_gone).await;
    let unfilled: Vec<_> = listed(Holds::Member, follows).difference(&before).cloned().collect();
    assert_eq!(unfilled, [] as [&str; 0], "columns that follow are filled");
    backend.members().merge(&organisation.viewer, organisation.kept, organisation.gone).await.expect("merges");
    assert_eq!(columns_with(store, names_gone).await, listed(Holds::Member, stays), "what still names the merged record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_follows_a_reorganisation_unless_listed() {
    let backend =
        Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::fixed(now(), 1)).await.expect("opens");
    let store = backend.store();
    let organisation = organisation(&backend).await;
    fill(store, &organisation).await;
    let old = organisation.commune.path.as_str();
    let at_old_place = |text: &str| text.contains(old);

    let reorganisations = backend.reorganisations();
    let form = ReceiveForm { on: "2026-11-21", reorganisation: "", file_name: "moved.csv" };
    let mut upload = reorganisations.receive(&organisation.viewer, form).await.expect("may reorganise");
    let (unit, target) = (old.trim_matches('/'), organisation.other_province.path.as_str().trim_matches('/').to_owned());
    let file = format!("Mã cũ,Mã mới,Mã cấp trên mới\n{unit},{},{target}\n", organisation.commune.path.code());
    upload.write(file.into_bytes()).await.expect("writes");
    let Received::Accepted(id) = upload.finish().await.expect("is read") else { panic!("is refused") };
    let page = reorganisations.preview(&organisation.viewer, id, PlanList::Refused, 1).await.expect("is planned");
    assert_eq!(page.refused, []);
    reorganisations.confirm(&organisation.viewer, id, &page.version).await.expect("is confirmed");
    reorganisations.carry_out_for_operator(id).await.expect("is carried out");
    assert_eq!(columns_with(store, at_old_place).await, listed(Holds::Path, stays), "what still has the old path");
    let sql = "SELECT VALUE path FROM unit WHERE closed_on = NONE";
    let open: Vec<String> = store.read(sql, ()).await.expect("reads").rows(0).expect("paths");
    assert!(!open.iter().any(|path| at_old_place(path)), "{open:?}");
}

/// Checks real rows for paths and members in the columns of `other`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_has_paths_and_members_only_in_listed_columns() {
    let (backend, _) = demo::tests::loaded(&Clock::fixed(now(), 1)).await;
    let sql = "SELECT VALUE path FROM unit; SELECT VALUE record::id(id) FROM member";
    let mut found = backend.store().read(sql, ()).await.expect("reads");
    // The path of the root is too short to be distinguished from other texts.
    let is_low = |path: &String| path.matches('/').count() > 2;
    let paths: BTreeSet<String> = found.rows::<String>(0).expect("paths").into_iter().filter(is_low).collect();
    let members: BTreeSet<String> = found.rows::<String>(1).expect("ids").into_iter().collect();
    let length = members.first().map_or(0, String::len);
    assert!(length > 20 && paths.len() > 100, "{length}, {}", paths.len());

    let is_of_path = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '/';
    let has_path = |text: &str| {
        text.split(|letter: char| !is_of_path(letter)).any(|run| {
            let from = run.find('/').unwrap_or(run.len());
            let until = run.rfind('/').map_or(from, |at| at + 1);
            run.get(from..until).is_some_and(|path| paths.contains(path))
        })
    };
    let has_member = |text: &str| {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        words
            .flat_map(|word| word.as_bytes().windows(length))
            .any(|part| std::str::from_utf8(part).is_ok_and(|part| members.contains(part)))
    };
    for (holds, found) in [
        (Holds::Path, columns_with(backend.store(), has_path).await),
        (Holds::Member, columns_with(backend.store(), has_member).await),
    ] {
        let unlisted: Vec<_> = found.difference(&listed(holds, |_| true)).cloned().collect();
        assert_eq!(unlisted, [] as [&str; 0], "{holds:?}");
        assert!(found.len() > 10, "{found:?}");
    }
}
