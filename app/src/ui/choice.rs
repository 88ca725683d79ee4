//! Selection controls.

use leptos::prelude::*;

use super::{
    MaybeText,
    field::{FieldFrame, described_by, error_message},
    line::{Line, Whose},
};

/// An option to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The submitted value.
    pub value: String,
    pub label: String,
    /// The language marking of the label.
    pub whose: Whose,
    /// An explanation; only [`RadioGroup`] and [`CheckGroup`] show it.
    pub hint: Line,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), whose: Whose::Ours, hint: Line::default() }
    }

    /// An option whose label is the name of a person, a unit or a thing.
    pub fn name(value: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(value, name).whose(Whose::Name)
    }

    #[must_use]
    pub fn whose(self, whose: Whose) -> Self {
        Self { whose, ..self }
    }

    #[must_use]
    pub fn hint(self, hint: impl Into<Line>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// A drop-down list with one choice.
#[component]
pub fn Select(
    #[prop(into)] label: String,
    #[prop(into)] name: String,
    #[prop(optional, into)] id: MaybeText,
    choices: Vec<Choice>,
    /// The initial choice.
    #[prop(optional, into)]
    value: MaybeText,
    #[prop(optional, into)] hint: MaybeText,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let frame = FieldFrame::plain(id, &name, label, hint, error);
    let (id, described, invalid) = frame.control();
    let options = choices
        .into_iter()
        .map(move |Choice { value: sent, label, whose, hint: _ }| {
            let selected = value.0.as_deref() == Some(sent.as_str());
            view! { <option value=sent selected=selected lang=whose.lang() translate=whose.translate()>{label}</option> }
        })
        .collect_view();
    frame.wrap(view! {
        <select class="input select" id=id name=name aria-describedby=described aria-invalid=invalid>
            {options}
        </select>
    })
}

/// A visible list with one choice, each option a card.
#[component]
pub fn RadioGroup(
    #[prop(into)] legend: Line,
    #[prop(into)] name: String,
    /// Id of the first option, the target of the error summary; defaults to the name.
    #[prop(optional, into)]
    id: MaybeText,
    choices: Vec<Choice>,
    #[prop(optional, into)] value: MaybeText,
    #[prop(optional, into)] hint: MaybeText,
    #[prop(optional, into)] error: Signal<Option<String>>,
    /// A segmented control, with options side by side where there is room: for a few short options.
    #[prop(optional)]
    segmented: bool,
) -> impl IntoView {
    let id = id.0.unwrap_or_else(|| name.clone());
    let cards = cards("radio", &id, &name, choices, |sent| value.0.as_deref() == Some(sent));
    let class = if segmented { "field choices segmented" } else { CARDS };
    group(class, id, legend, hint, error, cards)
}

/// A visible list with any number of choices, each a card. Every selected value is sent, so a `Vec` field has a name that ends in
/// `[]`.
#[component]
pub fn CheckGroup(
    #[prop(into)] legend: Line,
    #[prop(into)] name: String,
    /// Id of the first option, the target of the error summary; defaults to the name.
    #[prop(optional, into)]
    id: MaybeText,
    choices: Vec<Choice>,
    /// Values selected initially.
    checked: Vec<String>,
    #[prop(optional, into)] hint: MaybeText,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let id = id.0.unwrap_or_else(|| name.clone());
    let cards = cards("checkbox", &id, &name, choices, |sent| checked.iter().any(|value| value == sent));
    group(CARDS, id, legend, hint, error, cards)
}

/// A card for each option.
fn cards(kind: &'static str, id: &str, name: &str, choices: Vec<Choice>, is_checked: impl Fn(&str) -> bool) -> Vec<AnyView> {
    let card = |(index, Choice { value, label, whose, hint })| {
        let checked = is_checked(&value);
        let own_id = if index == 0 { id.to_owned() } else { format!("{id}-{index}") };
        let name = name.to_owned();
        let hint = (!hint.is_empty()).then(|| view! { <span class="choice-hint">{hint.show()}</span> });
        view! {
            <label class="choice">
                <input type=kind id=own_id name=name value=value checked=checked/>
                <span class="choice-text">
                    <span class="choice-label" lang=whose.lang() translate=whose.translate()>{label}</span>
                    {hint}
                </span>
            </label>
        }
        .into_any()
    };
    choices.into_iter().enumerate().map(card).collect()
}

/// Class of a group whose options are cards in a column.
const CARDS: &str = "field choices";

/// The fieldset around the cards; `id` is that of the first.
fn group(
    class: &'static str,
    id: String,
    legend: Line,
    hint: MaybeText,
    error: Signal<Option<String>>,
    cards: Vec<AnyView>,
) -> impl IntoView {
    let message = error_message(&id, error);
    let has_hint = hint.0.is_some();
    let hint = hint.0.map(|hint| view! { <p class="hint" id=format!("{id}-hint")>{hint}</p> });
    let described = move || described_by(&id, has_hint, error.with(Option::is_some));
    view! {
        <fieldset class=class class:field-invalid=move || error.with(Option::is_some) aria-describedby=described>
            <legend class="label">{legend.show()}</legend>
            {hint}
            {message}
            {cards}
        </fieldset>
    }
}
