//! The closest matches of a query: documents with all its words, with the words that were probably meant, or with most of them.

use std::collections::BTreeMap;

use domain::search::Closeness;
use ulid::Ulid;

use super::{
    counts::Counts,
    parsed_query::ParsedQuery,
    ranking::{self, Found, NUMBER, Ranked, RankingInput, STEP, Terms, within_closeness},
    readings::{Reading, readings},
};

/// Weight added to documents found by a corrected reading, per rank: they come before those found by the query as typed.
const MEANT: u64 = 10 * STEP;

/// The closest matches of a query.
pub(super) struct Closest {
    pub(super) closeness: Closeness,
    /// Probable readings, the likeliest first.
    pub(super) meant: Vec<ParsedQuery>,
    /// The documents found, each with the index of its reading in `meant`; `None` for the query as typed.
    pub(super) found: Vec<(Found, Option<usize>)>,
    /// Number of further documents found that rank behind the page.
    pub(super) behind: usize,
}

impl Closest {
    fn typed(closeness: Closeness, ranked: Ranked) -> Self {
        let found = ranked.found.into_iter().map(|found| (found, None)).collect();
        Self { closeness, meant: Vec::new(), found, behind: ranked.behind }
    }
}

/// Searches for all words as typed; for probable readings, if some words never stand next to their neighbours in any document;
/// and for most of the words, if no document has all of them.
pub(super) fn closest(input: RankingInput<'_>, typed: &ParsedQuery) -> tantivy::Result<Closest> {
    if typed.words.is_empty() {
        return Ok(Closest::typed(Closeness::AllWords, Ranked::default()));
    }
    let mut counts = Counts::new(input);
    let page = Terms { missing: 0, wanted: input.wanted };
    let meant = readings(&mut counts, typed)?;
    if meant.is_empty() {
        let ranked = ranking::rank(input, &mut counts, typed, page)?;
        if ranked.total() > 0 {
            return Ok(Closest::typed(Closeness::AllWords, ranked));
        }
        return most_words(input, &mut counts, typed, Vec::new());
    }
    // Weigh all documents, because several readings may find the same one.
    let all = Terms { wanted: usize::MAX, ..page };
    let ranked = ranking::rank(input, &mut counts, typed, all)?;
    if ranked.found.iter().any(|found| found.place.weight >= NUMBER * STEP) {
        return Ok(Closest::typed(Closeness::AllWords, ranked));
    }
    // Of readings that are about as likely, the one with the best document comes first.
    let mut answered = Vec::with_capacity(meant.len());
    for Reading { asked, likelihood } in meant {
        let found = ranking::rank(input, &mut counts, &asked, all)?.found;
        let best = found.iter().map(|found| within_closeness(found.place.weight)).fold(1.0, f64::max);
        answered.push((likelihood + best.ln(), asked, found));
    }
    answered.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
    let mut found: BTreeMap<Ulid, (Found, Option<usize>)> = BTreeMap::new();
    let mut meant = Vec::with_capacity(answered.len());
    for (step, (_, asked, ones)) in (1..=answered.len()).rev().zip(answered) {
        for mut one in ones {
            one.place.weight += MEANT * u64::try_from(step).unwrap_or_default();
            found.entry(one.place.item).or_insert((one, Some(meant.len())));
        }
        meant.push(asked);
    }
    if found.is_empty() {
        if ranked.total() > 0 {
            return Ok(Closest::typed(Closeness::AllWords, ranked));
        }
        return most_words(input, &mut counts, typed, meant);
    }
    for one in ranked.found {
        found.entry(one.place.item).or_insert((one, None));
    }
    Ok(Closest { closeness: Closeness::SimilarWords, meant, found: found.into_values().collect(), behind: 0 })
}

/// Searches the likeliest reading with words missing: of two words one may be missing, of eight three.
fn most_words(
    input: RankingInput<'_>,
    counts: &mut Counts<'_>,
    typed: &ParsedQuery,
    meant: Vec<ParsedQuery>,
) -> tantivy::Result<Closest> {
    let asked = meant.first().unwrap_or(typed);
    let free = asked.words.iter().filter(|word| !word.is_quoted).count();
    let missing = free.min(asked.words.len() - 1).min(asked.words.len().div_ceil(3));
    if missing == 0 {
        return Ok(Closest::typed(Closeness::AllWords, Ranked::default()));
    }
    let ranked = ranking::rank(input, counts, asked, Terms { missing, wanted: input.wanted })?;
    let by = (!meant.is_empty()).then_some(0);
    let found = ranked.found.into_iter().map(|found| (found, by)).collect();
    Ok(Closest { closeness: Closeness::MostWords, meant, found, behind: ranked.behind })
}
