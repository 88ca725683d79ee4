//! One document at the desk: written while it is a draft, shown as it went out afterwards.

use domain::{
    Locale,
    documents::{self, DocumentState},
    forms::FormErrors,
    ids::DocumentId,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    editor::{Editor, destination, particulars, phone_preview},
    fns::{blank, draft},
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms, text,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Crumb, EmptyState, ErrorSummary, Form, IconName, LinkButton, Notice, NoticeKind,
        PageHeader, Tag, Tone,
    },
};

const LABELS: terms::Labels = &[
    ("title", text::desk::title),
    ("kind", text::desk::kind),
    ("number", text::desk::number),
    ("issuer", text::desk::issuer),
    ("audience", text::desk::audience),
    ("body", text::desk::body),
];

#[component]
pub(crate) fn NewDraftPage() -> impl IntoView {
    let l = use_locale();
    let echo = take_echo("draft");
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(|| (), |()| blank());
    show(data, move |page| editing(l, page, echo.clone(), errors, Signal::stored(false)))
}

#[component]
pub(crate) fn DraftPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let echo = take_echo("draft");
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(move || params.with(|params| params.get("id").unwrap_or_default()), draft);
    let asks = move |key: &'static str| Signal::derive(move || query.with(|query| query.get_str(key).is_some()));
    let (saved, published, withdrawing) = (asks("saved"), asks("published"), asks("withdraw"));
    show(data, move |page| match page.draft.state {
        DocumentState::Draft => editing(l, page, echo.clone(), errors, saved),
        DocumentState::Published => out(l, &page, published.get_untracked(), withdrawing),
        DocumentState::Withdrawn => taken_back(l, &page),
    })
}

fn editing(
    l: Locale,
    page: documents::DraftPage,
    echo: Option<FormErrors>,
    errors: RwSignal<Option<FormErrors>>,
    saved: Signal<bool>,
) -> AnyView {
    let title = if page.draft.version == 0 { text::desk::new_document(l) } else { text::desk::edit(l) };
    let saved_at = text::desk::saved_at(l, l.date_time(page.draft.saved_at));
    // Gone as soon as there is something to mend.
    let confirmation = move || {
        let shown = saved.get() && errors.with(Option::is_none);
        shown.then(|| view! { <Notice kind=NoticeKind::Ok title=saved_at.clone()/> })
    };
    let side = side(l, &page);
    view! {
        <Title text=title/>
        <div class="page">
            {way_back(l, title)}
            <PageHeader title=title eyebrow=page.draft.issuer.name.clone()>{state_tag(l, page.draft.state)}</PageHeader>
            {confirmation}
            <ErrorSummary title=text::frame::errors_title(l) items=terms::all_errors(l, errors, LABELS)/>
            <div class="with-aside">
                <Editor page echo errors/>
                <aside class="stack">{side}</aside>
            </div>
        </div>
    }
    .into_any()
}

/// Beside the form: whom the saved version would reach, and how it looks on a phone.
fn side(l: Locale, page: &documents::DraftPage) -> AnyView {
    if page.draft.version == 0 {
        let (title, hint) = (text::desk::preview_later_title(l), text::desk::preview_later(l));
        return view! { <EmptyState title text=hint icon=IconName::Smartphone/> }.into_any();
    }
    let href = format!("/desk/{}/publish", page.draft.id);
    let destination = destination(l, page);
    view! {
        <Card title=text::desk::release(l)>
            <div class="stack">
                {destination}
                <p class="muted small">{text::desk::release_hint(l)}</p>
                <LinkButton href kind=ButtonKind::Secondary icon=IconName::Send wide=true>
                    {text::desk::go_publish(l)}
                </LinkButton>
            </div>
        </Card>
        {phone_preview(l, page)}
    }
    .into_any()
}

/// A published document: what went out and to whom, and the way to take it back.
fn out(l: Locale, page: &documents::DraftPage, just_now: bool, withdrawing: Signal<bool>) -> AnyView {
    let id = page.draft.id;
    let members = text::desk::members(l, page.members.into());
    let notice = if just_now {
        let title = text::desk::published_now(l, &members);
        view! { <Notice kind=NoticeKind::Ok title><p>{text::desk::published_now_hint(l)}</p></Notice> }.into_any()
    } else {
        view! { <Notice title=text::desk::published_title(l)><p>{text::desk::published_hint(l)}</p></Notice> }.into_any()
    };
    let confirmation = move || withdrawing.get().then(|| withdrawal(l, id, &members));
    let actions = view! {
        <div class="actions">
            <LinkButton href=format!("/library/{id}") icon=IconName::Book>{text::desk::open_in_library(l)}</LinkButton>
            <LinkButton href=format!("/desk/{id}?withdraw=1") kind=ButtonKind::Secondary icon=IconName::Reply>
                {text::desk::go_withdraw(l)}
            </LinkButton>
        </div>
    };
    let above = view! { {confirmation} {notice} }.into_any();
    settled(l, page, above, Some(actions.into_any()))
}

fn taken_back(l: Locale, page: &documents::DraftPage) -> AnyView {
    let notice = view! {
        <Notice kind=NoticeKind::Warn title=text::desk::withdrawn_title(l)><p>{text::desk::withdrawn_hint(l)}</p></Notice>
    };
    settled(l, page, notice.into_any(), None)
}

/// What is not edited any more.
fn settled(l: Locale, page: &documents::DraftPage, above: AnyView, actions: Option<AnyView>) -> AnyView {
    let title = page.draft.title.clone();
    let kind = terms::document_kind(l, page.draft.kind);
    let state = page.draft.state;
    let particulars = particulars(l, page);
    view! {
        <Title text=title.clone()/>
        <div class="page">
            {way_back(l, kind)}
            <PageHeader title eyebrow=kind>
                {state_tag(l, state)}
            </PageHeader>
            {above}
            <div class="with-aside">
                <div class="stack">
                    <Card>{particulars}</Card>
                    {actions}
                </div>
                <aside class="stack">
                    {phone_preview(l, page)}
                </aside>
            </div>
        </div>
    }
    .into_any()
}

/// The question before a document disappears from people's libraries.
fn withdrawal(l: Locale, id: DocumentId, members: &str) -> AnyView {
    let consequence = text::desk::withdraw_hint(l, members);
    view! {
        <Card title=text::desk::withdraw_title(l) strong=true>
            <div class="stack">
                <p>{consequence}</p>
                <Form action="/api/documents/withdraw" failed=text::frame::network_failed(l)>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <div class="actions">
                        <Button kind=ButtonKind::Danger icon=IconName::Reply>{text::desk::withdraw(l)}</Button>
                        <LinkButton href=format!("/desk/{id}") kind=ButtonKind::Secondary>{text::desk::keep(l)}</LinkButton>
                    </div>
                </Form>
            </div>
        </Card>
    }
    .into_any()
}

fn way_back(l: Locale, here: &str) -> AnyView {
    let crumbs = vec![Crumb::link(text::frame::desk(l), "/desk"), Crumb::here(here)];
    view! { <Breadcrumbs label=text::desk::way(l) crumbs/> }.into_any()
}

fn state_tag(l: Locale, state: DocumentState) -> AnyView {
    let (tone, icon) = match state {
        DocumentState::Draft => (Tone::Warn, IconName::Pencil),
        DocumentState::Published => (Tone::Ok, IconName::CheckCircle),
        DocumentState::Withdrawn => (Tone::Plain, IconName::Reply),
    };
    view! { <Tag tone icon label=terms::document_state(l, state)/> }.into_any()
}
