//! The lists of a preview: what ends, what begins, who moves where, what is refused.

use domain::{
    Locale,
    units::{
        UnitKind,
        reorganisation::{self, PlanList, PlanNumbers, PlanRow, PlannedOffice, PlannedUnit, RefusedRow},
    },
};
use leptos::prelude::*;

use super::{list_name, refused_text};
use crate::{
    terms, text,
    ui::{Cell, Chip, Chips, Column, DataTable, HERE, Icon, IconName, Line, RowHead, Whose, content_lang},
};

/// Shown for a unit that does not exist before or after.
const NONE: &str = "–";

/// The lists as filters with their numbers, and a page of the chosen one.
pub(super) fn lists(l: Locale, page: &reorganisation::ReorganisationPage) -> Option<AnyView> {
    let chips: Vec<Chip> = PlanList::ALL
        .into_iter()
        .map(|list| (list, count(page.numbers, list)))
        .filter(|(_, count)| *count > 0)
        .map(|(list, count)| Chip {
            label: text::members::with_count(l, list_name(l, list), l.number(count)),
            href: address(page, list, 1),
            current: list == page.list,
        })
        .collect();
    if chips.is_empty() {
        return None;
    }
    let chosen = (count(page.numbers, page.list) > 0).then(|| chosen(l, page));
    Some(
        view! {
            <section class="stack" id="lists">
                <h2>{text::reorganisations::lists(l)}</h2>
                <Chips label=text::reorganisations::lists(l) chips/>
                {chosen}
            </section>
        }
        .into_any(),
    )
}

fn count(numbers: PlanNumbers, list: PlanList) -> u32 {
    match list {
        PlanList::Refused => numbers.refused,
        PlanList::Ended => numbers.ended,
        PlanList::Offices => numbers.offices_ended,
        PlanList::Begun => numbers.begun,
        PlanList::Renamed => numbers.renamed,
        PlanList::Recoded => numbers.recoded,
        PlanList::Moved => numbers.moved,
        PlanList::Phased => numbers.phased,
        PlanList::Queued => numbers.queued,
        PlanList::Undecided => numbers.undecided,
    }
}

fn address(page: &reorganisation::ReorganisationPage, list: PlanList, number: u32) -> String {
    format!("/reorganisations/{}?list={}&page={number}#lists", page.reorganisation.id, list.key())
}

fn chosen(l: Locale, page: &reorganisation::ReorganisationPage) -> AnyView {
    let content = match page.list {
        PlanList::Refused => refused(l, page),
        _ if page.rows.is_empty() => view! { <p class="muted">{text::reorganisations::list_empty(l)}</p> }.into_any(),
        list => units(l, list, &page.rows),
    };
    view! {
        {content}
        {pages(l, page)}
    }
    .into_any()
}

fn units(l: Locale, list: PlanList, rows: &[PlanRow]) -> AnyView {
    let has_before = list != PlanList::Begun;
    let has_after = !matches!(list, PlanList::Queued | PlanList::Undecided);
    let has_candidates = list == PlanList::Queued;
    let has_offices = list == PlanList::Offices;
    let after = if matches!(list, PlanList::Ended | PlanList::Offices) {
        text::reorganisations::after_ended(l)
    } else {
        text::reorganisations::after(l)
    };
    let before = text::reorganisations::before(l);
    let candidates = text::reorganisations::candidates(l);
    let offices = text::reorganisations::offices_ended(l);
    let heads = [
        (true, text::statistics::unit(l)),
        (has_before, before),
        (has_after, after),
        (has_candidates, candidates),
        (has_offices, offices),
    ];
    let columns: Vec<Column> =
        heads.into_iter().filter(|(is_shown, _)| *is_shown).map(|(_, label)| Column::text(label)).collect();
    let rows = rows
        .iter()
        .map(|row| {
            let (head, then, now) = (head(l, row), planned(l, row.before.as_ref()), planned(l, row.after.as_ref()));
            let names = row.candidates.join(", ");
            let before_cell = has_before.then(|| view! { <Cell label=before>{then}</Cell> });
            let after_cell = has_after.then(|| view! { <Cell label=after>{now}</Cell> });
            let candidates_cell = has_candidates.then(|| view! { <Cell label=candidates whose=Whose::Name>{names}</Cell> });
            let ending = row.before.as_ref().map(|unit| held(l, unit.kind, &row.offices));
            let offices_cell = has_offices.then(|| view! { <Cell label=offices>{ending}</Cell> });
            view! {
                <tr>
                    <RowHead>{head}</RowHead>
                    {before_cell}
                    {after_cell}
                    {candidates_cell}
                    {offices_cell}
                </tr>
            }
        })
        .collect_view();
    view! { <DataTable caption=list_name(l, list) columns>{rows}</DataTable> }.into_any()
}

/// The name of the unit, as a link where it has a page, and its level.
fn head(l: Locale, row: &PlanRow) -> AnyView {
    let Some(unit) = row.before.as_ref().or(row.after.as_ref()) else { return NONE.into_any() };
    let (name, lang) = (text::together(&unit.name), content_lang());
    let name = match row.unit {
        Some(id) => view! { <a href=format!("/units/{id}") lang=lang translate="no">{name}</a> }.into_any(),
        None => view! { <span lang=lang translate="no">{name}</span> }.into_any(),
    };
    view! { {name} " " <span class="muted small">{terms::short_unit_kind(l, unit.kind)}</span> }.into_any()
}

/// Offices with the names of the people, one a line.
fn held(l: Locale, kind: UnitKind, offices: &[PlannedOffice]) -> AnyView {
    let line = |office: &PlannedOffice| {
        let role = Line::from(terms::role_at(l, office.role, kind));
        let line = role.and(office.name.as_ref().map(Line::name)).show();
        view! { <div>{line}</div> }
    };
    let lines = offices.iter().map(line).collect_view();
    view! { <div>{lines}</div> }.into_any()
}

/// Name, code and parent of a unit.
fn planned(l: Locale, unit: Option<&PlannedUnit>) -> AnyView {
    let Some(PlannedUnit { code, name, parent, .. }) = unit else { return NONE.into_any() };
    let code = Line::around(text::units::code_of(l, HERE), &Line::name(code));
    let parent = parent.as_ref().map(|parent| Line::around(text::units::part_of(l, HERE), &Line::name(parent)));
    // On the phone a cell is a flex container: one item, so that its words wrap.
    view! { <span>{Line::name(name).and(code).and(parent).show()}</span> }.into_any()
}

/// The refused rows, with the link to all of them.
fn refused(l: Locale, page: &reorganisation::ReorganisationPage) -> AnyView {
    let [file, row, old_code, new_code, _, reason] = super::refused_heads(l);
    let has_files = page.reorganisation.files.len() > 1;
    let heads = [Column::number(row), Column::text(old_code), Column::text(new_code), Column::text(reason)];
    let columns: Vec<Column> = has_files.then(|| Column::text(file)).into_iter().chain(heads).collect();
    let rows = page
        .refused
        .iter()
        .map(|refused| {
            let RefusedRow { row: number, old_code: old, new_code: new, .. } = refused.clone();
            let (number, why) = (l.number(number), refused_text(l, &page.reorganisation.files, refused));
            let name = file_name(page, refused);
            let (file_cell, row_cell) = if has_files {
                let first = view! { <RowHead whose=Whose::Content>{name}</RowHead> }.into_any();
                (first, view! { <Cell label=row numeric=true>{number}</Cell> }.into_any())
            } else {
                (().into_any(), view! { <RowHead>{number}</RowHead> }.into_any())
            };
            view! {
                <tr>
                    {file_cell}
                    {row_cell}
                    <Cell label=old_code whose=Whose::Name>{old}</Cell>
                    <Cell label=new_code whose=Whose::Name>{new}</Cell>
                    <Cell label=reason>{why}</Cell>
                </tr>
            }
        })
        .collect_view();
    let href = format!("/reorganisations/{}/refused.csv", page.reorganisation.id);
    view! {
        <div class="actions">
            // A download, not a page: the browser fetches it.
            <a class="button button-secondary" href=href rel="external" download="">
                <Icon name=IconName::Download/>
                <span>{text::reorganisations::report_download(l)}</span>
            </a>
        </div>
        <DataTable caption=list_name(l, PlanList::Refused) columns>{rows}</DataTable>
    }
    .into_any()
}

fn file_name(page: &reorganisation::ReorganisationPage, row: &RefusedRow) -> String {
    let at = usize::try_from(row.file).unwrap_or_default();
    page.reorganisation.files.get(at).map(|file| file.name.clone()).unwrap_or_default()
}

/// Links to the other pages of the list; `None` when there is only one page.
fn pages(l: Locale, page: &reorganisation::ReorganisationPage) -> Option<AnyView> {
    paging(l, text::reorganisations::lists(l), page.page, page.pages, |number| address(page, page.list, number))
}

/// Links to the previous and the next page; `None` when there is only one.
pub(super) fn paging(l: Locale, label: &'static str, page: u32, pages: u32, address: impl Fn(u32) -> String) -> Option<AnyView> {
    let link = |number: u32, label: &'static str, rel: &'static str| {
        let href = address(number);
        view! { <a class="button button-secondary" href=href rel=rel><span>{label}</span></a> }
    };
    let previous = (page > 1).then(|| link(page - 1, text::units::previous_page(l), "prev"));
    let next = (page < pages).then(|| link(page + 1, text::units::next_page(l), "next"));
    (pages > 1).then(|| {
        view! {
            <nav class="cluster" aria-label=label>
                {previous}
                <span>{text::units::page_of(l, l.number(page), l.number(pages))}</span>
                {next}
            </nav>
        }
        .into_any()
    })
}
