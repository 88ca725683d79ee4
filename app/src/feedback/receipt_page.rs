//! One of the viewer's own opinions: the receipt after sending, and later its state and answer.

use domain::{Locale, feedback::Opinion};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{answer_by, fns::receipt, opinion_state::OpinionSteps};
use crate::{
    frame::way_back,
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{ButtonKind, Card, DescriptionList, Fact, HERE, Icon, IconName, Line, LinkButton, PageHeader, Whose, content_lang},
};

#[component]
pub fn ReceiptPage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let just_sent = Memo::new(move |_| query.read().get("sent").is_some());
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), receipt);
    show(data, move |opinion| {
        let code = opinion.code.as_str().to_owned();
        let head = move || if just_sent.get() { thanks(l, code.clone()) } else { heading(l, &code) };
        view! {
            <Title text=text::feedback::receipt_title(l)/>
            <div class="page page-narrow">
                {way_back(text::feedback::own_title(l), "/opinions", text::feedback::receipt_title(l))}
                {head}
                <OpinionSteps opinion=opinion.clone()/>
                {answer(l, &opinion)}
                {written(l, opinion)}
                <div class="actions">
                    <LinkButton href="/opinions" kind=ButtonKind::Secondary>{text::feedback::to_own(l)}</LinkButton>
                    <LinkButton href="/" kind=ButtonKind::Quiet>{text::frame::to_home(l)}</LinkButton>
                </div>
            </div>
        }
        .into_any()
    })
}

fn thanks(l: Locale, code: String) -> AnyView {
    view! {
        <div class="receipt">
            <Icon name=IconName::CheckCircle/>
            <h1>{text::feedback::received_thanks(l)}</h1>
            <p>{text::feedback::code(l)}</p>
            <p class="receipt-code" translate="no">{code}</p>
            <p class="muted small">{text::feedback::code_hint(l)}</p>
        </div>
    }
    .into_any()
}

fn heading(l: Locale, code: &str) -> AnyView {
    let eyebrow = Line::around(format!("{}: {HERE}", text::feedback::code(l)), &Line::name(code));
    view! { <PageHeader eyebrow title=text::feedback::receipt_title(l)/> }.into_any()
}

fn answer(l: Locale, opinion: &Opinion) -> Option<AnyView> {
    let answer = opinion.answer.clone()?;
    let by = answer_by(l, &answer);
    Some(
        view! {
            <Card title=text::feedback::answer(l) strong=true>
                <p class="quote" lang=content_lang()>{answer.text}</p>
                <p class="muted small">{by.show()}</p>
            </Card>
        }
        .into_any(),
    )
}

fn written(l: Locale, opinion: Opinion) -> AnyView {
    let document = format!("/library/{}", opinion.document);
    view! {
        <Card title=text::feedback::written(l)>
            <p class="quote" lang=content_lang()>{opinion.text}</p>
            <DescriptionList>
                <Fact label=text::feedback::about_document(l) whose=Whose::Content>
                    <a href=document>{opinion.document_title}</a>
                </Fact>
                <Fact label=text::feedback::read_by(l)>{terms::opinion_audience(l, opinion.audience)}</Fact>
                <Fact label=text::feedback::sent(l)>{l.date_time(opinion.sent_at)}</Fact>
            </DescriptionList>
        </Card>
    }
    .into_any()
}
