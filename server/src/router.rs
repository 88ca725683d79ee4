//! Which address leads where, and what every request passes on its way.

use std::sync::Arc;

use app::{App, shell::shell};
use axum::{
    Router,
    http::{Extensions, HeaderMap, StatusCode, Version, header, request::Parts},
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use leptos::{
    nonce::Nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::{LeptosRoutes, generate_route_list, render_app_async_with_context};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, Predicate},
    },
    timeout::TimeoutLayer,
};

use crate::{
    answers,
    assets::Site,
    csrf, desk, downloads, federation, files, health, live, observe,
    overload::{self, TIME_MAX},
    page_end, request_context, security_headers, start_report,
    state::Shared,
    uploads,
};

/// Pages are compressed while somebody waits: stronger levels cost more time than the line saves.
const PAGE_COMPRESSION: CompressionLevel = CompressionLevel::Precise(5);

/// Everything but the numbers.
pub(crate) fn build(shared: &Shared, site: &Site) -> Router {
    // The layer added last is the outermost: it meets the request first.
    Router::new()
        .merge(pages(shared, site))
        .merge(site.routes())
        .merge(health::routes())
        .layer(CompressionLayer::new().quality(PAGE_COMPRESSION).compress_when(DefaultPredicate::new().and(is_page)))
        .layer(from_fn(security_headers::set))
        .layer(from_fn_with_state(shared.backend.clock().clone(), observe::observe))
        .with_state(shared.clone())
}

/// The numbers, for an address of their own.
pub(crate) fn numbers(shared: &Shared) -> Router {
    health::numbers_routes().layer(from_fn(security_headers::set)).with_state(shared.clone())
}

/// Files are packed already, and parts of them are asked for by their place.
fn is_page(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(header::ACCEPT_RANGES)
}

/// The pages, the server functions and the live figures: all that knows who is there.
fn pages(shared: &Shared, site: &Site) -> Router<Shared> {
    let context = {
        let backend = shared.backend.clone();
        move || {
            provide_context(backend.clone());
            provide_nonce();
        }
    };
    let document = {
        let assets = Arc::clone(&site.assets);
        move || shell(&assets)
    };
    let quick = Router::new()
        .leptos_routes_with_context(shared, generate_route_list(App), context.clone(), document.clone())
        .fallback(render_app_async_with_context(context, document))
        .layer(from_fn(page_end::close))
        .merge(downloads::routes())
        .merge(start_report::routes())
        .route("/sign-in/with/{provider}", get(federation::leave))
        .route("/sign-in/callback/{provider}", get(federation::arrive))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIME_MAX))
        // After the time limit: it stays open.
        .route("/live", get(live::live));
    // Files come in, and go out, at the speed of their line: they have limits of their own.
    let files = Router::new().merge(uploads::routes()).merge(files::routes()).merge(desk::routes());
    visited(shared, quick)
        .layer(from_fn_with_state(shared.gate.clone(), overload::guard))
        .layer(from_fn_with_state(Arc::clone(&site.assets), answers::offer_again))
        .merge(visited(shared, files))
}

/// Who is there is known to these routes.
fn visited(shared: &Shared, routes: Router<Shared>) -> Router<Shared> {
    routes
        .layer(from_fn(csrf::guard))
        .layer(from_fn(answers::complete))
        .layer(from_fn_with_state(shared.clone(), request_context::enter))
}

/// The nonce of the answer's header, in place of the one that leptos makes up for each page.
fn provide_nonce() {
    if let Some(nonce) = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Nonce>().cloned()) {
        provide_context(nonce);
    }
}
