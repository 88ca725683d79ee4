//! A course as its learners see it: documents, quiz, next step.

use domain::{
    Locale,
    courses::{CoursePage as Course, NextStep, QuizFacts, Tries, TryRow},
    documents::DocumentSummary,
    ids::CourseId,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{fns::course, words};
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{
        Breadcrumbs, Button, Card, Crumb, DescriptionList, Fact, Form, IconName, Line, LinkButton, ListRow, Notice, NoticeKind,
        PageHeader, Progress, RowList, Tag, Tone, Whose, content_lang,
    },
};

#[component]
pub(crate) fn CoursePage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), course);
    show(data, move |page| {
        let just_done = query.with_untracked(|query| query.get_str("done").is_some());
        let crumbs = vec![Crumb::link(text::courses::title(l), "/courses"), Crumb::here(Line::content(&page.course.title))];
        let lead = text::courses::due_on(l, l.long_date_within(page.course.due_on));
        let description =
            (!page.html.is_empty()).then(|| view! { <div class="prose" lang=content_lang() inner_html=page.html.clone()></div> });
        let confirmation = just_done.then(|| view! { <Notice kind=NoticeKind::Ok title=text::courses::completed_now(l)/> });
        view! {
            <Title text=page.course.title.clone()/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::courses::way(l) crumbs/>
                <PageHeader title=page.course.title.clone() whose=Whose::Content eyebrow=Line::name(&page.course.issuer.name) lead>
                    {words::tries_tag(l, page.course.tries, page.course.progress)}
                </PageHeader>
                {confirmation}
                {given(l, &page)}
                {description}
                {documents(l, &page)}
                {page.quiz.map(|quiz| facts(l, quiz))}
                {tries(l, page.course.id, &page.tries)}
                {next(l, &page)}
            </div>
        }
        .into_any()
    })
}

/// Another try was granted and has not begun.
fn given(l: Locale, page: &Course) -> Option<AnyView> {
    let is_open = matches!(page.next, NextStep::StartQuiz | NextStep::Read { .. });
    (is_open && page.course.tries == Tries::Given).then(|| {
        let title = text::courses::given_again(l);
        view! { <Notice kind=NoticeKind::Ok title icon=IconName::Pencil><p>{text::courses::given_again_hint(l)}</p></Notice> }
            .into_any()
    })
}

fn documents(l: Locale, page: &Course) -> Option<AnyView> {
    let all = page.documents.len() as u64;
    if all == 0 {
        return None;
    }
    let read = page.documents.iter().filter(|document| document.is_read()).count() as u64;
    let told = text::courses::read_of(l, l.number(read), l.number(all));
    let rows = page.documents.iter().map(|document| document_row(l, document)).collect_view();
    Some(
        view! {
            <Card title=text::courses::documents(l)>
                <Progress value=read max=all label=text::courses::reading(l) text=told/>
                <RowList>{rows}</RowList>
            </Card>
        }
        .into_any(),
    )
}

fn document_row(l: Locale, document: &DocumentSummary) -> AnyView {
    let meta = text::courses::reading_time(l, document.minutes.into());
    let tag = if document.corrected_on.is_some() {
        view! { <Tag tone=Tone::Warn icon=IconName::Pencil label=text::documents::corrected(l)/> }.into_any()
    } else if document.read {
        view! { <Tag tone=Tone::Ok icon=IconName::CheckCircle label=text::courses::was_read(l)/> }.into_any()
    } else {
        view! { <Tag tone=Tone::Accent label=text::courses::not_read(l)/> }.into_any()
    };
    view! {
        <ListRow
            href=format!("/library/{}", document.id)
            title=document.title.clone()
            eyebrow=terms::document_kind(l, document.kind)
            meta
            unread=!document.is_read()
        >
            {tag}
        </ListRow>
    }
    .into_any()
}

fn facts(l: Locale, quiz: QuizFacts) -> AnyView {
    let left = quiz.tries_left.map(|left| view! { <Fact label=text::courses::tries_left(l)>{l.number(left)}</Fact> });
    view! {
        <Card title=text::courses::quiz(l)>
            <DescriptionList>
                <Fact label=text::courses::questions(l)>{l.number(quiz.questions)}</Fact>
                <Fact label=text::courses::pass_mark(l)>{words::pass_mark(l, quiz.rules)}</Fact>
                <Fact label=text::courses::time_limit(l)>{words::minutes(l, quiz.rules)}</Fact>
                <Fact label=text::courses::number_of_tries(l)>{words::tries(l, quiz.rules.tries)}</Fact>
                {left}
            </DescriptionList>
        </Card>
    }
    .into_any()
}

fn tries(l: Locale, course: CourseId, tries: &[TryRow]) -> Option<AnyView> {
    let row = |row: &TryRow| {
        let tag = if row.passed {
            view! { <Tag tone=Tone::Ok icon=IconName::CheckCircle label=text::courses::passed(l)/> }.into_any()
        } else {
            view! { <Tag tone=Tone::Warn label=text::courses::not_passed(l)/> }.into_any()
        };
        view! {
            <ListRow
                href=format!("/courses/{course}/tries/{}", row.number)
                title=text::courses::try_number(l, l.number(row.number))
                whose=Whose::Ours
                meta=format!("{}\u{a0}· {}", words::score(l, row.score), l.date_time(row.at))
            >
                {tag}
            </ListRow>
        }
    };
    let rows = tries.iter().map(row).collect_view();
    (!tries.is_empty()).then(|| view! { <Card title=text::courses::own_tries(l)><RowList>{rows}</RowList></Card> }.into_any())
}

/// The next step, or why there is none.
fn next(l: Locale, page: &Course) -> AnyView {
    let id = page.course.id;
    match page.next {
        NextStep::Read { missing } => {
            let title = text::courses::read_first(l, missing.into());
            let then = if page.quiz.is_some() { text::courses::then_quiz(l) } else { text::courses::then_confirm(l) };
            view! { <Notice title icon=IconName::Book><p>{then}</p></Notice> }.into_any()
        }
        NextStep::StartQuiz => {
            let label = if page.tries.is_empty() { text::courses::start_quiz(l) } else { text::courses::try_again(l) };
            let limit = page.quiz.and_then(|quiz| quiz.rules.minutes);
            view! { {words::time_runs(l, limit)} {one_button(l, "/api/courses/start", id, IconName::Pencil, label)} }.into_any()
        }
        NextStep::GoOn => view! {
            <LinkButton href=format!("/courses/{id}/quiz") icon=IconName::Pencil wide=true>
                {text::courses::go_on(l)}
            </LinkButton>
        }
        .into_any(),
        NextStep::Confirm => one_button(l, "/api/courses/complete", id, IconName::Check, text::courses::complete(l)),
        NextStep::Certificate => view! {
            <LinkButton href=format!("/courses/{id}/certificate") icon=IconName::Print wide=true>
                {text::courses::open_certificate(l)}
            </LinkButton>
        }
        .into_any(),
        NextStep::Failed => {
            let who = text::courses::may_be_given(l, &page.course.issuer.name);
            view! {
                <Notice title=text::courses::no_try_left(l) icon=IconName::Lock>
                    <p>{who}</p>
                    <p>{text::courses::no_try_left_hint(l)}</p>
                </Notice>
            }
            .into_any()
        }
        NextStep::Ended => view! {
            <Notice title=text::courses::has_ended(l)><p>{text::courses::has_ended_hint(l)}</p></Notice>
        }
        .into_any(),
        NextStep::Elsewhere => view! {
            <Notice title=text::courses::elsewhere(l)><p>{text::courses::elsewhere_hint(l)}</p></Notice>
        }
        .into_any(),
    }
}

/// A form that asks nothing.
pub(super) fn one_button(l: Locale, action: &'static str, course: CourseId, icon: IconName, label: &'static str) -> AnyView {
    view! {
        <Form action failed=text::frame::network_failed(l)>
            <input type="hidden" name="course" value=course.to_string()/>
            <div class="actions">
                <Button icon wide=true>{label}</Button>
            </div>
        </Form>
    }
    .into_any()
}
