//! A progress indicator with steps.

use leptos::prelude::*;

use super::{
    icon::{Icon, IconName},
    line::Line,
};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub label: String,
    /// Time or person.
    pub note: Line,
}

impl Step {
    pub fn new(label: impl Into<String>, note: impl Into<Line>) -> Self {
        Self { label: label.into(), note: note.into() }
    }
}

/// The steps in order, with a tick for those reached; the current one is also marked by a text.
#[component]
pub fn StepBar(
    steps: Vec<Step>,
    /// Index of the last reached step.
    current: usize,
    /// Text at the current step, e.g. "now".
    #[prop(into)]
    current_word: String,
    /// Text for screen readers at completed steps, e.g. "done".
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
                std::cmp::Ordering::Equal => Some(view! { <span class="tag tag-accent">{current_word.clone()}</span> }),
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
