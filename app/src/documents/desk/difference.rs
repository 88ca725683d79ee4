//! Two versions of a text side by side, with labels in the viewer's language.

use domain::{Locale, difference::DiffPiece};
use leptos::prelude::*;

use crate::{
    text,
    ui::{Diff, DiffWords},
};

/// `old` and `new` name the two versions, e.g. "version 3" and "what you typed".
pub(super) fn difference(l: Locale, pieces: Vec<DiffPiece>, old: impl Into<String>, new: impl Into<String>) -> AnyView {
    let words = DiffWords {
        old: old.into(),
        new: new.into(),
        added: text::writing::added(l).to_owned(),
        removed: text::writing::removed(l).to_owned(),
        end: text::writing::end(l).to_owned(),
        nothing: text::writing::nothing_here(l).to_owned(),
        equal: text::writing::no_difference(l).to_owned(),
    };
    let unchanged = move |rows: usize| text::writing::unchanged(l, u32::try_from(rows).unwrap_or(u32::MAX).into());
    view! { <Diff pieces words unchanged/> }.into_any()
}
