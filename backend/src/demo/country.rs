//! Rows and checks for the benchmark of a reorganisation of a whole country.

use chrono::TimeDelta;
use domain::{
    ids::{DocumentId, MemberId, OpinionId, UnitId},
    units::UnitRef,
};

use super::{dice::Dice, opinions::OpinionRow};
use crate::{
    Backend, Error, Result,
    bulk::Bulk,
    store::{KEYS, RecordId, SurrealValue, rows_after, vars},
};

/// Rows read in one page: one statement over a million rows may exceed the time limit of a query.
const PAGE: usize = 20_000;

/// Opinions written in one batch.
const BATCH: usize = 20_000;

/// Text of the generated opinions.
const TEXT: &str = "Đề nghị cấp ủy cấp trên sớm hướng dẫn để chi bộ thực hiện.";

/// A document on which opinions are sent.
#[derive(Debug, Clone)]
pub struct Discussed {
    pub id: DocumentId,
    pub title: String,
    pub issuer: UnitRef,
}

/// Sends an opinion of each member to the readers of the branch.
///
/// # Errors
/// Those of the store.
pub async fn discuss(backend: &Backend, seed: u64, opinions: &[(MemberId, &UnitRef, &Discussed)]) -> Result<()> {
    let mut dice = Dice::new(seed, 14);
    let now = backend.clock().now();
    for some in opinions.chunks(BATCH) {
        let mut bulk = Bulk::default();
        for (member, branch, document) in some {
            let at = now - TimeDelta::minutes(dice.between(10, 90 * 24 * 60));
            let id = OpinionId::new(dice.ulid_at(at));
            bulk.push("opinion", OpinionRow::received(id, *member, branch, document, TEXT, at));
        }
        bulk.save(backend).await?;
    }
    Ok(())
}

/// Number of rows of a table.
///
/// # Errors
/// Those of the store.
pub async fn count(backend: &Backend, table: &'static str) -> Result<usize> {
    let sql = format!("SELECT VALUE id FROM {KEYS} LIMIT {PAGE}");
    let (mut count, mut last) = (0, None);
    loop {
        let ids: Vec<RecordId> = backend.store().read(&*sql, vars! { keys: rows_after(table, last) }).await?.rows(0)?;
        let Some(end) = ids.last() else { return Ok(count) };
        last = Some(end.clone());
        count += ids.len();
    }
}

/// Members with the unit each is registered in. Ids are random, so those of neighbours in the table are from all over the country.
///
/// # Errors
/// Those of the store.
pub async fn some_members(backend: &Backend, count: usize) -> Result<Vec<(MemberId, UnitId)>> {
    let sql = format!("SELECT record::id(id) AS id, unit FROM {KEYS} LIMIT {count}");
    let rows: Vec<MemberRow> = backend.store().read(sql, vars! { keys: rows_after("member", None) }).await?.rows(0)?;
    let read = |row: &MemberRow| -> Option<(MemberId, UnitId)> { Some((row.id.parse().ok()?, row.unit.parse().ok()?)) };
    rows.iter().map(|row| read(row).ok_or_else(|| Error::Damaged(format!("member {}", row.id)))).collect()
}

/// Columns of a table with the id of a unit and with its path.
#[derive(Debug, Clone, Copy)]
pub struct PlaceColumns {
    pub table: &'static str,
    pub unit: &'static str,
    pub path: &'static str,
}

impl PlaceColumns {
    /// The columns `unit` and `path`.
    pub const fn of(table: &'static str) -> Self {
        Self { table, unit: "unit", path: "path" }
    }
}

/// Where the rows of a table are that name a unit and its path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    pub rows: usize,
    /// Rows of units that ended.
    pub of_ended_units: usize,
    /// Rows with another path than that of the unit, or of the one that took over from a unit that ended.
    pub astray: usize,
}

/// Compares the paths in a table with those of the units.
///
/// # Errors
/// Those of the store.
pub async fn placed(backend: &Backend, columns: PlaceColumns) -> Result<Placed> {
    let PlaceColumns { table, unit, path } = columns;
    let sql = format!("SELECT id, {unit} AS unit, {path} AS path FROM {KEYS} LIMIT {PAGE}");
    let tree = backend.units().tree();
    let (mut placed, mut last) = (Placed::default(), None);
    loop {
        let rows: Vec<PlaceRow> = backend.store().read(&*sql, vars! { keys: rows_after(table, last) }).await?.rows(0)?;
        let Some(end) = rows.last() else { return Ok(placed) };
        last = Some(end.id.clone());
        placed.rows += rows.len();
        for row in &rows {
            placed.of_ended_units += usize::from(tree.named(&row.unit).is_none());
            placed.astray += usize::from(tree.successor(&row.unit).is_none_or(|unit| unit.path.as_str() != row.path));
        }
    }
}

#[derive(Debug, SurrealValue)]
struct MemberRow {
    id: String,
    unit: String,
}

#[derive(Debug, SurrealValue)]
struct PlaceRow {
    id: RecordId,
    unit: String,
    path: String,
}

#[cfg(test)]
mod tests {
    use domain::units::UnitKind;

    use super::*;
    use crate::store::record;
    use crate::{
        Clock, Keys, StoreLocation,
        demo::registry::{NewMember, Registry},
    };

    #[tokio::test]
    async fn a_row_with_the_path_of_another_unit_is_found() {
        let level = |key| UnitKind::from_key(key).expect("a level");
        let clock = Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1);
        let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock).await.expect("opens");
        let mut registry = Registry::new(&backend, 1, backend.clock().now() - TimeDelta::days(30));
        let root = registry.unit(None, level("central"), "01", "Trung ương").expect("a code");
        let branches = ["07", "08"].map(|code| registry.unit(Some(&root), level("branch"), code, "Chi bộ").expect("a code"));
        // The root takes over.
        let on = backend.clock().today();
        let ended = registry.ended_unit(&root, level("branch"), "09", "Chi bộ", on).expect("a code").id.to_string();
        let mut members = Vec::new();
        for (number, branch) in (1..=3).zip(branches.iter().cycle()) {
            let national_id = domain::members::NationalId::parse(&format!("95100000000{number}")).expect("twelve digits");
            let member = registry.member(&NewMember {
                code: &format!("51.00000{number}"),
                full_name: "Võ Văn Khơi",
                sex: domain::members::Sex::Male,
                birth_date: "1980-02-03".parse().expect("a day"),
                admitted_on: "2008-02-03".parse().expect("a day"),
                standing: domain::members::Standing::Official,
                national_id: &national_id,
                phone: None,
                unit: branch,
            });
            members.push((member.expect("registers"), branch));
        }
        registry.save().await.expect("saves");
        let document =
            Discussed { id: DocumentId::new(backend.clock().ulid()), title: "Nghị quyết".to_owned(), issuer: root };
        let opinions: Vec<_> = members.iter().map(|(member, branch)| (*member, *branch, &document)).collect();
        discuss(&backend, 1, &opinions).await.expect("sends");
        assert_eq!(count(&backend, "opinion").await.expect("counts"), 3);

        let found = some_members(&backend, 2).await.expect("reads");
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(id, unit)| members.iter().any(|(member, branch)| member == id && branch.id == *unit)));

        for table in ["member", "opinion"] {
            let right = placed(&backend, PlaceColumns::of(table)).await.expect("reads");
            assert_eq!(right, Placed { rows: 3, of_ended_units: 0, astray: 0 }, "{table}");
        }
        let vars = vars! {
            member: record("member", members[0].0),
            taken_over: record("member", members[1].0),
            left_behind: record("member", members[2].0),
            ended: ended.clone(),
        };
        let sql = "UPDATE $member SET path = '/01/09/'; UPDATE $taken_over SET unit = $ended, path = '/01/'; \
                   UPDATE $left_behind SET unit = $ended, path = '/01/09/';";
        backend.store().write(sql, vars).await.expect("writes");
        let found = placed(&backend, PlaceColumns::of("member")).await.expect("reads");
        assert_eq!(found, Placed { rows: 3, of_ended_units: 2, astray: 2 });

        let sql = "CREATE document:D SET kind = 'news', title = 't', issuer = $root, issuer_path = '/01/', issuer_level = 'central', \
                   audience = $ended, audience_path = '/01/09/', state = 'published', version = 1, minutes = 1, \
                   saved_at = time::now(), saved_by = 'M'";
        let vars = vars! { root: document.issuer.id.to_string(), ended: ended };
        backend.store().write(sql, vars).await.expect("writes");
        let issuer = PlaceColumns { table: "document", unit: "issuer", path: "issuer_path" };
        let found = placed(&backend, issuer).await.expect("reads");
        assert_eq!(found, Placed { rows: 1, of_ended_units: 0, astray: 0 });
        let audience = PlaceColumns { table: "document", unit: "audience", path: "audience_path" };
        let found = placed(&backend, audience).await.expect("reads");
        assert_eq!(found, Placed { rows: 1, of_ended_units: 1, astray: 1 });
    }
}
