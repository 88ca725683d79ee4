//! Readings of a query with typing errors, or with keys of an input method: other words in place of some that were typed.
//!
//! A noisy channel model (M. D. Kernighan, K. W. Church, W. A. Gale, COLING 1990): of all possible words, those are chosen for
//! which P(word) × P(typed | word) is largest. The first factor comes from the library itself: how often a word follows the
//! preceding one, smoothed with how often it occurs at all (a Dirichlet prior: C. Zhai, J. Lafferty, TOIS 22, 2004). The second
//! is the cost of a typing error (`typos.rs`). A Vietnamese word has few letters and nearly every error gives another word, so
//! the neighbours decide: in `nghi quet moi truog` not only `truog` is unknown, but also `quet` after `nghi`.
//!
//! A word is in doubt if no document within reach has it, or if none has it next to one of its neighbours. Each word is changed
//! at most once. A short word is only changed to one that occurs next to a neighbour.

use std::collections::BTreeMap;

use super::{
    counts::Counts,
    parsed_query::ParsedQuery,
    remnants::decoded,
    typos,
    words::{Forms, words},
};

/// Most readings that are searched.
const READINGS: usize = 3;

/// Beam width: sequences of words kept at a time.
const BEAM: usize = 16;

/// Cost of decoded keys of an input method: they are hardly ever meant literally.
const DECODED: f64 = 1.0;

/// Fewest letters of a word that may be changed to one that does not fit a neighbour.
const ALONE_FROM: usize = 5;

/// Most words kept that fit no neighbour.
const ALONE: usize = 12;

/// Most words one error away that are tried if the neighbour is in doubt as well.
const TRIED: usize = 32;

/// How much likelier than the typed query a reading must be: little if a typed word does not exist, more if all do.
const MARGIN_UNKNOWN: f64 = 0.5;
const MARGIN_KNOWN: f64 = 4.0;

/// Readings less likely than the best by this much are dropped.
const APART: f64 = 3.0;

/// Words per document: converts the number of documents with a word into a number of occurrences.
const WORDS: f64 = 400.0;

/// A possible word.
#[derive(Debug, Clone)]
struct Candidate {
    folded: String,
    /// With the marks meant, if the keys give them.
    written: Option<String>,
    cost: f64,
    is_typed: bool,
    /// Number of documents that have it.
    known: usize,
}

/// A position of the query with its possible words.
#[derive(Debug, Default)]
struct Slot {
    candidates: Vec<Candidate>,
    /// Words one error away that were not yet tried with the neighbours.
    similar: Vec<(f64, String)>,
    follows: bool,
    is_known: bool,
    /// Whether a changed word must fit a neighbour.
    needs_neighbour: bool,
}

/// A sequence of words up to some position.
#[derive(Debug, Clone)]
struct Path {
    chosen: Vec<usize>,
    weight: f64,
    /// Whether the last word was changed and must still fit the next one.
    is_owing: bool,
}

/// A possible meaning of the query.
pub(super) struct Reading {
    pub(super) asked: ParsedQuery,
    /// Log-likelihood, for comparison with other readings.
    pub(super) likelihood: f64,
}

/// Readings other than the typed query, the likeliest first; empty if no word is in doubt.
pub(super) fn readings(counts: &mut Counts<'_>, asked: &ParsedQuery) -> tantivy::Result<Vec<Reading>> {
    let mut slots = Vec::with_capacity(asked.order.len());
    for at in 0..asked.order.len() {
        slots.push(slot(counts, asked, at)?);
    }
    if slots.iter().all(|slot| slot.similar.is_empty() && slot.candidates.iter().all(|candidate| candidate.is_typed)) {
        return Ok(Vec::new());
    }
    // Twice, because a word found in the first round is a neighbour in the second.
    for _ in 0..2 {
        for at in 0..slots.len() {
            fit(counts, &mut slots, at)?;
        }
    }
    for (at, slot) in slots.iter_mut().enumerate() {
        alone(counts, slot)?;
        if slot.candidates.is_empty() {
            slot.candidates.push(Candidate::typed(asked.sought(at).forms.folded.clone(), 0));
        }
    }
    let typed = as_typed(counts, asked, &slots)?;
    let margin = if slots.iter().all(|slot| slot.is_known) { MARGIN_KNOWN } else { MARGIN_UNKNOWN };
    let mut paths = likeliest(counts, &slots)?;
    paths.retain(|path| {
        let is_changed = path.chosen.iter().zip(&slots).any(|(chosen, slot)| !slot.candidates[*chosen].is_typed);
        is_changed && !path.is_owing && path.weight > typed + margin
    });
    let best = paths.first().map(|path| path.weight).unwrap_or_default();
    paths.retain(|path| path.weight >= best - APART);
    paths.truncate(READINGS);
    Ok(paths.iter().map(|path| Reading { asked: rewritten(asked, &slots, path), likelihood: path.weight }).collect())
}

impl Candidate {
    fn typed(folded: String, known: usize) -> Self {
        Self { folded, written: None, cost: 0.0, is_typed: true, known }
    }
}

/// The slot of a position: the typed word, if documents have it, and the possible other words, if it is in doubt.
fn slot(counts: &mut Counts<'_>, asked: &ParsedQuery, at: usize) -> tantivy::Result<Slot> {
    let sought = asked.sought(at);
    let folded = &sought.forms.folded;
    let is_known = counts.knows(sought)?;
    let mut slot = Slot { follows: asked.order[at].follows, is_known, ..Slot::default() };
    slot.needs_neighbour = sought.length() < ALONE_FROM;
    if is_known || sought.is_quoted {
        // A word that the index has in a pair or as a prefix occurs at least once.
        slot.candidates.push(Candidate::typed(folded.clone(), counts.word(folded)?.max(1)));
    }
    if sought.is_quoted || (is_known && stands_beside(counts, asked, at)?) {
        return Ok(slot);
    }
    let occurrence = asked.order[at];
    if !is_known && let Some(written) = decoded(&asked.typed[occurrence.from..occurrence.until]) {
        let forms: Option<Forms> = words(&written).next();
        let folded = forms.map(|forms| forms.folded).unwrap_or_default();
        let known = counts.word(&folded)?;
        if known > 0 {
            slot.candidates.push(Candidate { folded, written: Some(written), cost: DECODED, is_typed: false, known });
            return Ok(slot);
        }
    }
    if sought.is_forgiven() {
        let similar = counts.similar(folded)?;
        slot.similar = similar.into_iter().filter_map(|word| Some((typos::cost(folded, &word)?, word))).collect();
        slot.similar.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    }
    Ok(slot)
}

/// Whether the word occurs next to one of its neighbours in some document; true for a word without neighbours.
fn stands_beside(counts: &mut Counts<'_>, asked: &ParsedQuery, at: usize) -> tantivy::Result<bool> {
    let mut has_neighbour = false;
    for second in [at, at + 1] {
        let Some(occurrence) = asked.order.get(second).filter(|occurrence| occurrence.follows && second > 0) else { continue };
        has_neighbour = true;
        let pair = Forms::pair(&asked.sought(second - 1).forms, &asked.words[occurrence.word].forms);
        let is_unfinished = second + 1 == asked.order.len() && asked.words[occurrence.word].is_unfinished;
        if counts.knows_pair(&pair, is_unfinished)? {
            return Ok(true);
        }
    }
    Ok(!has_neighbour)
}

/// Adds those similar words that occur next to a word of a neighbouring slot.
fn fit(counts: &mut Counts<'_>, slots: &mut [Slot], at: usize) -> tantivy::Result<()> {
    if slots[at].similar.is_empty() {
        return Ok(());
    }
    let before = if slots[at].follows { neighbours(slots, at.checked_sub(1)) } else { Vec::new() };
    let after = if slots.get(at + 1).is_some_and(|next| next.follows) { neighbours(slots, Some(at + 1)) } else { Vec::new() };
    let mut left = Vec::new();
    for (cost, word) in std::mem::take(&mut slots[at].similar) {
        let mut fits = false;
        for pair in
            before.iter().map(|before| format!("{before}{word}")).chain(after.iter().map(|after| format!("{word}{after}")))
        {
            fits = fits || counts.pair(&pair)? > 0;
        }
        if fits {
            let known = counts.word(&word)?;
            slots[at].candidates.push(Candidate { folded: word, written: None, cost, is_typed: false, known });
        } else {
            left.push((cost, word));
        }
    }
    slots[at].similar = left;
    Ok(())
}

/// Adds some of the similar words that fit no neighbour, if that is allowed.
fn alone(counts: &mut Counts<'_>, slot: &mut Slot) -> tantivy::Result<()> {
    if slot.needs_neighbour {
        return Ok(());
    }
    let mut taken = 0;
    for (cost, folded) in std::mem::take(&mut slot.similar) {
        let known = counts.word(&folded)?;
        if known > 0 {
            slot.candidates.push(Candidate { folded, written: None, cost, is_typed: false, known });
            taken += 1;
        }
        if taken == ALONE {
            break;
        }
    }
    Ok(())
}

/// The candidates of a neighbouring slot; if it has none, the words one error away.
fn neighbours(slots: &[Slot], at: Option<usize>) -> Vec<String> {
    let Some(slot) = at.and_then(|at| slots.get(at)) else { return Vec::new() };
    let sure: Vec<String> = slot.candidates.iter().map(|candidate| candidate.folded.clone()).collect();
    if sure.is_empty() { slot.similar.iter().take(TRIED).map(|(_, word)| word.clone()).collect() } else { sure }
}

/// Log-likelihood of the query as typed.
fn as_typed(counts: &mut Counts<'_>, asked: &ParsedQuery, slots: &[Slot]) -> tantivy::Result<f64> {
    let mut weight = 0.0;
    let mut before: Option<Candidate> = None;
    for (at, slot) in slots.iter().enumerate() {
        let known = slot.candidates.iter().find(|candidate| candidate.is_typed).cloned();
        let typed = known.unwrap_or_else(|| Candidate::typed(asked.sought(at).forms.folded.clone(), 0));
        weight += likelihood(counts, before.as_ref().filter(|_| slot.follows), &typed)?.0;
        before = Some(typed);
    }
    Ok(weight)
}

/// The likeliest sequences of words, best first, by beam search.
fn likeliest(counts: &mut Counts<'_>, slots: &[Slot]) -> tantivy::Result<Vec<Path>> {
    let mut paths = vec![Path { chosen: Vec::new(), weight: 0.0, is_owing: false }];
    for (at, slot) in slots.iter().enumerate() {
        let mut longer = Vec::new();
        for path in &paths {
            let before = path.chosen.last().map(|chosen| &slots[at - 1].candidates[*chosen]).filter(|_| slot.follows);
            for (chosen, candidate) in slot.candidates.iter().enumerate() {
                let (likelihood, stand_together) = likelihood(counts, before, candidate)?;
                if path.is_owing && !stand_together {
                    continue;
                }
                let mut path = path.clone();
                path.chosen.push(chosen);
                path.weight += likelihood - candidate.cost;
                path.is_owing = !candidate.is_typed && candidate.written.is_none() && slot.needs_neighbour && !stand_together;
                longer.push(path);
            }
        }
        longer.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        longer.truncate(BEAM);
        paths = longer;
    }
    Ok(paths)
}

/// Log-likelihood that this word follows, and whether the two occur next to each other.
fn likelihood(counts: &mut Counts<'_>, before: Option<&Candidate>, word: &Candidate) -> tantivy::Result<(f64, bool)> {
    let all = real(counts.all.max(1));
    let anywhere = real(word.known).max(0.02) / (all * WORDS);
    let Some(before) = before else { return Ok((anywhere.ln(), false)) };
    let together = counts.pair(&format!("{}{}", before.folded, word.folded))?;
    Ok((((real(together) + anywhere) / (real(before.known) + 1.0)).ln(), together > 0))
}

/// The query with the words of the path.
fn rewritten(asked: &ParsedQuery, slots: &[Slot], path: &Path) -> ParsedQuery {
    let chosen = path.chosen.iter().zip(slots).map(|(chosen, slot)| &slot.candidates[*chosen]).enumerate();
    let changed: BTreeMap<usize, String> = chosen
        .filter(|(_, candidate)| !candidate.is_typed)
        .map(|(at, candidate)| (at, candidate.written.clone().unwrap_or_else(|| candidate.folded.clone())))
        .collect();
    asked.rewritten(&changed)
}

#[expect(clippy::cast_precision_loss, reason = "logarithms need no more precision")]
fn real(number: usize) -> f64 {
    number as f64
}
