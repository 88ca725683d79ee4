//! Shared by all pages: loading and showing data, and error pages.

use domain::forms::is_local;
use leptos::prelude::*;
use leptos_router::{
    hooks::{use_location, use_params_map},
    location::Location,
    params::ParamsMap,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{AppError, Kind},
    frame::way_home,
    i18n::use_locale,
    terms, text,
    title::Title,
    ui::{EmptyState, IconName, LinkButton},
};

/// The data of a page: fetched by the server for the first page, by the browser for later ones.
pub type PageData<T> = Resource<Result<T, AppError>>;

/// Shows `data` with `view` once it is loaded, or the error. Every page with data uses this.
pub fn show<T>(data: PageData<T>, view: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let here = CurrentPage::now();
    view! {
        <Suspense fallback=waiting>
            {move || {
                let view = view.clone();
                let here = here.clone();
                Suspend::new(async move {
                    match data.await {
                        Ok(found) => view(found),
                        Err(error) if error.kind == Kind::NotSignedIn => go_to_sign_in(&here),
                        Err(error) if error.kind == Kind::Offline => {
                            view! { <Problem kind=Kind::Offline again=Callback::new(move |()| data.refetch())/> }.into_any()
                        }
                        Err(error) => view! { <Problem kind=error.kind/> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// Shown while the browser fetches the next page; the style sheet delays its appearance.
pub(crate) fn waiting() -> AnyView {
    let l = use_locale();
    view! { <p class="waiting" role="status">{text::frame::waiting(l)}</p> }.into_any()
}

/// An error page with a way to continue.
#[component]
pub fn Problem(
    kind: Kind,
    /// Retries, where that can help without loading a page.
    #[prop(optional)]
    again: Option<Callback<()>>,
) -> impl IntoView {
    let l = use_locale();
    set_status(kind);
    let title = terms::error_title(l, kind);
    let (href, way_on) = match kind {
        Kind::ConfirmPassword => (confirm_href(), text::sessions::confirm(l)),
        Kind::Busy => (CurrentPage::now().asked_for(), text::frame::try_again(l)),
        _ => ("/".to_owned(), text::frame::to_home(l)),
    };
    let way_on = match again {
        Some(again) => view! {
            <button class="button" type="button" on:click=move |_| again.run(())>
                {text::frame::try_again(l)}
            </button>
        }
        .into_any(),
        // After "busy" the browser loads the page again, without cached data of the application.
        None => view! { <LinkButton href=href external={kind == Kind::Busy}>{way_on}</LinkButton> }.into_any(),
    };
    view! {
        <Title text=title/>
        <div class="page page-narrow">
            {way_home(title)}
            <EmptyState title=title text=terms::error_text(l, kind) icon=IconName::Info whole_page=true>
                {way_on}
            </EmptyState>
        </div>
    }
}

/// The page that asks for the password again; it leads back to this page.
fn confirm_href() -> String {
    CurrentPage::now().behind("/confirm")
}

/// The current page, with its query.
#[derive(Clone)]
struct CurrentPage(Location);

impl CurrentPage {
    fn now() -> Self {
        Self(use_location())
    }

    /// The address of another page, which leads back to this one.
    fn behind(&self, page: &str) -> String {
        let query = self.0.query.get_untracked().to_query_string();
        let mut next = ParamsMap::new();
        next.insert("next", format!("{}{query}", self.0.pathname.get_untracked()));
        format!("{page}{}", next.to_query_string())
    }

    /// This page; on the page about a failed form, the form's page.
    fn asked_for(&self) -> String {
        let (path, query) = (self.0.pathname.get_untracked(), self.0.query.get_untracked());
        if path.starts_with("/problem/") {
            query.get("next").filter(|next| is_local(next)).unwrap_or_else(|| "/".to_owned())
        } else {
            format!("{path}{}", query.to_query_string())
        }
    }
}

/// The page for unknown addresses.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! { <Problem kind=Kind::NotFound/> }
}

/// The target of a form without script that failed for a reason other than its fields. Never used for the sign-in, which has its
/// own page and would lead back here.
#[component]
pub fn ProblemPage() -> impl IntoView {
    let params = use_params_map();
    move || {
        let kind = params.read().get("kind").and_then(|kind| Kind::from_key(&kind));
        let kind = kind.filter(|kind| *kind != Kind::NotSignedIn).unwrap_or(Kind::NotFound);
        view! { <Problem kind/> }
    }
}

#[cfg(feature = "ssr")]
fn set_status(kind: Kind) {
    crate::error::set_status(kind.status());
}

#[cfg(not(feature = "ssr"))]
fn set_status(_: Kind) {}

/// No redirect here: the response status 401 makes the server redirect to the sign-in.
#[cfg(feature = "ssr")]
fn go_to_sign_in(_: &CurrentPage) -> AnyView {
    set_status(Kind::NotSignedIn);
    ().into_any()
}

/// The session ended while the application was open: loads the sign-in page, which leads back here.
#[cfg(not(feature = "ssr"))]
fn go_to_sign_in(here: &CurrentPage) -> AnyView {
    // Fails for an address the browser cannot parse, which a path of ours never is.
    let _ = window().location().assign(&here.behind("/sign-in"));
    ().into_any()
}
