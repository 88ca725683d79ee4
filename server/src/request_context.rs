//! Session and preferences of a request, read once before any page or server function runs.

use std::{net::SocketAddr, sync::Arc};

use app::{
    acting::actions_at,
    context::{PageContext, request::RequestContext},
    cookies::{ACTIVATION, DEVICE, FLASH, SESSION, SHEET, SecretCookie, sent},
    error::AppError,
    forms::accepts_page,
    frame::badges,
};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, Uri, header, request::Parts},
    middleware::Next,
    response::Response,
};
use backend::Backend;
use cookie::Cookie;
use domain::{
    Locale,
    accounts::{Preferences, Viewer},
    forms::FormErrors,
    home::Pending,
    ids::UnitId,
};

use crate::{
    answers::{problem, see_other},
    cookies::{self, chosen_locale, chosen_unit},
    device,
    state::Shared,
};

/// Puts the [`RequestContext`] into the request. Pages are personal and not cached: phones are shared.
pub(crate) async fn enter(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let fallback = chosen_locale(&parts.headers);
    let context = match read(&shared, &parts, fallback).await {
        Ok(context) => context,
        Err(error) => {
            return problem(fallback, AppError::from(error).kind);
        }
    };
    if context.page.viewer.is_none()
        && let Some(choice) = language_choice(&parts.method, &parts.uri)
    {
        return choice;
    }
    if let Some(viewer) = &context.page.viewer
        && let Some(choice) = unit_choice(&parts.method, &parts.uri, viewer)
    {
        return choice;
    }
    let acting = context.page.viewer.as_ref().filter(|_| !parts.method.is_safe()).map(|viewer| viewer.member);
    let spent = context.page.echo.is_some().then(|| FLASH.removed_at(parts.uri.path()));
    parts.extensions.insert(context);

    let mut response = next.run(Request::from_parts(parts, body)).await;

    if let Some(member) = acting {
        shared.backend.home().forget_pending(member);
    }
    let headers = response.headers_mut();
    if let Some(spent) = spent {
        cookies::append(headers, &spent);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    response
}

async fn read(shared: &Shared, request: &Parts, fallback: Locale) -> backend::Result<RequestContext> {
    let (backend, headers) = (&shared.backend, &request.headers);
    let secret = |kept: SecretCookie| sent(headers, kept.name).map(str::to_owned);
    let token = secret(SESSION);
    let session = match &token {
        Some(token) => backend.accounts().session(token).await?,
        None => None,
    };
    let (viewer, preferences) = match session {
        Some(session) => (Some(session.viewer), session.preferences),
        None => (None, Preferences { locale: fallback, ..Preferences::default() }),
    };
    let echo = if shows_form(request, viewer.is_some()) { returned_form(backend, headers).await? } else { None };
    let device = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).map(device::describe).unwrap_or_default();
    let providers = if viewer.is_none() { shared.federation.names() } else { Vec::new() };
    let pending = match &viewer {
        Some(viewer) if asks_for_page(request) => count(backend, viewer, request.uri.path()).await,
        _ => None,
    };
    let badges = pending.as_ref().map(|pending| badges(preferences.locale, pending)).unwrap_or_default();
    let acting_for = chosen_unit(headers).filter(|unit| viewer.as_ref().is_some_and(|viewer| holds_office(viewer, *unit)));
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    Ok(RequestContext {
        page: PageContext { viewer, preferences, echo, providers, acting_for, badges },
        token,
        site: Arc::clone(&shared.origin),
        device,
        address: peer.map(|peer| shared.proxies.client(peer, headers)),
        known_device: secret(DEVICE),
        activation: secret(ACTIVATION),
        sheet: secret(SHEET),
        pending,
    })
}

/// The pending counts of the viewer. Without them the page is shown all the same.
async fn count(backend: &Backend, viewer: &Viewer, path: &str) -> Option<Pending> {
    let home = backend.home();
    // These pages show the counts themselves, so they must be fresh.
    let counted = if matches!(path, "/" | "/more") { home.count_pending(viewer).await } else { home.pending(viewer).await };
    counted.inspect_err(|error| tracing::error!(error = error as &dyn std::error::Error, "cannot count what is pending")).ok()
}

/// A rejected form is returned once, so only to a page that shows it. A visitor who is not signed in is on the way to the sign-in
/// page: the form is kept until they return.
fn shows_form(request: &Parts, is_signed_in: bool) -> bool {
    let path = request.uri.path();
    let is_way_in = path == "/sign-in" || path == "/welcome" || path.starts_with("/welcome/");
    asks_for_page(request) && (is_signed_in || is_way_in)
}

fn asks_for_page(request: &Parts) -> bool {
    request.method == Method::GET && accepts_page(&request.headers)
}

async fn returned_form(backend: &Backend, headers: &HeaderMap) -> backend::Result<Option<FormErrors>> {
    match sent(headers, FLASH.name) {
        Some(token) => backend.flashes().take(token).await,
        None => Ok(None),
    }
}

/// `?lang=` of a page: stored in a cookie and removed from the address, which people share.
fn language_choice(method: &Method, uri: &Uri) -> Option<Response> {
    let (tag, to) = taken_out(method, uri, "lang=")?;
    Some(chosen(&to, Locale::from_tag(tag).map(cookies::keep_locale)))
}

/// `?for=` on pages for one's offices: the same for the acting unit; an empty value means all of one's units.
fn unit_choice(method: &Method, uri: &Uri, viewer: &Viewer) -> Option<Response> {
    actions_at(uri.path(), uri.query().unwrap_or_default())?;
    let (unit, to) = taken_out(method, uri, "for=")?;
    let kept = match unit.parse::<UnitId>() {
        Ok(unit) if holds_office(viewer, unit) => Some(cookies::keep_unit(unit)),
        _ => unit.is_empty().then(cookies::forget_unit),
    };
    Some(chosen(&to, kept))
}

fn holds_office(viewer: &Viewer, unit: UnitId) -> bool {
    viewer.offices.iter().any(|office| office.unit.id == unit)
}

/// The value of `key` in the query, and the address without it.
fn taken_out<'u>(method: &Method, uri: &'u Uri, key: &str) -> Option<(&'u str, String)> {
    if method != Method::GET {
        return None;
    }
    let (found, others): (Vec<&str>, Vec<&str>) = uri.query()?.split('&').partition(|pair| pair.starts_with(key));
    let value = found.last().copied()?.strip_prefix(key)?;
    // A path with two leading slashes would be an address of another site.
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    Some((value, if others.is_empty() { path } else { format!("{path}?{}", others.join("&")) }))
}

/// Redirects to an address of this site and stores the choice.
fn chosen(to: &str, kept: Option<Cookie<'static>>) -> Response {
    let mut response = see_other(to);
    if let Some(cookie) = kept {
        cookies::append(response.headers_mut(), &cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choosing_a_language_leads_back_to_the_same_page_of_this_site() {
        let to = |uri: &str| {
            let response = language_choice(&Method::GET, &uri.parse().unwrap())?;
            let location = response.headers().get(header::LOCATION)?.to_str().ok()?.to_owned();
            let cookie = response.headers().get(header::SET_COOKIE).map(|cookie| cookie.to_str().unwrap().to_owned());
            Some((location, cookie))
        };
        let (location, cookie) = to("/sign-in?next=/library&lang=en").unwrap();
        assert_eq!(location, "/sign-in?next=/library");
        assert_eq!(cookie.unwrap(), "handbook-locale=en; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000");
        assert_eq!(to("/sign-in?lang=klingon").unwrap(), ("/sign-in".to_owned(), None));
        assert_eq!(to("//evil.example/?lang=en").unwrap().0, "/evil.example/");
        assert_eq!(to("/\\evil.example/?lang=en").unwrap().0, "/");
        assert_eq!(to("/sign-in?next=\\evil.example&lang=en").unwrap().0, "/");
        assert_eq!(to("/sign-in?next=/library"), None);
    }
}
