//! Records with quality issues, by kind.

use domain::{
    Locale,
    members::{self, QualityIssue},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{facts::line, fns::quality, words};
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Breadcrumbs, ButtonKind, Chip, Chips, Crumb, EmptyState, IconName, Line, LinkButton, PageHeader, Pager, RowList},
};

#[component]
pub fn QualityPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let asked = Memo::new(move |_| query.with(|query| (query.get("kind"), query.get("after"))));
    let data = Resource::new(move || asked.get(), |(kind, after)| quality(kind, after));
    show(data, move |page| {
        let goes_on = asked.with_untracked(|(_, after)| after.is_some());
        let crumbs = vec![Crumb::link(text::frame::members(l), "/members"), Crumb::here(text::members::quality_title(l))];
        view! {
            <Title text=text::members::quality_title(l)/>
            <div class="page">
                <Breadcrumbs label=text::members::way(l) crumbs/>
                <PageHeader title=text::members::quality_title(l) eyebrow=Line::name(&page.unit.name) lead=text::members::quality_lead(l)/>
                <Chips label=text::members::quality_kinds(l) chips=chips(l, &page)/>
                {list(l, page, goes_on)}
            </div>
        }
        .into_any()
    })
}

fn chips(l: Locale, page: &members::QualityPage) -> Vec<Chip> {
    QualityIssue::ALL
        .into_iter()
        .map(|kind| {
            let count = page.counts.get(&kind).copied().unwrap_or_default();
            Chip {
                label: text::members::with_count(l, words::quality_issue(l, kind), l.number(count)),
                href: address(kind, None),
                current: kind == page.kind,
            }
        })
        .collect()
}

fn list(l: Locale, page: members::QualityPage, goes_on: bool) -> AnyView {
    let kind = page.kind;
    if page.members.is_empty() {
        return view! {
            <EmptyState title=text::members::no_flaws_title(l) text=text::members::no_flaws(l) icon=IconName::CheckCircle/>
        }
        .into_any();
    }
    let back = goes_on.then(|| {
        view! {
            <p>
                <LinkButton href=address(kind, None) kind=ButtonKind::Quiet icon=IconName::ArrowLeft>
                    {text::members::to_start(l)}
                </LinkButton>
            </p>
        }
    });
    let next = page.next.map(|next| address(kind, Some(next.to_string())));
    let rows: Vec<_> = page
        .members
        .into_iter()
        .map(|member| {
            let href = format!("/members/{}", member.id);
            line(l, member, href)
        })
        .collect();
    view! {
        <section class="stack">
            <h2>{words::quality_issue(l, kind)}</h2>
            <p>{words::quality_issue_help(l, kind)}</p>
            {back}
            <RowList>{rows}</RowList>
            <Pager next_href=next label=text::members::show_more(l)/>
        </section>
    }
    .into_any()
}

fn address(kind: QualityIssue, after: Option<String>) -> String {
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    format!("/quality?kind={}{after}", kind.key())
}
