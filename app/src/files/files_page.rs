//! The files of a document at the desk: stored files, pending decisions, open uploads, and the upload form.
//!
//! `scripts/files.js` adds drag and drop, uploads in chunks with progress, and resumption after an interruption. It reads its
//! texts from `data-` attributes.

use domain::{
    Locale,
    files::{self, DeskFile, FILE_BYTES_MAX, FileKind, FileRefused, Missing, OpenUpload},
    forms::FormErrors,
    guard::Coverage,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{fns::page, list::link, refused_text, warnings};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Crumb, EmptyState, ErrorSummary, FileField, Form, HeadingLevel, Icon, IconName,
        Line, LinkButton, Notice, NoticeKind, PageHeader, Progress, TextArea, content_lang,
    },
};

const LABELS: Labels = &[("reason", text::files::reason_name)];

/// A hint for the file picker; the server detects the type by content and rejects others.
const ACCEPT: &str = ".pdf,.docx,.xlsx,.png,.jpg,.jpeg,.mp3,.mp4";

#[component]
pub fn FilesPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let refused = take_echo("upload").and_then(|echo| FileRefused::from_key(echo.value("refused")?));
    let kept = take_echo("keep");
    let data = Resource::new(move || params.with(|params| params.get("id").unwrap_or_default()), page);
    let is_added = query.with_untracked(|query| query.get_str("added").is_some());
    show(data, move |page| desk(l, page, refused, kept.clone(), is_added))
}

fn desk(l: Locale, page: files::FilesPage, refused: Option<FileRefused>, kept: Option<FormErrors>, is_added: bool) -> AnyView {
    let draft = format!("/desk/{}", page.document);
    let crumbs = vec![
        Crumb::link(text::frame::desk(l), "/desk"),
        Crumb::link(Line::content(&page.title), draft.clone()),
        Crumb::here(text::files::title(l)),
    ];
    let keep_errors = RwSignal::new(kept.clone());
    let problems = match refused {
        Some(refused) => Signal::stored(vec![("file".to_owned(), refused_text(l, refused).to_owned())]),
        None => all_errors(l, keep_errors, LABELS),
    };
    let added = (is_added && refused.is_none() && page.waiting.is_empty())
        .then(|| view! { <Notice kind=NoticeKind::Ok title=text::files::added_now(l)/> });
    let closed = (!page.is_open).then(|| {
        view! { <Notice title=text::files::closed_title(l)><p>{text::files::closed_hint(l)}</p></Notice> }
    });
    let waiting = waiting(l, &page, kept.as_ref(), keep_errors);
    let list = files(l, &page);
    let uploads = uploads(l, &page);
    let form = page.is_open.then(|| form(l, &page, refused));
    view! {
        <Title text=text::files::title(l)/>
        <div class="page page-narrow">
            <Breadcrumbs label=text::files::way(l) crumbs/>
            <PageHeader title=text::files::title(l) eyebrow=Line::content(&page.title) lead=text::files::lead(l)/>
            <ErrorSummary title=text::frame::errors_title(l) items=problems/>
            {added}
            {closed}
            {waiting}
            {list}
            {uploads}
            {form}
            <div class="actions">
                <LinkButton href=draft kind=ButtonKind::Quiet icon=IconName::ArrowLeft>{text::files::back(l)}</LinkButton>
            </div>
        </div>
    }
    .into_any()
}

/// Files with a pending decision, one card each, at the top of the page.
fn waiting(
    l: Locale,
    page: &files::FilesPage,
    kept: Option<&FormErrors>,
    errors: RwSignal<Option<FormErrors>>,
) -> Option<AnyView> {
    if page.waiting.is_empty() {
        return None;
    }
    let cards = page
        .waiting
        .iter()
        .map(|waiting| {
            let id = waiting.file.id.to_string();
            let typed = kept.filter(|kept| kept.value("file") == Some(&id));
            let error = if typed.is_some() { field_error(l, errors, LABELS, "reason") } else { Signal::stored(None) };
            // The error summary links to the rejected form.
            let field = if typed.is_some() { "reason".to_owned() } else { format!("reason-{id}") };
            let typed = typed.and_then(|kept| kept.value("reason")).map(str::to_owned);
            let decision = page.is_open.then(|| decision(l, &id, field, typed, error));
            let (warnings, file) = (warnings(l, &waiting.warnings), link(l, &waiting.file));
            let (unseen, removal) = (unseen(l, waiting), removal(l, waiting, "button"));
            view! {
                <Card title=Line::content(&waiting.file.name) level=HeadingLevel::Three strong=true>
                    <div class="stack">
                        {warnings}
                        {unseen}
                        <ul class="files" role="list"><li>{file}</li></ul>
                        {removal}
                        {decision}
                    </div>
                </Card>
            }
        })
        .collect_view();
    Some(
        view! {
            <section class="stack" id="waiting">
                <h2>{text::files::waiting_title(l)}</h2>
                <p>{text::files::waiting_lead(l)}</p>
                {cards}
            </section>
        }
        .into_any(),
    )
}

/// Keeping a file in spite of a warning: below the safe choice, and less prominent.
fn decision(l: Locale, id: &str, field: String, typed: Option<String>, error: Signal<Option<String>>) -> AnyView {
    let id = id.to_owned();
    view! {
        <Form action="/api/files/keep" failed=text::frame::network_failed(l)>
            <input type="hidden" name="file" value=id/>
            <TextArea
                label=text::files::reason(l)
                name="reason"
                id=field
                value=typed
                hint=text::files::reason_hint(l)
                error=error
                rows=3
            />
            <div class="actions">
                <Button kind=ButtonKind::Quiet icon=IconName::Check>{text::files::keep(l)}</Button>
            </div>
        </Form>
    }
    .into_any()
}

fn removal(l: Locale, file: &DeskFile, class: &'static str) -> AnyView {
    let id = file.file.id.to_string();
    let label = text::files::remove_named(l, &file.file.name);
    view! {
        <form method="post" action="/api/files/remove">
            <input type="hidden" name="file" value=id/>
            <button class=class type="submit" aria-label=label>
                <Icon name=IconName::Bin/>
                <span>{text::files::remove(l)}</span>
            </button>
        </form>
    }
    .into_any()
}

fn files(l: Locale, page: &files::FilesPage) -> AnyView {
    if page.files.is_empty() {
        let shown = page.waiting.is_empty() && page.uploads.is_empty();
        let empty = shown.then(|| {
            view! { <EmptyState title=text::files::none_title(l) text=text::files::none(l) icon=IconName::Clip/> }
        });
        return empty.into_any();
    }
    let rows = page
        .files
        .iter()
        .map(|file| {
            let added = text::files::added(l, &file.added_by, l.date_time(file.added_at));
            let kept = file.kept.as_ref().map(|kept| {
                let told = text::files::kept(l, &kept.by, l.date_time(kept.at), &kept.reason);
                view! { <p class="muted small">{told}</p> }
            });
            let notes = notes(l, file).into_iter().map(|note| view! { <p class="muted small">{note}</p> }).collect_view();
            let removal = page.is_open.then(|| removal(l, file, "button button-quiet"));
            let unseen = unseen(l, file);
            view! {
                <li class="desk-file">
                    {link(l, &file.file)}
                    <div class="desk-file-notes">
                        <p class="muted small">{added}</p>
                        {kept}
                        {notes}
                        {unseen}
                    </div>
                    {removal}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="files" role="list" id="files">{rows}</ul> }.into_any()
}

/// Content the guard could not check, so that a person must.
fn unseen(l: Locale, file: &DeskFile) -> Option<AnyView> {
    let told = match file.coverage() {
        Coverage::Whole => return None,
        Coverage::Part => text::files::unseen_part(l),
        Coverage::Nothing => text::files::unseen(l),
    };
    Some(view! { <Notice kind=NoticeKind::Warn title=told/> }.into_any())
}

/// What could not be extracted from the file, in words.
fn notes(l: Locale, file: &DeskFile) -> Vec<&'static str> {
    let text = file.text_missing.map(|missing| match missing {
        Missing::Nothing => text::files::text_nothing(l),
        Missing::Protected => text::files::text_protected(l),
        Missing::Failed => text::files::text_failed(l),
        Missing::Part => text::files::text_part(l),
    });
    let preview = file.preview_missing.filter(|missing| *missing != Missing::Protected);
    let preview = preview.filter(|_| file.file.kind == FileKind::Pdf).map(|_| text::files::preview_failed(l));
    text.into_iter().chain(preview).collect()
}

fn uploads(l: Locale, page: &files::FilesPage) -> Option<AnyView> {
    if page.uploads.is_empty() {
        return None;
    }
    let rows = page.uploads.iter().map(|upload| row(l, upload)).collect_view();
    Some(
        view! {
            <section class="stack" id="uploads">
                <h2>{text::files::open_title(l)}</h2>
                <p class="muted">{text::files::open_lead(l)}</p>
                <ul class="files" role="list">{rows}</ul>
            </section>
        }
        .into_any(),
    )
}

fn row(l: Locale, upload: &OpenUpload) -> AnyView {
    let id = upload.id.to_string();
    let so_far = text::files::open_so_far(l, l.file_size(upload.received), l.file_size(upload.size));
    let finish = (upload.received == upload.size).then(|| {
        let id = id.clone();
        view! {
            <form method="post" action="/api/files/finish">
                <input type="hidden" name="upload" value=id/>
                <Button kind=ButtonKind::Secondary icon=IconName::Check>{text::files::finish(l)}</Button>
            </form>
        }
    });
    view! {
        <li class="desk-file">
            <bdi class="file-name" lang=content_lang()>{upload.name.clone()}</bdi>
            <Progress value=upload.received max=upload.size label=text::files::open_received(l) text=so_far/>
            {finish}
            <form method="post" action="/api/files/give_up">
                <input type="hidden" name="upload" value=id/>
                <Button kind=ButtonKind::Quiet icon=IconName::Close>{text::files::give_up(l)}</Button>
            </form>
        </li>
    }
    .into_any()
}

/// A plain form that the script enhances. The document field precedes the file, which is processed as a stream.
fn form(l: Locale, page: &files::FilesPage, refused: Option<FileRefused>) -> AnyView {
    let document = page.document.to_string();
    let key = document.clone();
    let error = Signal::stored(refused.map(|refused| refused_text(l, refused).to_owned()));
    view! {
        <Card title=text::files::add_title(l)>
            <form
                class="form drop"
                method="post"
                action="/files/upload"
                enctype="multipart/form-data"
                novalidate=true
                data-files=key
                data-max=FILE_BYTES_MAX.to_string()
                data-drop=text::files::drop(l)
                data-sending=text::files::sending(l, "{name}")
                data-checking=text::files::checking(l, "{name}")
                data-done=text::files::done(l, "{name}")
                data-decide=text::files::decide(l, "{name}")
                data-offline=text::files::offline(l)
                data-failed=text::files::failed(l, "{name}")
                data-stop=text::files::stop(l)
                data-empty=refused_text(l, FileRefused::Empty)
                data-too-big=refused_text(l, FileRefused::TooBig)
            >
                <input type="hidden" name="document" value=document/>
                <FileField label=text::files::file(l) name="file" accept=ACCEPT choose=text::files::choose(l) hint=text::files::file_hint(l) error/>
                <div class="actions">
                    <Button wide=true icon=IconName::Upload>{text::files::upload(l)}</Button>
                </div>
                <ul class="files" role="list" data-sent="" hidden=true></ul>
                <p class="visually-hidden" role="status" data-said=""></p>
            </form>
        </Card>
    }
    .into_any()
}
