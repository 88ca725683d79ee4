//! The saved versions of a document: list, view, comparison, restore.

use domain::{
    Locale,
    documents::{
        desk::{self, RevisionRow, Shown},
        steps::DocumentStep,
    },
    locale::local_date,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{difference::difference, fns::revisions, parts::way_back};
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Button, ButtonKind, Card, Choice, Form, HERE, IconName, Line, PageHeader, Select, Tag, Tone, content_lang},
};

#[component]
pub(crate) fn RevisionsPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let data = Resource::new(
        move || {
            let id = params.with(|params| params.get("id").unwrap_or_default());
            (id, query.with(|query| query.get("version")), query.with(|query| query.get("with")))
        },
        |(id, version, with)| revisions(id, version, with),
    );
    show(data, move |page| {
        let here = format!("/desk/{}", page.document);
        let list = format!("{here}/revisions");
        let document = (Line::content(&page.title), here);
        let (title, above) = match &page.shown {
            Shown::List => (text::desk::revisions_title(l).to_owned(), vec![document]),
            Shown::Version { version, .. } => (
                text::desk::version(l, l.number(*version)),
                vec![document, (text::desk::revisions_title(l).into(), list.clone())],
            ),
            Shown::Difference { old, new, .. } => (
                text::desk::compare_title(l, l.number(*old), l.number(*new)),
                vec![document, (text::desk::revisions_title(l).into(), list.clone())],
            ),
        };
        let lead = matches!(page.shown, Shown::List).then(|| text::desk::revisions_lead(l));
        let shown = shown(l, &page);
        let compare = (page.revisions.len() > 1).then(|| comparing(l, &page, &list));
        let rows = page.revisions.iter().map(|row| revision(l, &list, row)).collect_view();
        view! {
            <Title text=format!("{title} · {}", page.title)/>
            <div class="page">
                {way_back(l, above, title.as_str())}
                <PageHeader title=title.clone() eyebrow=Line::content(&page.title) lead/>
                {shown}
                {compare}
                <ul class="rows" role="list">{rows}</ul>
            </div>
        }
        .into_any()
    })
}

fn shown(l: Locale, page: &desk::RevisionsPage) -> AnyView {
    match &page.shown {
        Shown::List => ().into_any(),
        Shown::Version { version, title, html } => {
            let may = page.permissions.may(DocumentStep::Edit) && page.status.after(DocumentStep::Edit).is_ok();
            let (id, number) = (page.document.to_string(), version.to_string());
            let restore = may.then(|| {
                view! {
                    <Form action="/api/documents/restore" failed=text::frame::network_failed(l)>
                        <input type="hidden" name="id" value=id/>
                        <input type="hidden" name="version" value=number/>
                        <p class="muted">{text::desk::restore_hint(l)}</p>
                        <div class="actions">
                            <Button kind=ButtonKind::Secondary icon=IconName::Reply>{text::desk::restore(l)}</Button>
                        </div>
                    </Form>
                }
            });
            let (title, html) = (title.clone(), html.clone());
            view! {
                <Card>
                    <article class="document">
                        <p class="preview-title" lang=content_lang()>{title}</p>
                        <div class="prose" lang=content_lang() inner_html=html></div>
                    </article>
                    {restore}
                </Card>
            }
            .into_any()
        }
        Shown::Difference { old, new, pieces } => {
            let name = |version: u32| text::desk::version(l, l.number(version));
            let difference = difference(l, pieces.clone(), name(*old), name(*new));
            view! { <Card>{difference}</Card> }.into_any()
        }
    }
}

/// Choice of two versions; a plain GET form.
fn comparing(l: Locale, page: &desk::RevisionsPage, address: &str) -> AnyView {
    let choices = || {
        // Without the weekday, so that the text fits on a phone.
        let when = |row: &RevisionRow| format!("{}, {}", l.time(row.at), l.date(local_date(row.at)));
        let name = |row: &RevisionRow| format!("{} · {}", text::desk::version(l, l.number(row.version)), when(row));
        page.revisions.iter().map(|row| Choice::new(row.version.to_string(), name(row))).collect::<Vec<_>>()
    };
    let version_of = |row: Option<&RevisionRow>| row.map(|row| row.version.to_string());
    let (old, new) = match &page.shown {
        Shown::Difference { old, new, .. } => (Some(old.to_string()), Some(new.to_string())),
        _ => (version_of(page.revisions.get(1)), version_of(page.revisions.first())),
    };
    view! {
        <form class="form" method="get" action=address.to_owned()>
            <div class="columns">
                <Select label=text::desk::compare_from(l) name="version" choices=choices() value=old/>
                <Select label=text::desk::compare_with(l) name="with" choices=choices() value=new/>
            </div>
            <div class="actions">
                <Button kind=ButtonKind::Secondary icon=IconName::Layers>{text::desk::compare(l)}</Button>
            </div>
        </form>
    }
    .into_any()
}

fn revision(l: Locale, address: &str, row: &RevisionRow) -> AnyView {
    let marks =
        [(row.is_newest, text::desk::revision_newest(l), Tone::Plain), (row.is_out, text::desk::revision_out(l), Tone::Ok)];
    let marks: Vec<_> =
        marks.into_iter().filter(|(holds, ..)| *holds).map(|(_, label, tone)| view! { <Tag tone label/> }).collect();
    let marks = (!marks.is_empty()).then(|| view! { <div class="row-marks">{marks}</div> });
    let name = text::desk::version(l, l.number(row.version));
    let spoken = text::desk::read_version(l, l.number(row.version));
    let by = Line::around(text::desk::revision_by(l, HERE, l.date_time(row.at)), &Line::name(&row.by));
    view! {
        <li class="row row-plain">
            <div class="row-text">
                <p class="row-eyebrow">{name}</p>
                <p class="row-title">
                    <a class="row-link" lang=content_lang() href=format!("{address}?version={}", row.version) aria-label=spoken>{row.title.clone()}</a>
                </p>
                <p class="row-meta">{by.show()}</p>
                {marks}
            </div>
        </li>
    }
    .into_any()
}
