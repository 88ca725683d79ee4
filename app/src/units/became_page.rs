//! What became of a unit: a search by old and present names and codes, and the way of each unit found to the unit of today.

use domain::{
    Locale,
    units::{self, Became, BecameStep, BranchThen, BranchesThen, Leader, PartNow, UnitKind, UnitRef},
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use super::{address, fns::became, part_of, unit_page::history_row};
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Crumb, DescriptionList, EmptyState, Fact, Field, FieldKind, HERE, IconName, Line,
        LinkButton, ListRow, PageHeader, RowList, Whose, content_lang,
    },
};

/// The query of the page, from its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    words: Option<String>,
    unit: Option<String>,
    on: Option<String>,
    page: Option<u32>,
}

impl Asked {
    fn read(query: &ParamsMap) -> Self {
        let given = |name: &str| query.get(name).filter(|given: &String| !given.trim().is_empty());
        let page = given("page").and_then(|page| page.parse().ok());
        Self { words: given("q"), unit: given("unit"), on: given("on"), page }
    }

    /// A page of the branches.
    fn branches_address(&self, number: u32) -> String {
        let asked =
            [("q", self.words.clone()), ("unit", self.unit.clone()), ("on", self.on.clone()), ("page", Some(number.to_string()))];
        let query: ParamsMap = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        format!("/units/became{}#branches", query.to_query_string())
    }
}

#[component]
pub fn BecamePage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let asked = Memo::new(move |_| Asked::read(&query.read()));
    let data = Resource::new(move || asked.get(), |asked| became(asked.words, asked.unit, asked.on, asked.page));
    show(data, move |page| shown(l, &page, &asked.get_untracked()))
}

fn shown(l: Locale, page: &units::BecamePage, asked: &Asked) -> AnyView {
    let title = text::units::became_title(l);
    let crumbs = vec![Crumb::link(text::units::title(l), "/units"), Crumb::here(title)];
    let is_asked = page.day_problem.is_none() && (asked.words.is_some() || asked.unit.is_some());
    view! {
        <Title text=title/>
        <div class="page">
            <Breadcrumbs label=text::units::trail(l) crumbs/>
            <PageHeader title lead=text::units::became_lead(l)/>
            {form(l, page, asked)}
            {is_asked.then(|| found(l, page, asked))}
        </div>
    }
    .into_any()
}

fn form(l: Locale, page: &units::BecamePage, asked: &Asked) -> AnyView {
    let error = Signal::stored(page.day_problem.as_ref().map(|problem| terms::problem(l, problem)));
    let (words, on) = (asked.words.clone(), asked.on.clone());
    view! {
        <form class="form" role="search" method="get" action="/units/became">
            <Field
                label=text::units::became_search(l)
                name="q"
                kind=FieldKind::Search
                value=words
                hint=text::units::became_search_hint(l)
            />
            <Field
                label=text::units::became_on(l)
                name="on"
                kind=FieldKind::Date
                value=on
                note=text::frame::optional(l)
                hint=text::units::became_on_hint(l)
                error=error
            />
            <div class="actions">
                <Button icon=IconName::Search>{text::units::go_search(l)}</Button>
            </div>
        </form>
    }
    .into_any()
}

fn found(l: Locale, page: &units::BecamePage, asked: &Asked) -> AnyView {
    if page.found.is_empty() {
        return view! {
            <EmptyState title=text::units::none_found_title(l) text=text::units::none_found(l) icon=IconName::Layers/>
        }
        .into_any();
    }
    let is_single = page.found.len() == 1;
    let cards = page.found.iter().map(|unit| card(l, page, unit, is_single)).collect_view();
    let more = page.more.then(|| view! { <p class="muted">{text::units::more_found(l)}</p> });
    let branches = page.branches.as_ref().filter(|below| below.all > 0).map(|below| branches(l, below, asked));
    view! {
        <section class="stack" id="found">
            <h2 class="visually-hidden">{text::units::became_found(l)}</h2>
            {cards}
            {more}
        </section>
        {branches}
    }
    .into_any()
}

fn card(l: Locale, page: &units::BecamePage, unit: &Became, is_single: bool) -> AnyView {
    let then = &unit.then;
    let day = l.date(then.day);
    let when = if page.on.is_some() {
        text::units::became_then_on(l, day)
    } else if then.day == page.today {
        text::units::became_then_now(l).to_owned()
    } else {
        text::units::became_then_until(l, day)
    };
    let place = Line::from(when)
        .and(terms::short_unit_kind(l, then.kind))
        .and(Line::around(text::units::code_of(l, HERE), &Line::name(&then.code)))
        .and(then.parent.as_deref().map(|parent| part_of(l, parent)));
    let branches = (!is_single && !then.kind.knows_members()).then(|| {
        let on = page.on.map(|on| format!("&on={on}")).unwrap_or_default();
        let href = format!("/units/became?unit={}{on}", then.id);
        view! { <div class="actions"><LinkButton href=href kind=ButtonKind::Quiet>{text::units::became_all_branches(l)}</LinkButton></div> }
    });
    let (steps, now) = (steps(l, &unit.steps), now(l, unit));
    view! {
        <Card title=Line::name(&then.name)>
            <p class="muted">{place.show()}</p>
            {steps}
            {now}
            {branches}
        </Card>
    }
    .into_any()
}

fn steps(l: Locale, steps: &[BecameStep]) -> AnyView {
    if steps.is_empty() {
        return view! { <p>{text::units::became_same(l)}</p> }.into_any();
    }
    let rows = steps
        .iter()
        .map(|step| match step {
            BecameStep::Changed(form) => history_row(l, form),
            BecameStep::Divided { on, fresh } => {
                let told = text::units::became_divided(l, HERE);
                event(l.date(*on), Line::around(told, &Line::name(&fresh.name)), Some(fresh))
            }
            BecameStep::Parted { on, main, others } => event(l.date(*on), parted(l, main, others), None),
            BecameStep::Ended { on, into: Some(into), alone } => {
                let told = if *alone { text::units::became_alone(l, HERE) } else { text::units::became_into(l, HERE) };
                event(l.date(*on), Line::around(told, &Line::name(&into.name)), Some(into))
            }
            BecameStep::Ended { on, into: None, .. } => event(l.date(*on), text::units::became_ended(l).into(), None),
        })
        .collect_view();
    view! {
        <h3>{text::units::became_steps(l)}</h3>
        <ol class="numbered" role="list">{rows}</ol>
    }
    .into_any()
}

/// The parts of a divided unit, the main one first.
fn parted(l: Locale, main: &UnitRef, others: &[UnitRef]) -> Line {
    let name = |unit: &UnitRef| Line::name(&unit.name);
    let main = Line::around(text::units::became_parted(l, HERE), &name(main));
    let and = |other: &UnitRef| Line::around(text::units::became_parted_and(l, HERE), &name(other));
    others.iter().fold(main, |told, other| told.then(&Line::from(" ")).then(&and(other)))
}

/// An event with its day, and the unit it led to.
fn event(day: String, told: Line, unit: Option<&UnitRef>) -> AnyView {
    let told = match unit {
        Some(unit) => view! { <a href=address(unit)>{told.show()}</a> }.into_any(),
        None => told.show(),
    };
    view! {
        <li>
            <div class="numbered-head">
                <h3>{told}</h3>
                <span class="numbered-meta">{day}</span>
            </div>
        </li>
    }
    .into_any()
}

/// Where the unit is today, and who leads it.
fn now(l: Locale, unit: &Became) -> AnyView {
    let (href, name) = (address(&unit.now), text::together(&unit.now.name));
    let place = if unit.is_open {
        Line::from(unit.parent.as_deref().map(|parent| part_of(l, parent)))
    } else {
        Line::from(text::units::became_gone(l))
    };
    let leaders = leaders(l, &unit.leaders, unit.now.kind);
    let label = if unit.parts.is_empty() { text::units::became_now(l) } else { text::units::became_now_main(l) };
    let parts = unit.parts.iter().map(|part| part_now(l, part)).collect_view();
    view! {
        <DescriptionList>
            <Fact label=label>
                <a href=href lang=content_lang() translate="no">{name}</a>
                " "
                <span class="muted">{place.show()}</span>
            </Fact>
            {leaders}
            {parts}
        </DescriptionList>
    }
    .into_any()
}

/// Where another part of the unit is today.
fn part_now(l: Locale, part: &PartNow) -> AnyView {
    let (href, name) = (address(&part.unit), text::together(&part.unit.name));
    let place = if part.is_open {
        Line::from(part.parent.as_deref().map(|parent| part_of(l, parent)))
    } else {
        Line::from(text::units::became_gone(l))
    };
    view! {
        <Fact label=text::units::became_now_part(l)>
            <a href=href lang=content_lang() translate="no">{name}</a>
            " "
            <span class="muted">{place.show()}</span>
        </Fact>
    }
    .into_any()
}

fn leaders(l: Locale, leaders: &[Leader], kind: UnitKind) -> AnyView {
    leaders
        .chunk_by(|one, next| one.role == next.role)
        .map(|holders| {
            let names: Vec<&str> = holders.iter().map(|leader| leader.name.as_str()).collect();
            let names = names.join(", ");
            view! { <Fact label=terms::role_at(l, holders[0].role, kind) whose=Whose::Name>{names}</Fact> }
        })
        .collect_view()
        .into_any()
}

fn branches(l: Locale, below: &BranchesThen, asked: &Asked) -> AnyView {
    let rows = below.rows.iter().map(|branch| branch_row(l, branch)).collect_view();
    view! {
        <section class="stack-tight" id="branches">
            <h2>{text::units::became_branches(l)}</h2>
            <RowList>{rows}</RowList>
            {pages(l, below, asked)}
        </section>
    }
    .into_any()
}

fn branch_row(l: Locale, branch: &BranchThen) -> AnyView {
    let then = Line::around(text::units::became_branch_then(l, HERE, &branch.code), &Line::name(&branch.name));
    let meta = if branch.is_open {
        Line::from(branch.parent.as_deref().map(|parent| part_of(l, parent)))
    } else {
        Line::from(text::units::became_gone(l))
    };
    view! { <ListRow href=address(&branch.now) eyebrow=then meta title=branch.now.name.clone() whose=Whose::Name/> }.into_any()
}

/// Links to the other pages of branches; `None` when there is only one page.
fn pages(l: Locale, below: &BranchesThen, asked: &Asked) -> Option<AnyView> {
    let link = |number: u32, label: &'static str, rel: &'static str| {
        let href = asked.branches_address(number);
        view! { <a class="button button-secondary" href=href rel=rel><span>{label}</span></a> }
    };
    let previous = (below.page > 1).then(|| link(below.page - 1, text::units::previous_page(l), "prev"));
    let next = (below.page < below.pages).then(|| link(below.page + 1, text::units::next_page(l), "next"));
    (below.pages > 1).then(|| {
        view! {
            <nav class="cluster" aria-label=text::units::became_branches(l)>
                {previous}
                <span>{text::units::page_of(l, l.number(below.page), l.number(below.pages))}</span>
                {next}
            </nav>
        }
        .into_any()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_branches_keeps_the_search() {
        let asked = Asked { words: Some("xa cu".to_owned()), on: Some("2025-06-30".to_owned()), ..Asked::default() };
        let address = asked.branches_address(2);
        assert!(address.starts_with("/units/became?q=xa%20cu&on=") && address.ends_with("&page=2#branches"), "{address}");
    }
}
