//! Pages whose markup is only rendered by the server, also when the browser half requests the next one. The browser half shows it
//! unchanged and has no code for its parts: for read-only pages, which phones show most.
//!
//! Links on them work as usual, forms are posted by the browser; scripts add to them through `scripts/reading.js`.

use std::future::Future;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{error::AppError, page::show, title::Title};

/// A rendered page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    pub title: String,
    /// Output of [`Rendered::of`] only, because it is inserted without escaping.
    pub html: String,
}

/// Shows the result of `fetch`.
pub fn show_rendered<S, F>(
    source: impl Fn() -> S + Send + Sync + 'static,
    fetch: impl Fn(S) -> F + Clone + Send + Sync + 'static,
) -> AnyView
where
    S: PartialEq + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Rendered, AppError>> + Send + 'static,
{
    let written = ArcStoredValue::new(String::new());
    let kept = written.clone();
    let data = Resource::new(source, move |asked| {
        let (kept, fetch) = (kept.clone(), fetch(asked));
        async move {
            let mut page = fetch.await?;
            keep(&kept, &mut page);
            Ok(page)
        }
    });
    show(data, move |page| {
        let html = if page.html.is_empty() { written.get_value() } else { page.html };
        view! {
            <Title text=page.title/>
            <div class="page" inner_html=html></div>
        }
        .into_any()
    })
}

/// The markup is already in the document; a second copy in the page's data would double the download. So the server removes it
/// from the data, and the browser, which finds none there, keeps the existing markup.
#[cfg(feature = "ssr")]
fn keep(kept: &ArcStoredValue<String>, page: &mut Rendered) {
    kept.set_value(std::mem::take(&mut page.html));
}

/// A page that the browser fetched itself contains its markup.
#[cfg(not(feature = "ssr"))]
fn keep(_: &ArcStoredValue<String>, _: &mut Rendered) {}

#[cfg(feature = "ssr")]
impl Rendered {
    /// Renders a page. The view cannot use browser features: no event handlers, no changing signals.
    pub fn of(title: impl Into<String>, view: impl FnOnce() -> AnyView) -> Self {
        use crate::{context::request::request_context, i18n::content_lang};

        // A server function called by the browser has no page context yet.
        if let Some(context) = request_context() {
            provide_context(content_lang(context.page.preferences.locale));
        }
        // The browser half does not hydrate this markup, so the markers between texts are removed.
        Self { title: title.into(), html: view().to_html().replace("<!>", "") }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn markers_are_removed_and_escaped_text_is_kept() {
        let owner = Owner::new();
        owner.set();
        let written = "<!>".to_owned();
        let page = Rendered::of("Title", || {
            view! { <p title=written.clone()>{written.clone()} " and " {None::<String>}</p> }.into_any()
        });
        assert!(!page.html.contains("<!>"), "{}", page.html);
        assert!(page.html.contains(">&lt;!&gt; and </p>"), "{}", page.html);
        assert!(page.html.contains("title=\"&lt;!&gt;\""), "{}", page.html);
    }
}
