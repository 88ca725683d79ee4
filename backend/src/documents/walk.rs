//! A cursor over the documents that reach a member, newest first.
//!
//! A document is for a branch if and only if its audience is a unit on the path from the root to that branch. So a member's
//! library is a few index ranges, one for each unit on the path, merged by published key.
//!
//! On the second column of an index, the engine uses only one bound of a range: rows beyond the other bound are read and
//! discarded. So each range here has one bound only: the lower end at first, and the cursor's position once it has advanced.
//! Without a further comparison, the engine pushes the `LIMIT` into the scan and reads exactly that many rows.
//!
//! Invariant: the ranges only narrow what is read; the policy decides for each row whether a document reaches the member.

use std::collections::VecDeque;

use domain::{accounts::Viewer, documents::LibraryQuery};

use super::{COLUMNS, Document, DocumentRow, Documents};
use crate::{
    Result,
    store::{Answers, Variables, vars},
    units::{
        Tree,
        chosen::{IN_PART, unit_vars},
    },
};

/// Sorts after every published key, which are ULIDs.
pub(super) const TOP: &str = "~";

/// Rows read ahead in one range, initially and at most: a page needs few, a long walk many.
const FIRST_PORTION: usize = 25;
const LAST_PORTION: usize = 200;

/// Rows read for a list in addition to its length, because some may be for other members.
const SPARE: usize = 4;

/// The paths of the units from the root down to the member's branch.
pub(super) fn line(viewer: &Viewer) -> Vec<String> {
    viewer.standpoint.branch.ancestors_and_self().map(|path| path.to_string()).collect()
}

/// The condition that a truncated list adds to the path, so that documents for others do not displace the member's: whether the
/// document is for the member's standing and branch. [`line_vars`] binds `$standing`, `$reaching` and `$holding`.
pub(super) fn for_member() -> String {
    format!("(standings = NONE OR standings CONTAINS $standing) AND {IN_PART}")
}

/// A statement for each unit of the path; [`line_vars`] binds `$path_0`, `$path_1` ….
pub(super) fn over_line(viewer: &Viewer, statement: impl Fn(&str) -> String) -> String {
    (0..line(viewer).len()).map(|at| statement(&format!("audience_path = $path_{at}"))).collect()
}

pub(super) fn line_vars(viewer: &Viewer, tree: &Tree) -> Variables {
    let mut vars = unit_vars(&viewer.standpoint.branch, tree);
    vars.insert("standing", viewer.standpoint.standing.key());
    for (at, path) in line(viewer).into_iter().enumerate() {
        vars.insert(format!("path_{at}"), path);
    }
    vars
}

/// The rows of a range of statements.
pub(super) fn rows_of(answers: &mut Answers, statements: std::ops::Range<usize>) -> Result<Vec<DocumentRow>> {
    let mut rows = Vec::new();
    for statement in statements {
        rows.extend(answers.rows::<DocumentRow>(statement)?);
    }
    Ok(rows)
}

/// One range and the rows read ahead from it.
struct RangeCursor {
    path: String,
    /// Upper bound of the next read; `None` at the newest document.
    below: Option<String>,
    ahead: VecDeque<DocumentRow>,
    is_read: bool,
}

pub(super) struct Walk<'a> {
    documents: Documents<'a>,
    viewer: &'a Viewer,
    cursors: Vec<RangeCursor>,
    filter: String,
    filter_vars: Variables,
    above: String,
    portion: usize,
    /// Rows read from the store so far.
    pub(super) looked_at: usize,
}

impl<'a> Walk<'a> {
    /// From the newest document to the oldest.
    pub(super) fn new(documents: Documents<'a>, viewer: &'a Viewer) -> Self {
        let cursor = |path| RangeCursor { path, below: None, ahead: VecDeque::new(), is_read: false };
        Self {
            documents,
            viewer,
            cursors: line(viewer).into_iter().map(cursor).collect(),
            filter: String::new(),
            filter_vars: vars! {},
            above: String::new(),
            portion: FIRST_PORTION,
            looked_at: 0,
        }
    }

    /// Restricts the walk to keys strictly between two published keys.
    pub(super) fn between(mut self, above: &str, below: &str) -> Self {
        above.clone_into(&mut self.above);
        for cursor in &mut self.cursors {
            cursor.below = (below != TOP).then(|| below.to_owned());
        }
        self
    }

    /// Reads ahead at first what a list of `count` documents needs if few of them are for others.
    pub(super) fn for_list(mut self, count: usize) -> Self {
        self.portion = (count + SPARE).min(LAST_PORTION);
        self
    }

    /// Applies the filters of the query; [`Self::between`] applies its year and cursor.
    pub(super) fn filtered(mut self, query: &LibraryQuery) -> Self {
        let wanted = [
            ("kind", query.kind.map(|kind| kind.key().to_owned())),
            ("issuer_level", query.level.map(|level| level.key().to_owned())),
            ("field", query.field.map(|field| field.key().to_owned())),
            ("issuer", query.unit.map(|unit| unit.to_string())),
        ];
        for (column, value) in wanted {
            if let Some(value) = value {
                self.filter.push_str(&format!("AND {column} = ${column} "));
                self.filter_vars.insert(column, value);
            }
        }
        self
    }

    /// The next documents, newest first; fewer than `count` at the end.
    pub(super) async fn next(&mut self, count: usize) -> Result<Vec<Document>> {
        let tree = self.documents.backend.units().tree();
        let mut found = Vec::with_capacity(count);
        while found.len() < count {
            self.read_ahead().await?;
            let newest = self.cursors.iter_mut().filter(|cursor| !cursor.ahead.is_empty());
            let Some(cursor) = newest.max_by_key(|cursor| cursor.ahead.front().and_then(|row| row.shelf.clone())) else { break };
            let Some(row) = cursor.ahead.pop_front() else { break };
            let document = row.decode(&tree)?;
            if document.reaches(self.viewer) {
                found.push(document);
            }
        }
        Ok(found)
    }

    /// Reads ahead until every range has a row to compare, or is exhausted.
    async fn read_ahead(&mut self) -> Result<()> {
        let empty: Vec<usize> =
            (0..self.cursors.len()).filter(|at| self.cursors[*at].ahead.is_empty() && !self.cursors[*at].is_read).collect();
        if empty.is_empty() {
            return Ok(());
        }
        let mut sql = String::new();
        let mut vars = self.filter_vars.clone();
        for at in &empty {
            let cursor = &self.cursors[*at];
            let end = if cursor.below.is_some() { "<" } else { ">" };
            sql.push_str(&range(*at, &self.filter, end, self.portion));
            vars.insert(format!("path_{at}"), cursor.path.clone());
            vars.insert(format!("end_{at}"), cursor.below.as_ref().unwrap_or(&self.above).clone());
        }
        let mut answers = self.documents.backend.store().read(sql, vars).await?;
        for (statement, at) in empty.into_iter().enumerate() {
            let rows: Vec<DocumentRow> = answers.rows(statement)?;
            self.looked_at += rows.len();
            let cursor = &mut self.cursors[at];
            cursor.is_read = rows.len() < self.portion;
            for row in rows {
                // Rows without a key are not published; they sort before all keys.
                match &row.shelf {
                    Some(shelf) if *shelf > self.above => {
                        cursor.below = Some(shelf.clone());
                        cursor.ahead.push_back(row);
                    }
                    _ => cursor.is_read = true,
                }
            }
        }
        self.portion = (self.portion * 2).min(LAST_PORTION);
        Ok(())
    }
}

fn range(at: usize, filter: &str, end: &str, portion: usize) -> String {
    format!(
        "SELECT {COLUMNS} FROM document WHERE audience_path = $path_{at} {filter}AND shelf {end} $end_{at} \
         ORDER BY shelf DESC LIMIT {portion};"
    )
}

#[cfg(test)]
pub(super) mod tests {
    use domain::{
        documents::{DocumentField, DocumentKind},
        ids::{MemberId, UnitId},
        members::Standing,
        policy::Standpoint,
        units::{UnitPath, UnitRef},
    };
    use ulid::Ulid;

    use super::*;
    use crate::{store::tests::migrated, units::tests::level};

    /// A member of the branch with this path.
    pub(crate) fn viewer_at(branch: &str) -> Viewer {
        let path = UnitPath::parse(branch).expect("a path");
        let unit =
            UnitRef { id: UnitId::new(Ulid::nil()), kind: level("branch"), name: "Chi bộ".to_owned(), path: path.clone() };
        Viewer {
            member: MemberId::new(Ulid::nil()),
            name: "Võ Văn Khơi".to_owned(),
            branch: unit,
            standpoint: Standpoint { branch: path, standing: Standing::Official, grants: Vec::new() },
            offices: Vec::new(),
            resting: Vec::new(),
        }
    }

    /// A page reads exactly its own rows, however long the library, from the top and from the middle.
    #[tokio::test]
    async fn a_range_reads_no_more_than_its_portion() {
        let store = migrated().await;
        let fill = "FOR $n IN 1000..1400 { CREATE type::record('document', <string>$n) SET kind = 'news', title = 't', issuer = 'U', \
                    issuer_path = '/01/', issuer_level = 'central', field = 'youth', audience = 'U', audience_path = '/01/', \
                    state = 'published', version = 1, minutes = 1, saved_at = time::now(), saved_by = 'M', shelf = <string>$n }";
        store.write(fill, ()).await.expect("fills");
        for filter in
            ["", "AND kind = $kind ", "AND issuer_level = $issuer_level ", "AND field = $field ", "AND issuer = $issuer "]
        {
            for (end, place, rows) in [(">", "", 21), (">", "1395", 4), ("<", "1390", 21), ("<", "1100", 21), ("<", "1003", 3)] {
                let sql = range(0, filter, end, 21);
                let vars = || {
                    vars! { path_0: "/01/", end_0: place, kind: "news", issuer_level: "central", field: "youth", issuer: "U" }
                };
                store.assert_no_scan(&sql, vars()).await;
                assert_eq!(store.rows_read(&sql, vars()).await, rows, "{filter:?} {end} {place}");
            }
        }
    }

    #[tokio::test]
    async fn combined_filters_are_index_ranges() {
        let query = LibraryQuery {
            kind: Some(DocumentKind::News),
            level: Some(level("province")),
            field: Some(DocumentField::Youth),
            ..LibraryQuery::default()
        };
        let viewer = viewer_at("/01/");
        let backend =
            crate::Backend::open(&crate::StoreLocation::Memory, crate::Keys::from_master(&[7; 32]), crate::Clock::system()).await;
        let backend = backend.expect("opens");
        let walk = Walk::new(backend.documents(), &viewer).filtered(&query);
        let mut vars = walk.filter_vars.clone();
        vars.extend(vars! { path_0: "/01/", end_0: "" });
        backend.store().assert_no_scan(&range(0, &walk.filter, ">", 21), vars).await;
    }
}
