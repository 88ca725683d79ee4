//! The sign-in page.

use domain::Locale;
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use crate::{
    context::{take_echo, use_viewer},
    i18n::use_locale,
    sessions::{FederationNotice, SignInWith},
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Button, ButtonKind, Card, ErrorSummary, Field, Form, Icon, IconName, LinkButton, Notice, NoticeKind, PageHeader,
        PasswordField,
    },
};

const LABELS: Labels = &[("national_id", text::account::national_id), ("password", text::account::password)];

#[component]
pub fn SignInPage() -> impl IntoView {
    let l = use_locale();
    let next = use_query_map().read_untracked().get("next").unwrap_or_else(|| "/".to_owned());
    let content = match use_viewer() {
        Some(viewer) => signed_in_already(l, &viewer.name),
        None => sign_in_form(l, &next),
    };
    view! {
        <Title text=text::account::sign_in_title(l)/>
        <div class="page page-narrow">
            {content}
        </div>
    }
}

fn signed_in_already(l: Locale, name: &str) -> AnyView {
    let told = text::account::signed_in(l, name);
    view! {
        <PageHeader title=text::account::sign_in_title(l)/>
        <Notice kind=NoticeKind::Ok title=text::account::signed_in_title(l)>
            <p>{told}</p>
        </Notice>
        <div class="actions">
            <LinkButton href="/" icon=IconName::Home>{text::frame::to_home(l)}</LinkButton>
        </div>
    }
    .into_any()
}

fn sign_in_form(l: Locale, next: &str) -> AnyView {
    let echo = take_echo("sign_in");
    let typed_id = echo.as_ref().and_then(|echo| echo.value("national_id")).map(str::to_owned);
    let errors = RwSignal::new(echo);
    let languages = languages(l, next);
    let (next, with_next) = (next.to_owned(), next.to_owned());
    view! {
        <PageHeader title=text::account::sign_in_title(l) lead=text::account::sign_in_lead(l)/>
        <FederationNotice/>
        <ErrorSummary title=text::account::sign_in_errors(l) items=all_errors(l, errors, LABELS)/>
        <Form action="/api/account/sign_in" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="next" value=next/>
            <Field
                label=text::account::national_id(l)
                name="national_id"
                value=typed_id
                hint=text::account::national_id_hint(l)
                error=field_error(l, errors, LABELS, "national_id")
                autocomplete="username"
                inputmode="numeric"
                required=true
            />
            <PasswordField
                label=text::account::password(l)
                name="password"
                error=field_error(l, errors, LABELS, "password")
                show_label=text::account::show_password(l)
                hide_label=text::account::hide_password(l)
            />
            <div class="actions">
                <Button wide=true icon=IconName::SignIn>{text::account::sign_in(l)}</Button>
            </div>
        </Form>
        <SignInWith next=with_next/>
        <Card title=text::account::help_title(l)>
            <p>{text::account::help(l)}</p>
            <div class="actions">
                <LinkButton href="/welcome" kind=ButtonKind::Secondary icon=IconName::Key>{text::account::to_welcome(l)}</LinkButton>
            </div>
        </Card>
        <p>{text::guides::invitation(l)} " " <a href="/guides">{text::guides::open(l)}</a></p>
        {languages}
    }
    .into_any()
}

/// Links instead of router chips: the server answers them with the page in the other language.
fn languages(l: Locale, next: &str) -> impl IntoView + use<> {
    let links = Locale::ALL
        .map(|language| {
            let mut query = ParamsMap::new();
            query.insert("lang", language.tag().to_owned());
            query.insert("next", next.to_owned());
            let href = format!("/sign-in{}", query.to_query_string());
            let current = language == l;
            view! {
                <li>
                    <a
                        class="chip"
                        href=href
                        rel="external"
                        lang=language.tag()
                        hreflang=language.tag()
                        aria-current=current.then_some("true")
                    >
                        {current.then(|| view! { <Icon name=IconName::Check/> })}
                        <span>{language.name()}</span>
                    </a>
                </li>
            }
        })
        .into_iter()
        .collect_view();
    view! { <nav class="chips" aria-label=text::account::languages(l)><ul role="list">{links}</ul></nav> }
}
