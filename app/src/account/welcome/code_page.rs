//! Step three: the code. The page does not reveal whether one was sent, because that would show who is a member with a phone on
//! file.

use domain::Locale;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{on_the_way, step};
use crate::{
    context::take_echo,
    frame::way_back,
    i18n::use_locale,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Button, ButtonKind, Card, ErrorSummary, Field, Form, IconName, LinkButton, PageHeader},
};

const LABELS_SMS: Labels = &[("code", text::welcome::code_sms)];
const LABELS_PAPER: Labels = &[("code", text::welcome::code_paper)];

#[component]
pub fn CodePage() -> impl IntoView {
    let l = use_locale();
    let is_sms = use_query_map().read_untracked().get_str("way") != Some("paper");
    let echo = take_echo("code");
    let typed = echo.as_ref().and_then(|echo| echo.value("code")).map(str::to_owned);
    let errors = RwSignal::new(echo);
    // Problems of sending again: at most three messages an hour.
    let send_errors = RwSignal::new(take_echo("way"));
    on_the_way(move |_| {
        let typed = typed.clone();
        let (title, lead) = if is_sms {
            (text::welcome::code_title_sms(l), text::welcome::code_lead_sms(l))
        } else {
            (text::welcome::code_title_paper(l), text::welcome::code_lead_paper(l))
        };
        let (label, hint, keyboard, labels) = if is_sms {
            (text::welcome::code_sms(l), text::welcome::code_sms_hint(l), "numeric", LABELS_SMS)
        } else {
            (text::welcome::code_paper(l), text::welcome::code_paper_hint(l), "text", LABELS_PAPER)
        };
        view! {
            <Title text=title/>
            <div class="page page-narrow">
                {way_back(text::welcome::way_title(l), "/welcome/way", title)}
                <PageHeader title=title eyebrow=step(l, 3) lead=lead/>
                <ErrorSummary title=text::welcome::errors(l) items=all_errors(l, errors, labels)/>
                <Form action="/api/account/code" failed=text::frame::network_failed(l) errors>
                    <Field
                        label=label
                        name="code"
                        value=typed
                        hint=hint
                        error=field_error(l, errors, labels, "code")
                        autocomplete="one-time-code"
                        inputmode=keyboard
                        required=true
                    />
                    <div class="actions">
                        <Button wide=true icon=IconName::Check>{text::welcome::check(l)}</Button>
                        <LinkButton href="/welcome/way" kind=ButtonKind::Quiet>{text::welcome::other_way(l)}</LinkButton>
                    </div>
                </Form>
                {is_sms.then(|| send_again(l, send_errors))}
            </div>
        }
        .into_any()
    })
}

fn send_again(l: Locale, errors: RwSignal<Option<domain::forms::FormErrors>>) -> AnyView {
    let refused = field_error(l, errors, &[], "way");
    view! {
        <Card title=text::welcome::no_message_title(l)>
            <p>{text::welcome::no_message(l)}</p>
            {move || refused.get().map(|message| view! { <p class="field-error" role="alert">{message}</p> })}
            <Form action="/api/account/way" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="way" value="sms"/>
                <div class="actions">
                    <Button kind=ButtonKind::Secondary icon=IconName::Send>{text::welcome::send_again(l)}</Button>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}
