//! Text controls with label, hint and message, and the error summary.
//!
//! A control keeps its typed value: neither hydration nor a message about another field changes it.

use chrono::NaiveDate;
use leptos::prelude::*;

use super::{
    MaybeText,
    icon::{Icon, IconName},
};
use crate::{i18n::use_locale, text};

/// Type of an `<input>`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FieldKind {
    #[default]
    Text,
    /// A date as people write it, `21/11/2026`; its weekday is shown below.
    Date,
    /// A date and a time, `21/11/2026 07:30`; otherwise as [`Self::Date`].
    Moment,
    Email,
    Number,
    Search,
    Tel,
    Time,
    Url,
}

impl FieldKind {
    const fn input_type(self) -> &'static str {
        match self {
            // The native date field uses the language of the browser, and with it another order of day and month.
            Self::Text | Self::Date | Self::Moment => "text",
            Self::Email => "email",
            Self::Number => "number",
            Self::Search => "search",
            Self::Tel => "tel",
            Self::Time => "time",
            Self::Url => "url",
        }
    }

    /// The value of `data-date` for the script; `None` for other kinds.
    const fn date_mark(self) -> Option<&'static str> {
        match self {
            Self::Date => Some("day"),
            Self::Moment => Some("moment"),
            _ => None,
        }
    }

    /// The typed date, and the full value in canonical form.
    fn read(self, typed: &str) -> Option<(NaiveDate, String)> {
        match self {
            Self::Date => domain::forms::day(typed).ok().map(|day| (day, day.format("%d/%m/%Y").to_string())),
            Self::Moment => domain::forms::moment(typed).ok().map(|at| (at.date(), at.format("%d/%m/%Y %H:%M").to_string())),
            _ => None,
        }
    }
}

/// A single-line text field. Its `id` defaults to its name.
#[component]
pub fn Field(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(optional, into)] id: MaybeText,
    #[prop(optional)] kind: FieldKind,
    #[prop(optional, into)] value: MaybeText,
    #[prop(optional, into)] hint: MaybeText,
    /// Shown beside the label, e.g. "(optional)".
    #[prop(optional, into)]
    note: MaybeText,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] autocomplete: MaybeText,
    /// The virtual keyboard: `numeric`, `tel`, …
    #[prop(optional, into)]
    inputmode: MaybeText,
    #[prop(optional, into)] placeholder: MaybeText,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let frame = FieldFrame::new(id, &name, label, note, hint, error);
    let (id, described, invalid) = frame.control();
    let date_mark = kind.date_mark();
    let (day, written) = value.0.as_deref().and_then(|typed| kind.read(typed)).unzip();
    let value = written.or(value.0);
    let autocomplete = autocomplete.0.or(date_mark.map(|_| "off".to_owned()));
    let is_day = kind == FieldKind::Date;
    let placeholder = placeholder.0.or(is_day.then(|| text::frame::date_placeholder(use_locale()).to_owned()));
    let said = date_mark.map(|_| said_back(&id, day));
    frame.wrap(view! {
        <input
            class="input"
            id=id
            name=name
            type=kind.input_type()
            value=value
            autocomplete=autocomplete
            inputmode=inputmode.0
            placeholder=placeholder
            required=required
            data-date=date_mark
            aria-describedby=described
            aria-invalid=invalid
        />
        {said}
    })
}

/// The date with its weekday, if valid; `scripts/dates.js` updates it during typing.
fn said_back(id: &str, day: Option<NaiveDate>) -> impl IntoView + use<> {
    let said = day.map(|day| use_locale().long_date(day));
    view! { <output class="hint" for=id.to_owned() data-said="">{said}</output> }
}

/// A file field. The browser itself posts the form, as `multipart/form-data`.
#[component]
pub fn FileField(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    /// File extensions and media types as a hint for the file picker, which accepts others too.
    accept: &'static str,
    /// Label of the button that opens the file picker: the native label has the browser's language.
    #[prop(into)]
    choose: String,
    /// Several files can be chosen at once.
    #[prop(optional)]
    multiple: bool,
    #[prop(optional, into)] hint: MaybeText,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let frame = FieldFrame::plain(MaybeText::default(), &name, label, hint, error);
    let (id, described, invalid) = frame.control();
    frame.wrap(view! {
        <span class="file-pick">
            <span class="button button-secondary" aria-hidden="true">{choose}</span>
            <input
                class="input input-file"
                type="file"
                id=id
                name=name
                accept=accept
                multiple=multiple
                required=true
                aria-describedby=described
                aria-invalid=invalid
            />
        </span>
    })
}

/// A password field with a button that reveals the value. Without script it is a plain password field.
#[component]
pub fn PasswordField(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(optional, into)] id: MaybeText,
    #[prop(optional, into)] hint: MaybeText,
    #[prop(optional, into)] error: Signal<Option<String>>,
    /// `current-password` or `new-password`.
    #[prop(default = "current-password")]
    autocomplete: &'static str,
    #[prop(into)] show_label: String,
    #[prop(into)] hide_label: String,
) -> impl IntoView {
    let frame = FieldFrame::new(id, &name, label, MaybeText::default(), hint, error);
    let (id, described, invalid) = frame.control();
    let controls = id.clone();
    let shown = RwSignal::new(false);
    // Effects run in the browser only: until then the button would have no function and is hidden.
    let scripted = RwSignal::new(false);
    Effect::new(move || scripted.set(true));
    let word = move || if shown.get() { hide_label.clone() } else { show_label.clone() };
    frame.wrap(view! {
        <div class="input-group">
            <input
                class="input"
                id=id
                name=name
                type=move || if shown.get() { "text" } else { "password" }
                autocomplete=autocomplete
                autocapitalize="off"
                spellcheck="false"
                required=true
                aria-describedby=described
                aria-invalid=invalid
            />
            <button
                class="input-button"
                type="button"
                aria-controls=controls
                hidden=move || !scripted.get()
                on:click=move |_| shown.update(|shown| *shown = !*shown)
            >
                {move || view! { <Icon name=if shown.get() { IconName::EyeOff } else { IconName::Eye }/> }}
                <span>{word}</span>
            </button>
        </div>
    })
}

/// A multi-line text field.
#[component]
pub fn TextArea(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(optional, into)] id: MaybeText,
    #[prop(optional, into)] value: MaybeText,
    #[prop(optional, into)] hint: MaybeText,
    #[prop(optional, into)] note: MaybeText,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(default = 6)] rows: u32,
    #[prop(optional)] required: bool,
    /// Read-only, for copying.
    #[prop(optional)]
    readonly: bool,
    /// A toolbar above the control.
    #[prop(optional)]
    tools: Option<AnyView>,
) -> impl IntoView {
    let frame = FieldFrame::new(id, &name, label, note, hint, error);
    let (id, described, invalid) = frame.control();
    // Leptos 0.8 does not escape children of a textarea. Escaped content, unlike `prop:value`, also preserves what was typed
    // before hydration.
    let content = textarea_content(&value.0.unwrap_or_default());
    frame.wrap(view! {
        {tools}
        <textarea
            class="input"
            id=id
            name=name
            rows=rows.to_string()
            required=required
            readonly=readonly
            aria-describedby=described
            aria-invalid=invalid
            inner_html=content
        ></textarea>
    })
}

/// Number of rejected forms on the page: its title begins with a notice. Provided by the application.
#[derive(Debug, Clone, Default)]
pub struct RefusedForms(ArcRwSignal<u32>);

impl RefusedForms {
    pub fn any(&self) -> bool {
        self.0.get() > 0
    }
}

/// Updates the title of the page while the summary is shown.
fn count_refused(is_refused: bool, was_refused: &ArcStoredValue<bool>) {
    let Some(RefusedForms(count)) = use_context() else { return };
    let was = was_refused.get_value();
    was_refused.set_value(is_refused);
    match (was, is_refused) {
        (false, true) => count.update(|count| *count += 1),
        (true, false) => count.update(|count| *count = count.saturating_sub(1)),
        _ => {}
    }
}

/// All problems of a form, each with a link to its field. Takes the focus when it appears.
#[component]
pub fn ErrorSummary(
    #[prop(into)] title: String,
    /// Id of the field and its message, in the order of the fields.
    #[prop(into)]
    items: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    let was_refused = ArcStoredValue::new(false);
    let (counted, context) = (was_refused.clone(), use_context::<RefusedForms>());
    // On the server the title is rendered after the cleanup, so the count must stay.
    if !cfg!(feature = "ssr") {
        on_cleanup(move || {
            if let Some(RefusedForms(count)) = context.filter(|_| counted.get_value()) {
                count.update(|count| *count = count.saturating_sub(1));
            }
        });
    }
    move || {
        let items = items.get();
        count_refused(!items.is_empty(), &was_refused);
        (!items.is_empty()).then(|| {
            let lines = items
                .into_iter()
                .map(|(field, message)| {
                    let href = format!("#{field}");
                    view! { <li><a href=href on:click=move |event| go_to_field(&event, &field)>{message}</a></li> }
                })
                .collect_view();
            view! {
                <div class="error-summary" role="alert" tabindex="-1" autofocus=true>
                    <p class="error-summary-title">
                        <Icon name=IconName::Alert/>
                        <span>{title.clone()}</span>
                    </p>
                    <ul>{lines}</ul>
                </div>
            }
        })
    }
}

/// Moves the focus, which the router's handling of `#…` links does not do.
#[cfg(feature = "hydrate")]
fn go_to_field(event: &leptos::ev::MouseEvent, field: &str) {
    use leptos::wasm_bindgen::JsCast;

    let control = document().get_element_by_id(field).and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(control) = control {
        event.prevent_default();
        // Fails for an element that cannot take the focus; no consequence for the person.
        let _ = control.focus();
    }
}

#[cfg(not(feature = "hydrate"))]
fn go_to_field(_: &leptos::ev::MouseEvent, _: &str) {}

/// Label, hint and message around a control, and the ids that connect them.
pub(super) struct FieldFrame {
    id: String,
    label: String,
    note: Option<String>,
    hint: Option<String>,
    error: Signal<Option<String>>,
}

impl FieldFrame {
    fn new(id: MaybeText, name: &str, label: String, note: MaybeText, hint: MaybeText, error: Signal<Option<String>>) -> Self {
        Self { id: id.0.unwrap_or_else(|| name.to_owned()), label, note: note.0, hint: hint.0, error }
    }

    /// As [`Self::new`], for a control without a note.
    pub(super) fn plain(id: MaybeText, name: &str, label: String, hint: MaybeText, error: Signal<Option<String>>) -> Self {
        Self::new(id, name, label, MaybeText::default(), hint, error)
    }

    /// Attributes of the control: its id, its description and whether it is invalid at present.
    pub(super) fn control(
        &self,
    ) -> (String, impl Fn() -> Option<String> + Send + Sync + use<>, impl Fn() -> Option<&'static str> + Send + Sync + use<>)
    {
        let (id, has_hint, error) = (self.id.clone(), self.hint.is_some(), self.error);
        let described = move || described_by(&id, has_hint, error.with(Option::is_some));
        let invalid = move || error.with(Option::is_some).then_some("true");
        (self.id.clone(), described, invalid)
    }

    pub(super) fn wrap(self, control: impl IntoView) -> impl IntoView {
        let Self { id, label, note, hint, error } = self;
        let hint = hint.map(|hint| view! { <p class="hint" id=format!("{id}-hint")>{hint}</p> });
        let message = error_message(&id, error);
        view! {
            <div class="field" class:field-invalid=move || error.with(Option::is_some)>
                <label class="label" for=id>
                    {label} {note.map(|note| view! { " " <span class="label-note">{note}</span> })}
                </label>
                {hint}
                {message}
                {control.into_view()}
            </div>
        }
    }
}

/// The message of a control, with the id that [`described_by`] names.
pub(super) fn error_message(id: &str, error: Signal<Option<String>>) -> impl IntoView + use<> {
    let id = format!("{id}-error");
    move || {
        error.get().map(|message| {
            view! {
                <p class="field-error" id=id.clone()>
                    <Icon name=IconName::Alert/>
                    <span>{message}</span>
                </p>
            }
        })
    }
}

/// Value of `aria-describedby`.
pub(super) fn described_by(id: &str, has_hint: bool, has_error: bool) -> Option<String> {
    match (has_error, has_hint) {
        (true, true) => Some(format!("{id}-error {id}-hint")),
        (true, false) => Some(format!("{id}-error")),
        (false, true) => Some(format!("{id}-hint")),
        (false, false) => None,
    }
}

/// Text as the content of a `<textarea>`: escaped, so that it cannot end the element.
fn textarea_content(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8 + 1);
    // The parser drops one line break right after the start tag; there is no start tag when a script sets the content.
    if cfg!(feature = "ssr") && text.starts_with('\n') {
        html.push('\n');
    }
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "ssr")]
    #[test]
    fn a_control_refers_to_its_label_hint_and_message() {
        let owner = Owner::new();
        owner.set();
        let error = Some("Type your name".to_owned());
        let html = view! { <Field label="Name" name="name" hint="As on your card" error/> }.to_html();
        for part in [
            r#"<label for="name""#,
            r#"id="name-hint""#,
            r#"id="name-error""#,
            r#"aria-describedby="name-error name-hint""#,
            r#"aria-invalid="true""#,
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn a_rendered_text_area_contains_only_its_text() {
        let owner = Owner::new();
        owner.set();
        let html = view! { <TextArea label="Text" name="text" value="</textarea><script>1</script>"/> }.to_html();
        assert!(html.contains("&lt;/textarea&gt;&lt;script&gt;1&lt;/script&gt;</textarea>"), "{html}");
        assert!(!html.contains("<script"), "{html}");
    }

    #[test]
    fn a_text_cannot_leave_its_textarea() {
        let html = textarea_content("</textarea><script>alert('&amp;')</script>");
        assert_eq!(html, "&lt;/textarea&gt;&lt;script&gt;alert('&amp;amp;')&lt;/script&gt;");
    }

    #[test]
    fn vietnamese_and_bengali_stay_as_they_are() {
        assert_eq!(textarea_content("Nghị quyết \"số 5\" — প্রস্তাব"), "Nghị quyết \"số 5\" — প্রস্তাব");
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn a_first_line_break_survives_the_parser() {
        assert_eq!(textarea_content("\nsecond line"), "\n\nsecond line");
    }

    #[test]
    fn a_control_refers_only_to_existing_elements() {
        assert_eq!(described_by("text", false, false), None);
        assert_eq!(described_by("text", true, false).as_deref(), Some("text-hint"));
        assert_eq!(described_by("text", true, true).as_deref(), Some("text-error text-hint"));
    }
}
