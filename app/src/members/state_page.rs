//! Sets the state of a member: left, deceased, transferred, or active again.

use domain::members::MemberState;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{fns::read_state, words};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Choice, Crumb, ErrorSummary, Field, FieldKind, Form, IconName, Line, LinkButton, Notice,
        NoticeKind, PageHeader, RadioGroup,
    },
};

const LABELS: Labels = &[("state", text::members::new_state), ("day", text::members::since)];

#[component]
pub fn StatePage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let echo = take_echo("state");
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), read_state);
    show(data, move |page| {
        let typed = |field: &str| echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
        let day = typed("day").unwrap_or_else(|| page.today.to_string());
        let id = page.member.id.to_string();
        let back = format!("/members/{id}");
        let crumbs = vec![
            Crumb::link(text::frame::members(l), "/members"),
            Crumb::link(Line::name(&page.member.name), back.clone()),
            Crumb::here(text::members::change_state(l)),
        ];
        let ends = page.member.state == MemberState::Active;
        let warning = ends.then(|| {
            view! {
                <Notice kind=NoticeKind::Warn title=text::members::state_warning_title(l)>
                    <p>{text::members::state_warning(l)}</p>
                </Notice>
            }
        });
        let choices: Vec<Choice> = page
            .next
            .iter()
            .map(|state| {
                let choice = Choice::new(state.key(), words::state(l, *state));
                if *state == MemberState::Transferred { choice.hint(text::members::state_transferred_hint(l)) } else { choice }
            })
            .collect();
        let chosen =
            typed("state").or_else(|| if choices.len() == 1 { choices.first().map(|only| only.value.clone()) } else { None });
        view! {
            <Title text=text::members::change_state(l)/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::members::way(l) crumbs/>
                <PageHeader title=text::members::change_state(l) eyebrow=Line::name(page.member.branch) lead=Line::name(page.member.name)/>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {warning}
                <Form action="/api/members/set_state" failed=text::frame::network_failed(l) errors>
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="version" value=page.version.to_string()/>
                    <RadioGroup
                        legend=text::members::new_state(l)
                        name="state"
                        choices
                        value=chosen
                        error=field_error(l, errors, LABELS, "state")
                    />
                    <Field
                        label=text::members::since(l)
                        name="day"
                        kind=FieldKind::Date
                        value=day
                        hint=text::members::day_hint(l)
                        error=field_error(l, errors, LABELS, "day")
                        required=true
                    />
                    <div class="actions">
                        <Button wide=true icon=IconName::Check>{text::members::save_state(l)}</Button>
                        <LinkButton href=back kind=ButtonKind::Quiet>{text::members::back(l)}</LinkButton>
                    </div>
                </Form>
            </div>
        }
        .into_any()
    })
}
