//! Who is there, and how they want the pages: read once for each request, before any page or server function runs.

use std::{net::SocketAddr, sync::Arc};

use app::{
    account::{
        cookies::{Cookie, DEVICE, DOOR, SHEET},
        session_cookie::SESSION_COOKIE,
    },
    acting::actions_at,
    context::{PageContext, server::Visit},
    error::AppError,
    forms::{FLASH_COOKIE, local},
    frame::badges,
};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use backend::Backend;
use domain::{
    Locale,
    accounts::{Preferences, Viewer},
    forms::FormErrors,
    home::Pending,
    ids::UnitId,
    terms::Terms,
};

use crate::{answers::problem, device, router::Shared};

/// The language chosen before signing in.
const LOCALE_COOKIE: &str = "handbook-locale";

/// The unit somebody with several offices acts for.
const UNIT_COOKIE: &str = "handbook-unit";

/// How long a browser keeps these two, in seconds.
const KEPT_FOR: u32 = 31_536_000;

/// Puts the [`Visit`] into the request. Pages are shown to one person and not kept: phones are shared.
pub(crate) async fn enter(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let fallback = chosen_locale(&parts.headers);
    let visit = match read(&shared, &parts, fallback).await {
        Ok(visit) => visit,
        Err(error) => {
            return problem(fallback, AppError::from(error).kind);
        }
    };
    if visit.page.viewer.is_none()
        && let Some(choice) = language_choice(&parts.method, &parts.uri)
    {
        return choice;
    }
    if let Some(viewer) = &visit.page.viewer
        && let Some(choice) = unit_choice(&parts.method, &parts.uri, viewer)
    {
        return choice;
    }
    let acting = visit.page.viewer.as_ref().filter(|_| !parts.method.is_safe()).map(|viewer| viewer.member);
    let spent = visit.page.echo.is_some().then(|| forget_form(parts.uri.path())).flatten();
    parts.extensions.insert(visit);

    let mut response = next.run(Request::from_parts(parts, body)).await;

    if let Some(member) = acting {
        shared.backend.home().forget_pending(member);
    }
    let headers = response.headers_mut();
    if let Some(spent) = spent {
        headers.append(header::SET_COOKIE, spent);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    response
}

async fn read(shared: &Shared, request: &Parts, fallback: Locale) -> backend::Result<Visit> {
    let (backend, headers) = (&shared.backend, &request.headers);
    let token = cookie(headers, SESSION_COOKIE).map(str::to_owned);
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
    // Without the setting, those of the default pack.
    let terms = request.extensions.get::<Terms>().copied().unwrap_or_default();
    let pending = match &viewer {
        Some(viewer) if asks_for_page(request) => count(backend, viewer, request.uri.path()).await,
        _ => None,
    };
    let badges = pending.as_ref().map(|pending| badges(preferences.locale, pending)).unwrap_or_default();
    let acting_for = cookie(headers, UNIT_COOKIE)
        .and_then(|unit| unit.parse::<UnitId>().ok())
        .filter(|unit| viewer.as_ref().is_some_and(|viewer| holds_office(viewer, *unit)));
    let secret = |kept: Cookie| cookie(headers, kept.name).map(str::to_owned);
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    Ok(Visit {
        page: PageContext { viewer, preferences, terms, echo, providers, acting_for, badges },
        token,
        site: Arc::clone(&shared.origin),
        device,
        address: peer.map(|peer| shared.proxies.client(peer, headers)),
        known_device: secret(DEVICE),
        door: secret(DOOR),
        sheet: secret(SHEET),
        pending,
    })
}

/// What waits for who looks at a page. Without it the page is shown all the same.
async fn count(backend: &Backend, viewer: &Viewer, path: &str) -> Option<Pending> {
    let home = backend.home();
    // These pages tell the numbers themselves.
    let counted = if matches!(path, "/" | "/more") { home.count_pending(viewer).await } else { home.pending(viewer).await };
    counted.inspect_err(|error| tracing::error!(error = error as &dyn std::error::Error, "what waits is not counted")).ok()
}

/// A form that came back is handed out once, so only to a page that will show it. Who is not signed in is on the way to the
/// sign-in page: the form waits until they are back.
fn shows_form(request: &Parts, is_signed_in: bool) -> bool {
    let path = request.uri.path();
    let is_way_in = path == "/sign-in" || path == "/welcome" || path.starts_with("/welcome/");
    asks_for_page(request) && (is_signed_in || is_way_in)
}

fn asks_for_page(request: &Parts) -> bool {
    let accept = request.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    request.method == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"))
}

async fn returned_form(backend: &Backend, headers: &HeaderMap) -> backend::Result<Option<FormErrors>> {
    match cookie(headers, FLASH_COOKIE) {
        Some(token) => backend.flashes().take(token).await,
        None => Ok(None),
    }
}

fn forget_form(path: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{FLASH_COOKIE}=; Path={path}; Max-Age=0; Secure; HttpOnly; SameSite=Lax")).ok()
}

/// The language of somebody who is not signed in.
pub(crate) fn chosen_locale(headers: &HeaderMap) -> Locale {
    cookie(headers, LOCALE_COOKIE).and_then(Locale::from_tag).unwrap_or_else(|| {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|languages| languages.to_str().ok());
        accepted.map_or_else(Locale::default, Locale::from_accept_language)
    })
}

/// `?lang=` of a page: kept in a cookie, and taken out of the address, which people send to each other.
fn language_choice(method: &Method, uri: &Uri) -> Option<Response> {
    let (tag, to) = taken_out(method, uri, "lang=")?;
    Some(chosen(&to, Locale::from_tag(tag).map(|locale| format!("{LOCALE_COOKIE}={}; Max-Age={KEPT_FOR}", locale.tag()))))
}

/// `?for=` of a place of one's offices: the same for the unit one acts for; nothing stands for all of one's units.
fn unit_choice(method: &Method, uri: &Uri, viewer: &Viewer) -> Option<Response> {
    actions_at(uri.path(), uri.query().unwrap_or_default())?;
    let (unit, to) = taken_out(method, uri, "for=")?;
    let kept = match unit.parse::<UnitId>() {
        Ok(unit) if holds_office(viewer, unit) => Some(format!("{UNIT_COOKIE}={unit}; Max-Age={KEPT_FOR}")),
        _ => unit.is_empty().then(|| format!("{UNIT_COOKIE}=; Max-Age=0")),
    };
    Some(chosen(&to, kept))
}

fn holds_office(viewer: &Viewer, unit: UnitId) -> bool {
    viewer.offices.iter().any(|office| office.unit.id == unit)
}

/// What stands behind `key` in the query, and the address without it.
fn taken_out<'u>(method: &Method, uri: &'u Uri, key: &str) -> Option<(&'u str, String)> {
    if method != Method::GET {
        return None;
    }
    let (found, others): (Vec<&str>, Vec<&str>) = uri.query()?.split('&').partition(|pair| pair.starts_with(key));
    let value = found.last().copied()?.strip_prefix(key)?;
    // A path that starts with two slashes would lead to another site.
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    let to = if others.is_empty() { path } else { format!("{path}?{}", others.join("&")) };
    Some((value, local(&to)))
}

/// Leads to an address of this site and keeps the choice.
fn chosen(to: &str, kept: Option<String>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    if let Some(cookie) = kept.and_then(|kept| HeaderValue::from_str(&format!("{kept}; Path=/; HttpOnly; SameSite=Lax")).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, value)| *found == name && !value.is_empty())
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let sent = headers(&[("cookie", "a=1; __Host-handbook=secret; b=x=y"), ("cookie", "c=")]);
        assert_eq!(cookie(&sent, "__Host-handbook"), Some("secret"));
        assert_eq!(cookie(&sent, "handbook"), None);
        assert_eq!(cookie(&sent, "b"), Some("x=y"));
        assert_eq!(cookie(&sent, "c"), None);
    }

    #[test]
    fn the_chosen_language_goes_before_the_browsers() {
        assert_eq!(chosen_locale(&headers(&[])), Locale::Vi);
        assert_eq!(chosen_locale(&headers(&[("accept-language", "bn-BD,en;q=0.5")])), Locale::Bn);
        assert_eq!(chosen_locale(&headers(&[("accept-language", "bn-BD"), ("cookie", "handbook-locale=en")])), Locale::En);
        assert_eq!(chosen_locale(&headers(&[("accept-language", "bn-BD"), ("cookie", "handbook-locale=xx")])), Locale::Bn);
    }

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
        assert!(cookie.unwrap().starts_with("handbook-locale=en; Max-Age=31536000; Path=/;"));
        assert_eq!(to("/sign-in?lang=klingon").unwrap(), ("/sign-in".to_owned(), None));
        assert_eq!(to("//evil.example/?lang=en").unwrap().0, "/evil.example/");
        assert_eq!(to("/\\evil.example/?lang=en").unwrap().0, "/");
        assert_eq!(to("/sign-in?next=\\evil.example&lang=en").unwrap().0, "/");
        assert_eq!(to("/sign-in?next=/library"), None);
    }
}
