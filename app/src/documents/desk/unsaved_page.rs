//! The person's unsaved texts, to copy or to discard. Also for a person who may not write any more: an office can end while its
//! holder writes.

use domain::{
    Locale,
    writing::{UNSAVED_LISTED, Unsaved},
};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    writing::forget,
    writing_fns::{has_unsaved, unsaved},
};
use crate::{
    error::{AppError, Kind},
    frame::way_back,
    i18n::use_locale,
    page::{PageData, show},
    text,
    title::Title,
    ui::{Card, EmptyState, IconName, Line, Notice, NoticeKind, PageHeader, TextArea},
};

const ADDRESS: &str = "/desk/unsaved";

#[component]
pub(crate) fn UnsavedPage() -> impl IntoView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| unsaved());
    show(data, move |texts| {
        let title = text::writing::own_title(l);
        let count = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        let newest_only = (texts.len() >= UNSAVED_LISTED)
            .then(|| view! { <p class="muted small">{text::writing::own_newest_only(l, l.number(count))}</p> });
        let content = if texts.is_empty() {
            let (none, hint) = (text::writing::own_none(l), text::writing::own_none_hint(l));
            view! { <EmptyState title=none text=hint icon=IconName::Compose/> }.into_any()
        } else {
            texts.into_iter().map(|unsaved| card(l, unsaved)).collect_view().into_any()
        };
        view! {
            <Title text=title/>
            <div class="page page-narrow">
                {way_back(text::account::more_title(l), "/more", title)}
                <PageHeader title=title lead=text::writing::own_lead(l)/>
                {newest_only}
                {content}
            </div>
        }
        .into_any()
    })
}

fn card(l: Locale, unsaved: Unsaved) -> AnyView {
    let forget = forget(l, &unsaved, "unsaved");
    let is_untitled = unsaved.title.trim().is_empty();
    let title = if is_untitled { Line::from(text::writing::untitled(l)) } else { Line::content(&unsaved.title) };
    let id = format!("text-{}", unsaved.document);
    view! {
        <Card title>
            <div class="stack">
                <p class="muted small">{text::writing::own_typed_at(l, l.date_time(unsaved.at))}</p>
                <TextArea
                    label=text::writing::typed_name(l)
                    name="text"
                    id
                    value=unsaved.body
                    hint=text::writing::own_copy(l)
                    rows=12
                    readonly=true
                />
                <div class="actions">{forget}</div>
            </div>
        </Card>
    }
    .into_any()
}

/// Links a person who has unsaved texts to them.
pub(crate) fn unsaved_notice(l: Locale) -> AnyView {
    view! {
        <Notice kind=NoticeKind::Warn title=text::writing::own_waits(l) icon=IconName::Clock>
            <p><a href=ADDRESS>{text::writing::own_see(l)}</a></p>
        </Notice>
    }
    .into_any()
}

/// The data of a page where texts are written. `None` for a person who may not open it but has unsaved texts: of this document, or
/// of any where none is named.
pub(super) async fn or_unsaved<T>(page: Result<T, AppError>, document: Option<&str>) -> Result<Option<T>, AppError> {
    let error = match page {
        Ok(page) => return Ok(Some(page)),
        Err(error) => error,
    };
    if !matches!(error.kind, Kind::NotFound | Kind::NotAllowed) {
        return Err(error);
    }
    if has_unsaved(document.map(str::to_owned)).await? { Ok(None) } else { Err(error) }
}

/// As [`show`]; without data ([`or_unsaved`]) it redirects to the person's unsaved texts.
pub(super) fn show_or_unsaved<T>(
    data: PageData<Option<T>>,
    view: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    show(data, move |page| {
        let Some(page) = page else {
            leptos_axum::redirect(ADDRESS);
            return ().into_any();
        };
        view(page)
    })
}
