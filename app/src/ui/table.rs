//! Facts and figures in rows. On the phone a table turns into cards, each cell naming its column.

use leptos::prelude::*;

use super::line::Whose;

/// Head of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub label: String,
    /// Figures stand at the end of the cell, so that digits line up.
    pub numeric: bool,
    /// Not on the phone, where a row of a lean table is one line.
    pub wide: bool,
    pub sort: Option<Sort>,
}

/// How the rows are put in the order of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The page in that order, or in the opposite one.
    pub href: String,
    /// `ascending` or `descending`, when the rows are in that order.
    pub order: Option<&'static str>,
}

impl Column {
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), numeric: false, wide: false, sort: None }
    }

    pub fn number(label: impl Into<String>) -> Self {
        Self { label: label.into(), numeric: true, wide: false, sort: None }
    }

    /// The column is left out on the phone; its cells are `wide` too.
    #[must_use]
    pub fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    /// The head is a link that orders the rows.
    #[must_use]
    pub fn sorted(self, sort: Sort) -> Self {
        Self { sort: Some(sort), ..self }
    }
}

/// What becomes of a table on the phone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TableKind {
    /// Every row a card whose cells name their columns.
    #[default]
    Cards,
    /// For many rows: a line each, of the columns that are not wide.
    Lean,
    /// For many things with a page each: a list. The link in the [`RowHead`] is a `row-link`; what is not for the phone is `wide`,
    /// what is for the phone only `narrow`.
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

/// A table; the children are `<tr>`s made of one [`RowHead`] and [`Cell`]s.
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
            // The page is loaded afresh, so that it stands where the address says.
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

/// The cell that names its row.
#[component]
pub fn RowHead(
    /// Whose words all of it is.
    #[prop(optional)]
    whose: Whose,
    children: Children,
) -> impl IntoView {
    view! { <th scope="row" lang=whose.lang() translate=whose.translate()>{children()}</th> }
}

/// One value; `label` repeats the column's head for the phone.
#[component]
pub fn Cell(
    #[prop(into)] label: String,
    #[prop(optional)] numeric: bool,
    /// As the column.
    #[prop(optional)]
    wide: bool,
    /// Whose words the value is. The label, which the phone shows in the same cell, is ours.
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

/// Names and values of one thing; holds [`Fact`]s.
#[component]
pub fn DescriptionList(children: Children) -> impl IntoView {
    view! { <dl class="facts">{children()}</dl> }
}

/// One name with its value.
#[component]
pub fn Fact(
    #[prop(into)] label: String,
    /// Whose words the value is.
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
