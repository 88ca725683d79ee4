//! The question before a document goes out: what, and to how many.

use domain::{
    Locale,
    documents::{self, DocumentState},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{
    editor::{particulars, phone_preview},
    fns::draft,
};
use crate::{
    i18n::use_locale,
    page::show,
    text,
    ui::{Breadcrumbs, Button, ButtonKind, Card, Crumb, EmptyState, Form, IconName, LinkButton, Notice, NoticeKind, PageHeader},
};

#[component]
pub(crate) fn PublishPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let data = Resource::new(move || params.with(|params| params.get("id").unwrap_or_default()), draft);
    show(data, move |page| {
        let (title, content) = match page.draft.state {
            DocumentState::Draft => {
                (text::desk::publish_title(l, text::desk::members(l, page.members.into())), question(l, &page))
            }
            DocumentState::Published | DocumentState::Withdrawn => (text::desk::settled_title(l).to_owned(), too_late(l, &page)),
        };
        let crumbs = vec![
            Crumb::link(text::frame::desk(l), "/desk"),
            Crumb::link(text::desk::edit(l), format!("/desk/{}", page.draft.id)),
            Crumb::here(text::desk::release(l)),
        ];
        view! {
            <Title text=title.clone()/>
            <div class="page">
                <Breadcrumbs label=text::desk::way(l) crumbs/>
                <PageHeader title/>
                {content}
            </div>
        }
        .into_any()
    })
}

fn question(l: Locale, page: &documents::DraftPage) -> AnyView {
    let id = page.draft.id;
    let members = text::desk::members(l, page.members.into());
    let particulars = particulars(l, page);
    view! {
        <div class="with-aside">
            <div class="stack">
                <Card strong=true>{particulars}</Card>
                <Notice kind=NoticeKind::Warn title=text::desk::publish_warning_title(l)>
                    <p>{text::desk::publish_warning(l)}</p>
                </Notice>
                <Form action="/api/documents/publish" failed=text::frame::network_failed(l)>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <div class="actions">
                        <Button icon=IconName::Send wide=true>{text::desk::publish(l, members)}</Button>
                        <LinkButton href=format!("/desk/{id}") kind=ButtonKind::Secondary icon=IconName::ArrowLeft wide=true>
                            {text::desk::back_to_draft(l)}
                        </LinkButton>
                    </div>
                </Form>
            </div>
            <aside class="stack">
                {phone_preview(l, page)}
            </aside>
        </div>
    }
    .into_any()
}

fn too_late(l: Locale, page: &documents::DraftPage) -> AnyView {
    let href = format!("/desk/{}", page.draft.id);
    view! {
        <EmptyState title=page.draft.title.clone() text=text::desk::settled_hint(l) icon=IconName::CheckCircle>
            <LinkButton href>{text::desk::open_at_desk(l)}</LinkButton>
        </EmptyState>
    }
    .into_any()
}
