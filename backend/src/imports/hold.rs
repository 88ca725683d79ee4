//! Which process works on an import when several processes use one store.
//!
//! The file of an import is in the data folder of the server that received it, so another server cannot work on it. A process
//! with the file *holds* the import: the row of the import has the name of the process and the time until which it is held. The
//! holder renews that time until the import has ended, also while the import waits to be confirmed.
//!
//! - **Start**: a process that confirms an import which it does not hold only changes the state. The holder starts the import
//!   within [`HOLD_EVERY`].
//! - **Take**: a process with the file takes an import that was released, or whose hold has lapsed: a restarted server, or the
//!   command line with the same data folder.
//! - **Lose**: a process without the file marks an import as lost when the hold lapsed [`AWAY_MAX`] ago. It also waits that long
//!   after its own start, because servers that were stopped together start one after another.
//!
//! **Clocks.** The time is written with the clock of the holder and compared with the clocks of other processes, as that of the
//! lease of a job: a hold has lapsed when, by the other clock, it ended [`MARGIN`] ago. A failure of the store, or of the import,
//! does not end a hold. Two runs of one import may still overlap when a process was suspended or could not reach the store. What
//! they write is counted once, see `run.rs` and `units.rs`.
//!
//! A store in a folder or in memory has only one process. It takes every import at once, and a missing file is lost. The holds say
//! here too whether an import is being written: the tree does not change meanwhile, see `Reorganisations::is_importing`.
//!
//! Imports are not durable jobs ([`crate::jobs`]): any process may run a job, but the file of an import can only be read by the
//! processes with its folder.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::ImportId;
use tokio::time::{interval, timeout};

use super::{
    Imports,
    row::{ImportRow, SELECT},
};
use crate::{
    Error, Result,
    change::Change,
    jobs::lease::MARGIN,
    store::{RecordId, SurrealValue, key_text, record, vars},
};

/// How long a process holds an import without renewing the hold.
pub(super) const HELD: TimeDelta = TimeDelta::seconds(60);

/// How often holds are renewed. A server calls [`Imports::resume`] as often.
pub const HOLD_EVERY: Duration = Duration::from_secs(20);

/// How long a hold may have lapsed before other servers mark the import as lost: its server may be restarting.
pub(super) const AWAY_MAX: TimeDelta = TimeDelta::minutes(5);

/// Time limit of the release at a stop: the store may be the reason for it.
const RELEASE_MAX: Duration = Duration::from_secs(5);

/// Renews holds and takes lapsed ones.
const HOLD: &str = "LET $held = (UPDATE $imports SET holder = $holder, held_until = $until \
         WHERE state IN ['checking', 'previewed', 'running'] \
             AND ($alone OR holder = NONE OR holder = $holder OR held_until = NONE OR held_until <= $lapsed) RETURN AFTER); \
     RETURN $held;";

/// A hold that has lapsed is not renewed: the tree may have changed since, and the import begins again with the present one.
const RENEW: &str = "LET $held = (UPDATE $import SET held_until = $until WHERE holder = $holder AND held_until > $lapsed RETURN AFTER); \
     RETURN $held;";

/// The time until which it is held remains for other servers, which wait for the next process with the file.
const RELEASE: &str = "UPDATE $imports SET holder = NONE, held_until = IF $alone { NONE } ELSE { held_until } \
     WHERE holder = $holder RETURN NONE;";

/// A held import.
#[derive(Debug, SurrealValue)]
struct Held {
    id: RecordId,
}

impl Imports<'_> {
    /// The imports that have not ended.
    pub(super) async fn open_rows(&self) -> Result<Vec<ImportRow>> {
        let of = |state: &str| format!("{SELECT} FROM import WHERE state = '{state}'; ");
        let sql = of("checking") + &of("previewed") + &of("running");
        let mut answers = self.backend.store().read(sql, ()).await?;
        let mut rows: Vec<ImportRow> = Vec::new();
        for statement in 0..3 {
            rows.extend(answers.rows::<ImportRow>(statement)?);
        }
        Ok(rows)
    }

    /// Holds those of the imports whose file this process has and that no other process holds. Returns their ids.
    pub(super) async fn hold(&self, rows: &[ImportRow]) -> Result<BTreeSet<String>> {
        let workspace = self.backend.workspace();
        let here = rows.iter().filter(|row| workspace.file(&row.id).exists());
        let imports: Vec<RecordId> = here.map(|row| record("import", &row.id)).collect();
        if imports.is_empty() {
            return Ok(BTreeSet::new());
        }
        let now = self.backend.clock().now();
        let vars = vars! {
            imports: imports,
            holder: workspace.holder(),
            alone: !workspace.is_shared,
            until: now + HELD,
            lapsed: now - MARGIN,
        };
        // `BEGIN` has the first result.
        let held: Vec<Held> = self.backend.transact(Change::new(HOLD, vars)).await?.rows(2)?;
        Ok(held.iter().map(|held| key_text(&held.id)).collect())
    }

    /// Renews the hold on an import while it is at work. Returns when the hold has lapsed, or another process has taken the import.
    pub(super) async fn keep_hold(&self, import: ImportId) {
        let mut ticks = interval(HOLD_EVERY);
        loop {
            ticks.tick().await;
            match self.renew_hold(import).await {
                // On conflicts with other writers of the row, the next tick retries.
                Ok(true) | Err(Error::Busy) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%import, error = &error as &dyn std::error::Error, "cannot renew the hold on an import; retrying");
                }
            }
        }
    }

    async fn renew_hold(&self, import: ImportId) -> Result<bool> {
        let now = self.backend.clock().now();
        let (until, lapsed) = (now + HELD, now - MARGIN);
        let vars =
            vars! { import: record("import", import), holder: self.backend.workspace().holder(), until: until, lapsed: lapsed };
        let held: Vec<Held> = self.backend.transact(Change::new(RENEW, vars)).await?.rows(2)?;
        Ok(!held.is_empty())
    }

    /// Releases the imports of this process for the next one with its folder.
    pub(super) async fn release(&self) {
        let released = timeout(RELEASE_MAX, self.release_held()).await;
        if let Err(error) = released.unwrap_or(Err(Error::Busy)) {
            tracing::warn!(%error, "cannot release the imports of this process; the next one resumes them when their holds have lapsed");
        }
    }

    async fn release_held(&self) -> Result<()> {
        let workspace = self.backend.workspace();
        let holder = workspace.holder();
        let rows = self.open_rows().await?;
        let held = rows.iter().filter(|row| row.holder.as_deref() == Some(holder.as_str()));
        let imports: Vec<RecordId> = held.map(|row| record("import", &row.id)).collect();
        if imports.is_empty() {
            return Ok(());
        }
        let vars = vars! { imports: imports, holder: holder, alone: !workspace.is_shared };
        self.backend.transact(Change::new(RELEASE, vars)).await?;
        Ok(())
    }

    /// Whether the file of an import that this process could not hold is gone.
    pub(super) fn is_lost(&self, row: &ImportRow) -> bool {
        let workspace = self.backend.workspace();
        if workspace.file(&row.id).exists() {
            return false;
        }
        let is_ours = !workspace.is_shared || row.holder.as_ref() == Some(&workspace.holder());
        is_ours || self.away_since(row) + MARGIN + AWAY_MAX <= self.backend.clock().now()
    }

    /// When the hold ended, or when this process began to watch it.
    fn away_since(&self, row: &ImportRow) -> DateTime<Utc> {
        let opened_at = self.backend.workspace().opened_at;
        row.held_until.map_or(opened_at, |until| until.max(opened_at))
    }
}

#[cfg(test)]
mod tests;
