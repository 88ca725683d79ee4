//! The header of a page and its breadcrumbs.

use leptos::prelude::*;

use super::{
    content_lang,
    line::{Line, Whose},
};
use crate::text;

/// Longer titles, in characters, are set smaller: on a phone what follows begins on the first screen.
const LONG_TITLE: usize = 48;
const VERY_LONG_TITLE: usize = 110;

/// Class of an `<h1>` whose title is long.
pub fn title_class(title: &str) -> Option<&'static str> {
    let length = title.chars().count();
    let long = if length > VERY_LONG_TITLE { "title-very-long" } else { "title-long" };
    (length > LONG_TITLE).then_some(long)
}

/// The one `<h1>` of a page; actions come as children.
#[component]
pub fn PageHeader(
    #[prop(into)] title: Signal<String>,
    /// The language marking of the title; a text of the application by default.
    #[prop(optional)]
    whose: Whose,
    /// A short line above: a kind, a unit.
    #[prop(optional, into)]
    eyebrow: Line,
    #[prop(optional, into)] lead: Line,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="page-header">
            <div class="page-heading">
                {eyebrow.paragraph("eyebrow")}
                <h1 class=move || title.with(|title| title_class(title)) lang=whose.lang() translate=whose.translate()>
                    {move || text::together(title.get())}
                </h1>
                {lead.paragraph("lead")}
            </div>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </header>
    }
}

/// An item of the breadcrumbs; the current page has no `href`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    pub label: Line,
    pub href: Option<String>,
}

impl Crumb {
    pub fn link(label: impl Into<Line>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: Some(href.into()) }
    }

    pub fn here(label: impl Into<Line>) -> Self {
        Self { label: label.into(), href: None }
    }
}

/// Breadcrumbs, from the outermost page to the current one.
#[component]
pub fn Breadcrumbs(
    /// Label of the landmark for screen readers.
    #[prop(into)]
    label: String,
    crumbs: Vec<Crumb>,
    /// Shown only as the back arrow in the bar of the phone: on larger screens the parent page is always in the navigation.
    #[prop(optional)]
    phone_only: bool,
) -> impl IntoView {
    let class = if phone_only { "breadcrumbs breadcrumbs-phone" } else { "breadcrumbs" };
    let items = crumbs
        .into_iter()
        .map(|Crumb { label, href }| match href {
            Some(href) => view! { <li><a href=href>{label.show()}</a></li> }.into_any(),
            None => view! { <li aria-current="page">{label.show()}</li> }.into_any(),
        })
        .collect_view();
    view! { <nav class=class aria-label=label><ol>{items}</ol></nav> }
}

/// A heading of a long text, with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    pub id: String,
    pub label: String,
}

/// The table of contents of a long text. Collapsible above the text on the phone, in a column beside it on the desktop: use it
/// once with `fold` after the header of the `.document` and once without after the `.document`; the style sheet shows one of
/// them.
#[component]
pub fn Contents(#[prop(into)] label: String, headings: Vec<Heading>, #[prop(optional)] fold: bool) -> impl IntoView {
    let items = headings
        .into_iter()
        .map(|Heading { id, label }| view! { <li><a href=format!("#{id}") rel="external">{label}</a></li> })
        .collect_view();
    let lang = content_lang();
    if fold {
        view! { <details class="contents"><summary>{label}</summary><ol role="list" lang=lang>{items}</ol></details> }.into_any()
    } else {
        let title = label.clone();
        view! { <nav class="contents" aria-label=label><h2>{title}</h2><ol role="list" lang=lang>{items}</ol></nav> }.into_any()
    }
}

/// Text for screen readers only.
#[component]
pub fn VisuallyHidden(children: Children) -> impl IntoView {
    view! { <span class="visually-hidden">{children()}</span> }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn compounds_in_a_heading_are_not_broken() {
        let owner = Owner::new();
        owner.set();
        let title = "Sinh hoạt Chi bộ khu phố 5".to_owned();
        let html = view! { <PageHeader title=title/> }.to_html();
        assert!(html.contains("Sinh hoạt Chi\u{a0}bộ khu\u{a0}phố 5"), "{html}");
    }

    #[test]
    fn a_long_heading_takes_smaller_letters() {
        let owner = Owner::new();
        owner.set();
        for (length, class) in [(48, None), (49, Some("title-long")), (111, Some("title-very-long"))] {
            let title = "a".repeat(length);
            let html = view! { <PageHeader title/> }.to_html();
            let found = ["title-long", "title-very-long"].into_iter().find(|class| html.contains(&format!("class=\"{class}\"")));
            assert_eq!(found, class, "{html}");
        }
    }
}
