//! Parts of the pages of a draft: the form, the particulars, the phone preview.

use domain::{
    Locale,
    documents::{
        DocumentField, DocumentKind,
        desk::{DocumentDraft, DraftPage, NUMBER_HOLDER, NUMBER_HOLDER_TITLE, PartChoices},
    },
    forms::{self, FormErrors},
    ids::DocumentId,
    units::{PickPurpose, UnitKind, UnitRef},
};
use leptos::prelude::*;

use super::{
    particulars::{LABELS, PARTICULARS, Particular, stored},
    writing::WritingField,
};
use crate::{
    i18n::use_locale,
    terms::{self, field_error},
    text,
    ui::{
        Button, ButtonKind, CheckGroup, Choice, DescriptionList, Fact, Field, FieldKind, Form, IconName, Line, Notice, Select,
        TextArea, Whose, content_lang,
    },
    units::picker::{PickerWords, Picking, picker},
};

/// A particular whose stored and typed values differ, in words.
pub(super) struct Differing {
    pub(super) label: &'static str,
    pub(super) stored: Line,
    pub(super) typed: Line,
}

/// The form of a draft. Contains the typed values after a rejection without script.
#[component]
pub(super) fn Editor(page: DraftPage, echo: Option<FormErrors>, errors: RwSignal<Option<FormErrors>>) -> impl IntoView {
    let l = use_locale();
    let told_reach = match page.parts.reach {
        Some(picked) => Some((text::desk::reach_now(l, terms::reach(l, picked)), picked)),
        None => (page.draft.version > 0).then(|| (text::desk::reach_saved(l, terms::reach(l, page.reach)), page.reach)),
    };
    let told_reach = told_reach.map(|(told, reach)| {
        let hint = terms::reach_hint(l, reach).map(|hint| view! { <p class="small">{hint}</p> });
        view! {
            <p class="small muted">{told}</p>
            {hint}
        }
    });
    let DraftPage { draft, issuers, audiences, audience_members, parts, .. } = page;
    let saved = (draft.version > 0).then(|| text::desk::saved_at(l, l.date_time(draft.saved_at)));
    let status = draft.status;
    let stored_version = draft.version.to_string();
    let typed = move |control: &str| {
        let back = echo.as_ref().and_then(|echo| echo.value(control));
        back.map_or_else(|| stored(&draft, control), ToOwned::to_owned)
    };
    let error = move |field: &'static str| field_error(l, errors, LABELS, field);
    // After a concurrent save the response contains the version this form is now based on.
    let version = move || {
        errors.with(|errors| errors.as_ref().and_then(|errors| errors.value("version")).unwrap_or(&stored_version).to_owned())
    };
    let rest = rest(l, &typed, errors, issuers);
    let parts = parts_picker(l, &typed, errors, parts);
    let audience = view! {
        <div
            class="stack-tight"
            data-part="audience"
            data-find=text::desk::audience_find(l)
            data-reach="/api/documents/reach"
            data-fields="audience standings parts[] except[]"
        >
            <Select
                label=text::desk::audience(l)
                name="audience"
                choices=counted_choices(l, audiences, &audience_members)
                value=typed("audience")
                hint=text::desk::audience_hint(l)
                error=error("audience")
            />
            {told_reach}
            {parts}
            <p class="small" role="status" data-part="reach"></p>
        </div>
    };
    let correction = status.out.is_some().then(|| {
        let label = if status.comes_back() { text::desk::correction_back(l) } else { text::desk::correction(l) };
        view! {
            <TextArea
                label
                name="correction"
                value=typed("correction")
                hint=text::desk::correction_hint(l)
                error=error("correction")
                rows=2
                required=true
            />
        }
    });
    let body = typed("body");
    view! {
        <Form action="/api/documents/save_draft" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="id" value=typed("id")/>
            <input type="hidden" name="version" value=version/>
            <Field
                label=text::desk::title(l)
                name="title"
                value=typed("title")
                hint=text::desk::title_hint(l)
                error=error("title")
                required=true
            />
            <WritingField value=body error=error("body")/>
            {audience}
            {correction}
            {rest}
            <div class="save-bar">
                <p class="small muted" role="status" data-part="status">{saved}</p>
                <div class="actions">
                    <Button icon=IconName::Check>{text::desk::save(l)}</Button>
                    <Button kind=ButtonKind::Secondary icon=IconName::Send name="then" value="review">
                        {text::desk::save_and_submit(l)}
                    </Button>
                </div>
            </div>
        </Form>
    }
}

/// The document that already has the typed number, with a link.
pub(super) fn number_holder(l: Locale, echo: Option<&FormErrors>) -> Option<AnyView> {
    let id = echo?.value(NUMBER_HOLDER)?.parse::<DocumentId>().ok()?;
    let title = echo?.value(NUMBER_HOLDER_TITLE).unwrap_or_default().to_owned();
    let holder = view! {
        <Notice title=text::desk::number_holder(l)>
            <p><a href=format!("/desk/{id}") lang=content_lang()>{title}</a></p>
        </Notice>
    };
    Some(holder.into_any())
}

/// Particulars whose stored and typed values differ.
///
/// A save writes all of them: an editor who saves after somebody else must see what would be undone, above all the audience.
pub(super) fn differing(l: Locale, page: &DraftPage, typed: &FormErrors) -> Vec<Differing> {
    let named = |units: &[UnitRef], id: &str| {
        units.iter().find(|unit| unit.id.to_string() == id).map_or_else(|| id.to_owned(), |unit| unit.name.clone())
    };
    let chosen = |choices: &[Choice], value: &str| {
        choices.iter().find(|choice| choice.value == value).map_or_else(|| value.to_owned(), |choice| choice.label.clone())
    };
    let part = |value: &str| match UnitKind::from_key(value) {
        Some(level) => terms::short_unit_kind(l, level).to_owned(),
        None => {
            let known = page.parts.selected.iter().find(|choice| choice.unit.id.to_string() == value);
            known.map_or_else(|| value.to_owned(), |choice| choice.unit.name.clone())
        }
    };
    let words = |one: &Particular, value: &str| match one.control {
        _ if value.is_empty() && one.control != "standings" => "–".to_owned(),
        _ if one.is_day() => value.parse().map_or_else(|_| value.to_owned(), |day| l.date(day)),
        "kind" => chosen(&kinds(l), value),
        "field" => chosen(&fields(l), value),
        "issuer" => named(&page.issuers, value),
        "audience" => named(&page.audiences, value),
        "parts" | "except" => value.split(' ').map(part).collect::<Vec<_>>().join(", "),
        "standings" => chosen(&whom(l), value),
        "pinned" => text::desk::pinned(l).to_owned(),
        _ => value.to_owned(),
    };
    let differs = |one: &Particular| {
        let (stored, typed) = (one.held(&page.draft), typed.value(one.control).unwrap_or_default().trim());
        // A date has several spellings.
        let day = if one.is_day() { forms::day(typed).ok() } else { None };
        let typed = day.map_or_else(|| typed.to_owned(), |day| day.to_string());
        let line = |value: &str| Line::of(one.whose(), words(one, value));
        (typed != stored).then(|| Differing { label: (one.label)(l), stored: line(&stored), typed: line(&typed) })
    };
    PARTICULARS.iter().filter_map(differs).collect()
}

fn kinds(l: Locale) -> Vec<Choice> {
    DocumentKind::ALL.map(|kind| Choice::new(kind.key(), terms::document_kind(l, kind))).to_vec()
}

fn fields(l: Locale) -> Vec<Choice> {
    let none = Choice::new("", text::desk::no_field(l));
    let all = DocumentField::ALL.map(|field| Choice::new(field.key(), terms::document_field(l, field)));
    [none].into_iter().chain(all).collect()
}

pub(super) fn whom(l: Locale) -> Vec<Choice> {
    vec![
        Choice::new("", text::desk::standings_all(l)),
        Choice::new("official,probationary", text::desk::standings_active(l)),
        Choice::new("official", text::desk::standings_official(l)),
        Choice::new("probationary", text::desk::standings_probationary(l)),
    ]
}

/// Choice of the units that the audience is limited to or leaves out.
fn parts_picker(
    l: Locale,
    typed: &impl Fn(&str) -> String,
    errors: RwSignal<Option<FormErrors>>,
    choices: PartChoices,
) -> Option<AnyView> {
    let words = PickerWords {
        summary: text::desk::parts_summary(l),
        hint: text::desk::parts_hint(l),
        only: text::desk::parts(l),
        all: text::desk::parts_all(l),
        pick: text::desk::parts_pick(l),
    };
    let picking = Picking {
        purpose: PickPurpose::Document,
        within: "audience",
        choices,
        parts: typed("parts"),
        except: typed("except"),
        find: typed("find"),
        parts_error: field_error(l, errors, LABELS, "parts"),
        except_error: field_error(l, errors, LABELS, "except"),
    };
    picker(l, words, picking)
}

/// Controls outside the collapsible section.
const OUTSIDE: [&str; 6] = ["title", "body", "audience", "parts", "except", "correction"];

/// Controls in the section that most documents use: they do not expand it.
const USUAL: [&str; 3] = ["kind", "issuer", "field"];

/// All particulars but the audience, collapsed unless a rarely used one is set or one has a problem.
fn rest(l: Locale, typed: &impl Fn(&str) -> String, errors: RwSignal<Option<FormErrors>>, issuers: Vec<UnitRef>) -> AnyView {
    let is_pinned = !typed("pinned").is_empty();
    let folded = PARTICULARS.iter().map(|one| one.control).filter(|control| !OUTSIDE.contains(control));
    let is_used = folded.filter(|control| !USUAL.contains(control)).any(|control| !typed(control).is_empty());
    let is_wrong = errors.with_untracked(|errors| {
        errors.as_ref().is_some_and(|errors| errors.problems.iter().any(|found| !OUTSIDE.contains(&found.field.as_str())))
    });
    let kept = kept_particulars(l, typed, errors, issuers);
    let error = |field: &'static str| field_error(l, errors, LABELS, field);
    let labels =
        [("supersedes", text::desk::supersedes(l)), ("amends", text::desk::amends(l)), ("guides", text::desk::guides(l))];
    let related = labels.map(|(name, label)| {
        let value = typed(name);
        view! { <Field label name value hint=text::desk::numbers_hint(l) error=error(name) autocomplete="off"/> }
    });
    let pinned = if is_pinned { vec!["yes".to_owned()] } else { Vec::new() };
    let pin = vec![Choice::new("yes", text::desk::pinned(l))];
    view! {
        <details class="more-fields" open=is_used || is_wrong>
            <summary>{text::desk::more(l)}</summary>
            <div class="stack">
                {kept}
                <Select
                    label=text::desk::standings(l)
                    name="standings"
                    choices=whom(l)
                    value=typed("standings")
                    error=error("standings")
                />
                <Field
                    label=text::desk::signer(l)
                    name="signer"
                    value=typed("signer")
                    hint=text::desk::signer_hint(l)
                    error=error("signer")
                />
                <div class="columns">
                    <Field
                        label=text::desk::must_read_by(l)
                        name="must_read_by"
                        kind=FieldKind::Date
                        value=typed("must_read_by")
                        hint=text::desk::must_read_hint(l)
                        error=error("must_read_by")
                    />
                    <Field
                        label=text::desk::expires_on(l)
                        name="expires_on"
                        kind=FieldKind::Date
                        value=typed("expires_on")
                        hint=text::desk::expires_hint(l)
                        error=error("expires_on")
                    />
                </div>
                <CheckGroup legend=text::desk::place_in_library(l) name="pinned" choices=pin checked=pinned/>
                {related}
            </div>
        </details>
    }
    .into_any()
}

/// Particulars of every document: kind, issuer, and for most a number.
fn kept_particulars(
    l: Locale,
    typed: &impl Fn(&str) -> String,
    errors: RwSignal<Option<FormErrors>>,
    issuers: Vec<UnitRef>,
) -> AnyView {
    let error = |field: &'static str| field_error(l, errors, LABELS, field);
    view! {
        <div class="columns">
            <Select label=text::desk::kind(l) name="kind" choices=kinds(l) value=typed("kind") error=error("kind")/>
            <Field
                label=text::desk::number(l)
                name="number"
                note=text::frame::optional(l)
                value=typed("number")
                error=error("number")
                autocomplete="off"
            />
        </div>
        <Select
            label=text::desk::issuer(l)
            name="issuer"
            choices=choices(issuers)
            value=typed("issuer")
            error=error("issuer")
        />
        <Select label=text::desk::field(l) name="field" choices=fields(l) value=typed("field") error=error("field")/>
    }
    .into_any()
}

/// The particulars of a publication: title, issuer, audience.
pub(super) fn particulars(l: Locale, page: &DraftPage) -> AnyView {
    let reach = terms::reach(l, page.reach);
    let draft = page.draft.clone();
    let number =
        (!draft.number.is_empty()).then(|| view! { <Fact label=text::desk::number(l) whose=Whose::Name>{draft.number}</Fact> });
    let whom = terms::audience(l, &draft.audience, &draft.parts, &draft.except).show();
    view! {
        <DescriptionList>
            <Fact label=text::desk::title(l) whose=Whose::Content>{draft.title}</Fact>
            <Fact label=text::desk::kind(l)>{terms::document_kind(l, draft.kind)}</Fact>
            {number}
            <Fact label=text::desk::issuer(l) whose=Whose::Name>{draft.issuer.name}</Fact>
            <Fact label=text::desk::audience(l)>{whom}</Fact>
            <Fact label=text::desk::reach_label(l)>
                <strong>{reach}</strong>
            </Fact>
        </DescriptionList>
    }
    .into_any()
}

/// The audience of the saved draft: what the form beside it does not show.
pub(super) fn destination(l: Locale, page: &DraftPage) -> AnyView {
    let reach = terms::reach(l, page.reach);
    let whom = terms::audience(l, &page.draft.audience, &page.draft.parts, &page.draft.except).show();
    view! {
        <DescriptionList>
            <Fact label=text::desk::audience(l)>{whom}</Fact>
            <Fact label=text::desk::reach_label(l)>
                <strong>{reach}</strong>
            </Fact>
        </DescriptionList>
    }
    .into_any()
}

/// The saved text as readers will see it.
pub(super) fn phone_preview(l: Locale, page: &DraftPage) -> AnyView {
    preview(l, &page.draft, &page.preview)
}

pub(super) fn preview(l: Locale, draft: &DocumentDraft, html: &str) -> AnyView {
    let label = text::desk::preview(l);
    let number = (!draft.number.is_empty()).then(|| text::documents::number(l, &draft.number));
    view! {
        <div class="stack-tight">
            <p class="muted small">{label}</p>
            // A scroll container must be focusable for keyboard users.
            <div class="phone-preview" role="region" aria-label=label tabindex="0">
                <div class="document">
                    <div class="document-head">
                        <p class="eyebrow">{terms::document_kind(l, draft.kind)}</p>
                        <p class="preview-title" lang=content_lang()>{draft.title.clone()}</p>
                        {number.map(|number| view! { <p class="document-number" translate="no">{number}</p> })}
                    </div>
                    <div class="prose" lang=content_lang() inner_html=html.to_owned()></div>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// Units to choose from, with the number of members each reaches unless it is hidden.
fn counted_choices(l: Locale, units: Vec<UnitRef>, members: &[Option<u32>]) -> Vec<Choice> {
    let counted = |(choice, members): (Choice, &Option<u32>)| {
        let Some(members) = members else { return choice };
        let label = text::desk::audience_choice(l, &choice.label, text::desk::members(l, (*members).into()));
        // An option cannot contain elements, so all of it is in the language of the name.
        Choice::name(choice.value, label)
    };
    choices(units).into_iter().zip(members).map(counted).collect()
}

/// Units to choose from, indented by level.
fn choices(units: Vec<UnitRef>) -> Vec<Choice> {
    let depth = |unit: &UnitRef| unit.path.ancestors_and_self().count();
    let top = units.iter().map(depth).min().unwrap_or_default();
    units
        .into_iter()
        .map(|unit| {
            // Browsers drop leading ASCII spaces in an option.
            let label = "\u{2003}".repeat(depth(&unit) - top) + &unit.name;
            Choice::name(unit.id.to_string(), label)
        })
        .collect()
}
