//! Finding a unit: the tree, expanded level by level, and a search.

use domain::{
    Locale,
    ids::UnitId,
    policy::Action,
    statistics::SMALLEST_GROUP,
    tables::{Order, UnitColumn},
    units::{self, TreeRow, UnitSize},
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use super::{address, fns::list, phase_tag, search, unit_row};
use crate::{
    context::use_viewer,
    frame::way_to_more,
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{
        Button, ButtonKind, Card, Cell, Column, DataTable, EmptyState, Field, FieldKind, Icon, IconName, LinkButton, Notice,
        PageHeader, RowHead, RowList, Sort, TableKind, content_lang,
    },
};

/// The query of the page, from its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    words: Option<String>,
    open: Option<String>,
    sort: Option<String>,
    on: Option<String>,
}

impl Asked {
    fn read(query: &ParamsMap) -> Self {
        let given = |name: &str| query.get(name).filter(|given: &String| !given.trim().is_empty());
        // An empty list of expanded units collapses all.
        Self { words: given("q"), open: query.get("open"), sort: given("sort"), on: given("on") }
    }
}

#[component]
pub fn UnitsPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let asked = Memo::new(move |_| Asked::read(&query.read()));
    let data = Resource::new(move || asked.get(), |asked| list(asked.words, asked.open, asked.sort, asked.on));
    show(data, move |page| {
        let asked = asked.get_untracked();
        view! {
            <Title text=text::units::title(l)/>
            <div class="page">
                {way_to_more(text::units::title(l))}
                <PageHeader title=text::units::title(l) lead=text::units::lead(l)/>
                {search(l, "q", "/units", text::units::search(l), asked.words.clone(), Vec::new())}
                <div class="actions">
                    {to_reorganisations(l)}
                    {to_roles(l)}
                    <LinkButton href="/units/became" kind=ButtonKind::Quiet icon=IconName::History>
                        {text::units::became_link(l)}
                    </LinkButton>
                </div>
                {match asked.words.clone() {
                    Some(words) => found(l, page, words),
                    None => tree(l, &page, &asked),
                }}
            </div>
        }
        .into_any()
    })
}

/// A link for those who manage units.
fn to_reorganisations(l: Locale) -> Option<AnyView> {
    let manages = use_viewer()?.office_held(|role| role.covers(Action::ManageUnit)).is_some();
    manages.then(|| {
        view! {
            <LinkButton href="/reorganisations" kind=ButtonKind::Secondary icon=IconName::Layers>
                {text::reorganisations::title(l)}
            </LinkButton>
        }
        .into_any()
    })
}

/// A link for those who grant roles.
fn to_roles(l: Locale) -> Option<AnyView> {
    let grants = use_viewer()?.office_held(|role| role.covers(Action::GrantRoles)).is_some();
    grants.then(|| {
        view! {
            <LinkButton href="/units/roles" kind=ButtonKind::Secondary icon=IconName::People>
                {text::offices::give_title(l)}
            </LinkButton>
        }
        .into_any()
    })
}

fn found(l: Locale, page: units::UnitsPage, words: String) -> AnyView {
    if page.units.is_empty() {
        return view! {
            <EmptyState title=text::units::none_found_title(l) text=text::units::none_found(l) icon=IconName::Layers/>
        }
        .into_any();
    }
    let rows = page.units.into_iter().map(|row| unit_row(l, row)).collect_view();
    let more = page.more.then(|| view! { <p class="muted">{text::units::more_found(l)}</p> });
    view! {
        <section class="stack-tight">
            <h2>{text::units::found(l, words)}</h2>
            <RowList>{rows}</RowList>
            {more}
        </section>
    }
    .into_any()
}

/// State shared by all rows of the tree.
struct Drawing {
    l: Locale,
    /// The expanded units.
    open: Vec<UnitId>,
    order: Option<Order>,
    /// The past day that is shown, as in the address.
    on: Option<String>,
    /// Whether numbers of members are known: not on a past day.
    has_sizes: bool,
    /// Whether the viewer may see shares of activated accounts.
    has_shares: bool,
}

fn tree(l: Locale, page: &units::UnitsPage, asked: &Asked) -> AnyView {
    let rows = page.tree.as_slice();
    let sizes = sizes(rows);
    let has_shares = sizes.iter().any(|size| matches!(size, UnitSize::Activated(_)));
    let drawing = Drawing {
        l,
        open: open(rows),
        order: asked.sort.as_deref().and_then(Order::parse),
        on: page.on.map(|on| on.to_string()),
        has_sizes: page.on.is_none(),
        has_shares,
    };
    let explained = sizes.contains(&UnitSize::Hidden).then(|| {
        let told = text::statistics::hidden_because(l, l.number(SMALLEST_GROUP));
        view! { <p class="muted small">{told}</p> }
    });
    let shown = drawing.level(rows, 0);
    let columns = drawing.columns();
    let then = page.on.map(|on| {
        view! {
            <Notice title=text::units::then_tree(l, l.long_date_within(on)) icon=IconName::History>
                <p>{text::units::then_hint(l)} " " <a href="/units">{text::units::to_today(l)}</a></p>
            </Notice>
        }
    });
    let table = match page.on {
        Some(on) if rows.is_empty() => {
            let title = text::units::none_then_title(l, l.long_date_within(on));
            view! { <EmptyState title text=text::units::none_then(l) icon=IconName::Layers/> }.into_any()
        }
        _ => view! { <DataTable caption=text::units::tree(l) columns kind=TableKind::Lean>{shown}</DataTable> }.into_any(),
    };
    view! {
        {then}
        <section class="stack-tight" id="tree">
            {table}
            {explained}
        </section>
        {as_of(l, page, asked)}
    }
    .into_any()
}

/// The form for the day of the tree.
fn as_of(l: Locale, page: &units::UnitsPage, asked: &Asked) -> AnyView {
    let typed = asked.on.clone().filter(|_| page.day_problem.is_some());
    let day = typed.unwrap_or_else(|| page.on.unwrap_or(page.today).to_string());
    let error = Signal::stored(page.day_problem.as_ref().map(|problem| terms::problem(l, problem)));
    let back = page.on.map(|_| {
        view! {
            <LinkButton href="/units" kind=ButtonKind::Quiet icon=IconName::ArrowLeft>{text::units::to_today(l)}</LinkButton>
        }
    });
    view! {
        <Card title=text::units::as_of_title(l)>
            <form class="form" method="get" action="/units">
                <Field
                    label=text::units::as_of(l)
                    name="on"
                    kind=FieldKind::Date
                    value=day
                    hint=text::units::as_of_tree_hint(l)
                    error=error
                />
                <div class="actions">
                    <Button kind=ButtonKind::Secondary icon=IconName::History>{text::units::go_as_of(l)}</Button>
                    {back}
                </div>
            </form>
        </Card>
    }
    .into_any()
}

fn sizes(rows: &[TreeRow]) -> Vec<UnitSize> {
    rows.iter().flat_map(|row| std::iter::once(row.size).chain(sizes(&row.below))).collect()
}

fn open(rows: &[TreeRow]) -> Vec<UnitId> {
    rows.iter().filter(|row| !row.below.is_empty()).flat_map(|row| std::iter::once(row.unit.id).chain(open(&row.below))).collect()
}

impl Drawing {
    fn level(&self, rows: &[TreeRow], level: usize) -> Vec<AnyView> {
        rows.iter()
            .flat_map(|row| {
                let below = self.level(&row.below, level + 1);
                let rest = (row.more > 0).then(|| self.rest(row, level + 1));
                std::iter::once(self.row(row, level)).chain(below).chain(rest)
            })
            .collect()
    }

    /// On the phone the level stands below the name, in place of the column.
    fn columns(&self) -> Vec<Column> {
        let l = self.l;
        let members = Column::number(terms::members(l));
        let mut columns = vec![
            self.column(UnitColumn::Name, Column::text(text::statistics::unit(l))),
            Column::text(text::units::kind(l)).wide(),
        ];
        columns.extend(self.has_sizes.then(|| if self.has_shares { members.wide() } else { members }));
        let share = || self.column(UnitColumn::Share, Column::number(text::statistics::activated(l)));
        columns.extend(self.has_shares.then(share));
        columns
    }

    /// A sortable column, as in the tables of figures.
    fn column(&self, by: UnitColumn, column: Column) -> Column {
        let current = self.order.filter(|order| order.by == by);
        let descending = current.map_or(by != UnitColumn::Name, |order| !order.descending);
        let order = current.map(|order| if order.descending { "descending" } else { "ascending" });
        let href = format!("{}#tree", self.address(&self.open, Some(Order { by, descending })));
        column.sorted(Sort { href, order })
    }

    /// The page with these units expanded, in this order, on the same day.
    fn address(&self, open: &[UnitId], order: Option<Order>) -> String {
        let open: Vec<String> = open.iter().map(ToString::to_string).collect();
        let order = order.map(|order| format!("&sort={order}")).unwrap_or_default();
        let on = self.on.as_ref().map(|on| format!("&on={on}")).unwrap_or_default();
        format!("/units?open={}{order}{on}", open.join(","))
    }

    /// The tree with this unit expanded or collapsed, at the unit's anchor. The last expanded unit comes first, because the server
    /// limits how many are expanded.
    fn toggled(&self, unit: UnitId, is_open: bool) -> String {
        let others = self.open.iter().copied().filter(|other| *other != unit);
        let open: Vec<UnitId> = (!is_open).then_some(unit).into_iter().chain(others).collect();
        format!("{}#unit-{unit}", self.address(&open, self.order))
    }

    /// The page of a unit, on the same day.
    fn unit_address(&self, row: &TreeRow) -> String {
        let on = self.on.as_ref().map(|on| format!("?on={on}")).unwrap_or_default();
        format!("{}{on}", address(&row.unit))
    }

    fn row(&self, row: &TreeRow, level: usize) -> AnyView {
        let l = self.l;
        let (name, lang) = (text::together(&row.unit.name), content_lang());
        let (kind, phase, href) = (terms::short_unit_kind(l, row.unit.kind), phase_tag(l, row.phase), self.unit_address(row));
        let toggle = if row.opens {
            let is_open = !row.below.is_empty();
            let other_way = self.toggled(row.unit.id, is_open);
            view! {
                <a class="tree-toggle" href=other_way aria-expanded=if is_open { "true" } else { "false" }>
                    <Icon name=IconName::Next/>
                    <span class="visually-hidden">{text::units::below(l, &name)}</span>
                </a>
            }
            .into_any()
        } else {
            view! { <span class="tree-toggle"></span> }.into_any()
        };
        let hidden = || text::statistics::hidden(l).to_owned();
        let members = self.has_sizes.then(|| {
            let told = match row.size {
                UnitSize::Hidden => hidden(),
                UnitSize::Members(members) => l.number(members),
                UnitSize::Activated(share) => l.number(share.members),
                UnitSize::NotRecorded => "–".to_owned(),
            };
            view! { <Cell label=terms::members(l) numeric=true wide=self.has_shares>{told}</Cell> }
        });
        let share = self.has_shares.then(|| {
            let told = match row.size {
                UnitSize::Hidden => hidden(),
                UnitSize::Members(_) | UnitSize::NotRecorded => "–".to_owned(),
                UnitSize::Activated(share) => l.percent(share.done.into(), share.members.into()),
            };
            view! { <Cell label=text::statistics::activated(l) numeric=true>{told}</Cell> }
        });
        view! {
            <tr id=format!("unit-{}", row.unit.id) class=format!("tree-{level}")>
                <RowHead>
                    <div class="tree-name">
                        {toggle}
                        <div class="tree-text">
                            <a class="tree-link" href=href lang=lang translate="no">{name}</a>
                            " "
                            <span class="tree-kind">{kind}</span>
                            {phase}
                        </div>
                    </div>
                </RowHead>
                <Cell label=text::units::kind(l) wide=true>{kind}</Cell>
                {members}
                {share}
            </tr>
        }
        .into_any()
    }

    /// A link to the children left out here: the page of the parent unit has paging and a search.
    fn rest(&self, row: &TreeRow, level: usize) -> AnyView {
        let columns = self.columns().len().to_string();
        let href = format!("{}#below", self.unit_address(row));
        view! {
            <tr class=format!("tree-{level}")>
                <td colspan=columns>
                    <div class="tree-name">
                        <span class="tree-toggle"></span>
                        <a href=href>{text::units::more_below(self.l, row.more.into())}</a>
                    </div>
                </td>
            </tr>
        }
        .into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(open: &[UnitId]) -> Drawing {
        Drawing { l: Locale::Vi, open: open.to_vec(), order: None, on: None, has_sizes: true, has_shares: true }
    }

    #[test]
    fn a_unit_is_expanded_in_addition_and_collapsed_again() {
        let one: UnitId = "01JD0000000000000000000000".parse().unwrap();
        let other: UnitId = "01JD0000000000000000000001".parse().unwrap();
        assert_eq!(drawing(&[one]).toggled(other, false), format!("/units?open={other},{one}#unit-{other}"));
        assert_eq!(drawing(&[other, one]).toggled(other, true), format!("/units?open={one}#unit-{other}"));
        assert_eq!(drawing(&[one]).toggled(one, true), format!("/units?open=#unit-{one}"), "an empty list is explicit");
    }

    #[test]
    fn order_and_day_are_kept_and_a_header_reverses_its_order() {
        let one: UnitId = "01JD0000000000000000000000".parse().unwrap();
        let order = Some(Order { by: UnitColumn::Share, descending: true });
        let drawing = Drawing { order, on: Some("2026-11-21".to_owned()), ..drawing(&[]) };
        assert_eq!(drawing.toggled(one, false), format!("/units?open={one}&sort=-share&on=2026-11-21#unit-{one}"));
        let head = |by| drawing.column(by, Column::text("x")).sort.unwrap();
        assert_eq!(head(UnitColumn::Share).href, "/units?open=&sort=share&on=2026-11-21#tree");
        assert_eq!(head(UnitColumn::Share).order, Some("descending"));
        assert_eq!(head(UnitColumn::Name).href, "/units?open=&sort=name&on=2026-11-21#tree");
    }
}
