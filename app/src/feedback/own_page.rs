//! The member's own opinions and their states.

use domain::{Locale, feedback::Opinion, locale::local_date};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{first_words, fns::own_opinions, opinion_state::OpinionStateTag};
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{ButtonKind, EmptyState, IconName, Line, LinkButton, ListRow, PageHeader, Pager, RowList},
};

#[component]
pub fn OpinionsPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let after = Memo::new(move |_| query.read().get("after"));
    let data = Resource::new(move || after.get(), own_opinions);
    show(data, move |list| {
        let next = list.next.map(|next| format!("/opinions?after={next}"));
        let to_newest = move || {
            after.get().map(|_| {
                view! {
                    <LinkButton href="/opinions" kind=ButtonKind::Quiet>{text::feedback::to_newest(l)}</LinkButton>
                }
            })
        };
        view! {
            <Title text=text::feedback::own_title(l)/>
            <div class="page">
                <PageHeader title=text::feedback::own_title(l) lead=text::feedback::own_lead(l)/>
                {to_newest}
                {rows(l, list.opinions)}
                <Pager next_href=next label=text::feedback::show_more(l)/>
            </div>
        }
        .into_any()
    })
}

fn rows(l: Locale, opinions: Vec<Opinion>) -> AnyView {
    if opinions.is_empty() {
        return view! {
            <EmptyState
                title=text::feedback::own_empty_title(l)
                text=text::feedback::own_empty(l)
                icon=IconName::Message
            >
                <LinkButton href="/library" icon=IconName::Book>{text::feedback::to_library(l)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let rows = opinions
        .into_iter()
        .map(|opinion| {
            let sent_on = l.date(local_date(opinion.sent_at));
            view! {
                <ListRow
                    href=format!("/opinions/{}", opinion.id)
                    title=first_words(&opinion.text)
                    meta=Line::content(opinion.document_title).and(sent_on)
                >
                    <OpinionStateTag state=opinion.state/>
                </ListRow>
            }
        })
        .collect_view();
    view! { <RowList>{rows}</RowList> }.into_any()
}
