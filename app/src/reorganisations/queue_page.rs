//! The queue: units below a divided one, each to be kept where it is or moved to another part; one by one, or by file.

use domain::{
    Locale,
    forms::FormErrors,
    units::reorganisation::{AssignedFile, Reassignment, ReassignmentState, ReassignmentsPage},
};
use leptos::{prelude::*, serde_json};
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use super::{ACCEPT, Template, assign_problem_text, fns::queue, lists::paging, template_links};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{self, Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Cell, Chip, Chips, Choice, Column, Crumb, DataTable, DescriptionList, EmptyState,
        ErrorSummary, Fact, FileField, Form, HERE, IconName, Line, Notice, NoticeKind, PageHeader, RowHead, Select, Tag, Tone,
        Whose, content_lang,
    },
    units::{phase_name, search},
};

const LABELS: Labels = &[("target", text::reorganisations::target), ("file", text::imports::file)];

/// The query of the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    reorganisation: Option<String>,
    from: Option<String>,
    words: Option<String>,
    state: Option<String>,
    page: Option<u32>,
}

#[component]
pub fn QueuePage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let echo = take_echo("assign");
    let file_echo = take_echo("assign_file");
    let asked = Memo::new(move |_| {
        query.with(|query| Asked {
            reorganisation: query.get("reorganisation"),
            from: query.get("from"),
            words: query.get("q").filter(|words| !words.trim().is_empty()),
            state: query.get("state"),
            page: query.get("page").and_then(|page| page.parse().ok()),
        })
    });
    let data = Resource::new(
        move || asked.get(),
        |Asked { reorganisation, from, words, state, page }| queue(reorganisation, from, words, state, page),
    );
    show(data, move |page| {
        let crumbs = vec![
            Crumb::link(text::reorganisations::title(l), "/reorganisations"),
            Crumb::here(text::reorganisations::queue_title(l)),
        ];
        let asked = asked.get_untracked();
        let done = query.with_untracked(|query| done(l, query));
        let rows = rows(l, &page, &asked, echo.as_ref());
        view! {
            <Title text=text::reorganisations::queue_title(l)/>
            <div class="page">
                <Breadcrumbs label=text::reorganisations::way(l) crumbs/>
                <PageHeader title=text::reorganisations::queue_title(l) lead=text::reorganisations::queue_lead(l)/>
                {done}
                {summary(l, echo.as_ref())}
                {find(l, &page, &asked)}
                <Chips label=text::reorganisations::queue_states(l) chips=chips(l, &page, &asked)/>
                {rows}
                {by_file(l, file_echo.as_ref())}
            </div>
        }
        .into_any()
    })
}

/// What was just decided.
fn done(l: Locale, query: &ParamsMap) -> Option<AnyView> {
    let number = |key: &str| query.get(key).and_then(|number| number.parse::<u32>().ok());
    let title = match number("assigned").zip(number("kept")) {
        Some((assigned, kept)) => text::reorganisations::assign_done(l, l.number(assigned), l.number(kept)),
        None => query.get("done").map(|_| text::reorganisations::decided_notice(l).to_owned())?,
    };
    let phased = number("phased").filter(|phased| *phased > 0);
    let phased = phased.map(|phased| text::reorganisations::assign_phased(l, l.number(phased)));
    Some(view! { <Notice kind=NoticeKind::Ok title>{phased.map(|told| view! { <p>{told}</p> })}</Notice> }.into_any())
}

/// The search, and the divided unit by which the list is filtered.
fn find(l: Locale, page: &ReassignmentsPage, asked: &Asked) -> AnyView {
    let along = [("reorganisation", asked.reorganisation.clone()), ("from", asked.from.clone()), ("state", asked.state.clone())];
    let along = along.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let filtered = page.from.as_ref().map(|from| {
        let all = address(&Asked { from: None, ..asked.clone() }, state_of(asked), None);
        let told = Line::around(text::reorganisations::queue_from(l, HERE), &Line::name(from)).show();
        view! { <p class="cluster"><span>{told}</span> <a href=all>{text::reorganisations::queue_from_all(l)}</a></p> }
    });
    view! {
        {search(l, "q", "/reorganisations/queue", text::reorganisations::queue_search(l), asked.words.clone(), along)}
        {filtered}
    }
    .into_any()
}

/// The problems of the decision that was refused, with a link to its field.
fn summary(l: Locale, echo: Option<&FormErrors>) -> Option<AnyView> {
    let echo = echo?;
    let field = field_of(echo.value("id")?);
    let errors = RwSignal::new(Some(echo.clone()));
    let items: Vec<(String, String)> =
        all_errors(l, errors, LABELS).get_untracked().into_iter().map(|(_, message)| (field.clone(), message)).collect();
    Some(view! { <ErrorSummary title=text::frame::errors_title(l) items/> }.into_any())
}

/// Id of the field of a row.
fn field_of(id: &str) -> String {
    format!("target-{id}")
}

fn chips(l: Locale, page: &ReassignmentsPage, asked: &Asked) -> Vec<Chip> {
    let current = state_of(asked);
    [ReassignmentState::Waiting, ReassignmentState::Assigned, ReassignmentState::Kept]
        .into_iter()
        .map(|state| {
            let name = match state {
                ReassignmentState::Waiting => text::reorganisations::queue_waiting(l),
                ReassignmentState::Assigned => text::reorganisations::queue_assigned(l),
                ReassignmentState::Kept => text::reorganisations::queue_kept(l),
            };
            let label = if state == ReassignmentState::Waiting {
                text::members::with_count(l, name, l.number(page.waiting))
            } else {
                name.to_owned()
            };
            Chip { label, href: address(asked, state, None), current: state == current }
        })
        .collect()
}

fn state_of(asked: &Asked) -> ReassignmentState {
    asked.state.as_deref().and_then(ReassignmentState::from_key).unwrap_or(ReassignmentState::Waiting)
}

/// The address of a page of the queue, with the other query parameters.
fn address(asked: &Asked, state: ReassignmentState, page: Option<u32>) -> String {
    let parts = [
        ("reorganisation", asked.reorganisation.clone()),
        ("from", asked.from.clone()),
        ("q", asked.words.clone()),
        ("state", Some(state.key().to_owned())),
        ("page", page.map(|page| page.to_string())),
    ];
    let query: ParamsMap = parts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    format!("/reorganisations/queue{}", query.to_query_string())
}

fn rows(l: Locale, page: &ReassignmentsPage, asked: &Asked, echo: Option<&FormErrors>) -> AnyView {
    if page.rows.is_empty() {
        let is_filtered = asked.reorganisation.is_some() || asked.from.is_some() || asked.words.is_some();
        let told = if is_filtered { text::reorganisations::queue_none_found(l) } else { text::reorganisations::queue_none(l) };
        return view! {
            <EmptyState
                title=text::reorganisations::queue_none_title(l)
                text=told
                icon=IconName::CheckCircle
            />
        }
        .into_any();
    }
    let here = address(asked, state_of(asked), Some(page.page));
    let rows = page
        .rows
        .iter()
        .map(|row| {
            let same = Asked { from: Some(row.from_unit.to_string()), ..asked.clone() };
            card(l, row, (here.as_str(), address(&same, state_of(asked), None)), echo)
        })
        .collect_view();
    let pages = paging(l, text::reorganisations::queue_title(l), page.page, page.pages, |number| {
        address(asked, state_of(asked), Some(number))
    });
    view! {
        {rows}
        {pages}
    }
    .into_any()
}

/// A unit, where it comes from, and the decision.
///
/// `here` is the address of the list, `same` that of the units from the same divided unit.
fn card(l: Locale, row: &Reassignment, (here, same): (&str, String), echo: Option<&FormErrors>) -> AnyView {
    let members = row.members.map(|members| {
        let members = l.number(members);
        view! { <Fact label=terms::members(l)>{members}</Fact> }
    });
    let code = Line::around(text::units::code_of(l, HERE), &Line::name(row.unit.path.code()));
    let eyebrow =
        Line::from(terms::short_unit_kind(l, row.unit.kind)).and(code).and(text::reorganisations::effective(l, l.date(row.on)));
    let (from, parent) = (row.from.clone(), row.parent.name.clone());
    let (name, href) = (text::together(&row.unit.name), format!("/units/{}", row.unit.id));
    let decision = match row.state {
        ReassignmentState::Waiting => choice(l, row, here, echo),
        state => decided(l, row, state),
    };
    view! {
        <section class="card">
            <div class="stack">
                <div>
                    <p class="eyebrow">{eyebrow.show()}</p>
                    <h2 class="card-title"><a href=href lang=content_lang() translate="no">{name}</a></h2>
                </div>
                <DescriptionList>
                    <Fact label=text::reorganisations::old_unit(l) whose=Whose::Name><a href=same>{from}</a></Fact>
                    <Fact label=text::reorganisations::now_at(l) whose=Whose::Name>{parent}</Fact>
                    {members}
                </DescriptionList>
                {decision}
            </div>
        </section>
    }
    .into_any()
}

fn choice(l: Locale, row: &Reassignment, here: &str, echo: Option<&FormErrors>) -> AnyView {
    let id = row.id.to_string();
    let own = echo.filter(|echo| echo.value("id") == Some(id.as_str()));
    let errors = RwSignal::new(own.cloned());
    let typed = own.and_then(|echo| echo.value("target")).unwrap_or_default().to_owned();
    let keep = Choice::new(row.parent.id.to_string(), text::reorganisations::keep_here(l, &row.parent.name));
    let others =
        row.candidates.iter().map(|unit| Choice::new(unit.id.to_string(), text::reorganisations::move_to(l, &unit.name)));
    let choices: Vec<Choice> = [Choice::new("", text::reorganisations::choose(l)), keep].into_iter().chain(others).collect();
    let label = text::reorganisations::target_of(l, &row.unit.name);
    let error = field_error(l, errors, LABELS, "target");
    let hint = (!row.phased.is_empty()).then(|| text::units::move_phased(l, &row.unit.name, phase_name(l, row.phase)));
    let (field, here) = (field_of(&id), here.to_owned());
    let (name, lang) = (row.unit.name.clone(), content_lang());
    view! {
        <Form action="/api/reorganisations/assign" failed=text::frame::network_failed(l)>
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="back" value=here/>
            <Select label name="target" id=field choices value=typed hint error/>
            <div class="actions">
                <Button kind=ButtonKind::Secondary icon=IconName::Check>
                    {text::reorganisations::decide(l)}
                    <span class="visually-hidden" lang=lang translate="no">{format!(" {name}")}</span>
                </Button>
            </div>
        </Form>
    }
    .into_any()
}

fn decided(l: Locale, row: &Reassignment, state: ReassignmentState) -> AnyView {
    let label = if state == ReassignmentState::Kept {
        text::reorganisations::queue_kept(l)
    } else {
        text::reorganisations::queue_assigned(l)
    };
    let who = row.decided_by.as_ref().map_or_else(|| Line::from(text::imports::operator(l)), Line::name);
    let told = row.decided_at.map(|at| Line::around(text::reorganisations::decided(l, HERE, l.date_time(at)), &who));
    let told = told.map(|told| view! { <span class="muted">{told.show()}</span> });
    view! { <p class="cluster"><Tag tone=Tone::Ok icon=IconName::CheckCircle label/> {told}</p> }.into_any()
}

/// Decisions from a file, with the rows that were refused. A plain form that the browser posts, with script and without.
fn by_file(l: Locale, echo: Option<&FormErrors>) -> AnyView {
    let refused = echo.and_then(|echo| serde_json::from_str::<AssignedFile>(echo.value("refused")?).ok());
    let told = echo.and_then(|echo| echo.value("told").map(str::to_owned));
    let error = match (&refused, told) {
        (Some(_), _) => Some(text::reorganisations::assign_refused(l).to_owned()),
        (None, Some(told)) => Some(told),
        (None, None) => {
            let errors = RwSignal::new(echo.cloned());
            field_error(l, errors, LABELS, "file").get_untracked()
        }
    };
    let items: Vec<(String, String)> = error.clone().map(|message| ("file".to_owned(), message)).into_iter().collect();
    let table = refused.as_ref().map(|file| refused_rows(l, file));
    let template = template_links(l, Template::Assign);
    view! {
        <Card title=text::reorganisations::assign_title(l)>
            <div class="stack">
                <p>{text::reorganisations::assign_lead(l)}</p>
                <ErrorSummary title=text::frame::errors_title(l) items/>
                {table}
                <form class="form" method="post" action="/reorganisations/assign" enctype="multipart/form-data" novalidate=true>
                    <FileField
                        choose=text::files::choose(l)
                        label=text::imports::file(l)
                        name="file"
                        accept=ACCEPT
                        hint=text::reorganisations::assign_hint(l)
                        error
                    />
                    {template}
                    <div class="actions">
                        <Button kind=ButtonKind::Secondary icon=IconName::Upload>{text::reorganisations::assign_upload(l)}</Button>
                    </div>
                </form>
            </div>
        </Card>
    }
    .into_any()
}

fn refused_rows(l: Locale, file: &AssignedFile) -> AnyView {
    let (row, reason) = (text::imports::row(l), text::imports::reason(l));
    let (unit, target) = (text::reorganisations::column_unit(l), text::reorganisations::column_target(l));
    let columns = vec![Column::number(row), Column::text(unit), Column::text(target), Column::text(reason)];
    let rows = file
        .refused
        .iter()
        .map(|refused| {
            let (number, why) = (l.number(refused.row), assign_problem_text(l, &refused.problem));
            let (own, to) = (refused.unit.clone(), refused.target.clone());
            view! {
                <tr>
                    <RowHead>{number}</RowHead>
                    <Cell label=unit whose=Whose::Name>{own}</Cell>
                    <Cell label=target whose=Whose::Name>{to}</Cell>
                    <Cell label=reason>{why}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! { <DataTable caption=text::reorganisations::list_refused(l) columns>{rows}</DataTable> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_pages_of_the_queue_keep_the_filter() {
        let asked = Asked { reorganisation: Some("01JD0000000000000000000000".to_owned()), ..Asked::default() };
        assert_eq!(
            address(&asked, ReassignmentState::Waiting, Some(2)),
            "/reorganisations/queue?reorganisation=01JD0000000000000000000000&state=waiting&page=2"
        );
        assert_eq!(address(&Asked::default(), ReassignmentState::Kept, None), "/reorganisations/queue?state=kept");
        assert_eq!(state_of(&Asked { state: Some("nothing".to_owned()), ..Asked::default() }), ReassignmentState::Waiting);
    }
}
