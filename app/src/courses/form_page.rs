//! A course for its managers: a form while it is a draft, read-only once it is assigned.

use domain::{
    Locale,
    courses::{Arrangement, CourseFormPage, CourseState, Question, QuizRules},
    documents::DocumentSummary,
    forms::FormErrors,
    ids::CourseId,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::params::ParamsMap;

use super::{
    desk_fns::{blank, form},
    words,
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{self, Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Choice, Crumb, DescriptionList, ErrorSummary, Fact, Field, Form, HERE,
        HeadingLevel, IconName, Line, LinkButton, Notice, NoticeKind, PageHeader, Select, Tag, TextArea, Tone, VisuallyHidden,
        Whose, content_lang,
    },
};

const LABELS: Labels = &[
    ("title", text::courses::name_of_course),
    ("description", text::courses::description),
    ("issuer", text::courses::issuer),
    ("pass_percent", text::courses::pass_mark),
    ("minutes", text::courses::time_limit),
    ("tries", text::courses::number_of_tries),
    ("document", text::courses::documents),
];

/// Forms of this page that can be rejected.
const FORMS: [&str; 3] = ["course", "rules", "documents"];

fn echo() -> Option<FormErrors> {
    FORMS.into_iter().find_map(take_echo)
}

#[component]
pub(crate) fn NewCoursePage() -> impl IntoView {
    let l = use_locale();
    let echo = echo();
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(|| (), |()| blank());
    show(data, move |page| {
        view! {
            <Title text=text::courses::new_course(l)/>
            <div class="page page-narrow">
                {way(l, text::courses::new_course(l).into())}
                <PageHeader title=text::courses::new_course(l) lead=text::courses::new_lead(l)/>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {course_form(l, &page, echo.as_ref(), errors)}
            </div>
        }
        .into_any()
    })
}

#[component]
pub(crate) fn EditCoursePage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let echo = echo();
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(move || (params.read().get("id").unwrap_or_default(), query.read().get("q")), |(id, q)| form(id, q));
    show(data, move |page| {
        let query = query.get_untracked();
        match page.course.state {
            CourseState::Draft => editing(l, &page, &query, echo.as_ref(), errors),
            CourseState::Assigned | CourseState::Ended => out(l, &page, &query),
        }
    })
}

fn editing(
    l: Locale,
    page: &CourseFormPage,
    query: &ParamsMap,
    echo: Option<&FormErrors>,
    errors: RwSignal<Option<FormErrors>>,
) -> AnyView {
    let course = &page.course;
    let told = if errors.with(Option::is_some) {
        None
    } else if query.get_str("changed").is_some() {
        let (title, hint) = (text::courses::changed_meanwhile(l), text::courses::changed_hint(l));
        Some(view! { <Notice kind=NoticeKind::Warn title><p>{hint}</p></Notice> }.into_any())
    } else if query.get_str("saved").is_some() {
        let title = text::courses::saved_at(l, l.date_time(course.saved_at));
        Some(view! { <Notice kind=NoticeKind::Ok title/> }.into_any())
    } else {
        None
    };
    let assign = format!("/courses/manage/{}/assign", course.id);
    let (about, state) = (course_form(l, page, echo, errors), course.state);
    view! {
        <Title text=course.title.clone()/>
        <div class="page page-narrow">
            {way(l, Line::content(&course.title))}
            <PageHeader title=course.title.clone() whose=Whose::Content eyebrow=Line::name(&course.issuer.name)>
                {words::state_tag(l, state)}
            </PageHeader>
            {told}
            <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
            <Card title=text::courses::about(l)>{about}</Card>
            {documents(l, page, query.get_str("q"), errors)}
            {quiz(l, page, echo, errors)}
            <Card title=text::courses::assignment(l) strong=true>
                <div class="stack-tight">
                    <p>{text::courses::assignment_hint(l)}</p>
                    <LinkButton href=assign icon=IconName::Send wide=true>{text::courses::go_assign(l)}</LinkButton>
                </div>
            </Card>
        </div>
    }
    .into_any()
}

fn course_form(l: Locale, page: &CourseFormPage, echo: Option<&FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let course = &page.course;
    let typed = |field: &str, stored: &str| {
        let echo = echo.filter(|echo| echo.form == "course");
        echo.and_then(|echo| echo.value(field)).unwrap_or(stored).to_owned()
    };
    let issuer = course.issuer.id.to_string();
    // The unit is chosen once, by managers who may act for several.
    let issuers = (course.version == 0 && page.issuers.len() > 1).then(|| {
        let choices = page.issuers.iter().map(|unit| Choice::name(unit.id.to_string(), unit.name.clone())).collect();
        let (value, error) = (typed("issuer", &issuer), field_error(l, errors, LABELS, "issuer"));
        view! { <Select label=text::courses::issuer(l) name="issuer" choices value error/> }
    });
    let only = issuers.is_none().then(|| view! { <input type="hidden" name="issuer" value=issuer.clone()/> });
    let kind = save_kind(course.version);
    let fields = view! {
            <input type="hidden" name="id" value=course.id.to_string()/>
            <input type="hidden" name="version" value=course.version.to_string()/>
            {only}
            <Field
                label=text::courses::name_of_course(l)
                name="title"
                value=typed("title", &course.title)
                error=field_error(l, errors, LABELS, "title")
                required=true
            />
            <TextArea
                label=text::courses::description(l)
                name="description"
                value=typed("description", &course.description)
                note=text::frame::optional(l)
                hint=text::courses::description_hint(l)
                error=field_error(l, errors, LABELS, "description")
                rows=6
            />
            {issuers}
    };
    view! {
        <Form action="/api/courses/save" failed=text::frame::network_failed(l) errors>
            {fields}
            <div class="actions">
                <Button icon=IconName::Check wide=true kind>{text::courses::save(l)}</Button>
            </div>
        </Form>
    }
    .into_any()
}

/// On the page of a draft assigning is the primary action; on that of a new course saving is the only one.
const fn save_kind(version: u32) -> ButtonKind {
    if version == 0 { ButtonKind::Primary } else { ButtonKind::Secondary }
}

fn documents(l: Locale, page: &CourseFormPage, q: Option<&str>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let (id, version) = (page.course.id, page.course.version);
    let last = page.documents.len().saturating_sub(1);
    let chosen = page
        .documents
        .iter()
        .enumerate()
        .map(|(at, document)| {
            let name = document_name(document);
            let link = view! { <a lang=content_lang() href=format!("/library/{}", document.id)>{name.clone()}</a> };
            let subject = ("document", document.id.to_string());
            let steps = steps(l, "/api/courses/arrange", id, version, subject, &Line::content(&name), (at > 0, at < last));
            view! { <li class="arranged"><div class="arranged-text">{link}</div>{steps}</li> }
        })
        .collect_view();
    let list = if page.documents.is_empty() {
        view! { <p class="muted">{text::courses::no_documents(l)}</p> }.into_any()
    } else {
        view! { <ol class="arranged-list" role="list">{chosen}</ol> }.into_any()
    };
    let refused = field_error(l, errors, LABELS, "document");
    let refused = move || refused.get().map(|told| view! { <p class="field-error" id="document-error">{told}</p> });
    let finder = finder(l, page, q);
    view! {
        <section id="documents">
            <Card title=text::courses::documents(l)>
                <div class="stack">
                    {list}
                    {refused}
                    {finder}
                </div>
            </Card>
        </section>
    }
    .into_any()
}

fn document_name(document: &DocumentSummary) -> String {
    document.number.as_ref().map_or_else(|| document.title.clone(), |number| format!("{number} · {}", document.title))
}

/// A search in the address; each result has a button that adds it.
fn finder(l: Locale, page: &CourseFormPage, q: Option<&str>) -> AnyView {
    let (id, version) = (page.course.id, page.course.version);
    let asked = q.is_some_and(|q| !q.trim().is_empty());
    let heading = if asked { text::courses::found(l) } else { text::courses::newest(l) };
    let rows = page
        .found
        .iter()
        .map(|document| {
            let name = document_name(document);
            let spoken = Line::content(&name);
            view! {
                <li class="arranged">
                    <div class="arranged-text">
                        <p class="row-eyebrow">{terms::document_kind(l, document.kind)}</p>
                        <p lang=content_lang()>{name}</p>
                    </div>
                    <form method="post" action="/api/courses/arrange">
                        <input type="hidden" name="id" value=id.to_string()/>
                        <input type="hidden" name="version" value=version.to_string()/>
                        <input type="hidden" name="document" value=document.id.to_string()/>
                        <Button name="step" value=Arrangement::Add.key() kind=ButtonKind::Secondary icon=IconName::Plus>
                            {text::courses::add(l)} <VisuallyHidden>" " {spoken.show()}</VisuallyHidden>
                        </Button>
                    </form>
                </li>
            }
        })
        .collect_view();
    let found = if page.found.is_empty() {
        view! { <p class="muted">{text::courses::none_found(l)}</p> }.into_any()
    } else {
        view! { <ul class="arranged-list" role="list">{rows}</ul> }.into_any()
    };
    view! {
        <div class="stack-tight">
            <h3>{text::courses::add_documents(l)}</h3>
            <label class="label" for="document">{text::courses::find_document(l)}</label>
            <form class="search" role="search" method="get" action=format!("/courses/manage/{id}#documents")>
                <input
                    class="input"
                    type="search"
                    name="q"
                    id="document"
                    value=q.unwrap_or_default().to_owned()
                    autocomplete="off"
                />
                <Button kind=ButtonKind::Secondary icon=IconName::Search>{text::courses::go_find(l)}</Button>
            </form>
            <p class="found-heading">{heading}</p>
            {found}
        </div>
    }
    .into_any()
}

/// Buttons that move an item up or down, or remove it. Their labels for screen readers name the item.
fn steps(
    l: Locale,
    action: &'static str,
    id: CourseId,
    version: u32,
    (field, value): (&'static str, String),
    name: &Line,
    (can_rise, can_sink): (bool, bool),
) -> AnyView {
    let button = |step: Arrangement, label: &'static str| {
        let name = name.clone();
        view! {
            <Button name="step" value=step.key() kind=ButtonKind::Quiet>
                {label} <VisuallyHidden>": " {name.show()}</VisuallyHidden>
            </Button>
        }
    };
    view! {
        <form class="arranged-steps" method="post" action=action>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="version" value=version.to_string()/>
            <input type="hidden" name=field value=value/>
            {can_rise.then(|| button(Arrangement::Up, text::courses::up(l)))}
            {can_sink.then(|| button(Arrangement::Down, text::courses::down(l)))}
            {button(Arrangement::Remove, text::courses::remove(l))}
        </form>
    }
    .into_any()
}

fn quiz(l: Locale, page: &CourseFormPage, echo: Option<&FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let (id, version) = (page.course.id, page.course.version);
    let last = page.questions.len().saturating_sub(1);
    let questions = page
        .questions
        .iter()
        .enumerate()
        .map(|(at, question)| {
            let number = at + 1;
            let href = format!("/courses/manage/{id}/questions/{number}");
            let name = Line::around(text::courses::numbered(l, l.number(number as u64), HERE), &Line::content(&question.text));
            let subject = ("number", number.to_string());
            let steps = steps(l, "/api/courses/arrange_question", id, version, subject, &name, (at > 0, at < last));
            view! { <li class="arranged"><div class="arranged-text"><a href=href>{name.show()}</a></div>{steps}</li> }
        })
        .collect_view();
    let list = if page.questions.is_empty() {
        view! { <p class="muted">{text::courses::no_questions(l)}</p> }.into_any()
    } else {
        view! { <ol class="arranged-list" role="list">{questions}</ol> }.into_any()
    };
    let rules = (!page.questions.is_empty()).then(|| rules_form(l, page, echo, errors));
    view! {
        <section id="quiz">
            <Card title=text::courses::quiz(l)>
                <div class="stack">
                    {list}
                    <LinkButton href=format!("/courses/manage/{id}/questions/new") kind=ButtonKind::Secondary icon=IconName::Plus>
                        {text::courses::add_question(l)}
                    </LinkButton>
                    {rules}
                </div>
            </Card>
        </section>
    }
    .into_any()
}

fn rules_form(l: Locale, page: &CourseFormPage, echo: Option<&FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let rules = page.course.rules;
    let typed = |field: &str, stored: String| {
        let echo = echo.filter(|echo| echo.form == "rules");
        echo.and_then(|echo| echo.value(field)).map_or(stored, ToOwned::to_owned)
    };
    let percents = QuizRules::PERCENTS.map(|percent| Choice::new(percent.to_string(), l.percent(percent.into(), 100)));
    let minutes = QuizRules::MINUTES.map(|minutes| Choice::new(minutes.to_string(), text::courses::minutes(l, minutes.into())));
    let minutes = [Choice::new("", text::courses::no_limit(l))].into_iter().chain(minutes).collect();
    let tries = QuizRules::TRIES.map(|tries| Choice::new(tries.to_string(), words::tries(l, tries)));
    let fields = view! {
            <input type="hidden" name="course" value=page.course.id.to_string()/>
            <input type="hidden" name="version" value=page.course.version.to_string()/>
            <Select
                label=text::courses::pass_mark(l)
                name="pass_percent"
                choices=percents.into()
                value=typed("pass_percent", rules.pass_percent.to_string())
                error=field_error(l, errors, LABELS, "pass_percent")
            />
            <Select
                label=text::courses::time_limit(l)
                name="minutes"
                choices=minutes
                value=typed("minutes", rules.minutes.map_or_else(String::new, |minutes| minutes.to_string()))
                error=field_error(l, errors, LABELS, "minutes")
            />
            <Select
                label=text::courses::number_of_tries(l)
                name="tries"
                choices=tries.into()
                value=typed("tries", rules.tries.to_string())
                error=field_error(l, errors, LABELS, "tries")
            />
    };
    view! {
        <Form action="/api/courses/save_rules" failed=text::frame::network_failed(l) errors>
            {fields}
            <div class="actions">
                <Button kind=ButtonKind::Secondary icon=IconName::Check>{text::courses::save_rules(l)}</Button>
            </div>
        </Form>
    }
    .into_any()
}

/// An assigned course: content and audience, links to results, ending, copying.
fn out(l: Locale, page: &CourseFormPage, query: &ParamsMap) -> AnyView {
    let course = &page.course;
    let id = course.id;
    let told = if query.get_str("assigned").is_some() {
        view! { <Notice kind=NoticeKind::Ok title=text::courses::assigned_now(l)><p>{text::courses::assigned_hint(l)}</p></Notice> }
            .into_any()
    } else {
        view! { <Notice title=words::state(l, course.state)><p>{text::courses::not_editable(l)}</p></Notice> }.into_any()
    };
    let (state, copy) = (course.state, copy_form(l, page));
    let is_open = state == CourseState::Assigned;
    let asks = is_open && query.get_str("end").is_some();
    let audience = course.audience.as_ref().map(|unit| {
        let whom = terms::audience(l, unit, &course.parts, &course.except).show();
        view! { <Fact label=text::courses::audience(l)>{whom}</Fact> }
    });
    let due = course.due_on.map(|day| view! { <Fact label=text::courses::due(l)>{l.long_date(day)}</Fact> });
    let rules = course.rules;
    let rules = (!page.questions.is_empty()).then(|| {
        view! {
            <Fact label=text::courses::pass_mark(l)>{words::pass_mark(l, rules)}</Fact>
            <Fact label=text::courses::time_limit(l)>{words::minutes(l, rules)}</Fact>
            <Fact label=text::courses::number_of_tries(l)>{words::tries(l, rules.tries)}</Fact>
        }
    });
    let description =
        (!page.html.is_empty()).then(|| view! { <div class="prose" lang=content_lang() inner_html=page.html.clone()></div> });
    let documents = page
        .documents
        .iter()
        .map(|document| view! { <li><a lang=content_lang() href=format!("/library/{}", document.id)>{document_name(document)}</a></li> })
        .collect_view();
    let documents = (!page.documents.is_empty())
        .then(|| view! { <Card title=text::courses::documents(l)><ol class="given-documents">{documents}</ol></Card> });
    let questions = page.questions.iter().enumerate().map(|(at, one)| shown_question(l, at, one)).collect_view();
    let questions = (!page.questions.is_empty())
        .then(|| view! { <section class="stack"><h2>{text::courses::quiz(l)}</h2>{questions}</section> });
    view! {
        <Title text=course.title.clone()/>
        <div class="page page-narrow">
            {way(l, Line::content(&course.title))}
            <PageHeader title=course.title.clone() whose=Whose::Content eyebrow=Line::name(&course.issuer.name)>
                {words::state_tag(l, state)}
            </PageHeader>
            {asks.then(|| ending(l, id))}
            {told}
            <Card><DescriptionList>{audience}{due}{rules}</DescriptionList></Card>
            <div class="actions">
                <LinkButton href=format!("/courses/{id}/results") icon=IconName::Chart>{text::courses::open_results(l)}</LinkButton>
                {is_open.then(|| view! {
                    <LinkButton href=format!("/courses/manage/{id}?end=1") kind=ButtonKind::Secondary icon=IconName::Lock>
                        {text::courses::go_end(l)}
                    </LinkButton>
                })}
                {copy}
            </div>
            {description}
            {documents}
            {questions}
        </div>
    }
    .into_any()
}

fn shown_question(l: Locale, at: usize, question: &Question) -> AnyView {
    let title = Line::around(text::courses::numbered(l, l.number(at as u64 + 1), HERE), &Line::content(&question.text));
    let options = question
        .options
        .iter()
        .map(|option| {
            let right =
                option.right.then(|| view! { <Tag tone=Tone::Ok icon=IconName::Check label=text::courses::right_answer(l)/> });
            view! {
                <li class=if option.right { "answer answer-right" } else { "answer" }>
                    <span lang=content_lang()>{option.text.clone()}</span>
                    {right}
                </li>
            }
        })
        .collect_view();
    view! { <Card title level=HeadingLevel::Three><ul class="answers" role="list">{options}</ul></Card> }.into_any()
}

fn copy_form(l: Locale, page: &CourseFormPage) -> AnyView {
    let (course, copy) = (page.course.id.to_string(), page.copy.to_string());
    view! {
        <Form action="/api/courses/copy" failed=text::frame::network_failed(l)>
            <input type="hidden" name="course" value=course/>
            <input type="hidden" name="copy" value=copy/>
            <Button kind=ButtonKind::Secondary icon=IconName::Compose>{text::courses::copy(l)}</Button>
        </Form>
    }
    .into_any()
}

/// Confirmation before a course ends for everybody.
fn ending(l: Locale, id: CourseId) -> AnyView {
    view! {
        <Card title=text::courses::end_title(l) strong=true>
            <div class="stack">
                <p>{text::courses::end_hint(l)}</p>
                <Form action="/api/courses/end" failed=text::frame::network_failed(l)>
                    <input type="hidden" name="course" value=id.to_string()/>
                    <div class="actions">
                        <Button kind=ButtonKind::Danger icon=IconName::Lock>{text::courses::end(l)}</Button>
                        <LinkButton href=format!("/courses/manage/{id}") kind=ButtonKind::Secondary>
                            {text::courses::keep_open(l)}
                        </LinkButton>
                    </div>
                </Form>
            </div>
        </Card>
    }
    .into_any()
}

fn way(l: Locale, here: Line) -> AnyView {
    let crumbs = vec![Crumb::link(text::courses::desk(l), "/courses/manage"), Crumb::here(here)];
    view! { <Breadcrumbs label=text::courses::way(l) crumbs/> }.into_any()
}
