//! The quiz: one page, one form. A script saves selections and shows the time; without it a button saves.

use domain::{
    Locale,
    courses::{AskedQuestion, QuestionKind, QuizPage as Quiz},
    forms::FormErrors,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{fns::quiz, words};
use crate::{
    context::{take_echo, use_viewer},
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, CheckGroup, Choice, Crumb, EmptyState, Form, HERE, IconName, Line, LinkButton, Notice,
        NoticeKind, PageHeader, RadioGroup, Whose,
    },
};

#[component]
pub(crate) fn QuizPage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let id = move || params.read().get("id").unwrap_or_default();
    let owner = use_viewer().map(|viewer| viewer.member.to_string());
    let echo = take_echo("quiz");
    let data = Resource::new(id, quiz);
    show(data, move |page| {
        let Some(mut page) = page else { return nothing_open(l, &id()) };
        let is_restored = echo.as_ref().is_some_and(|echo| restore(&mut page, echo));
        let saved = !is_restored && query.with_untracked(|query| query.get_str("saved").is_some());
        open(l, page, saved, is_restored, owner.clone())
    })
}

/// Restores the selections of a rejected form. Returns false when they belong to another try.
fn restore(page: &mut Quiz, echo: &FormErrors) -> bool {
    let Some(ticked) = echo.value(&page.number.to_string()) else { return false };
    for (at, asked) in page.questions.iter_mut().enumerate() {
        let place = |tick: &str| {
            let (question, place) = tick.split_once(':')?;
            if question.parse::<usize>() == Ok(at) { place.parse().ok() } else { None }
        };
        asked.chosen = ticked.split(' ').filter_map(place).collect();
    }
    true
}

/// Handed in on another device, or the time is over.
fn nothing_open(l: Locale, id: &str) -> AnyView {
    let course = format!("/courses/{id}");
    view! {
        <Title text=text::courses::quiz(l)/>
        <div class="page page-narrow">
            {way_back(text::courses::to_course(l), &course, text::courses::quiz(l))}
            <PageHeader title=text::courses::quiz(l)/>
            <EmptyState title=text::courses::no_open_try(l) text=text::courses::no_open_try_hint(l) icon=IconName::Clock>
                <LinkButton href=course>{text::courses::to_course(l)}</LinkButton>
            </EmptyState>
        </div>
    }
    .into_any()
}

/// `is_restored`: the selections are not stored on the server yet, so the script sends them. `owner` is the key of the device's
/// copy.
fn open(l: Locale, page: Quiz, saved: bool, is_restored: bool, owner: Option<String>) -> AnyView {
    let id = page.course;
    let crumbs = vec![
        Crumb::link(text::courses::title(l), "/courses"),
        Crumb::link(Line::content(&page.title), format!("/courses/{id}")),
        Crumb::here(text::courses::quiz(l)),
    ];
    let mark = text::courses::pass_mark_told(l, words::pass_mark(l, page.rules));
    let left = page.tries_left.map(|left| match left {
        0 => text::courses::last_try(l).to_owned(),
        left => text::courses::more_tries(l, left.into()),
    });
    let lead = left.map_or_else(|| mark.clone(), |left| format!("{mark} {left}"));
    let kept = page.saved_at.filter(|_| saved).map(|at| text::courses::kept_at(l, l.time(at)));
    let kept = kept.map(|title| view! { <Notice kind=NoticeKind::Ok title/> });
    let questions = page.questions.iter().enumerate().map(|(at, asked)| question(l, at, asked)).collect_view();
    view! {
        <Title text=text::courses::quiz(l)/>
        <div class="page page-narrow">
            <Breadcrumbs label=text::courses::way(l) crumbs/>
            <PageHeader title=text::courses::quiz(l) eyebrow=Line::content(&page.title) lead/>
            {time(l, &page)}
            {kept}
            <div
                class="quiz"
                data-quiz="true"
                data-owner=owner
                data-restored=is_restored.then_some("true")
                data-seconds=page.seconds_left.map(|seconds| seconds.to_string())
                data-kept=text::courses::kept(l)
                data-lost=text::courses::not_kept(l)
                data-left=text::courses::time_left_pattern(l, "{left}")
            >
                <Form action="/api/courses/answer" failed=text::frame::network_failed(l)>
                    <input type="hidden" name="course" value=id.to_string()/>
                    <input type="hidden" name="number" value=page.number.to_string()/>
                    {questions}
                    <p class="quiz-kept muted" role="status" data-kept-mark="true"></p>
                    <p class="muted">{text::courses::hand_in_hint(l)}</p>
                    <div class="actions">
                        <Button name="step" value="hand_in" icon=IconName::Send wide=true>{text::courses::hand_in(l)}</Button>
                        <Button name="step" value="save" kind=ButtonKind::Secondary icon=IconName::Check wide=true>
                            {text::courses::keep(l)}
                        </Button>
                    </div>
                </Form>
            </div>
        </div>
    }
    .into_any()
}

/// The end of the time limit, in words; the script adds the remaining time.
fn time(l: Locale, page: &Quiz) -> Option<AnyView> {
    let (ends_at, seconds) = (page.ends_at?, page.seconds_left?);
    let title = text::courses::time_ends(l, l.time(ends_at));
    let left = text::courses::time_left(l, u64::from(seconds.div_ceil(60)));
    Some(
        view! {
            <Notice title icon=IconName::Clock quiet=true>
                <p><span role="timer" data-time-left="true">{left}</span>" "{text::courses::time_ends_hint(l)}</p>
            </Notice>
            // The clock is visual only; the remaining time is announced a few times here.
            <p class="visually-hidden" role="status" data-time-told="true"></p>
        }
        .into_any(),
    )
}

fn question(l: Locale, at: usize, asked: &AskedQuestion) -> AnyView {
    let legend = Line::around(text::courses::numbered(l, l.number(at as u64 + 1), HERE), &Line::content(&asked.text));
    let choice = |(place, text): (usize, &String)| Choice::new(place.to_string(), text.clone()).whose(Whose::Content);
    let choices = asked.options.iter().enumerate().map(choice).collect();
    let (name, id) = (format!("answers[{at}][]"), format!("question-{}", at + 1));
    match asked.kind {
        QuestionKind::Single => {
            let value = asked.chosen.first().map(ToString::to_string);
            view! { <RadioGroup legend name id choices value/> }.into_any()
        }
        QuestionKind::Multiple => {
            let checked = asked.chosen.iter().map(ToString::to_string).collect();
            view! { <CheckGroup legend name id choices checked hint=text::courses::tick_all(l)/> }.into_any()
        }
    }
}
