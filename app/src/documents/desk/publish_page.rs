//! The confirmation page of a publication: content, number of members, time.

use domain::{
    Locale,
    documents::{
        desk,
        steps::{DocumentState, DocumentStep},
    },
    forms::FormErrors,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{
    approval::{comes_back, what_goes_out},
    editor::{number_holder, phone_preview},
    fns::approval,
    parts::way_back,
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{
        Button, ButtonKind, CheckGroup, Choice, EmptyState, ErrorSummary, Field, FieldKind, Form, IconName, Line, LinkButton,
        Notice, NoticeKind, PageHeader, RadioGroup,
    },
};

const LABELS: terms::Labels = &[
    ("when", text::desk::when),
    ("at", text::desk::at),
    ("version", text::desk::review_title),
    ("again", text::desk::again),
    ("audience", text::desk::audience),
];

#[component]
pub(crate) fn PublishPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let echo = take_echo("publish");
    let data = Resource::new(move || params.with(|params| params.get("id").unwrap_or_default()), approval);
    show(data, move |approval| {
        let desk::ApprovalPage { page, change } = approval;
        let status = page.draft.status;
        let leads = page.permissions.may(DocumentStep::Publish) && status.after(DocumentStep::Publish).is_ok();
        let above = vec![(Line::content(&page.draft.title), format!("/desk/{}", page.draft.id))];
        let Some(change) = change.filter(|_| leads) else { return not_to_be_approved(l, &page, above) };
        let members = terms::member_count(l, page.reach.members);
        let asks = if status.comes_back() { text::desk::republish_title } else { text::desk::publish_title };
        let title = asks(l, members);
        view! {
            <Title text=title.clone()/>
            <div class="page">
                {way_back(l, above, text::desk::when(l))}
                <PageHeader title/>
                {question(l, &page, &change, echo.clone())}
            </div>
        }
        .into_any()
    })
}

fn question(l: Locale, page: &desk::DraftPage, change: &desk::Change, echo: Option<FormErrors>) -> AnyView {
    let id = page.draft.id;
    let members = terms::member_count(l, page.reach.members);
    let back = comes_back(l, change, members.clone());
    let (goes_out, preview) = (what_goes_out(l, &page.draft, page.reach, change), phone_preview(l, page));
    let holder = number_holder(l, echo.as_ref());
    let version = page.draft.version.to_string();
    let review = page.review.clone();
    let typed = |field: &str| echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
    let (when, at) = (typed("when").unwrap_or_default(), typed("at"));
    // If the published text expires before the chosen time, the publication brings it back: the form returns with that question.
    let asks_again = page.draft.status.comes_back() || echo.as_ref().is_some_and(|echo| echo.problem("again").is_some());
    let said = typed("again").into_iter().filter(|again| !again.is_empty()).collect::<Vec<_>>();
    let errors = RwSignal::new(echo);
    let again = asks_again.then(|| {
        view! {
            <CheckGroup
                legend=text::desk::again(l)
                name="again"
                choices=vec![Choice::new("yes", text::desk::again_yes(l))]
                checked=said
                hint=text::desk::again_hint(l)
                error=terms::field_error(l, errors, LABELS, "again")
            />
        }
    });
    // A scheduled text can only be published earlier.
    let is_scheduled = page.draft.status.state() == Some(DocumentState::Scheduled);
    let sends = if is_scheduled { text::desk::publish_now(l, members) } else { text::desk::publish(l, members) };
    let moment = if is_scheduled {
        view! { <input type="hidden" name="when" value="now"/> }.into_any()
    } else {
        let choices = vec![Choice::new("now", text::desk::when_now(l)), Choice::new("later", text::desk::when_later(l))];
        view! {
            <RadioGroup
                legend=text::desk::when(l)
                name="when"
                choices
                value=when
                error=terms::field_error(l, errors, LABELS, "when")
            />
            <div class="for-later">
                <Field
                    label=text::desk::at(l)
                    name="at"
                    kind=FieldKind::Moment
                    value=at
                    hint=text::desk::at_hint(l)
                    error=terms::field_error(l, errors, LABELS, "at")
                />
            </div>
        }
        .into_any()
    };
    view! {
        <div class="with-aside">
            <div class="stack">
                <ErrorSummary title=text::frame::errors_title(l) items=terms::all_errors(l, errors, LABELS)/>
                {holder}
                {back}
                {goes_out}
                <Notice kind=NoticeKind::Warn title=text::desk::publish_warning_title(l)>
                    <p>{text::desk::publish_warning(l)}</p>
                </Notice>
                <Form action="/api/documents/publish" failed=text::frame::network_failed(l) errors>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <input type="hidden" name="version" id="version" value=version/>
                    <input type="hidden" name="review" value=review/>
                    {moment}
                    {again}
                    <div class="actions">
                        <Button icon=IconName::Send wide=true>{sends}</Button>
                        <LinkButton href=format!("/desk/{id}") kind=ButtonKind::Secondary icon=IconName::ArrowLeft>
                            {text::desk::back_to_review(l)}
                        </LinkButton>
                    </div>
                </Form>
            </div>
            <aside class="stack">{preview}</aside>
        </div>
    }
    .into_any()
}

/// For who may not approve it: an author, or anybody when it does not wait for that.
fn not_to_be_approved(l: Locale, page: &desk::DraftPage, above: Vec<(Line, String)>) -> AnyView {
    let waits = page.draft.status.after(DocumentStep::Publish).is_ok();
    let is_own = waits && page.permissions.publishes && page.permissions.is_author && !page.permissions.own_approval;
    let (title, hint, icon) = if is_own {
        (text::desk::not_own_title(l), text::desk::own_text(l), IconName::People)
    } else {
        (text::desk::settled_title(l), text::desk::settled_hint(l), IconName::Inbox)
    };
    let at_desk = format!("/desk/{}", page.draft.id);
    view! {
        <Title text=title/>
        <div class="page">
            {way_back(l, above, title)}
            <EmptyState title text=hint icon whole_page=true>
                <LinkButton href=at_desk>{text::desk::open_at_desk(l)}</LinkButton>
            </EmptyState>
        </div>
    }
    .into_any()
}
