//! Buttons, and links that look like them: a button changes something, a link navigates.

use leptos::prelude::*;

use super::{
    MaybeText,
    form::FormState,
    icon::{Icon, IconName},
};

/// Visual prominence of a button. At most one [`Self::Primary`] per page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ButtonKind {
    #[default]
    Primary,
    Secondary,
    Quiet,
    /// A destructive action; always followed by a confirmation.
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

/// A `<button>`. Inside a [`Form`](super::Form) it is marked busy while the form is being sent.
#[component]
pub fn Button(
    #[prop(optional)] kind: ButtonKind,
    /// `"submit"` by default; `"button"` for actions of a script.
    #[prop(default = "submit")]
    button_type: &'static str,
    /// Sent with the form when this button submits it.
    #[prop(optional, into)]
    name: MaybeText,
    #[prop(optional, into)] value: MaybeText,
    #[prop(optional)] icon: Option<IconName>,
    /// Full width on the phone.
    #[prop(optional)]
    wide: bool,
    children: Children,
) -> impl IntoView {
    let form = use_context::<FormState>();
    // `aria-disabled`, not `disabled`: a disabled button loses the keyboard focus. `Form` ignores a second press.
    let busy = move || form.is_some_and(|form| form.pending.get()).then_some("true");
    // Only submit buttons show the form's failure.
    let notice = form.filter(|_| button_type == "submit").and_then(FormState::notice);
    view! {
        {notice}
        <button class=kind.class(wide) type=button_type name=name.0 value=value.0 aria-disabled=busy>
            {icon.map(|name| view! { <Icon name/> })}
            <span>{children()}</span>
        </button>
    }
}

/// An `<a>` that looks like a button.
#[component]
pub fn LinkButton(
    #[prop(into)] href: String,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] icon: Option<IconName>,
    #[prop(optional)] wide: bool,
    /// The server answers the address, not the router.
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
