//! Finding a unit: the tree, expanded level by level, and a search.

use domain::{
    Locale,
    ids::UnitId,
    statistics::SMALLEST_GROUP,
    units::{self, TreeRow, UnitSize},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{address, fns::list, phase_tag, search, unit_row};
use crate::{
    frame::way_to_more,
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{Cell, Column, DataTable, EmptyState, Icon, IconName, PageHeader, RowHead, RowList, TableKind, content_lang},
};

#[component]
pub fn UnitsPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let query = query.read();
        (query.get("q").filter(|words| !words.trim().is_empty()), query.get("open"))
    });
    let data = Resource::new(move || asked.get(), |(words, open)| list(words, open));
    show(data, move |page| {
        let (words, _) = asked.get_untracked();
        view! {
            <Title text=text::units::title(l)/>
            <div class="page">
                {way_to_more(text::units::title(l))}
                <PageHeader title=text::units::title(l) lead=text::units::lead(l)/>
                {search(l, "q", "/units", text::units::search(l), words.clone(), Vec::new())}
                {match words {
                    Some(words) => found(l, page, words),
                    None => tree(l, &page.tree),
                }}
            </div>
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
    /// Whether the viewer may see shares of activated accounts.
    has_shares: bool,
}

fn tree(l: Locale, rows: &[TreeRow]) -> AnyView {
    let sizes = sizes(rows);
    let has_shares = sizes.iter().any(|size| matches!(size, UnitSize::Activated(_)));
    let drawing = Drawing { l, open: open(rows), has_shares };
    let members = Column::number(terms::members(l));
    let mut columns = vec![Column::text(text::statistics::unit(l)), if has_shares { members.wide() } else { members }];
    columns.extend(has_shares.then(|| Column::number(text::statistics::activated(l))));
    let explained = sizes.contains(&UnitSize::Hidden).then(|| {
        let told = text::statistics::hidden_because(l, l.number(SMALLEST_GROUP));
        view! { <p class="muted small">{told}</p> }
    });
    let shown = drawing.level(rows, 0);
    view! {
        <section class="stack-tight">
            <DataTable caption=text::units::tree(l) columns kind=TableKind::Lean>{shown}</DataTable>
            {explained}
        </section>
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

    fn row(&self, row: &TreeRow, level: usize) -> AnyView {
        let l = self.l;
        let (name, lang) = (text::together(&row.unit.name), content_lang());
        let (kind, phase, href) = (terms::short_unit_kind(l, row.unit.kind), phase_tag(l, row.phase), address(&row.unit));
        let toggle = if row.opens {
            let is_open = !row.below.is_empty();
            let other_way = toggled(&self.open, row.unit.id, is_open);
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
        let members = match row.size {
            UnitSize::Hidden => hidden(),
            UnitSize::Members(members) => l.number(members),
            UnitSize::Activated(share) => l.number(share.members),
            UnitSize::NotRecorded => "–".to_owned(),
        };
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
                <Cell label=terms::members(l) numeric=true wide=self.has_shares>{members}</Cell>
                {share}
            </tr>
        }
        .into_any()
    }

    /// A link to the children left out here: the page of the parent unit has paging and a search.
    fn rest(&self, row: &TreeRow, level: usize) -> AnyView {
        let columns = if self.has_shares { "3" } else { "2" };
        let href = format!("{}#below", address(&row.unit));
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

/// The tree with this unit expanded or collapsed, at the unit's anchor. The last expanded unit comes first, because the server
/// limits how many are expanded.
fn toggled(open: &[UnitId], unit: UnitId, is_open: bool) -> String {
    let others = open.iter().copied().filter(|other| *other != unit);
    let open: Vec<String> = (!is_open).then_some(unit).into_iter().chain(others).map(|unit| unit.to_string()).collect();
    format!("/units?open={}#unit-{unit}", open.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_expanded_in_addition_and_collapsed_again() {
        let one: UnitId = "01JD0000000000000000000000".parse().unwrap();
        let other: UnitId = "01JD0000000000000000000001".parse().unwrap();
        assert_eq!(toggled(&[one], other, false), format!("/units?open={other},{one}#unit-{other}"));
        assert_eq!(toggled(&[other, one], other, true), format!("/units?open={one}#unit-{other}"));
        assert_eq!(toggled(&[one], one, true), format!("/units?open=#unit-{one}"), "an empty list is explicit");
    }
}
