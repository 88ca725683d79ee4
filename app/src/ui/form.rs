//! The form component for every change. Plain HTML that posts without script; with script the page stays until the response
//! arrives, so that a lost connection loses no input.
//!
//! Responses: 200 and 422 contain a [`domain::forms::Outcome`], every other status `{kind, message, fields}` (ARCHITECTURE,
//! "server functions"). `Done` to the current page must set `reload`, because the router does not navigate to the same address.

use domain::forms::FormErrors;
use leptos::{context::Provider, prelude::*};

use super::{
    button::{ButtonKind, LinkButton},
    notice::{Notice, NoticeKind},
};

/// Why a form was not sent, or was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    text: String,
    /// The page that must be passed first: its address and its label.
    way: Option<(String, String)>,
}

#[cfg(feature = "hydrate")]
impl Failure {
    fn new(text: String) -> Self {
        Self { text, way: None }
    }
}

/// The state of the surrounding form, for `Button`.
#[derive(Clone, Copy)]
pub(super) struct FormState {
    /// Whether it is being sent.
    pub(super) pending: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    /// Whether a button already shows the failure above it.
    is_told: StoredValue<bool>,
}

impl FormState {
    fn new() -> Self {
        Self { pending: RwSignal::new(false), failure: RwSignal::new(None), is_told: StoredValue::new(false) }
    }

    /// The failure, shown above the first button: at the end of a form the bar of the phone could cover it.
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

/// A `<form method="post">` that a script sends in the background.
#[component]
pub fn Form(
    /// Address of the server function.
    #[prop(into)]
    action: String,
    /// Message when the server cannot be reached. It should say that the input is still there.
    #[prop(into)]
    failed: String,
    /// Receives the problems of a rejected form; the page renders its messages from it.
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
            // The server reports problems in the viewer's language; the browser's own messages would come first.
            novalidate=true
            aria-busy=move || state.pending.get().then_some("true")
            on:submit=on_submit
        >
            <Provider value=state>{children()}</Provider>
            {state.notice()}
        </form>
    }
}

/// State for the `submit` handler.
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

    /// A response that is neither success nor a rejected form, e.g. after the session ended.
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
        /// The page that must be passed first; the server keeps the input meanwhile.
        #[serde(default)]
        to: Option<String>,
        /// Label of the link to it. Without a label the script redirects immediately.
        #[serde(default)]
        way: Option<String>,
    }

    pub(super) fn submit_handler(form: SentForm) -> impl Fn(SubmitEvent) + 'static {
        let navigate = Rc::new(use_navigate());
        let form = Rc::new(form);
        move |event| {
            // If the body cannot be read, the event is not cancelled and the browser posts the form itself.
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
                // The page and its signals may be disposed by now: hence `try_` everywhere.
                state.pending.try_set(false);
                let fail = |failure: Failure| {
                    state.failure.try_set(Some(failure));
                    request_animation_frame(|| focus_on(".form-failure"));
                };
                match answer.and_then(|(status, text)| read(status, &text)) {
                    Some(Ok(Outcome::Done { to, .. })) if !is_local(&to) => fail(Failure::new(form.failed.clone())),
                    Some(Ok(Outcome::Done { to, reload: true })) => {
                        // Fails for an address the browser cannot parse, which a local path never is.
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

    /// The form data as the browser would send it, including the submit button.
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

    /// `None` when the response is not ours, e.g. a captive portal's page.
    fn read(status: u16, text: &str) -> Option<Result<Outcome, Refusal>> {
        match status {
            200 | 422 => serde_json::from_str(text).ok().map(Ok),
            _ => serde_json::from_str(text).ok().map(Err),
        }
    }

    /// Scrolls the message into view and moves the focus to it.
    fn focus_on(selector: &str) {
        let found = document().query_selector(selector).ok().flatten();
        if let Some(told) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            // Failing to move the focus is harmless: the message is an alert and is read out anyway.
            let _ = told.focus();
        }
    }
}
