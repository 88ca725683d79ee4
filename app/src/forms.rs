//! The server's half of every form: one way back, with script (JSON) and without (redirect, problems shown on the page again).

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

    /// Name of the cookie in which the browser names the form it sends, see `scripts/keep.js`. The answer has the mark in its name, so
    /// that forms sent close together do not take each other's.
    const TYPED_COOKIE: &str = "handbook-typed";

    /// How long the answer waits for the script.
    const TAKEN_KEPT: Duration = Duration::minutes(10);

    /// A form as it was sent.
    #[derive(Debug)]
    pub struct Submitted {
        name: &'static str,
        typed: BTreeMap<String, String>,
    }

    impl Submitted {
        /// `typed` is what is given back when the form cannot be accepted. Leave passwords out.
        pub fn new(name: &'static str, typed: &[(&str, &str)]) -> Self {
            let typed = typed.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
            Self { name, typed }
        }

        /// Turns the use-case's result into the answer.
        ///
        /// # Errors
        /// For a caller with script: what is neither done nor a problem of the form. Without script everything ends on a page.
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
                        // What is returned is not shown: the redirect is.
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
                // A page that has become old never succeeds: the script loads it again, with what was typed.
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

        /// What the way to a new sign-in is called: it says that what was typed is not lost, where it is kept.
        fn way_back_in(&self) -> impl Fn(bool) -> &'static str + use<> {
            let locale = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
            let is_empty = self.typed.values().all(|value| value.trim().is_empty());
            move |is_kept| {
                if is_empty || !is_kept { text::frame::sign_in_again(locale) } else { text::frame::sign_in_again_kept(locale) }
            }
        }

        /// Without script: a page that says what happened. What was typed waits at the form, also through a new sign-in.
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

        /// What was typed waits at the form on `page`.
        async fn keep(self, page: &str) -> Result<(), AppError> {
            if self.typed.values().all(|value| value.trim().is_empty()) {
                return Ok(());
            }
            let kept = FormErrors { form: self.name.to_owned(), values: self.typed, problems: Vec::new() };
            put_flash(&kept, page).await
        }
    }

    /// What was typed would be lost on the way to the password: a script does not go there by itself, and the message says why.
    fn not_kept(mut error: AppError) -> AppError {
        let locale = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
        error.way = Some(text::sessions::confirm(locale).to_owned());
        let mut told = respond_to(error);
        text::sessions::rested_not_kept(locale).clone_into(&mut told.message);
        told
    }

    /// Where the password is given again; it leads back to `page`.
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
                // What would end the value, or be taken for something else.
                '%' | '&' | '#' | '+' | '"' | '\'' | '<' | '>' => address.push_str(&format!("%{:02X}", u32::from(c))),
                c => address.push(c),
            }
        }
        address
    }

    /// Keeps a form for the page it stands on and returns the cookie that leads to it there.
    ///
    /// # Errors
    /// [`backend::Error::Busy`] when its sender has left too much already.
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

    /// Whether this form was sent by the browser itself.
    fn wants_page() -> bool {
        use_context::<Parts>().is_some_and(|parts| accepts_page(&parts.headers))
    }

    /// Whether a page is asked for, as a browser does by itself; our scripts ask for JSON.
    pub fn accepts_page(headers: &HeaderMap) -> bool {
        headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
    }

    /// Path and query of the page the form stands on; the first page when it is not known.
    fn referring_page() -> String {
        known_page().unwrap_or_else(|| "/".to_owned())
    }

    /// Path and query of the page the form stands on, where the request tells it.
    fn known_page() -> Option<String> {
        let parts = use_context::<Parts>()?;
        let referer = parts.headers.get(header::REFERER)?.to_str().ok()?;
        referer.parse::<http::Uri>().ok()?.path_and_query().map(|page| local(page.as_str()))
    }

    /// Tells the browser that the form was taken: what it keeps of it can go. The script reads this cookie, and on plain HTTP too.
    fn tell_taken() {
        let Some(mark) = use_context::<Parts>().and_then(|parts| sent_mark(&parts.headers)) else { return };
        let cookie = Cookie::build((format!("{TYPED_COOKIE}-{mark}"), "taken")).path("/").max_age(TAKEN_KEPT);
        // Without it the browser keeps for longer what nobody needs; the form was taken all the same.
        let _ = cookies::respond_with(&cookie.same_site(SameSite::Lax).build());
    }

    /// What the browser calls the form it sends; none when the script did not make it.
    fn sent_mark(headers: &HeaderMap) -> Option<String> {
        let mark = cookies::sent(headers, TYPED_COOKIE)?;
        let fits = (1..=16).contains(&mark.len()) && mark.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| mark.to_owned())
    }

    /// `to` when it is a page of this site, else the first page.
    pub fn local(to: &str) -> String {
        if is_local(to) { to.to_owned() } else { "/".to_owned() }
    }

    #[cfg(test)]
    mod tests {
        use http::HeaderValue;

        use super::*;

        #[test]
        fn only_a_mark_of_the_scripts_making_is_sent_back() {
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
