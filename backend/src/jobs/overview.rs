//! Jobs as listed for the operator. There is no permission check: the operator of the machine can read all data.

use chrono::{DateTime, TimeDelta, Utc};
use strum::{IntoStaticStr, VariantArray};

use super::{JobKind, job_id};
use crate::{
    Backend, Error, Result,
    change::Change,
    store::{RecordId, SurrealValue, vars},
};

/// Jobs listed per kind and state. [`Jobs::figures`] has the totals.
const LISTED: usize = 50;

/// Jobs changed in one transaction.
const CHANGED: usize = 500;

/// See [`Backend::jobs`].
pub struct Jobs<'a> {
    backend: &'a Backend,
}

/// In the order of the list: what needs the operator first. Keys are also metric labels and names on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum JobState {
    Parked,
    Running,
    Waiting,
}

domain::keyed!(JobState);

/// A job without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEntry {
    /// `kind/key`, for [`Jobs::retry`] and [`Jobs::discard`].
    pub id: String,
    /// `None` for a kind of another version of the program; such a job is not changed.
    pub kind: Option<JobKind>,
    pub state: JobState,
    /// Waiting: earliest start. Running: expiry of the lease. Parked: when it was parked.
    pub due_at: DateTime<Utc>,
    pub enqueued_at: DateTime<Utc>,
    pub attempts: u32,
    pub last_error: Option<String>,
}

/// Counts of jobs of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobFigures {
    pub kind: JobKind,
    pub waiting: u64,
    pub running: u64,
    pub parked: u64,
    /// How long the longest-waiting due job has been due; zero when none is.
    pub overdue: TimeDelta,
}

#[derive(Debug, SurrealValue)]
struct EntryRow {
    kind: String,
    key: String,
    due_at: DateTime<Utc>,
    enqueued_at: DateTime<Utc>,
    attempts: i64,
    last_error: Option<String>,
}

impl EntryRow {
    fn entry(self, state: JobState) -> JobEntry {
        JobEntry {
            id: format!("{}/{}", self.kind, self.key),
            kind: JobKind::from_key(&self.kind),
            state,
            due_at: self.due_at,
            enqueued_at: self.enqueued_at,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            last_error: self.last_error,
        }
    }
}

impl Jobs<'_> {
    /// The jobs, parked ones first, then by kind and time. At most 50 per kind and state, and 50 per state of unknown kinds
    /// together.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn list(&self) -> Result<Vec<JobEntry>> {
        let mut jobs = Vec::new();
        for state in JobState::ALL {
            for kind in JobKind::ALL {
                let rows: Vec<EntryRow> = self.backend.store().read(list_sql("="), of(kind, state)).await?.rows(0)?;
                jobs.extend(rows.into_iter().map(|row| row.entry(state)));
            }
            // Scans the whole table. Only the operator runs this, and rarely.
            let known = JobKind::ALL.map(|kind| kind.key().to_owned()).to_vec();
            let vars = vars! { kind: known, state: state.key() };
            let rows: Vec<EntryRow> = self.backend.store().read(list_sql("NOT IN"), vars).await?.rows(0)?;
            jobs.extend(rows.into_iter().map(|row| row.entry(state)));
        }
        Ok(jobs)
    }

    /// Makes a parked or waiting job due now, with all its attempts; for a kind, all parked jobs. Returns how many were changed.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such job, or it is running.
    pub async fn retry(&self, target: &str) -> Result<u64> {
        let change = "UPDATE $jobs SET state = 'waiting', due_at = $now, attempts = 0, asked += 1 WHERE state != 'running'";
        let changed = self.change(target, change).await?;
        self.backend.wake_jobs();
        Ok(changed)
    }

    /// Deletes a parked job; for a kind, all parked jobs. Returns how many were deleted.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such job, or it is not parked.
    pub async fn discard(&self, target: &str) -> Result<u64> {
        self.change(target, "DELETE $jobs WHERE state = 'parked'").await
    }

    /// `target` is a kind, or `kind/key`.
    async fn change(&self, target: &str, change: &str) -> Result<u64> {
        let (kind, key) = target.split_once('/').map_or((target, None), |(kind, key)| (kind, Some(key)));
        let kind = JobKind::from_key(kind).ok_or(Error::NotFound)?;
        let sql = format!("LET $changed = ({change} RETURN BEFORE); RETURN array::len($changed);");
        let mut changed = 0;
        loop {
            let jobs: Vec<RecordId> = match key {
                Some(key) => vec![job_id(kind, key)],
                None => self.backend.store().read(some_sql(), of(kind, JobState::Parked)).await?.rows(0)?,
            };
            let vars = vars! { jobs: jobs, now: self.backend.clock().now() };
            // `BEGIN` has the first result.
            let count: Option<i64> = self.backend.transact(Change::new(&sql, vars)).await?.row(2)?;
            let count = count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
            changed += count;
            if count == 0 || key.is_some() {
                return if changed > 0 { Ok(changed) } else { Err(Error::NotFound) };
            }
        }
    }

    /// Counts of jobs by kind.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn figures(&self) -> Result<Vec<JobFigures>> {
        let now = self.backend.clock().now();
        let mut figures = Vec::with_capacity(JobKind::ALL.len());
        for kind in JobKind::ALL {
            let mut counts = [0; 3];
            for (count, state) in counts.iter_mut().zip(JobState::ALL) {
                let found: Vec<i64> = self.backend.store().read(COUNT, of(kind, state)).await?.rows(0)?;
                *count = found.into_iter().next().and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
            }
            let [parked, running, waiting] = counts;
            let first: Vec<Oldest> = self.backend.store().read(OLDEST, of(kind, JobState::Waiting)).await?.rows(0)?;
            let overdue = first.first().map_or(TimeDelta::zero(), |first| (now - first.due_at).max(TimeDelta::zero()));
            figures.push(JobFigures { kind, waiting, running, parked, overdue });
        }
        self.backend.note_parked(figures.iter().map(|figures| figures.parked).sum());
        Ok(figures)
    }

    /// Number of parked jobs at the last call of [`Self::figures`] in this process. Does not query the store.
    pub fn parked(&self) -> u64 {
        self.backend.parked()
    }
}

impl Backend {
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs { backend: self }
    }
}

fn of(kind: JobKind, state: JobState) -> crate::store::Variables {
    vars! { kind: kind.key(), state: state.key() }
}

/// `of` is the operator that compares the kind.
fn list_sql(of: &str) -> String {
    format!(
        "SELECT kind, key, due_at, enqueued_at, attempts, last_error FROM job WHERE kind {of} $kind AND state = $state \
         ORDER BY due_at LIMIT {LISTED}"
    )
}

/// Some jobs of a kind and state, as many as one transaction can change.
fn some_sql() -> String {
    format!("SELECT VALUE id FROM job WHERE kind = $kind AND state = $state LIMIT {CHANGED}")
}

const COUNT: &str = "SELECT VALUE count FROM (SELECT count() FROM job WHERE kind = $kind AND state = $state GROUP ALL)";

const OLDEST: &str = "SELECT due_at FROM job WHERE kind = $kind AND state = $state ORDER BY due_at LIMIT 1";

#[derive(Debug, SurrealValue)]
struct Oldest {
    due_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{jobs::runner::due_of, store::tests::migrated};

    #[tokio::test]
    async fn job_queries_use_an_index() {
        let store = migrated().await;
        let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().expect("a moment");
        for kind in JobKind::ALL {
            store.assert_no_scan(&due_of(kind, 8), vars! { now: now, lapsed: now }).await;
        }
        for sql in [COUNT, OLDEST, &list_sql("="), &some_sql()] {
            store.assert_no_scan(sql, of(JobKind::SendSms, JobState::Waiting)).await;
        }
    }
}
