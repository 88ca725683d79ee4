//! The record of a member, for registrars and leaders.

use domain::{
    Locale,
    ids::MemberId,
    members::{self, MemberLine, MemberState},
    policy::Action,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    facts::{from_to, line, particulars, postings},
    fns::record,
    words,
};
use crate::{
    context::use_viewer,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Breadcrumbs, ButtonKind, Card, Crumb, IconName, Line, LinkButton, Notice, NoticeKind, PageHeader, RowList, Whose},
};

#[component]
pub fn RecordPage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), record);
    show(data, move |page| {
        let saved = move || query.with(|query| query.get_str("saved").and_then(|what| saved(l, what)));
        let title = page.record.name.clone();
        let crumbs = vec![Crumb::link(text::frame::members(l), "/members"), Crumb::here(Line::name(&title))];
        let (facts, postings) = (particulars(l, &page.record), postings(l, &page.record.postings));
        view! {
            <Title text=title.clone()/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::members::way(l) crumbs/>
                <PageHeader title whose=Whose::Name eyebrow=Line::name(&page.record.branch.name)/>
                {move || saved().map(|told| view! { <Notice kind=NoticeKind::Ok title=told/> })}
                {notices(l, &page)}
                <Card>{facts}</Card>
                {duplicates(l, page.record.id, &page)}
                {postings}
                {steps(l, &page)}
            </div>
        }
        .into_any()
    })
}

fn saved(l: Locale, what: &str) -> Option<&'static str> {
    Some(match what {
        "new" => text::members::saved_new(l),
        "changed" => text::members::saved_changed(l),
        "state" => text::members::saved_state(l),
        "merged" => text::members::saved_merged(l),
        "apart" => text::members::saved_apart(l),
        _ => return None,
    })
}

/// Notices to read before working on the record.
fn notices(l: Locale, page: &members::RecordPage) -> AnyView {
    let state = page.record.state;
    let gone = (state != MemberState::Active).then(|| {
        let kept = page.record.merged_into.map(|id| {
            view! { <p><a href=format!("/members/{id}")>{text::members::open_kept(l)}</a></p> }
        });
        view! { <Notice title=words::state(l, state)>{kept}</Notice> }
    });
    let above = page.may.held_above.then(|| {
        view! {
            <Notice title=text::members::held_above_title(l) icon=IconName::Key>
                <p>{text::members::held_above(l)}</p>
            </Notice>
        }
    });
    let transfer = page.transfer.clone().map(|transfer| {
        view! {
            <Notice title=text::members::on_the_way(l) icon=IconName::ArrowRight>
                <p>{from_to(l, transfer.from, transfer.to).show()}</p>
                <p><a href=format!("/transfers?open={}", transfer.id)>{text::members::open_transfer(l)}</a></p>
            </Notice>
        }
    });
    let corrections = page
        .corrections
        .iter()
        .map(|correction| {
            let told = text::members::wants_corrected(l, words::correction_field(l, correction.field));
            let href = format!("/corrections?open={}", correction.id);
            view! {
                <Notice title=told icon=IconName::Pencil>
                    <p><a href=href>{text::members::open_correction(l)}</a></p>
                </Notice>
            }
        })
        .collect_view();
    let quality_issues = page
        .quality_issues
        .iter()
        .map(|quality_issue| {
            let (title, help) = (words::quality_issue(l, *quality_issue), words::quality_issue_help(l, *quality_issue));
            view! {
                <Notice kind=NoticeKind::Warn title>
                    <p>{help}</p>
                </Notice>
            }
        })
        .collect_view();
    view! { {gone} {above} {transfer} {corrections} {quality_issues} }.into_any()
}

/// Records that may be of the same person.
fn duplicates(l: Locale, own: MemberId, page: &members::RecordPage) -> Option<AnyView> {
    if page.duplicates.is_empty() && page.duplicates_elsewhere == 0 {
        return None;
    }
    let may_merge = page.may.manage;
    let row = |duplicate: MemberLine| {
        let href =
            if may_merge { format!("/members/{own}/merge?with={}", duplicate.id) } else { format!("/members/{}", duplicate.id) };
        line(l, duplicate, href)
    };
    let rows: Vec<_> = page.duplicates.iter().cloned().map(row).collect();
    let elsewhere = (page.duplicates_elsewhere > 0)
        .then(|| view! { <p class="muted">{text::members::twins_elsewhere(l, page.duplicates_elsewhere.into())}</p> });
    let rows = (!rows.is_empty()).then(|| view! { <RowList>{rows}</RowList> });
    Some(view! { <Card title=text::members::twins(l)>{rows} {elsewhere}</Card> }.into_any())
}

fn steps(l: Locale, page: &members::RecordPage) -> AnyView {
    let (id, may) = (page.record.id, page.may);
    let is_active = page.record.state == MemberState::Active;
    let is_merged = page.record.state == MemberState::Merged;
    let step = |to: &str, icon, kind, label: &'static str| {
        view! { <LinkButton href=format!("/members/{id}/{to}") icon kind wide=true>{label}</LinkButton> }
    };
    let edit = (may.manage && !is_merged).then(|| step("edit", IconName::Pencil, ButtonKind::Primary, text::members::edit(l)));
    let transfer = (may.transfer && is_active && page.transfer.is_none())
        .then(|| step("transfer", IconName::ArrowRight, ButtonKind::Secondary, text::members::transfer(l)));
    let code =
        (may.issue_codes && is_active).then(|| step("code", IconName::Key, ButtonKind::Secondary, text::members::issue_code(l)));
    let state = (may.manage && !may.held_above && !is_merged)
        .then(|| step("state", IconName::Person, ButtonKind::Quiet, text::members::change_state(l)));
    let viewer = use_viewer();
    let standpoint = viewer.as_ref().map(|viewer| &viewer.standpoint);
    let branch = &page.record.branch;
    let role = standpoint.filter(|standpoint| is_active && !standpoint.gives(&branch.path).is_empty()).map(|_| {
        let href = format!("/units/{}/roles?member={id}", branch.id);
        view! { <LinkButton href icon=IconName::People kind=ButtonKind::Quiet wide=true>{text::offices::give_title(l)}</LinkButton> }
    });
    let trail = standpoint.filter(|standpoint| standpoint.may_by_office(Action::ReadAudit, &branch.path)).map(|_| {
        let href = format!("/audit?member={id}");
        view! { <LinkButton href icon=IconName::History kind=ButtonKind::Quiet wide=true>{text::audit::title(l)}</LinkButton> }
    });
    view! { <div class="actions no-print">{edit} {transfer} {code} {state} {role} {trail}</div> }.into_any()
}
