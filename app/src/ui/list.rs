//! Lists: rows, filters, paging.

use leptos::prelude::*;

use super::{
    MaybeText,
    icon::{Icon, IconName},
    line::{Line, Whose},
};
use crate::text;

/// A filter of a list. A link, so it works without script and can be shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    pub label: String,
    pub href: String,
    pub current: bool,
}

/// A row of filters, one of which is current.
#[component]
pub fn Chips(
    /// Label of the landmark for screen readers.
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

/// Container for [`ListRow`]s.
#[component]
pub fn RowList(children: Children) -> impl IntoView {
    // VoiceOver drops the list role with `list-style: none`, so it is set explicitly.
    view! { <ul class="rows" role="list">{children()}</ul> }
}

/// An item of a list; the whole row is a link.
#[component]
pub fn ListRow(
    #[prop(into)] href: String,
    #[prop(into)] title: String,
    /// The language marking of the title; content by default.
    #[prop(default = Whose::Content)]
    whose: Whose,
    /// Small line above the title: the kind of item.
    #[prop(optional, into)]
    eyebrow: Line,
    /// Small line below: number, unit, date.
    #[prop(optional, into)]
    meta: Line,
    /// New for the viewer: the title is bold. Add a `Tag` as a child, to say it in words too.
    #[prop(optional)]
    unread: bool,
    /// Content before the text, e.g. a [`DateTile`].
    #[prop(optional_no_strip)]
    leading: Option<AnyView>,
    /// `Tag`s after the text.
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

/// A calendar leaf, with formatted texts.
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

/// "Show more" of a list with cursor paging; empty at the end of the list.
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
    fn compounds_in_a_row_are_not_broken() {
        let owner = Owner::new();
        owner.set();
        let html = view! { <ListRow href="/units/1" title="Chi bộ khu phố 5" meta="Đảng bộ phường"/> }.to_html();
        assert!(html.contains("Chi\u{a0}bộ khu\u{a0}phố 5") && html.contains("Đảng\u{a0}bộ phường"), "{html}");
    }
}
