//! Files of documents: the list for readers, and the desk page for uploads. Uploads and downloads have addresses of their own,
//! outside the pages.

mod files_page;
mod fns;
mod list;

use domain::{
    Locale,
    files::{FileKind, FileRefused},
    guard::{Warning, WarningKind},
};
use leptos::prelude::*;

pub use files_page::FilesPage;
pub use list::Attachments;

use crate::{
    text,
    ui::{IconName, Notice, NoticeKind},
};

/// Why a file was rejected, and what to do.
pub fn refused_text(l: Locale, refused: FileRefused) -> &'static str {
    match refused {
        FileRefused::Empty => text::files::refused_empty(l),
        FileRefused::TooBig => text::files::refused_too_big(l),
        FileRefused::Kind => text::files::refused_kind(l),
        FileRefused::Markup => text::files::refused_markup(l),
        FileRefused::Macros => text::files::refused_macros(l),
        FileRefused::OldOffice => text::files::refused_old_office(l),
        FileRefused::Broken => text::files::refused_broken(l),
        FileRefused::Unpacks => text::files::refused_unpacks(l),
        FileRefused::Dimensions => text::files::refused_dimensions(l),
        FileRefused::TooMany => text::files::refused_too_many(l),
        FileRefused::TooManyOpen => text::files::refused_too_many_open(l),
        FileRefused::Closed => text::files::refused_closed(l),
    }
}

/// Warnings of the guard, each in a notice.
pub fn warnings(l: Locale, warnings: &[Warning]) -> AnyView {
    let lines = warnings
        .iter()
        .map(|Warning { kind, count }| {
            let told = match kind {
                WarningKind::SecrecyMark => text::files::warning_secrecy(l).to_owned(),
                WarningKind::IdNumbers => text::files::warning_ids(l, l.number(*count)),
                WarningKind::PhoneNumbers => text::files::warning_phones(l, l.number(*count)),
            };
            view! { <Notice kind=NoticeKind::Warn title=told/> }
        })
        .collect_view();
    view! { <div class="stack">{lines}</div> }.into_any()
}

const fn icon(kind: FileKind) -> IconName {
    match kind {
        FileKind::Pdf | FileKind::Docx => IconName::File,
        FileKind::Xlsx => IconName::List,
        FileKind::Png | FileKind::Jpeg => IconName::Eye,
        FileKind::Mp3 => IconName::Message,
        FileKind::Mp4 => IconName::Video,
    }
}
