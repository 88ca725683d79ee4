//! The server's half of every form: one response type, with script (JSON) and without (redirect, problems shown on the page
//! again).

#[cfg(feature = "ssr")]
mod server {
    use std::collections::BTreeMap;

    use backend::{Backend, flash::Sender};
    use cookie::{Cookie, SameSite, time::Duration};
    use domain::forms::{FormErrors, Outcome, is_local};
    use http::{HeaderMap, StatusCode, header, request::Parts};
    use leptos::prelude::use_context;
    use leptos_router::params::ParamsMap;

    use crate::{
        context::request::{RequestContext, backend, request_context},
        cookies::{self, FLASH},
        error::{AppError, Kind, respond_to, set_status},
        text,
    };

    /// Name of the cookie with the client's mark of the form, see `scripts/keep.js`. The name of the response cookie contains the
    /// mark, so that the responses to concurrent forms do not overwrite each other.
    const TYPED_COOKIE: &str = "handbook-typed";

    /// Lifetime of the response cookie.
    const TAKEN_KEPT: Duration = Duration::minutes(10);

    /// A submitted form.
    #[derive(Debug)]
    pub struct Submitted {
        name: &'static str,
        typed: BTreeMap<String, String>,
    }

    impl Submitted {
        /// `typed` is returned when the form is rejected. Leave passwords out.
        pub fn new(name: &'static str, typed: &[(&str, &str)]) -> Self {
            let typed = typed.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
            Self { name, typed }
        }

        /// Turns the use-case's result into the response.
        ///
        /// # Errors
        /// With script: results that are neither success nor a problem of the form. Without script every result becomes a
        /// redirect.
        pub async fn settle(self, result: Result<Outcome, AppError>) -> Result<Outcome, AppError> {
            match result {
                Ok(Outcome::Done { to, reload }) => {
                    let to = local(&to);
                    tell_taken();
                    if wants_page() {
                        leptos_axum::redirect(&to);
                    }
                    Ok(Outcome::Done { to, reload })
                }
                Ok(Outcome::Invalid(errors)) => self.refuse(errors).await,
                Err(AppError { form: Some(errors), .. }) => self.refuse(*errors).await,
                Err(mut error) => {
                    error.kind = error.kind.for_viewer(request_context().and_then(|context| context.page.viewer).as_ref());
                    if wants_page() {
                        self.explain(error.kind).await?;
                        // The value is not shown: the redirect is the response.
                        return Ok(Outcome::Done { to: "/".to_owned(), reload: false });
                    }
                    let page = referring_page();
                    match error.kind {
                        Kind::ConfirmPassword => {
                            error.to = Some(confirm_page(&page));
                            if self.keep(&page).await.is_err() {
                                return Err(not_kept(error));
                            }
                        }
                        Kind::NotSignedIn => {
                            let way = self.way_back_in();
                            let is_kept = self.keep(&page).await.is_ok();
                            error.way = Some(way(is_kept).to_owned());
                            error.to = Some(sign_in_page(&page));
                        }
                        _ => {}
                    }
                    Err(respond_to(error))
                }
            }
        }

        async fn refuse(self, mut errors: FormErrors) -> Result<Outcome, AppError> {
            self.name.clone_into(&mut errors.form);
            for (field, value) in self.typed {
                errors.values.entry(field).or_insert(value);
            }
            if wants_page() {
                let page = referring_page();
                match put_flash(&errors, &page).await {
                    Ok(()) => leptos_axum::redirect(&page),
                    Err(error) => leptos_axum::redirect(&format!("/problem/{}", error.kind.key())),
                }
            } else {
                // A form of an outdated page never succeeds: the script reloads the page, with the typed values.
                if errors.is_stale()
                    && let Some(page) = known_page()
                    && put_flash(&errors, &page).await.is_ok()
                {
                    return Ok(Outcome::Done { to: page, reload: true });
                }
                set_status(StatusCode::UNPROCESSABLE_ENTITY);
            }
            Ok(Outcome::Invalid(errors))
        }

        /// Label of the link to a new sign-in: it mentions the typed values where they are kept.
        fn way_back_in(&self) -> impl Fn(bool) -> &'static str + use<> {
            let locale = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
            let is_empty = self.typed.values().all(|value| value.trim().is_empty());
            move |is_kept| {
                if is_empty || !is_kept { text::frame::sign_in_again(locale) } else { text::frame::sign_in_again_kept(locale) }
            }
        }

        /// Without script: redirects to a page that explains the error. The typed values are kept for the form, also through a
        /// new sign-in.
        async fn explain(self, kind: Kind) -> Result<(), AppError> {
            let page = referring_page();
            let mut kind = kind;
            if matches!(kind, Kind::NotSignedIn | Kind::ConfirmPassword | Kind::Busy | Kind::Internal)
                && let Err(error) = self.keep(&page).await
            {
                kind = error.kind;
            }
            leptos_axum::redirect(&match kind {
                Kind::NotSignedIn => sign_in_page(&page),
                Kind::ConfirmPassword => confirm_page(&page),
                Kind::Busy => leading_back("/problem/busy", &page),
                other => format!("/problem/{}", other.key()),
            });
            Ok(())
        }

        /// Keeps the typed values for the form on `page`.
        async fn keep(self, page: &str) -> Result<(), AppError> {
            if self.typed.values().all(|value| value.trim().is_empty()) {
                return Ok(());
            }
            let kept = FormErrors { form: self.name.to_owned(), values: self.typed, problems: Vec::new() };
            put_flash(&kept, page).await
        }
    }

    /// The typed values would be lost on the way to the password page: a script does not redirect there, and the message says
    /// why.
    fn not_kept(mut error: AppError) -> AppError {
        let locale = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
        error.way = Some(text::sessions::confirm(locale).to_owned());
        let mut told = respond_to(error);
        text::sessions::rested_not_kept(locale).clone_into(&mut told.message);
        told
    }

    /// The page that asks for the password again; it leads back to `page`.
    fn confirm_page(page: &str) -> String {
        leading_back("/confirm", page)
    }

    /// The address of the page `at`, which leads back to `page` of this site.
    fn leading_back(at: &str, page: &str) -> String {
        let mut query = ParamsMap::new();
        query.insert("next", page.to_owned());
        format!("{at}{}", query.to_query_string())
    }

    /// The sign-in page that leads back to `page` of this site.
    pub fn sign_in_page(page: &str) -> String {
        let mut address = "/sign-in?next=".to_owned();
        for c in local(page).chars() {
            match c {
                // Characters that would end the value or be decoded differently.
                '%' | '&' | '#' | '+' | '"' | '\'' | '<' | '>' => address.push_str(&format!("%{:02X}", u32::from(c))),
                c => address.push(c),
            }
        }
        address
    }

    /// Stores a form for its page and returns the cookie with its secret.
    ///
    /// # Errors
    /// [`backend::Error::Busy`] when the sender has stored too many already.
    pub async fn keep_form(
        backend: &Backend,
        context: &RequestContext,
        errors: &FormErrors,
        page: &str,
    ) -> backend::Result<Cookie<'static>> {
        let sender = match &context.page.viewer {
            Some(viewer) => Sender::Member(viewer.member),
            None => Sender::Stranger(context.origin()),
        };
        let token = backend.flashes().put(errors, &sender).await?;
        Ok(FLASH.holding_at(&token, page.split(['?', '#']).next().unwrap_or("/")))
    }

    async fn put_flash(errors: &FormErrors, page: &str) -> Result<(), AppError> {
        cookies::respond_with(&keep_form(&backend()?, &request_context().unwrap_or_default(), errors, page).await?)
    }

    /// Whether the browser sent this form itself, without script.
    fn wants_page() -> bool {
        use_context::<Parts>().is_some_and(|parts| accepts_page(&parts.headers))
    }

    /// Whether the client accepts a page, as browsers do by default; our scripts request JSON.
    pub fn accepts_page(headers: &HeaderMap) -> bool {
        headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
    }

    /// Path and query of the form's page; the first page when unknown.
    fn referring_page() -> String {
        known_page().unwrap_or_else(|| "/".to_owned())
    }

    /// Path and query of the form's page, if the request has a referrer.
    fn known_page() -> Option<String> {
        let parts = use_context::<Parts>()?;
        let referer = parts.headers.get(header::REFERER)?.to_str().ok()?;
        referer.parse::<http::Uri>().ok()?.path_and_query().map(|page| local(page.as_str()))
    }

    /// Sets a cookie that lets the script delete its copy of the form. Readable by scripts, and set on plain HTTP too.
    fn tell_taken() {
        let Some(mark) = use_context::<Parts>().and_then(|parts| sent_mark(&parts.headers)) else { return };
        let cookie = Cookie::build((format!("{TYPED_COOKIE}-{mark}"), "taken")).path("/").max_age(TAKEN_KEPT);
        // On an error the browser keeps its copy until it expires; the form has succeeded all the same.
        let _ = cookies::respond_with(&cookie.same_site(SameSite::Lax).build());
    }

    /// The client's mark of the form; `None` when the script did not generate it.
    fn sent_mark(headers: &HeaderMap) -> Option<String> {
        let mark = cookies::sent(headers, TYPED_COOKIE)?;
        let fits = (1..=16).contains(&mark.len()) && mark.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| mark.to_owned())
    }

    /// `to` when it is a path of this site, otherwise the first page.
    pub fn local(to: &str) -> String {
        if is_local(to) { to.to_owned() } else { "/".to_owned() }
    }

    #[cfg(test)]
    mod tests {
        use http::HeaderValue;

        use super::*;

        #[test]
        fn only_a_mark_in_the_scripts_format_is_sent_back() {
            for (cookies, mark) in [
                ("handbook-locale=vi; handbook-typed=k3x9", Some("k3x9")),
                ("handbook-typed-k3x9=taken", None),
                ("handbook-typed-a1=taken; handbook-typed=k3x9", Some("k3x9")),
                ("handbook-typed=k3x9.taken", None),
                ("handbook-typed=", None),
                ("handbook-typed=12345678901234567", None),
                ("handbook-typed=a\"b", None),
                ("other-handbook-typed=k3x9", None),
            ] {
                let mut headers = HeaderMap::new();
                headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
                assert_eq!(sent_mark(&headers).as_deref(), mark, "{cookies}");
            }
        }
    }
}

#[cfg(feature = "ssr")]
pub use server::{Submitted, accepts_page, keep_form, local, sign_in_page};
