//! Choices kept in cookies: the language before signing in, and the acting unit.

use app::cookies::{header_value, sent};
use axum::http::{HeaderMap, header};
use cookie::{Cookie, SameSite, time::Duration};
use domain::{Locale, ids::UnitId};

/// The language chosen before signing in.
const LOCALE: &str = "handbook-locale";

/// The acting unit of a person with several offices.
const UNIT: &str = "handbook-unit";

/// Lifetime of these two cookies.
const KEPT_FOR: Duration = Duration::days(365);

pub(crate) fn keep_locale(locale: Locale) -> Cookie<'static> {
    choice(LOCALE, locale.tag().to_owned(), KEPT_FOR)
}

pub(crate) fn keep_unit(unit: UnitId) -> Cookie<'static> {
    choice(UNIT, unit.to_string(), KEPT_FOR)
}

/// Removes the choice, so that all units count.
pub(crate) fn forget_unit() -> Cookie<'static> {
    choice(UNIT, String::new(), Duration::ZERO)
}

/// Also set on plain HTTP: the cookie is not personal.
fn choice(name: &'static str, value: String, max_age: Duration) -> Cookie<'static> {
    Cookie::build((name, value)).path("/").max_age(max_age).http_only(true).same_site(SameSite::Lax).build()
}

/// The language of a visitor who is not signed in.
pub(crate) fn chosen_locale(headers: &HeaderMap) -> Locale {
    sent(headers, LOCALE).and_then(Locale::from_tag).unwrap_or_else(|| {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|languages| languages.to_str().ok());
        accepted.map_or_else(Locale::default, Locale::from_accept_language)
    })
}

/// The unit from the cookie. The caller must check that the person holds an office there.
pub(crate) fn chosen_unit(headers: &HeaderMap) -> Option<UnitId> {
    sent(headers, UNIT)?.parse().ok()
}

/// Adds the cookie to a response. A cookie that is not a valid header value is dropped.
pub(crate) fn append(headers: &mut HeaderMap, cookie: &Cookie<'_>) {
    if let Some(line) = header_value(cookie) {
        headers.append(header::SET_COOKIE, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_chosen_language_goes_before_the_browsers() {
        assert_eq!(chosen_locale(&headers(&[])), Locale::Vi);
        assert_eq!(chosen_locale(&headers(&[("accept-language", "bn-BD,en;q=0.5")])), Locale::Bn);
        assert_eq!(chosen_locale(&headers(&[("accept-language", "bn-BD"), ("cookie", "handbook-locale=en")])), Locale::En);
        assert_eq!(chosen_locale(&headers(&[("accept-language", "bn-BD"), ("cookie", "handbook-locale=xx")])), Locale::Bn);
    }

    #[test]
    fn the_chosen_unit_is_kept_for_a_year() {
        let unit: UnitId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id");
        let line = format!("handbook-unit={unit}; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000");
        assert_eq!(keep_unit(unit).to_string(), line);
        assert_eq!(forget_unit().to_string(), "handbook-unit=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
        assert_eq!(chosen_unit(&headers(&[("cookie", &format!("handbook-unit={unit}"))])), Some(unit));
        assert_eq!(chosen_unit(&headers(&[("cookie", "handbook-unit=x")])), None);
    }
}
