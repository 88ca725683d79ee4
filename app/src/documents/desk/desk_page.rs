//! The desk: the editor's tasks, and documents in work, published and withdrawn.

use domain::{
    Locale,
    documents::{
        desk::{self, DeskRow, ReviewRow},
        steps::DocumentState,
    },
    locale::local_date,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    fns::desk,
    unsaved_page::{or_unsaved, show_or_unsaved},
};
use crate::{
    frame::way_to_more,
    i18n::use_locale,
    terms, text,
    title::Title,
    ui::{
        ButtonKind, Card, EmptyState, HERE, IconName, Line, LinkButton, ListRow, Notice, NoticeKind, PageHeader, RowList, Tag,
        Tone,
    },
};

/// Maximum rows of each state that the use-case returns.
const LISTED: usize = 50;

#[component]
pub(crate) fn DeskPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let data = Resource::new(|| (), |()| async { or_unsaved(desk().await, None).await });
    show_or_unsaved(data, move |page| {
        let told = query.with_untracked(|query| match (query.get_str("returned"), query.get_str("discarded")) {
            (Some(_), _) => Some(text::desk::changes_sent(l)),
            (_, Some(_)) => Some(text::desk::discarded(l)),
            _ => None,
        });
        let eyebrow = page.unit.as_ref().map(|unit| Line::name(&unit.name));
        let actions = page.unit.as_ref().map(|unit| {
            let rules = page.sets_rules.then(|| {
                let href = format!("/desk/rules/{}", unit.id);
                view! {
                    <LinkButton href kind=ButtonKind::Quiet icon=IconName::Check>{text::desk::rules(l)}</LinkButton>
                }
            });
            view! {
                <LinkButton href="/desk/new" icon=IconName::Plus wide=true>{text::desk::new_document(l)}</LinkButton>
                {rules}
            }
        });
        view! {
            <Title text=text::frame::desk(l)/>
            <div class="page">
                {way_to_more(text::frame::desk(l))}
                <PageHeader title=text::frame::desk(l) eyebrow lead=text::desk::lead(l)>{actions}</PageHeader>
                {told.map(|title| view! { <Notice kind=NoticeKind::Ok title/> })}
                {lists(l, page)}
            </div>
        }
        .into_any()
    })
}

fn lists(l: Locale, page: desk::DeskPage) -> AnyView {
    let asked = (!page.asked.is_empty()).then(|| asked(l, page.asked));
    let lists = [
        (DocumentState::Draft, page.drafts),
        (DocumentState::InReview, page.in_review),
        (DocumentState::Scheduled, page.scheduled),
        (DocumentState::Published, page.published),
        (DocumentState::Withdrawn, page.withdrawn),
    ];
    if asked.is_none() && lists.iter().all(|(_, rows)| rows.is_empty()) {
        return view! { <EmptyState title=text::desk::empty_title(l) text=text::desk::empty(l) icon=IconName::Compose/> }
            .into_any();
    }
    let lists = lists.into_iter().filter(|(_, rows)| !rows.is_empty());
    view! {
        {asked}
        {lists.map(|(state, rows)| list(l, state, rows)).collect_view()}
    }
    .into_any()
}

/// Reviews requested from the viewer.
fn asked(l: Locale, rows: Vec<ReviewRow>) -> AnyView {
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let rows = rows.into_iter().map(move |row| {
        let asks = if row.comments_only { text::desk::asked_comments } else { text::desk::asked_review };
        let due = row.due.map(|day| text::desk::due_on(l, l.date(day)));
        let meta = Line::from(asks(l, &row.asked_by)).and(due);
        let document = row.document;
        view! {
            <ListRow
                href=format!("/desk/{}/review", document.id)
                title=document.title
                eyebrow=terms::document_kind(l, document.kind)
                meta
            />
        }
    });
    view! {
        <Card title=text::desk::asked_title(l, l.number(count)) strong=true>
            <RowList>{rows.collect_view()}</RowList>
        </Card>
    }
    .into_any()
}

fn list(l: Locale, state: DocumentState, rows: Vec<DeskRow>) -> AnyView {
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let title = text::desk::section(l, terms::document_state(l, state), l.number(count));
    let newest_only =
        (rows.len() >= LISTED).then(|| view! { <p class="muted small">{text::desk::newest_only(l, l.number(count))}</p> });
    let rows = rows.into_iter().map(|document| row(l, document)).collect_view();
    view! { <Card title>{newest_only} <RowList>{rows}</RowList></Card> }.into_any()
}

fn row(l: Locale, document: DeskRow) -> AnyView {
    // No-break spaces: the line may break before these words only.
    let saved = text::desk::saved_on(l, l.date(local_date(document.saved_at))).replace(' ', "\u{a0}");
    let when = document.publish_at.map_or(saved, |at| text::desk::goes_out(l, l.date_time(at)));
    let is_own = document.audience.id == document.issuer.id;
    let meta = match document.parts {
        0 if is_own => Line::name(document.issuer.name),
        0 => Line::name(format!("{} → {}", document.issuer.name, document.audience.name)),
        parts => {
            let told = format!("{HERE} → {}", text::desk::part_count(l, parts.into()));
            Line::around(told, &Line::name(document.issuer.name))
        }
    };
    let except = (document.except > 0).then(|| text::desk::except_count(l, document.except.into()));
    let meta = meta.and(except).and(when);
    let is_correction = document.is_out && document.state != DocumentState::Published;
    let mark = is_correction.then(|| view! { <Tag tone=Tone::Info label=text::desk::is_out(l)/> });
    view! {
        <ListRow
            href=format!("/desk/{}", document.id)
            title=document.title
            eyebrow=terms::document_kind(l, document.kind)
            meta
        >
            {mark}
        </ListRow>
    }
    .into_any()
}
