//! Meetings that concern a person, with their papers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    documents::DocumentSummary,
    ids::{DocumentId, MeetingId},
    locale::local_date,
    meetings::{
        AgendaItem, AttendanceKind, MeetingForm, MeetingKind, MeetingPage, MeetingState, MeetingSummary, MeetingsPage, Paper,
        Turnout,
    },
    policy::Action,
    units::UnitPath,
};

use crate::{
    Backend, Error, Result,
    store::{SurrealValue, Variables, pair, record, vars},
    units::Tree,
};

/// Most upcoming and past meetings listed for one unit.
const COMING: usize = 20;
const PAST: usize = 24;

/// The use-cases on meetings.
#[derive(Clone, Copy)]
pub struct Meetings<'a> {
    backend: &'a Backend,
}

impl<'a> Meetings<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The meetings of the members of the person's branch, and all meetings of the units they hold an office on.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, viewer: &Viewer) -> Result<MeetingsPage> {
        let called = called_to(viewer);
        // All meetings of today are in the first range; they are assigned to a list below.
        let since = self.backend.clock().now() - TimeDelta::days(1);
        let mut answers = self.backend.store().read(ranges(called.len()), bindings(&called, since)).await?;
        let mut rows: Vec<MeetingRow> = Vec::new();
        for at in 0..called.len() * 2 {
            rows.extend(answers.rows::<MeetingRow>(at)?);
        }
        let tree = self.backend.units().tree();
        rows.retain(|row| row.is_open_to(viewer, &tree));
        let papers = self.papers(viewer, &rows).await?;
        let mut page = MeetingsPage { coming: Vec::new(), past: Vec::new() };
        for row in rows {
            let summary = self.summary(&row, &tree, &papers)?;
            let over = matches!(summary.state, MeetingState::Closed | MeetingState::Reported);
            if over || summary.days_away < 0 { &mut page.past } else { &mut page.coming }.push(summary);
        }
        page.coming.sort_by_key(|meeting| (meeting.starts_at, meeting.id));
        page.past.sort_by_key(|meeting| std::cmp::Reverse((meeting.starts_at, meeting.id)));
        Ok(page)
    }

    /// One meeting with its agenda and papers.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not exist or the person may not know of it.
    pub async fn read(&self, viewer: &Viewer, id: MeetingId) -> Result<MeetingPage> {
        let sql = format!(
            "SELECT {COLUMNS} FROM ONLY $meeting; SELECT VALUE kind FROM ONLY $own; \
             SELECT VALUE kind FROM attendance:[$key, NONE]..=[$key, ..];"
        );
        let vars = vars! {
            meeting: record("meeting", id),
            own: pair("attendance", id, viewer.member),
            key: id.to_string(),
        };
        let mut answers = self.backend.store().read(sql, vars).await?;
        let row: MeetingRow = answers.row(0)?.ok_or(Error::NotFound)?;
        let damaged = || Error::Damaged(format!("meeting {id}"));
        let tree = self.backend.units().tree();
        if !row.is_open_to(viewer, &tree) {
            return Err(Error::NotFound);
        }
        let own: Option<String> = answers.row(1)?;
        let own_attendance = own.map(|kind| AttendanceKind::from_key(&kind).ok_or_else(damaged)).transpose()?;
        let turnout = turnout(&answers.rows::<String>(2)?)?.filter(|_| self.shows_turnout(viewer, &tree, &row));
        let papers = self.papers(viewer, std::slice::from_ref(&row)).await?;
        let summary = self.summary(&row, &tree, &papers)?;
        let agenda = row.agenda.into_iter().map(|item| item.decode(&papers)).collect::<Option<_>>().ok_or_else(damaged)?;
        Ok(MeetingPage { summary, chair: row.chair, agenda, turnout, own_attendance })
    }

    /// Whether the person may know how many attended: one of those who meet, that is a member of the unit, or a holder of an
    /// office there if its committee meets; or a person to whom its number of members is shown, because all members of a branch
    /// are invited.
    fn shows_turnout(&self, viewer: &Viewer, tree: &Tree, row: &MeetingRow) -> bool {
        let standpoint = &viewer.standpoint;
        tree.successor(&row.unit).is_some_and(|unit| {
            let meets = if row.kind().is_some_and(MeetingKind::is_for_members) {
                standpoint.may_as_member(Action::ReadMeeting, &unit.path)
            } else {
                standpoint.may_at_exact_unit(Action::ReadMeeting, &unit.path)
            };
            meets || self.backend.statistics().members(standpoint, tree, unit).is_some()
        })
    }

    /// The meetings among `ids` that the person may read, in no particular order.
    pub(crate) async fn found(&self, viewer: &Viewer, ids: &[MeetingId]) -> Result<Vec<MeetingSummary>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let meetings: Vec<_> = ids.iter().map(|id| record("meeting", id)).collect();
        let mut rows: Vec<MeetingRow> = self.backend.store().read(found(), vars! { meetings: meetings }).await?.rows(0)?;
        let tree = self.backend.units().tree();
        rows.retain(|row| row.is_open_to(viewer, &tree));
        let papers = self.papers(viewer, &rows).await?;
        rows.iter().map(|row| self.summary(row, &tree, &papers)).collect()
    }

    /// The papers of these meetings that the person may read.
    async fn papers(&self, viewer: &Viewer, meetings: &[MeetingRow]) -> Result<Papers> {
        let named: BTreeSet<DocumentId> = meetings
            .iter()
            .flat_map(MeetingRow::named_papers)
            .map(|id| id.parse().map_err(|_| Error::Damaged(format!("paper {id}"))))
            .collect::<Result<_>>()?;
        let named: Vec<DocumentId> = named.into_iter().collect();
        let documents = self.backend.documents().found(viewer, &named).await?;
        let paper = |document: DocumentSummary| Paper {
            document: document.id,
            kind: document.kind,
            minutes: document.minutes,
            read: document.is_read(),
            corrected: document.corrected_on.is_some(),
            title: document.title,
        };
        Ok(documents.into_iter().map(|document| (document.id.to_string(), paper(document))).collect())
    }

    fn summary(&self, row: &MeetingRow, tree: &Tree, papers: &Papers) -> Result<MeetingSummary> {
        let damaged = || Error::Damaged(format!("meeting {}", row.id));
        let named: BTreeSet<&str> = row.named_papers().collect();
        let papers = || named.iter().filter_map(|id| papers.get(*id));
        Ok(MeetingSummary {
            id: row.id.parse().map_err(|_| damaged())?,
            kind: row.kind().ok_or_else(damaged)?,
            form: MeetingForm::from_key(&row.form).ok_or_else(damaged)?,
            state: MeetingState::from_key(&row.state).ok_or_else(damaged)?,
            title: row.title.clone(),
            unit: tree.successor_as_named(&row.unit).ok_or_else(damaged)?,
            starts_at: row.starts_at,
            venue: row.venue.clone(),
            papers: count(papers()),
            papers_read: count(papers().filter(|paper| paper.read)),
            days_away: (local_date(row.starts_at) - self.backend.clock().today()).num_days(),
        })
    }
}

/// Papers by the document's id.
type Papers = BTreeMap<String, Paper>;

/// Reads meetings by id.
fn found() -> String {
    format!("SELECT {COLUMNS} FROM $meetings")
}

/// Rows written by a server that does not know `venue` have only `place`.
const COLUMNS: &str = "record::id(id) AS id, unit, kind, form, state, title, starts_at, venue ?? place AS venue, chair, agenda";

/// The stored row of a meeting.
#[derive(Debug, SurrealValue)]
struct MeetingRow {
    id: String,
    unit: String,
    kind: String,
    form: String,
    state: String,
    title: String,
    starts_at: DateTime<Utc>,
    venue: String,
    chair: Option<String>,
    agenda: Vec<ItemRow>,
}

#[derive(Debug, SurrealValue)]
struct ItemRow {
    title: String,
    minutes: i64,
    papers: Vec<String>,
}

impl MeetingRow {
    /// Whether the person may read it; nobody may if its kind is unknown. The path is taken from the tree, for the unit or its
    /// successor, since rows are updated only some time after a move.
    fn is_open_to(&self, viewer: &Viewer, tree: &Tree) -> bool {
        let unit = tree.successor(&self.unit);
        unit.zip(self.kind()).is_some_and(|(unit, kind)| viewer.standpoint.may_read_meeting(kind, &unit.path))
    }

    /// `None` if it is unknown.
    fn kind(&self) -> Option<MeetingKind> {
        MeetingKind::from_key(&self.kind)
    }

    fn named_papers(&self) -> impl Iterator<Item = &str> {
        self.agenda.iter().flat_map(|item| item.papers.iter().map(String::as_str))
    }
}

impl ItemRow {
    fn decode(self, papers: &Papers) -> Option<AgendaItem> {
        Some(AgendaItem {
            title: self.title,
            minutes: u32::try_from(self.minutes).ok()?,
            papers: self.papers.iter().filter_map(|id| papers.get(id)).cloned().collect(),
        })
    }
}

/// The units whose meetings concern the person, with the kinds of these meetings: meetings of members of their branch and of the
/// unit below it in which they are registered, unless they are exempt, and all meetings of the units of their offices, without the
/// units below.
fn called_to(viewer: &Viewer) -> Vec<(UnitPath, Vec<MeetingKind>)> {
    let standpoint = &viewer.standpoint;
    let own = standpoint.branch.ancestors_and_self().filter(|path| {
        let is_own = viewer.branch.path.contains(path) || *path == standpoint.branch;
        is_own && standpoint.may_as_member(Action::ReadMeeting, path)
    });
    let offices = standpoint.grants.iter().filter(|grant| grant.role.covers(Action::ReadMeeting)).map(|grant| grant.path.clone());
    let units: BTreeSet<UnitPath> = own.chain(offices).collect();
    let called = units.into_iter().map(|path| {
        let has_office = standpoint.may_at_exact_unit(Action::ReadMeeting, &path);
        let kinds = MeetingKind::ALL.into_iter().filter(|kind| has_office || kind.is_for_members());
        (path, kinds.collect::<Vec<_>>())
    });
    called.collect()
}

/// Two index ranges for each unit: from a time on, and before it.
fn ranges(units: usize) -> String {
    (0..units)
        .map(|at| {
            format!(
                "SELECT {COLUMNS} FROM meeting WHERE path = $path_{at} AND starts_at >= $since AND kind IN $kinds_{at} \
                 ORDER BY starts_at LIMIT {COMING};\
                 SELECT {COLUMNS} FROM meeting WHERE path = $path_{at} AND starts_at < $since AND kind IN $kinds_{at} \
                 ORDER BY starts_at DESC LIMIT {PAST};"
            )
        })
        .collect()
}

fn bindings(called: &[(UnitPath, Vec<MeetingKind>)], since: DateTime<Utc>) -> Variables {
    let mut vars = vars! { since: since };
    for (at, (path, kinds)) in called.iter().enumerate() {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.key()).collect();
        vars.insert(format!("path_{at}"), path.to_string());
        vars.insert(format!("kinds_{at}"), kinds);
    }
    vars
}

/// None without a roll call.
fn turnout(kinds: &[String]) -> Result<Option<Turnout>> {
    let mut turnout = Turnout { present: 0, remote: 0, excused: 0, absent: 0 };
    for kind in kinds {
        *match AttendanceKind::from_key(kind).ok_or_else(|| Error::Damaged(format!("attendance {kind}")))? {
            AttendanceKind::Present => &mut turnout.present,
            AttendanceKind::Remote => &mut turnout.remote,
            AttendanceKind::Excused => &mut turnout.excused,
            AttendanceKind::Absent => &mut turnout.absent,
        } += 1;
    }
    Ok(Some(turnout).filter(|turnout| turnout.invited() > 0))
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn lists_of_meetings_are_index_ranges() {
        let store = migrated().await;
        let called =
            [("/01/51/001/07/", vec![MeetingKind::Regular, MeetingKind::Thematic]), ("/01/51/", MeetingKind::ALL.to_vec())]
                .map(|(path, kinds)| (UnitPath::parse(path).expect("a path"), kinds));
        store.assert_no_scan(&ranges(called.len()), bindings(&called, Utc::now())).await;
        store.assert_no_scan(&found(), vars! { meetings: vec![record("meeting", "01ARZ3NDEKTSV4RRFFQ69G5FAV")] }).await;
    }

    #[tokio::test]
    async fn a_row_of_an_older_server_has_its_place_as_venue() {
        let store = migrated().await;
        store
            .write(
                "FOR $key IN ['new', 'old'] { CREATE type::record('meeting', $key) SET unit = 'U', path = '/01/', kind = 'regular', \
                 form = 'mixed', state = 'announced', title = 'Sinh hoạt', starts_at = d'2026-12-05T07:00:00Z', \
                 place = 'Nhà văn hóa', agenda = [] }; UPDATE meeting:new SET venue = 'Trường học';",
                (),
            )
            .await
            .expect("creates");
        let meetings = vars! { meetings: vec![record("meeting", "new"), record("meeting", "old")] };
        let rows: Vec<MeetingRow> = store.read(found(), meetings).await.expect("reads").rows(0).expect("rows");
        let mut venues: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.venue.as_str())).collect();
        venues.sort_unstable();
        assert_eq!(venues, [("new", "Trường học"), ("old", "Nhà văn hóa")]);
    }

    #[tokio::test]
    async fn attendance_is_read_by_the_meetings_own_range() {
        let store = migrated().await;
        let sql = "SELECT VALUE kind FROM attendance:[$key, NONE]..=[$key, ..]";
        store
            .write(
                "CREATE attendance:['a', 'x'] SET kind = 'present'; CREATE attendance:['a', 'y'] SET kind = 'remote'; \
             CREATE attendance:['b', 'x'] SET kind = 'absent';",
                (),
            )
            .await
            .expect("creates");
        let kinds: Vec<String> = store.read(sql, vars! { key: "a" }).await.expect("reads").rows(0).expect("kinds");
        assert_eq!(kinds, ["present", "remote"]);
    }
}
