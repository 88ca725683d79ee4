//! Versions of units: written with each change, read as the history of a unit and as the whole tree of a past day.
//!
//! Invariant: each version of a unit ends on the day before the next one begins. So whatever writes a version refuses a day before the
//! first one of the current version. A version that is replaced on its first day ends before it begins and was never in effect.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use domain::{
    ids::UnitId,
    units::{UnitChange, UnitForm, UnitPath, UnitRef},
};

use super::{Node, Tree, former::Form};
use crate::{
    Backend, Error, Result,
    store::{RecordId, SurrealValue, record, vars},
};

/// Ends the current version of each unit and starts the next one; `$forms` are rows made by [`NewVersion::row`]. A unit without a
/// row for its first version gets one.
pub(crate) const REFORM: &str = "FOR $form IN $forms { \
     LET $key = $form.unit; \
     LET $known = (SELECT VALUE id FROM unit_version WHERE unit = $key); \
     LET $first = $form.first; LET $next = $form.next; LET $row = $form.row; \
     IF array::len($known) = 0 { \
         CREATE $first SET unit = $form.unit, kind = $form.kind, code = $form.old_code, name = $form.old_name, \
             parent = $form.old_parent, from = $form.opened_on, until = $form.last, cause = 'created' RETURN NONE; \
     } ELSE { \
         UPDATE $known SET until = $form.last WHERE until = NONE RETURN NONE; \
     }; \
     CREATE $next SET unit = $form.unit, kind = $form.kind, code = $form.code, name = $form.name, parent = $form.parent, \
         from = $form.on, cause = $form.cause RETURN NONE; \
     UPDATE $row SET code = $form.code, name = $form.name, version = (version ?? 0) + 1 RETURN NONE; \
 };";

/// Creates a unit with its first version; `$form` is made by [`first`].
pub(super) const OPEN: &str = "LET $row = $form.row; LET $next = $form.next; \
     CREATE $row SET kind = $form.kind, code = $form.code, name = $form.name, path = $path, opened_on = $form.on, version = 1 \
         RETURN NONE; \
     CREATE $next SET unit = $form.unit, kind = $form.kind, code = $form.code, name = $form.name, parent = $form.parent, \
         from = $form.on, cause = $form.cause RETURN NONE;";

/// Ends the last version of a unit that ends; `$ending` is made by [`NewVersion::row`].
pub(super) const END: &str = "LET $key = $ending.unit; \
     LET $known = (SELECT VALUE id FROM unit_version WHERE unit = $key); \
     LET $first = $ending.first; \
     IF array::len($known) = 0 { \
         CREATE $first SET unit = $ending.unit, kind = $ending.kind, code = $ending.old_code, name = $ending.old_name, \
             parent = $ending.old_parent, from = $ending.opened_on, until = $ending.last, cause = 'created' RETURN NONE; \
     } ELSE { \
         UPDATE $known SET until = $ending.last WHERE until = NONE RETURN NONE; \
     };";

/// The next version of a unit.
pub(crate) struct NewVersion<'t> {
    pub(crate) unit: UnitId,
    pub(crate) name: &'t str,
    pub(crate) code: &'t str,
    pub(crate) parent: Option<UnitId>,
    pub(crate) change: UnitChange,
    pub(crate) on: NaiveDate,
}

/// Values of the statements above, for one unit.
#[derive(Debug, Clone, SurrealValue)]
pub(crate) struct ReformRow {
    row: RecordId,
    first: RecordId,
    next: RecordId,
    unit: String,
    kind: String,
    old_code: String,
    old_name: String,
    old_parent: Option<String>,
    opened_on: String,
    last: String,
    code: String,
    name: String,
    parent: Option<String>,
    on: String,
    cause: String,
}

impl NewVersion<'_> {
    /// # Errors
    /// [`Error::NotFound`] when the unit is not in the tree.
    pub(crate) fn row(&self, backend: &Backend, tree: &Tree) -> Result<ReformRow> {
        let node = tree.node(self.unit).ok_or(Error::NotFound)?;
        Ok(ReformRow {
            row: record("unit", self.unit),
            first: record("unit_version", backend.clock().ulid()),
            next: record("unit_version", backend.clock().ulid()),
            unit: self.unit.to_string(),
            kind: node.unit.kind.key().to_owned(),
            old_code: node.unit.path.code().to_owned(),
            old_name: node.unit.name.clone(),
            old_parent: tree.parent(&node.unit.path).map(|parent| parent.id.to_string()),
            opened_on: node.opened_on.to_string(),
            last: day_before(self.on).to_string(),
            code: self.code.to_owned(),
            name: self.name.to_owned(),
            parent: self.parent.map(|parent| parent.to_string()),
            on: self.on.to_string(),
            cause: self.change.key().to_owned(),
        })
    }
}

/// The row for a unit that moved with its parent, in the tree in which it has its new place. `was` is its code below the parent
/// that ended, and that parent.
pub(super) fn moved_along(backend: &Backend, node: &Node, was: (&str, UnitId), parent: UnitId, on: NaiveDate) -> ReformRow {
    let (old_code, old_parent) = was;
    ReformRow {
        row: record("unit", node.unit.id),
        first: record("unit_version", backend.clock().ulid()),
        next: record("unit_version", backend.clock().ulid()),
        unit: node.unit.id.to_string(),
        kind: node.unit.kind.key().to_owned(),
        old_code: old_code.to_owned(),
        old_name: node.unit.name.clone(),
        old_parent: Some(old_parent.to_string()),
        opened_on: node.opened_on.to_string(),
        last: day_before(on).to_string(),
        code: node.unit.path.code().to_owned(),
        name: node.unit.name.clone(),
        parent: Some(parent.to_string()),
        on: on.to_string(),
        cause: UnitChange::Reorganised.key().to_owned(),
    }
}

/// The current version of a unit.
#[derive(Debug, SurrealValue)]
pub(super) struct OpenVersion {
    pub(super) id: RecordId,
    unit: String,
    pub(super) parent: Option<String>,
}

/// Most units in a condition that uses an index.
const AT_ONCE: usize = 30;

pub(super) const OPEN_VERSIONS: &str = "SELECT id, unit, parent FROM unit_version WHERE unit IN $units AND until = NONE";

/// The current versions of these units. A unit that never changed may have none.
pub(super) async fn open_versions(backend: &Backend, units: &[String]) -> Result<BTreeMap<String, OpenVersion>> {
    let mut found = BTreeMap::new();
    for some in units.chunks(AT_ONCE) {
        let rows: Vec<OpenVersion> = backend.store().read(OPEN_VERSIONS, vars! { units: some.to_vec() }).await?.rows(0)?;
        found.extend(rows.into_iter().map(|row| (row.unit.clone(), row)));
    }
    Ok(found)
}

/// The row for a unit that is not in the tree yet.
pub(super) fn first(backend: &Backend, unit: &UnitRef, parent: UnitId, change: UnitChange, on: NaiveDate) -> ReformRow {
    let (id, code) = (unit.id.to_string(), unit.path.code().to_owned());
    let parent = Some(parent.to_string());
    ReformRow {
        row: record("unit", unit.id),
        first: record("unit_version", &id),
        next: record("unit_version", backend.clock().ulid()),
        unit: id,
        kind: unit.kind.key().to_owned(),
        old_code: code.clone(),
        old_name: unit.name.clone(),
        old_parent: parent.clone(),
        opened_on: on.to_string(),
        last: day_before(on).to_string(),
        code,
        name: unit.name.clone(),
        parent,
        on: on.to_string(),
        cause: change.key().to_owned(),
    }
}

/// The last day of a version when the next one starts on `day`.
pub(super) fn day_before(day: NaiveDate) -> NaiveDate {
    day.checked_sub_days(Days::new(1)).unwrap_or(day)
}

/// A version of a unit.
#[derive(Debug, Clone, SurrealValue)]
pub(crate) struct VersionRow {
    pub(crate) id: RecordId,
    pub(crate) unit: String,
    pub(crate) kind: String,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) from: String,
    pub(crate) until: Option<String>,
    pub(crate) cause: String,
}

/// A unit that was merged into this one.
#[derive(Debug, SurrealValue)]
struct AbsorbedRow {
    name: String,
    code: String,
    closed_on: String,
}

const ABSORBED: &str = "SELECT name, code, closed_on FROM unit WHERE successor = $unit AND closed_on != NONE";

const COLUMNS: &str = "id, unit, kind, code, name, parent, from, until, cause";

/// The versions of one unit, newest first; of a unit that never changed, the only one.
pub(super) async fn forms(backend: &Backend, tree: &Tree, unit: &UnitRef) -> Result<Vec<UnitForm>> {
    let sql = format!("SELECT {COLUMNS} FROM unit_version WHERE unit = $unit ORDER BY from DESC; {ABSORBED}");
    let mut answers = backend.store().read(sql, vars! { unit: unit.id.to_string() }).await?;
    let rows: Vec<VersionRow> = answers.rows(0)?;
    let absorbed: Vec<AbsorbedRow> = answers.rows(1)?;
    let mut forms = Vec::with_capacity(rows.len());
    for row in rows {
        let damaged = || Error::Damaged(format!("a form of unit {}", row.unit));
        let form = UnitForm {
            change: UnitChange::from_key(&row.cause).ok_or_else(damaged)?,
            from: row.from.parse().map_err(|_| damaged())?,
            until: row.until.as_deref().map(str::parse).transpose().map_err(|_| damaged())?,
            parent: row.parent.as_deref().and_then(|parent| tree.known(parent)).map(|parent| parent.name.clone()),
            name: row.name,
            code: row.code,
        };
        // A version that was replaced on its first day was never in effect.
        if form.until.is_none_or(|until| until >= form.from) {
            forms.push(form);
        }
    }
    if let Some(node) = tree.node(unit.id).filter(|_| forms.is_empty()) {
        forms.push(UnitForm {
            change: UnitChange::Created,
            from: node.opened_on,
            until: None,
            name: unit.name.clone(),
            code: unit.path.code().to_owned(),
            parent: tree.parent(&unit.path).map(|parent| parent.name.clone()),
        });
    }
    for row in absorbed {
        let from = row.closed_on.parse().map_err(|_| Error::Damaged(format!("unit {}", row.name)))?;
        forms.push(UnitForm { change: UnitChange::Absorbed, from, until: None, name: row.name, code: row.code, parent: None });
    }
    // Newest first. The sort is stable, so versions of the unit come before units merged into it on the same day.
    forms.sort_by_key(|form| std::cmp::Reverse(form.from));
    Ok(forms)
}

impl Tree {
    /// The units that were open on a day, with their names and paths of that day. Without phases, whose history is not stored.
    pub(super) fn as_of(&self, day: NaiveDate) -> Self {
        let mut then: BTreeMap<UnitId, Form<'_>> = BTreeMap::new();
        let mut changed = BTreeSet::new();
        for version in &self.versions {
            changed.insert(version.unit);
            if version.holds_on(day) {
                then.insert(version.unit, version.form());
            }
        }
        for node in self.by_path.values() {
            if node.opened_on <= day && !changed.contains(&node.unit.id) {
                then.insert(node.unit.id, self.first_form(node));
            }
        }
        // A unit that moved with its parent is below the ended one until its version is written; from that day on it has its place
        // of today.
        let is_lost = |form: &Form<'_>| form.parent.is_some_and(|parent| !then.contains_key(&parent));
        let lost: Vec<UnitId> = then.iter().filter(|(_, form)| self.unwritten && is_lost(form)).map(|(unit, _)| *unit).collect();
        for unit in lost {
            if let (Some(node), Some(form)) = (self.node(unit), then.get_mut(&unit)) {
                *form = self.with_present_place(node, *form);
            }
        }
        grown(&then, day)
    }
}

/// Builds the tree of these forms from the root down.
fn grown(forms: &BTreeMap<UnitId, Form<'_>>, day: NaiveDate) -> Tree {
    let mut below: BTreeMap<Option<UnitId>, Vec<UnitId>> = BTreeMap::new();
    for (unit, form) in forms {
        below.entry(form.parent).or_default().push(*unit);
    }
    let mut tree = Tree::default();
    let mut ready: Vec<(Option<UnitPath>, UnitId)> = below.remove(&None).into_iter().flatten().map(|root| (None, root)).collect();
    while let Some((above, id)) = ready.pop() {
        let Some(form) = forms.get(&id) else { continue };
        let path = match &above {
            Some(above) => above.child(form.code),
            None => UnitPath::parse(&format!("/{}/", form.code)),
        };
        let Ok(path) = path else { continue };
        ready.extend(below.remove(&Some(id)).into_iter().flatten().map(|child| (Some(path.clone()), child)));
        tree.insert(Node {
            folded: form.folded.to_owned(),
            branches: 0,
            unit: UnitRef { id, kind: form.kind, name: form.name.to_owned(), path },
            phase: None,
            live_from: None,
            contact: None,
            since: day,
            opened_on: day,
            version: 0,
        });
    }
    tree.count_branches();
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_query_of_current_versions_uses_an_index() {
        let units: Vec<String> = (0..AT_ONCE).map(|at| format!("01ARZ3NDEKTSV4RRFFQ69G5F{at:02}")).collect();
        migrated().await.assert_no_scan(OPEN_VERSIONS, vars! { units: units }).await;
    }

    #[tokio::test]
    async fn the_query_of_merged_units_uses_an_index() {
        migrated().await.assert_no_scan(ABSORBED, vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
