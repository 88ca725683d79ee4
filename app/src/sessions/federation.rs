//! Sign-in with an external identity provider.

use domain::{Locale, accounts::Provider};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use crate::{
    context::use_page,
    i18n::use_locale,
    text,
    ui::{ButtonKind, IconName, LinkButton, Notice, NoticeKind},
};

/// One button for each configured provider; empty without one. The server answers these addresses, not the router.
#[component]
pub fn SignInWith(
    /// The page to continue with, a path of this site.
    #[prop(into)]
    next: String,
) -> impl IntoView {
    let l = use_locale();
    let buttons: Vec<_> = use_page().providers.into_iter().map(|provider| button(l, &provider, &next)).collect();
    (!buttons.is_empty()).then(|| view! { <div class="actions">{buttons}</div> })
}

fn button(l: Locale, provider: &Provider, next: &str) -> AnyView {
    let mut query = ParamsMap::new();
    query.insert("next", next.to_owned());
    let href = format!("/sign-in/with/{}{}", provider.key, query.to_query_string());
    let label = text::sessions::sign_in_with(l, &provider.name);
    view! {
        <LinkButton href=href kind=ButtonKind::Secondary icon=IconName::Outside wide=true external=true>
            {label}
        </LinkButton>
    }
    .into_any()
}

/// Why a provider's sign-in failed, from the address: `?with=vneid&told=unreachable`.
#[component]
pub fn FederationNotice() -> impl IntoView {
    let (with, told) = use_query_map().with_untracked(|query| (query.get("with"), query.get("told")));
    let provider = use_page().providers.into_iter().find(|provider| Some(&provider.key) == with.as_ref());
    provider.zip(told).and_then(|(provider, told)| notice(use_locale(), &provider.name, &told))
}

fn notice(l: Locale, name: &str, told: &str) -> Option<AnyView> {
    let (kind, title, said) = match told {
        "unreachable" => {
            (NoticeKind::Warn, text::sessions::unreachable_title(l, name), text::sessions::unreachable(l).to_owned())
        }
        "unfinished" => (NoticeKind::Warn, text::sessions::unfinished_title(l, name), text::sessions::unfinished(l).to_owned()),
        "unknown" => (NoticeKind::Info, text::sessions::unknown_title(l).to_owned(), text::sessions::unknown(l, name)),
        _ => return None,
    };
    let other_doors = (told == "unreachable").then(|| view! { <p><a href="/welcome">{text::sessions::other_doors(l)}</a></p> });
    Some(view! { <Notice kind title><p>{said}</p>{other_doors}</Notice> }.into_any())
}
