//! Lists of opinions: a person's own, and those received.

use std::cmp::Reverse;

use domain::{
    accounts::Viewer,
    feedback::{BranchOpinions, OpinionList, OpinionState, ReceivedShown},
    ids::OpinionId,
};

use super::{COLUMNS, Desk, Feedback, OpinionRow};
use crate::{
    Error, Result,
    store::{RecordId, SurrealValue, Variables, record, vars},
};

/// Opinions per page.
const PAGE: usize = 20;

/// Opinions of a desk that are read to count the unanswered ones; older ones are not counted.
const LATEST: usize = 200;

/// Sorts after every `received` key, which are ULIDs.
const TOP: &str = "~";

impl Feedback<'_> {
    /// A page of the person's own opinions.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `after` is not one of their own opinions.
    pub async fn own(&self, viewer: &Viewer, after: Option<OpinionId>) -> Result<OpinionList> {
        let below = match after {
            Some(after) => self.row(after).await.and_then(|row| own_only(viewer, row))?.received,
            None => TOP.to_owned(),
        };
        let rows = self.latest(viewer, below, PAGE + 1).await?;
        self.page(rows)
    }

    /// The person's newest opinions, at most `count`.
    pub(crate) async fn newest(&self, viewer: &Viewer, count: usize) -> Result<OpinionList> {
        let rows = self.latest(viewer, TOP.to_owned(), count).await?;
        self.page(rows)
    }

    /// A page of the opinions addressed to the person's offices. The unanswered ones are those counted in the page frame.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who receives none, and when `after` is an opinion hidden from them.
    pub async fn received(&self, viewer: &Viewer, shown: ReceivedShown, after: Option<OpinionId>) -> Result<BranchOpinions> {
        let desks = Desk::of(viewer);
        let tree = self.backend.units().tree();
        let highest = desks.iter().map(Desk::path).min_by_key(|path| path.as_str().len());
        let unit = highest.and_then(|path| tree.at(path)).ok_or(Error::NotFound)?.clone();
        let after = match after {
            Some(after) => {
                let row = self.row(after).await?;
                if !desks.iter().any(|desk| desk.holds(&row)) {
                    return Err(Error::NotFound);
                }
                Some(row.received)
            }
            None => None,
        };
        let rows = match shown {
            ReceivedShown::Waiting => self.waiting_after(&desks, &after.unwrap_or_default()).await?,
            ReceivedShown::All => self.received_below(&desks, after.unwrap_or_else(|| TOP.to_owned())).await?,
        };
        Ok(BranchOpinions { unit, list: self.page(rows)? })
    }

    /// Number of unanswered opinions among the latest addressed to the person's offices. `None` for a person who receives none.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn count_unanswered(&self, viewer: &Viewer) -> Result<Option<u64>> {
        let desks = Desk::of(viewer);
        if desks.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.waiting(&desks).await?.len() as u64))
    }

    /// Newest first, up to one more than a page.
    async fn received_below(&self, desks: &[Desk], below: String) -> Result<Vec<OpinionRow>> {
        let mut answers = self.backend.store().read(ranges(desks), bindings(desks, below)).await?;
        let mut rows: Vec<OpinionRow> = Vec::new();
        for at in 0..desks.len() {
            rows.extend(answers.rows::<OpinionRow>(at)?);
        }
        // One opinion may be on two desks of the same person.
        rows.sort_by_cached_key(|row| Reverse((row.received.clone(), row.id.clone())));
        rows.dedup_by(|next, first| next.id == first.id);
        rows.truncate(PAGE + 1);
        Ok(rows)
    }

    /// Unanswered opinions received after this one, oldest first, up to one more than a page.
    async fn waiting_after(&self, desks: &[Desk], after: &str) -> Result<Vec<OpinionRow>> {
        let waiting = self.waiting(desks).await?;
        let next = waiting.iter().filter(|row| row.received.as_str() > after).take(PAGE + 1);
        let ids: Vec<RecordId> = next.map(|row| record("opinion", &row.id)).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows: Vec<OpinionRow> = self.backend.store().read(these(), vars! { opinions: ids }).await?.rows(0)?;
        rows.sort_by_cached_key(|row| row.received.clone());
        Ok(rows)
    }

    /// Unanswered opinions among the latest of each desk, oldest first.
    async fn waiting(&self, desks: &[Desk]) -> Result<Vec<StateRow>> {
        let mut answers = self.backend.store().read(states(desks), bindings(desks, TOP.to_owned())).await?;
        let mut waiting: Vec<StateRow> = Vec::new();
        for at in 0..desks.len() {
            waiting.extend(answers.rows::<StateRow>(at)?.into_iter().filter(StateRow::is_unanswered));
        }
        // One opinion may be on two desks of the same person.
        waiting.sort_by_cached_key(|row| (row.received.clone(), row.id.clone()));
        waiting.dedup_by(|next, first| next.id == first.id);
        Ok(waiting)
    }

    async fn latest(&self, viewer: &Viewer, below: String, count: usize) -> Result<Vec<OpinionRow>> {
        let vars = vars! { member: viewer.member.to_string(), below: below };
        Ok(self.backend.store().read(own_range(count), vars).await?.rows(0)?)
    }

    fn page(&self, mut rows: Vec<OpinionRow>) -> Result<OpinionList> {
        let tree = self.backend.units().tree();
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let opinions: Vec<_> = rows.into_iter().map(|row| row.decode(&tree)).collect::<Result<_>>()?;
        let next = opinions.last().filter(|_| more).map(|last| last.id);
        Ok(OpinionList { opinions, next })
    }
}

fn own_only(viewer: &Viewer, row: OpinionRow) -> Result<OpinionRow> {
    if row.member == viewer.member.to_string() { Ok(row) } else { Err(Error::NotFound) }
}

fn own_range(count: usize) -> String {
    format!(
        "SELECT {COLUMNS} FROM opinion WHERE member = $member AND received > '' AND received < $below \
         ORDER BY received DESC LIMIT {count}"
    )
}

/// One index range for each desk.
fn ranges(desks: &[Desk]) -> String {
    desks
        .iter()
        .enumerate()
        .map(|(at, desk)| {
            let condition = desk.condition(&format!("$path_{at}"));
            let count = PAGE + 1;
            format!(
                "SELECT {COLUMNS} FROM opinion WHERE {condition} AND received > '' AND received < $below \
                 ORDER BY received DESC LIMIT {count};"
            )
        })
        .collect()
}

/// The states of the latest opinions of each desk.
fn states(desks: &[Desk]) -> String {
    let range = |(at, desk): (usize, &Desk)| {
        let condition = desk.condition(&format!("$path_{at}"));
        format!(
            "SELECT record::id(id) AS id, state, received FROM opinion WHERE {condition} AND received > '' AND received < $below \
             ORDER BY received DESC LIMIT {LATEST};"
        )
    };
    desks.iter().enumerate().map(range).collect()
}

/// Point gets.
fn these() -> String {
    format!("SELECT {COLUMNS} FROM $opinions")
}

#[derive(Debug, SurrealValue)]
struct StateRow {
    id: String,
    state: String,
    received: String,
}

impl StateRow {
    fn is_unanswered(&self) -> bool {
        matches!(OpinionState::from_key(&self.state), Some(OpinionState::Received | OpinionState::Seen))
    }
}

fn bindings(desks: &[Desk], below: String) -> Variables {
    let mut vars = vars! { below: below };
    for (at, desk) in desks.iter().enumerate() {
        vars.insert(format!("path_{at}"), desk.path().to_string());
    }
    vars
}

#[cfg(test)]
mod tests {
    use domain::units::UnitPath;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn lists_of_opinions_are_index_ranges() {
        let store = migrated().await;
        let vars = vars! { member: "01ARZ3NDEKTSV4RRFFQ69G5FAV", below: TOP };
        store.assert_no_scan(&own_range(PAGE), vars).await;
        let path = UnitPath::parse("/01/51/001/").expect("a path");
        let desks = [Desk::Own(path.clone()), Desk::Committee(path.clone()), Desk::Editors(path)];
        store.assert_no_scan(&ranges(&desks), bindings(&desks, TOP.to_owned())).await;
        store.assert_no_scan(&states(&desks), bindings(&desks, TOP.to_owned())).await;
        store.assert_no_scan(&these(), vars! { opinions: vec![record("opinion", "01ARZ3NDEKTSV4RRFFQ69G5FAV")] }).await;
    }
}
