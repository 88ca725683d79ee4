//! The search page: the field, the collapsible filters, the results.
//!
//! `scripts/search.js` updates the results during typing: it requests this page and takes `#search-results` from the response. It
//! reads its texts from attributes here.

use domain::{
    Locale,
    courses::CourseState,
    documents::{DocumentField, DocumentKind, DocumentSummary},
    meetings::{MeetingState, MeetingSummary},
    search::{self, Closeness, FoundCourse, Piece, SearchHit, SearchItem, SearchKind, SearchQuery},
    units::UnitKind,
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use super::fns::find;
use crate::{
    documents::document_meta,
    frame::way_back,
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{
        Button, ButtonKind, Chip, Chips, Choice, EmptyState, Icon, IconName, Line, LinkButton, Notice, NoticeKind, PageHeader,
        Pager, RowList, Select, Tag, Tone, content_lang,
    },
};

/// Sample queries, shown when nothing was typed: without diacritics, a number, a phrase.
const EXAMPLES: [&str; 3] = ["chuyen doi so", "339-QĐ/TW", "“sinh hoạt chuyên đề”"];

#[component]
pub(crate) fn SearchPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let data = Resource::new(
        move || query.with(|query| ["q", "what", "kind", "level", "field", "issuer", "year", "after"].map(|key| query.get(key))),
        |[q, what, kind, level, field, issuer, year, after]| find(q, what, kind, level, field, issuer, year, after),
    );
    show(data, move |page| {
        let asked = query.with_untracked(asked);
        let title =
            if page.typed.is_empty() { text::search::title(l).to_owned() } else { text::search::title_of(l, &page.typed) };
        let told = spoken_summary(l, &page);
        view! {
            <Title text=title/>
            <div class="page">
                {way_back(text::frame::library(l), "/library", text::search::title(l))}
                <PageHeader title=text::search::title(l)/>
                {form(l, &page, &asked)}
                <p class="visually-hidden" role="status" id="search-told"></p>
                <p class="search-failed" role="status" id="search-failed" data-text=text::search::failed(l)></p>
                <div class="stack" id="search-results" data-told=told>
                    {results(l, page, &asked)}
                </div>
            </div>
        }
        .into_any()
    })
}

fn form(l: Locale, page: &search::SearchPage, asked: &SearchQuery) -> AnyView {
    let typed = page.typed.clone();
    let what = asked.what.map(|what| view! { <input type="hidden" name="what" value=what.key()/> });
    // The filters apply to documents only.
    let filters = asked.what.is_none_or(|what| what == SearchKind::Documents).then(|| filters(l, page, asked));
    view! {
        <form class="stack-tight" role="search" method="get" action="/search">
            <div class="search">
                <label class="visually-hidden" for="q">{text::search::label(l)}</label>
                <input class="input" type="search" name="q" id="q" value=typed autocomplete="off" enterkeyhint="search" aria-describedby="q-hint"/>
                <Button icon=IconName::Search>{text::search::submit(l)}</Button>
            </div>
            <p class="hint" id="q-hint">{text::search::hint(l)}</p>
            {what}
            {filters}
        </form>
    }
    .into_any()
}

/// Expanded while a filter is set, so that active filters are always visible.
fn filters(l: Locale, page: &search::SearchPage, asked: &SearchQuery) -> AnyView {
    let all = |label: &str| Choice::new("", label);
    let kinds = DocumentKind::ALL.map(|kind| Choice::new(kind.key(), terms::document_kind(l, kind)));
    let fields = DocumentField::ALL.map(|field| Choice::new(field.key(), terms::document_field(l, field)));
    let issuers = page.issuers.iter().map(|unit| Choice::name(unit.id.to_string(), unit.name.clone()));
    let years = page.years.iter().map(|year| Choice::new(year.to_string(), l.digits(&year.to_string())));
    let kinds = [all(text::documents::all_kinds(l))].into_iter().chain(kinds).collect();
    let levels = [all(text::documents::all_levels(l))].into_iter().chain(terms::issuing_levels(l)).collect();
    let fields = [all(text::search::all_fields(l))].into_iter().chain(fields).collect();
    let issuers = [all(text::search::all_issuers(l))].into_iter().chain(issuers).collect();
    let years = [all(text::search::all_years(l))].into_iter().chain(years).collect();
    view! {
        <details class="search-filters" open=asked.is_filtered()>
            <summary>{text::search::filters(l)}</summary>
            <div class="search-choices">
                <Select label=text::search::kind(l) name="kind" choices=kinds value=asked.kind.map(DocumentKind::key)/>
                <Select label=text::search::level(l) name="level" choices=levels value=asked.level.map(UnitKind::key)/>
                <Select label=text::search::field(l) name="field" choices=fields value=asked.field.map(DocumentField::key)/>
                <Select label=text::search::issuer(l) name="issuer" choices=issuers value=asked.issuer.map(|unit| unit.to_string())/>
                <Select label=text::search::year(l) name="year" choices=years value=asked.year.map(|year| year.to_string())/>
                <Button kind=ButtonKind::Secondary>{text::search::apply(l)}</Button>
            </div>
        </details>
    }
    .into_any()
}

/// A summary of the results in one line, for screen readers.
fn spoken_summary(l: Locale, page: &search::SearchPage) -> String {
    if !page.is_asked {
        String::new()
    } else if !page.is_ready {
        text::search::preparing_title(l).to_owned()
    } else if page.total == 0 {
        text::search::none_title(l).to_owned()
    } else {
        text::search::found(l, page.total.into())
    }
}

fn results(l: Locale, page: search::SearchPage, asked: &SearchQuery) -> AnyView {
    let cut = page.is_cut.then(|| {
        let most = l.number(u64::try_from(SearchQuery::TYPED_MAX).unwrap_or_default());
        view! { <p class="hint search-cut">{text::search::cut(l, most)}</p> }
    });
    view! {
        {cut}
        {found(l, page, asked)}
    }
    .into_any()
}

fn found(l: Locale, page: search::SearchPage, asked: &SearchQuery) -> AnyView {
    if !page.is_asked {
        return start(l, &page);
    }
    if !page.is_ready {
        let href = address(asked);
        return view! {
            <div data-look-again="">
                <EmptyState title=text::search::preparing_title(l) text=text::search::preparing(l) icon=IconName::Search>
                    <LinkButton href kind=ButtonKind::Secondary>{text::search::again(l)}</LinkButton>
                </EmptyState>
            </div>
        }
        .into_any();
    }
    if page.hits.is_empty() && page.next.is_none() {
        return view! {
            {kinds(l, asked)}
            {nothing(l, asked)}
        }
        .into_any();
    }
    let next = page.next.map(|after| address(&SearchQuery { after: Some(after), ..asked.clone() }));
    let back = asked.after.is_some().then(|| {
        let href = address(&SearchQuery { after: None, ..asked.clone() });
        view! {
            <p>
                <LinkButton href kind=ButtonKind::Quiet icon=IconName::ArrowLeft>
                    {text::search::to_best(l)}
                </LinkButton>
            </p>
        }
    });
    let rows = page.hits.into_iter().map(|hit| row(l, hit)).collect_view();
    view! {
        {kinds(l, asked)}
        {closeness(l, page.closeness, page.instead, asked)}
        <p class="muted">{text::search::found(l, page.total.into())}</p>
        {back}
        <RowList>{rows}</RowList>
        <Pager next_href=next label=text::search::show_more(l)/>
    }
    .into_any()
}

/// The kind of results. Filters are dropped for meetings and courses, and kept for documents.
fn kinds(l: Locale, asked: &SearchQuery) -> AnyView {
    let chip = |what: Option<SearchKind>, label: &str| {
        let query = match what {
            Some(SearchKind::Meetings | SearchKind::Courses) => {
                SearchQuery { typed: asked.typed.clone(), what, ..SearchQuery::default() }
            }
            _ => SearchQuery { what, after: None, ..asked.clone() },
        };
        Chip { label: label.to_owned(), href: address(&query), current: asked.what == what }
    };
    let chips = vec![
        chip(None, text::search::everything(l)),
        chip(Some(SearchKind::Documents), text::search::documents(l)),
        chip(Some(SearchKind::Meetings), text::meetings::title(l)),
        chip(Some(SearchKind::Courses), text::courses::title(l)),
    ];
    view! { <Chips label=text::search::kinds(l) chips/> }.into_any()
}

/// Says that the results do not match the query exactly, and offers an alternative query.
fn closeness(l: Locale, closeness: Closeness, instead: Option<String>, asked: &SearchQuery) -> AnyView {
    let title = match closeness {
        Closeness::AllWords => return ().into_any(),
        Closeness::SimilarWords => text::search::similar(l),
        Closeness::MostWords => text::search::most(l),
    };
    let instead = instead.map(|words| {
        let href = address(&SearchQuery { typed: words.clone(), after: None, ..asked.clone() });
        view! { <p>{text::search::instead(l)} " " <a href=href lang=content_lang()>{words}</a></p> }
    });
    view! { <Notice kind=NoticeKind::Info title=title>{instead}</Notice> }.into_any()
}

/// The display values of a hit, except title and passage.
struct HitRow {
    href: String,
    kind: String,
    meta: Line,
    is_unread: bool,
    mark: Option<AnyView>,
}

impl HitRow {
    fn document(l: Locale, document: DocumentSummary) -> Self {
        let meta = document_meta(l, &document);
        let is_unread = !document.is_read();
        let mark = if document.corrected_on.is_some() {
            Some(view! { <Tag tone=Tone::Warn icon=IconName::Pencil label=text::documents::corrected(l)/> }.into_any())
        } else {
            (!document.read).then(|| view! { <Tag tone=Tone::Accent label=text::documents::unread(l)/> }.into_any())
        };
        Self {
            href: format!("/library/{}", document.id),
            kind: terms::document_kind(l, document.kind).to_owned(),
            meta,
            is_unread,
            mark,
        }
    }

    fn meeting(l: Locale, meeting: MeetingSummary) -> Self {
        let state = meeting.state;
        let tag = || view! { <Tag tone=Tone::Warn label=terms::meeting_state(l, state)/> }.into_any();
        Self {
            href: format!("/meetings/{}", meeting.id),
            kind: terms::meeting_kind(l, meeting.kind).to_owned(),
            meta: Line::from(l.date_time(meeting.starts_at)).and(Line::content(meeting.venue)).and(Line::name(meeting.unit.name)),
            is_unread: false,
            // Only a cancellation is marked; the date shows whether the meeting is over.
            mark: (state == MeetingState::Cancelled).then(tag),
        }
    }

    fn course(l: Locale, course: FoundCourse) -> Self {
        let is_over = course.state == CourseState::Ended;
        let tag = || view! { <Tag label=text::courses::state_ended(l)/> }.into_any();
        Self {
            href: if course.is_own { format!("/courses/{}", course.id) } else { format!("/courses/manage/{}", course.id) },
            kind: text::search::course(l).to_owned(),
            meta: Line::name(course.issuer.name).and(text::courses::due_on(l, l.date(course.due_on))),
            is_unread: false,
            mark: is_over.then(tag),
        }
    }
}

fn row(l: Locale, hit: SearchHit) -> AnyView {
    let SearchHit { item, title, excerpt, attachment } = hit;
    let HitRow { href, kind, meta, is_unread, mark } = match item {
        SearchItem::Document(document) => HitRow::document(l, document),
        SearchItem::Meeting(meeting) => HitRow::meeting(l, meeting),
        SearchItem::Course(course) => HitRow::course(l, course),
    };
    let excerpt = (!excerpt.is_empty()).then(|| view! { <p class="row-excerpt" lang=content_lang()>{pieces(excerpt)}</p> });
    let attachment = attachment.map(|name| {
        view! { <p class="row-meta row-file">{text::search::in_file(l)} " " <bdi lang=content_lang()>{name}</bdi></p> }
    });
    let mark = mark.map(|mark| view! { <div class="row-marks">{mark}</div> });
    view! {
        <li class=if is_unread { "row row-found row-unread" } else { "row row-found" }>
            <div class="row-text">
                <p class="row-eyebrow">{kind}</p>
                <a class="row-link" lang=content_lang() href=href><bdi>{pieces(title)}</bdi></a>
                <p class="row-meta">{meta.show()}</p>
                {attachment}
                {excerpt}
                {mark}
            </div>
            <Icon name=IconName::Next/>
        </li>
    }
    .into_any()
}

/// Plain text, escaped like any other; matches are marked.
fn pieces(pieces: Vec<Piece>) -> AnyView {
    pieces
        .into_iter()
        .map(|piece| if piece.found { view! { <mark>{piece.text}</mark> }.into_any() } else { piece.text.into_any() })
        .collect_view()
        .into_any()
}

/// The page before a search: what can be searched for.
fn start(l: Locale, page: &search::SearchPage) -> AnyView {
    let title = if page.typed.is_empty() { text::search::start_title(l) } else { text::search::signs_title(l) };
    let examples = EXAMPLES
        .map(|example| {
            let href = address(&SearchQuery { typed: example.to_owned(), ..SearchQuery::default() });
            view! { <li><a class="chip" href=href>{example}</a></li> }
        })
        .collect_view();
    view! {
        <EmptyState title=title text=text::search::start(l) icon=IconName::Search>
            <ul class="search-examples" role="list" lang=content_lang()>{examples}</ul>
        </EmptyState>
    }
    .into_any()
}

fn nothing(l: Locale, asked: &SearchQuery) -> AnyView {
    let unfiltered = SearchQuery { typed: asked.typed.clone(), ..SearchQuery::default() };
    let is_narrowed = asked.is_filtered() || asked.what.is_some();
    let way_on = if is_narrowed {
        let href = address(&unfiltered);
        view! { <LinkButton href kind=ButtonKind::Secondary>{text::search::without_filters(l)}</LinkButton> }.into_any()
    } else {
        view! { <LinkButton href="/library" kind=ButtonKind::Secondary icon=IconName::Book>{text::search::to_library(l)}</LinkButton> }
            .into_any()
    };
    let advice = if is_narrowed { text::search::none_filtered(l) } else { text::search::none(l) };
    view! { <EmptyState title=text::search::none_title(l) text=advice icon=IconName::Search>{way_on}</EmptyState> }.into_any()
}

/// Parses the query of the address; invalid parts are ignored.
fn asked(query: &ParamsMap) -> SearchQuery {
    SearchQuery {
        typed: query.get("q").unwrap_or_default(),
        what: query.get_str("what").and_then(SearchKind::from_key),
        kind: query.get_str("kind").and_then(DocumentKind::from_key),
        level: query.get_str("level").and_then(UnitKind::from_key),
        field: query.get_str("field").and_then(DocumentField::from_key),
        issuer: query.get_str("issuer").and_then(|unit| unit.parse().ok()),
        year: query.get_str("year").and_then(|year| year.parse().ok()),
        after: query.get_str("after").and_then(|place| place.parse().ok()),
    }
}

fn address(query: &SearchQuery) -> String {
    let mut params = ParamsMap::new();
    params.insert("q", query.typed.chars().take(SearchQuery::TYPED_MAX).collect());
    let filters = [
        ("what", query.what.map(|what| what.key().to_owned())),
        ("kind", query.kind.map(|kind| kind.key().to_owned())),
        ("level", query.level.map(|level| level.key().to_owned())),
        ("field", query.field.map(|field| field.key().to_owned())),
        ("issuer", query.issuer.map(|unit| unit.to_string())),
        ("year", query.year.map(|year| year.to_string())),
        ("after", query.after.map(|place| place.to_string())),
    ];
    for (name, value) in filters {
        if let Some(value) = value {
            params.insert(name, value);
        }
    }
    format!("/search{}", params.to_query_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_only_the_set_parameters() {
        let query = SearchQuery { typed: "57-NQ/TW & \"x\"".to_owned(), year: Some(2026), ..SearchQuery::default() };
        let address = address(&query);
        assert!(address.starts_with("/search?q=57") && address.ends_with("year=2026") && !address.contains("kind="), "{address}");
        assert!(!address.contains('"') && address.matches('&').count() == 1, "{address}");
        let query = SearchQuery { typed: "rác".to_owned(), what: Some(SearchKind::Meetings), ..SearchQuery::default() };
        assert!(super::address(&query).ends_with("&what=meetings"), "the kind of results is kept");
    }
}
