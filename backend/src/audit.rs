//! The audit trail, read from the event log: of a subtree for its registrars, and of the own record for each member. Also the
//! seal that makes the log tamper-evident: see `audit/seal.rs` and `audit/verify.rs`.

mod names;
mod seal;
mod verify;

use domain::{
    accounts::Viewer,
    audit::{AskedMember, AuditEntry, AuditGroup, AuditPage, OwnTrail},
    events::{Event, EventKind, Subject},
    ids::{EventId, MemberId, UnitId},
    members::CardNumber,
    policy::Action,
    units::{UnitPath, UnitRef},
};

pub use verify::{Finding, Report};

use crate::{
    Backend, Error, Result,
    events::{COLUMNS, EventRow, LoggedRow, ReverseCursor},
    store::{Variables, record, vars},
    units::Tree,
};

/// Lines on a page.
const PAGE: usize = 50;

/// Events read at a time when paging back through the log.
const STRIDE: usize = 500;

/// Most events examined for one page. Beyond that the reader decides whether to continue.
const EXAMINED: usize = 10_000;

/// See [`Backend::audit`].
pub struct Audit<'a> {
    backend: &'a Backend,
}

/// The filter of the audit page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditQuery<'q> {
    /// None for the subtrees of all the viewer's top units.
    pub unit: Option<UnitId>,
    pub group: Option<AuditGroup>,
    /// Id of a member or number of a card: only events by this person or about their record.
    pub member: Option<&'q str>,
    /// Only events before this one.
    pub before: Option<EventId>,
}

impl<'a> Audit<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// Events in the viewer's subtrees, newest first, without what members read and write for themselves.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may read no trail, and for a unit the viewer may not know of; [`Error::NotAllowed`]
    /// for a known unit whose trail the viewer may not read.
    pub async fn page(&self, viewer: &Viewer, query: AuditQuery<'_>) -> Result<AuditPage> {
        self.page_within(viewer, query, EXAMINED).await
    }

    /// Like [`Self::page`], examining at most `most` events.
    async fn page_within(&self, viewer: &Viewer, query: AuditQuery<'_>, most: usize) -> Result<AuditPage> {
        let tree = self.backend.units().tree();
        let (unit, scope) = scope(viewer, &tree, query.unit)?;
        let member = match query.member {
            Some(typed) => self.asked(viewer, typed).await?,
            None => TrailSubject::Nobody,
        };
        let (asked, member) = match member {
            TrailSubject::Nobody => (AskedMember::Nobody, None),
            TrailSubject::Member(id, name) => (AskedMember::Named(name), Some(id)),
            TrailSubject::Unknown => {
                let entries = Vec::new();
                return Ok(AuditPage { unit, asked: AskedMember::Unknown, entries, next: None, looked_back_to: None });
            }
        };
        let fits = |event: &Event| {
            let unit_path = event_unit(&tree, event).map_or(&event.unit, |unit| &unit.path);
            !event.kind().is_private()
                && query.group.is_none_or(|group| event.kind().group() == group)
                && scope.iter().any(|top_unit| top_unit.contains(unit_path))
                && member.is_none_or(|member| event.actor == Some(member) || event.body.subject() == Subject::Member(member))
        };
        let mut found = Vec::new();
        let mut way = ReverseCursor::from(query.before, self.backend.clock());
        let mut examined = 0;
        let mut looked_back_to = None;
        while found.len() <= PAGE && !way.is_at_the_start() {
            let rows = way.step(self.backend.store(), STRIDE).await?;
            examined += rows.len();
            let last = rows.last().map(|last| last.at);
            found.extend(rows.into_iter().filter_map(|row| row.event).filter(fits));
            if examined >= most && found.len() <= PAGE {
                looked_back_to = last;
                break;
            }
        }
        let next = if found.len() > PAGE {
            found.truncate(PAGE);
            found.last().map(|last| last.id)
        } else {
            looked_back_to.map(|_| way.position())
        };
        Ok(AuditPage { unit, asked, entries: self.entries(viewer, &tree, found).await?, next, looked_back_to })
    }

    /// Accesses and changes to the viewer's own record and account, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn own(&self, viewer: &Viewer, before: Option<EventId>) -> Result<OwnTrail> {
        let rows: Vec<EventRow> = self.backend.store().read(own_range(), own_vars(viewer.member, before)).await?.rows(0)?;
        let mut found: Vec<LoggedRow> = rows.iter().filter_map(LoggedRow::decode).collect();
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        let next = found.last().filter(|_| more).map(|last| last.id);
        let tree = self.backend.units().tree();
        let events = found.into_iter().filter_map(|row| row.event).collect();
        Ok(OwnTrail { entries: self.entries(viewer, &tree, events).await?, next })
    }

    async fn entries(&self, viewer: &Viewer, tree: &Tree, events: Vec<Event>) -> Result<Vec<AuditEntry>> {
        let names = self.names(&events).await?;
        let entry = |event: Event| AuditEntry {
            id: event.id,
            at: event.at,
            kind: event.kind(),
            actor: event.actor.and_then(|actor| names.person(&actor.to_string())),
            by_viewer: event.actor == Some(viewer.member),
            subject: names.subject(event.body.subject(), tree),
            unit: event_unit(tree, &event).map(|unit| unit.name.clone()),
            level: event_unit(tree, &event).map(|unit| unit.kind),
            role: event.body.role(),
            count: event.body.rows(),
        };
        Ok(events.into_iter().map(entry).collect())
    }

    /// The member with this id or card, if the viewer may read the trail of their branch.
    async fn asked(&self, viewer: &Viewer, typed: &str) -> Result<TrailSubject> {
        let card = CardNumber::parse(typed).map(|card| card.as_str().to_owned()).unwrap_or_default();
        let sql =
            format!("{PERSON} FROM $member; {PERSON} FROM member WHERE code = $card; {PERSON} FROM member WHERE code = $typed");
        let vars = vars! { member: record("member", typed.trim()), card: card, typed: typed.trim() };
        let mut answers = self.backend.store().read(sql, vars).await?;
        for at in 0..3 {
            for person in answers.rows::<names::Person>(at)? {
                let damaged = || Error::Damaged(format!("member {}", person.id));
                let path = UnitPath::parse(&person.path).map_err(|_| damaged())?;
                if viewer.standpoint.may_by_office(Action::ReadAudit, &path) {
                    return Ok(TrailSubject::Member(person.id.parse().map_err(|_| damaged())?, person.full_name));
                }
            }
        }
        Ok(TrailSubject::Unknown)
    }
}

/// The current unit of an event. Events are never rewritten, so they contain the path of their time.
fn event_unit<'t>(tree: &'t Tree, event: &Event) -> Option<&'t UnitRef> {
    tree.at(&event.unit).or_else(|| tree.former(&event.unit))
}

/// The person a trail is filtered by.
enum TrailSubject {
    Nobody,
    Unknown,
    Member(MemberId, String),
}

const PERSON: &str = "SELECT record::id(id) AS id, full_name, path";

/// The unit of the page's title, and the subtrees whose events it shows.
fn scope(viewer: &Viewer, tree: &Tree, asked: Option<UnitId>) -> Result<(UnitRef, Vec<UnitPath>)> {
    let Some(asked) = asked else {
        let top_units: Vec<UnitPath> = viewer.standpoint.top_units(Action::ReadAudit).into_iter().cloned().collect();
        let highest = top_units.iter().min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path));
        return Ok((highest.ok_or(Error::NotFound)?.clone(), top_units));
    };
    let unit = tree.get(asked).ok_or(Error::NotFound)?;
    if viewer.standpoint.may_by_office(Action::ReadAudit, &unit.path) {
        Ok((unit.clone(), vec![unit.path.clone()]))
    } else if viewer.standpoint.may(Action::ReadUnit, &unit.path) {
        Err(Error::NotAllowed)
    } else {
        Err(Error::NotFound)
    }
}

/// Excludes sign-ins and sign-outs: the page of the member's devices shows them.
fn own_range() -> String {
    let ways_in = [EventKind::SignedIn, EventKind::SignedOut].map(|kind| format!("'{}'", kind.key())).join(", ");
    format!(
        "SELECT id AS position, record::id(id) AS id, {COLUMNS} FROM event WHERE subject = $subject \
         AND ($before = NONE OR record::id(id) < $before) AND kind NOT IN [{ways_in}] ORDER BY position DESC LIMIT {}",
        PAGE + 1
    )
}

fn own_vars(member: MemberId, before: Option<EventId>) -> Variables {
    vars! { subject: member.to_string(), before: before.map(|before| before.to_string()) }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use domain::{
        members::Standing,
        policy::{Grant, Role, Standpoint},
    };

    use super::*;
    use crate::{
        Clock, Keys, StoreLocation,
        store::{RecordId, SurrealValue, tests::migrated},
    };

    #[tokio::test]
    async fn the_own_trail_is_read_by_indexes() {
        let store = migrated().await;
        let member = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id");
        store.assert_no_scan(&own_range(), own_vars(member, None)).await;
    }

    #[derive(Debug, SurrealValue)]
    struct Row {
        id: RecordId,
        at: DateTime<Utc>,
        kind: String,
        unit: String,
        subject: String,
        detail: String,
    }

    /// An event of one unit, followed by more events of another unit than are examined for one page.
    #[tokio::test]
    async fn a_long_search_back_is_split_into_pages() {
        let clock = Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1);
        let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
        let unit = clock.ulid().to_string();
        let sql = "CREATE $unit SET kind = 'branch', code = '01', name = 'Chi bộ', path = '/01/', opened_on = '2026-01-01'";
        backend.store().write(sql, vars! { unit: record("unit", &unit) }).await.expect("creates");
        backend.units().reload(backend.store()).await.expect("loads");
        let mut rows = Vec::new();
        // One more than is examined, and one for a window that ends in between.
        for at in 0..=STRIDE + 1 {
            clock.advance(TimeDelta::milliseconds(1));
            let path = if at == 0 { "/01/" } else { "/02/" };
            let (kind, unit, subject) = ("role_granted".to_owned(), path.to_owned(), clock.ulid().to_string());
            let id = record("event", clock.ulid());
            rows.push(Row { id, at: clock.now(), kind, unit, subject, detail: Role::Editor.key().to_owned() });
        }
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let batch: Vec<Row> = rows.by_ref().take(25).collect();
            backend.store().write("INSERT INTO event $rows RETURN NONE", vars! { rows: batch }).await.expect("inserts");
        }
        let path = UnitPath::parse("/01/").expect("a path");
        let standpoint = Standpoint {
            branch: path.clone(),
            standing: Standing::Official,
            grants: vec![Grant { role: Role::Registrar, path }],
        };
        let branch = backend.units().tree().named(&unit).expect("a unit").clone();
        let member = MemberId::new(clock.ulid());
        let (offices, resting) = (Vec::new(), Vec::new());
        let viewer = Viewer { member, name: "Cao Thị Sổ".to_owned(), branch, standpoint, offices, resting };

        let first = backend.audit().page_within(&viewer, AuditQuery::default(), STRIDE).await.expect("a page");
        assert!(first.entries.is_empty() && first.looked_back_to.is_some());
        let further = AuditQuery { before: first.next, ..AuditQuery::default() };
        let second = backend.audit().page_within(&viewer, further, STRIDE).await.expect("a page");
        assert_eq!((second.entries.len(), second.looked_back_to, second.next), (1, None, None));
    }
}
