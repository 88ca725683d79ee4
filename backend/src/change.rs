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
//! [`Backend::transact`] commits, retries the transaction on a conflict, and wakes the tail of the log and the job runner. Types
//! enforce that use-cases call it: `Store::write_directly` takes a token that only this module and the few modules below the
//! use-cases can create. `Store::read` rejects statements that change rows, except in a release.

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

/// Permits the writes of this module: see `Store::write_directly`.
pub(crate) struct DirectWrite(());

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
        let answers = self.store().write_directly(DirectWrite(()), &change.sql, change.vars).await?;
        if change.events > 0 {
            self.events().wake();
        }
        if change.has_jobs {
            self.wake_jobs();
        }
        Ok(answers)
    }
}
