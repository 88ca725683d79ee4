//! The files of a document, as readers see them.

use domain::{Locale, files::AttachmentSummary};
use leptos::prelude::*;

use super::icon;
use crate::{
    text,
    ui::{Icon, IconName, content_lang},
};

/// Empty where there are no files. A link leads to the file itself, which the browser downloads.
#[component]
pub fn Attachments(l: Locale, files: Vec<AttachmentSummary>) -> impl IntoView {
    (!files.is_empty()).then(|| {
        let rows = files.into_iter().map(|file| row(l, &file)).collect_view();
        view! {
            <section class="stack">
                <h2>{text::files::section(l)}</h2>
                <ul class="files" role="list">{rows}</ul>
            </section>
        }
    })
}

fn row(l: Locale, file: &AttachmentSummary) -> AnyView {
    view! { <li>{link(l, file)}</li> }.into_any()
}

/// Name, type and size as one link.
pub(super) fn link(l: Locale, file: &AttachmentSummary) -> AnyView {
    let href = format!("/files/{}", file.id);
    let picture = file.has_preview.then(|| {
        let src = format!("{href}/preview");
        // Decorative: the name says everything.
        view! { <img class="file-picture" src=src alt="" loading="lazy" width="56" height="72"/> }
    });
    view! {
        <a class="file" href=href rel="external" download="">
            <Icon name=icon(file.kind)/>
            {picture}
            // `bdi`, because names may be written in either direction.
            <bdi class="file-name" lang=content_lang()>{file.name.clone()}</bdi>
            <span class="file-meta">{meta(l, file)}</span>
            <Icon name=IconName::Download/>
        </a>
    }
    .into_any()
}

/// `PDF · 1,2 MB · 12 trang`. No line begins with a dot.
fn meta(l: Locale, file: &AttachmentSummary) -> String {
    let mut meta = format!("{}\u{a0}· {}", file.kind.key().to_uppercase(), l.file_size(file.bytes));
    if let Some(pages) = file.pages {
        meta.push_str("\u{a0}· ");
        meta.push_str(&text::files::pages(l, l.number(pages)));
    }
    meta
}
