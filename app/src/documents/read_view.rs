//! The view of a document's page, and of the page of a withdrawn document.

use chrono::NaiveDate;
use domain::{
    Locale,
    accounts::TextSize,
    documents::{
        CorrectionNote, DocumentPage, DocumentSummary, Heading, Imprint, ReadingPlace, RelatedDocument, Relation,
        WithdrawnDocument, reading::Recording,
    },
    ids::DocumentId,
    units::UnitRef,
};
use leptos::prelude::*;

use super::{document_row::document_number, official_sheet, own_receipt};
use crate::{
    context::request::request_context,
    files::Attachments,
    terms, text,
    ui::{
        self, Breadcrumbs, Button, ButtonKind, Contents, Crumb, HERE, Icon, IconName, Line, LinkButton, Notice, NoticeKind, Tag,
        Tone, content_lang, title_class,
    },
};

/// Minimum number of headings for a table of contents.
const WORTH_A_LIST: usize = 3;

/// What the page's script finds the text by.
const TEXT: &str = "text";

/// `address` is the absolute address of the page, for sharing; `branch` is the reader's branch.
pub(super) fn document_view(l: Locale, page: DocumentPage, today: NaiveDate, address: String, branch: &UnitRef) -> AnyView {
    let id = page.summary.id;
    let opinion = page.takes_opinions.then(|| format!("/library/{id}/opinion"));
    let headings = headings(&page.contents);
    let list = headings.clone().map(|headings| view! { <Contents label=text::documents::contents(l) headings/> });
    let folded = headings.map(|headings| view! { <Contents label=text::documents::contents(l) headings fold=true/> });
    let is_kept = matches!(page.recording, Recording::Member(_));
    let part = is_kept.then(|| page.place.as_ref().map_or(0, |place| place.part.thousandths()));
    let (to_the_end, whole) = own_receipt::seconds(page.recording).unzip();
    let receipt = own_receipt::own_receipt(l, id, page.recording, branch, l.date(today));
    let class = if official_sheet::is_official(&page.summary) { "document official" } else { "document" };
    let end = official_sheet::end(&page.summary, &page.imprint);
    view! {
        {crumbs(l, &page.summary)}
        <div class="page-document">
            <article
                class=class
                data-document=id.to_string()
                data-part=part
                data-end=to_the_end
                data-whole=whole
                data-print=running_head(l, &page.summary)
            >
                {official_sheet::head(&page.summary)}
                {head(l, &page, today)}
                {page.correction.clone().map(|correction| corrected(l, correction))}
                {page.place.clone().map(|place| continue_notice(l, place))}
                {tools(l, &page, address)}
                {folded}
                {reading_bar(l, &page.summary, opinion.clone())}
                <div class="prose" id=TEXT lang=content_lang() inner_html=page.html></div>
                {end}
                {receipt}
                <Attachments l files=page.attachments/>
                {related(l, page.related)}
                {opinion.map(|href| invitation(l, href))}
            </article>
            {list}
        </div>
    }
    .into_any()
}

pub(super) fn withdrawn_view(l: Locale, page: WithdrawnDocument) -> AnyView {
    let id = page.summary.id;
    let on = page.on.map(|day| text::reading::withdrawn_on(l, l.date(day)));
    let title = on.unwrap_or_else(|| text::reading::withdrawn_title(l).to_owned());
    let because = page.because.map_or_else(
        || view! { <p>{text::reading::withdrawn_text(l)}</p> }.into_any(),
        |because| {
            let told = Line::around(text::reading::withdrawn_because(l, HERE), &Line::content(because));
            view! { <p>{told.show()}</p> }.into_any()
        },
    );
    let mark = page.bookmarked.then(|| view! { <div class="actions">{mark_form(l, id, true, false)}</div> });
    view! {
        {crumbs(l, &page.summary)}
        <article class="document">
            <header class="document-head">
                <p class="eyebrow">{terms::document_kind(l, page.summary.kind)}</p>
                <h1 lang=content_lang()>{page.summary.title.clone()}</h1>
                {number_line(l, &page.summary)}
            </header>
            <Notice kind=NoticeKind::Warn title>{because}</Notice>
            {related(l, page.related)}
            {mark}
        </article>
    }
    .into_any()
}

fn crumbs(l: Locale, summary: &DocumentSummary) -> AnyView {
    let kind = terms::document_kind(l, summary.kind);
    let crumbs = vec![
        Crumb::link(text::frame::library(l), "/library"),
        Crumb::link(kind, format!("/library?kind={}", summary.kind.key())),
        Crumb::here(summary.number.as_ref().map_or_else(|| Line::from(text::documents::this(l)), Line::name)),
    ];
    view! { <Breadcrumbs label=text::documents::way(l) crumbs/> }.into_any()
}

fn head(l: Locale, page: &DocumentPage, today: NaiveDate) -> AnyView {
    let summary = &page.summary;
    let Imprint { signer, audience, parts, except } = &page.imprint;
    let whom = terms::audience(l, audience, parts, except);
    let told = page.reach.map(|members| text::documents::for_members(l, HERE, l.number(members)));
    let audience = Line::around(told.unwrap_or_else(|| text::documents::for_members_of(l, HERE)), &whom);
    let class = title_class(&summary.title);
    let signer = signer.as_ref().map(|name| {
        let signed = text::documents::signed_by(l, name);
        view! { <li><Icon name=IconName::Pencil/><span>{signed}</span></li> }
    });
    // The reader already has it open, so the due day is shown without urgency.
    let must = summary.must_read_by.filter(|day| !summary.read || *day >= today).map(|day| {
        view! { <p><Tag tone=Tone::Warn icon=IconName::Clock label=text::reading::must_read_by(l, l.date(day))/></p> }
    });
    view! {
        <header class="document-head">
            <h1 class=class lang=content_lang() data-kind=official_sheet::kind_above(summary)>{text::together(&summary.title)}</h1>
            {must}
            <details class="particulars">
                <summary><span class="document-number" translate="no">{particulars(l, summary).show()}</span></summary>
                <ul class="facts-inline" role="list">
                    <li><Icon name=IconName::Layers/><span>{text::documents::issued_by(l, &summary.issuer.name)}</span></li>
                    {signer}
                    <li><Icon name=IconName::People/><span>{audience.show()}</span></li>
                    <li><Icon name=IconName::Clock/><span>{text::documents::minutes(l, summary.minutes.into())}</span></li>
                </ul>
            </details>
        </header>
    }
    .into_any()
}

/// Kind, number and date on one line.
fn particulars(l: Locale, summary: &DocumentSummary) -> Line {
    Line::from(terms::document_kind(l, summary.kind))
        .and(document_number(l, summary.number.as_deref()))
        .and(summary.published_on.map(|day| l.date(day)))
}

fn number_line(l: Locale, summary: &DocumentSummary) -> Option<AnyView> {
    let line = document_number(l, summary.number.as_deref()).and(summary.published_on.map(|day| l.long_date(day)));
    (!line.is_empty()).then(|| view! { <p class="document-number" translate="no">{line.show()}</p> }.into_any())
}

/// The header of each printed page.
pub(super) fn running_head(l: Locale, summary: &DocumentSummary) -> String {
    let name = summary.number.as_ref().map(|number| text::documents::number(l, number));
    let name = name.unwrap_or_else(|| terms::document_kind(l, summary.kind).to_owned());
    [Some(name), summary.published_on.map(|day| l.date(day))].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn corrected(l: Locale, CorrectionNote { on, note }: CorrectionNote) -> AnyView {
    let title = text::reading::corrected_on(l, l.date(on));
    view! { <Notice title>{note.map(|note| view! { <p lang=content_lang()>{note}</p> })}</Notice> }.into_any()
}

/// The reading position, from any device.
fn continue_notice(l: Locale, ReadingPlace { heading, part }: ReadingPlace) -> AnyView {
    let (title, anchor) = match heading {
        Some(heading) => (Line::around(text::reading::was_at(l, HERE), &Line::content(heading.title)), heading.anchor),
        None => (Line::from(text::reading::was_at_part(l, l.number(part.percent()))), TEXT.to_owned()),
    };
    view! {
        <div class="no-print">
            <Notice title icon=IconName::History>
                <p><a href=format!("#{anchor}") rel="external" data-go-on="">{text::reading::go_on_here(l)}</a></p>
            </Notice>
        </div>
    }
    .into_any()
}

/// Actions on the document. Those that need a script are shown by it.
fn tools(l: Locale, page: &DocumentPage, address: String) -> AnyView {
    let id = page.summary.id;
    let readers = page.shows_readers.then(|| {
        view! {
            <a class="button button-quiet" href=format!("/readers/{id}")>
                <Icon name=IconName::People/>
                <span>{text::readers::who_has_read(l)}</span>
            </a>
        }
    });
    view! {
        <div class="document-tools no-print">
            {mark_form(l, id, false, page.bookmarked)}
            {mark_form(l, id, true, !page.bookmarked)}
            <a class="button button-quiet" href=format!("/library/{id}/download") rel="external" download="">
                <Icon name=IconName::Download/>
                <span>{text::reading::download(l)}</span>
            </a>
            <button class="button button-quiet" type="button" data-print-page="">
                <Icon name=IconName::Print/>
                <span>{text::reading::print(l)}</span>
            </button>
            <details class="share">
                <summary class="button button-quiet" data-share="">
                    <Icon name=IconName::Send/>
                    <span>{text::reading::share(l)}</span>
                </summary>
                <div>
                    <label class="label" for="address">{text::reading::address(l)}</label>
                    <input class="input" id="address" readonly=true value=address/>
                </div>
            </details>
            {readers}
        </div>
    }
    .into_any()
}

/// A form for each direction, so that each does what its label says on an outdated page too.
fn mark_form(l: Locale, id: DocumentId, takes_away: bool, hidden: bool) -> AnyView {
    let (action, label) = if takes_away {
        ("/api/documents/remove_bookmark", text::reading::remove_bookmark(l))
    } else {
        ("/api/documents/bookmark", text::reading::bookmark(l))
    };
    view! {
        <form method="post" action=action data-mark="" hidden=hidden>
            <input type="hidden" name="id" value=id.to_string()/>
            <Button kind=ButtonKind::Quiet icon=IconName::Bookmark>{label}</Button>
        </form>
    }
    .into_any()
}

/// A bar that stays visible while reading: the title, and the actions that should not need scrolling.
fn reading_bar(l: Locale, summary: &DocumentSummary, opinion: Option<String>) -> AnyView {
    let name = summary.number.as_ref().map_or_else(|| Line::from(terms::document_kind(l, summary.kind)), Line::number);
    let size = request_context().map(|context| context.page.preferences.text_size).unwrap_or_default();
    let opinion = opinion.map(|href| {
        view! { <LinkButton href kind=ButtonKind::Quiet icon=IconName::Message>{text::documents::opinion(l)}</LinkButton> }
    });
    view! {
        <div class="reading-bar">
            <span>{name.show()}</span>
            {opinion}
            <form class="text-size" method="post" action="/api/account/set_text_size" data-text-size-form="">
                <input type="hidden" name="next" value=format!("/library/{}", summary.id)/>
                {size_button(size.smaller(), "-1", text::documents::smaller_text(l), "A−")}
                {size_button(size.larger(), "1", text::documents::larger_text(l), "A+")}
            </form>
        </div>
    }
    .into_any()
}

/// Sends the absolute size; the script computes it from the current one.
fn size_button(size: TextSize, step: &'static str, label: &'static str, sign: &'static str) -> AnyView {
    view! {
        <button class="button button-quiet" name="text_size" value=size.key() data-step=step aria-label=label>{sign}</button>
    }
    .into_any()
}

fn related(l: Locale, related: Vec<RelatedDocument>) -> Option<AnyView> {
    if related.is_empty() {
        return None;
    }
    let rows = related
        .into_iter()
        .map(|other| {
            let name = other.number.map(|number| format!("{} · {}", text::documents::number(l, number), other.title));
            view! {
                <li>
                    {relation(l, other.relation, other.is_newer)} ": "
                    <a lang=content_lang() href=format!("/library/{}", other.id)>{name.unwrap_or(other.title)}</a>
                </li>
            }
        })
        .collect_view();
    Some(
        view! {
            <section class="stack-tight">
                <h2>{text::reading::related(l)}</h2>
                <ul class="document-related">{rows}</ul>
            </section>
        }
        .into_any(),
    )
}

/// The relation to the other document, in words.
fn relation(l: Locale, relation: Relation, is_newer: bool) -> &'static str {
    match (relation, is_newer) {
        (Relation::Supersedes, false) => text::reading::supersedes(l),
        (Relation::Supersedes, true) => text::reading::superseded_by(l),
        (Relation::Amends, false) => text::reading::amends(l),
        (Relation::Amends, true) => text::reading::amended_by(l),
        (Relation::Guides, false) => text::reading::guides(l),
        (Relation::Guides, true) => text::reading::guided_by(l),
    }
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
