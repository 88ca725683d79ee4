//! The form of everything that changes something. Plain HTML that posts without script; with script it stays on the page
//! until the answer is there, so that a broken line loses nothing that was typed.
//!
//! Answers: 200 and 422 carry a [`domain::forms::Outcome`], every other status `{kind, message, fields}` (ARCHITECTURE,
//! "server functions"). `Done` to the page one is on must say `reload`, the router goes nowhere for the same address.

use domain::forms::FormErrors;
use leptos::{context::Provider, prelude::*};

use super::{
    button::{ButtonKind, LinkButton},
    notice::{Notice, NoticeKind},
};

/// Why a form was not sent, or not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    text: String,
    /// A page that must be passed first: its address, and what the way there is called.
    way: Option<(String, String)>,
}

#[cfg(feature = "hydrate")]
impl Failure {
    fn new(text: String) -> Self {
        Self { text, way: None }
    }
}

/// The form around, as `Button` sees it.
#[derive(Clone, Copy)]
pub(super) struct FormState {
    /// Whether it is on its way.
    pub(super) pending: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    /// Whether a button has room above it for what went wrong.
    is_told: StoredValue<bool>,
}

impl FormState {
    fn new() -> Self {
        Self { pending: RwSignal::new(false), failure: RwSignal::new(None), is_told: StoredValue::new(false) }
    }

    /// What went wrong, for the place right above the first button: at the end of a form it may lie behind the bar of the phone.
    pub(super) fn notice(self) -> Option<impl Fn() -> Option<AnyView> + Send + Sync + 'static> {
        let is_first = !self.is_told.get_value();
        is_first.then(|| {
            self.is_told.set_value(true);
            on_cleanup(move || {
                self.is_told.try_set_value(false);
            });
            move || self.failure.get().map(failure_view)
        })
    }
}

/// Takes the focus when it appears, see `focus_on`.
fn failure_view(Failure { text, way }: Failure) -> AnyView {
    let way = way.map(|(href, label)| {
        view! { <div class="actions"><LinkButton href kind=ButtonKind::Secondary external=true>{label}</LinkButton></div> }
    });
    view! {
        <div class="form-failure" tabindex="-1">
            <Notice kind=NoticeKind::Error title=text>{way}</Notice>
        </div>
    }
    .into_any()
}

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
    let state = FormState::new();
    let errors = errors.unwrap_or_default();
    let on_submit = submit_handler(SentForm { action: action.clone(), failed, state, errors });
    view! {
        <form
            class="form"
            method="post"
            action=action
            // The server tells what is wrong, in the person's language; the browser's bubbles would come first.
            novalidate=true
            aria-busy=move || state.pending.get().then_some("true")
            on:submit=on_submit
        >
            <Provider value=state>{children()}</Provider>
            {state.notice()}
        </form>
    }
}

/// What the handler of `submit` needs.
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "read in the browser only"))]
struct SentForm {
    action: String,
    failed: String,
    state: FormState,
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

    use super::{Failure, SentForm};

    /// An answer that is neither done nor a form to mend, e.g. signed out meanwhile.
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
        /// A page that must be passed first; what was typed waits on the server meanwhile.
        #[serde(default)]
        to: Option<String>,
        /// What the way there is called. Without it, it is taken at once.
        #[serde(default)]
        way: Option<String>,
    }

    pub(super) fn submit_handler(form: SentForm) -> impl Fn(SubmitEvent) + 'static {
        let navigate = Rc::new(use_navigate());
        let form = Rc::new(form);
        move |event| {
            // Whatever the browser cannot give us, it can still send the form itself: leave the event alone then.
            let Some(body) = typed(&event) else { return };
            event.prevent_default();
            let state = form.state;
            if state.pending.get_untracked() {
                return;
            }
            state.pending.set(true);
            state.failure.set(None);
            let (form, navigate) = (Rc::clone(&form), Rc::clone(&navigate));
            spawn_local(async move {
                let answer = post(&form.action, &body).await.ok();
                // The page may be gone meanwhile, and its signals with it: `try_` everywhere.
                state.pending.try_set(false);
                let fail = |failure: Failure| {
                    state.failure.try_set(Some(failure));
                    request_animation_frame(|| focus_on(".form-failure"));
                };
                match answer.and_then(|(status, text)| read(status, &text)) {
                    Some(Ok(Outcome::Done { to, .. })) if !is_local(&to) => fail(Failure::new(form.failed.clone())),
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
                        request_animation_frame(|| focus_on(".error-summary"));
                    }
                    Some(Err(Refusal { to: Some(to), way: None, .. })) if is_local(&to) => {
                        let _ = window().location().assign(&to);
                    }
                    Some(Err(Refusal { message, to, way })) => {
                        fail(Failure { text: message, way: to.filter(|to| is_local(to)).zip(way) });
                    }
                    None => fail(Failure::new(form.failed.clone())),
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

    /// Brings what was told onto the screen, and the focus to it.
    fn focus_on(selector: &str) {
        let found = document().query_selector(selector).ok().flatten();
        if let Some(told) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            // Not being able to move the focus loses nothing: it is an alert and read out anyway.
            let _ = told.focus();
        }
    }
}
