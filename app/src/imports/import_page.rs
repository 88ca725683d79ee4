//! One import: the meanings of its columns, the expected results of its rows, and the actual ones.

use domain::{
    Locale,
    forms::FormErrors,
    imports::{self, COLUMNS_MAX, Column as FileColumn, Counts, ImportKind, ImportState, RefusedLine},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{
    column_name, failure_text,
    fns::page,
    kind_name,
    list_page::{started, state_tag},
    progress::progress_card,
    reason_text,
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        BigFigure, Breadcrumbs, Button, ButtonKind, Card, Cell, Choice, Column, Crumb, DataTable, ErrorSummary, Field, FieldKind,
        Figures, Form, Icon, IconName, Line, LinkButton, Notice, NoticeKind, PageHeader, RowHead, Select, Whose,
    },
};

const CONFIRM_LABELS: Labels = &[("as_of", text::imports::as_of)];

#[component]
pub fn ImportPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let confirm_echo = take_echo("confirm");
    let mapping_echo = take_echo("mapping");
    let confirm_errors = RwSignal::new(confirm_echo.clone());
    let mapping_errors = RwSignal::new(mapping_echo);
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), page);
    show(data, move |page| {
        let import = &page.import;
        let crumbs = vec![Crumb::link(text::imports::title(l), "/imports"), Crumb::here(Line::content(&import.file_name))];
        let body = match import.state {
            ImportState::Checking | ImportState::Running => progress_card(l, &page),
            ImportState::Previewed => preview(l, &page, confirm_echo.as_ref(), confirm_errors, mapping_errors),
            ImportState::Done => done(l, &page),
            ImportState::Cancelled => view! { <Notice title=text::imports::cancelled_title(l)/> {try_again(l)} }.into_any(),
            ImportState::Failed => failed(l, &page),
        };
        let (title, state) = (import.file_name.clone(), import.state);
        let (eyebrow, lead) = (eyebrow(l, &page), started(l, import));
        view! {
            <Title text=title.clone()/>
            <div class="page">
                <Breadcrumbs label=text::imports::way(l) crumbs/>
                <PageHeader title whose=Whose::Content eyebrow lead>
                    {state_tag(l, state)}
                </PageHeader>
                {body}
            </div>
        }
        .into_any()
    })
}

fn eyebrow(l: Locale, page: &imports::ImportPage) -> Line {
    Line::from(kind_name(l, page.import.kind)).and(page.import.unit.as_ref().map(|unit| Line::name(&unit.name)))
}

fn preview(
    l: Locale,
    page: &imports::ImportPage,
    echo: Option<&FormErrors>,
    confirm_errors: RwSignal<Option<FormErrors>>,
    mapping_errors: RwSignal<Option<FormErrors>>,
) -> AnyView {
    let mapping = mapping(l, page, mapping_errors);
    if !page.missing.is_empty() {
        let columns: Vec<&str> = page.missing.iter().map(|column| column_name(l, *column)).collect();
        let hint = text::imports::missing_hint(l, columns.join(", "));
        let cancel = cancel(l, page);
        let beyond = (page.headers.len() >= COLUMNS_MAX).then(|| {
            let told = text::imports::missing_beyond(l, l.number(u32::try_from(COLUMNS_MAX).unwrap_or(u32::MAX)));
            view! { <p>{told}</p> }
        });
        return view! {
            <Notice kind=NoticeKind::Error title=text::imports::missing_title(l)>
                {beyond}
                <p>{hint}</p>
            </Notice>
            {mapping}
            {cancel}
        }
        .into_any();
    }
    let figures = figures(l, page);
    let confirmation = confirmation(l, page, echo, confirm_errors);
    let (report, remarks) = (report(l, page), remarks(l, page));
    let cancel = cancel(l, page);
    view! {
        <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, confirm_errors, CONFIRM_LABELS)/>
        <Card title=text::imports::preview_title(l)>
            <div class="stack">
                {figures}
                <p class="muted">{text::imports::nothing_written(l)}</p>
            </div>
        </Card>
        {remarks}
        {confirmation}
        {report}
        {mapping}
        {cancel}
    }
    .into_any()
}

fn done(l: Locale, page: &imports::ImportPage) -> AnyView {
    let (figures, remarks, report) = (figures(l, page), remarks(l, page), report(l, page));
    view! {
        <Notice kind=NoticeKind::Ok title=text::imports::done_title(l)>
            <p>{text::imports::done_hint(l)}</p>
        </Notice>
        <Card title=text::imports::result_title(l)>{figures}</Card>
        {report}
        {remarks}
        <div class="actions">
            <LinkButton href="/imports" kind=ButtonKind::Secondary icon=IconName::ArrowLeft>{text::imports::back(l)}</LinkButton>
        </div>
    }
    .into_any()
}

fn failed(l: Locale, page: &imports::ImportPage) -> AnyView {
    let why = page.import.failure.map(|failure| failure_text(l, failure));
    view! {
        <Notice kind=NoticeKind::Error title=text::imports::failure_title(l)>{why.map(|why| view! { <p>{why}</p> })}</Notice>
        {try_again(l)}
    }
    .into_any()
}

fn try_again(l: Locale) -> AnyView {
    view! {
        <div class="actions">
            <LinkButton href="/imports/new" icon=IconName::Upload>{text::imports::try_again(l)}</LinkButton>
        </div>
    }
    .into_any()
}

/// Results of the rows, the check of their sum, and remarks on how the file was read.
fn figures(l: Locale, page: &imports::ImportPage) -> AnyView {
    let counts = page.import.counts;
    let rows = [
        (text::imports::fresh(l), counts.fresh),
        (text::imports::changed(l), counts.changed),
        (text::imports::unchanged(l), counts.unchanged),
        (text::imports::refused(l), counts.refused),
    ];
    let figures = rows.map(|(label, count)| view! { <BigFigure label value=l.number(count)/> }).collect_view();
    let notes = notes(l, page).into_iter().map(|note| view! { <p class="muted">{note}</p> }).collect_view();
    let lost = page.import.unaccounted();
    let lost = (lost > 0).then(|| {
        view! {
            <Notice kind=NoticeKind::Error title=text::imports::sum_wrong_title(l)>
                <p>{text::imports::sum_wrong(l, l.number(lost))}</p>
            </Notice>
        }
    });
    view! {
        <div class="stack">
            {lost}
            <Figures>{figures}</Figures>
            {notes}
        </div>
    }
    .into_any()
}

fn notes(l: Locale, page: &imports::ImportPage) -> Vec<String> {
    let Some(rows) = page.import.rows else { return Vec::new() };
    let Counts { fresh, changed, unchanged, refused } = page.import.counts;
    let [all, fresh, changed, unchanged, refused] = [rows.rows, fresh, changed, unchanged, refused].map(|count| l.number(count));
    let mut notes = vec![text::imports::sum(l, all, fresh, changed, unchanged, refused)];
    if rows.passed > 0 {
        notes.push(text::imports::sum_passed(l, l.number(rows.passed)));
    }
    if rows.converted > 0 {
        notes.push(text::imports::converted(l, l.number(rows.converted)));
    }
    if let Some(sheet) = page.sheet.as_ref().filter(|_| !page.unread_sheets.is_empty()) {
        notes.push(text::imports::unread_sheets(l, sheet, page.unread_sheets.join(", ")));
    }
    notes
}

fn confirmation(
    l: Locale,
    page: &imports::ImportPage,
    echo: Option<&FormErrors>,
    errors: RwSignal<Option<FormErrors>>,
) -> AnyView {
    let (rows, is_units) = (page.import.counts.to_write(), page.import.kind == ImportKind::Units);
    let nothing = (rows == 0).then(|| view! { <Notice title=text::imports::nothing_to_write(l)/> });
    // On another day rows of units may not be refused.
    if rows == 0 && (!is_units || page.import.counts.refused == 0) {
        return nothing.into_any();
    }
    let (title, button) = if rows == 0 {
        (text::imports::check_day(l), text::imports::check_day(l).to_owned())
    } else {
        (text::imports::confirm_title(l), text::imports::confirm(l, rows))
    };
    let hint = if is_units { text::imports::as_of_hint_units(l) } else { text::imports::as_of_hint(l) };
    let as_of = echo.and_then(|echo| echo.value("as_of")).map_or_else(|| page.as_of.to_string(), str::to_owned);
    let id = page.import.id.to_string();
    view! {
        {nothing}
        <Card title strong=true>
            <Form action="/api/imports/confirm" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="id" value=id/>
                <Field
                    label=text::imports::as_of(l)
                    name="as_of"
                    kind=FieldKind::Date
                    value=as_of
                    hint
                    error=field_error(l, errors, CONFIRM_LABELS, "as_of")
                />
                <div class="actions">
                    <Button wide=true icon=IconName::Check>{button}</Button>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}

fn cancel(l: Locale, page: &imports::ImportPage) -> AnyView {
    let id = page.import.id.to_string();
    view! {
        <Form action="/api/imports/cancel" failed=text::frame::network_failed(l)>
            <input type="hidden" name="id" value=id/>
            <div class="actions">
                <Button kind=ButtonKind::Secondary icon=IconName::Close>{text::imports::cancel(l)}</Button>
            </div>
        </Form>
    }
    .into_any()
}

/// Collapsed unless a column is missing: most files are recognised.
fn mapping(l: Locale, page: &imports::ImportPage, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let choices: Vec<Choice> = std::iter::once(Choice::new("", text::imports::mapping_ignored(l)))
        .chain(FileColumn::of(page.import.kind).map(|column| Choice::new(column.key(), column_name(l, column))))
        .collect();
    let chosen = errors.with_untracked(|errors| errors.as_ref().and_then(|errors| errors.value("columns").map(str::to_owned)));
    let chosen: Option<Vec<&str>> = chosen.as_deref().map(|chosen| chosen.split(',').collect());
    let columns = page
        .headers
        .iter()
        .enumerate()
        .map(|(at, (header, column))| {
            let label = if header.is_empty() {
                text::imports::mapping_unnamed(l, l.number(at as u64 + 1))
            } else {
                text::imports::mapping_column(l, header)
            };
            let now = column.map(FileColumn::key).unwrap_or_default();
            let value = chosen.as_ref().and_then(|chosen| chosen.get(at).copied()).unwrap_or(now);
            view! { <Select label name=format!("columns[{at}]") id=format!("columns-{at}") choices=choices.clone() value/> }
        })
        .collect_view();
    let refused = move || {
        let is_refused = errors.with(|errors| errors.as_ref().is_some_and(|errors| !errors.problems.is_empty()));
        is_refused.then(|| view! { <Notice kind=NoticeKind::Error title=text::imports::mapping_errors(l)/> })
    };
    let id = page.import.id.to_string();
    let is_open = !page.missing.is_empty() || errors.with_untracked(Option::is_some);
    view! {
        <details class="card fold" open=is_open>
            <summary><h2 class="card-title">{text::imports::mapping_title(l)}</h2></summary>
            <div class="stack">
                <p class="muted">{text::imports::mapping_hint(l)}</p>
                <Form action="/api/imports/remap" failed=text::frame::network_failed(l) errors>
                    <input type="hidden" name="id" value=id/>
                    {refused}
                    {columns}
                    <div class="actions">
                        <Button kind=ButtonKind::Secondary icon=IconName::Refresh>{text::imports::mapping_save(l)}</Button>
                    </div>
                </Form>
            </div>
        </details>
    }
    .into_any()
}

fn report(l: Locale, page: &imports::ImportPage) -> Option<AnyView> {
    let shown = page.refused.len() as u64;
    if shown == 0 {
        return None;
    }
    let told = text::imports::report_first(l, l.number(shown), l.number(page.refused_lines));
    let first = (page.refused_lines > shown).then(|| view! { <p class="muted">{told}</p> });
    let download = download(l, page);
    let table = lines(l, text::imports::report_title(l), &page.refused);
    Some(
        view! {
            // The table has its own caption.
            <Card>
                <div class="stack">
                    {first}
                    {download}
                    {table}
                </div>
            </Card>
        }
        .into_any(),
    )
}

/// Remarks on rows that are imported all the same.
fn remarks(l: Locale, page: &imports::ImportPage) -> Option<AnyView> {
    let shown = page.remarks.len() as u64;
    if shown == 0 {
        return None;
    }
    let told = text::imports::report_first(l, l.number(shown), l.number(page.remark_lines));
    let first = (page.remark_lines > shown).then(|| view! { <p class="muted">{told}</p> });
    let download = page.refused.is_empty().then(|| download(l, page));
    let table = lines(l, text::imports::remarks_title(l), &page.remarks);
    Some(
        view! {
            <Card>
                <div class="stack">
                    <p class="muted">{text::imports::remarks_hint(l)}</p>
                    {first}
                    {download}
                    {table}
                </div>
            </Card>
        }
        .into_any(),
    )
}

fn download(l: Locale, page: &imports::ImportPage) -> AnyView {
    let href = format!("/imports/{}/report.csv", page.import.id);
    view! {
        <div class="actions">
            // A download, not a page: the browser fetches it.
            <a class="button button-secondary" href=href rel="external" download="">
                <Icon name=IconName::Download/>
                <span>{text::imports::report_download(l)}</span>
            </a>
        </div>
    }
    .into_any()
}

fn lines(l: Locale, caption: &'static str, lines: &[RefusedLine]) -> AnyView {
    let [row, who, column, value, _, reason] = super::report_heads(l);
    let columns = vec![Column::number(row), Column::text(who), Column::text(column), Column::text(value), Column::text(reason)];
    let rows = lines
        .iter()
        .map(|line| {
            let (number, name, written) = (l.number(line.row), line.name.clone(), line.value.clone());
            let (place, why) = (line.column.map(|column| column_name(l, column)), reason_text(l, line.column, &line.reason));
            view! {
                <tr>
                    <RowHead>{number}</RowHead>
                    <Cell label=who whose=Whose::Name>{name}</Cell>
                    <Cell label=column>{place}</Cell>
                    <Cell label=value whose=Whose::Name>{written}</Cell>
                    <Cell label=reason>{why}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! { <DataTable caption=caption columns>{rows}</DataTable> }.into_any()
}
