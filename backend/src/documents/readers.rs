//! Readers of a document: counts by unit for its editors and for the units above, names for those who lead a branch.
//!
//! A row of a reading, or an opening, stores its member's current position in the tree (`place`, see
//! `schema/0014_readers.surql`), so the readings in a subtree are counted over ranges of one index: one for each standing, and
//! one more for each unit that moved in or out since ([`Tree::path_ranges`]).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    audience::Places,
    documents::{
        readers::{CorrectedReaders, FollowedPage, FollowedRow, ReaderRow, Readers, ReadersPage},
        steps::PublicationState,
    },
    ids::{DocumentId, UnitId},
    locale::local_date,
    members::Standing,
    policy::Action,
    statistics::is_small,
    units::{UnitPath, UnitRef},
};

use super::{
    COLUMNS, Document, DocumentRow, Documents, OPENED, READ,
    corrections::{OPENED_CORRECTED, READ_CORRECTED},
};
use crate::{
    Error, Result,
    statistics::{UnitShares, share},
    store::{SurrealValue, Variables, pair, record, vars},
    units::{
        PathRanges, Tree,
        chosen::{IN_PART, unit_vars},
    },
};

/// Documents in the list.
const FOLLOWED: usize = 20;

/// Documents read for it in one range: some may be for other parts of their audience.
const LOOKED_AT: usize = 100;

/// Time after its day when an overdue document is no longer reported.
const OVERDUE: TimeDelta = TimeDelta::days(30);

/// Standings that are counted; a receipt of another standing has no `place`.
const COUNTED: [Standing; 2] = [Standing::Official, Standing::Probationary];

impl Document {
    /// Whether the person writes for its issuer, and so sees the counts of its whole audience.
    fn is_managed_by(&self, viewer: &Viewer) -> bool {
        viewer.standpoint.may_by_office(Action::WriteDocument, &self.particulars.issuer.path)
    }

    /// The shares the person may see, at this unit or their highest one. Those of a withdrawn document are for its editors only.
    pub(super) fn unit_shares<'t>(&self, viewer: &Viewer, tree: &'t Tree, unit: Option<UnitId>) -> Option<UnitShares<'t>> {
        let is_managed = self.is_managed_by(viewer);
        (is_managed || self.out == PublicationState::Published)
            .then(|| UnitShares::at(viewer, tree, &self.particulars.audience, is_managed, unit))
            .flatten()
    }

    /// Standings of the members who are counted.
    pub(super) fn counted(&self) -> &[Standing] {
        if self.particulars.audience.standings.is_empty() { &COUNTED } else { &self.particulars.audience.standings }
    }

    /// The paths under which receipts of the audience's members in this subtree are stored.
    pub(super) fn written_in(&self, path: &UnitPath, tree: &Tree) -> Vec<PathRanges> {
        let Places { within, without } = self.particulars.audience.within(path);
        let without = without.iter().map(|place| tree.path_ranges(place).reversed());
        within.iter().map(|place| tree.path_ranges(place)).chain(without).collect()
    }
}

impl Documents<'_> {
    /// How many members of a unit, and of each unit one level below, have read the document; for the person's highest unit when
    /// `unit` is `None`. Includes names for those who lead this very branch.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the document is hidden from the person, or for a unit outside its audience or the person's
    /// office; [`Error::NotAllowed`] for a person who may only read it.
    pub async fn readers(&self, viewer: &Viewer, id: DocumentId, unit: Option<UnitId>) -> Result<ReadersPage> {
        let document = self.fetched(&[id]).await?.pop().ok_or(Error::NotFound)?;
        let tree = self.backend.units().tree();
        let unit_shares = document.unit_shares(viewer, &tree, unit).ok_or_else(|| no_shares(&document, viewer, unit))?;
        let read = self.count_in(READ, &document, &unit_shares.paths(), &tree).await?;
        let (total, children) = unit_shares.shares(self.backend.statistics(), &document.particulars.audience, &read);
        let opened = match total.share {
            Some(share) => {
                let opened = self.count_in(OPENED, &document, &[&unit_shares.unit.path], &tree).await?.into_iter().sum::<u32>();
                // Counters and tables are read at different moments.
                Some(opened.clamp(share.done, share.members))
            }
            None => None,
        };
        Ok(ReadersPage {
            corrected: self.corrected_readers(&document, &unit_shares, &tree).await?,
            document: id,
            names: if unit_shares.shows_names() { Some(self.named_readers(&document, unit_shares.unit).await?) } else { None },
            reminded: self.last_reminder(id, unit_shares.unit.id).await?,
            may_remind: document.may_be_reminded_of(viewer, &unit_shares),
            kind: document.particulars.kind,
            published_on: document.published_at.map(local_date),
            must_read_by: document.must_read_by,
            is_withdrawn: document.out == PublicationState::Withdrawn,
            number: document.particulars.number,
            title: document.particulars.title,
            parts: document.particulars.audience.parts,
            except: document.particulars.audience.except,
            issuer: document.particulars.issuer,
            trail: unit_shares.trail,
            total,
            opened,
            children,
        })
    }

    /// The same counts for the corrected text; `None` for a document without a correction.
    async fn corrected_readers(
        &self,
        document: &Document,
        unit_shares: &UnitShares<'_>,
        tree: &Tree,
    ) -> Result<Option<CorrectedReaders>> {
        let Some(at) = document.corrected_at.filter(|_| document.is_corrected) else { return Ok(None) };
        let read = self.corrected_in(READ_CORRECTED, document, &unit_shares.paths(), tree).await?;
        let (total, children) = unit_shares.shares(self.backend.statistics(), &document.particulars.audience, &read);
        let opened =
            self.corrected_in(OPENED_CORRECTED, document, &[&unit_shares.unit.path], tree).await?.into_iter().sum::<u32>();
        // Counters and tables are read at different moments.
        let opened = total.share.map(|share| opened.clamp(share.done, share.members));
        Ok(Some(CorrectedReaders { on: local_date(at), total, opened, children }))
    }

    /// The documents for all of the highest unit the person answers for, and how many of its members have read each.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who answers for no unit.
    pub async fn followed(&self, viewer: &Viewer) -> Result<FollowedPage> {
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::ReadStatistics);
        let top_unit = top_units.into_iter().min_by_key(|path| path.as_str().len());
        let unit = top_unit.and_then(|path| tree.at(path)).ok_or(Error::NotFound)?;
        let mut documents = self.reaching(&unit.path, &[Order::Must, Order::Published], &tree).await?;
        documents.retain(|document| document.out == PublicationState::Published);
        let shows_all = viewer.standpoint.may_at_exact_unit(Action::ReadReaders, &unit.path);
        let mut rows = Vec::with_capacity(documents.len());
        for document in documents {
            let read = self.count_in(READ, &document, &[&unit.path], &tree).await?.into_iter().sum();
            let counted = share(self.backend.counters(), &unit.path, &document.particulars.audience, read);
            let audience = &document.particulars.audience;
            let asked = self.backend.statistics().members_asked(&viewer.standpoint, &tree, &unit.path, audience);
            let is_shown = shows_all || (!is_small(counted.members) && asked.exact().is_some());
            // The list does not show whether the person has read it.
            rows.push(FollowedRow { document: document.summary(true), share: is_shown.then_some(counted) });
        }
        Ok(FollowedPage { unit: unit.clone(), rows })
    }

    /// For a person who leads a branch: the number of documents that its members must read by a day not more than [`OVERDUE`] ago
    /// and that not all have read. `None` for everybody else: in larger units, somebody always has not.
    pub(crate) async fn count_not_read_by_all(&self, viewer: &Viewer) -> Result<Option<u64>> {
        let tree = self.backend.units().tree();
        let leads = |path: &&UnitPath| {
            let knows_members = tree.at(path).is_some_and(|unit| unit.kind.knows_members());
            knows_members && viewer.standpoint.may_at_exact_unit(Action::ReadReaders, path)
        };
        let top_units = viewer.standpoint.top_units(Action::ReadReaders);
        let Some(branch) = top_units.into_iter().find(leads).and_then(|path| tree.at(path)) else { return Ok(None) };
        let since = self.backend.clock().today() - OVERDUE;
        let mut documents = self.reaching(&branch.path, &[Order::Must], &tree).await?;
        documents.retain(|document| {
            document.out == PublicationState::Published && document.must_read_by.is_some_and(|day| day >= since)
        });
        let read = self.counts_in(READ, &documents.iter().collect::<Vec<_>>(), &[&branch.path], &tree).await?;
        let is_left = |(document, read): &(&Document, u32)| {
            let share = share(self.backend.counters(), &branch.path, &document.particulars.audience, *read);
            share.done < share.members
        };
        Ok(Some(documents.iter().zip(read).filter(is_left).count() as u64))
    }

    /// The latest documents for all of a unit, in each of these orders; must-read ones first.
    async fn reaching(&self, unit: &UnitPath, orders: &[Order], tree: &Tree) -> Result<Vec<Document>> {
        let (sql, vars) = reaching_ranges(unit, orders, tree);
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut documents: Vec<Document> = Vec::new();
        for at in 0..orders.len() * unit.ancestors_and_self().count() {
            for row in answers.rows::<DocumentRow>(at)? {
                let document = row.decode(tree)?;
                if document.particulars.audience.covers(unit) && documents.iter().all(|known| known.id != document.id) {
                    documents.push(document);
                }
            }
        }
        documents.sort_by_key(|document| (document.must_read_by.is_none(), std::cmp::Reverse(document.shelf.clone())));
        documents.truncate(FOLLOWED);
        Ok(documents)
    }

    /// For each subtree, the number of members of the audience who have read the document, or opened it, by `what`.
    async fn count_in(&self, what: &str, document: &Document, paths: &[&UnitPath], tree: &Tree) -> Result<Vec<u32>> {
        self.counts_in(what, &[document], paths, tree).await
    }

    /// The same for several documents in one query: the counts of the first, then those of the next.
    async fn counts_in(&self, what: &str, documents: &[&Document], paths: &[&UnitPath], tree: &Tree) -> Result<Vec<u32>> {
        let asked: Vec<CountQuery<'_>> =
            documents.iter().flat_map(|document| paths.iter().map(move |path| CountQuery::of(document, path, tree))).collect();
        let (sql, vars, ranges) = ranges_of(what, &asked);
        if ranges.is_empty() {
            return Ok(vec![0; asked.len()]);
        }
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut counted = vec![0_i64; asked.len()];
        for (at, (place, sign)) in ranges.into_iter().enumerate() {
            let count: Option<i64> = answers.rows(at)?.into_iter().next();
            counted[place] += sign * count.unwrap_or_default();
        }
        Ok(counted.into_iter().map(|count| u32::try_from(count).unwrap_or_default()).collect())
    }

    /// Members of a branch in the document's audience, in name order. Exempt members are listed only if they have read it.
    async fn named_readers(&self, document: &Document, branch: &UnitRef) -> Result<Readers> {
        let mut people = self.backend.members().roster(branch).await?;
        // A part of the audience may be one of several units below the branch.
        people.retain(|person| document.particulars.audience.reaches_members_of(&person.unit));
        let mut readers = Readers::default();
        if people.is_empty() {
            return Ok(readers);
        }
        let of = |table| people.iter().map(|person| pair(table, document.id, person.id)).collect::<Vec<_>>();
        let accounts: Vec<_> = people.iter().map(|person| record("account", person.id)).collect();
        let vars = vars! {
            read: of(READ),
            opened: of(OPENED),
            accounts: accounts,
            versions: of("version_receipt"),
            version: i64::from(document.version),
        };
        let mut answers = self.backend.store().read(NAMED, vars).await?;
        let days = |rows: Vec<DayRow>| rows.into_iter().map(|row| (row.member, local_date(row.at))).collect();
        let read: HashMap<String, NaiveDate> = days(answers.rows(0)?);
        let opened: HashMap<String, NaiveDate> = days(answers.rows(1)?);
        let activated: HashSet<String> = answers.rows::<String>(2)?.into_iter().collect();
        let up_to_date: HashSet<String> = answers.rows::<String>(3)?.into_iter().collect();
        for person in people {
            let key = person.id.to_string();
            let is_asked = person.is_asked(&document.particulars.audience.standings);
            let (read_on, opened_on) = (read.get(&key).copied(), opened.get(&key).copied());
            let on = read_on.or(opened_on);
            let row = ReaderRow {
                member: person.id,
                name: person.name,
                on,
                before_correction: document.is_corrected && on.is_some() && !up_to_date.contains(&key),
                has_phone: person.has_phone,
            };
            match (read_on, opened_on) {
                (Some(_), _) => readers.read.push(row),
                _ if !is_asked => {}
                _ if !activated.contains(&key) => readers.not_activated.push(row),
                (None, Some(_)) => readers.opened.push(row),
                (None, None) => readers.not_opened.push(row),
            }
        }
        Ok(readers)
    }
}

/// The error for a person without shares to see.
pub(super) fn no_shares(document: &Document, viewer: &Viewer, unit: Option<UnitId>) -> Error {
    if unit.is_none() && document.is_readable_for(viewer) { Error::NotAllowed } else { Error::NotFound }
}

#[derive(Debug, SurrealValue)]
struct DayRow {
    member: String,
    at: DateTime<Utc>,
}

/// Point gets.
const NAMED: &str = "SELECT member, at FROM $read; SELECT member, at FROM $opened; \
                     SELECT VALUE record::id(id) FROM $accounts WHERE activated_at != NONE; \
                     SELECT VALUE member FROM $versions WHERE version = $version;";

/// One count: a document in one subtree.
struct CountQuery<'d> {
    document: DocumentId,
    standings: &'d [Standing],
    written: Vec<PathRanges>,
}

impl<'d> CountQuery<'d> {
    fn of(document: &'d Document, path: &UnitPath, tree: &Tree) -> Self {
        Self { document: document.id, standings: document.counted(), written: document.written_in(path, tree) }
    }
}

/// Each combination of a path range and a standing, with the sign of its count.
pub(super) fn signed<'w>(
    written: &'w [PathRanges],
    standings: &'w [Standing],
) -> impl Iterator<Item = (&'w UnitPath, i64, &'static str)> {
    let paths = written.iter().flat_map(|PathRanges { within, without }| {
        within.iter().map(|path| (path, 1)).chain(without.iter().map(|path| (path, -1)))
    });
    paths.flat_map(move |(path, sign)| standings.iter().map(move |standing| (path, sign, standing.key())))
}

/// One count over an index range for each standing and each range of paths, with its index in `asked` and its sign.
fn ranges_of(table: &str, asked: &[CountQuery<'_>]) -> (String, Variables, Vec<(usize, i64)>) {
    let (mut sql, mut vars, mut ranges) = (String::new(), vars! {}, Vec::new());
    for (place, CountQuery { document, standings, written }) in asked.iter().enumerate() {
        for (path, sign, standing) in signed(written, standings) {
            let at = ranges.len();
            sql += &format!(
                "SELECT VALUE count FROM (SELECT count() FROM {table} WHERE place >= $from_{at} AND place < $until_{at} GROUP ALL);"
            );
            vars.insert(format!("from_{at}"), format!("{document}{standing}{path}"));
            vars.insert(format!("until_{at}"), format!("{document}{standing}{}", path.range_end()));
            ranges.push((place, sign));
        }
    }
    (sql, vars, ranges)
}

/// The order in which the documents for a unit are read.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// Must-read documents. They are few enough to check each one's audience in the query.
    Must,
    /// All published documents. The engine reads no more than the limit: see [`super::walk`].
    Published,
}

/// Documents published for a unit and for those above it, one index range each.
fn reaching_ranges(unit: &UnitPath, orders: &[Order], tree: &Tree) -> (String, Variables) {
    let (mut sql, mut vars) = (String::new(), unit_vars(unit, tree));
    for order in orders {
        let (column, condition) = match order {
            Order::Must => ("must", format!("AND {IN_PART} ")),
            Order::Published => ("shelf", String::new()),
        };
        for (at, path) in unit.ancestors_and_self().enumerate() {
            sql += &format!(
                "SELECT {COLUMNS} FROM document WHERE audience_path = $path_{at} AND {column} > '' {condition}\
                 ORDER BY {column} DESC LIMIT {LOOKED_AT};"
            );
            vars.insert(format!("path_{at}"), path.to_string());
        }
    }
    (sql, vars)
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    fn path(text: &str) -> UnitPath {
        UnitPath::parse(text).expect("a path")
    }

    #[tokio::test]
    async fn counts_read_index_ranges() {
        let store = migrated().await;
        let unit = path("/01/51/001/");
        let asked = [(); 2].map(|()| CountQuery {
            document: DocumentId::new(Ulid::nil()),
            standings: &COUNTED,
            written: vec![PathRanges { within: vec![unit.clone(), path("/01/52/001/")], without: vec![path("/01/51/001/07/")] }],
        });
        for table in [READ, OPENED] {
            let (sql, vars, ranges) = ranges_of(table, &asked);
            let of = |place: usize| [(place, 1), (place, 1), (place, 1), (place, 1), (place, -1), (place, -1)];
            assert_eq!(ranges, [of(0), of(1)].concat());
            store.assert_no_scan(&sql, vars).await;
        }
        let (id, member) = (Ulid::nil(), Ulid::nil());
        let vars = vars! {
            read: vec![pair(READ, id, member)],
            opened: vec![pair(OPENED, id, member)],
            accounts: vec![record("account", member)],
            versions: vec![pair("version_receipt", id, member)],
            version: 1_i64,
        };
        store.assert_no_scan(NAMED, vars).await;
        let (sql, vars) = reaching_ranges(&unit, &[Order::Must, Order::Published], &Tree::default());
        store.assert_no_scan(&sql, vars).await;
    }

    #[tokio::test]
    async fn a_count_reads_the_rows_of_its_subtree_and_no_other() {
        let store = migrated().await;
        let document = DocumentId::new(Ulid::nil());
        let fill = "FOR $n IN 100..160 { \
                        LET $path = IF $n < 140 { '/01/51/' } ELSE { '/01/52/' }; \
                        CREATE type::record('document_read', [$document, <string>$n]) SET path = $path, at = time::now(), \
                            counted = true, seen = 'end', place = $document + 'official' + $path; \
                    }";
        store.write(fill, vars! { document: document.to_string() }).await.expect("fills");
        let written = vec![PathRanges { within: vec![path("/01/51/")], without: Vec::new() }];
        let (sql, vars, _) = ranges_of(READ, &[CountQuery { document, standings: &[Standing::Official], written }]);
        let mut answers = store.read(&sql, vars.clone()).await.expect("counts");
        assert_eq!(answers.rows::<i64>(0).expect("a number"), [40]);
        let range = "SELECT place FROM document_read WHERE place >= $from_0 AND place < $until_0";
        assert_eq!(store.rows_read(range, vars).await, 40);
    }
}
