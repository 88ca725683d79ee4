//! The form of a question: text, up to eight options, the right ones, and an explanation.

use domain::{
    Locale,
    courses::{Question, QuestionKind, QuestionPage as Page},
    forms::FormErrors,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::desk_fns::question;
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Choice, Crumb, ErrorSummary, Field, Form, IconName, Line, LinkButton, PageHeader,
        RadioGroup, TextArea,
    },
};

/// The field of each option, by its number in the form.
const FIELDS: [&str; 8] =
    ["options[1]", "options[2]", "options[3]", "options[4]", "options[5]", "options[6]", "options[7]", "options[8]"];

const LABELS: Labels = &[
    ("text", text::courses::question_text),
    ("kind", text::courses::question_kind),
    (FIELDS[0], text::courses::option),
    (FIELDS[1], text::courses::option),
    (FIELDS[2], text::courses::option),
    (FIELDS[3], text::courses::option),
    (FIELDS[4], text::courses::option),
    (FIELDS[5], text::courses::option),
    (FIELDS[6], text::courses::option),
    (FIELDS[7], text::courses::option),
    ("right", text::courses::right_answers),
    ("explanation", text::courses::explanation),
];

#[component]
pub(crate) fn QuestionPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let echo = take_echo("question");
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(
        move || params.with(|params| (params.get("id").unwrap_or_default(), params.get("number"))),
        |(id, number)| question(id, number.filter(|number| number != "new")),
    );
    show(data, move |page| {
        let title = page.number.map_or_else(
            || text::courses::new_question(l).to_owned(),
            |number| text::courses::edit_question(l, l.number(number)),
        );
        let crumbs = vec![
            Crumb::link(text::courses::desk(l), "/courses/manage"),
            Crumb::link(Line::content(&page.title), format!("/courses/manage/{}", page.course)),
            Crumb::here(title.clone()),
        ];
        view! {
            <Title text=title.clone()/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::courses::way(l) crumbs/>
                <PageHeader title eyebrow=Line::content(&page.title)/>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {question_form(l, &page, echo.as_ref(), errors)}
            </div>
        }
        .into_any()
    })
}

fn question_form(l: Locale, page: &Page, echo: Option<&FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let question = &page.question;
    let typed =
        |field: &str, stored: &str| echo.and_then(|echo| echo.value(field)).map_or_else(|| stored.to_owned(), ToOwned::to_owned);
    let kinds = QuestionKind::ALL
        .map(|kind| match kind {
            QuestionKind::Single => Choice::new(kind.key(), text::courses::single(l)),
            QuestionKind::Multiple => Choice::new(kind.key(), text::courses::multiple(l)).hint(text::courses::multiple_hint(l)),
        })
        .into();
    let ticked = ticked(question, echo);
    let options = FIELDS
        .into_iter()
        .enumerate()
        .map(|(at, field)| {
            let stored = question.options.get(at).map_or("", |option| option.text.as_str());
            option(l, at + 1, field, typed(field, stored), ticked.contains(&(at + 1).to_string()), errors)
        })
        .collect_view();
    let rights = field_error(l, errors, LABELS, "right");
    let rights = move || rights.get().map(|told| view! { <p class="field-error" id="right-error">{told}</p> });
    let back = format!("/courses/manage/{}", page.course);
    let fields = view! {
            <input type="hidden" name="course" value=page.course.to_string()/>
            <input type="hidden" name="version" value=page.version.to_string()/>
            <input type="hidden" name="number" value=page.number.map(|number| number.to_string())/>
            <TextArea
                label=text::courses::question_text(l)
                name="text"
                value=typed("text", &question.text)
                error=field_error(l, errors, LABELS, "text")
                rows=3
                required=true
            />
            <RadioGroup
                legend=text::courses::question_kind(l)
                name="kind"
                choices=kinds
                value=typed("kind", question.kind.key())
                error=field_error(l, errors, LABELS, "kind")
            />
            <fieldset class="field options">
                <legend class="label">{text::courses::options(l)}</legend>
                <p class="hint">{text::courses::options_hint(l)}</p>
                {rights}
                {options}
            </fieldset>
            <TextArea
                label=text::courses::explanation(l)
                name="explanation"
                value=typed("explanation", &question.explanation)
                note=text::frame::optional(l)
                hint=text::courses::explanation_hint(l)
                error=field_error(l, errors, LABELS, "explanation")
                rows=3
            />
    };
    view! {
        <Form action="/api/courses/save_question" failed=text::frame::network_failed(l) errors>
            {fields}
            <div class="actions">
                <Button icon=IconName::Check wide=true>{text::courses::save_question(l)}</Button>
                <LinkButton href=back kind=ButtonKind::Quiet>
                    {text::courses::back(l)}
                </LinkButton>
            </div>
        </Form>
    }
    .into_any()
}

/// Numbers of the right options, in the form's format.
fn ticked(question: &Question, echo: Option<&FormErrors>) -> Vec<String> {
    match echo.and_then(|echo| echo.value("right")) {
        Some(typed) => typed.split(' ').map(ToOwned::to_owned).collect(),
        None => (1..).zip(&question.options).filter(|(_, option)| option.right).map(|(number, _)| number.to_string()).collect(),
    }
}

/// An option, with a checkbox for right. The first checkbox is the target of the error summary.
fn option(
    l: Locale,
    number: usize,
    field: &'static str,
    text: String,
    right: bool,
    errors: RwSignal<Option<FormErrors>>,
) -> AnyView {
    let id = if number == 1 { "right".to_owned() } else { format!("right-{number}") };
    let label = text::courses::option_number(l, l.number(number as u64));
    let spoken = text::courses::option_is_right(l, l.number(number as u64));
    view! {
        <div class="option">
            <Field label name=field value=text error=field_error(l, errors, LABELS, field) autocomplete="off"/>
            <label class="choice option-right">
                <input type="checkbox" id=id name="right[]" value=number.to_string() checked=right/>
                <span class="choice-text"><span class="choice-label">{spoken}</span></span>
            </label>
        </div>
    }
    .into_any()
}
