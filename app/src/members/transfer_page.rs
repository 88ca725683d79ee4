//! Requesting a transfer: first the branch, then the reason.

use domain::{Locale, forms::FormErrors, members::TransferPage as Found};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    facts::from_to,
    fns::transfer_form,
    form_page::{branch_choices, branch_search},
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Crumb, EmptyState, ErrorSummary, Form, IconName, Line, LinkButton, Notice, PageHeader,
        RadioGroup, TextArea, Unsent,
    },
};

const LABELS: Labels = &[("to", text::members::to_branch), ("reason", text::members::reason)];

#[component]
pub fn TransferPage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let echo = take_echo("transfer");
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(
        move || (params.read().get("id").unwrap_or_default(), query.read().get("q")),
        |(id, q)| transfer_form(id, q),
    );
    show(data, move |page| {
        let q = query.with_untracked(|query| query.get("q"));
        let id = page.member.id;
        let crumbs = vec![
            Crumb::link(text::frame::members(l), "/members"),
            Crumb::link(Line::name(&page.member.name), format!("/members/{id}")),
            Crumb::here(text::members::transfer(l)),
        ];
        let lead = text::members::transfer_lead(l, &page.member.name, &page.branch.name);
        let content = match page.waiting.clone() {
            Some(waiting) => view! {
                {unsent(l, echo.as_ref())}
                <Notice title=text::members::on_the_way(l) icon=IconName::ArrowRight>
                    <p>{from_to(l, waiting.from, waiting.to).show()}</p>
                    <p><a href=format!("/transfers?open={}", waiting.id)>{text::members::open_transfer(l)}</a></p>
                </Notice>
            }
            .into_any(),
            None => view! {
                <div class="stack-tight">
                    {branch_search(l, &format!("/members/{id}/transfer"), q, None)}
                    <p class="hint">{text::members::find_branch_hint(l)}</p>
                </div>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {transfer_form_of(l, page, echo.clone(), errors)}
            }
            .into_any(),
        };
        view! {
            <Title text=text::members::transfer(l)/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::members::way(l) crumbs/>
                <PageHeader title=text::members::transfer(l) lead/>
                {content}
            </div>
        }
        .into_any()
    })
}

/// The typed reason, when somebody else requested a transfer meanwhile.
fn unsent(l: Locale, echo: Option<&FormErrors>) -> Option<AnyView> {
    let typed = echo?.value("reason")?.to_owned();
    let unsent = view! { <Unsent title=text::members::transfer_waits(l) label=text::frame::unsent(l) typed/> };
    Some(unsent.into_any())
}

fn transfer_form_of(l: Locale, page: Found, echo: Option<FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    if page.choices.is_empty() {
        return view! {
            <EmptyState title=text::members::no_branch_title(l) text=text::members::no_branch(l) icon=IconName::Search/>
        }
        .into_any();
    }
    let typed = move |field: &str| echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
    let more = page.more.then(|| text::members::more_branches(l));
    let back = format!("/members/{}", page.member.id);
    view! {
        <Form action="/api/members/request_transfer" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="member" value=page.member.id.to_string()/>
            <RadioGroup
                legend=text::members::to_branch(l)
                name="to"
                choices=branch_choices(l, page.choices)
                value=typed("to")
                hint=more
                error=field_error(l, errors, LABELS, "to")
            />
            <TextArea
                label=text::members::reason(l)
                name="reason"
                value=typed("reason")
                hint=text::members::transfer_reason_hint(l)
                error=field_error(l, errors, LABELS, "reason")
                rows=3
                required=true
            />
            <div class="actions">
                <Button wide=true icon=IconName::Send>{text::members::ask_transfer(l)}</Button>
                <LinkButton href=back kind=ButtonKind::Quiet>{text::members::back(l)}</LinkButton>
            </div>
        </Form>
    }
    .into_any()
}
