//! The language of the page being looked at.

use domain::Locale;

use crate::context::use_page;

/// The viewer's language; of the browser when nobody is signed in.
pub fn use_locale() -> Locale {
    use_page().preferences.locale
}
