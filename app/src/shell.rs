//! The document around the application: head, critical styles, and the loader of the WebAssembly half.

use std::{collections::BTreeMap, sync::Arc};

use http::request::Parts;
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;
use serde::Deserialize;

use crate::{
    App,
    context::server::visit,
    server_only::{is_server_only, script_of},
};

/// Addresses of the built assets, read once from the site's `assets.json`. Empty when only the server was built: pages then work
/// without script.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Assets {
    pub js: String,
    pub wasm: String,
    pub css: String,
    /// Scripts of pages that the server alone renders, by name.
    #[serde(default)]
    pub scripts: BTreeMap<String, String>,
    /// Inlined, so that the first screen needs no second request.
    pub critical_css: String,
    /// Changes with every build.
    pub build: String,
}

pub fn shell(assets: &Arc<Assets>) -> impl IntoView + use<> {
    let preferences = visit().map(|visit| visit.page.preferences).unwrap_or_default();
    let nonce = use_nonce();
    let path = use_context::<Parts>().map(|request| request.uri.path().to_owned()).unwrap_or_default();
    let is_static = is_server_only(&path);
    let script = script_of(&path).and_then(|name| assets.scripts.get(name)).map(|address| {
        view! { <script type="module" nonce=nonce.clone() src=address.clone()></script> }
    });
    let loader = (is_static || !assets.js.is_empty()).then(|| {
        let script = if is_static { LOOK_AGAIN.to_owned() } else { loader(assets) };
        view! { <script nonce=nonce.clone() inner_html=script></script> }
    });
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
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" content="#8f1d21" media="(prefers-color-scheme: light)"/>
                <meta name="theme-color" content="#4c1214" media="(prefers-color-scheme: dark)"/>
                <style nonce=nonce inner_html=assets.critical_css.clone()></style>
                {(!assets.css.is_empty()).then(|| view! { <link rel="stylesheet" href=assets.css.clone()/> })}
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <MetaTags/>
            </head>
            <body>
                <App/>
                {loader}
                {script}
            </body>
        </html>
    }
}

/// All the script of a page of the server only: what says of itself that it is not final is looked at again.
const LOOK_AGAIN: &str =
    "addEventListener('load',()=>{document.querySelector('[data-look-again]')&&setTimeout(()=>location.reload(),2000)})";

/// The script of pages that the application shows and does not know the parts of: see `rendered`.
const READING: &str = "reading";

/// Fetches the WebAssembly half when the page is loaded and the phone has nothing better to do. It must not compete with the
/// first paint; until it is there, every link and form works by itself.
fn loader(assets: &Assets) -> String {
    let (js, wasm) = (&assets.js, &assets.wasm);
    let reading = assets.scripts.get(READING).map(|address| format!("import('{address}');")).unwrap_or_default();
    format!(
        "(()=>{{const start=()=>{{{reading}import('{js}').then(m=>m.default({{module_or_path:'{wasm}'}}).then(()=>m.hydrate()))}};\
         const idle=()=>('requestIdleCallback'in window?requestIdleCallback(start,{{timeout:2000}}):setTimeout(start,200));\
         document.readyState==='complete'?idle():addEventListener('load',idle,{{once:true}})}})()"
    )
}
