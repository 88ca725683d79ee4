//! The list of received opinions: unanswered, or all.

use domain::{
    Locale,
    feedback::{Opinion, OpinionState, ReceivedShown},
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
    ui::{ButtonKind, Chip, Chips, EmptyState, Line, LinkButton, ListRow, PageHeader, Pager, RowList},
};

#[component]
pub fn ReceivedPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let asked = Memo::new(move |_| query.with(|query| (query.get("show"), query.get("after"))));
    let data = Resource::new(move || asked.get(), |(show, after)| received_opinions(show, after));
    show(data, move |received| {
        let (shown, later) = asked.with_untracked(|(show, after)| (ReceivedShown::from_key(show.as_deref()), after.is_some()));
        let first = address(shown);
        let next =
            received.list.next.map(|next| format!("{first}{}after={next}", if shown == ReceivedShown::All { '&' } else { '?' }));
        let (lead, to_first) = match shown {
            ReceivedShown::Waiting => (text::feedback::received_waiting_lead(l), text::feedback::to_oldest(l)),
            ReceivedShown::All => (text::feedback::received_lead(l), text::feedback::to_newest(l)),
        };
        let to_first = later.then(|| view! { <LinkButton href=first kind=ButtonKind::Quiet>{to_first}</LinkButton> });
        view! {
            <Title text=text::feedback::received_title(l)/>
            <div class="page">
                {way_to_more(text::feedback::received_title(l))}
                <PageHeader eyebrow=Line::name(received.unit.name) title=text::feedback::received_title(l) lead/>
                <Chips label=text::feedback::received_shown(l) chips=chips(l, shown)/>
                {to_first}
                {rows(l, received.list.opinions, shown)}
                <Pager next_href=next label=text::feedback::show_more(l)/>
            </div>
        }
        .into_any()
    })
}

fn address(shown: ReceivedShown) -> &'static str {
    match shown {
        ReceivedShown::Waiting => "/branch",
        ReceivedShown::All => "/branch?show=all",
    }
}

fn chips(l: Locale, current: ReceivedShown) -> Vec<Chip> {
    let chip = |shown: ReceivedShown, label: &str| Chip {
        label: label.to_owned(),
        href: address(shown).to_owned(),
        current: shown == current,
    };
    vec![
        chip(ReceivedShown::Waiting, text::feedback::received_waiting(l)),
        chip(ReceivedShown::All, text::feedback::received_all(l)),
    ]
}

fn rows(l: Locale, opinions: Vec<Opinion>, shown: ReceivedShown) -> AnyView {
    if opinions.is_empty() {
        let (title, text) = match shown {
            ReceivedShown::Waiting => (text::feedback::none_waiting_title(l), text::feedback::none_waiting(l)),
            ReceivedShown::All => (text::feedback::received_empty_title(l), text::feedback::received_empty(l)),
        };
        return view! { <EmptyState title text/> }.into_any();
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
