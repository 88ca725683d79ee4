//! The member requests a correction of one field of their own record.

use domain::members::CorrectionField;
use leptos::prelude::*;

use super::words;
use crate::{
    context::take_echo,
    frame::way_back,
    i18n::use_locale,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Button, ButtonKind, Choice, ErrorSummary, Field, Form, IconName, LinkButton, Notice, PageHeader, RadioGroup, TextArea},
};

const LABELS: Labels =
    &[("field", text::members::which_field), ("wanted", text::members::right_value), ("reason", text::members::reason)];

#[component]
pub fn AskCorrectionPage() -> impl IntoView {
    let l = use_locale();
    let echo = take_echo("correction");
    let errors = RwSignal::new(echo.clone());
    let typed = move |field: &str| echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
    let choices = CorrectionField::ALL.map(|field| Choice::new(field.key(), words::correction_field(l, field)));
    view! {
        <Title text=text::members::ask_correction(l)/>
        <div class="page page-narrow">
            {way_back(text::members::own_title(l), "/record", text::members::ask_correction(l))}
            <PageHeader title=text::members::ask_correction(l) lead=text::members::ask_correction_lead(l)/>
            <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
            <Notice title=text::members::who_decides_title(l) icon=IconName::People>
                <p>{text::members::who_decides(l)}</p>
            </Notice>
            <Form action="/api/members/request_correction" failed=text::frame::network_failed(l) errors>
                <RadioGroup
                    legend=text::members::which_field(l)
                    name="field"
                    choices=choices.into()
                    value=typed("field")
                    error=field_error(l, errors, LABELS, "field")
                />
                <Field
                    label=text::members::right_value(l)
                    name="wanted"
                    value=typed("wanted")
                    hint=text::members::right_value_hint(l)
                    error=field_error(l, errors, LABELS, "wanted")
                    autocomplete="off"
                    required=true
                />
                <TextArea
                    label=text::members::reason(l)
                    name="reason"
                    value=typed("reason")
                    hint=text::members::correction_reason_hint(l)
                    error=field_error(l, errors, LABELS, "reason")
                    rows=3
                    required=true
                />
                <div class="actions">
                    <Button wide=true icon=IconName::Send>{text::members::send_request(l)}</Button>
                    <LinkButton href="/record" kind=ButtonKind::Quiet>{text::members::back(l)}</LinkButton>
                </div>
            </Form>
        </div>
    }
}
