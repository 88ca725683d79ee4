//! The upload form: the day and one or several files. A plain form that the browser posts, with script and without.

use domain::{
    Locale,
    forms::FormErrors,
    units::reorganisation::{FILE_BYTES_MAX, FILES_MAX, FileRefusal, ReorganisationsPage},
};
use leptos::{prelude::*, serde_json};
use leptos_router::hooks::use_query_map;

use super::{ACCEPT, Template, fns::list, refusal_text, template_links};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{Breadcrumbs, Button, ButtonKind, Crumb, ErrorSummary, Field, FieldKind, FileField, IconName, LinkButton, PageHeader},
};

const LABELS: Labels = &[("on", text::reorganisations::on), ("files", text::reorganisations::files)];

#[component]
pub fn NewReorganisationPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let echo = take_echo("reorganisation");
    let data = Resource::new(|| (), |()| list());
    show(data, move |page| {
        let asked = query.with_untracked(|query| query.get("on"));
        let crumbs = vec![
            Crumb::link(text::reorganisations::title(l), "/reorganisations"),
            Crumb::here(text::reorganisations::new_title(l)),
        ];
        view! {
            <Title text=text::reorganisations::new_title(l)/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::reorganisations::way(l) crumbs/>
                <PageHeader title=text::reorganisations::new_title(l) lead=text::reorganisations::new_lead(l)/>
                {upload_form(l, &page, asked, echo.as_ref())}
            </div>
        }
        .into_any()
    })
}

fn upload_form(l: Locale, page: &ReorganisationsPage, asked: Option<String>, echo: Option<&FormErrors>) -> AnyView {
    let errors = RwSignal::new(echo.cloned());
    let refused = echo.and_then(|echo| refused_file(l, echo));
    let items: Vec<(String, String)> = all_errors(l, errors, LABELS)
        .get_untracked()
        .into_iter()
        .map(|(field, message)| {
            let message = refused.clone().filter(|_| field == "files").unwrap_or(message);
            (field, message)
        })
        .collect();
    let files_error = refused.or_else(|| field_error(l, errors, LABELS, "files").get_untracked());
    let typed = echo.and_then(|echo| echo.value("on")).map(str::to_owned);
    let on = typed.or(asked).unwrap_or_else(|| page.today.to_string());
    let hint = text::reorganisations::files_hint(l, l.number(FILES_MAX), l.file_size(FILE_BYTES_MAX));
    // The day precedes the files, which are read as a stream.
    view! {
        <ErrorSummary title=text::frame::errors_title(l) items/>
        <form class="form" method="post" action="/reorganisations/upload" enctype="multipart/form-data" novalidate=true>
            <Field
                label=text::reorganisations::on(l)
                name="on"
                kind=FieldKind::Date
                value=on
                hint=text::reorganisations::on_hint(l)
                error=field_error(l, errors, LABELS, "on")
            />
            <FileField
                choose=text::files::choose(l)
                label=text::reorganisations::files(l)
                name="files"
                accept=ACCEPT
                multiple=true
                hint
                error=files_error
            />
            {template_links(l, Template::Reorganisation)}
            <div class="actions">
                <Button wide=true icon=IconName::Upload>{text::reorganisations::upload(l)}</Button>
                <LinkButton href="/reorganisations" kind=ButtonKind::Quiet>{text::reorganisations::back(l)}</LinkButton>
            </div>
        </form>
    }
    .into_any()
}

/// The sentence about the file that was not accepted, if that was the problem.
fn refused_file(l: Locale, echo: &FormErrors) -> Option<String> {
    let refusal: FileRefusal = serde_json::from_str(echo.value("refusal")?).ok()?;
    Some(refusal_text(l, echo.value("file").unwrap_or_default(), refusal))
}
