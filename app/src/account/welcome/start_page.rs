//! Step one: the national ID. The link in a card's QR code includes its code.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::step;
use crate::{
    context::take_echo,
    frame::way_back,
    i18n::use_locale,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Button, ButtonKind, ErrorSummary, Field, Form, IconName, LinkButton, Notice, NoticeKind, PageHeader},
};

const LABELS: Labels = &[("national_id", text::account::national_id), ("code", text::welcome::paper_code)];

#[component]
pub fn WelcomePage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let echo = take_echo("welcome");
    let typed = |field: &str| echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
    let typed_id = typed("national_id");
    let code = typed("code").or_else(|| query.read_untracked().get("code")).filter(|code| !code.is_empty());
    let is_over = query.read_untracked().get("over").is_some();
    let errors = RwSignal::new(echo);
    let code_field = code.map(|code| {
        view! {
            <Field
                label=text::welcome::paper_code(l)
                name="code"
                value=code
                hint=text::welcome::paper_code_filled(l)
                error=field_error(l, errors, LABELS, "code")
                autocomplete="off"
                required=true
            />
        }
    });
    view! {
        <Title text=text::welcome::start_title(l)/>
        <div class="page page-narrow">
            {way_back(text::account::sign_in_title(l), "/sign-in", text::welcome::start_title(l))}
            <PageHeader title=text::welcome::start_title(l) eyebrow=step(l, 1) lead=text::welcome::start_lead(l)/>
            {is_over
                .then(|| {
                    view! {
                        <Notice kind=NoticeKind::Info title=text::welcome::over_title(l)>
                            <p>{text::welcome::over(l)}</p>
                        </Notice>
                    }
                })}
            <ErrorSummary title=text::welcome::errors(l) items=all_errors(l, errors, LABELS)/>
            <Form action="/api/account/welcome" failed=text::frame::network_failed(l) errors>
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
                {code_field}
                <div class="actions">
                    <Button wide=true icon=IconName::ArrowRight>{text::welcome::next(l)}</Button>
                    <LinkButton href="/sign-in" kind=ButtonKind::Quiet>{text::welcome::have_password(l)}</LinkButton>
                </div>
            </Form>
        </div>
    }
}
