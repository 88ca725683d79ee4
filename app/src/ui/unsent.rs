//! Input of a form that can no longer be sent.

use leptos::prelude::*;

use super::{
    field::TextArea,
    notice::{Notice, NoticeKind},
};

/// Replaces a form that can no longer be sent: gives the reason, and shows the typed text for copying.
#[component]
pub fn Unsent(
    /// The reason.
    #[prop(into)]
    title: String,
    /// Label of the text.
    #[prop(into)]
    label: String,
    /// Omitted when empty.
    #[prop(into)]
    typed: String,
) -> impl IntoView {
    let text = (!typed.trim().is_empty()).then(|| view! { <TextArea label name="unsent" value=typed readonly=true/> });
    view! {
        <Notice kind=NoticeKind::Error title/>
        {text}
    }
}
