//! Codes for a whole branch: who has none yet is ticked already.

use domain::{
    Locale,
    accounts::codes::{BranchCodes, Candidate},
    forms::FormErrors,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{fns::read_branch_codes, list::issued_codes};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Button, CheckGroup, Choice, EmptyState, ErrorSummary, Form, IconName, Notice, NoticeKind, PageHeader},
};

const LABELS: Labels = &[("members[]", text::codes::choose)];

#[component]
pub fn BranchCodesPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let errors = RwSignal::new(take_echo("codes"));
    let unit = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let data = Resource::new(move || unit.get(), read_branch_codes);
    let revoked = move || {
        query
            .with(|query| query.get_str("revoked").is_some())
            .then(|| view! { <Notice kind=NoticeKind::Ok title=text::codes::was_revoked(l)/> })
    };
    show(data, move |BranchCodes { unit, members, codes }| {
        view! {
            <Title text=text::codes::list_title(l)/>
            <div class="page page-narrow">
                <PageHeader title=text::codes::list_title(l) eyebrow=unit.name lead=text::codes::branch_lead(l)/>
                {revoked}
                {issue_form(l, unit.id.to_string(), members, errors)}
                {issued_codes(l, codes, "unit")}
            </div>
        }
        .into_any()
    })
}

fn issue_form(l: Locale, unit: String, members: Vec<Candidate>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    if members.is_empty() {
        return view! {
            <EmptyState title=text::codes::nobody_title(l) text=text::codes::nobody(l) icon=IconName::People/>
        }
        .into_any();
    }
    let choice = |member: &Candidate, hint| Choice::new(member.member.to_string(), &member.name).hint(hint);
    let (activated, waiting): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| member.is_activated);
    let ticked = waiting.iter().map(|member| member.member.to_string()).collect();
    let choices: Vec<_> = waiting.iter().map(|member| choice(member, text::codes::not_activated(l))).collect();
    let others: Vec<_> = activated.iter().map(|member| choice(member, text::codes::activated(l))).collect();
    // Where nobody waits, the others are all there is to choose from, and where the error summary leads.
    let (first, first_ticked, folded) =
        if choices.is_empty() { (others, Vec::new(), Vec::new()) } else { (choices, ticked, others) };
    let folded = (!folded.is_empty()).then(|| {
        view! {
            <details class="code-others">
                <summary>{text::codes::others(l)}</summary>
                <CheckGroup legend=text::codes::others(l) name="members[]" id="others" choices=folded checked=Vec::new()/>
            </details>
        }
    });
    view! {
        <ErrorSummary title=text::codes::errors(l) items=all_errors(l, errors, LABELS)/>
        <Form action="/api/account/issue_codes" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="unit" value=unit/>
            <CheckGroup
                legend=text::codes::choose(l)
                name="members[]"
                choices=first
                checked=first_ticked
                hint=text::codes::choose_hint(l)
                error=field_error(l, errors, "members[]")
            />
            {folded}
            <div class="actions">
                <Button wide=true icon=IconName::Print>{text::codes::issue(l)}</Button>
            </div>
        </Form>
    }
    .into_any()
}
