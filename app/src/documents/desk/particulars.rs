//! The particulars of a document at the desk, as one table. The form, its errors, the comparison after a concurrent save and the
//! approval pages are built from it.

use chrono::NaiveDate;
use domain::{Locale, documents::desk::DocumentDraft, units::UnitRef};

use super::editor::whom;
use crate::{terms, text, ui::Whose};

/// A particular: the name of its form control, its label, and its value.
pub(super) struct Particular {
    pub(super) control: &'static str,
    pub(super) label: fn(Locale) -> &'static str,
    value: Value,
}

/// The value of a particular in a stored draft; empty for none.
enum Value {
    /// Shown as typed.
    Line(Whose, fn(&DocumentDraft) -> String),
    Day(fn(&DocumentDraft) -> Option<NaiveDate>),
    /// The value of the control, and its display text.
    Key(Whose, fn(&DocumentDraft) -> String, fn(Locale, &DocumentDraft) -> String),
}

impl Particular {
    const fn new(control: &'static str, label: fn(Locale) -> &'static str, value: Value) -> Self {
        Self { control, label, value }
    }

    /// The language marking of its display text.
    pub(super) fn whose(&self) -> Whose {
        match self.value {
            Value::Line(whose, _) | Value::Key(whose, ..) => whose,
            Value::Day(_) => Whose::Ours,
        }
    }

    pub(super) fn is_day(&self) -> bool {
        matches!(self.value, Value::Day(_))
    }

    /// The value of the form control for a stored draft.
    pub(super) fn held(&self, draft: &DocumentDraft) -> String {
        match self.value {
            Value::Line(_, held) | Value::Key(_, held, _) => held(draft),
            Value::Day(day) => day(draft).map(|day| day.to_string()).unwrap_or_default(),
        }
    }

    /// The display text on approval pages.
    pub(super) fn display_text(&self, l: Locale, draft: &DocumentDraft) -> String {
        match self.value {
            Value::Line(_, display) => display(draft),
            Value::Day(day) => day(draft).map(|day| l.long_date(day)).unwrap_or_default(),
            Value::Key(_, _, display) => display(l, draft),
        }
    }
}

/// All particulars, in display order.
pub(super) const PARTICULARS: [Particular; 17] = [
    Particular::new("title", text::desk::title, Value::Line(Whose::Content, |draft| draft.title.clone())),
    Particular::new("kind", text::desk::kind, Value::Key(Whose::Ours, |draft| draft.kind.key().to_owned(), kind)),
    Particular::new("number", text::desk::number, Value::Line(Whose::Name, |draft| draft.number.clone())),
    Particular::new("issuer", text::desk::issuer, Value::Key(Whose::Name, |draft| draft.issuer.id.to_string(), issuer)),
    Particular::new("audience", text::desk::audience, Value::Key(Whose::Name, |draft| draft.audience.id.to_string(), audience)),
    // The approval pages show the audience, its parts and the excepted units in one line.
    Particular::new("parts", text::desk::parts, Value::Key(Whose::Content, parts, |_, _| String::new())),
    Particular::new("except", text::units::except, Value::Key(Whose::Content, except, |_, _| String::new())),
    Particular::new("standings", text::desk::standings, Value::Key(Whose::Ours, standings, standings_text)),
    Particular::new("signer", text::desk::signer, Value::Line(Whose::Name, |draft| draft.signer.clone())),
    Particular::new("field", text::desk::field, Value::Key(Whose::Ours, field, field_text)),
    Particular::new("must_read_by", text::desk::must_read_by, Value::Day(|draft| draft.must_read_by)),
    Particular::new("expires_on", text::desk::expires_on, Value::Day(|draft| draft.expires_on)),
    Particular::new("pinned", text::desk::place_in_library, Value::Key(Whose::Ours, pinned, pinned_text)),
    Particular::new("supersedes", text::desk::supersedes, Value::Line(Whose::Name, |draft| draft.supersedes.clone())),
    Particular::new("amends", text::desk::amends, Value::Line(Whose::Name, |draft| draft.amends.clone())),
    Particular::new("guides", text::desk::guides, Value::Line(Whose::Name, |draft| draft.guides.clone())),
    Particular::new("correction", text::desk::correction, Value::Line(Whose::Content, |draft| draft.correction.clone())),
];

/// A text in every language.
type Label = fn(Locale) -> &'static str;

/// Labels of the form fields.
pub(super) const LABELS: terms::Labels = &labels();

const fn labels() -> [(&'static str, Label); PARTICULARS.len() + 1] {
    let mut labels = [("body", text::desk::body as Label); PARTICULARS.len() + 1];
    let mut at = 0;
    while at < PARTICULARS.len() {
        labels[at] = (PARTICULARS[at].control, PARTICULARS[at].label);
        at += 1;
    }
    labels
}

/// The value of a form control for a stored draft.
pub(super) fn stored(draft: &DocumentDraft, control: &str) -> String {
    match control {
        "id" => draft.id.to_string(),
        "body" => draft.body.clone(),
        _ => PARTICULARS.iter().find(|one| one.control == control).map(|one| one.held(draft)).unwrap_or_default(),
    }
}

fn kind(l: Locale, draft: &DocumentDraft) -> String {
    terms::document_kind(l, draft.kind).to_owned()
}

fn issuer(_: Locale, draft: &DocumentDraft) -> String {
    draft.issuer.name.clone()
}

fn audience(_: Locale, draft: &DocumentDraft) -> String {
    draft.audience.name.clone()
}

fn parts(draft: &DocumentDraft) -> String {
    ids(&draft.parts)
}

fn except(draft: &DocumentDraft) -> String {
    ids(&draft.except)
}

fn ids(units: &[UnitRef]) -> String {
    units.iter().map(|unit| unit.id.to_string()).collect::<Vec<_>>().join(" ")
}

fn standings(draft: &DocumentDraft) -> String {
    draft.standings.iter().map(|standing| standing.key()).collect::<Vec<_>>().join(",")
}

fn standings_text(l: Locale, draft: &DocumentDraft) -> String {
    let keys = standings(draft);
    whom(l).into_iter().find(|choice| choice.value == keys).map_or(keys, |choice| choice.label)
}

fn field(draft: &DocumentDraft) -> String {
    draft.field.map(|field| field.key().to_owned()).unwrap_or_default()
}

fn field_text(l: Locale, draft: &DocumentDraft) -> String {
    draft.field.map(|field| terms::document_field(l, field)).unwrap_or_default().to_owned()
}

fn pinned(draft: &DocumentDraft) -> String {
    if draft.is_pinned { "yes".to_owned() } else { String::new() }
}

fn pinned_text(l: Locale, draft: &DocumentDraft) -> String {
    if draft.is_pinned { text::desk::pinned(l).to_owned() } else { String::new() }
}
