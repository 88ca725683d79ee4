//! The result of a try. Solutions are shown only after passing or when no try is left.

use domain::{
    Locale,
    courses::{NextStep, ResultPage as Found, ReviewedOption, ReviewedQuestion, Tries},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{course_page::one_button, fns::try_result, words};
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{
        Breadcrumbs, ButtonKind, Card, Crumb, HERE, HeadingLevel, IconName, Line, LinkButton, Notice, NoticeKind, PageHeader,
        Tag, Tone, content_lang,
    },
};

#[component]
pub(crate) fn ResultPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let data = Resource::new(
        move || params.with(|params| (params.get("id").unwrap_or_default(), params.get("number").unwrap_or_default())),
        |(id, number)| try_result(id, number),
    );
    show(data, move |page| {
        let title = text::courses::result(l);
        let crumbs = vec![
            Crumb::link(text::courses::title(l), "/courses"),
            Crumb::link(Line::content(&page.title), format!("/courses/{}", page.course)),
            Crumb::here(title),
        ];
        let lead = text::courses::handed_in_at(l, l.number(page.handed_in.number), l.date_time(page.handed_in.at));
        let review = (!page.review.is_empty()).then(|| {
            let questions = page.review.iter().enumerate().map(|(at, question)| reviewed(l, at, question)).collect_view();
            view! { <section class="stack"><h2>{text::courses::answers(l)}</h2>{questions}</section> }
        });
        view! {
            <Title text=title/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::courses::way(l) crumbs/>
                <PageHeader title eyebrow=Line::content(&page.title) lead/>
                {verdict(l, &page)}
                {next(l, &page)}
                {review}
            </div>
        }
        .into_any()
    })
}

fn verdict(l: Locale, page: &Found) -> AnyView {
    let (kind, word) = if page.handed_in.passed {
        (NoticeKind::Ok, text::courses::passed(l))
    } else {
        (NoticeKind::Warn, text::courses::not_passed(l))
    };
    let title = text::courses::verdict(l, word, words::score(l, page.handed_in.score));
    let mark = text::courses::pass_mark_told(l, words::pass_mark(l, page.rules));
    let ended = page.was_ended.then(|| view! { <p>{text::courses::was_ended(l)}</p> });
    view! { <Notice kind title><p>{mark}</p>{ended}</Notice> }.into_any()
}

fn next(l: Locale, page: &Found) -> AnyView {
    let course = format!("/courses/{}", page.course);
    if page.handed_in.passed {
        return view! {
            <div class="actions">
                <LinkButton href=format!("{course}/certificate") icon=IconName::Print wide=true>
                    {text::courses::open_certificate(l)}
                </LinkButton>
                <LinkButton href=course kind=ButtonKind::Secondary wide=true>{text::courses::to_course(l)}</LinkButton>
            </div>
        }
        .into_any();
    }
    let left = match (page.tries, page.tries_left) {
        (Tries::Given, _) => text::courses::given_again(l).to_owned(),
        (Tries::UsedUp, _) | (_, Some(0)) => text::courses::no_try_left(l).to_owned(),
        (_, Some(left)) => text::courses::more_tries(l, left.into()),
        (_, None) => text::courses::try_any_number(l).to_owned(),
    };
    let way = (page.tries == Tries::UsedUp).then(|| view! { <p>{text::courses::may_be_given(l, &page.issuer.name)}</p> });
    let again = match page.next {
        NextStep::StartQuiz => {
            let button = one_button(l, "/api/courses/start", page.course, IconName::Pencil, text::courses::try_again(l));
            Some(view! { {words::time_runs(l, page.rules.minutes)} {button} }.into_any())
        }
        NextStep::GoOn => Some(
            view! {
                <div class="actions">
                    <LinkButton href=format!("{course}/quiz") icon=IconName::Pencil wide=true>{text::courses::go_on(l)}</LinkButton>
                </div>
            }
            .into_any(),
        ),
        _ => None,
    };
    let kind = if again.is_some() { ButtonKind::Secondary } else { ButtonKind::Primary };
    view! {
        <p>{left}</p>
        {way}
        {again}
        <div class="actions">
            <LinkButton href=course kind icon=IconName::ArrowRight wide=true>{text::courses::to_course(l)}</LinkButton>
        </div>
    }
    .into_any()
}

fn reviewed(l: Locale, at: usize, question: &ReviewedQuestion) -> AnyView {
    let tag = if question.right {
        view! { <Tag tone=Tone::Ok icon=IconName::CheckCircle label=text::courses::answered_right(l)/> }.into_any()
    } else {
        view! { <Tag tone=Tone::Warn icon=IconName::Close label=text::courses::answered_wrong(l)/> }.into_any()
    };
    let options = question.options.iter().map(|one| option(l, one)).collect_view();
    let explanation = (!question.explanation.is_empty()).then(|| {
        view! { <p class="answer-why"><strong>{text::courses::because(l)}</strong>" "{Line::content(&question.explanation).show()}</p> }
    });
    let title = Line::around(text::courses::numbered(l, l.number(at as u64 + 1), HERE), &Line::content(&question.text));
    view! {
        <Card title level=HeadingLevel::Three>
            <p>{tag}</p>
            <ul class="answers" role="list">{options}</ul>
            {explanation}
        </Card>
    }
    .into_any()
}

/// Right and chosen are written in words, because colours and icons are not enough for everybody.
fn option(l: Locale, option: &ReviewedOption) -> AnyView {
    let right = option.right.then(|| view! { <Tag tone=Tone::Ok icon=IconName::Check label=text::courses::right_answer(l)/> });
    let chosen = option.chosen.then(|| view! { <Tag label=text::courses::your_answer(l)/> });
    view! {
        <li class=if option.right { "answer answer-right" } else { "answer" }>
            <span lang=content_lang()>{option.text.clone()}</span>
            {right}
            {chosen}
        </li>
    }
    .into_any()
}
