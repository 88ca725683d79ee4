//! What may have been meant by a query with slips of the fingers in it, or with keys of an input method: other words in the place of
//! some that were typed.
//!
//! A noisy channel (M. D. Kernighan, K. W. Church, W. A. Gale, COLING 1990): of all words that may have been meant, those are read
//! for which "how likely is it that somebody means this" times "how likely is it to be typed like that" is largest. The first
//! follows from the library itself: how often a word stands behind the one before it, smoothed with how often it stands anywhere
//! (a Dirichlet prior: C. Zhai, J. Lafferty, TOIS 22, 2004). The second is the cost of a slip (`typos.rs`). A Vietnamese word has
//! few letters and nearly every slip makes another word of it, so the neighbours decide: in `nghi quet moi truog` it is not only
//! `truog` that nobody wrote, but `quet` that nobody wrote behind `nghi`.
//!
//! A word is put in question when no document within reach has it, or when it stands beside none of its neighbours in any. Each is
//! changed at most once. A short word is only changed to one that stands beside a neighbour.

use std::collections::BTreeMap;

use super::{
    counts::Counts,
    parsed_query::ParsedQuery,
    remnants::decoded,
    typos,
    words::{Forms, words},
};

/// Readings that are looked up, at most.
const READINGS: usize = 3;

/// Sequences of words that are followed at a time.
const BEAM: usize = 16;

/// What an input method's keys cost: hardly anybody means them.
const DECODED: f64 = 1.0;

/// Letters from which on a word may be changed to one that stands beside no neighbour.
const ALONE_FROM: usize = 5;

/// Of words that fit no neighbour, so many are kept.
const ALONE: usize = 12;

/// Of words one slip away, so many are tried where the neighbour is in question as well.
const TRIED: usize = 32;

/// How much likelier a reading has to be than what was typed: little where a word of it does not exist, more where all do.
const MARGIN_UNKNOWN: f64 = 0.5;
const MARGIN_KNOWN: f64 = 4.0;

/// Readings this much less likely than the best are none.
const APART: f64 = 3.0;

/// Words of a document: turns how many documents have a word into how many words are this one.
const WORDS: f64 = 400.0;

/// A word that may have been meant.
#[derive(Debug, Clone)]
struct Candidate {
    folded: String,
    /// With the marks that were meant, where the keys tell.
    written: Option<String>,
    cost: f64,
    is_typed: bool,
    /// Documents that have it.
    known: usize,
}

/// A place of the query and the words that may have been meant there.
#[derive(Debug, Default)]
struct Slot {
    candidates: Vec<Candidate>,
    /// Words one slip away that have not been tried against the neighbours.
    similar: Vec<(f64, String)>,
    follows: bool,
    is_known: bool,
    /// Whether a changed word has to stand beside a neighbour.
    needs_neighbour: bool,
}

/// A sequence of words up to some place.
#[derive(Debug, Clone)]
struct Path {
    chosen: Vec<usize>,
    weight: f64,
    /// Whether the last word was changed and still has to stand beside a neighbour.
    is_owing: bool,
}

/// What may have been meant.
pub(super) struct Reading {
    pub(super) asked: ParsedQuery,
    /// How likely it is, as a logarithm: to compare it with the others.
    pub(super) likelihood: f64,
}

/// What may have been meant instead of what was typed, the likeliest first; nothing when all of it can be meant as it is.
pub(super) fn readings(counts: &mut Counts<'_>, asked: &ParsedQuery) -> tantivy::Result<Vec<Reading>> {
    let mut slots = Vec::with_capacity(asked.order.len());
    for at in 0..asked.order.len() {
        slots.push(slot(counts, asked, at)?);
    }
    if slots.iter().all(|slot| slot.similar.is_empty() && slot.candidates.iter().all(|candidate| candidate.is_typed)) {
        return Ok(Vec::new());
    }
    // Twice: a word found in the first round is a neighbour in the second.
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

/// The place with the word that was typed, where documents have it, and with those it may have been meant for, where it is in question.
fn slot(counts: &mut Counts<'_>, asked: &ParsedQuery, at: usize) -> tantivy::Result<Slot> {
    let sought = asked.sought(at);
    let folded = &sought.forms.folded;
    let is_known = counts.knows(sought)?;
    let mut slot = Slot { follows: asked.order[at].follows, is_known, ..Slot::default() };
    slot.needs_neighbour = sought.length() < ALONE_FROM;
    if is_known || sought.is_quoted {
        // A word that stands together with another one in the index, or goes on, is there at least once.
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

/// Whether the word stands beside one of its neighbours somewhere; one without neighbours has nothing to stand beside.
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

/// Takes in those similar words that stand beside a word of a neighbouring place.
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

/// Takes in a few of those similar words that fit no neighbour, where that is allowed.
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

/// The words a neighbour may be; where that is open, those one slip away.
fn neighbours(slots: &[Slot], at: Option<usize>) -> Vec<String> {
    let Some(slot) = at.and_then(|at| slots.get(at)) else { return Vec::new() };
    let sure: Vec<String> = slot.candidates.iter().map(|candidate| candidate.folded.clone()).collect();
    if sure.is_empty() { slot.similar.iter().take(TRIED).map(|(_, word)| word.clone()).collect() } else { sure }
}

/// How likely it is that the query is meant as it was typed.
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

/// The likeliest sequences of words, best first: one is given up when others that have come as far are likelier.
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

/// How likely it is that this word comes next, as a logarithm, and whether the two stand together somewhere.
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

#[expect(clippy::cast_precision_loss, reason = "logarithms need no more")]
fn real(number: usize) -> f64 {
    number as f64
}
