//! A document in a list.

use domain::{Locale, documents::DocumentSummary};
use leptos::prelude::*;

use crate::{
    terms, text,
    ui::{HERE, IconName, Line, ListRow, Tag, Tone},
};

/// A document in a list, in this module and on the first page.
pub(crate) fn document_row(l: Locale, document: DocumentSummary) -> AnyView {
    let href = format!("/library/{}", document.id);
    let eyebrow = terms::document_kind(l, document.kind);
    let meta = document_meta(l, &document);
    let urgent = document.must_read_by.filter(|_| !document.read).map(|day| {
        view! { <Tag tone=Tone::Warn icon=IconName::Clock label=text::reading::must_read_by(l, l.date(day))/> }
    });
    let reminded = document.reminded.map(|reminded| {
        view! { <Tag tone=Tone::Warn icon=IconName::Clock label=text::readers::reminded_by(l, l.date(reminded.on), reminded.by)/> }
    });
    let corrected = document.corrected_on.map(|_| {
        view! { <Tag tone=Tone::Warn icon=IconName::Pencil label=text::documents::corrected(l)/> }
    });
    let unread = !document.read;
    if !unread && !document.pinned && corrected.is_none() {
        return view! { <ListRow href title=document.title eyebrow meta/> }.into_any();
    }
    view! {
        <ListRow href title=document.title eyebrow meta unread>
            {corrected}
            {unread.then(|| view! { <Tag tone=Tone::Accent label=text::documents::unread(l)/> })}
            {reminded}
            {urgent}
            {document.pinned.then(|| view! { <Tag label=text::reading::pinned(l)/> })}
        </ListRow>
    }
    .into_any()
}

/// Number, issuer and day, which identify a document.
pub(crate) fn document_meta(l: Locale, document: &DocumentSummary) -> Line {
    document_number(l, document.number.as_deref())
        .and(Line::name(&document.issuer.name))
        .and(document.published_on.map(|day| l.date(day)))
}

/// "No. 21-CT/TU"; nothing for a document without a number.
pub(super) fn document_number(l: Locale, number: Option<&str>) -> Line {
    number.map(|number| Line::around(text::documents::number(l, HERE), &Line::number(number))).into()
}
