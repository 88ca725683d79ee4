//! The shifts of changes by file: more than a hundred thousand for the reorganisation of a whole country.
//!
//! They are not in the row of the operation, because every batch updates that row, and the engine reads, checks and writes a row as a
//! whole.

use domain::units::{Shift, UnitPath};

use crate::{
    Error, Result,
    change::Change,
    store::{KEYS, RecordId, Store, Variables, pair, pairs_of, vars},
};

const TABLE: &str = "unit_shifts";

/// Shifts in one record.
const AT_ONCE: usize = if cfg!(test) { 2 } else { 1_000 };

/// Adds to a change that the shifts of an operation are stored.
pub(super) fn stored(mut change: Change, operation: &str, shifts: &[Shift]) -> Result<Change> {
    for (at, some) in shifts.chunks(AT_ONCE).enumerate() {
        let pairs: Vec<(&str, &str)> = some.iter().map(|shift| (shift.from.as_str(), shift.to.as_str())).collect();
        let content = serde_json::to_string(&pairs).map_err(|error| Error::Internal(format!("shifts of units: {error}")))?;
        let (row, text) = (format!("shifts_row_{at}"), format!("shifts_text_{at}"));
        let mut vars = Variables::new();
        vars.insert(row.clone(), pair(TABLE, operation, format!("{at:05}")));
        vars.insert(text.clone(), content);
        change = change.then(&format!("CREATE ${row} SET content = ${text} RETURN NONE;")).bind(vars);
    }
    Ok(change)
}

/// The shifts of an operation.
pub(super) async fn read(store: &Store, operation: &str) -> Result<Vec<Shift>> {
    let sql = format!("SELECT VALUE content FROM {KEYS}");
    let found: Vec<String> = store.read(sql, vars! { keys: pairs_of(TABLE, operation) }).await?.rows(0)?;
    let mut shifts = Vec::new();
    for content in &found {
        shifts.extend(decoded(content)?);
    }
    Ok(shifts)
}

/// The shifts of one record.
fn decoded(content: &str) -> Result<impl Iterator<Item = Shift> + use<>> {
    let pairs: Vec<(UnitPath, UnitPath)> =
        serde_json::from_str(content).map_err(|error| Error::Damaged(format!("shifts of units: {error}")))?;
    Ok(pairs.into_iter().map(|(from, to)| Shift { from, to }))
}

/// Adds to a change that the shifts of an operation are deleted.
pub(super) async fn forgotten(store: &Store, change: Change, operation: &str) -> Result<Change> {
    let sql = format!("SELECT VALUE id FROM {KEYS}");
    let rows: Vec<RecordId> = store.read(sql, vars! { keys: pairs_of(TABLE, operation) }).await?.rows(0)?;
    if rows.is_empty() {
        return Ok(change);
    }
    Ok(change.then("DELETE $shifts_rows RETURN NONE;").bind(vars! { shifts_rows: rows }))
}
