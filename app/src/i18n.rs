//! The language of the page being looked at.

use domain::Locale;

use crate::{context::use_page, ui::ContentLang};

/// What the organisation writes, its documents and names, is in this language, whatever the page is in.
pub(crate) const CONTENT: Locale = Locale::Vi;

/// What marks content on a page in this language, so that it is spoken as what it is.
pub fn content_lang(page: Locale) -> ContentLang {
    ContentLang((page != CONTENT).then(|| CONTENT.tag()))
}

/// The viewer's language; of the browser when nobody is signed in.
pub fn use_locale() -> Locale {
    use_page().preferences.locale
}
