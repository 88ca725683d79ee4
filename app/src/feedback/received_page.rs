//! The secretary's list of opinions, for the unit it is for.

use domain::{
    Locale,
    feedback::{Opinion, OpinionState},
    locale::local_date,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{first_words, fns::received_opinions, opinion_state::OpinionStateTag};
use crate::{
    frame::way_to_more,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{ButtonKind, EmptyState, Line, LinkButton, ListRow, PageHeader, Pager, RowList},
};

#[component]
pub fn ReceivedPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let after = Memo::new(move |_| query.read().get("after"));
    let data = Resource::new(move || after.get(), received_opinions);
    show(data, move |received| {
        let next = received.list.next.map(|next| format!("/branch?after={next}"));
        let to_newest = move || {
            after.get().map(|_| {
                view! {
                    <LinkButton href="/branch" kind=ButtonKind::Quiet>{text::feedback::to_newest(l)}</LinkButton>
                }
            })
        };
        view! {
            <Title text=text::feedback::received_title(l)/>
            <div class="page">
                {way_to_more(text::feedback::received_title(l))}
                <PageHeader
                    eyebrow=Line::name(received.unit.name)
                    title=text::feedback::received_title(l)
                    lead=text::feedback::received_lead(l)
                />
                {to_newest}
                {rows(l, received.list.opinions)}
                <Pager next_href=next label=text::feedback::show_more(l)/>
            </div>
        }
        .into_any()
    })
}

fn rows(l: Locale, opinions: Vec<Opinion>) -> AnyView {
    if opinions.is_empty() {
        return view! {
            <EmptyState title=text::feedback::received_empty_title(l) text=text::feedback::received_empty(l)/>
        }
        .into_any();
    }
    let rows = opinions
        .into_iter()
        .map(|opinion| {
            let sent_on = l.date(local_date(opinion.sent_at));
            view! {
                <ListRow
                    href=format!("/branch/{}", opinion.id)
                    eyebrow=Line::name(text::feedback::author_at(l, opinion.author, opinion.branch.name))
                    title=first_words(&opinion.text)
                    meta=Line::content(opinion.document_title).and(sent_on)
                    unread=opinion.state == OpinionState::Received
                >
                    <OpinionStateTag state=opinion.state/>
                </ListRow>
            }
        })
        .collect_view();
    view! { <RowList>{rows}</RowList> }.into_any()
}
