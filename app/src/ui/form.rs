//! The form of everything that changes something. Plain HTML that posts without script; with script it stays on the page
//! until the answer is there, so that a broken line loses nothing that was typed.
//!
//! Answers: 200 and 422 carry a [`domain::forms::Outcome`], every other status `{kind, message, fields}` (ARCHITECTURE,
//! "server functions"). `Done` to the page one is on must say `reload`, the router goes nowhere for the same address.

use domain::forms::FormErrors;
use leptos::{context::Provider, prelude::*};

use super::notice::{Notice, NoticeKind};

/// Whether the form around is on its way; read by `Button`.
#[derive(Clone, Copy)]
pub(super) struct FormPending(pub(super) RwSignal<bool>);

/// A `<form method="post">` that is sent in the background when a script can.
#[component]
pub fn Form(
    /// Address of the server function.
    #[prop(into)]
    action: String,
    /// Told when the server could not be reached. Say that what was typed is still there.
    #[prop(into)]
    failed: String,
    /// Takes what the server found wrong; the page makes its messages from it.
    #[prop(optional)]
    errors: Option<RwSignal<Option<FormErrors>>>,
    children: Children,
) -> impl IntoView {
    let pending = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    let errors = errors.unwrap_or_default();
    let on_submit = submit_handler(SentForm { action: action.clone(), failed, pending, failure, errors });
    view! {
        <form
            class="form"
            method="post"
            action=action
            // The server tells what is wrong, in the person's language; the browser's bubbles would come first.
            novalidate=true
            aria-busy=move || pending.get().then_some("true")
            on:submit=on_submit
        >
            <Provider value=FormPending(pending)>{children()}</Provider>
            {move || failure.get().map(|text| view! { <Notice kind=NoticeKind::Error title=text/> })}
        </form>
    }
}

/// What the handler of `submit` needs.
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "read in the browser only"))]
struct SentForm {
    action: String,
    failed: String,
    pending: RwSignal<bool>,
    failure: RwSignal<Option<String>>,
    errors: RwSignal<Option<FormErrors>>,
}

#[cfg(not(feature = "hydrate"))]
fn submit_handler(_: SentForm) -> impl Fn(leptos::ev::SubmitEvent) + 'static {
    |_| ()
}

#[cfg(feature = "hydrate")]
use browser::submit_handler;

#[cfg(feature = "hydrate")]
mod browser {
    use std::rc::Rc;

    use domain::forms::{Outcome, is_local};
    use leptos::{ev::SubmitEvent, prelude::*, serde_json, task::spawn_local};
    use leptos_router::{NavigateOptions, hooks::use_navigate};
    use serde::Deserialize;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{FormData, Headers, HtmlButtonElement, HtmlElement, HtmlFormElement, RequestInit, Response, UrlSearchParams};

    use super::SentForm;

    /// An answer that is neither done nor a form to mend, e.g. signed out meanwhile.
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
        /// A page that must be passed first; what was typed waits on the server meanwhile.
        #[serde(default)]
        to: Option<String>,
    }

    pub(super) fn submit_handler(form: SentForm) -> impl Fn(SubmitEvent) + 'static {
        let navigate = Rc::new(use_navigate());
        let form = Rc::new(form);
        move |event| {
            // Whatever the browser cannot give us, it can still send the form itself: leave the event alone then.
            let Some(body) = typed(&event) else { return };
            event.prevent_default();
            if form.pending.get_untracked() {
                return;
            }
            form.pending.set(true);
            form.failure.set(None);
            let (form, navigate) = (Rc::clone(&form), Rc::clone(&navigate));
            spawn_local(async move {
                let answer = post(&form.action, &body).await.ok();
                // The page may be gone meanwhile, and its signals with it: `try_` everywhere.
                form.pending.try_set(false);
                match answer.and_then(|(status, text)| read(status, &text)) {
                    Some(Ok(Outcome::Done { to, .. })) if !is_local(&to) => {
                        form.failure.try_set(Some(form.failed.clone()));
                    }
                    Some(Ok(Outcome::Done { to, reload: true })) => {
                        // Fails for an address the browser cannot parse; a local path never is one.
                        let _ = window().location().assign(&to);
                    }
                    Some(Ok(Outcome::Done { to, reload: false })) => {
                        form.errors.try_set(None);
                        navigate(&to, NavigateOptions::default());
                    }
                    Some(Ok(Outcome::Invalid(errors))) => {
                        form.errors.try_set(Some(errors));
                        request_animation_frame(focus_summary);
                    }
                    Some(Err(Refusal { to: Some(to), .. })) if is_local(&to) => {
                        let _ = window().location().assign(&to);
                    }
                    Some(Err(Refusal { message, .. })) => {
                        form.failure.try_set(Some(message));
                    }
                    None => {
                        form.failure.try_set(Some(form.failed.clone()));
                    }
                }
            });
        }
    }

    /// What the browser would send, the pressed button included.
    fn typed(event: &SubmitEvent) -> Option<UrlSearchParams> {
        let form = event.target()?.dyn_into::<HtmlFormElement>().ok()?;
        let fields = FormData::new_with_form(&form).ok()?;
        let body = UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?;
        let button = event.submitter().and_then(|element| element.dyn_into::<HtmlButtonElement>().ok());
        if let Some(button) = button.filter(|button| !button.name().is_empty()) {
            body.append(&button.name(), &button.value());
        }
        Some(body)
    }

    async fn post(action: &str, body: &UrlSearchParams) -> Result<(u16, String), JsValue> {
        let headers = Headers::new()?;
        headers.set("Accept", "application/json")?;
        let request = RequestInit::new();
        request.set_method("POST");
        request.set_headers(&headers);
        request.set_body(body);
        let response: Response = JsFuture::from(window().fetch_with_str_and_init(action, &request)).await?.dyn_into()?;
        let text = JsFuture::from(response.text()?).await?;
        Ok((response.status(), text.as_string().unwrap_or_default()))
    }

    /// `None` when it is no answer of ours, e.g. the page of a hotel's Wi-Fi.
    fn read(status: u16, text: &str) -> Option<Result<Outcome, Refusal>> {
        match status {
            200 | 422 => serde_json::from_str(text).ok().map(Ok),
            _ => serde_json::from_str(text).ok().map(Err),
        }
    }

    fn focus_summary() {
        let summary = document().query_selector(".error-summary").ok().flatten();
        if let Some(summary) = summary.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            // Not being able to move the focus loses nothing: the summary is an alert and read out anyway.
            let _ = summary.focus();
        }
    }
}
