//! The desk: what the editor's units have in work, out, and taken back.

use domain::{
    Locale,
    documents::{self, DeskRow, DocumentState},
    locale::local_date,
};
use leptos::prelude::*;
use leptos_meta::Title;

use super::fns::desk;
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    ui::{Card, EmptyState, IconName, LinkButton, ListRow, PageHeader, RowList},
};

/// The use-case lists at most this many of each state.
const LISTED: usize = 50;

#[component]
pub(crate) fn DeskPage() -> impl IntoView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| desk());
    show(data, move |page| {
        view! {
            <Title text=text::frame::desk(l)/>
            <div class="page">
                <PageHeader title=text::frame::desk(l) eyebrow=page.unit.name.clone() lead=text::desk::lead(l)>
                    <LinkButton href="/desk/new" icon=IconName::Plus wide=true>{text::desk::new_document(l)}</LinkButton>
                </PageHeader>
                {lists(l, page)}
            </div>
        }
        .into_any()
    })
}

fn lists(l: Locale, page: documents::DeskPage) -> AnyView {
    if page.drafts.is_empty() && page.published.is_empty() && page.withdrawn.is_empty() {
        return view! { <EmptyState title=text::desk::empty_title(l) text=text::desk::empty(l) icon=IconName::Compose/> }
            .into_any();
    }
    let withdrawn = (!page.withdrawn.is_empty()).then(|| list(l, DocumentState::Withdrawn, page.withdrawn));
    view! {
        {list(l, DocumentState::Draft, page.drafts)}
        {list(l, DocumentState::Published, page.published)}
        {withdrawn}
    }
    .into_any()
}

fn list(l: Locale, state: DocumentState, rows: Vec<DeskRow>) -> AnyView {
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let title = text::desk::section(l, terms::document_state(l, state), l.number(count));
    let newest_only =
        (rows.len() >= LISTED).then(|| view! { <p class="muted small">{text::desk::newest_only(l, l.number(count))}</p> });
    let rows = if rows.is_empty() {
        let none = if state == DocumentState::Draft { text::desk::no_drafts(l) } else { text::desk::none_published(l) };
        view! { <p class="muted">{none}</p> }.into_any()
    } else {
        view! { <RowList>{rows.into_iter().map(|document| row(l, document)).collect_view()}</RowList> }.into_any()
    };
    view! { <Card title>{newest_only} {rows}</Card> }.into_any()
}

fn row(l: Locale, document: DeskRow) -> AnyView {
    let saved = text::desk::saved_on(l, l.date(local_date(document.saved_at)));
    let meta = if document.audience.id == document.issuer.id {
        format!("{} · {saved}", document.issuer.name)
    } else {
        format!("{} → {} · {saved}", document.issuer.name, document.audience.name)
    };
    view! {
        <ListRow
            href=format!("/desk/{}", document.id)
            title=document.title
            eyebrow=terms::document_kind(l, document.kind)
            meta
        />
    }
    .into_any()
}
