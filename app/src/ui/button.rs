//! Buttons, and links that look like them: a button changes something, a link goes somewhere.

use leptos::prelude::*;

use super::{
    MaybeText,
    form::FormState,
    icon::{Icon, IconName},
};

/// How loud a button is. One [`Self::Primary`] per page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ButtonKind {
    #[default]
    Primary,
    Secondary,
    Quiet,
    /// Takes something away from people; always behind a confirmation.
    Danger,
}

impl ButtonKind {
    const fn class(self, wide: bool) -> &'static str {
        match (self, wide) {
            (Self::Primary, false) => "button",
            (Self::Primary, true) => "button button-wide",
            (Self::Secondary, false) => "button button-secondary",
            (Self::Secondary, true) => "button button-secondary button-wide",
            (Self::Quiet, false) => "button button-quiet",
            (Self::Quiet, true) => "button button-quiet button-wide",
            (Self::Danger, false) => "button button-danger",
            (Self::Danger, true) => "button button-danger button-wide",
        }
    }
}

/// A `<button>`. Inside a [`Form`](super::Form) it is marked busy while the form is on its way.
#[component]
pub fn Button(
    #[prop(optional)] kind: ButtonKind,
    /// `"submit"` unless told otherwise; `"button"` for what only a script can do.
    #[prop(default = "submit")]
    button_type: &'static str,
    /// Sent with the form when this button was the one pressed.
    #[prop(optional, into)]
    name: MaybeText,
    #[prop(optional, into)] value: MaybeText,
    #[prop(optional)] icon: Option<IconName>,
    /// Full width on the phone, in reach of the thumb.
    #[prop(optional)]
    wide: bool,
    children: Children,
) -> impl IntoView {
    let form = use_context::<FormState>();
    // `aria-disabled`, not `disabled`: a disabled button drops the keyboard focus. `Form` ignores the second press.
    let busy = move || form.is_some_and(|form| form.pending.get()).then_some("true");
    // Only what sends the form has to do with what became of it.
    let notice = form.filter(|_| button_type == "submit").and_then(FormState::notice);
    view! {
        {notice}
        <button class=kind.class(wide) type=button_type name=name.0 value=value.0 aria-disabled=busy>
            {icon.map(|name| view! { <Icon name/> })}
            <span>{children()}</span>
        </button>
    }
}

/// An `<a>` with the look of a button.
#[component]
pub fn LinkButton(
    #[prop(into)] href: String,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] icon: Option<IconName>,
    #[prop(optional)] wide: bool,
    /// The server answers the address, not one of our pages.
    #[prop(optional)]
    external: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <a class=kind.class(wide) href=href rel=external.then_some("external")>
            {icon.map(|name| view! { <Icon name/> })}
            <span>{children()}</span>
        </a>
    }
}
