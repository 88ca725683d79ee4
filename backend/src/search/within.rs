//! The entries within a person's reach, and the filter choices among the documents of these.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use domain::ids::UnitId;
use tantivy::{
    DocId, DocSet, Searcher, SegmentReader, TERMINATED, Term,
    postings::SegmentPostings,
    schema::{Field, IndexRecordOption},
};

use super::{
    document_set::DocumentSet,
    index::{Fields, ISSUER, STANDINGS, YEAR, standing_bit},
    reach::Reach,
};

/// What a reader may find and filter by.
#[derive(Debug, Default)]
pub(super) struct Within {
    /// By segment, the entries the reader may find, without deleted ones; `None` for all of them.
    pub(super) entries: Vec<Option<DocumentSet>>,
    pub(super) choices: Choices,
}

impl Within {
    pub(super) fn of(searcher: &Searcher, fields: &Fields, reach: &Reach) -> tantivy::Result<Self> {
        let entries = reachable(searcher, fields, reach)?;
        Ok(Self { choices: choices(searcher, &entries)?, entries })
    }

    /// The size in bytes, approximately.
    pub(super) fn size(&self) -> usize {
        let entries = self.entries.iter().flatten().map(DocumentSet::size);
        entries.sum::<usize>() + self.choices.issuers.len() * size_of::<UnitId>()
    }
}

fn reachable(searcher: &Searcher, fields: &Fields, reach: &Reach) -> tantivy::Result<Vec<Option<DocumentSet>>> {
    let mut all = Vec::new();
    for segment in searcher.segment_readers() {
        let every_meeting = reach.is_every_meeting() || is_empty(segment, fields.meets)? && is_empty(segment, fields.committee)?;
        let every_course = reach.is_every_course() || is_empty(segment, fields.gives)?;
        if reach.is_every_document() && every_meeting && every_course {
            all.push(None);
            continue;
        }
        let (line, standing) = reach.line();
        let meant = segment.fast_fields().u64(STANDINGS)?;
        let is_meant = |entry| meant.first(entry).is_some_and(|meant| meant & standing_bit(standing) != 0);
        let mut in_part = DocumentSet::empty(segment.max_doc());
        each(segment, fields.parts, line, |entry| {
            in_part.insert(entry);
        })?;
        each(segment, fields.except, reach.holding(), |entry| in_part.remove(entry))?;
        let mut within = DocumentSet::empty(segment.max_doc());
        if reach.is_every_document() {
            for entry in segment.doc_ids_alive() {
                within.insert(entry);
            }
            for field in [fields.meets, fields.committee, fields.gives] {
                every(segment, field, |entry| within.remove(entry))?;
            }
        } else {
            each(segment, fields.audience, line, |entry| {
                if in_part.contains(entry) && is_meant(entry) {
                    within.insert(entry);
                }
            })?;
            for top_unit in reach.top_units() {
                let mut for_parts = DocumentSet::empty(segment.max_doc());
                each(segment, fields.audience, &top_unit.reaching, |entry| {
                    for_parts.insert(entry);
                })?;
                each(segment, fields.except, &top_unit.holding, |entry| for_parts.remove(entry))?;
                each(segment, fields.parts, &top_unit.below, |entry| {
                    if for_parts.contains(entry) {
                        within.insert(entry);
                    }
                })?;
            }
            for (field, units) in [(fields.audience, reach.audiences()), (fields.issuer, reach.issuers())] {
                each(segment, field, units, |entry| {
                    within.insert(entry);
                })?;
            }
        }
        each(segment, fields.learns, line, |entry| {
            if in_part.contains(entry) && is_meant(entry) {
                within.insert(entry);
            }
        })?;
        for (field, is_every, units) in [
            (fields.meets, reach.is_every_meeting(), reach.meetings()),
            (fields.committee, reach.is_every_meeting(), reach.committees()),
            (fields.gives, reach.is_every_course(), reach.givers()),
        ] {
            let insert = |entry| {
                within.insert(entry);
            };
            if is_every { every(segment, field, insert)? } else { each(segment, field, units, insert)? }
        }
        all.push(Some(within));
    }
    Ok(all)
}

/// Whether no entry has a unit in this field.
fn is_empty(segment: &SegmentReader, field: Field) -> tantivy::Result<bool> {
    Ok(segment.inverted_index(field)?.terms().num_terms() == 0)
}

/// Calls `show` for each entry that has a unit in this field.
fn every(segment: &SegmentReader, field: Field, mut show: impl FnMut(DocId)) -> tantivy::Result<()> {
    let index = segment.inverted_index(field)?;
    let mut stream = index.terms().stream()?;
    while let Some((_, info)) = stream.next() {
        run(segment, index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?, &mut show);
    }
    Ok(())
}

fn run(segment: &SegmentReader, mut postings: SegmentPostings, show: &mut impl FnMut(DocId)) {
    while postings.doc() != TERMINATED {
        if !segment.is_deleted(postings.doc()) {
            show(postings.doc());
        }
        postings.advance();
    }
}

/// Larger sets are compared with the units of the index instead of looked up one by one.
const FEW: usize = 64;

/// Calls `show` for each entry that has one of the units in this field.
fn each(segment: &SegmentReader, field: Field, units: &HashSet<String>, mut show: impl FnMut(DocId)) -> tantivy::Result<()> {
    let index = segment.inverted_index(field)?;
    if units.len() <= FEW {
        for unit in units {
            if let Some(postings) = index.read_postings(&Term::from_field_text(field, unit), IndexRecordOption::Basic)? {
                run(segment, postings, &mut show);
            }
        }
        return Ok(());
    }
    let mut stream = index.terms().stream()?;
    while let Some((key, info)) = stream.next() {
        if std::str::from_utf8(key).is_ok_and(|unit| units.contains(unit)) {
            run(segment, index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?, &mut show);
        }
    }
    Ok(())
}

/// The filter choices among all documents the reader may find.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// Newest first.
    pub(super) years: Vec<u16>,
    /// Issuing units, those with the most documents first.
    pub(super) issuers: Vec<UnitId>,
}

fn choices(searcher: &Searcher, reach: &[Option<DocumentSet>]) -> tantivy::Result<Choices> {
    let mut all_years = BTreeSet::new();
    let mut all_issuers: BTreeMap<String, usize> = BTreeMap::new();
    for (segment, within) in searcher.segment_readers().iter().zip(reach) {
        let years = segment.fast_fields().u64(YEAR)?;
        let Some(issuers) = segment.fast_fields().str(ISSUER)? else { continue };
        let mut counts = vec![0_usize; issuers.num_terms()];
        let mut last = None;
        let mut note = |document: DocId| {
            let year = years.first(document);
            if year != last {
                // Meetings and courses have no year.
                all_years.extend(year.filter(|year| *year > 0));
                last = year;
            }
            let issuer = issuers.ords().first(document).and_then(|ordinal| usize::try_from(ordinal).ok());
            if let Some(count) = issuer.and_then(|ordinal| counts.get_mut(ordinal)) {
                *count += 1;
            }
        };
        match within {
            Some(within) => within.documents().for_each(&mut note),
            None => segment.doc_ids_alive().for_each(&mut note),
        }
        let mut unit = String::new();
        for (ordinal, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
            if issuers.ord_to_str(ordinal, &mut unit)? {
                *all_issuers.entry(unit.clone()).or_default() += count;
            }
        }
    }
    Ok(Choices {
        years: all_years.into_iter().rev().filter_map(|year| u16::try_from(year).ok()).collect(),
        issuers: most_first(all_issuers),
    })
}

/// The units with the most documents first, and those with equally many in the order of their ids.
fn most_first(counts: BTreeMap<String, usize>) -> Vec<UnitId> {
    let mut units: Vec<(usize, UnitId)> =
        counts.into_iter().filter_map(|(unit, count)| Some((count, unit.parse().ok()?))).collect();
    units.sort_by_key(|(count, unit)| (Reverse(*count), *unit));
    units.into_iter().map(|(_, unit)| unit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*};
    use ulid::Ulid;

    use super::*;

    proptest! {
        /// As sorting all units for every query did, with the selected unit before all others.
        #[test]
        fn units_are_in_the_order_of_their_documents(counts in btree_map(0_u128..60, 1_usize..4, 0..30), chosen in 0_u128..60) {
            let chosen = UnitId::new(Ulid(chosen));
            let counts: BTreeMap<String, usize> =
                counts.into_iter().map(|(unit, count)| (Ulid(unit).to_string(), count)).collect();
            let mut expected: Vec<(usize, UnitId)> =
                counts.iter().map(|(unit, count)| (*count, unit.parse().expect("an id"))).collect();
            expected.sort_by_key(|(count, unit)| (chosen != *unit, Reverse(*count)));
            let mut found = most_first(counts);
            found.sort_by_key(|unit| chosen != *unit);
            prop_assert_eq!(found, expected.into_iter().map(|(_, unit)| unit).collect::<Vec<_>>());
        }
    }
}
