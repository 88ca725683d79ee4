//! The language of the current page.

use domain::Locale;

use crate::{context::use_page, ui::ContentLang};

/// The language of content written by the organisation, documents and names, whatever the language of the page.
pub(crate) const CONTENT: Locale = Locale::Vi;

/// The `lang` attribute of content on a page in this language, for screen readers.
pub fn content_lang(page: Locale) -> ContentLang {
    ContentLang((page != CONTENT).then(|| CONTENT.tag()))
}

/// The viewer's language; the browser's without a session.
pub fn use_locale() -> Locale {
    use_page().preferences.locale
}
