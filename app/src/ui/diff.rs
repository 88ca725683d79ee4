//! Two texts side by side, with differences marked in both.

use domain::difference::{Change, DiffPiece, DiffRow, rows};
use leptos::prelude::*;

use super::{content_lang, page::VisuallyHidden};

/// Unchanged rows shown before and after a change, for context.
const AROUND: usize = 2;

/// Labels of the two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffWords {
    /// Names of the two texts.
    pub old: String,
    pub new: String,
    /// For screen readers, before and after added and removed text.
    pub added: String,
    pub removed: String,
    pub end: String,
    /// Shown where one of the texts has nothing.
    pub nothing: String,
    /// Shown when the texts are equal.
    pub equal: String,
}

/// The texts side by side; interleaved row by row on narrow screens.
#[component]
pub fn Diff(
    pieces: Vec<DiffPiece>,
    words: DiffWords,
    /// "37 paragraphs without a change", which can be expanded.
    unchanged: impl Fn(usize) -> String + 'static,
) -> impl IntoView {
    let rows = rows(&pieces);
    if rows.iter().all(|row| matches!(row, DiffRow::Same(_))) {
        return view! { <p class="muted">{words.equal}</p> }.into_any();
    }
    let mut shown: Vec<AnyView> = Vec::new();
    let mut same: Vec<String> = Vec::new();
    for row in rows {
        match row {
            DiffRow::Same(line) => same.push(line),
            DiffRow::Changed { old, new } => {
                shown.push(kept(std::mem::take(&mut same), shown.is_empty(), false, &unchanged));
                shown.push(changed(&words, old, new));
            }
        }
    }
    shown.push(kept(same, false, true, &unchanged));
    let heads = [words.old, words.new].into_iter().map(|head| view! { <p class="diff-label">{head}</p> }).collect_view();
    // The headers are above the columns; each changed row also names its text.
    view! {
        <div class="diff">
            <div class="diff-heads" aria-hidden="true">{heads}</div>
            {shown}
        </div>
    }
    .into_any()
}

/// Unchanged rows: those next to a change are shown, the others collapsed.
fn kept(mut rows: Vec<String>, is_first: bool, is_last: bool, unchanged: &impl Fn(usize) -> String) -> AnyView {
    let before = if is_first { 0 } else { AROUND };
    let after = if is_last { 0 } else { AROUND };
    // Collapsing a single row saves no space.
    if rows.len() <= before + after + 1 {
        return lines(rows);
    }
    let tail = rows.split_off(rows.len() - after);
    let folded = rows.split_off(before);
    let label = unchanged(folded.len());
    view! {
        {lines(rows)}
        <details class="diff-fold"><summary>{label}</summary>{lines(folded)}</details>
        {lines(tail)}
    }
    .into_any()
}

fn lines(rows: Vec<String>) -> AnyView {
    rows.into_iter().map(|line| view! { <p class="diff-same" lang=content_lang()>{line}</p> }).collect_view().into_any()
}

fn changed(words: &DiffWords, old: Vec<DiffPiece>, new: Vec<DiffPiece>) -> AnyView {
    let side = |label: &str, pieces: Vec<DiffPiece>| {
        let text = if pieces.is_empty() {
            view! { <p class="muted small">{words.nothing.clone()}</p> }.into_any()
        } else {
            view! { <p class="diff-text">{pieces.into_iter().map(|found| piece(words, found)).collect_view()}</p> }.into_any()
        };
        view! { <div class="diff-side"><p class="diff-label">{label.to_owned()}</p>{text}</div> }
    };
    let (old, new) = (side(&words.old, old), side(&words.new, new));
    view! { <div class="diff-row">{old}{new}</div> }.into_any()
}

fn piece(words: &DiffWords, DiffPiece { text, change }: DiffPiece) -> AnyView {
    // A changed line break alone would be invisible.
    let text = if text.trim().is_empty() { text.replace('\n', "¶\n") } else { text };
    let text = view! { <span lang=content_lang()>{text}</span> };
    let end = words.end.clone();
    match change {
        Change::Same => text.into_any(),
        Change::Added => {
            let told = words.added.clone();
            view! { <ins><VisuallyHidden>{told} " "</VisuallyHidden>{text}<VisuallyHidden>" "{end}</VisuallyHidden></ins> }
                .into_any()
        }
        Change::Removed => {
            let told = words.removed.clone();
            view! { <del><VisuallyHidden>{told} " "</VisuallyHidden>{text}<VisuallyHidden>" "{end}</VisuallyHidden></del> }
                .into_any()
        }
    }
}
