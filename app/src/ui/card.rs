//! A card that groups related content.

use leptos::prelude::*;

use super::{
    MaybeText,
    icon::{Icon, IconName},
    line::Line,
};

/// Level of a card's heading, set by the page, because headings must not skip a level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeadingLevel {
    #[default]
    Two,
    Three,
}

/// A card with an optional heading and an optional link to the full content beside it.
#[component]
pub fn Card(
    #[prop(optional, into)] title: Line,
    #[prop(optional)] level: HeadingLevel,
    /// Target of "see all"; shown only together with `more_label`.
    #[prop(optional, into)]
    more_href: MaybeText,
    #[prop(optional, into)] more_label: MaybeText,
    /// The most important card of a page.
    #[prop(optional)]
    strong: bool,
    children: Children,
) -> impl IntoView {
    let heading = (!title.is_empty()).then(|| match level {
        HeadingLevel::Two => view! { <h2 class="card-title">{title.show()}</h2> }.into_any(),
        HeadingLevel::Three => view! { <h3 class="card-title">{title.show()}</h3> }.into_any(),
    });
    let more = more_href.0.zip(more_label.0).map(|(href, label)| {
        view! {
            <a class="card-more" href=href>
                <span>{label}</span>
                <Icon name=IconName::Next/>
            </a>
        }
    });
    let head = (heading.is_some() || more.is_some()).then(|| view! { <div class="card-head">{heading} {more}</div> });
    view! { <section class=if strong { "card card-strong" } else { "card" }>{head} {children()}</section> }
}
