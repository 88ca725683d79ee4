//! Tables. On the phone the rows become cards, with the column's name in each cell.

use leptos::prelude::*;

use super::line::Whose;

/// Header of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub label: String,
    /// Right-aligned, so that digits line up.
    pub numeric: bool,
    /// Hidden on the phone, where a row of a lean table is one line.
    pub wide: bool,
    pub sort: Option<Sort>,
}

/// Sorting by a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The page in that order, or in the reverse one.
    pub href: String,
    /// `ascending` or `descending` when the rows are sorted by this column.
    pub order: Option<&'static str>,
}

impl Column {
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), numeric: false, wide: false, sort: None }
    }

    pub fn number(label: impl Into<String>) -> Self {
        Self { label: label.into(), numeric: true, wide: false, sort: None }
    }

    /// Hides the column on the phone; its cells must be `wide` too.
    #[must_use]
    pub fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    /// Makes the header a link that sorts the rows.
    #[must_use]
    pub fn sorted(self, sort: Sort) -> Self {
        Self { sort: Some(sort), ..self }
    }
}

/// Layout of a table on the phone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TableKind {
    /// Each row is a card whose cells show the names of their columns.
    #[default]
    Cards,
    /// For many rows: one line each, with the columns that are not wide.
    Lean,
    /// For many items with a page each: a list. The link in the [`RowHead`] is a `row-link`; content hidden on the phone is
    /// `wide`, content for the phone only `narrow`.
    List,
}

impl TableKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Cards => "table",
            Self::Lean => "table table-lean",
            Self::List => "table table-lean table-list",
        }
    }
}

/// A table; its children are `<tr>`s, each with one [`RowHead`] and [`Cell`]s.
#[component]
pub fn DataTable(
    #[prop(into)] caption: String,
    columns: Vec<Column>,
    #[prop(optional)] kind: TableKind,
    children: Children,
) -> impl IntoView {
    let heads = columns
        .into_iter()
        .map(|Column { label, numeric, wide, sort }| {
            let order = sort.as_ref().and_then(|sort| sort.order);
            // The page is loaded again, so that the browser scrolls to the anchor.
            let label = match sort {
                Some(Sort { href, .. }) => view! { <a class="sort" href=href rel="external">{label}</a> }.into_any(),
                None => label.into_any(),
            };
            view! { <th scope="col" class:number=numeric class:wide=wide aria-sort=order>{label}</th> }
        })
        .collect_view();
    view! {
        <table class=kind.class()>
            <caption>{caption}</caption>
            <thead>
                <tr>{heads}</tr>
            </thead>
            <tbody>{children()}</tbody>
        </table>
    }
}

/// The header cell of a row.
#[component]
pub fn RowHead(
    /// The language marking of the whole cell.
    #[prop(optional)]
    whose: Whose,
    children: Children,
) -> impl IntoView {
    view! { <th scope="row" lang=whose.lang() translate=whose.translate()>{children()}</th> }
}

/// A value; `label` repeats the column's name for the phone.
#[component]
pub fn Cell(
    #[prop(into)] label: String,
    #[prop(optional)] numeric: bool,
    /// Same as for the column.
    #[prop(optional)]
    wide: bool,
    /// The language marking of the value. The label, which the phone shows in the same cell, is a text of the application.
    #[prop(optional)]
    whose: Whose,
    children: Children,
) -> impl IntoView {
    let value = match (whose.lang(), whose.translate()) {
        (None, None) => children(),
        (lang, translate) => view! { <span lang=lang translate=translate>{children()}</span> }.into_any(),
    };
    view! { <td data-label=label class:number=numeric class:wide=wide>{value}</td> }
}

/// A list of names and values; container for [`Fact`]s.
#[component]
pub fn DescriptionList(children: Children) -> impl IntoView {
    view! { <dl class="facts">{children()}</dl> }
}

/// A name with its value.
#[component]
pub fn Fact(
    #[prop(into)] label: String,
    /// The language marking of the value.
    #[prop(optional)]
    whose: Whose,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{label}</dt>
            <dd lang=whose.lang() translate=whose.translate()>{children()}</dd>
        </div>
    }
}
