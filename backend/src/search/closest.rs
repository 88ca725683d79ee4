//! What comes closest to a query: documents with all its words, with those that may have been meant, or with most of them.

use std::collections::BTreeMap;

use domain::search::Closeness;
use ulid::Ulid;

use super::{
    asked::Asked,
    counts::Counts,
    look::{self, Found, NUMBER, STEP, Scene, Sight, Terms, within_closeness},
    readings::{Reading, readings},
};

/// What is found as it may have been meant comes before what is found as it was typed, and this far above it.
const MEANT: u64 = 10 * STEP;

/// What comes closest to what was typed.
pub(super) struct Closest {
    pub(super) closeness: Closeness,
    /// What may have been meant, the likeliest first.
    pub(super) meant: Vec<Asked>,
    /// With which of `meant` it was found by; none for what was typed.
    pub(super) found: Vec<(Found, Option<usize>)>,
    /// Documents that were found too and come behind the page.
    pub(super) behind: usize,
}

impl Closest {
    fn typed(closeness: Closeness, sight: Sight) -> Self {
        let found = sight.found.into_iter().map(|found| (found, None)).collect();
        Self { closeness, meant: Vec::new(), found, behind: sight.behind }
    }
}

/// Asks for all words as they were typed; for what may have been meant, where some of them stand beside none of the others in any
/// document; and for most of the words where no document has all.
pub(super) fn closest(scene: Scene<'_>, typed: &Asked) -> tantivy::Result<Closest> {
    if typed.words.is_empty() {
        return Ok(Closest::typed(Closeness::AllWords, Sight::default()));
    }
    let mut counts = Counts::new(scene.searcher, scene.fields, scene.within);
    let page = Terms { missing: 0, wanted: scene.wanted };
    let meant = readings(&mut counts, typed)?;
    if meant.is_empty() {
        let sight = look::look(scene, &mut counts, typed, page)?;
        if sight.total() > 0 {
            return Ok(Closest::typed(Closeness::AllWords, sight));
        }
        return most_words(scene, &mut counts, typed, Vec::new());
    }
    // All are weighed: documents are found by more than one.
    let all = Terms { wanted: usize::MAX, ..page };
    let sight = look::look(scene, &mut counts, typed, all)?;
    if sight.found.iter().any(|found| found.place.weight >= NUMBER * STEP) {
        return Ok(Closest::typed(Closeness::AllWords, sight));
    }
    // Of those that are about as likely, the one comes first that documents answer best.
    let mut answered = Vec::with_capacity(meant.len());
    for Reading { asked, likelihood } in meant {
        let found = look::look(scene, &mut counts, &asked, all)?.found;
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
        if sight.total() > 0 {
            return Ok(Closest::typed(Closeness::AllWords, sight));
        }
        return most_words(scene, &mut counts, typed, meant);
    }
    for one in sight.found {
        found.entry(one.place.item).or_insert((one, None));
    }
    Ok(Closest { closeness: Closeness::SimilarWords, meant, found: found.into_values().collect(), behind: 0 })
}

/// Two words may lack one, eight three: of what was most likely meant.
fn most_words(scene: Scene<'_>, counts: &mut Counts<'_>, typed: &Asked, meant: Vec<Asked>) -> tantivy::Result<Closest> {
    let asked = meant.first().unwrap_or(typed);
    let free = asked.words.iter().filter(|word| !word.is_quoted).count();
    let missing = free.min(asked.words.len() - 1).min(asked.words.len().div_ceil(3));
    if missing == 0 {
        return Ok(Closest::typed(Closeness::AllWords, Sight::default()));
    }
    let sight = look::look(scene, counts, asked, Terms { missing, wanted: scene.wanted })?;
    let by = (!meant.is_empty()).then_some(0);
    let found = sight.found.into_iter().map(|found| (found, by)).collect();
    Ok(Closest { closeness: Closeness::MostWords, meant, found, behind: sight.behind })
}
