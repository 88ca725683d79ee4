//! How many members of a unit and of its children have completed a task: shared by the pages of courses and of readers.

use domain::{
    Locale,
    statistics::{Share, UnitShare},
    tables::{TableQuery, UnitColumn},
};
use leptos::prelude::*;

pub(crate) use super::unit_table::hidden_because;
use super::unit_table::{UnitTable, row_id};
use crate::{
    terms, text,
    ui::{Card, Cell, Column, Progress, RowHead, ShareBar, Whose},
};

/// The count, the total and the percentage.
pub(crate) fn share_text(l: Locale, share: Share) -> String {
    let part = l.percent(share.done.into(), share.members.into());
    text::statistics::share_of(l, l.number(share.done), l.number(share.members), part)
}

/// The share of the unit itself; `done` is the label.
pub(crate) fn total(l: Locale, total: &UnitShare, done: &'static str) -> AnyView {
    let Some(share) = total.share else {
        return view! { <Card strong=true><p>{hidden_because(l)}</p></Card> }.into_any();
    };
    view! {
        <Card strong=true>
            <Progress value=share.done.into() max=share.members.into() label=done text=share_text(l, share)/>
        </Card>
    }
    .into_any()
}

/// The table of the children and its query.
pub(crate) struct TableAddress {
    /// The table's name.
    pub(crate) id: &'static str,
    /// The page without a query.
    pub(crate) page: String,
    pub(crate) query: TableQuery,
}

/// A row for each child; a child with children of its own links to the same page for that unit.
pub(crate) fn children(
    l: Locale,
    total: &UnitShare,
    rows: &[UnitShare],
    done: &'static str,
    place: TableAddress,
) -> Option<AnyView> {
    let TableAddress { id, page, query } = place;
    let cut = query.cut(rows.to_vec());
    let shown = cut.rows.iter().enumerate().map(|(at, row)| child(l, row, done, &page, row_id(id, at + 1))).collect_view();
    let some_hidden = cut.rows.iter().any(|row| row.share.is_none());
    let explained = some_hidden.then(|| view! { <p class="muted small">{hidden_because(l)}</p> });
    let along = vec![("unit", total.unit.id.to_string())];
    let table = UnitTable { l, id, page, along, query, all: rows.len(), found: cut.found, listed: cut.rows.len() };
    let columns = vec![
        table.column(UnitColumn::Name, Column::text(text::statistics::unit(l))),
        table.column(UnitColumn::Members, Column::number(terms::members(l)).wide()),
        table.column(UnitColumn::Done, Column::number(done).wide()),
        table.column(UnitColumn::Share, Column::number(text::statistics::share(l))),
    ];
    let table = (!rows.is_empty()).then(|| table.show(columns, shown.into_any()));
    table.map(|table| view! { {table} {explained} }.into_any())
}

fn child(l: Locale, row: &UnitShare, done: &'static str, page: &str, id: String) -> AnyView {
    let name = text::together(&row.unit.name);
    // A unit without children links to its own page, which names its contacts.
    let href = if row.opens { format!("{page}?unit={}", row.unit.id) } else { format!("/units/{}", row.unit.id) };
    let share = row.share;
    let figure = move |figure: fn(Locale, Share) -> String| {
        share.map_or_else(|| text::statistics::hidden(l).to_owned(), |share| figure(l, share))
    };
    let members = figure(|l, share| l.number(share.members));
    let count = figure(|l, share| l.number(share.done));
    let part = figure(|l, share| l.percent(share.done.into(), share.members.into()));
    let bar = share.map(|share| view! { <ShareBar value=share.done.into() max=share.members.into()/> });
    view! {
        <tr id=id>
            <RowHead whose=Whose::Name><a href=href>{name}</a></RowHead>
            <Cell label=terms::members(l) numeric=true wide=true>{members}</Cell>
            <Cell label=done numeric=true wide=true>{count}</Cell>
            <Cell label=text::statistics::share(l) numeric=true>{bar} " " {part}</Cell>
        </tr>
    }
    .into_any()
}
