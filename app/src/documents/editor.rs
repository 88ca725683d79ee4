//! What the pages of one draft are made of: the form, the particulars, the phone preview.

use domain::{
    Locale,
    documents::{Body, DocumentKind, DraftPage},
    forms::FormErrors,
    units::UnitRef,
};
use leptos::prelude::*;

use crate::{
    i18n::use_locale,
    terms::{self, field_error},
    text,
    ui::{Button, Choice, DescriptionList, Fact, Field, Form, IconName, Select, TextArea},
};

/// The form of a draft. Holds what was typed before where it comes back without script.
#[component]
pub(super) fn Editor(page: DraftPage, echo: Option<FormErrors>, errors: RwSignal<Option<FormErrors>>) -> impl IntoView {
    let l = use_locale();
    let DraftPage { draft, issuers, audiences, .. } = page;
    let typed =
        move |field: &str, stored: String| echo.as_ref().and_then(|echo| echo.value(field)).map_or(stored, ToOwned::to_owned);
    let error = move |field: &'static str| field_error(l, errors, field);
    // After somebody else's save the answer names the version this form goes on from.
    let stored_version = draft.version.to_string();
    let version = move || {
        errors.with(|errors| errors.as_ref().and_then(|errors| errors.value("version")).unwrap_or(&stored_version).to_owned())
    };
    let kinds = DocumentKind::ALL.map(|kind| Choice::new(kind.key(), terms::document_kind(l, kind))).to_vec();
    let body = typed("body", draft.body);
    let counts = RwSignal::new(counts(&body));
    let counter = move || {
        let (words, characters) = counts.get();
        text::desk::counter(l, l.number(words), l.number(characters), l.number(Body::MAX))
    };
    view! {
        <Form action="/api/documents/save_draft" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="id" value=typed("id", draft.id.to_string())/>
            <input type="hidden" name="version" value=version/>
            <Field
                label=text::desk::title(l)
                name="title"
                value=typed("title", draft.title)
                hint=text::desk::title_hint(l)
                error=error("title")
                required=true
            />
            <div class="columns">
                <Select
                    label=text::desk::kind(l)
                    name="kind"
                    choices=kinds
                    value=typed("kind", draft.kind.key().to_owned())
                    error=error("kind")
                />
                <Field
                    label=text::desk::number(l)
                    name="number"
                    note=text::frame::optional(l)
                    value=typed("number", draft.number)
                    error=error("number")
                    autocomplete="off"
                />
            </div>
            <Select
                label=text::desk::issuer(l)
                name="issuer"
                choices=choices(issuers)
                value=typed("issuer", draft.issuer.id.to_string())
                error=error("issuer")
            />
            <Select
                label=text::desk::audience(l)
                name="audience"
                choices=choices(audiences)
                value=typed("audience", draft.audience.id.to_string())
                hint=text::desk::audience_hint(l)
                error=error("audience")
            />
            <div class="stack-tight" on:input=move |event| counts.set(self::counts(&event_target_value(&event)))>
                <TextArea
                    label=text::desk::body(l)
                    name="body"
                    value=body
                    hint=text::desk::body_hint(l)
                    error=error("body")
                    rows=18
                    required=true
                />
                <p class="muted small">{counter}</p>
            </div>
            <div class="actions">
                <Button icon=IconName::Eye wide=true>{text::desk::save(l)}</Button>
            </div>
        </Form>
    }
}

/// What goes out, from whom and to whom.
pub(super) fn particulars(l: Locale, page: &DraftPage) -> AnyView {
    let reach = reach(l, page);
    let draft = page.draft.clone();
    let number = (!draft.number.is_empty()).then(|| view! { <Fact label=text::desk::number(l)>{draft.number}</Fact> });
    view! {
        <DescriptionList>
            <Fact label=text::desk::title(l)>{draft.title}</Fact>
            <Fact label=text::desk::kind(l)>{terms::document_kind(l, draft.kind)}</Fact>
            {number}
            <Fact label=text::desk::issuer(l)>{draft.issuer.name}</Fact>
            <Fact label=text::desk::audience(l)>{draft.audience.name}</Fact>
            <Fact label=text::desk::reach_label(l)>
                <strong>{reach}</strong>
            </Fact>
        </DescriptionList>
    }
    .into_any()
}

/// Whom the saved draft would reach: all that the form beside it does not say.
pub(super) fn destination(l: Locale, page: &DraftPage) -> AnyView {
    let reach = reach(l, page);
    let audience = page.draft.audience.name.clone();
    view! {
        <DescriptionList>
            <Fact label=text::desk::audience(l)>{audience}</Fact>
            <Fact label=text::desk::reach_label(l)>
                <strong>{reach}</strong>
            </Fact>
        </DescriptionList>
    }
    .into_any()
}

/// The saved text as a reader will see it.
pub(super) fn phone_preview(l: Locale, page: &DraftPage) -> AnyView {
    let label = text::desk::preview(l);
    let draft = &page.draft;
    let number = (!draft.number.is_empty()).then(|| text::documents::number(l, &draft.number));
    view! {
        <div class="stack-tight">
            <p class="muted small">{label}</p>
            // Scrolls by itself, so the keyboard must be able to reach it.
            <div class="phone-preview" role="region" aria-label=label tabindex="0">
                <div class="document">
                    <div class="document-head">
                        <p class="eyebrow">{terms::document_kind(l, draft.kind)}</p>
                        <p class="greeting">{draft.title.clone()}</p>
                        {number.map(|number| view! { <p class="document-number">{number}</p> })}
                    </div>
                    <div class="prose" inner_html=page.preview.clone()></div>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// "2.514 members in 89 branches".
fn reach(l: Locale, page: &DraftPage) -> String {
    let (members, branches) = (text::desk::members(l, page.members.into()), text::desk::branches(l, page.branches.into()));
    text::desk::reach(l, members, branches)
}

/// Units to choose from, each set in under the one it belongs to.
fn choices(units: Vec<UnitRef>) -> Vec<Choice> {
    let depth = |unit: &UnitRef| unit.path.ancestors_and_self().count();
    let top = units.iter().map(depth).min().unwrap_or_default();
    units
        .into_iter()
        .map(|unit| {
            // Browsers drop ordinary spaces at the start of an option.
            let label = "\u{2003}".repeat(depth(&unit) - top) + &unit.name;
            Choice::new(unit.id.to_string(), label)
        })
        .collect()
}

/// Words and characters.
fn counts(text: &str) -> (u32, u32) {
    let bounded = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (bounded(text.split_whitespace().count()), bounded(text.chars().count()))
}
