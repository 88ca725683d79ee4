//! What was typed for something that can no longer be done.

use leptos::prelude::*;

use super::{
    field::TextArea,
    notice::{Notice, NoticeKind},
};

/// In place of a form that cannot be sent any more: says why, and shows what was typed in it, to be copied.
#[component]
pub fn Unsent(
    /// Why it was not taken.
    #[prop(into)]
    title: String,
    /// What is above the text.
    #[prop(into)]
    label: String,
    /// Nothing is shown of an empty one.
    #[prop(into)]
    typed: String,
) -> impl IntoView {
    let text = (!typed.trim().is_empty()).then(|| view! { <TextArea label name="unsent" value=typed readonly=true/> });
    view! {
        <Notice kind=NoticeKind::Error title/>
        {text}
    }
}
