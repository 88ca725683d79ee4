//! Pages whose markup the server alone writes, also when the browser half asks for the next one. That half shows it as it is and has
//! no code for its parts: for pages one reads, of which a phone has many and changes nothing.
//!
//! Their links are followed like all others, their forms are sent by the browser itself; what a script adds to them is in
//! `scripts/reading.js`.

use std::future::Future;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{error::AppError, page::show, title::Title};

/// A page ready to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    pub title: String,
    /// What [`Rendered::of`] wrote, and nothing else: it is put into the page as it is.
    pub html: String,
}

/// Shows what `fetch` brings.
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

/// The markup is on the page already; sending it a second time with the page's data would double what a phone has to load. So the
/// server takes it out of the data, and the browser, which finds none there, leaves what stands in the page.
#[cfg(feature = "ssr")]
fn keep(kept: &ArcStoredValue<String>, page: &mut Rendered) {
    kept.set_value(std::mem::take(&mut page.html));
}

/// A page that the browser fetched itself has its markup with it.
#[cfg(not(feature = "ssr"))]
fn keep(_: &ArcStoredValue<String>, _: &mut Rendered) {}

#[cfg(feature = "ssr")]
impl Rendered {
    /// Writes a page. The view has no way to take what happens in the browser: no handlers, no signals that change.
    pub fn of(title: impl Into<String>, view: impl FnOnce() -> AnyView) -> Self {
        use crate::{context::request::request_context, i18n::content_lang};

        // A server function that the browser calls knows nothing yet of what pages find around them.
        if let Some(context) = request_context() {
            provide_context(context.page.terms);
            provide_context(content_lang(context.page.preferences.locale));
        }
        // The browser half never looks into this markup, so it needs no marks between its texts.
        Self { title: title.into(), html: view().to_html().replace("<!>", "") }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn markup_is_sent_without_marks_and_what_was_written_stays() {
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
