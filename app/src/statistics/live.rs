//! The browser's ear: what the server sends on `/live` replaces the figures on the open page.

use domain::statistics::StatisticsPage;
use leptos::{prelude::*, serde_json};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

/// Keeps `figures` up to date by what comes from `address`, and says in `connected` whether it can. Ends with the page; a broken line is the browser's to mend.
pub(super) fn follow(address: &str, figures: RwSignal<StatisticsPage>, connected: RwSignal<bool>) {
    // Fails for an address that is none; ours is one. The page then stays as it was sent.
    let Ok(source) = EventSource::new(address) else { return };
    let received = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
        // A page of a newer server that this one cannot read is left alone until the next visit.
        if let Some(fresh) = message.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
            let _ = figures.try_set(fresh);
        }
    });
    let opened = Closure::<dyn Fn()>::new(move || {
        let _ = connected.try_set(true);
    });
    let failed = Closure::<dyn Fn()>::new(move || {
        let _ = connected.try_set(false);
    });
    source.set_onmessage(Some(received.as_ref().unchecked_ref()));
    source.set_onopen(Some(opened.as_ref().unchecked_ref()));
    source.set_onerror(Some(failed.as_ref().unchecked_ref()));
    // The closures live as long as the source may call them.
    let held = StoredValue::new_local((source, received, opened, failed));
    on_cleanup(move || {
        let _ = held.try_with_value(|(source, ..)| source.close());
    });
}
