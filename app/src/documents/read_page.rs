//! Reading one document.

use domain::{
    Locale,
    documents::{DocumentPage, Heading},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::fns::read;
use crate::{
    files::Attachments,
    i18n::use_locale,
    page::show,
    terms, text,
    ui::{self, Breadcrumbs, ButtonKind, Contents, Crumb, Icon, IconName, LinkButton},
};

/// With fewer headings than this the text is overlooked faster than its contents list.
const WORTH_A_LIST: usize = 3;

#[component]
pub fn ReadPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let written = ArcStoredValue::new(String::new());
    let kept = written.clone();
    let data = Resource::new(
        move || params.with(|params| params.get("id").unwrap_or_default()),
        move |id| {
            let kept = kept.clone();
            async move {
                let mut page = read(id).await?;
                keep_text(&kept, &mut page);
                Ok(page)
            }
        },
    );
    show(data, move |page| document(l, page, &written))
}

/// The text is on the page already; sending it a second time with the page's data would double what a phone has to load. So the
/// server takes it out of the data, and the browser, which finds none there, leaves what stands in the page.
#[cfg(feature = "ssr")]
fn keep_text(kept: &ArcStoredValue<String>, page: &mut DocumentPage) {
    kept.set_value(std::mem::take(&mut page.html));
}

/// A page that the browser fetched itself has its text with it.
#[cfg(not(feature = "ssr"))]
fn keep_text(_: &ArcStoredValue<String>, _: &mut DocumentPage) {}

fn document(l: Locale, page: DocumentPage, written: &ArcStoredValue<String>) -> AnyView {
    let html = if page.html.is_empty() { written.get_value() } else { page.html.clone() };
    let kind = terms::document_kind(l, page.summary.kind);
    let opinion = page.takes_opinions.then(|| format!("/library/{}/opinion", page.summary.id));
    let headings = headings(&page.contents);
    let list = headings.clone().map(|headings| view! { <Contents label=text::documents::contents(l) headings/> });
    let folded = headings.map(|headings| view! { <Contents label=text::documents::contents(l) headings fold=true/> });
    let crumbs = vec![
        Crumb::link(text::frame::library(l), "/library"),
        Crumb::link(kind, format!("/library?kind={}", page.summary.kind.key())),
        Crumb::here(page.summary.number.clone().unwrap_or_else(|| text::documents::this(l).to_owned())),
    ];
    view! {
        <Title text=page.summary.title.clone()/>
        <div class="page">
            <Breadcrumbs label=text::documents::way(l) crumbs/>
            <div class="page-document">
                <article class="document">
                    {head(l, &page)}
                    {folded}
                    {reading_bar(l, &page, opinion.clone())}
                    <div class="prose" inner_html=html></div>
                    <Attachments l files=page.attachments.clone()/>
                    {opinion.map(|href| invitation(l, href))}
                </article>
                {list}
            </div>
        </div>
    }
    .into_any()
}

fn head(l: Locale, page: &DocumentPage) -> AnyView {
    let summary = &page.summary;
    let number = [
        summary.number.as_ref().map(|number| text::documents::number(l, number)),
        summary.published_on.map(|day| l.long_date(day)),
    ];
    let number = number.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let audience = text::documents::for_members(l, &page.audience.name, l.number(page.reach));
    let signer = page.signer.as_ref().map(|name| {
        let signed = text::documents::signed_by(l, name);
        view! { <li><Icon name=IconName::Pencil/><span>{signed}</span></li> }
    });
    view! {
        <header class="document-head">
            <p class="eyebrow">{terms::document_kind(l, summary.kind)}</p>
            <h1>{summary.title.clone()}</h1>
            {(!number.is_empty()).then(|| view! { <p class="document-number">{number}</p> })}
            <ul class="facts-inline" role="list">
                <li><Icon name=IconName::Layers/><span>{text::documents::issued_by(l, &summary.issuer.name)}</span></li>
                {signer}
                <li><Icon name=IconName::People/><span>{audience}</span></li>
                <li><Icon name=IconName::Clock/><span>{text::documents::minutes(l, summary.minutes.into())}</span></li>
            </ul>
        </header>
    }
    .into_any()
}

/// Stays in sight while reading: what one reads, and what one may want without scrolling back.
fn reading_bar(l: Locale, page: &DocumentPage, opinion: Option<String>) -> AnyView {
    let name = page.summary.number.clone().unwrap_or_else(|| terms::document_kind(l, page.summary.kind).to_owned());
    let opinion = opinion.map(|href| {
        view! { <LinkButton href kind=ButtonKind::Quiet icon=IconName::Message>{text::documents::opinion(l)}</LinkButton> }
    });
    view! {
        <div class="reading-bar">
            <span>{name}</span>
            {opinion}
            <LinkButton href="/more" kind=ButtonKind::Quiet icon=IconName::TextSize>
                {text::documents::text_size(l)}
            </LinkButton>
        </div>
    }
    .into_any()
}

fn invitation(l: Locale, href: String) -> AnyView {
    view! {
        <section class="stack no-print">
            <h2>{text::documents::opinion_title(l)}</h2>
            <p class="muted">{text::documents::opinion_hint(l)}</p>
            <div class="actions">
                <LinkButton href icon=IconName::Message wide=true>{text::documents::send_opinion(l)}</LinkButton>
            </div>
        </section>
    }
    .into_any()
}

fn headings(contents: &[Heading]) -> Option<Vec<ui::Heading>> {
    (contents.len() >= WORTH_A_LIST).then(|| {
        contents.iter().map(|heading| ui::Heading { id: heading.anchor.clone(), label: heading.title.clone() }).collect()
    })
}
