//! Notices, tags, and empty states.

use leptos::prelude::*;

use super::{
    icon::{Icon, IconName},
    line::Line,
};
use crate::text;

/// Kind of a notice, shown by icon, text and border together, never by colour alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NoticeKind {
    Ok,
    #[default]
    Info,
    Warn,
    Error,
}

impl NoticeKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Ok => "notice notice-ok",
            Self::Info => "notice notice-info",
            Self::Warn => "notice notice-warn",
            Self::Error => "notice notice-error",
        }
    }

    const fn icon(self) -> IconName {
        match self {
            Self::Ok => IconName::CheckCircle,
            Self::Info => IconName::Info,
            Self::Warn => IconName::Warning,
            Self::Error => IconName::Alert,
        }
    }
}

/// A message that stays until the page changes.
#[component]
pub fn Notice(
    #[prop(optional)] kind: NoticeKind,
    /// The essential message in words, so that the kind is clear without its colour.
    #[prop(into)]
    title: Line,
    /// Replaces the icon of the kind, e.g. people for "who will read this".
    #[prop(optional)]
    icon: Option<IconName>,
    /// Not a live region: for content that changes all the time.
    #[prop(optional)]
    quiet: bool,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let role = (!quiet).then_some(if kind == NoticeKind::Error { "alert" } else { "status" });
    view! {
        <div class=kind.class() role=role>
            <Icon name=icon.unwrap_or(kind.icon())/>
            <div class="notice-body">
                {title.paragraph("notice-title")}
                {children.map(|children| children())}
            </div>
        </div>
    }
}

/// Colour of a [`Tag`]; its text carries the meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Accent,
    Ok,
    Warn,
    Info,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "tag",
            Self::Accent => "tag tag-accent",
            Self::Ok => "tag tag-ok",
            Self::Warn => "tag tag-warn",
            Self::Info => "tag tag-info",
        }
    }
}

/// A short label of the item beside it.
#[component]
pub fn Tag(
    #[prop(optional)] tone: Tone,
    #[prop(optional)] icon: Option<IconName>,
    #[prop(into)] label: Signal<String>,
) -> impl IntoView {
    view! {
        <span class=tone.class()>
            {icon.map(|name| view! { <Icon name/> })}
            <span>{move || text::together(label.get())}</span>
        </span>
    }
}

/// An empty state: what will appear here, and when.
#[component]
pub fn EmptyState(
    #[prop(into)] title: Line,
    #[prop(into)] text: String,
    #[prop(default = IconName::Inbox)] icon: IconName,
    /// The only content of the page: the title is its heading.
    #[prop(optional)]
    whole_page: bool,
    /// A link or form for the next step.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let title = if whole_page {
        view! { <h1 class="empty-title">{title.show()}</h1> }.into_any()
    } else {
        title.paragraph("empty-title").into_any()
    };
    view! {
        <div class="empty">
            <Icon name=icon/>
            {title}
            <p>{text}</p>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
}
