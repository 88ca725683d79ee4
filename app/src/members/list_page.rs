//! Members of the viewer's subtree: the search, pending work, and the list in full width.

use std::fmt::Write;

use domain::{
    Locale,
    members::{self, Hits, MemberLine, Waiting},
    policy::Action,
    tables::TableQuery,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{facts::mark, fns::search, words};
use crate::{
    context::use_viewer,
    frame::way_to_more,
    i18n::use_locale,
    page::show,
    statistics::unit_table::row_id,
    text,
    title::Title,
    ui::{
        Button, ButtonKind, Cell, Column, DataTable, EmptyState, Icon, IconName, Line, LinkButton, PageHeader, Pager, RowHead,
        TableKind, Whose, content_lang,
    },
};

/// The table's name in the address.
const TABLE: &str = "members";

/// The query of the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct QueryParams {
    words: Option<String>,
    unit: Option<String>,
    /// Cursor.
    after: Option<String>,
    /// Number of rows, as in a table of units.
    rows: Option<String>,
}

#[component]
pub fn MembersPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let may_audit = use_viewer().is_some_and(|viewer| !viewer.standpoint.top_units(Action::ReadAudit).is_empty());
    let asked = Memo::new(move |_| {
        let query = query.read();
        QueryParams { words: query.get("q"), unit: query.get("unit"), after: query.get("after"), rows: query.get("rows") }
    });
    let data = Resource::new(move || asked.get(), |QueryParams { words, unit, after, rows }| search(words, unit, after, rows));
    show(data, move |page| {
        let asked = asked.get_untracked();
        let QueryParams { words, unit, after, .. } = &asked;
        let is_start = words.as_deref().unwrap_or_default().trim().is_empty() && after.is_none() && unit.is_none();
        let places = is_start.then(|| menu(l, page.waiting, page.may_manage, may_audit));
        // On the list of one unit: a link to register a new member there.
        let register = unit.as_ref().filter(|_| page.may_manage).map(|unit| {
            view! {
                <LinkButton href=format!("/members/new?unit={unit}") kind=ButtonKind::Secondary icon=IconName::Plus wide=true>
                    {text::members::register(l)}
                </LinkButton>
            }
        });
        let name = page.unit.name.clone();
        let search = search_box(l, words.clone(), unit.clone(), page.may_manage);
        let results = results(l, page, &asked);
        view! {
            <Title text=text::frame::members(l)/>
            <div class="page">
                {way_to_more(text::frame::members(l))}
                <PageHeader title=text::frame::members(l) eyebrow=Line::name(name)/>
                {search}
                {register}
                {places}
                {results}
            </div>
        }
        .into_any()
    })
}

/// Registrars may also search by a complete national ID.
fn search_box(l: Locale, q: Option<String>, unit: Option<String>, may_manage: bool) -> AnyView {
    let hint = if may_manage { text::members::search_hint_id(l) } else { text::members::search_hint(l) };
    view! {
        <div class="stack-tight">
            <form class="search" role="search" method="get" action="/members">
                <label class="visually-hidden" for="q">{text::members::search_label(l)}</label>
                <input class="input" type="search" name="q" id="q" value=q autocomplete="off" aria-describedby="q-hint"/>
                {unit.map(|unit| view! { <input type="hidden" name="unit" value=unit/> })}
                <Button icon=IconName::Search>{text::members::search(l)}</Button>
            </form>
            <p class="hint" id="q-hint">{hint}</p>
        </div>
    }
    .into_any()
}

/// Pending work with its numbers, and pages of the registry without a navigation entry.
fn menu(l: Locale, waiting: Waiting, may_manage: bool, may_audit: bool) -> AnyView {
    let number =
        |count: u64| if count == 0 { text::members::none_waiting(l).to_owned() } else { text::members::waiting(l, count) };
    let link = |href: &'static str, icon, label: &'static str, note: Option<String>| {
        view! {
            <li>
                <a class="menu-link" href=href>
                    <Icon name=icon/>
                    <span>{label} {note.map(|note| view! { " " <span class="menu-note">{note}</span> })}</span>
                    <Icon name=IconName::Next/>
                </a>
            </li>
        }
    };
    let corrections = waiting
        .corrections
        .map(|count| link("/corrections", IconName::Pencil, text::members::corrections_title(l), Some(number(count))));
    let register = may_manage.then(|| link("/members/new", IconName::Plus, text::members::register(l), None));
    let imports = may_manage.then(|| link("/imports", IconName::Upload, text::members::imports(l), None));
    let audit = may_audit.then(|| link("/audit", IconName::History, text::members::audit(l), None));
    view! {
        <ul class="menu menu-across" role="list">
            {corrections}
            {link("/transfers", IconName::ArrowRight, text::members::transfers_title(l), Some(number(waiting.transfers)))}
            {link("/quality", IconName::CheckCircle, text::members::quality_title(l), Some(number(waiting.quality_issues)))}
            {register}
            {imports}
            {audit}
        </ul>
    }
    .into_any()
}

fn results(l: Locale, page: members::MembersPage, asked: &QueryParams) -> AnyView {
    let paused = page.paused_after.map(|count| {
        view! { <p class="muted">{text::members::paused(l, l.number(count))}</p> }
    });
    if page.members.is_empty() && page.next.is_none() {
        let is_search = asked.words.as_deref().is_some_and(|words| !words.trim().is_empty());
        return if is_search {
            view! {
                <EmptyState title=text::members::no_match_title(l) text=text::members::no_match(l) icon=IconName::Search>
                    <LinkButton href="/members" kind=ButtonKind::Secondary>{text::members::show_all(l)}</LinkButton>
                </EmptyState>
            }
            .into_any()
        } else {
            view! { <EmptyState title=text::members::empty_title(l) text=text::members::empty(l) icon=IconName::People/> }
                .into_any()
        };
    }
    let shown = page.members.len();
    let counted = page.hits.filter(|_| paused.is_none()).map(|hits| {
        let shown = l.number(shown as u64);
        let told = match hits {
            Hits::Exactly(count) => text::members::shown_of(l, shown, l.number(count)),
            Hits::AtLeast(count) => text::members::shown_of_some(l, shown, l.number(count)),
        };
        view! { <p class="muted small">{told}</p> }
    });
    let next = page.next.map(|next| asked.further(next, shown, paused.is_some()));
    let back = asked.after.is_some().then(|| {
        let start = QueryParams { after: None, rows: None, ..asked.clone() };
        view! {
            <p>
                <LinkButton href=start.address() kind=ButtonKind::Quiet icon=IconName::ArrowLeft>
                    {text::members::to_start(l)}
                </LinkButton>
            </p>
        }
    });
    let more = if paused.is_some() { text::members::search_on(l) } else { text::members::show_more(l) };
    let rows = page.members.into_iter().enumerate().map(|(at, member)| person(l, member, row_id(TABLE, at + 1))).collect_view();
    let columns = vec![
        Column::text(text::members::full_name(l)),
        Column::text(text::members::branch(l)),
        Column::text(text::members::card(l)),
        Column::text(text::members::birth_date(l)),
        Column::text(text::members::state(l)),
    ];
    view! {
        <section class="stack">
            {back}
            {counted}
            <DataTable caption=text::members::results(l) columns kind=TableKind::List>{rows}</DataTable>
            {paused}
            <Pager next_href=next label=more/>
        </section>
    }
    .into_any()
}

fn person(l: Locale, member: MemberLine, id: String) -> AnyView {
    let (href, lang) = (format!("/members/{}", member.id), content_lang());
    let mark = mark(l, &member);
    // On the phone only unusual states are shown.
    let is_usual = mark.is_none();
    let state = mark.unwrap_or_else(|| words::state(l, member.state).into_any());
    let card = text::members::card_number(l, &member.card);
    let birth_date = l.date(member.birth_date);
    let born = text::members::born(l, &birth_date);
    view! {
        <tr id=id>
            <RowHead><a class="row-link" href=href lang=lang translate="no">{member.name}</a></RowHead>
            <Cell label=text::members::branch(l) whose=Whose::Name>{member.branch}</Cell>
            <Cell label=text::members::card(l)>
                <span class="narrow" translate="no">{card}</span>
                <span class="wide" translate="no">{member.card}</span>
            </Cell>
            <Cell label=text::members::birth_date(l)>
                <span class="narrow">{born}</span>
                <span class="wide">{birth_date}</span>
            </Cell>
            <Cell label=text::members::state(l) wide=is_usual>{state}</Cell>
        </tr>
    }
    .into_any()
}

impl QueryParams {
    /// The page with more rows, at the first new one; the next page instead where the search has stopped, or where the maximum
    /// number of rows is reached.
    fn further(&self, next: String, shown: usize, is_paused: bool) -> String {
        let rows = TableQuery::parse(None, None, self.rows.as_deref()).rows;
        if is_paused || rows >= TableQuery::MOST {
            return Self { after: Some(next), rows: None, ..self.clone() }.address();
        }
        let rows = (rows * 3).min(TableQuery::MOST);
        let more = Self { rows: Some(rows.to_string()), ..self.clone() };
        format!("{}#{}", more.address(), row_id(TABLE, shown + 1))
    }

    fn address(&self) -> String {
        let parts = [("q", &self.words), ("unit", &self.unit), ("after", &self.after), ("rows", &self.rows)];
        let parts: Vec<String> = parts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", escaped(value.as_deref().filter(|value| !value.is_empty())?))))
            .collect();
        if parts.is_empty() { "/members".to_owned() } else { format!("/members?{}", parts.join("&")) }
    }
}

/// Typed text, percent-encoded for an address.
pub(super) fn escaped(typed: &str) -> String {
    let mut escaped = String::with_capacity(typed.len());
    for byte in typed.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_only_the_typed_parameters() {
        assert_eq!(QueryParams { unit: Some(String::new()), ..QueryParams::default() }.address(), "/members");
        let words = Some("Đức & Co?".to_owned());
        let asked = QueryParams { words, after: Some("1-01ARZ".to_owned()), ..QueryParams::default() };
        assert_eq!(asked.address(), "/members?q=%C4%90%E1%BB%A9c%20%26%20Co%3F&after=1-01ARZ");
    }

    #[test]
    fn more_rows_are_added_below_the_shown_ones() {
        let asked = |after: Option<&str>, rows: Option<&str>| QueryParams {
            words: Some("an".to_owned()),
            unit: None,
            after: after.map(str::to_owned),
            rows: rows.map(str::to_owned),
        };
        let next = || "0-01B".to_owned();
        assert_eq!(asked(None, None).further(next(), 20, false), "/members?q=an&rows=60#members-21");
        assert_eq!(
            asked(Some("0-01A"), Some("540")).further(next(), 540, false),
            "/members?q=an&after=0-01A&rows=1000#members-541"
        );
        assert_eq!(asked(None, Some("1000")).further(next(), 1000, false), "/members?q=an&after=0-01B", "no more at once");
        assert_eq!(asked(None, Some("60")).further(next(), 3, true), "/members?q=an&after=0-01B", "the search has paused");
    }
}
