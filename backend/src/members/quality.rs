//! The quality queue: issues of the records of a subtree, counted and listed by index ranges.

use std::collections::BTreeMap;

use domain::{
    accounts::Viewer,
    ids::MemberId,
    members::{QualityIssue, QualityPage},
    policy::Action,
    units::UnitPath,
};

use super::{LINE, LineRow, Members, highest, rows::quality_issue_id, search::range};
use crate::{
    Error, Result,
    store::{RecordId, SurrealValue, record, vars},
};

/// Members per page.
const PAGE: usize = 20;

impl Members<'_> {
    /// A page of the members with one kind of issue, ordered by branch, and the counts of all kinds. Without `kind`: the first
    /// kind with a count above zero.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may read no records, or `after` does not have the issue.
    pub async fn quality(&self, viewer: &Viewer, kind: Option<QualityIssue>, after: Option<MemberId>) -> Result<QualityPage> {
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::ReadMembers);
        let unit = highest(&tree, &top_units)?.clone();
        let mut counts: BTreeMap<QualityIssue, u64> = BTreeMap::new();
        let asked: Vec<_> = top_units.iter().flat_map(|top_unit| quality_issues_of(top_unit)).collect();
        for (kind, count) in QualityIssue::ALL.into_iter().cycle().zip(self.counts(&asked).await?) {
            *counts.entry(kind).or_default() += count;
        }
        let kind =
            kind.or_else(|| counts.iter().find(|(_, count)| **count > 0).map(|(kind, _)| *kind)).unwrap_or(QualityIssue::Twin);
        let mut found = self.quality_issue_rows(&top_units, kind, after).await?;
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        let next = found.last().filter(|_| more).map(|last| last.member.parse()).transpose();
        let next = next.map_err(|_| Error::Damaged("a flaw".to_owned()))?;
        let ids: Vec<RecordId> = found.iter().map(|row| record("member", &row.member)).collect();
        let rows: Vec<LineRow> =
            self.backend.store().read(format!("SELECT {LINE} FROM $ids"), vars! { ids: ids }).await?.rows(0)?;
        Ok(QualityPage { unit, counts, kind, members: self.lines(rows).await?, next })
    }

    /// One more than a page of issues, after `after`.
    async fn quality_issue_rows(
        &self,
        top_units: &[&UnitPath],
        kind: QualityIssue,
        after: Option<MemberId>,
    ) -> Result<Vec<QualityIssueRow>> {
        let start = match after {
            Some(after) => {
                let id = quality_issue_id(kind, after);
                let row: Option<QualityIssueRow> =
                    self.backend.store().read("SELECT member, path FROM ONLY $flaw", vars! { flaw: id }).await?.row(0)?;
                Some(
                    row.filter(|row| top_units.iter().any(|top_unit| row.path.starts_with(top_unit.as_str())))
                        .ok_or(Error::NotFound)?,
                )
            }
            None => None,
        };
        let mut found: Vec<QualityIssueRow> = Vec::new();
        for top_unit in top_units {
            let mut vars = range(kind.key(), top_unit);
            let rows: Vec<QualityIssueRow> = match &start {
                // The previous page was past this top unit. Top units are in the order of paths, and none is within another.
                Some(start) if start.path.as_str() >= top_unit.range_end().as_str() => continue,
                Some(start) if start.path.starts_with(top_unit.as_str()) => {
                    vars.extend(vars! { place: format!("{}{}", kind.key(), start.path) });
                    let mut answers = self.backend.store().read(next_page(), vars).await?;
                    let mut rest: Vec<QualityIssueRow> = answers.rows(0)?;
                    rest.retain(|row| row.member > start.member);
                    rest.extend(answers.rows::<QualityIssueRow>(1)?);
                    rest
                }
                _ => self.backend.store().read(first_page(), vars).await?.rows(0)?,
            };
            found.extend(rows);
            if found.len() > PAGE {
                break;
            }
        }
        found.truncate(PAGE + 1);
        Ok(found)
    }
}

#[derive(Debug, SurrealValue)]
struct QualityIssueRow {
    member: String,
    path: String,
}

const COUNT: &str = "SELECT count() FROM flaw WHERE place >= $from AND place < $until GROUP ALL";

/// Queries for [`Members::counts`]: the number of records of a subtree with each kind of issue, in the order of
/// [`QualityIssue::ALL`].
pub(super) fn quality_issues_of(top_unit: &UnitPath) -> [(&'static str, &'static str, &UnitPath); QualityIssue::ALL.len()] {
    QualityIssue::ALL.map(|kind| (COUNT, kind.key(), top_unit))
}

/// Rows of one branch come in the order of members, because the index ends with the id, which is kind and member.
fn first_page() -> String {
    let count = PAGE + 1;
    format!("SELECT member, path FROM flaw WHERE place >= $from AND place < $until ORDER BY place LIMIT {count}")
}

/// The whole branch in which the last page ended, and the rows after it.
fn next_page() -> String {
    let count = PAGE + 1;
    format!(
        "SELECT member, path FROM flaw WHERE place = $place; \
         SELECT member, path FROM flaw WHERE place > $place AND place < $until ORDER BY place LIMIT {count};"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn quality_queries_use_an_index() {
        let store = migrated().await;
        let vars = || vars! { place: "twin/01/51/", from: "twin/01/", until: "twin/010" };
        for sql in [COUNT.to_owned(), first_page(), next_page()] {
            store.assert_no_scan(&sql, vars()).await;
        }
    }
}
