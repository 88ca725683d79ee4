//! The page of a unit: position, leaders, size, children, history, operations.

use domain::{
    Locale,
    units::{self, Counterpart, Phase, UnitChange, UnitForm, UnitLink, UnitRow, UnitStep},
};
use leptos::prelude::*;
use leptos_router::{
    hooks::{use_params_map, use_query_map},
    params::ParamsMap,
};

use super::{address, address_by_code, code_of, fns::page, opening_lines, phase_name, phase_tag, search, step_name, unit_row_at};
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{
        BigFigure, Breadcrumbs, Button, ButtonKind, Card, Crumb, DescriptionList, Fact, Field, FieldKind, Figures, Icon,
        IconName, Line, LinkButton, ListRow, Notice, NoticeKind, PageHeader, RowList, Tag, Whose, content_lang,
    },
};

/// With more children than this the page has a search.
const SEARCHED: u32 = 20;

#[component]
pub fn UnitPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let unit = params.read().get("id").unwrap_or_default();
        let given = |name: &str| query.read().get(name).filter(|given: &String| !given.trim().is_empty());
        (unit, given("on"), given("q"), given("page").and_then(|page| page.parse::<u32>().ok()))
    });
    let data = Resource::new(move || asked.get(), |(unit, on, words, number)| page(unit, on, words, number));
    let done = move || query.with_untracked(|query| query.get_str("done").and_then(UnitStep::from_key));
    show(data, move |page| shown(l, page, done(), asked.get_untracked().2))
}

fn shown(l: Locale, page: units::UnitPage, done: Option<UnitStep>, words: Option<String>) -> AnyView {
    let unit = page.unit.clone();
    let tag = phase_tag(l, page.opening.phase);
    let eyebrow = Line::from(terms::short_unit_kind(l, unit.kind)).and(code_of(l, &unit));
    view! {
        <Title text=unit.name.clone()/>
        <div class="page">
            {crumbs(l, &page)}
            <PageHeader title=unit.name.clone() whose=Whose::Name eyebrow>{tag}</PageHeader>
            {notices(l, &page, done)}
            <div class="with-aside">
                <div class="stack">
                    {size(l, &page)}
                    {leaders(l, &page)}
                    {children(l, &page, words)}
                    {counterparts(l, &page)}
                    {history(l, &page)}
                </div>
                <aside class="stack">
                    {actions(l, &page)}
                    {elsewhere(l, &page)}
                    {roll_out(l, &page)}
                    {as_of(l, &page)}
                </aside>
            </div>
        </div>
    }
    .into_any()
}

fn crumbs(l: Locale, page: &units::UnitPage) -> AnyView {
    let on = day_asked(page);
    let above = page.trail.iter().filter(|unit| unit.id != page.unit.id);
    let links = above.map(|unit| Crumb::link(Line::name(&unit.name), format!("{}{on}", address(unit))));
    let crumbs = [Crumb::link(text::units::title(l), "/units")]
        .into_iter()
        .chain(links)
        .chain([Crumb::here(Line::name(&page.unit.name))])
        .collect();
    view! { <Breadcrumbs label=text::units::trail(l) crumbs/> }.into_any()
}

/// The day in the address, so that links from a past day lead to that day too.
fn day_asked(page: &units::UnitPage) -> String {
    page.on.map(|on| format!("?on={on}")).unwrap_or_default()
}

fn notices(l: Locale, page: &units::UnitPage, done: Option<UnitStep>) -> AnyView {
    let done = done.filter(|_| page.on.is_none()).map(|step| {
        let title = match step {
            UnitStep::New => text::units::done_new(l),
            UnitStep::Rename => text::units::done_rename(l),
            UnitStep::Phase => text::units::done_phase(l),
            UnitStep::Move => text::units::done_move(l),
            UnitStep::Merge => text::units::done_merge(l),
            UnitStep::Split => text::units::done_split(l),
            UnitStep::Close => text::units::done_close(l),
        };
        view! { <Notice kind=NoticeKind::Ok title/> }
    });
    let then = page.on.map(|on| {
        let today = address(&page.unit);
        view! {
            <Notice title=text::units::then_title(l, l.long_date_within(on)) icon=IconName::History>
                <p>{text::units::then_hint(l)} " " <a href=today>{text::units::to_today(l)}</a></p>
            </Notice>
        }
    });
    let closed = page.closing.as_ref().filter(|_| page.on.is_none()).map(|closing| {
        let into = closing.successor.as_ref().map(|unit| {
            let (href, name) = (address(unit), unit.name.clone());
            view! { <p>{text::units::closed_into(l)} " " <a href=href lang=content_lang() translate="no">{name}</a></p> }
        });
        view! { <Notice kind=NoticeKind::Warn title=text::units::closed(l, l.date(closing.on))>{into}</Notice> }
    });
    let moving = page.moving.then(|| {
        view! { <Notice title=text::units::moving_title(l) icon=IconName::Clock><p>{text::units::moving(l)}</p></Notice> }
    });
    view! { {done} {then} {closed} {moving} }.into_any()
}

fn size(l: Locale, page: &units::UnitPage) -> AnyView {
    let members = page.members.map(|members| {
        view! { <BigFigure label=terms::members(l) value=l.number(members)/> }
    });
    let branches = (page.branches > 0).then(|| {
        view! { <BigFigure label=text::units::branches(l) value=l.number(page.branches)/> }
    });
    view! {
        <section>
            <h2 class="visually-hidden">{text::units::figures_title(l)}</h2>
            <Figures>{members} {branches}</Figures>
        </section>
    }
    .into_any()
}

fn leaders(l: Locale, page: &units::UnitPage) -> AnyView {
    let facts: Vec<_> = page
        .leaders
        .chunk_by(|one, next| one.role == next.role)
        .map(|holders| {
            let names: Vec<&str> = holders.iter().map(|leader| leader.name.as_str()).collect();
            let names = names.join(", ");
            view! { <Fact label=terms::role_at(l, holders[0].role, page.unit.kind) whose=Whose::Name>{names}</Fact> }
        })
        .collect();
    let content = if facts.is_empty() {
        view! { <p class="muted">{text::units::no_leaders(l)}</p> }.into_any()
    } else {
        view! { <DescriptionList>{facts}</DescriptionList> }.into_any()
    };
    view! { <Card title=text::units::leaders(l)>{content}</Card> }.into_any()
}

fn children(l: Locale, page: &units::UnitPage, words: Option<String>) -> Option<AnyView> {
    let below = &page.children;
    if below.all == 0 && !page.steps.contains(&UnitStep::New) {
        return None;
    }
    let action = format!("{}#below", address(&page.unit));
    let along = page.on.map(|on| ("on", on.to_string())).into_iter().collect();
    let search = (below.all > SEARCHED).then(|| search(l, "q", &action, text::units::search_below(l), words.clone(), along));
    let content = if below.all == 0 {
        view! { <p class="muted">{text::units::no_children(l)}</p> }.into_any()
    } else if below.rows.is_empty() {
        view! { <p class="muted">{text::units::none_found(l)}</p> }.into_any()
    } else {
        let on = day_asked(page);
        // The parent is already named by the page.
        let rows = below.rows.iter().map(|row| unit_row_at(l, UnitRow { parent: None, ..row.clone() }, &on)).collect_view();
        view! { <RowList>{rows}</RowList> }.into_any()
    };
    Some(
        view! {
            <section class="stack-tight" id="below">
                <h2>{text::units::children(l)}</h2>
                {search}
                {content}
                {pages(l, page, words.as_deref())}
            </section>
        }
        .into_any(),
    )
}

/// Links to the other pages of children; `None` when there is only one page.
fn pages(l: Locale, page: &units::UnitPage, words: Option<&str>) -> Option<AnyView> {
    let below = &page.children;
    let link = |number: u32, label: &'static str, rel: &'static str| {
        let href = below_address(page, words, number);
        view! { <a class="button button-secondary" href=href rel=rel><span>{label}</span></a> }
    };
    let previous = (below.page > 1).then(|| link(below.page - 1, text::units::previous_page(l), "prev"));
    let next = (below.page < below.pages).then(|| link(below.page + 1, text::units::next_page(l), "next"));
    (below.pages > 1).then(|| {
        view! {
            <nav class="cluster" aria-label=text::units::children(l)>
                {previous}
                <span>{text::units::page_of(l, l.number(below.page), l.number(below.pages))}</span>
                {next}
            </nav>
        }
        .into_any()
    })
}

/// The address of a page of the children, with the other query parameters.
fn below_address(page: &units::UnitPage, words: Option<&str>, number: u32) -> String {
    let asked = [("on", page.on.map(|on| on.to_string())), ("q", words.map(str::to_owned)), ("page", Some(number.to_string()))];
    let query: ParamsMap = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    format!("{}{}#below", address(&page.unit), query.to_query_string())
}

/// The units on the other side of a change: the former ones on the page of today, the present ones on that of a past day.
fn counterparts(l: Locale, page: &units::UnitPage) -> Option<AnyView> {
    let found = page.counterparts.as_ref()?;
    let day = l.long_date_within(found.on);
    // Links of each side lead to the same side.
    let (title, lead, query) = if page.on.is_none() {
        (text::units::counterparts_before(l), text::units::counterparts_before_lead(l, day), format!("?on={}", found.on))
    } else {
        (text::units::counterparts_after(l), text::units::counterparts_after_lead(l, day), String::new())
    };
    let rows = found.rows.iter().map(|row| counterpart_row(l, row, &query)).collect_view();
    let more = (found.more > 0).then(|| view! { <p class="muted">{text::units::counterparts_more(l, found.more.into())}</p> });
    Some(
        view! {
            <section class="stack-tight" id="counterparts">
                <h2>{title}</h2>
                <p class="muted">{lead}</p>
                <RowList>{rows}</RowList>
                {more}
            </section>
        }
        .into_any(),
    )
}

fn counterpart_row(l: Locale, row: &Counterpart, query: &str) -> AnyView {
    let meta = Line::from(row.is_part.then(|| text::units::counterparts_part(l)))
        .and((row.branches > 0).then(|| text::units::branches_count(l, row.branches.into())))
        .and(row.members.map(|members| terms::members_count(l, members.into())))
        .and(code_of(l, &row.unit));
    view! {
        <ListRow
            href=format!("{}{query}", address(&row.unit))
            eyebrow=terms::short_unit_kind(l, row.unit.kind)
            meta
            title=row.unit.name.clone()
            whose=Whose::Name
        />
    }
    .into_any()
}

fn history(l: Locale, page: &units::UnitPage) -> AnyView {
    let rows = page.history.iter().map(|form| history_row(l, form)).collect_view();
    // A unit that only took over others did not change itself.
    let is_former = |form: &UnitForm| form.change != UnitChange::Absorbed && form.until.is_some_and(|until| until >= form.from);
    let has_changed = page.closing.is_some() || page.history.iter().any(is_former);
    let became = has_changed.then(|| {
        let href = format!("/units/became?unit={}", page.unit.id);
        view! {
            <div class="actions">
                <LinkButton href=href kind=ButtonKind::Quiet icon=IconName::History>{text::units::became_of_unit(l)}</LinkButton>
            </div>
        }
    });
    let by_code = text::units::address_by_code(l, address_by_code(&page.unit));
    view! {
        <Card title=text::units::history(l)>
            <ol class="numbered" role="list" reversed=true>{rows}</ol>
            {became}
            <p class="muted small">{by_code}</p>
        </Card>
    }
    .into_any()
}

pub(super) fn history_row(l: Locale, form: &UnitForm) -> AnyView {
    if form.change == UnitChange::Absorbed {
        return view! {
            <li>
                <div class="numbered-head">
                    <h3>{text::units::form_absorbed(l, &form.name, &form.code)}</h3>
                    <span class="numbered-meta">{l.date(form.from)}</span>
                </div>
            </li>
        }
        .into_any();
    }
    let change = match form.change {
        UnitChange::Created => text::units::form_created(l),
        UnitChange::Renamed => text::units::form_renamed(l),
        UnitChange::Moved => text::units::form_moved(l),
        UnitChange::Merged => text::units::form_merged(l),
        UnitChange::Reorganised => text::units::form_reorganised(l),
        UnitChange::Split | UnitChange::Absorbed => text::units::form_split(l),
    };
    let when = match form.until {
        Some(until) => text::units::form_between(l, l.date(form.from), l.date(until)),
        None => text::units::form_since(l, l.date(form.from)),
    };
    let place = match &form.parent {
        Some(parent) => text::units::form_place(l, &form.name, &form.code, parent),
        None => text::units::form_top(l, &form.name, &form.code),
    };
    view! {
        <li>
            <div class="numbered-head">
                <h3>{change}</h3>
                <span class="numbered-meta">{when}</span>
            </div>
            <p>{place}</p>
        </li>
    }
    .into_any()
}

fn actions(l: Locale, page: &units::UnitPage) -> Option<AnyView> {
    let links: Vec<_> = page
        .steps
        .iter()
        .map(|step| menu_link(step_icon(*step), step_name(l, *step), format!("{}/{}", address(&page.unit), step.key())))
        .collect();
    (!links.is_empty())
        .then(|| view! { <Card title=text::units::actions(l)><ul class="menu" role="list">{links}</ul></Card> }.into_any())
}

const fn step_icon(step: UnitStep) -> IconName {
    match step {
        UnitStep::New => IconName::Plus,
        UnitStep::Rename => IconName::Pencil,
        UnitStep::Phase => IconName::CircleDot,
        UnitStep::Move => IconName::ArrowRight,
        UnitStep::Merge => IconName::Layers,
        UnitStep::Split => IconName::People,
        UnitStep::Close => IconName::Close,
    }
}

/// Links to other pages of the registry for this unit.
fn elsewhere(l: Locale, page: &units::UnitPage) -> Option<AnyView> {
    let (here, id) = (address(&page.unit), page.unit.id);
    let links: Vec<_> = page
        .links
        .iter()
        .map(|link| match link {
            UnitLink::Members => menu_link(IconName::Card, text::units::to_members(l), format!("/members?unit={id}")),
            UnitLink::Roles => menu_link(IconName::Key, text::units::to_roles(l), format!("{here}/roles")),
            UnitLink::Codes => menu_link(IconName::Print, text::units::to_codes(l), format!("{here}/codes")),
            UnitLink::Statistics => menu_link(IconName::Chart, text::units::to_statistics(l), format!("/committee/{id}")),
            UnitLink::Audit => menu_link(IconName::History, text::units::to_audit(l), format!("/audit?unit={id}")),
        })
        .collect();
    (!links.is_empty())
        .then(|| view! { <Card title=text::units::elsewhere(l)><ul class="menu" role="list">{links}</ul></Card> }.into_any())
}

fn menu_link(icon: IconName, label: &'static str, href: String) -> AnyView {
    view! {
        <li>
            <a class="menu-link" href=href>
                <Icon name=icon/>
                <span>{label}</span>
                <Icon name=IconName::Next/>
            </a>
        </li>
    }
    .into_any()
}

fn roll_out(l: Locale, page: &units::UnitPage) -> Option<AnyView> {
    if page.on.is_some() || page.closing.is_some() {
        return None;
    }
    let inherited = (page.own_phase.is_none() && page.opening.phase != Phase::Live)
        .then(|| view! { <span class="muted">{text::units::phase_inherited(l)}</span> });
    let lines = opening_lines(l, &page.opening).into_iter().map(|line| view! { <p>{line}</p> }).collect_view();
    let phase = phase_tag(l, page.opening.phase).unwrap_or_else(|| view! { <Tag label=phase_name(l, Phase::Live)/> }.into_any());
    Some(
        view! {
            <Card title=text::units::phase_title(l)>
                <p class="cluster">{phase} {inherited}</p>
                {lines}
            </Card>
        }
        .into_any(),
    )
}

fn as_of(l: Locale, page: &units::UnitPage) -> AnyView {
    let day = page.on.unwrap_or(page.today).to_string();
    let here = address(&page.unit);
    let back = page.on.map(|_| {
        view! {
            <LinkButton href=here.clone() kind=ButtonKind::Quiet icon=IconName::ArrowLeft>
                {text::units::to_today(l)}
            </LinkButton>
        }
    });
    view! {
        <Card title=text::units::as_of_title(l)>
            <form class="form" method="get" action=here>
                <Field label=text::units::as_of(l) name="on" kind=FieldKind::Date value=day hint=text::units::as_of_hint(l)/>
                <div class="actions">
                    <Button kind=ButtonKind::Secondary icon=IconName::History>{text::units::go_as_of(l)}</Button>
                    {back}
                </div>
            </form>
        </Card>
    }
    .into_any()
}
