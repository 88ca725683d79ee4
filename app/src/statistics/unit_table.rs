//! The table of the units one level below: order, search and number of rows are in the address, so that it has the same functions
//! without script.

use domain::{
    Locale,
    statistics::SMALLEST_GROUP,
    tables::{Order, TableQuery, UnitColumn},
};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use crate::{
    text,
    ui::{Column, DataTable, Sort, TableKind},
    units::search,
};

/// The address of a table, its query, and the size of the result.
pub(crate) struct UnitTable {
    pub(crate) l: Locale,
    /// The table's name in the address, for pages with two tables.
    pub(crate) id: &'static str,
    /// The page without a query.
    pub(crate) page: String,
    /// Other query parameters of the page.
    pub(crate) along: Vec<(&'static str, String)>,
    pub(crate) query: TableQuery,
    pub(crate) all: usize,
    pub(crate) found: usize,
    pub(crate) listed: usize,
}

/// The table with the search and the chips. A second one on the page uses the same query.
pub(crate) const MAIN: &str = "units";

/// The query of a page's table.
pub(crate) fn asked(query: &ParamsMap) -> TableQuery {
    TableQuery::parse(query.get_str("q"), query.get_str("sort"), query.get_str("rows"))
}

/// The same as query parameters.
pub(crate) fn parts(query: &TableQuery) -> impl Iterator<Item = (&'static str, String)> {
    let rows = (query.rows > TableQuery::FIRST).then(|| query.rows.to_string());
    [("q", query.words.clone()), ("sort", query.order.map(|order| order.to_string())), ("rows", rows)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
}

/// The anchor of a row; rows are counted from 1.
pub(crate) fn row_id(table: &str, row: usize) -> String {
    format!("{table}-{row}")
}

pub(crate) fn hidden_because(l: Locale) -> String {
    text::statistics::hidden_because(l, l.number(SMALLEST_GROUP))
}

impl UnitTable {
    /// A sortable column: the first click sorts names ascending and figures descending, the next one reverses.
    pub(crate) fn column(&self, by: UnitColumn, column: Column) -> Column {
        let current = self.query.order.filter(|order| order.by == by);
        let descending = current.map_or(by != UnitColumn::Name, |order| !order.descending);
        let order = current.map(|order| if order.descending { "descending" } else { "ascending" });
        column.sorted(Sort { href: self.ordered(Some(Order { by, descending })), order })
    }

    /// The table with its controls; `rows` are `<tr>`s with the ids of [`row_id`].
    pub(crate) fn show(self, columns: Vec<Column>, rows: AnyView) -> AnyView {
        let l = self.l;
        let id = self.id;
        let search = self.search();
        let chips = (self.id == MAIN).then(|| self.chips());
        let more = self.more();
        let too_many =
            (more.is_none() && self.found > self.listed).then(|| view! { <p class="muted">{text::units::more_found(l)}</p> });
        // The page is loaded again, so that the browser scrolls to the first new row.
        let more = more.map(|href| {
            let label = text::statistics::more(l);
            view! { <p class="pager"><a class="button button-secondary" href=href rel="next external"><span>{label}</span></a></p> }
        });
        let table = if self.found == 0 {
            view! { <p class="muted">{text::units::none_found(l)}</p> }.into_any()
        } else {
            view! { <DataTable caption=text::statistics::children(l) columns kind=TableKind::Lean>{rows}</DataTable> }.into_any()
        };
        view! {
            <section class="stack-tight" id=id>
                {search}
                {chips}
                {table}
                {more}
                {too_many}
            </section>
        }
        .into_any()
    }

    fn search(&self) -> Option<AnyView> {
        let action = format!("{}#{}", self.page, self.id);
        let order = self.query.order.map(|order| ("sort", order.to_string()));
        let along = self.along.iter().cloned().chain(order).collect();
        let field = format!("{}-q", self.id);
        (self.id == MAIN && self.all > TableQuery::FIRST)
            .then(|| search(self.l, &field, &action, text::units::search(self.l), self.query.words.clone(), along))
    }

    /// The most common orders, for the phone, where some columns are hidden.
    fn chips(&self) -> AnyView {
        let l = self.l;
        let share = |descending| Some(Order { by: UnitColumn::Share, descending });
        let orders = [
            (None, text::statistics::sort_code(l)),
            (Some(Order { by: UnitColumn::Name, descending: false }), text::statistics::sort_name(l)),
            (share(false), text::statistics::sort_low(l)),
            (share(true), text::statistics::sort_high(l)),
        ];
        let chips = orders
            .into_iter()
            .map(|(order, label)| {
                let current = (order == self.query.order).then_some("true");
                let href = self.ordered(order);
                view! { <li><a class="chip" href=href rel="external" aria-current=current>{label}</a></li> }
            })
            .collect_view();
        view! { <nav class="chips unit-table-chips" aria-label=text::statistics::sort(l)><ul role="list">{chips}</ul></nav> }
            .into_any()
    }

    fn ordered(&self, order: Option<Order>) -> String {
        self.address(&TableQuery { order, ..self.query.clone() }, self.id)
    }

    /// The same page with more rows, at the first new one; `None` when all rows or the maximum are shown.
    fn more(&self) -> Option<String> {
        let rows = (self.query.rows * 3).min(TableQuery::MOST);
        (self.found > self.listed && rows > self.query.rows)
            .then(|| self.address(&TableQuery { rows, ..self.query.clone() }, &row_id(self.id, self.listed + 1)))
    }

    fn address(&self, query: &TableQuery, place: &str) -> String {
        let query: ParamsMap = self.along.iter().cloned().chain(parts(query)).collect();
        format!("{}{}#{place}", self.page, query.to_query_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(query: TableQuery, found: usize) -> UnitTable {
        let listed = found.min(query.rows);
        let along = vec![("unit", "01A".to_owned())];
        UnitTable { l: Locale::Vi, id: "units", page: "/readers/1".to_owned(), along, query, all: 90, found, listed }
    }

    #[test]
    fn more_rows_keep_the_query_and_the_position() {
        let first = table(TableQuery::parse(None, Some("-share"), None), 90);
        assert_eq!(first.more().as_deref(), Some("/readers/1?unit=01A&sort=%2Dshare&rows=60#units-21"));
        assert_eq!(table(TableQuery::parse(None, None, Some("60")), 60).more(), None);
        assert_eq!(table(TableQuery::parse(None, None, Some("1000")), 5_000).more(), None);
    }

    #[test]
    fn a_header_sorts_by_its_column_and_then_reverses() {
        let head = |order: Option<&str>, by| {
            let column = table(TableQuery::parse(None, order, None), 90).column(by, Column::text("x"));
            let sort = column.sort.unwrap();
            (sort.href, sort.order)
        };
        let at = |order: &str| format!("/readers/1?unit=01A&sort={}#units", order.replace('-', "%2D"));
        assert_eq!(head(None, UnitColumn::Name), (at("name"), None));
        assert_eq!(head(Some("name"), UnitColumn::Name), (at("-name"), Some("ascending")));
        assert_eq!(head(None, UnitColumn::Members), (at("-members"), None));
        assert_eq!(head(Some("-members"), UnitColumn::Members), (at("members"), Some("descending")));
    }
}
