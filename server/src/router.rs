//! Routes, and the layers that every request passes.

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
    page_end, reorganisation_files, request_context, security_headers, start_report,
    state::Shared,
    uploads,
};

/// Compression happens while somebody waits: higher levels cost more time than the smaller transfer saves.
const PAGE_COMPRESSION: CompressionLevel = CompressionLevel::Precise(5);

/// All routes except metrics.
pub(crate) fn build(shared: &Shared, site: &Site) -> Router {
    // The layer added last is the outermost: it sees the request first.
    Router::new()
        .merge(pages(shared, site))
        .merge(site.routes())
        .merge(health::routes())
        .layer(CompressionLayer::new().quality(PAGE_COMPRESSION).compress_when(DefaultPredicate::new().and(is_page)))
        .layer(from_fn(security_headers::set))
        .layer(from_fn_with_state(shared.backend.clock().clone(), observe::observe))
        .with_state(shared.clone())
}

/// The metrics, for a separate address.
pub(crate) fn numbers(shared: &Shared) -> Router {
    health::numbers_routes().layer(from_fn(security_headers::set)).with_state(shared.clone())
}

/// Files are compressed already, and ranges of them refer to uncompressed bytes.
fn is_page(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(header::ACCEPT_RANGES)
}

/// The pages, the server functions and the live figures: all routes with a request context.
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
        .layer(from_fn(answers::refuse_dot_segments))
        .merge(downloads::routes())
        .merge(start_report::routes())
        .route("/sign-in/with/{provider}", get(federation::leave))
        .route("/sign-in/callback/{provider}", get(federation::arrive))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIME_MAX))
        // Outside the time limit: the stream stays open.
        .route("/live", get(live::live));
    // Uploads and downloads run at the speed of the connection: they have limits of their own.
    let files =
        Router::new().merge(uploads::routes()).merge(reorganisation_files::routes()).merge(files::routes()).merge(desk::routes());
    visited(shared, quick)
        .layer(from_fn_with_state(shared.gate.clone(), overload::guard))
        .layer(from_fn_with_state(Arc::clone(&site.assets), answers::offer_again))
        .merge(visited(shared, files))
}

/// Adds the request context to these routes.
fn visited(shared: &Shared, routes: Router<Shared>) -> Router<Shared> {
    routes
        .layer(from_fn(csrf::guard))
        .layer(from_fn(answers::complete))
        .layer(from_fn_with_state(shared.clone(), request_context::enter))
}

/// Provides the nonce of the response header instead of the one that leptos generates per page.
fn provide_nonce() {
    if let Some(nonce) = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Nonce>().cloned()) {
        provide_context(nonce);
    }
}
