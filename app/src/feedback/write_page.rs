//! Writing an opinion: first its readers, then the text.

use domain::{
    Locale,
    documents::{DocumentSummary, OpinionInvitation},
    feedback::{OpinionAudience, OpinionText},
    forms::FormErrors,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::fns::invitation;
use crate::{
    context::take_echo,
    frame::way_back,
    i18n::use_locale,
    page::show,
    terms::{self, Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Button, ButtonKind, Choice, ErrorSummary, Form, HERE, IconName, Line, LinkButton, Notice, NoticeKind, PageHeader,
        RadioGroup, TextArea,
    },
};

const LABELS: Labels = &[("audience", text::feedback::audience), ("text", text::feedback::text)];

#[component]
pub fn WriteOpinionPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let mut echo = take_echo("opinion");
    // This id was used for another text, so the form creates a new opinion with its own id.
    let is_sent = echo.as_ref().is_some_and(FormErrors::is_stale);
    if let Some(echo) = echo.as_mut().filter(|_| is_sent) {
        echo.values.remove("opinion");
        echo.problems.clear();
    }
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), invitation);
    show(data, move |invited| {
        let sent_before = is_sent.then(|| sent_before(l));
        view! {
            <Title text=text::feedback::write_title(l)/>
            <div class="page page-narrow">
                {way_back(named(l, &invited.document), &format!("/library/{}", invited.document.id), text::feedback::write_title(l))}
                <PageHeader
                    eyebrow=named(l, &invited.document)
                    title=text::feedback::write_question(l)
                    lead=Line::content(&invited.document.title)
                />
                <ErrorSummary title=text::feedback::write_errors(l) items=all_errors(l, errors, LABELS)/>
                {sent_before}
                {readers(l, &invited)}
                {opinion_form(l, &invited, echo.as_ref(), errors)}
            </div>
        }
        .into_any()
    })
}

/// Kind and number of the document.
fn named(l: Locale, document: &DocumentSummary) -> Line {
    let kind = terms::document_kind(l, document.kind);
    match &document.number {
        Some(number) => Line::around(text::feedback::about(l, kind, HERE), &Line::number(number)),
        None => kind.into(),
    }
}

fn sent_before(l: Locale) -> AnyView {
    view! {
        <Notice kind=NoticeKind::Warn title=text::feedback::sent_before(l)>
            <p>{text::feedback::sent_before_hint(l)}</p>
            <p><a href="/opinions">{text::feedback::to_own(l)}</a></p>
        </Notice>
    }
    .into_any()
}

fn readers(l: Locale, invited: &OpinionInvitation) -> AnyView {
    let branch = &invited.branch.name;
    let always = if invited.branch_readers.is_empty() {
        text::feedback::who_reads(l, branch)
    } else {
        text::feedback::who_reads_names(l, branch, invited.branch_readers.join(", "))
    };
    view! {
        <Notice title=text::feedback::who_reads_title(l) icon=IconName::People>
            <p>{always}</p>
            <p>{text::feedback::who_reads_author(l)}</p>
        </Notice>
    }
    .into_any()
}

fn opinion_form(
    l: Locale,
    invited: &OpinionInvitation,
    echo: Option<&FormErrors>,
    errors: RwSignal<Option<FormErrors>>,
) -> AnyView {
    let typed = |field: &str| echo.and_then(|echo| echo.value(field)).map(str::to_owned);
    let document = invited.document.id.to_string();
    let opinion = typed("opinion").unwrap_or_else(|| invited.opinion.to_string());
    // The smallest audience is the default.
    let audience = typed("audience").unwrap_or_else(|| OpinionAudience::Branch.key().to_owned());
    let text = typed("text");
    let choices = audiences(l, invited);
    let back = format!("/library/{document}");
    view! {
        <Form action="/api/feedback/send" failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="opinion" value=opinion/>
            <input type="hidden" name="document" value=document/>
            <RadioGroup
                legend=text::feedback::audience(l)
                name="audience"
                choices
                value=audience
                error=field_error(l, errors, LABELS, "audience")
            />
            <TextArea
                label=text::feedback::text(l)
                name="text"
                value=text
                hint=text::feedback::text_hint(l, l.number(OpinionText::MAX))
                error=field_error(l, errors, LABELS, "text")
                rows=8
                required=true
            />
            <div class="actions">
                <Button wide=true icon=IconName::Send>{text::feedback::send(l)}</Button>
                <LinkButton href=back kind=ButtonKind::Quiet>{text::feedback::back_to_document(l)}</LinkButton>
            </div>
        </Form>
    }
    .into_any()
}

fn audiences(l: Locale, invited: &OpinionInvitation) -> Vec<Choice> {
    OpinionAudience::ALL
        .into_iter()
        .filter_map(|audience| {
            let hint = match audience {
                OpinionAudience::Branch => text::feedback::audience_branch_hint(l, &invited.branch.name),
                OpinionAudience::Committee => text::feedback::audience_committee_hint(l, &invited.committee.name),
                OpinionAudience::Editors => text::feedback::audience_editors_hint(l, &invited.editors.as_ref()?.name),
            };
            Some(Choice::new(audience.key(), terms::opinion_audience(l, audience)).hint(hint))
        })
        .collect()
}
