//! Lists one scans and goes on from: rows, filters, paging.

use leptos::prelude::*;

use super::{
    MaybeText,
    icon::{Icon, IconName},
    line::{Line, Whose},
};
use crate::text;

/// One filter of a list. A link, so it works without script and can be shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    pub label: String,
    pub href: String,
    pub current: bool,
}

/// A row of filters of which one is current.
#[component]
pub fn Chips(
    /// Names the landmark for screen readers.
    #[prop(into)]
    label: String,
    chips: Vec<Chip>,
) -> impl IntoView {
    let items = chips
        .into_iter()
        .map(|Chip { label, href, current }| {
            view! {
                <li>
                    <a class="chip" href=href aria-current=current.then_some("true")>
                        {current.then(|| view! { <Icon name=IconName::Check/> })}
                        <span>{text::together(label)}</span>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! { <nav class="chips" aria-label=label><ul role="list">{items}</ul></nav> }
}

/// Holds [`ListRow`]s.
#[component]
pub fn RowList(children: Children) -> impl IntoView {
    // The role brings back what VoiceOver drops with `list-style: none`.
    view! { <ul class="rows" role="list">{children()}</ul> }
}

/// One thing in a list; the whole row is the target.
#[component]
pub fn ListRow(
    #[prop(into)] href: String,
    #[prop(into)] title: String,
    /// Whose words the title is: what people wrote, unless told.
    #[prop(default = Whose::Content)]
    whose: Whose,
    /// Small line above the title: the kind of thing.
    #[prop(optional, into)]
    eyebrow: Line,
    /// Small line below: number, unit, date.
    #[prop(optional, into)]
    meta: Line,
    /// Not seen yet: the title is bold. Say it in words too, with a `Tag` among the children.
    #[prop(optional)]
    unread: bool,
    /// What stands before the text, e.g. a [`DateTile`].
    #[prop(optional_no_strip)]
    leading: Option<AnyView>,
    /// Marks: `Tag`s after the text.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <li class=if unread { "row row-unread" } else { "row" }>
            {leading}
            <div class="row-text">
                {eyebrow.paragraph("row-eyebrow")}
                <a class="row-link" href=href lang=whose.lang() translate=whose.translate()>{text::together(title)}</a>
                {meta.paragraph("row-meta")}
                {children.map(|children| view! { <div class="row-marks">{children()}</div> })}
            </div>
            <Icon name=IconName::Next/>
        </li>
    }
}

/// A leaf of a tear-off calendar, already in words.
#[component]
pub fn DateTile(
    #[prop(into)] weekday: String,
    #[prop(into)] day: String,
    #[prop(into)] month: String,
    /// Machine-readable date, `2026-11-21`.
    #[prop(into)]
    datetime: String,
) -> impl IntoView {
    view! {
        <time class="date-tile" datetime=datetime>
            <span class="date-tile-weekday">{weekday}</span>
            <span class="date-tile-day">{day}</span>
            <span class="date-tile-month">{month}</span>
        </time>
    }
}

/// "Show more" of a list paged by key; nothing at the end of the list.
#[component]
pub fn Pager(#[prop(optional, into)] next_href: MaybeText, #[prop(into)] label: String) -> impl IntoView {
    next_href.0.map(|href| {
        view! { <p class="pager"><a class="button button-secondary" href=href rel="next"><span>{label}</span></a></p> }
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_row_that_name_one_thing_stay_together() {
        let owner = Owner::new();
        owner.set();
        let html = view! { <ListRow href="/units/1" title="Chi bộ khu phố 5" meta="Đảng bộ phường"/> }.to_html();
        assert!(html.contains("Chi\u{a0}bộ khu\u{a0}phố 5") && html.contains("Đảng\u{a0}bộ phường"), "{html}");
    }
}
