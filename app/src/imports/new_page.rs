//! The upload form. A plain form that the browser posts, with script and without. Without script a search for units loads the page
//! again, so the file is the last field.

use domain::{Locale, forms::FormErrors, imports, units::PickPurpose};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{fns::blank, kind_name};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Choice, Crumb, ErrorSummary, FileField, Icon, IconName, LinkButton, PageHeader,
        RadioGroup,
    },
    units::picker::{UnitField, unit_field},
};

const LABELS: Labels = &[("kind", text::imports::kind), ("unit", text::imports::unit), ("file", text::imports::file)];

/// Files of tables that can be read.
pub(crate) const ACCEPT: &str = ".csv,.txt,.xlsx,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What is selected in the form: by a form that came back, or by a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Typed {
    kind: Option<String>,
    unit: Option<String>,
    find: Option<String>,
}

#[component]
pub fn NewImportPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let echo = take_echo("upload");
    let errors = RwSignal::new(echo.clone());
    let typed = Memo::new(move |_| {
        let value = |field: &str| {
            let back = echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
            back.or_else(|| query.read().get(field)).filter(|value| !value.is_empty())
        };
        Typed { kind: value("kind"), unit: value("unit"), find: value("find") }
    });
    let data = Resource::new(move || typed.get(), |typed| blank(typed.unit, typed.find));
    show(data, move |page| {
        let crumbs = vec![Crumb::link(text::imports::title(l), "/imports"), Crumb::here(text::imports::new_title(l))];
        view! {
            <Title text=text::imports::new_title(l)/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::imports::way(l) crumbs/>
                <PageHeader title=text::imports::new_title(l) lead=text::imports::new_lead(l)/>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {upload_form(l, &page, typed.get_untracked(), errors)}
            </div>
        }
        .into_any()
    })
}

fn upload_form(l: Locale, page: &imports::NewImportPage, typed: Typed, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let kinds: Vec<Choice> = page
        .kinds
        .iter()
        .map(|kind| {
            let hint = match kind {
                imports::ImportKind::Members => text::imports::kind_members_hint(l),
                imports::ImportKind::Units => text::imports::kind_units_hint(l),
            };
            Choice::new(kind.key(), kind_name(l, *kind)).hint(hint)
        })
        .collect();
    let kind = typed.kind.or_else(|| page.kinds.first().map(|kind| kind.key().to_owned()));
    let unit = UnitField {
        purpose: PickPurpose::Import,
        legend: text::imports::unit(l),
        hint: text::imports::unit_hint(l),
        page: "/imports/new",
        choices: page.units.clone(),
        find: typed.find.unwrap_or_default(),
        error: field_error(l, errors, LABELS, "unit"),
    };
    // The fields with the target precede the file, which is sealed as a stream.
    view! {
        <form class="form" method="post" action="/imports/upload" enctype="multipart/form-data" novalidate=true>
            <RadioGroup legend=text::imports::kind(l) name="kind" choices=kinds value=kind error=field_error(l, errors, LABELS, "kind")/>
            {unit_field(l, unit)}
            <FileField
                choose=text::files::choose(l)
                label=text::imports::file(l)
                name="file"
                accept=ACCEPT
                hint=text::imports::file_hint(l)
                error=field_error(l, errors, LABELS, "file")
            />
            {templates(l, page)}
            <div class="actions">
                <Button wide=true icon=IconName::Upload>{text::imports::upload(l)}</Button>
                <LinkButton href="/imports" kind=ButtonKind::Quiet>{text::imports::back(l)}</LinkButton>
            </div>
        </form>
    }
    .into_any()
}

/// Sample files of this page: one for each kind of import.
fn templates(l: Locale, page: &imports::NewImportPage) -> AnyView {
    let templates = page.kinds.iter().map(|kind| (kind_name(l, *kind), format!("/imports/template/{}", kind.key())));
    template_links(l, templates)
}

/// Links to sample files, each in both formats, from their names and addresses without an ending. Downloads, not pages: the
/// browser fetches them.
pub(crate) fn template_links(l: Locale, templates: impl IntoIterator<Item = (&'static str, String)>) -> AnyView {
    let links = templates
        .into_iter()
        .flat_map(|(name, address)| {
            [("csv", "CSV"), ("xlsx", "Excel")].map(|(ending, format)| {
                view! {
                    <li>
                        <a class="menu-link" href=format!("{address}.{ending}") rel="external" download="">
                            <Icon name=IconName::Download/>
                            <span>{format!("{name} ({format})")}</span>
                        </a>
                    </li>
                }
            })
        })
        .collect_view();
    view! {
        <div class="stack">
            <p class="muted">{text::imports::template_hint(l)}</p>
            <ul class="menu" role="list">{links}</ul>
        </div>
    }
    .into_any()
}
