//! An opinion at the branch, with the form for the answer.

use domain::{
    Locale,
    feedback::{Opinion, OpinionText},
    forms::FormErrors,
    policy::Action,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{answer_by, fns::open_opinion, opinion_state::OpinionSteps};
use crate::{
    context::{take_echo, use_viewer},
    frame::way_back,
    i18n::use_locale,
    page::show,
    terms::{self, Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Button, ButtonKind, Card, DescriptionList, ErrorSummary, Fact, Form, IconName, Line, LinkButton, Notice, NoticeKind,
        PageHeader, TextArea, Unsent, Whose, content_lang,
    },
};

const LABELS: Labels = &[("text", text::feedback::answer_label)];

#[component]
pub fn ReceivedOpinionPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let viewer = use_viewer();
    let echo = take_echo("answer");
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), open_opinion);
    show(data, move |opinion| {
        let may_answer = viewer.as_ref().is_some_and(|viewer| viewer.standpoint.may(Action::AnswerOpinion, &opinion.branch.path));
        let title = text::feedback::opinion_of(l, &opinion.author);
        let author = opinion.author.clone();
        let is_answered = opinion.answer.is_some();
        let just_answered = move || {
            let shown = is_answered && query.with(|query| query.get_str("answered").is_some());
            shown.then(|| view! { <Notice kind=NoticeKind::Ok title=text::feedback::answer_sent(l, &author)/> })
        };
        let answer = match &opinion.answer {
            Some(_) => answer_given(l, &opinion),
            None if may_answer => answer_form(l, &opinion, echo.as_ref(), errors),
            None => ().into_any(),
        };
        // Answered meanwhile: the form that the problems refer to no longer exists.
        let told = if is_answered {
            unsent_answer(l, echo.as_ref()).into_any()
        } else {
            view! { <ErrorSummary title=text::feedback::write_errors(l) items=all_errors(l, errors, LABELS)/> }.into_any()
        };
        view! {
            <Title text=title.clone()/>
            <div class="page page-narrow">
                {way_back(text::feedback::received_title(l), "/branch", title.as_str())}
                <PageHeader eyebrow=Line::name(&opinion.branch.name) title/>
                {just_answered}
                {told}
                {content(l, opinion.clone())}
                {answer}
                <OpinionSteps opinion/>
                <div class="actions">
                    <LinkButton href="/branch" kind=ButtonKind::Quiet icon=IconName::ArrowLeft>
                        {text::feedback::received_title(l)}
                    </LinkButton>
                </div>
            </div>
        }
        .into_any()
    })
}

fn content(l: Locale, opinion: Opinion) -> AnyView {
    let document = format!("/library/{}", opinion.document);
    view! {
        <Card title=text::feedback::opinion(l)>
            <p class="quote" lang=content_lang()>{opinion.text}</p>
            <DescriptionList>
                <Fact label=text::feedback::author(l) whose=Whose::Name>
                    {text::feedback::author_at(l, opinion.author, opinion.branch.name)}
                </Fact>
                <Fact label=text::feedback::about_document(l) whose=Whose::Content>
                    <a href=document>{opinion.document_title}</a>
                </Fact>
                <Fact label=text::feedback::read_by(l)>{terms::opinion_audience(l, opinion.audience)}</Fact>
                <Fact label=text::feedback::sent(l)>{l.date_time(opinion.sent_at)}</Fact>
                <Fact label=text::feedback::code(l) whose=Whose::Name>{opinion.code.as_str().to_owned()}</Fact>
            </DescriptionList>
        </Card>
    }
    .into_any()
}

fn answer_given(l: Locale, opinion: &Opinion) -> AnyView {
    let answer = opinion.answer.clone().map(|answer| {
        let by = answer_by(l, &answer);
        view! {
            <p class="quote" lang=content_lang()>{answer.text}</p>
            <p class="muted small">{by.show()}</p>
        }
    });
    view! { <Card title=text::feedback::answer(l)>{answer}</Card> }.into_any()
}

/// The typed answer to an opinion that was answered meanwhile.
fn unsent_answer(l: Locale, echo: Option<&FormErrors>) -> Option<AnyView> {
    let typed = echo?.value("text")?.to_owned();
    let unsent = view! { <Unsent title=text::feedback::answered_meanwhile(l) label=text::frame::unsent(l) typed/> };
    Some(unsent.into_any())
}

fn answer_form(l: Locale, opinion: &Opinion, echo: Option<&FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let typed = echo.and_then(|echo| echo.value("text")).map(str::to_owned);
    let id = opinion.id.to_string();
    let hint = text::feedback::answer_hint(l, &opinion.author, l.number(OpinionText::MAX));
    view! {
        <Form action="/api/feedback/answer" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="opinion" value=id/>
            <TextArea
                label=text::feedback::answer_label(l)
                name="text"
                value=typed
                hint
                error=field_error(l, errors, LABELS, "text")
                required=true
            />
            <div class="actions">
                <Button wide=true icon=IconName::Reply>{text::feedback::send_answer(l)}</Button>
            </div>
        </Form>
    }
    .into_any()
}
