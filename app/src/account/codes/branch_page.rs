//! Codes for a whole branch. Members with neither a password nor a card are preselected. A valid card is replaced only if it is
//! selected.

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
    frame::way_back,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Button, CheckGroup, Choice, EmptyState, ErrorSummary, Form, IconName, Line, Notice, NoticeKind, PageHeader},
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
                {way_back(text::codes::list_title(l), "/codes", Line::name(&unit.name))}
                <PageHeader title=text::codes::list_title(l) eyebrow=Line::name(unit.name) lead=text::codes::branch_lead(l)/>
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
    let (above, members): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| member.held_above);
    let above = from_above(l, &above);
    if members.is_empty() {
        return view! { {above} }.into_any();
    }
    let choice = |member: &Candidate| {
        let hint = match member.card_until {
            Some(day) => text::codes::has_card(l, l.date(day)),
            None if member.is_activated => text::codes::activated(l).to_owned(),
            None => text::codes::not_activated(l).to_owned(),
        };
        Choice::name(member.member.to_string(), &member.name).hint(hint)
    };
    let (activated, waiting): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.is_activated);
    let (served, waiting): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|member| member.card_until.is_some());
    let mut groups =
        vec![(text::codes::choose(l), waiting), (text::codes::with_card(l), served), (text::codes::others(l), activated)];
    groups.retain(|(_, members)| !members.is_empty());
    // When no member lacks a card, the next group becomes the first choice and the target of the error summary.
    let (_, first) = groups.remove(0);
    let is_waiting = |member: &Candidate| !member.is_activated && member.card_until.is_none();
    // The selection of a rejected form; initially the members without a card.
    let chosen = errors.with_untracked(|errors| errors.as_ref().and_then(|errors| errors.value("members").map(str::to_owned)));
    let ticked_in = |members: &[&Candidate]| -> Vec<String> {
        let is_ticked = |member: &Candidate| match &chosen {
            Some(chosen) => chosen.split(' ').any(|id| id == member.member.to_string()),
            None => is_waiting(member),
        };
        members.iter().filter(|member| is_ticked(member)).map(|member| member.member.to_string()).collect()
    };
    let ticked = ticked_in(&first);
    let first: Vec<_> = first.into_iter().map(choice).collect();
    let folded = groups
        .into_iter()
        .map(|(title, members)| {
            let id = format!("others-{}", members[0].member);
            let checked = ticked_in(&members);
            let is_open = !checked.is_empty();
            let choices: Vec<_> = members.into_iter().map(choice).collect();
            view! {
                <details class="code-others" open=is_open>
                    <summary>{title}</summary>
                    <CheckGroup legend=title name="members[]" id choices checked/>
                </details>
            }
        })
        .collect_view();
    view! {
        <ErrorSummary title=text::codes::errors(l) items=all_errors(l, errors, LABELS)/>
        <Form action="/api/account/issue_codes" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="unit" value=unit/>
            <CheckGroup
                legend=text::codes::choose(l)
                name="members[]"
                choices=first
                checked=ticked
                hint=text::codes::choose_hint(l)
                error=field_error(l, errors, LABELS, "members[]")
            />
            {folded}
            <div class="actions">
                <Button wide=true icon=IconName::Print>{text::codes::issue(l)}</Button>
            </div>
        </Form>
        {above}
    }
    .into_any()
}

/// Members whose codes are issued by units above.
fn from_above(l: Locale, members: &[Candidate]) -> Option<AnyView> {
    if members.is_empty() {
        return None;
    }
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let told = text::codes::from_above(l, names.join(", "));
    Some(
        view! {
            <Notice title=text::codes::from_above_title(l)>
                <p>{told}</p>
            </Notice>
        }
        .into_any(),
    )
}
