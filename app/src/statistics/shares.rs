//! How many of a unit's members have done what was asked of them, and of those one level below: what the pages of courses and of
//! readers have in common.

use domain::{
    Locale,
    statistics::{SMALLEST_GROUP, Share, UnitShare},
    units::UnitRef,
};
use leptos::prelude::*;

use crate::{
    terms, text,
    ui::{Card, Cell, Column, DataTable, Progress, RowHead},
};

/// So many of so many, and the part.
pub(crate) fn told(l: Locale, share: Share) -> String {
    let part = l.percent(share.done.into(), share.members.into());
    text::statistics::share_of(l, l.number(share.done), l.number(share.members), part)
}

/// The share of the unit itself; `done` names what was done.
pub(crate) fn total(l: Locale, total: &UnitShare, done: &'static str) -> AnyView {
    let Some(share) = total.share else {
        return view! { <Card strong=true><p>{hidden_because(l)}</p></Card> }.into_any();
    };
    view! {
        <Card strong=true>
            <Progress value=share.done.into() max=share.members.into() label=done text=told(l, share)/>
        </Card>
    }
    .into_any()
}

/// A row for each unit below; `address` is where its own page is.
pub(crate) fn children(
    l: Locale,
    rows: &[UnitShare],
    done: &'static str,
    address: impl Fn(&UnitRef) -> String,
) -> Option<AnyView> {
    let columns = vec![
        Column::text(text::statistics::unit(l)),
        Column::number(terms::members(l)),
        Column::number(done),
        Column::number(text::statistics::share(l)),
    ];
    let shown = rows.iter().map(|row| child(l, row, done, address(&row.unit))).collect_view();
    let some_hidden = rows.iter().any(|row| row.share.is_none());
    let explained = some_hidden.then(|| view! { <p class="muted small">{hidden_because(l)}</p> });
    (!rows.is_empty()).then(|| {
        view! {
            <section class="stack-tight">
                <DataTable caption=text::statistics::children(l) columns>{shown}</DataTable>
                {explained}
            </section>
        }
        .into_any()
    })
}

fn child(l: Locale, row: &UnitShare, done: &'static str, address: String) -> AnyView {
    let name = row.unit.name.clone();
    let name = if row.opens { view! { <a href=address>{name}</a> }.into_any() } else { view! { <span>{name}</span> }.into_any() };
    let share = row.share;
    let figure = move |figure: fn(Locale, Share) -> String| {
        share.map_or_else(|| text::statistics::hidden(l).to_owned(), |share| figure(l, share))
    };
    let members = figure(|l, share| l.number(share.members));
    let count = figure(|l, share| l.number(share.done));
    let part = figure(|l, share| l.percent(share.done.into(), share.members.into()));
    view! {
        <tr>
            <RowHead>{name}</RowHead>
            <Cell label=terms::members(l) numeric=true>{members}</Cell>
            <Cell label=done numeric=true>{count}</Cell>
            <Cell label=text::statistics::share(l) numeric=true>{part}</Cell>
        </tr>
    }
    .into_any()
}

pub(crate) fn hidden_because(l: Locale) -> String {
    text::statistics::hidden_because(l, l.number(SMALLEST_GROUP))
}
