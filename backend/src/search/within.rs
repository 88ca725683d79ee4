//! Within what a person searches: the documents that reach them, and what those offer to choose from.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use tantivy::{
    BitSet, DocId, DocSet, Searcher, SegmentReader, TERMINATED, Term,
    postings::SegmentPostings,
    schema::{Field, IndexRecordOption},
};

use super::{
    index::{Fields, ISSUER, STANDINGS, YEAR, standing_bit},
    reach::Reach,
};

/// The documents of each segment the reader may find, without those that were taken out; none where it is all of them.
pub(super) fn reachable(searcher: &Searcher, fields: &Fields, reach: &Reach) -> tantivy::Result<Vec<Option<BitSet>>> {
    let mut all = Vec::new();
    for segment in searcher.segment_readers() {
        if reach.is_everything() {
            all.push(None);
            continue;
        }
        let mut within = BitSet::with_max_value(segment.max_doc());
        let (line, standing) = reach.line();
        let meant = segment.fast_fields().u64(STANDINGS)?;
        let is_meant = |document| meant.first(document).is_some_and(|meant| meant & standing_bit(standing) != 0);
        each(segment, fields.audience, line, |document| {
            if is_meant(document) {
                within.insert(document);
            }
        })?;
        each(segment, fields.audience, reach.audiences(), |document| {
            within.insert(document);
        })?;
        each(segment, fields.issuer, reach.issuers(), |document| {
            within.insert(document);
        })?;
        all.push(Some(within));
    }
    Ok(all)
}

/// Sets beyond this size are compared with the units of the index instead of looked up one by one.
const FEW: usize = 64;

/// Shows each document that has one of the units in this field.
fn each(segment: &SegmentReader, field: Field, units: &HashSet<String>, mut show: impl FnMut(DocId)) -> tantivy::Result<()> {
    let index = segment.inverted_index(field)?;
    let mut run = |mut postings: SegmentPostings| {
        while postings.doc() != TERMINATED {
            if !segment.is_deleted(postings.doc()) {
                show(postings.doc());
            }
            postings.advance();
        }
    };
    if units.len() <= FEW {
        for unit in units {
            if let Some(postings) = index.read_postings(&Term::from_field_text(field, unit), IndexRecordOption::Basic)? {
                run(postings);
            }
        }
        return Ok(());
    }
    let mut stream = index.terms().stream()?;
    while let Some((key, info)) = stream.next() {
        if std::str::from_utf8(key).is_ok_and(|unit| units.contains(unit)) {
            run(index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?);
        }
    }
    Ok(())
}

/// What there is to choose from among all the reader may find.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// The newest first.
    pub(super) years: Vec<u16>,
    /// Ids of issuing units, and how many documents each has.
    pub(super) issuers: BTreeMap<String, usize>,
}

pub(super) fn choices(searcher: &Searcher, reach: &[Option<BitSet>]) -> tantivy::Result<Choices> {
    let mut all_years = BTreeSet::new();
    let mut choices = Choices::default();
    for (segment, within) in searcher.segment_readers().iter().zip(reach) {
        let years = segment.fast_fields().u64(YEAR)?;
        let Some(issuers) = segment.fast_fields().str(ISSUER)? else { continue };
        let mut counts = vec![0_usize; issuers.num_terms()];
        let mut last = None;
        for document in segment.doc_ids_alive() {
            if within.as_ref().is_some_and(|within| !within.contains(document)) {
                continue;
            }
            let year = years.first(document);
            if year != last {
                all_years.extend(year);
                last = year;
            }
            let issuer = issuers.ords().first(document).and_then(|ordinal| usize::try_from(ordinal).ok());
            if let Some(count) = issuer.and_then(|ordinal| counts.get_mut(ordinal)) {
                *count += 1;
            }
        }
        let mut unit = String::new();
        for (ordinal, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
            if issuers.ord_to_str(ordinal, &mut unit)? {
                *choices.issuers.entry(unit.clone()).or_default() += count;
            }
        }
    }
    choices.years = all_years.into_iter().rev().filter_map(|year| u16::try_from(year).ok()).collect();
    Ok(choices)
}
