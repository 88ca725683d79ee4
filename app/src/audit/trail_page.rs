//! The trail of a subtree, for the keepers of its registry.

use domain::{
    Locale,
    audit::{AskedMember, AuditEntry, AuditGroup, AuditPage},
    ids::EventId,
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use super::{
    fns::page,
    sentence::{group_icon, group_name, sentence},
};
use crate::{
    frame::way_to_more,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Button, ButtonKind, Chip, Chips, EmptyState, Icon, IconName, Line, LinkButton, Notice, NoticeKind, PageHeader, Pager},
};

/// The query of the address, preserved by every filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct QueryParams {
    unit: Option<String>,
    group: Option<AuditGroup>,
    member: Option<String>,
    before: Option<String>,
}

#[component]
pub fn TrailPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let data = Resource::new(
        move || query.with(|query| ["unit", "group", "member", "before"].map(|key| query.get(key))),
        |[unit, group, member, before]| page(unit, group, member, before),
    );
    show(data, move |page| {
        let asked = query.with_untracked(QueryParams::read);
        view! {
            <Title text=format!("{} · {}", text::audit::title(l), page.unit.name)/>
            <div class="page">
                {way_to_more(text::audit::title(l))}
                <PageHeader title=text::audit::title(l) eyebrow=Line::name(&page.unit.name) lead=text::audit::lead(l)/>
                <div class="stack-tight">
                    <Chips label=text::audit::groups(l) chips=chips(l, &asked)/>
                    {search(l, &asked)}
                </div>
                {lines(l, page, &asked)}
            </div>
        }
        .into_any()
    })
}

fn chips(l: Locale, asked: &QueryParams) -> Vec<Chip> {
    let chip = |group: Option<AuditGroup>, label: &str| Chip {
        label: label.to_owned(),
        href: QueryParams { group, before: None, ..asked.clone() }.address(),
        current: asked.group == group,
    };
    let all = chip(None, text::audit::all_groups(l));
    [all].into_iter().chain(AuditGroup::ALL.map(|group| chip(Some(group), group_name(l, group)))).collect()
}

fn search(l: Locale, asked: &QueryParams) -> AnyView {
    let kept = [("unit", asked.unit.clone()), ("group", asked.group.map(|group| group.key().to_owned()))];
    let kept =
        kept.into_iter().filter_map(|(name, value)| value.map(|value| view! { <input type="hidden" name=name value=value/> }));
    // An id comes from a link; a typed search is a card number.
    let typed = asked.member.clone().filter(|member| member.parse::<domain::ids::MemberId>().is_err());
    view! {
        <form class="search" role="search" method="get" action="/audit">
            {kept.collect_view()}
            <label class="visually-hidden" for="member">{text::audit::card(l)}</label>
            <input class="input" type="search" id="member" name="member" value=typed placeholder=text::audit::card(l) autocomplete="off"/>
            <Button kind=ButtonKind::Secondary icon=IconName::Search>{text::audit::find(l)}</Button>
        </form>
    }
    .into_any()
}

fn lines(l: Locale, page: AuditPage, asked: &QueryParams) -> AnyView {
    let about = match &page.asked {
        AskedMember::Nobody => None,
        AskedMember::Unknown => {
            return view! {
                <Notice kind=NoticeKind::Warn title=text::audit::unknown_title(l)><p>{text::audit::unknown(l)}</p></Notice>
                {all_of_it(l, asked)}
            }
            .into_any();
        }
        AskedMember::Named(name) => {
            let title = text::audit::only(l, name);
            let all = all_of_it(l, asked);
            Some(view! { <Notice title icon=IconName::Person>{all}</Notice> })
        }
    };
    let next = page.next.map(|next| asked.further(next));
    let looked_back = page.looked_back_to.map(|at| text::audit::looked_back(l, l.date_time(at)));
    let newest = asked.before.is_some().then(|| {
        let href = QueryParams { before: None, ..asked.clone() }.address();
        view! { <p><LinkButton href kind=ButtonKind::Quiet icon=IconName::ArrowLeft>{text::audit::to_newest(l)}</LinkButton></p> }
    });
    let rest = match looked_back {
        Some(told) => view! {
            <p class="muted">{told}</p>
            <Pager next_href=next label=text::audit::look_further(l)/>
        }
        .into_any(),
        None => view! { <Pager next_href=next label=text::audit::show_more(l)/> }.into_any(),
    };
    view! {
        {about}
        {newest}
        {entries(l, page.entries, page.looked_back_to.is_some())}
        {rest}
    }
    .into_any()
}

fn all_of_it(l: Locale, asked: &QueryParams) -> AnyView {
    let href = QueryParams { member: None, before: None, ..asked.clone() }.address();
    view! { <p><a href=href>{text::audit::show_all(l)}</a></p> }.into_any()
}

/// The rows of a trail, or the message for an empty one unless older events remain.
pub(super) fn entries(l: Locale, entries: Vec<AuditEntry>, goes_on: bool) -> AnyView {
    if entries.is_empty() {
        return (!goes_on)
            .then(|| view! { <EmptyState title=text::audit::none_title(l) text=text::audit::none(l) icon=IconName::History/> })
            .into_any();
    }
    let rows = entries.into_iter().map(|entry| line(l, &entry)).collect_view();
    view! { <ul class="rows trail" role="list">{rows}</ul> }.into_any()
}

fn line(l: Locale, entry: &AuditEntry) -> AnyView {
    let meta = Line::from(l.date_time(entry.at)).and(entry.unit.as_ref().map(Line::name));
    view! {
        <li class="row row-plain">
            <Icon name=group_icon(entry.kind.group())/>
            <div class="row-text">
                <p class="row-title">{sentence(l, entry)}</p>
                <p class="row-meta">{meta.show()}</p>
            </div>
        </li>
    }
    .into_any()
}

impl QueryParams {
    /// Not validated here: the server function has already rejected invalid values.
    fn read(query: &ParamsMap) -> Self {
        Self {
            unit: query.get("unit"),
            group: query.get_str("group").and_then(AuditGroup::from_key),
            member: query.get("member").filter(|member| !member.trim().is_empty()),
            before: query.get("before"),
        }
    }

    fn further(&self, next: EventId) -> String {
        Self { before: Some(next.to_string()), ..self.clone() }.address()
    }

    fn address(&self) -> String {
        let mut query = ParamsMap::new();
        let parts = [
            ("unit", self.unit.clone()),
            ("group", self.group.map(|group| group.key().to_owned())),
            ("member", self.member.clone()),
            ("before", self.before.clone()),
        ];
        for (key, value) in parts {
            if let Some(value) = value {
                query.insert(key, value);
            }
        }
        format!("/audit{}", query.to_query_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_keeps_the_others_and_starts_from_the_newest() {
        let asked = QueryParams { member: Some("51 001".to_owned()), before: Some("01A".to_owned()), ..QueryParams::default() };
        let chips = chips(Locale::En, &asked);
        assert!(!chips[0].href.contains("before"), "{}", chips[0].href);
        assert!(chips[2].href.contains("group=roles") && chips[2].href.contains("member=51"), "{}", chips[2].href);
        assert_eq!(QueryParams::default().address().trim_end_matches('?'), "/audit");
    }
}
