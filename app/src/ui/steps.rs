//! Where something is on its way.

use leptos::prelude::*;

use super::{
    icon::{Icon, IconName},
    line::Line,
};

/// One stage of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub label: String,
    /// When, or by whom.
    pub note: Line,
}

impl Step {
    pub fn new(label: impl Into<String>, note: impl Into<Line>) -> Self {
        Self { label: label.into(), note: note.into() }
    }
}

/// The stages in order, the reached ones ticked; the current one is told by a word too.
#[component]
pub fn StepBar(
    steps: Vec<Step>,
    /// Index of the stage reached last.
    current: usize,
    /// Word at the current stage, e.g. "now".
    #[prop(into)]
    current_word: String,
    /// Read to screen readers at the stages passed, e.g. "done".
    #[prop(into)]
    done_word: String,
) -> impl IntoView {
    let items = steps
        .into_iter()
        .enumerate()
        .map(move |(index, Step { label, note })| {
            let (class, icon) = match index.cmp(&current) {
                std::cmp::Ordering::Less => ("step step-done", IconName::CheckCircle),
                std::cmp::Ordering::Equal => ("step step-current", IconName::CircleDot),
                std::cmp::Ordering::Greater => ("step", IconName::Circle),
            };
            let word = match index.cmp(&current) {
                std::cmp::Ordering::Less => Some(view! { <span class="visually-hidden">{done_word.clone()}</span> }),
                std::cmp::Ordering::Equal => Some(view! { <span class="step-word">{current_word.clone()}</span> }),
                std::cmp::Ordering::Greater => None,
            };
            view! {
                <li class=class aria-current=(index == current).then_some("step")>
                    <Icon name=icon/>
                    <div>
                        <p class="step-label">{label} " " {word}</p>
                        {note.paragraph("step-note")}
                    </div>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="steps" role="list">{items}</ol> }
}
