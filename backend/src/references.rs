//! What happens to each column with a unit path or a member id when that unit moves or that member is merged into another one.
//!
//! [`TABLES`] lists all tables and all columns that can hold a text. A new column must be added there: to `columns` when it holds
//! the path of a unit or the id of a member, else to `other`. The ids of units never change, so columns with them belong to
//! `other`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    ids::MemberId,
    members::{NationalId, Sex, Standing},
    policy::{Grant, Role, Standpoint},
    units::{UnitRef, reorganisation::PlanList},
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

use Fate::{Follows, Stays};

/// A table and its columns. The key of a row is the column `id`.
struct Table {
    name: &'static str,
    /// The key of the row that [`fill`] creates, in `SurrealQL`. None when [`organisation`] creates the rows, or when the table
    /// has no references.
    row: Option<&'static str>,
    columns: &'static [Column],
    /// Columns that can hold a text, but neither a path nor the id of a member.
    other: &'static str,
    /// Values of the row of [`fill`] that cannot be derived from the definitions.
    set: &'static [(&'static str, &'static str)],
}

struct Column {
    name: &'static str,
    holds: Holds,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// The path of a unit.
    Path,
    /// The id of a member.
    Member,
}

enum Fate {
    /// Rewritten or deleted by the code named here.
    Follows(&'static str),
    /// Unchanged, for the reason given here.
    Stays(&'static str),
}

const fn path(name: &'static str, fate: Fate) -> Column {
    Column { name, holds: Holds::Path, fate }
}

const fn member(name: &'static str, fate: Fate) -> Column {
    Column { name, holds: Holds::Member, fate }
}

/// A table without references to members or paths.
const fn free(name: &'static str, other: &'static str) -> Table {
    Table { name, row: None, columns: &[], other, set: &[] }
}

const MOVED: Fate = Follows("units::moving::FOLLOWERS");
const COMPUTED: Fate = Follows("its VALUE, written with the path");
const MERGED: Fate = Follows("members::merge::HISTORY");
const AT_THE_DESK: Fate = Follows("documents::review::AT_THE_DESK");
const HANDED_OVER: Fate = Follows("documents::progress::HAND_OVER");
const INHERITED: Fate = Follows("courses::tries::INHERIT");
const SIGNED_OUT: Fate = Follows("members::state::END_SESSIONS");

/// For a column that records the actor.
const BY: Fate = Stays("records who did it; a merged record keeps its name");
const THEN: Fate = Stays("records the path of that time; Tree::former resolves it");
const LAST_SEEN: Fate = Stays(
    "keeps the path of the member's last change, else millions of rows would be rewritten; Tree::path_ranges has all ranges",
);

const TABLES: &[Table] = &[
    Table {
        name: "account",
        row: Some("$gone"),
        columns: &[member("id", Follows("members::merge::ACCOUNT"))],
        other: "password",
        set: &[],
    },
    Table {
        name: "account_change",
        row: Some("[$gone, 'password']"),
        columns: &[member("id", Follows("members::merge::ACCOUNT"))],
        other: "office",
        set: &[],
    },
    Table {
        name: "another_try",
        row: Some("[$key, $gone]"),
        columns: &[member("id", INHERITED), member("target", INHERITED), member("by", BY)],
        other: "course act acts",
        set: &[],
    },
    Table {
        name: "attachment",
        row: Some("$key"),
        columns: &[member("added_by", BY), member("decided_by", BY)],
        other: "document name sha256 preview text_missing preview_missing warnings warnings.*.kind reason",
        set: &[],
    },
    free("attachment_text", "text"),
    // The key contains only keyed hashes.
    free("attempt", ""),
    Table { name: "attendance", row: Some("[$key, $gone]"), columns: &[member("id", MERGED)], other: "reason", set: &[] },
    Table {
        name: "bookmark",
        row: Some("[$gone, $key]"),
        columns: &[member("id", HANDED_OVER), member("member", HANDED_OVER)],
        other: "document marked",
        set: &[],
    },
    // Sealed.
    free("code_sheet", "content"),
    Table {
        name: "correction",
        row: Some("$key"),
        columns: &[member("member", MERGED), member("decided_by", BY), path("path", MOVED), path("place", COMPUTED)],
        other: "field wanted reason note",
        set: &[],
    },
    // Members and paths in a private encoding, as of a position in the log; later events are replayed.
    free("counter_piece", "content"),
    free("counter_snapshot", "newest hash"),
    free("counter_turn", ""),
    Table {
        name: "course",
        row: Some("$key"),
        columns: &[path("issuer_path", MOVED), path("audience_path", MOVED), member("saved_by", BY)],
        other: "title issuer documents audience parts except standings due_on shelf",
        set: &[],
    },
    Table {
        name: "course_completion",
        row: Some("[$key, $gone]"),
        columns: &[
            member("id", INHERITED),
            member("member", INHERITED),
            path("path", Follows("the event course_completion_follows, when the member follows")),
            path("place", COMPUTED),
        ],
        other: "course unit serial",
        set: &[],
    },
    free(
        "course_text",
        "description questions questions.*.text questions.*.options questions.*.options.*.text questions.*.explanation",
    ),
    Table {
        name: "course_try",
        row: Some("[$gone, $key + '.1']"),
        columns: &[member("id", INHERITED), member("member", INHERITED)],
        other: "course",
        set: &[],
    },
    free("desk_rule", ""),
    Table {
        name: "device",
        row: Some("[$key, $gone]"),
        columns: &[member("id", SIGNED_OUT), member("member", SIGNED_OUT)],
        other: "",
        set: &[],
    },
    Table {
        name: "document",
        row: Some("$key"),
        columns: &[path("issuer_path", MOVED), path("audience_path", MOVED), member("saved_by", BY)],
        other: "number title signer field issuer issuer_level audience shelf standings attachments related related.*.document \
                expires_on must_read_by must pin correction withdrawn_because parts except",
        set: &[],
    },
    Table {
        name: "document_read",
        row: Some("[$key, $gone]"),
        columns: &[member("id", MERGED), member("member", MERGED), path("path", THEN), path("place", LAST_SEEN)],
        other: "",
        set: &[],
    },
    Table {
        name: "document_revision",
        row: Some("[$key, '000001']"),
        columns: &[member("by", BY)],
        other: "title body",
        set: &[],
    },
    free("document_text", "body"),
    Table {
        name: "door",
        row: Some("$key"),
        columns: &[member("proved", Stays("expires in minutes; choose_password checks that the member is active"))],
        other: "id_hash code_hash paper_code",
        set: &[],
    },
    Table {
        name: "draft",
        row: Some("$key"),
        columns: &[
            path("issuer_path", MOVED),
            path("audience_path", MOVED),
            member("authors", AT_THE_DESK),
            member("saved_by", BY),
            member("approved_by", BY),
        ],
        other: "number title signer field issuer issuer_level audience standings attachments related related.*.document \
                expires_on must_read_by correction parts except",
        set: &[],
    },
    free("draft_text", "body"),
    Table {
        name: "event",
        row: Some("$key"),
        columns: &[
            member("actor", BY),
            member("subject", Stays("the log is sealed; the trail of the merged record is read with it")),
            member("detail", Stays("the log is sealed")),
            path("unit", Stays("the log is sealed; Tree::former resolves it")),
            path("detail", Stays("the log is sealed")),
        ],
        other: "kind",
        set: &[("kind", "'member_changed'")],
    },
    // Form contents, kept for minutes.
    free("flash", "content"),
    Table {
        name: "flaw",
        row: Some("['missing_id', $gone]"),
        columns: &[
            member("id", Follows("members::quality_issues::settled_issues")),
            member("member", Follows("members::quality_issues::settled_issues")),
            path("path", MOVED),
            path("place", COMPUTED),
        ],
        other: "",
        set: &[],
    },
    Table {
        name: "import",
        row: Some("$key"),
        columns: &[path("path", MOVED), member("started_by", BY)],
        other: "failure file_name file_hash format headers mapping as_of holder sheet unread_sheets foreign_ids foreign_before",
        set: &[],
    },
    free("import_lane", ""),
    Table {
        name: "import_mapping",
        row: Some("[$path, $key]"),
        columns: &[path("id", Stays("only a default: at the new path the columns are confirmed again"))],
        other: "mapping",
        set: &[],
    },
    Table {
        name: "import_written",
        row: Some("[$key, $key]"),
        columns: &[member(
            "members",
            Stays("records which rows an import wrote; they are counted in their current state, including merged ones"),
        )],
        other: "",
        set: &[],
    },
    // Sealed. A notice to a merged member is not sent, since the account no longer exists.
    free("job", "kind key lease payload last_error"),
    free("key_check", "mark"),
    Table {
        name: "meeting",
        row: Some("$key"),
        columns: &[path("path", MOVED)],
        other: "unit title place venue chair agenda agenda.*.title agenda.*.papers",
        set: &[],
    },
    Table {
        name: "member",
        row: None,
        columns: &[
            path("path", MOVED),
            member("id", Stays("the record stays, as merged")),
            member("merged_into", Stays("the record it refers to has its own merged_into")),
            member("distinct_from", Stays("the two are compared again: the kept record has other values")),
        ],
        other: "code full_name sort_key birth_date admitted_on official_on unit id_hash id_cipher phone_hash phone_cipher given \
                id_tail twin_key import_print posted_from",
        set: &[],
    },
    Table {
        name: "member_merge",
        row: Some("$key"),
        columns: &[member("id", Stays("records the merge")), path("lost_reads.*.path", THEN)],
        other: "lost_reads",
        set: &[("lost_reads", "[{ path: $path, at: time::now() }]")],
    },
    free("migration", "name hash done position"),
    free("migration_lease", "holder doing"),
    Table {
        name: "office",
        row: Some("$key"),
        columns: &[
            path("path", MOVED),
            member("member", Stays("END_OFFICES ends the roles; their holder remains recorded")),
            member("granted_by", BY),
            member("ended_by", BY),
        ],
        other: "unit from until granted_from",
        // Already ended, else the merge ends it and records the actor.
        set: &[("from", "'2020-01-01'"), ("until", "'2024-01-01'")],
    },
    Table {
        name: "office_turn",
        row: Some("$gone"),
        columns: &[member("id", Stays("a counter that makes transactions conflict"))],
        other: "",
        set: &[],
    },
    Table {
        name: "opinion",
        row: Some("$key"),
        columns: &[
            member("member", MERGED),
            member("answer.by", BY),
            path("path", MOVED),
            path("issuer_path", MOVED),
            path("committee_path", COMPUTED),
        ],
        other: "author unit document document_title text body_hash received answer answer.text",
        set: &[("answer", "{ text: 'a', by: $gone, at: time::now() }")],
    },
    Table {
        name: "paper_code",
        row: Some("$key"),
        columns: &[member("member", Stays("revoked by END_SESSIONS; kept as a record of the issue")), member("issued_by", BY)],
        other: "unit code_hash issued_from",
        set: &[],
    },
    Table { name: "posting", row: Some("$key"), columns: &[member("member", MERGED)], other: "unit from until", set: &[] },
    Table {
        name: "read_receipt",
        row: Some("[$key, $gone]"),
        columns: &[member("id", MERGED), member("member", MERGED), path("path", THEN), path("place", LAST_SEEN)],
        other: "",
        set: &[],
    },
    Table {
        name: "reading",
        row: Some("[$gone, $key]"),
        columns: &[member("id", HANDED_OVER), member("member", HANDED_OVER)],
        other: "document opened unfinished heading",
        set: &[],
    },
    Table { name: "reminder", row: Some("[$key, $key]"), columns: &[member("by", BY)], other: "document unit", set: &[] },
    Table {
        name: "review",
        row: Some("$key"),
        columns: &[
            member("reviewer", AT_THE_DESK),
            member("commenter", AT_THE_DESK),
            member("colleague", AT_THE_DESK),
            member("asked_by", BY),
            member("decided_by", BY),
        ],
        other: "document due note reason",
        set: &[],
    },
    Table {
        name: "review_remark",
        row: Some("[$key, $key]"),
        columns: &[member("by", BY), member("settled_by", BY)],
        other: "quote text",
        set: &[],
    },
    free("seal", "previous hash entries"),
    free("seal_head", "voucher"),
    Table {
        name: "sent_opinion",
        row: Some("[$gone, $key]"),
        columns: &[member("id", Stays("kept for a day to detect repeated sending from tabs that are now signed out"))],
        other: "opinion",
        set: &[],
    },
    Table { name: "session", row: Some("$key"), columns: &[member("member", SIGNED_OUT)], other: "handle device", set: &[] },
    // The path does not belong to any unit.
    free("stranger", "kind unit subject"),
    Table {
        name: "reorganisation",
        row: Some("$key"),
        columns: &[path("path", MOVED), member("started_by", BY), member("confirmed_by", BY)],
        other: "effective_on files files.*.name version numbers",
        set: &[],
    },
    Table {
        name: "reorganisation_seen",
        row: Some("[$gone, $key]"),
        columns: &[member("id", Stays("only hides a notice, which is shown once more to the record that remains"))],
        other: "",
        set: &[],
    },
    // Codes and names of units, in JSON.
    free("reorganisation_rows", "content"),
    Table {
        name: "reassignment",
        row: Some("$key"),
        columns: &[path("path", MOVED), member("decided_by", BY)],
        other: "reorganisation effective_on unit from_unit candidates assigned_to",
        set: &[],
    },
    Table {
        name: "transfer",
        row: Some("$key"),
        columns: &[
            member("member", MERGED),
            member("requested_by", BY),
            member("decided_by", BY),
            path("from_path", MOVED),
            path("to_path", MOVED),
            path("leaves", COMPUTED),
            path("joins", COMPUTED),
        ],
        other: "from_unit to_unit reason note",
        // Already decided, else the merge withdraws it and records the actor.
        set: &[("state", "'accepted'")],
    },
    free("tree", ""),
    Table {
        name: "unit",
        row: None,
        columns: &[path("path", Stays("only closed units keep it; FOLLOWERS moves the open ones"))],
        other: "kind code name opened_on live_from contact closed_on parent successor",
        set: &[],
    },
    Table {
        name: "unit_operation",
        row: Some("$key"),
        columns: &[
            path("shifts.*.from", Stays("records the old path of the move")),
            path("shifts.*.to", Stays("records the new path of the move")),
            path("reached", Stays("where the batches of the operation are; not read once it is done")),
            member("started_by", BY),
        ],
        other: "unit target shifts effective_on merges merges.*.from merges.*.to",
        set: &[("shifts", "[{ from: $path, to: $path }]"), ("state", "'done'")],
    },
    // Paths before and after a change of the tree, in JSON. Deleted when its batches are done.
    free("unit_shifts", "content"),
    free("unit_version", "unit kind code name parent from until"),
    Table {
        name: "unread",
        row: Some("$gone"),
        columns: &[member("id", HANDED_OVER)],
        other: "branch standing from upto unread",
        set: &[],
    },
    free("upkeep", ""),
    Table {
        name: "upload",
        row: Some("$key"),
        columns: &[member("member", Stays("continues only in the session that began it; the job PurgeFiles deletes it"))],
        other: "document name pieces",
        set: &[],
    },
    Table {
        name: "version_receipt",
        row: Some("[$key, $gone]"),
        columns: &[
            member("id", Follows("members::merge::VERSIONS")),
            member("member", Follows("members::merge::VERSIONS")),
            path("place", LAST_SEEN),
            path("read_place", LAST_SEEN),
        ],
        other: "document prefix",
        set: &[("read_at", "time::now()")],
    },
    Table {
        name: "writing",
        row: Some("[$key, $gone]"),
        columns: &[
            member("id", Stays("belongs to a session, and those are closed; the job PurgeWriting deletes it")),
            member("member", Stays("see the key")),
        ],
        other: "document title body",
        set: &[],
    },
];

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
