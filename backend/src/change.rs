//! The only way to change rows: statements, their bindings and the events that record them, in one transaction.
//!
//! ```ignore
//! let change = Change::new(RENAME, vars! { unit: record("unit", id), name: name })
//!     .event(clock, Some(viewer.member), &unit.path, EventBody::UnitRenamed(id));
//! match backend.transact(change).await {
//!     Ok(_) => Ok(()),
//!     Err(StoreError::Thrown(_)) => Err(stale(form)),
//!     Err(error) => Err(error.into()),
//! }
//! ```
//!
//! [`Backend::transact`] commits, retries the transaction on a conflict, and wakes the tail of the log and the job runner. The
//! test `tests::rows_are_changed_in_one_way` enforces this: only this module and the few modules below the use-cases call
//! `Store::write`. `Store::read` rejects statements that change rows, except in a release.

use chrono::{DateTime, Utc};
use domain::{
    events::{Event, EventBody},
    ids::{EventId, MemberId},
    units::UnitPath,
};

use crate::{
    Backend, Clock,
    events::{NewEvent, bind, create},
    jobs::{self, NewJob},
    store::{Answers, Bindings, StoreError, Variables},
};

/// A transaction to be committed. Its statements run in the order they were added.
#[derive(Default)]
pub(crate) struct Change {
    sql: String,
    vars: Variables,
    /// The time of all its events.
    at: Option<DateTime<Utc>>,
    events: usize,
    has_jobs: bool,
}

impl Change {
    /// `sql` must be safe to retry: ids are generated before, not inside.
    pub(crate) fn new(sql: &str, vars: impl Into<Bindings>) -> Self {
        Self::default().then(sql).bind(vars)
    }

    /// Adds statements.
    pub(crate) fn then(mut self, sql: &str) -> Self {
        let sql = sql.trim();
        if !sql.is_empty() {
            self.sql.push_str(sql);
            self.sql.push_str(if sql.ends_with(';') { " " } else { "; " });
        }
        self
    }

    /// Adds bindings. A new value replaces an existing one of the same name.
    pub(crate) fn bind(mut self, vars: impl Into<Bindings>) -> Self {
        for (name, value) in vars.into().into_variables() {
            debug_assert!(self.vars.get(&name).is_none_or(|before| *before == value), "${name} has another value already");
            self.vars.insert(name, value);
        }
        self
    }

    /// Adds the statements and bindings of another change that has no event or job yet.
    pub(crate) fn and(self, other: Self) -> Self {
        debug_assert!(other.events == 0 && !other.has_jobs, "events and jobs are bound by the change they belong to");
        self.then(&other.sql).bind(other.vars)
    }

    /// Appends an event to the log. All events appended so have the time of the first.
    pub(crate) fn event(self, clock: &Clock, actor: Option<MemberId>, unit: &UnitPath, body: EventBody) -> Self {
        let (change, row) = self.bind_event(clock, actor, unit, body);
        let statement = create(&row);
        change.then(&statement)
    }

    /// Like [`Self::event`], if a condition holds in the transaction, such as `array::len($ended) > 0`.
    pub(crate) fn event_if(
        self,
        condition: &str,
        clock: &Clock,
        actor: Option<MemberId>,
        unit: &UnitPath,
        body: EventBody,
    ) -> Self {
        let (change, row) = self.bind_event(clock, actor, unit, body);
        let statement = format!("IF {condition} {{ {} }};", create(&row));
        change.then(&statement)
    }

    /// Appends many events with one statement.
    pub(crate) fn events(mut self, events: Vec<NewEvent>) -> Self {
        self.events += 1;
        let name = format!("log_rows_{}", self.events);
        self.vars.insert(name.clone(), events);
        let statement = format!("INSERT INTO event ${name} RETURN NONE;");
        self.then(&statement)
    }

    /// Enqueues jobs. At most once per change.
    pub(crate) fn jobs(mut self, clock: &Clock, jobs: Vec<NewJob>) -> Self {
        debug_assert!(!self.has_jobs, "jobs are enqueued at most once per change");
        if jobs.is_empty() {
            return self;
        }
        self.has_jobs = true;
        let statement = jobs::enqueue(&mut self.vars, clock, jobs);
        self.then(statement)
    }

    /// Binds the columns of an event and returns the prefix of their names.
    fn bind_event(mut self, clock: &Clock, actor: Option<MemberId>, unit: &UnitPath, body: EventBody) -> (Self, String) {
        let at = *self.at.get_or_insert_with(|| clock.now());
        self.events += 1;
        // Statements of a change may use the time of its first event: `$log_at`.
        let row = if self.events == 1 { "log".to_owned() } else { format!("log_{}", self.events) };
        bind(&mut self.vars, &row, &Event { id: EventId::new(clock.ulid_at(at)), at, actor, unit: unit.clone(), body });
        (self, row)
    }
}

impl Backend {
    /// Commits a change. Returns the answers of its statements, after that of the leading `BEGIN`.
    ///
    /// # Errors
    /// Those of the store. The caller maps a `THROW`, an existing record and a violated unique index.
    pub(crate) async fn transact(&self, change: Change) -> Result<Answers, StoreError> {
        let answers = self.store().write(&change.sql, change.vars).await?;
        if change.events > 0 {
            self.events().wake();
        }
        if change.has_jobs {
            self.wake_jobs();
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    /// The files that call `Store::write`, and why each is not a use-case.
    const BELOW_USE_CASES: [(&str, &str); 6] = [
        ("bulk.rs", "it also fills stores of older versions, which no backend can open"),
        ("change.rs", "it implements changes"),
        ("jobs/lease.rs", "leases are below the jobs that changes enqueue"),
        ("key_check.rs", "the key is checked before the backend exists"),
        ("migrations.rs", "migrations run before the backend exists"),
        ("migrations/lease.rs", "the migration lease is taken before the backend exists"),
    ];

    /// All files of the crate.
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("is a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }

    /// Names of the modules a file declares for tests only.
    fn test_modules(text: &str) -> Vec<String> {
        let gated = text.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.split(';').next()?.split_once("mod "));
        gated.map(|(_, name)| name.trim().to_owned()).filter(|name| !name.contains(char::is_whitespace)).collect()
    }

    fn writes_past_changes(text: &str) -> bool {
        // The test module is the last item of a file.
        let program = text.split("mod tests {").next().unwrap_or_default();
        let packed: String = program.split_whitespace().collect();
        ["store.write(", "store().write(", "store.as_ref().write("].iter().any(|call| packed.contains(call))
    }

    #[test]
    fn a_direct_write_is_detected_across_line_breaks() {
        assert!(writes_past_changes("self.backend\n    .store()\n    .write(sql, ())\n    .await?;"));
        assert!(writes_past_changes("store.write(sql, ())"));
        assert!(!writes_past_changes("backend.transact(change)\n#[cfg(test)]\nmod tests {\n store.write(sql, ()) }"));
    }

    #[test]
    fn rows_are_changed_in_one_way() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        sources(&src, &mut files);
        let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).expect("is read")).collect();
        // A module `name` of `a/b.rs` is the file `a/b/name.rs`, one of `lib.rs` is beside it.
        let modules_of = |file: &Path| match file.file_stem().and_then(|stem| stem.to_str()) {
            Some("lib") => src.clone(),
            _ => file.with_extension(""),
        };
        let declared = files.iter().zip(&texts).flat_map(|(file, text)| {
            test_modules(text).into_iter().map(move |name| modules_of(file).join(name).with_extension("rs"))
        });
        let tests: BTreeSet<PathBuf> = declared.collect();
        let mut writers: BTreeSet<String> = BTreeSet::new();
        for (file, text) in files.iter().zip(&texts) {
            if !tests.contains(file) && writes_past_changes(text) {
                let below = file.strip_prefix(&src).expect("lies below");
                writers.insert(below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"));
            }
        }
        for (file, why) in BELOW_USE_CASES {
            assert!(writers.remove(file), "{file} ({why}) no longer calls `Store::write`: remove it from the list");
        }
        assert!(writers.is_empty(), "these files must use `Backend::transact`: {writers:?}");
    }
}
