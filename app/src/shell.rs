//! The document around the application: head, style sheet, and what starts the WebAssembly half.

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
    /// Scripts of `scripts/`, by name.
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
                // Card numbers and codes look like phone numbers to a phone, which would make links of them.
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
                // What extensions put into the body stays outside: the browser half looks at nothing but this element.
                <div id=ROOT>
                    <App/>
                </div>
                {stay}
                {start}
                // On every page: what is typed is kept, see `scripts/keep.js`.
                {keep}
                {scripts}
            </body>
        </html>
    }
}

/// All the script of every page of the server only. The application leaves for such a page in an entry of the history it has made
/// itself, see `pages::by_server`; browsers then take going back for a step within the page, and would show it under the address before it.
const GO_BACK: &str =
    "(()=>{const here=location.pathname;addEventListener('popstate',()=>here!==location.pathname&&location.reload())})()";

/// What starts the WebAssembly half, see `scripts/start.js`. None where the browser half was not built.
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

/// Scripts of pages of the application, loaded beside the WebAssembly half: of what it shows and does not know the parts of (see
/// `rendered`), and of going from page to page.
pub(crate) const BESIDE: [&str; 2] = ["reading", "places"];
