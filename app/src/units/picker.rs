//! Pickers of units, by a search for a name or a code.
//!
//! - [`picker()`] is for an audience: the levels, and for each unit that was found whether the audience is limited to it or leaves it out.
//! - [`unit_field()`] is for a form that takes one unit.
//!
//! Without script the button beside the search field sends the form, which comes back with the units that were found and with all that
//! was typed. `scripts/picker.js` searches while the person types, and shows the reach at once.

use domain::{
    Locale,
    documents::desk::PartChoices,
    units::{OneUnitChoices, PickPurpose, PickableUnit, UnitKind},
};
use leptos::prelude::*;

use crate::{
    terms, text,
    ui::{Button, ButtonKind, CheckGroup, Choice, Icon, IconName, VisuallyHidden},
};

/// The button of the search: the value of the form's control `then`.
pub(crate) const FIND: &str = "find";

/// The label in the templates of the script, which replaces it: a control has a label.
const EMPTY: &str = "–";

/// The words that differ between the forms.
pub(crate) struct PickerWords {
    pub(crate) summary: &'static str,
    pub(crate) hint: &'static str,
    /// Above the units that the audience is limited to.
    pub(crate) only: &'static str,
    /// In their place, while there are none.
    pub(crate) all: &'static str,
    /// Of the control that limits the audience to a unit.
    pub(crate) pick: &'static str,
}

/// What is selected in the form.
pub(crate) struct Picking {
    pub(crate) purpose: PickPurpose,
    /// The control with the unit whose parts are offered.
    pub(crate) within: &'static str,
    pub(crate) choices: PartChoices,
    /// Ids of units and keys of levels, separated by spaces.
    pub(crate) parts: String,
    /// Ids of units, separated by spaces.
    pub(crate) except: String,
    pub(crate) find: String,
    pub(crate) parts_error: Signal<Option<String>>,
    pub(crate) except_error: Signal<Option<String>>,
}

/// The picker, collapsed unless something is selected, searched for, or wrong. Empty where there is nothing to choose.
pub(crate) fn picker(l: Locale, words: PickerWords, picking: Picking) -> Option<AnyView> {
    let Picking { purpose, within, choices, parts, except, find, parts_error, except_error } = picking;
    let PartChoices { selected, found, levels, reach: _ } = choices;
    let is_wrong = parts_error.get_untracked().is_some() || except_error.get_untracked().is_some();
    if selected.is_empty() && found.units.is_empty() && find.is_empty() && !is_wrong {
        return None;
    }
    let is_open = is_wrong || !parts.is_empty() || !except.is_empty() || !find.is_empty();
    let (parts, except) = (ids(&parts), ids(&except));
    let levels = levels_field(l, levels, &parts);
    let of =
        |ids: &[String]| selected.iter().filter(|choice| ids.contains(&choice.unit.id.to_string())).cloned().collect::<Vec<_>>();
    let is_free = |choice: &PickableUnit| ![&parts, &except].into_iter().any(|ids| ids.contains(&choice.unit.id.to_string()));
    let status = status_text(l, &find, found.units.len(), found.more);
    let rows = found.units.iter().filter(|choice| is_free(choice));
    let rows = rows.map(|choice| row(l, words.pick, &choice.unit.id.to_string(), label(l, choice))).collect_view();
    let limited = chosen(l, "parts", words.only, (words.all, parts.is_empty()), of(&parts), parts_error);
    let left_out =
        chosen(l, "except", text::units::except(l), (text::units::except_none(l), except.is_empty()), of(&except), except_error);
    let send = view! {
        <Button kind=ButtonKind::Secondary icon=IconName::Search name="then" value=FIND>
            {text::units::go_search(l)}
        </Button>
    };
    let view = view! {
        <details class="more-fields" data-part="parts" open=is_open>
            <summary>{words.summary}</summary>
            <div class="stack" data-picker=purpose.key() data-within=within>
                <p class="hint">{words.hint}</p>
                {limited}
                {left_out}
                {levels}
                {search_field(l, find, send.into_any(), status)}
                <ul class="picker-rows" role="list" data-part="rows">{rows}</ul>
                <template data-part="row">{row(l, words.pick, "", EMPTY.to_owned())}</template>
                <template data-part="card">{card(CHECKBOX, "", "", EMPTY.to_owned())}</template>
            </div>
        </details>
    };
    Some(view.into_any())
}

/// A field with one unit, whose control is `unit`.
pub(crate) struct UnitField {
    pub(crate) purpose: PickPurpose,
    pub(crate) legend: &'static str,
    pub(crate) hint: &'static str,
    /// The address of the page: without script a search loads it again, with the controls of the form as its query.
    pub(crate) page: &'static str,
    pub(crate) choices: OneUnitChoices,
    pub(crate) find: String,
    pub(crate) error: Signal<Option<String>>,
}

/// The field: the selected unit, and those that were found. The error summary leads to it.
pub(crate) fn unit_field(l: Locale, field: UnitField) -> AnyView {
    let UnitField { purpose, legend, hint, page, choices: OneUnitChoices { selected, found }, find, error } = field;
    let selected_id = selected.as_ref().map(|choice| choice.unit.id);
    let status = status_text(l, &find, found.units.len(), found.more);
    let rows = found.units.iter().filter(|choice| Some(choice.unit.id) != selected_id);
    let rows = rows.map(|choice| one_row(&choice.unit.id.to_string(), label(l, choice))).collect_view();
    let is_any = selected.is_some();
    let selected = selected.map(|choice| card(RADIO, UNIT, &choice.unit.id.to_string(), label(l, &choice)));
    let send = view! {
        <button class="button button-secondary" type="submit" name="then" value=FIND formmethod="get" formaction=page>
            <Icon name=IconName::Search/>
            <span>{text::units::go_search(l)}</span>
        </button>
    };
    let described = move || if error.with(Option::is_some) { "unit-error unit-hint" } else { "unit-hint" };
    let message = move || error.get().map(|told| view! { <p class="field-error" id="unit-error">{told}</p> });
    view! {
        <fieldset
            class="field"
            class:field-invalid=move || error.with(Option::is_some)
            id=UNIT
            tabindex="-1"
            data-picker=purpose.key()
            aria-describedby=described
        >
            <legend class="label">{legend}</legend>
            <p class="hint" id="unit-hint">{hint}</p>
            {message}
            <div class="stack-tight" data-way=UNIT>
                <p class="muted small" data-part="none" hidden=is_any>{text::units::pick_one_none(l)}</p>
                {selected}
            </div>
            {search_field(l, find, send.into_any(), status)}
            <ul class="picker-rows" role="list" data-part="rows">{rows}</ul>
            <template data-part="row">{one_row("", EMPTY.to_owned())}</template>
            <template data-part="card">{card(RADIO, "", "", EMPTY.to_owned())}</template>
        </fieldset>
    }
    .into_any()
}

/// The control of [`unit_field()`].
const UNIT: &str = "unit";

/// Types of controls.
const CHECKBOX: &str = "checkbox";
const RADIO: &str = "radio";

/// The search, with the button that sends it without script, and in words what was found.
fn search_field(l: Locale, find: String, send: AnyView, status: String) -> AnyView {
    view! {
        <div class="stack-tight">
            <label class="label" for="find">{text::units::search(l)}</label>
            <div class="search">
                <input
                    class="input"
                    type="search"
                    name="find"
                    id="find"
                    value=find
                    autocomplete="off"
                    aria-describedby="found"
                />
                {send}
            </div>
            <p class="small muted" role="status" id="found" data-part="found">{status}</p>
        </div>
    }
    .into_any()
}

/// How many more units there are, or that there is none.
pub(crate) fn status_text(l: Locale, find: &str, found: usize, more: u32) -> String {
    if more > 0 {
        text::units::pick_more(l, more.into())
    } else if found == 0 && !find.is_empty() {
        text::units::pick_none(l).to_owned()
    } else {
        String::new()
    }
}

/// The name of a unit with its parent, as many have the same name, and with its number of members if it is not hidden.
pub(crate) fn label(l: Locale, choice: &PickableUnit) -> String {
    let parent = choice.parent.as_deref().map(|parent| text::units::part_of(l, parent));
    let members = choice.members.map(|members| text::desk::members(l, members.into()));
    [Some(choice.unit.name.clone()), parent, members].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn ids(typed: &str) -> Vec<String> {
    typed.split_whitespace().map(ToOwned::to_owned).collect()
}

/// Levels that are selected as a whole.
fn levels_field(l: Locale, levels: Vec<(UnitKind, u32)>, checked: &[String]) -> Option<AnyView> {
    let level = |(kind, units): (UnitKind, u32)| {
        Choice::new(kind.key(), text::desk::parts_level(l, terms::short_unit_kind(l, kind), l.number(units)))
    };
    let choices: Vec<Choice> = levels.into_iter().map(level).collect();
    (!choices.is_empty()).then(|| {
        let field = view! {
            <CheckGroup
                legend=text::desk::parts_levels(l)
                name="parts[]"
                id="parts-level"
                choices
                checked=checked.to_vec()
                hint=text::units::pick_levels_hint(l)
            />
        };
        field.into_any()
    })
}

/// The selected units: ticked, so that they are sent again, and removed by unticking. The error summary leads here. `none` are the
/// words for no selected unit, and whether there is none: a level is selected elsewhere.
fn chosen(
    l: Locale,
    name: &'static str,
    legend: &'static str,
    none: (&'static str, bool),
    units: Vec<PickableUnit>,
    error: Signal<Option<String>>,
) -> AnyView {
    let control = format!("{name}[]");
    let (none, is_none) = none;
    let is_any = !is_none;
    let cards = units.iter().map(|choice| card(CHECKBOX, &control, &choice.unit.id.to_string(), label(l, choice))).collect_view();
    let message_id = format!("{name}-error");
    let described = message_id.clone();
    let described = move || error.with(Option::is_some).then(|| described.clone());
    let message = move || {
        let id = message_id.clone();
        error.get().map(|told| view! { <p class="field-error" id=id>{told}</p> })
    };
    view! {
        <fieldset
            class="field choices"
            class:field-invalid=move || error.with(Option::is_some)
            id=name
            tabindex="-1"
            data-way=control.clone()
            aria-describedby=described
        >
            <legend class="label">{legend}</legend>
            {message}
            <p class="muted small" data-part="none" hidden=is_any>{none}</p>
            {cards}
        </fieldset>
    }
    .into_any()
}

/// A selected unit, with a control of this type.
fn card(kind: &'static str, control: &str, id: &str, label: String) -> AnyView {
    let (control, id) = (control.to_owned(), id.to_owned());
    let (lang, translate) = (crate::ui::content_lang(), "no");
    let is_real = !id.is_empty();
    view! {
        <label class="choice">
            <input type=kind name=control value=id checked=is_real/>
            <span class="choice-text"><span class="choice-label" lang=lang translate=translate>{label}</span></span>
        </label>
    }
    .into_any()
}

/// A unit that was found, with the two ways to choose it.
fn row(l: Locale, pick: &'static str, id: &str, label: String) -> AnyView {
    let lang = crate::ui::content_lang();
    let way = |control: &'static str, words: &'static str| {
        let (id, label) = (id.to_owned(), label.clone());
        view! {
            <label class="choice">
                <input type="checkbox" name=control value=id/>
                <span class="choice-text">
                    <span class="choice-label">
                        {words} <VisuallyHidden>" " <span lang=lang translate="no" data-part="name">{label}</span></VisuallyHidden>
                    </span>
                </span>
            </label>
        }
    };
    let ways = [way("parts[]", pick), way("except[]", text::units::pick_except(l))].into_iter().collect_view();
    view! {
        <li class="picker-row">
            <span class="picker-name" lang=lang translate="no" data-part="name">{label.clone()}</span>
            <span class="picker-ways">{ways}</span>
        </li>
    }
    .into_any()
}

/// A unit that was found, for a form that takes one.
fn one_row(id: &str, label: String) -> AnyView {
    let (id, lang) = (id.to_owned(), crate::ui::content_lang());
    view! {
        <li class="picker-row">
            <label class="choice">
                <input type=RADIO name=UNIT value=id/>
                <span class="choice-text">
                    <span class="choice-label picker-name" lang=lang translate="no" data-part="name">{label}</span>
                </span>
            </label>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::units::{UnitChoices, UnitPath, UnitRef};

    use super::*;

    fn unit(id: &str, name: &str, members: Option<u32>) -> PickableUnit {
        let path = UnitPath::parse("/01/").expect("a path");
        let kind = UnitKind::from_key("branch").expect("a level");
        let unit = UnitRef { id: id.parse().expect("an id"), kind, name: name.to_owned(), path };
        PickableUnit { unit, parent: Some("Xã Sơn Trà".to_owned()), members }
    }

    const HARBOUR: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    const SCHOOL: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAW";

    #[test]
    fn a_form_for_one_unit_offers_the_others_in_the_same_group_of_radio_buttons() {
        let owner = Owner::new();
        owner.set();
        let l = Locale::Vi;
        let (harbour, school) = (unit(HARBOUR, "Chi bộ bến cá", Some(7)), unit(SCHOOL, "Chi bộ trường", None));
        let field = |selected: Option<PickableUnit>, error: Option<String>| {
            let found = UnitChoices { units: vec![harbour.clone(), school.clone()], more: 0 };
            let choices = OneUnitChoices { selected, found };
            let (purpose, error) = (PickPurpose::Import, Signal::derive(move || error.clone()));
            let words = ("Đơn vị nào?", "Gợi ý");
            let field =
                UnitField { purpose, legend: words.0, hint: words.1, page: "/imports/new", choices, find: String::new(), error };
            unit_field(l, field).to_html()
        };
        let html = field(Some(harbour.clone()), None);
        assert_eq!((html.matches(HARBOUR).count(), html.matches(SCHOOL).count()), (1, 1), "{html}");
        assert_eq!(html.matches(r#"name="unit""#).count(), 3, "both units, and the row of the script: {html}");
        assert_eq!(html.matches(" checked").count(), 1, "{html}");
        assert!(html.contains(r#"formmethod="get""#) && html.contains(r#"formaction="/imports/new""#), "{html}");
        assert!(!html.contains("unit-error"), "{html}");

        let html = field(None, Some("Hãy chọn".to_owned()));
        assert_eq!((html.matches(HARBOUR).count(), html.matches(" checked").count()), (1, 0), "{html}");
        assert!(html.contains(r#"aria-describedby="unit-error unit-hint""#), "{html}");
    }

    #[test]
    fn a_selected_unit_is_ticked_and_not_offered_again() {
        let owner = Owner::new();
        owner.set();
        let l = Locale::Vi;
        let (harbour, school) = (unit(HARBOUR, "Chi bộ bến cá", Some(7)), unit(SCHOOL, "Chi bộ trường", None));
        let found = UnitChoices { units: vec![harbour.clone(), school], more: 3 };
        let choices = PartChoices { selected: vec![harbour], found, levels: Vec::new(), reach: None };
        let words = PickerWords { summary: "Mở", hint: "Gợi ý", only: "Chỉ", all: "Tất cả", pick: "Gửi" };
        let picking = Picking {
            purpose: PickPurpose::Document,
            within: "audience",
            choices,
            parts: String::new(),
            except: HARBOUR.to_owned(),
            find: "chi".to_owned(),
            parts_error: Signal::derive(|| None),
            except_error: Signal::derive(|| None),
        };
        let html = picker(l, words, picking).expect("something to choose").to_html();
        assert_eq!(html.matches(HARBOUR).count(), 1, "{html}");
        assert_eq!(html.matches(SCHOOL).count(), 2, "with both ways to choose it: {html}");
        assert!(html.contains("Chi bộ bến cá · thuộc Xã Sơn Trà · "), "{html}");
        assert!(html.contains(">Chi bộ trường · thuộc Xã Sơn Trà<"), "its number of members is hidden: {html}");
        assert!(html.contains(&text::units::pick_more(l, 3)), "{html}");
    }
}
