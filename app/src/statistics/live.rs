//! The browser's end of the event stream: data received on `/live` replaces the figures of the open page.

use domain::statistics::StatisticsPage;
use leptos::{prelude::*, serde_json};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

/// Updates `figures` from the stream at `address`, and sets `connected`. Ends with the page; the browser reconnects by itself.
pub(super) fn follow(address: &str, figures: RwSignal<StatisticsPage>, connected: RwSignal<bool>) {
    // Fails for an invalid address, which ours is not. The page would then stay as rendered.
    let Ok(source) = EventSource::new(address) else { return };
    let received = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
        // Data of a newer server that cannot be parsed is ignored until the next page load.
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
    // The closures must live as long as the source may call them.
    let held = StoredValue::new_local((source, received, opened, failed));
    on_cleanup(move || {
        let _ = held.try_with_value(|(source, ..)| source.close());
    });
}
