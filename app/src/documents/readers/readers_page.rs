//! Readers of a document, level by level; by name for the leaders of a branch. Reminders are sent from here.

use domain::{
    Locale,
    documents::readers::{ReaderRow, Readers, ReadersPage as Found, Reminder},
    policy::Action,
    statistics::Share,
    tables::TableQuery,
    units::UnitRef,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::fns::readers;
use crate::{
    context::use_viewer,
    documents::document_row::document_number,
    i18n::use_locale,
    page::show,
    statistics::{
        shares::{self, TableAddress},
        unit_table,
    },
    terms, text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Crumb, EmptyState, Form, HERE, IconName, Line, LinkButton, Notice, NoticeKind,
        PageHeader, Whose, content_lang,
    },
};

#[component]
pub(crate) fn ReadersPage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    // Editors come from the desk, all others from the list of documents they follow.
    let follows = use_viewer().is_some_and(|viewer| !viewer.standpoint.top_units(Action::ReadStatistics).is_empty());
    let data = Resource::new(
        move || (params.read().get("id").unwrap_or_default(), query.read().get("unit")),
        |(id, unit)| readers(id, unit),
    );
    show(data, move |page| {
        let done = query.with_untracked(|query| query.get("done"));
        let asked = query.with_untracked(unit_table::asked);
        let title = format!("{} · {}", text::readers::title(l), page.title);
        view! {
            <Title text=title/>
            <div class="page">
                <Breadcrumbs label=text::readers::way(l) crumbs=crumbs(l, &page, follows)/>
                {head(l, &page)}
                {result_notice(l, &page, done.as_deref())}
                {share(l, &page)}
                {corrected(l, &page, asked.clone())}
                {reminding(l, &page)}
                {shares::children(l, &page.total, &page.children, text::readers::have_read(l), table(&page, unit_table::MAIN, asked))}
                {page.names.as_ref().map(|names| by_name(l, names))}
            </div>
        }
        .into_any()
    })
}

fn crumbs(l: Locale, page: &Found, follows: bool) -> Vec<Crumb> {
    let mut crumbs = if follows {
        vec![Crumb::link(text::frame::library(l), "/library"), Crumb::link(text::readers::title(l), "/readers")]
    } else {
        let document = page.number.as_ref().map_or_else(|| Line::from(text::documents::this(l)), Line::name);
        vec![Crumb::link(text::frame::desk(l), "/desk"), Crumb::link(document, format!("/desk/{}", page.document))]
    };
    let above = page.trail.len().saturating_sub(1);
    crumbs.extend(page.trail.iter().take(above).map(|unit| Crumb::link(Line::name(&unit.name), address(page, unit))));
    crumbs.push(Crumb::here(Line::name(&page.total.unit.name)));
    crumbs
}

fn table(page: &Found, id: &'static str, query: TableQuery) -> TableAddress {
    TableAddress { id, page: format!("/readers/{}", page.document), query }
}

fn address(page: &Found, unit: &UnitRef) -> String {
    format!("/readers/{}?unit={}", page.document, unit.id)
}

fn head(l: Locale, page: &Found) -> AnyView {
    let parts = (!page.parts.is_empty()).then(|| Line::around(text::readers::for_parts(l, HERE), &terms::units(l, &page.parts)));
    let except = (!page.except.is_empty()).then(|| Line::around(text::readers::without(l, HERE), &terms::units(l, &page.except)));
    let lead = document_number(l, page.number.as_deref())
        .and(Line::name(&page.issuer.name))
        .and(parts)
        .and(except)
        .and(page.published_on.map(|day| l.date(day)))
        .and(page.must_read_by.map(|day| text::reading::must_read_by(l, l.date(day))));
    let open = (!page.is_withdrawn).then(|| {
        view! {
            <LinkButton href=format!("/library/{}?look=1", page.document) kind=ButtonKind::Secondary icon=IconName::Book>
                {text::readers::open_document(l)}
            </LinkButton>
        }
    });
    view! {
        <PageHeader title=page.title.clone() whose=Whose::Content eyebrow=terms::document_kind(l, page.kind) lead>{open}</PageHeader>
    }
    .into_any()
}

/// The result of a reminder, or why it was not sent.
fn result_notice(l: Locale, page: &Found, done: Option<&str>) -> Option<AnyView> {
    let last = page.reminded.as_ref().map(|reminder| view! { <p>{last_time(l, reminder)}</p> });
    match done {
        _ if page.is_withdrawn => Some(
            view! {
                <Notice kind=NoticeKind::Warn title=text::readers::withdrawn_title(l)>
                    <p>{text::readers::withdrawn(l)}</p>
                </Notice>
            }
            .into_any(),
        ),
        Some("reminded") => Some(view! { <Notice kind=NoticeKind::Ok title=text::readers::reminded_now(l)/> }.into_any()),
        Some("too_soon") => {
            Some(view! { <Notice kind=NoticeKind::Warn title=text::readers::too_soon(l)>{last}</Notice> }.into_any())
        }
        _ => None,
    }
}

fn last_time(l: Locale, reminder: &Reminder) -> String {
    if reminder.is_of_today {
        text::readers::reminded_today(l, l.time(reminder.at), &reminder.by)
    } else {
        text::readers::last_reminded(l, l.date_time(reminder.at), &reminder.by)
    }
}

/// The figure of the page's own unit.
fn share(l: Locale, page: &Found) -> AnyView {
    let heading = page.total.unit.name.clone();
    let figure = match page.total.share {
        Some(share) if share.members == 0 => {
            view! { <Card strong=true><p>{text::readers::nobody_asked(l)}</p></Card> }.into_any()
        }
        _ => shares::total(l, &page.total, text::readers::have_read(l)),
    };
    let opened = have_opened(l, page.total.share, page.opened);
    view! {
        <section class="stack-tight">
            <h2 lang=content_lang() translate="no">{heading}</h2>
            {figure}
            {opened}
        </section>
    }
    .into_any()
}

/// Number of members who have opened it, below the number who have read it.
fn have_opened(l: Locale, share: Option<Share>, opened: Option<u32>) -> Option<AnyView> {
    let (share, opened) = share.zip(opened).filter(|(share, _)| share.members > 0)?;
    let told = text::readers::have_opened(l, shares::share_text(l, Share { done: opened, ..share }));
    Some(view! { <p class="muted">{told}</p> }.into_any())
}

/// Readers of the corrected text: the figure above includes readers of the earlier one.
fn corrected(l: Locale, page: &Found, asked: TableQuery) -> Option<AnyView> {
    let corrected = page.corrected.as_ref()?;
    let figure = shares::total(l, &corrected.total, text::readers::have_read_corrected(l));
    let opened = have_opened(l, corrected.total.share, corrected.opened);
    let place = table(page, "corrected", asked);
    let children = shares::children(l, &page.total, &corrected.children, text::readers::have_read_corrected(l), place);
    Some(
        view! {
            <section class="stack-tight" data-part="corrected">
                <h2>{text::readers::corrected_on(l, l.date(corrected.on))}</h2>
                {figure}
                {opened}
                {children}
            </section>
        }
        .into_any(),
    )
}

/// The button, or why it is not available.
fn reminding(l: Locale, page: &Found) -> Option<AnyView> {
    // Where the group is too small to show, the page does not say that all have read.
    let left = page.total.share.map(|share| share.members - share.done);
    if !page.may_remind || left == Some(0) {
        return None;
    }
    let left = left.map(|left| view! { <p>{text::readers::left(l, left.into())}</p> });
    let last = page.reminded.as_ref().map(|reminder| view! { <p class="muted">{last_time(l, reminder)}</p> });
    let is_done = page.reminded.as_ref().is_some_and(|reminder| reminder.is_of_today);
    let (document, unit) = (page.document.to_string(), page.total.unit.id.to_string());
    let form = (!is_done).then(|| {
        view! {
            <Form action="/api/documents/remind" failed=text::frame::network_failed(l)>
                <input type="hidden" name="document" value=document/>
                <input type="hidden" name="unit" value=unit/>
                <p class="muted">{text::readers::remind_hint(l)}</p>
                <div class="actions">
                    <Button icon=IconName::Send>{text::readers::remind(l)}</Button>
                </div>
            </Form>
        }
    });
    Some(
        view! {
            <Card title=text::readers::remind_title(l)>
                <div class="stack-tight">{left}{last}{form}</div>
            </Card>
        }
        .into_any(),
    )
}

/// The members of the branch by next action: first those without an account, whom no reminder reaches.
fn by_name(l: Locale, names: &Readers) -> AnyView {
    let groups = [
        (
            text::readers::not_activated(l, of(l, &names.not_activated)),
            "not-activated",
            Some(text::readers::not_activated_hint(l)),
        ),
        (text::readers::not_opened(l, of(l, &names.not_opened)), "not-opened", None),
        (text::readers::opened(l, of(l, &names.opened)), "opened", Some(text::readers::opened_hint(l))),
        (text::readers::read(l, of(l, &names.read)), "read", None),
    ];
    let rows = [&names.not_activated, &names.not_opened, &names.opened, &names.read];
    let lists = groups
        .into_iter()
        .zip(rows)
        .filter(|(_, rows)| !rows.is_empty())
        .map(|((title, id, hint), rows)| list(l, title, id, hint, rows))
        .collect_view();
    let is_done = names.not_activated.is_empty() && names.not_opened.is_empty() && names.opened.is_empty();
    let all = is_done.then(|| {
        let (title, hint) = (text::readers::nobody_waits(l), text::readers::nobody_waits_hint(l));
        view! { <EmptyState title text=hint icon=IconName::CheckCircle/> }
    });
    view! {
        <section class="stack">
            {all}
            {lists}
            <p class="muted small">{text::readers::names_hint(l)}</p>
        </section>
    }
    .into_any()
}

fn list(l: Locale, title: String, group: &'static str, hint: Option<&'static str>, rows: &[ReaderRow]) -> AnyView {
    let needs_code = group == "not-activated";
    let rows = rows
        .iter()
        .map(|row| {
            let day = row.on.map(|day| view! { " " <span class="names-day">{l.date(day)}</span> });
            let next = needs_code.then(|| way_in(l, row));
            let before = row.before_correction.then(|| {
                view! { " " <span class="muted small">{text::readers::before_correction(l)}</span> }
            });
            view! {
                <li>
                    <a href=format!("/members/{}", row.member) lang=content_lang() translate="no">{row.name.clone()}</a>
                    {day}
                    {before}
                    {next}
                </li>
            }
            .into_any()
        })
        .collect_view();
    let hint = hint.map(|hint| view! { <p class="muted">{hint}</p> });
    view! { <Card title>{hint}<ul class="names" role="list" id=group>{rows}</ul></Card> }.into_any()
}

/// How a member who never signed in can activate the account: by SMS where the record has a phone, or with a paper code.
fn way_in(l: Locale, row: &ReaderRow) -> AnyView {
    let told = if row.has_phone { text::readers::has_phone(l) } else { text::readers::has_no_phone(l) };
    view! {
        <p class="names-next">
            <span class="muted small">{told}</span>
            " "
            <a href=format!("/members/{}/code", row.member)>
                {text::members::issue_code(l)} " " <span class="visually-hidden" lang=content_lang() translate="no">{row.name.clone()}</span>
            </a>
        </p>
    }
    .into_any()
}

fn of(l: Locale, rows: &[ReaderRow]) -> String {
    l.number(rows.len() as u64)
}
