//! Around the text of a draft: the toolbar, unsaved input, concurrent editors, and the import of a file.
//!
//! Elements filled by the script have `data-part`; those that need it are hidden until it is loaded (`scripts/desk.js`).

use domain::{
    Locale,
    difference::DiffPiece,
    documents::{Body, desk::DocumentDraft},
    forms::{FormErrors, Problem},
    ids::DocumentId,
    writing::{Unsaved, Writing},
};
use leptos::{prelude::*, serde_json::json};

use super::{difference::difference, editor::Differing};
use crate::{
    context::use_viewer,
    i18n::use_locale,
    terms::{Labels, all_errors, field_error},
    text,
    ui::{
        Button, ButtonKind, Card, Choice, DescriptionList, ErrorSummary, Fact, FileField, Form, Icon, IconName, LinkButton,
        Notice, NoticeKind, RadioGroup, TextArea, content_lang,
    },
};

/// A tool: its label, its key in the script, and its shortcut as `aria-keyshortcuts` writes it.
type Tool = (fn(Locale) -> &'static str, &'static str, &'static str);

const TOOLS: [Tool; 10] = [
    (text::writing::heading, "heading", "Control+Alt+2"),
    (text::writing::subheading, "subheading", "Control+Alt+3"),
    (text::writing::bold, "bold", "Control+B"),
    (text::writing::italic, "italic", "Control+I"),
    (text::writing::bullets, "bullets", "Control+Shift+8"),
    (text::writing::numbers, "numbers", "Control+Shift+7"),
    (text::writing::quote, "quote", "Control+Shift+9"),
    (text::writing::link, "link", "Control+K"),
    (text::writing::table, "table", "Control+Alt+T"),
    (text::writing::footnote, "footnote", "Control+Alt+F"),
];

/// The text field of a draft.
#[component]
pub(super) fn WritingField(value: String, error: Signal<Option<String>>) -> impl IntoView {
    let l = use_locale();
    let owner = use_viewer().map(|viewer| viewer.member.to_string());
    let count = count(l, &value);
    view! {
        <div
            class="stack-tight"
            data-writing=""
            data-owner=owner
            data-max=Body::MAX.to_string()
            data-texts=texts(l)
        >
            <TextArea
                label=text::desk::body(l)
                name="body"
                value
                hint=text::desk::body_hint(l)
                error
                rows=18
                required=true
                tools=tools(l)
            />
            <p class="muted small" data-part="count">{count}</p>
            <details class="more-fields">
                <summary>{text::desk::body_signs_title(l)}</summary>
                <p class="muted">{text::desk::body_signs(l)}</p>
            </details>
        </div>
    }
}

fn tools(l: Locale) -> AnyView {
    let buttons = TOOLS.map(|(label, tool, keys)| {
        let label = label(l);
        let title = text::writing::with_keys(l, label, keys.replace("Control", "Ctrl"));
        view! {
            <button type="button" class="tool" data-do=tool aria-keyshortcuts=keys title=title>{label}</button>
        }
    });
    view! {
        <div class="tools" role="toolbar" aria-label=text::writing::tools(l) aria-controls="body" hidden=true>
            {buttons.into_iter().collect_view()}
            <button type="button" class="tool" data-do="rich" aria-pressed="true" title=text::writing::rich_hint(l)>
                {text::writing::rich(l)}
            </button>
        </div>
    }
    .into_any()
}

fn count(l: Locale, text: &str) -> String {
    let characters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    text::writing::count_words(l, l.number(domain::writing::words(text)), l.number(characters), l.number(Body::MAX))
}

/// Texts for the script. Placeholders that the script fills are kept.
fn texts(l: Locale) -> String {
    json!({
        "bold": text::writing::sample_bold(l),
        "italic": text::writing::sample_italic(l),
        "link": text::writing::sample_link(l),
        "column": text::writing::sample_column(l),
        "kept_here": text::writing::kept_here(l, "{time}"),
        "kept": text::writing::kept(l, "{time}"),
        "only_here": text::writing::only_here(l, "{why}"),
        "not_kept": text::writing::not_kept(l, "{why}"),
        "converting": text::writing::converting(l),
        "converted": text::writing::converted(l),
        "not_converted": text::writing::not_converted(l),
        "count": text::writing::count(l, "{words}", "{characters}", "{max}", "{minutes}"),
        "count_words": text::writing::count_words(l, "{words}", "{characters}", "{max}"),
    })
    .to_string()
}

/// Puts unsaved input into the form.
pub(super) fn resume(draft: &mut DocumentDraft, unsaved: &Unsaved) {
    draft.id = unsaved.document;
    draft.version = unsaved.version;
    draft.title.clone_from(&unsaved.title);
    draft.body.clone_from(&unsaved.body);
}

/// Unsaved input, and concurrent editors. `resumed` is the input that is in the form now.
pub(super) fn notices(l: Locale, writing: &Writing, is_new: bool, resumed: Option<&Unsaved>) -> AnyView {
    let unsaved = match resumed {
        Some(unsaved) => Some(in_the_form(l, unsaved, is_new)),
        None if is_new => unfinished(l, &writing.unsaved),
        None => writing.unsaved.first().map(|unsaved| offered(l, unsaved)),
    };
    view! { {unsaved} {here(l)} {others(l, &writing.others)} {newer(l)} }.into_any()
}

fn in_the_form(l: Locale, unsaved: &Unsaved, is_new: bool) -> AnyView {
    let forget = forget(l, unsaved, if is_new { "new" } else { "" });
    view! {
        <Notice title=text::writing::resumed(l, l.date_time(unsaved.at)) icon=IconName::Clock>
            <p>{text::writing::resumed_hint(l)}</p>
            <div class="actions">{forget}</div>
        </Notice>
    }
    .into_any()
}

fn offered(l: Locale, unsaved: &Unsaved) -> AnyView {
    let href = format!("/desk/{}?resume=1", unsaved.document);
    let forget = forget(l, unsaved, "");
    view! {
        <Notice kind=NoticeKind::Warn title=text::writing::unsaved(l, l.date_time(unsaved.at)) icon=IconName::Clock>
            <p>{text::writing::unsaved_hint(l)}</p>
            <div class="actions">
                <LinkButton href kind=ButtonKind::Secondary>{text::writing::use_it(l)}</LinkButton>
                {forget}
            </div>
        </Notice>
    }
    .into_any()
}

/// Documents that were never saved, each with a link to continue.
fn unfinished(l: Locale, unsaved: &[Unsaved]) -> Option<AnyView> {
    let rows = unsaved.iter().map(|unsaved| {
        let title = if unsaved.title.trim().is_empty() { text::writing::untitled(l) } else { unsaved.title.as_str() };
        let href = format!("/desk/new?resume={}", unsaved.document);
        view! {
            <li>
                <p>{text::writing::unfinished_item(l, title, l.date_time(unsaved.at))}</p>
                <div class="actions">
                    <LinkButton href kind=ButtonKind::Secondary>{text::writing::use_it(l)}</LinkButton>
                    {forget(l, unsaved, "new")}
                </div>
            </li>
        }
    });
    let rows = rows.collect_view();
    (!unsaved.is_empty()).then(|| {
        view! {
            <Notice kind=NoticeKind::Warn title=text::writing::unfinished(l) icon=IconName::Clock>
                <ul class="stack unfinished" role="list">{rows}</ul>
            </Notice>
        }
        .into_any()
    })
}

/// The form that discards unsaved input; `from` is the page it is on, as in `forget_typed`.
pub(super) fn forget(l: Locale, unsaved: &Unsaved, from: &'static str) -> AnyView {
    let id = unsaved.document.to_string();
    view! {
        <Form action="/api/documents/forget_typed" failed=text::frame::network_failed(l)>
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="from" value=from/>
            <Button kind=ButtonKind::Quiet>{text::writing::forget(l)}</Button>
        </Form>
    }
    .into_any()
}

/// Input kept by the device; the script shows it when it is newer than the server's.
fn here(l: Locale) -> AnyView {
    let title = with_place(&text::writing::here(l, PLACE), view! { <span data-time=""></span> }.into_any());
    view! {
        <div class="notice notice-warn" data-part="here" hidden=true>
            <Icon name=IconName::Clock/>
            <div class="notice-body">
                <p class="notice-title">{title}</p>
                <div class="actions">
                    <Button kind=ButtonKind::Secondary button_type="button" value="use">{text::writing::use_it(l)}</Button>
                    <Button kind=ButtonKind::Quiet button_type="button" value="forget">{text::writing::forget(l)}</Button>
                </div>
            </div>
        </div>
    }
    .into_any()
}

fn others(l: Locale, names: &[String]) -> AnyView {
    let title = with_place(
        &text::writing::others(l, PLACE),
        view! { <span data-names="" lang=content_lang() translate="no">{names.join(", ")}</span> }.into_any(),
    );
    view! {
        <div class="notice notice-warn" role="status" data-part="others" hidden=names.is_empty()>
            <Icon name=IconName::People/>
            <div class="notice-body">
                <p class="notice-title">{title}</p>
                <p>{text::writing::others_hint(l)}</p>
            </div>
        </div>
    }
    .into_any()
}

fn newer(l: Locale) -> AnyView {
    view! {
        <div class="notice notice-warn" role="status" data-part="newer" hidden=true>
            <Icon name=IconName::Warning/>
            <div class="notice-body">
                <p class="notice-title">{text::writing::newer(l)}</p>
                <p>{text::writing::newer_hint(l)}</p>
            </div>
        </div>
    }
    .into_any()
}

/// Placeholder of a value that the script fills in.
const PLACE: &str = "\u{1}";

fn with_place(sentence: &str, place: AnyView) -> AnyView {
    let (before, after) = sentence.split_once(PLACE).unwrap_or((sentence, ""));
    view! { {before.to_owned()} {place} {after.to_owned()} }.into_any()
}

/// The typed text of a form that was rejected because somebody saved meanwhile.
pub(super) fn stale(echo: Option<&FormErrors>) -> Option<String> {
    let echo = echo.filter(|echo| echo.problem("body") == Some(&Problem::Stale))?;
    echo.value("body").map(str::to_owned)
}

/// Notice that the input could not be saved in place, and where it was stored.
pub(super) fn kept_apart(l: Locale, kept: DocumentId) -> AnyView {
    view! {
        <Notice kind=NoticeKind::Warn title=text::writing::too_late(l) icon=IconName::Clock>
            <p>{text::writing::too_late_hint(l)}</p>
            <p><a href=format!("/desk/new?resume={kept}")>{text::writing::too_late_open(l)}</a></p>
        </Notice>
    }
    .into_any()
}

/// The stored values beside the typed ones: the text, and the particulars that differ.
pub(super) fn conflict(l: Locale, pieces: Vec<DiffPiece>, differing: &[Differing]) -> AnyView {
    let fact = |Differing { label, stored, typed }: &Differing| {
        let label = *label;
        let both = [(text::writing::stored_name(l), stored), (text::writing::typed_name(l), typed)];
        let both =
            both.map(|(name, value)| view! { <p><span class="muted">{format!("{name}: ")}</span>{value.clone().show()}</p> });
        view! { <Fact label>{both.into_iter().collect_view()}</Fact> }.into_any()
    };
    let facts: Vec<AnyView> = differing.iter().map(fact).collect();
    let particulars = (!facts.is_empty()).then(|| view! { <DescriptionList>{facts}</DescriptionList> });
    let differs = difference(l, pieces, text::writing::stored_name(l), text::writing::typed_name(l));
    view! {
        <Card title=text::writing::conflict(l) strong=true>
            <div class="stack">
                <p>{text::writing::conflict_hint(l)}</p>
                {particulars}
                {differs}
            </div>
        </Card>
    }
    .into_any()
}

const DOCX_LABELS: Labels = &[("mode", text::writing::docx_mode), ("file", text::writing::docx_file)];

const DOCX: &str = ".docx,application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// Import of a DOCX file. Without script the browser posts the form; with script the text is inserted at the cursor.
pub(super) fn docx_card(l: Locale, draft: &DocumentDraft, echo: Option<FormErrors>) -> AnyView {
    let mode = echo.as_ref().and_then(|echo| echo.value("mode")).unwrap_or_default().to_owned();
    let errors = RwSignal::new(echo);
    let modes =
        vec![Choice::new("append", text::writing::docx_append(l)), Choice::new("replace", text::writing::docx_replace(l))];
    let (action, version) = (format!("/desk/{}/docx", draft.id), draft.version.to_string());
    let question = (!draft.body.is_empty()).then(|| {
        view! {
            <RadioGroup
                legend=text::writing::docx_mode(l)
                name="mode"
                choices=modes
                value=mode
                error=field_error(l, errors, DOCX_LABELS, "mode")
            />
        }
    });
    view! {
        <Card title=text::writing::docx(l)>
            <div class="stack">
                <p class="muted small">{text::writing::docx_lead(l)}</p>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, DOCX_LABELS)/>
                <form
                    class="form"
                    method="post"
                    action=action
                    enctype="multipart/form-data"
                    novalidate=true
                    data-part="docx"
                >
                    <input type="hidden" name="version" value=version/>
                    {question}
                    <FileField
                        choose=text::files::choose(l)
                        label=text::writing::docx_file(l)
                        name="file"
                        accept=DOCX
                        hint=text::writing::docx_hint(l)
                        error=field_error(l, errors, DOCX_LABELS, "file")
                    />
                    <Button kind=ButtonKind::Secondary icon=IconName::Upload wide=true>{text::writing::docx_take(l)}</Button>
                </form>
                <p class="small" role="status" data-part="docx-status"></p>
            </div>
        </Card>
    }
    .into_any()
}
