//! What comes closest to a query: documents with all its words, with those that may have been meant, or with most of them.

use std::collections::BTreeMap;

use domain::search::Closeness;
use ulid::Ulid;

use super::{
    counts::Counts,
    parsed_query::ParsedQuery,
    ranking::{self, Found, NUMBER, Ranked, RankingInput, STEP, Terms, within_closeness},
    readings::{Reading, readings},
};

/// What is found as it may have been meant comes before what is found as it was typed, and this far above it.
const MEANT: u64 = 10 * STEP;

/// What comes closest to what was typed.
pub(super) struct Closest {
    pub(super) closeness: Closeness,
    /// What may have been meant, the likeliest first.
    pub(super) meant: Vec<ParsedQuery>,
    /// With which of `meant` it was found by; none for what was typed.
    pub(super) found: Vec<(Found, Option<usize>)>,
    /// Documents that were found too and come behind the page.
    pub(super) behind: usize,
}

impl Closest {
    fn typed(closeness: Closeness, ranked: Ranked) -> Self {
        let found = ranked.found.into_iter().map(|found| (found, None)).collect();
        Self { closeness, meant: Vec::new(), found, behind: ranked.behind }
    }
}

/// Asks for all words as they were typed; for what may have been meant, where some of them stand beside none of the others in any
/// document; and for most of the words where no document has all.
pub(super) fn closest(input: RankingInput<'_>, typed: &ParsedQuery) -> tantivy::Result<Closest> {
    if typed.words.is_empty() {
        return Ok(Closest::typed(Closeness::AllWords, Ranked::default()));
    }
    let mut counts = Counts::new(input.searcher, input.fields, input.within);
    let page = Terms { missing: 0, wanted: input.wanted };
    let meant = readings(&mut counts, typed)?;
    if meant.is_empty() {
        let ranked = ranking::rank(input, &mut counts, typed, page)?;
        if ranked.total() > 0 {
            return Ok(Closest::typed(Closeness::AllWords, ranked));
        }
        return most_words(input, &mut counts, typed, Vec::new());
    }
    // All are weighed: documents are found by more than one.
    let all = Terms { wanted: usize::MAX, ..page };
    let ranked = ranking::rank(input, &mut counts, typed, all)?;
    if ranked.found.iter().any(|found| found.place.weight >= NUMBER * STEP) {
        return Ok(Closest::typed(Closeness::AllWords, ranked));
    }
    // Of those that are about as likely, the one comes first that documents answer best.
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

/// Two words may lack one, eight three: of what was most likely meant.
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
