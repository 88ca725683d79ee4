//! The document around the application: head, style sheet, and the start of the WebAssembly half.

use std::{collections::BTreeMap, sync::Arc};

use http::request::Parts;
use leptos::{
    nonce::{Nonce, use_nonce},
    prelude::*,
};
use leptos_meta::MetaTags;
use serde::Deserialize;

use crate::{
    App, ROOT,
    context::request::request_context,
    pages::{is_server_only, scripts_of},
    text,
};

/// Addresses of the built assets, read once from the site's `assets.json`. Empty when only the server was built: pages then work
/// without script.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Assets {
    pub js: String,
    pub wasm: String,
    pub css: String,
    /// Scripts in `scripts/`, by name.
    #[serde(default)]
    pub scripts: BTreeMap<String, String>,
    /// Changes with every build.
    pub build: String,
}

pub fn shell(assets: &Arc<Assets>) -> impl IntoView + use<> {
    let page = request_context().map(|context| context.page).unwrap_or_default();
    let preferences = page.preferences;
    let owner = page.viewer.map(|viewer| viewer.member.to_string());
    let nonce = use_nonce();
    let path = use_context::<Parts>().map(|request| request.uri.path().to_owned()).unwrap_or_default();
    let is_static = is_server_only(&path);
    let addresses = scripts_of(&path).iter().filter_map(|name| assets.scripts.get(*name));
    let scripts =
        addresses.map(|address| view! { <script type="module" nonce=nonce.clone() src=address.clone()></script> }).collect_view();
    let keep = assets.scripts.get("keep").map(|address| {
        view! {
            <script
                type="module"
                nonce=nonce.clone()
                src=address.clone()
                data-owner=owner
                data-kept=text::frame::kept(preferences.locale)
                data-remove=text::frame::kept_remove(preferences.locale)
            ></script>
        }
    });
    let stay = is_static.then(|| view! { <script nonce=nonce.clone() inner_html=GO_BACK></script> });
    let start = (!is_static).then(|| start(assets, nonce));
    let assets = Arc::clone(assets);
    view! {
        <!DOCTYPE html>
        <html
            lang=preferences.locale.tag()
            data-theme=preferences.theme.key()
            data-text-size=preferences.text_size.key()
            data-static=is_static.then_some("true")
        >
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                // Phones would turn card numbers and codes into links, because they look like phone numbers.
                <meta name="format-detection" content="telephone=no"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" content="#8f1d21" media="(prefers-color-scheme: light)"/>
                <meta name="theme-color" content="#4c1214" media="(prefers-color-scheme: dark)"/>
                {(!assets.css.is_empty()).then(|| view! { <link rel="stylesheet" href=assets.css.clone()/> })}
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <MetaTags/>
            </head>
            <body>
                // The browser half only uses this element, so content that extensions insert into the body does not interfere.
                <div id=ROOT>
                    <App/>
                </div>
                {stay}
                {start}
                // On every page: typed input is kept, see `scripts/keep.js`.
                {keep}
                {scripts}
            </body>
        </html>
    }
}

/// The only script of pages rendered by the server only. The application enters such a page through a history entry of its own,
/// see `pages::by_server`; browsers then treat going back as a step within the page, and would show it under the previous
/// address.
const GO_BACK: &str =
    "(()=>{const here=location.pathname;addEventListener('popstate',()=>here!==location.pathname&&location.reload())})()";

/// Starts the WebAssembly half, see `scripts/start.js`. `None` when the browser half was not built.
fn start(assets: &Assets, nonce: Option<Nonce>) -> Option<AnyView> {
    let address = assets.scripts.get("start").filter(|_| !assets.js.is_empty())?.clone();
    let beside: Vec<_> = BESIDE.iter().filter_map(|name| assets.scripts.get(*name)).map(String::as_str).collect();
    let script = view! {
        <script
            type="module"
            nonce=nonce
            src=address
            data-js=assets.js.clone()
            data-wasm=assets.wasm.clone()
            data-build=assets.build.clone()
            data-scripts=beside.join(" ")
        ></script>
    };
    Some(script.into_any())
}

/// Scripts loaded with the WebAssembly half: for rendered markup, which has no code in the browser half (see `rendered`), and for
/// navigation between pages.
pub(crate) const BESIDE: [&str; 2] = ["reading", "places"];
