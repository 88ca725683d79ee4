//! Searches members of the viewer's subtree by name or card number, and for registrars by full national ID.
//!
//! Names are searched in two ways, one after the other. First, each typed word may be a whole given name: index ranges of (given,
//! path). The rest is found by a scan of the subtree in the order of (path, name). The scan pauses after [`BUDGET`] records,
//! reports so, and can be resumed at its position. Rows outside the subtree are never returned.

use std::collections::HashSet;

use domain::{
    accounts::Viewer,
    ids::UnitId,
    members::{Hits, MemberQuery, MemberState, MembersPage, NameQuery, Waiting},
    policy::Action,
    tables::TableQuery,
    units::UnitPath,
};

use super::{CountRow, LINE, LineRow, Members, counted, highest, quality::quality_issues_of};
use crate::{
    Error, Result,
    store::{Variables, record, vars},
};

/// Rows per query of a scan.
const CHUNK: usize = 500;

/// Maximum number of rows that one request reads.
const BUDGET: usize = 20_000;

/// Number of rows read to count results beyond the page.
const COUNTED: usize = 3_000;

impl Members<'_> {
    /// The first page of the members of the viewer's subtree, or of `unit` in it, that match the typed text; of all members when
    /// it is empty.
    ///
    /// # Errors
    /// As [`Self::search_rows`].
    pub async fn search(&self, viewer: &Viewer, typed: &str, unit: Option<UnitId>, after: Option<&str>) -> Result<MembersPage> {
        self.search_rows(viewer, typed, unit, after, TableQuery::FIRST).await
    }

    /// The same with at most `rows` rows.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may read no records, for a unit outside the viewer's subtree, and for an invalid
    /// `after`.
    pub async fn search_rows(
        &self,
        viewer: &Viewer,
        typed: &str,
        unit: Option<UnitId>,
        after: Option<&str>,
        rows: usize,
    ) -> Result<MembersPage> {
        let tree = self.backend.units().tree();
        let own = viewer.standpoint.top_units(Action::ReadMembers);
        let top = highest(&tree, &own)?;
        let chosen = match unit {
            Some(unit) => {
                let unit = tree.get(unit).ok_or(Error::NotFound)?;
                if !viewer.standpoint.may_by_office(Action::ReadMembers, &unit.path) {
                    return Err(Error::NotFound);
                }
                Some(unit)
            }
            None => None,
        };
        let top_units: Vec<UnitPath> = match chosen {
            Some(unit) => vec![unit.path.clone()],
            None => own.into_iter().cloned().collect(),
        };
        let query = MemberQuery::parse(typed);
        let found = self.find(viewer, &query, &top_units, after, rows).await?;
        Ok(MembersPage {
            unit: chosen.unwrap_or(top).clone(),
            narrowed: chosen.is_some_and(|unit| unit.id != top.id),
            members: self.lines(found.rows).await?,
            hits: found.hits.filter(|_| after.is_none()),
            next: found.next,
            paused_after: found.paused_after,
            waiting: self.waiting(viewer).await?,
            may_manage: top_units.iter().any(|top_unit| viewer.standpoint.may_by_office(Action::ManageMembers, top_unit)),
        })
    }

    /// At most `rows` rows, the position of the next page, and the number of results.
    async fn find(
        &self,
        viewer: &Viewer,
        query: &MemberQuery,
        top_units: &[UnitPath],
        after: Option<&str>,
        rows: usize,
    ) -> Result<Found> {
        let walks = walks(query, top_units);
        let mut found = Found::default();
        let mut seen = HashSet::new();
        let mut position = None;
        let mut at = 0;
        if let Some(after) = after {
            let (walk, stopped) = self.resume(&walks, after).await?;
            (at, position) = (walk, Some(stopped));
        } else if let Some(row) = self.direct(viewer, query, top_units).await? {
            seen.insert(row.id.clone());
            found.rows.push(row);
        }
        let mut looked_at = 0;
        while let Some(walk) = walks.get(at) {
            let (chunk, is_last) = self.chunk(walk, position.as_ref()).await?;
            looked_at += chunk.len();
            for row in chunk {
                position = Some(Position::of(&row));
                let is_new = walk.yields(&row, query) && seen.insert(row.id.clone());
                if is_new && found.rows.len() < rows {
                    found.last_walk = at;
                    found.rows.push(row);
                } else if is_new && found.next.is_none() {
                    // The page is full: the next one begins with this row.
                    found.next = found.rows.last().map(|last| format!("{}-{}", found.last_walk, last.id));
                }
            }
            if found.next.is_some() && (after.is_some() || looked_at >= COUNTED) {
                found.hits = Some(Hits::AtLeast(seen.len() as u64));
                return Ok(found);
            }
            if is_last {
                (at, position) = (at + 1, None);
            } else if looked_at >= BUDGET {
                found.hits = Some(Hits::AtLeast(seen.len() as u64));
                found.next = position.map(|position| format!("{at}-{}", position.id));
                found.paused_after = u64::try_from(looked_at).ok();
                return Ok(found);
            }
        }
        found.hits = Some(Hits::Exactly(seen.len() as u64));
        Ok(found)
    }

    /// The member with the typed card number or national ID. Leaders see no digit of a national ID, so they cannot search by one.
    async fn direct(&self, viewer: &Viewer, query: &MemberQuery, top_units: &[UnitPath]) -> Result<Option<LineRow>> {
        let (column, value, action) = match query {
            MemberQuery::Card(card) => ("code", card.as_str().to_owned(), Action::ReadMembers),
            MemberQuery::NationalId(id) => ("id_hash", self.backend.keys().lookup("id", id.expose()), Action::ManageMembers),
            MemberQuery::Everybody | MemberQuery::Name(_) | MemberQuery::Nothing => return Ok(None),
        };
        let sql = format!("SELECT {LINE} FROM member WHERE {column} = $value LIMIT 1");
        let row: Option<LineRow> = self.backend.store().read(sql, vars! { value: value }).await?.row(0)?;
        let may = |row: &LineRow| {
            UnitPath::parse(&row.path).is_ok_and(|path| {
                viewer.standpoint.may_by_office(action, &path) && top_units.iter().any(|top_unit| top_unit.contains(&path))
            })
        };
        Ok(row.filter(|row| is_shown(row) && may(row)))
    }

    /// The index of the walk and its last record, from a position.
    async fn resume(&self, walks: &[Walk], after: &str) -> Result<(usize, Position)> {
        let (at, id) = after.split_once('-').ok_or(Error::NotFound)?;
        let at: usize = at.parse().map_err(|_| Error::NotFound)?;
        let walk = walks.get(at).ok_or(Error::NotFound)?;
        let id: domain::ids::MemberId = id.parse().map_err(|_| Error::NotFound)?;
        let sql = format!("SELECT {LINE} FROM ONLY $member");
        let row: Option<LineRow> = self.backend.store().read(sql, vars! { member: record("member", id) }).await?.row(0)?;
        let row = row.filter(|row| row.path.starts_with(walk.within.as_str())).ok_or(Error::NotFound)?;
        Ok((at, Position::of(&row)))
    }

    /// The next rows of a walk, and whether they are the last ones.
    async fn chunk(&self, walk: &Walk, position: Option<&Position>) -> Result<(Vec<LineRow>, bool)> {
        let mut answers = self.backend.store().read(walk.sql(position.is_some()), walk.vars(position)).await?;
        let Some(position) = position else {
            return Ok(walk.within_bounds(answers.rows(0)?));
        };
        let mut rows: Vec<LineRow> = answers.rows(0)?;
        let is_whole_branch = rows.len() < CHUNK;
        rows.retain(|row| position.is_before(row, &walk.by));
        if !is_whole_branch && !rows.is_empty() {
            return Ok((rows, false));
        }
        let (beyond, is_last) = walk.within_bounds(answers.rows(1)?);
        rows.extend(beyond);
        Ok((rows, is_last))
    }

    /// Counts of pending work in the viewer's subtrees, in one query.
    pub(crate) async fn waiting(&self, viewer: &Viewer) -> Result<Waiting> {
        let standpoint = &viewer.standpoint;
        let read = standpoint.top_units(Action::ReadMembers);
        let managed = standpoint.top_units(Action::ManageMembers);
        let joined = standpoint.top_units(Action::TransferMember);
        let quality_issues = read.iter().flat_map(|top_unit| quality_issues_of(top_unit));
        let corrections = managed.iter().map(|top_unit| (CORRECTIONS_WAITING, REQUESTED, *top_unit));
        let transfers = joined.iter().map(|top_unit| (TRANSFERS_COMING, REQUESTED, *top_unit));
        let asked: Vec<_> = quality_issues.chain(corrections).chain(transfers).collect();
        let counts = self.counts(&asked).await?;
        let (requests, transfers) = counts.split_at(asked.len() - joined.len());
        let (quality_issues, corrections) = requests.split_at(requests.len() - managed.len());
        Ok(Waiting {
            quality_issues: quality_issues.iter().sum(),
            corrections: (!managed.is_empty()).then(|| corrections.iter().sum()),
            transfers: transfers.iter().sum(),
        })
    }

    /// Counts of rows in one query. Each element is a statement with `$from` and `$until` on a column that begins with a kind or
    /// a state, that kind or state, and the subtree.
    pub(super) async fn counts(&self, asked: &[(&str, &str, &UnitPath)]) -> Result<Vec<u64>> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let (mut sql, mut vars) = (String::new(), vars! {});
        for (at, (statement, what, top_unit)) in asked.iter().enumerate() {
            let (from, until) = (format!("from_{at}"), format!("until_{at}"));
            sql += &statement.replace("$from", &format!("${from}")).replace("$until", &format!("${until}"));
            sql.push(';');
            vars.insert(from, format!("{what}{top_unit}"));
            vars.insert(until, format!("{what}{}", top_unit.range_end()));
        }
        let mut answers = self.backend.store().read(sql, vars).await?;
        (0..asked.len()).map(|at| Ok(counted(&answers.rows::<CountRow>(at)?))).collect()
    }

    pub(super) async fn count(&self, sql: &str, range: Variables) -> Result<u64> {
        let rows: Vec<CountRow> = self.backend.store().read(sql, range).await?.rows(0)?;
        Ok(counted(&rows))
    }
}

/// State of a pending request.
const REQUESTED: &str = "requested";

pub(super) const CORRECTIONS_WAITING: &str = "SELECT count() FROM correction WHERE place >= $from AND place < $until GROUP ALL";
const TRANSFERS_COMING: &str = "SELECT count() FROM transfer WHERE joins >= $from AND joins < $until GROUP ALL";

/// Bindings of a subtree's index range on a column that begins with `what`: a kind or a state.
pub(super) fn range(what: &str, top_unit: &UnitPath) -> Variables {
    vars! { from: format!("{what}{top_unit}"), until: format!("{what}{}", top_unit.range_end()) }
}

/// The same for pending requests.
pub(super) fn requested(top_unit: &UnitPath) -> Variables {
    range(REQUESTED, top_unit)
}

#[derive(Debug, Default)]
struct Found {
    rows: Vec<LineRow>,
    /// The walk that found the last row.
    last_walk: usize,
    hits: Option<Hits>,
    next: Option<String>,
    paused_after: Option<u64>,
}

/// A scan of a subtree, in the order of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Walk {
    within: UnitPath,
    by: By,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    /// Members with this given name, ordered by branch.
    Given(String),
    /// All members, ordered by branch and name.
    Place,
}

fn walks(query: &MemberQuery, top_units: &[UnitPath]) -> Vec<Walk> {
    let ways = match query {
        MemberQuery::Everybody => vec![By::Place],
        MemberQuery::Name(name) => {
            name.candidates().into_iter().map(|word| By::Given(word.to_owned())).chain([By::Place]).collect()
        }
        MemberQuery::NationalId(_) | MemberQuery::Card(_) | MemberQuery::Nothing => Vec::new(),
    };
    ways.into_iter()
        .flat_map(|by| top_units.iter().map(move |top_unit| Walk { within: top_unit.clone(), by: by.clone() }))
        .collect()
}

impl Walk {
    /// One index range; to resume, the rest of the branch of the position, and all branches after it.
    fn sql(&self, goes_on: bool) -> String {
        let (pinned, order) = match &self.by {
            By::Given(_) => ("given = $value AND ", "path"),
            By::Place => ("", "path, sort_key"),
        };
        let select = format!("SELECT {LINE} FROM member WHERE {pinned}");
        // After a pinned column, the engine would read to the upper end of the range, past the limit. `within_bounds` cuts the
        // rows instead.
        let end = if self.by == By::Place { "AND path < $until " } else { "" };
        if !goes_on {
            return format!("{select}path >= $from {end}ORDER BY {order} LIMIT {CHUNK};");
        }
        let rest = match self.by {
            By::Place => "path = $path AND sort_key >= $sort_key ORDER BY sort_key",
            By::Given(_) => "path = $path",
        };
        format!("{select}{rest} LIMIT {CHUNK}; {select}path > $path {end}ORDER BY {order} LIMIT {CHUNK};")
    }

    fn vars(&self, position: Option<&Position>) -> Variables {
        let mut vars = range("", &self.within);
        if let By::Given(value) = &self.by {
            vars.insert("value", value.clone());
        }
        if let Some(position) = position {
            vars.extend(vars! { path: position.path.clone(), sort_key: position.sort_key.clone() });
        }
        vars
    }

    /// The rows up to the end of the subtree, and whether it is reached.
    fn within_bounds(&self, mut rows: Vec<LineRow>) -> (Vec<LineRow>, bool) {
        let read = rows.len();
        rows.retain(|row| row.path.starts_with(self.within.as_str()));
        let is_last = read < CHUNK || rows.len() < read;
        (rows, is_last)
    }

    /// Whether the row is a result that no earlier walk has returned.
    fn yields(&self, row: &LineRow, query: &MemberQuery) -> bool {
        let matches = |name: &NameQuery| {
            let folded = row.sort_key.split_once(' ').map_or(row.sort_key.as_str(), |(_, folded)| folded);
            name.matches(folded)
        };
        let was_found = |name: &NameQuery| {
            self.by == By::Place && row.given.as_deref().is_some_and(|given| name.candidates().contains(&given))
        };
        is_shown(row)
            && match query {
                MemberQuery::Name(name) => matches(name) && !was_found(name),
                _ => true,
            }
    }
}

/// A merged record is represented by the one it was merged into.
fn is_shown(row: &LineRow) -> bool {
    row.state != MemberState::Merged.key()
}

/// Position of a row in the order of a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    path: String,
    sort_key: String,
    id: String,
}

impl Position {
    fn of(row: &LineRow) -> Self {
        Self { path: row.path.clone(), sort_key: row.sort_key.clone(), id: row.id.clone() }
    }

    /// Whether a row of the same branch comes after this position.
    fn is_before(&self, row: &LineRow, by: &By) -> bool {
        match by {
            By::Place => (&self.sort_key, &self.id) < (&row.sort_key, &row.id),
            By::Given(_) => self.id < row.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Value, tests::migrated};

    #[tokio::test]
    async fn every_walk_is_an_index_range() {
        let store = migrated().await;
        let top_units = [UnitPath::parse("/01/51/").expect("a path")];
        let position =
            Position { path: "/01/51/001/".to_owned(), sort_key: "an".to_owned(), id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned() };
        let mut planned: Vec<(String, Variables)> = Vec::new();
        for typed in ["", "Nguyễn Đức"] {
            let walks = walks(&MemberQuery::parse(typed), &top_units);
            assert!(!walks.is_empty(), "{typed}");
            for walk in walks {
                planned.push((walk.sql(false), walk.vars(None)));
                planned.push((walk.sql(true), walk.vars(Some(&position))));
                store.assert_no_scan(&walk.sql(false), walk.vars(None)).await;
                store.assert_no_scan(&walk.sql(true), walk.vars(Some(&position))).await;
            }
        }
        // Both ends of a range and the limit must be applied by the index; otherwise a search in one unit would read all units
        // after it.
        for (sql, vars) in planned {
            for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
                let explained = store.read(format!("EXPLAIN FORMAT JSON {statement}"), vars.clone()).await;
                let plan: Option<Value> = explained.expect("is explained").row(0).expect("a plan");
                let plan = plan.expect("a plan").into_json_value().to_string();
                assert!(!plan.contains("Sort") && !plan.contains("Filter") && plan.contains("\"limit\":\"500\""), "{plan}");
            }
        }
        for sql in [CORRECTIONS_WAITING, TRANSFERS_COMING] {
            store.assert_no_scan(sql, requested(&top_units[0])).await;
        }
    }
}
