//! One file: what its columns are, what would become of its rows, and what became of them.

use domain::{
    Locale,
    forms::FormErrors,
    imports::{self, Column as FileColumn, Counts, ImportState, RefusedLine},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{
    column_name, failure_text,
    fns::page,
    kind_name,
    list_page::{started, state_tag},
    progress::at_work,
    reason_text,
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    ui::{
        BigFigure, Breadcrumbs, Button, ButtonKind, Card, Cell, Choice, Column, Crumb, DataTable, ErrorSummary, Field, FieldKind,
        Figures, Form, Icon, IconName, LinkButton, Notice, NoticeKind, PageHeader, RowHead, Select,
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
        let crumbs = vec![Crumb::link(text::imports::title(l), "/imports"), Crumb::here(import.file_name.clone())];
        let body = match import.state {
            ImportState::Checking | ImportState::Running => at_work(l, &page),
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
                <PageHeader title eyebrow lead>
                    {state_tag(l, state)}
                </PageHeader>
                {body}
            </div>
        }
        .into_any()
    })
}

fn eyebrow(l: Locale, page: &imports::ImportPage) -> String {
    let kind = kind_name(l, page.import.kind);
    page.import.unit.as_ref().map_or_else(|| kind.to_owned(), |unit| format!("{kind} · {}", unit.name))
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
        return view! {
            <Notice kind=NoticeKind::Error title=text::imports::missing_title(l)>
                <p>{hint}</p>
            </Notice>
            {mapping}
            {cancel}
        }
        .into_any();
    }
    let figures = figures(l, page.import.counts);
    let confirmation = confirmation(l, page, echo, confirm_errors);
    let report = report(l, page);
    let cancel = cancel(l, page);
    view! {
        <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, confirm_errors, CONFIRM_LABELS)/>
        <Card title=text::imports::preview_title(l)>
            <div class="stack">
                {figures}
                <p class="muted">{text::imports::nothing_written(l)}</p>
            </div>
        </Card>
        {confirmation}
        {report}
        {mapping}
        {cancel}
    }
    .into_any()
}

fn done(l: Locale, page: &imports::ImportPage) -> AnyView {
    let (figures, report) = (figures(l, page.import.counts), report(l, page));
    view! {
        <Notice kind=NoticeKind::Ok title=text::imports::done_title(l)>
            <p>{text::imports::done_hint(l)}</p>
        </Notice>
        <Card title=text::imports::result_title(l)>{figures}</Card>
        {report}
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

fn figures(l: Locale, counts: Counts) -> AnyView {
    let rows = [
        (text::imports::fresh(l), counts.fresh),
        (text::imports::changed(l), counts.changed),
        (text::imports::unchanged(l), counts.unchanged),
        (text::imports::refused(l), counts.refused),
    ];
    let figures = rows.map(|(label, count)| view! { <BigFigure label value=l.number(count)/> }).collect_view();
    view! { <Figures>{figures}</Figures> }.into_any()
}

fn confirmation(
    l: Locale,
    page: &imports::ImportPage,
    echo: Option<&FormErrors>,
    errors: RwSignal<Option<FormErrors>>,
) -> AnyView {
    let rows = page.import.counts.to_write();
    if rows == 0 {
        return view! { <Notice title=text::imports::nothing_to_write(l)/> }.into_any();
    }
    let as_of = echo.and_then(|echo| echo.value("as_of")).map_or_else(|| page.as_of.to_string(), str::to_owned);
    let id = page.import.id.to_string();
    view! {
        <Card title=text::imports::confirm_title(l) strong=true>
            <Form action="/api/imports/confirm" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="id" value=id/>
                <Field
                    label=text::imports::as_of(l)
                    name="as_of"
                    kind=FieldKind::Date
                    value=as_of
                    hint=text::imports::as_of_hint(l)
                    error=field_error(l, errors, "as_of")
                />
                <div class="actions">
                    <Button wide=true icon=IconName::Check>{text::imports::confirm(l, rows)}</Button>
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

/// Folded away unless something is missing: most files are understood.
fn mapping(l: Locale, page: &imports::ImportPage, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let choices: Vec<Choice> = std::iter::once(Choice::new("", text::imports::mapping_ignored(l)))
        .chain(FileColumn::of(page.import.kind).map(|column| Choice::new(column.key(), column_name(l, column))))
        .collect();
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
            let value = column.map(FileColumn::key).unwrap_or_default();
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
    if page.refused.is_empty() {
        return None;
    }
    let heads = super::report_heads(l);
    let columns = vec![Column::number(heads[0]), Column::text(heads[1]), Column::text(heads[2]), Column::text(heads[3])];
    let rows = page
        .refused
        .iter()
        .map(|RefusedLine { row, column, value, reason }| {
            let (row, column, value) = (l.number(*row), column.map(|column| column_name(l, column)), value.clone());
            let reason = reason_text(l, reason);
            view! {
                <tr>
                    <RowHead>{row}</RowHead>
                    <Cell label=heads[1]>{column}</Cell>
                    <Cell label=heads[2]>{value}</Cell>
                    <Cell label=heads[3]>{reason}</Cell>
                </tr>
            }
        })
        .collect_view();
    let shown = page.refused.len() as u64;
    let told = text::imports::report_first(l, l.number(shown), l.number(page.refused_lines));
    let first = (page.refused_lines > shown).then(|| view! { <p class="muted">{told}</p> });
    let href = format!("/imports/{}/report.csv", page.import.id);
    Some(
        view! {
            // The table names itself.
            <Card>
                <div class="stack">
                    {first}
                    <div class="actions">
                        // A file and not a page: the browser fetches it itself.
                        <a class="button button-secondary" href=href rel="external" download="">
                            <Icon name=IconName::Download/>
                            <span>{text::imports::report_download(l)}</span>
                        </a>
                    </div>
                    <DataTable caption=text::imports::report_title(l) columns>{rows}</DataTable>
                </div>
            </Card>
        }
        .into_any(),
    )
}
