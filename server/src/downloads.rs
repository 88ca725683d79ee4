//! Documents as downloads.
//!
//! The file is self-contained HTML: every phone opens it, it prints with number, date and page numbers, and it neither runs nor
//! fetches anything. Not a server function, because the response is a file with its own headers.

use app::{
    context::request::RequestContext,
    documents::document_file,
    error::{AppError, Kind},
};
use axum::{
    Extension, Router,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use backend::Backend;
use domain::{documents::DocumentCopy, folding::fold, ids::DocumentId};

use crate::{answers, state::Shared};

/// Characters of a file name.
const NAME_MAX: usize = 60;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/library/{id}/download", get(download))
}

async fn download(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
) -> Response {
    let locale = context.page.preferences.locale;
    let problem = |kind: Kind| answers::problem(locale, kind);
    let Some(viewer) = &context.page.viewer else { return problem(Kind::NotSignedIn) };
    let Ok(id) = id.parse::<DocumentId>() else { return problem(Kind::NotFound) };
    match backend.documents().copy(viewer, id).await {
        Ok(copy) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.html\"", file_name(&copy))),
                (header::CACHE_CONTROL, "private, no-store".to_owned()),
            ];
            (headers, document_file(locale, &copy, backend.clock().today())).into_response()
        }
        Err(error) => problem(AppError::from(error).kind),
    }
}

/// The document number or the title, in characters that every file system accepts: `57-nq-tw`.
fn file_name(copy: &DocumentCopy) -> String {
    let name = copy.summary.number.as_deref().unwrap_or(&copy.summary.title);
    let mut plain = String::new();
    for c in fold(name).chars().take(NAME_MAX) {
        match c {
            c if c.is_ascii_alphanumeric() => plain.push(c),
            _ if !plain.is_empty() && !plain.ends_with('-') => plain.push('-'),
            _ => {}
        }
    }
    let plain = plain.trim_end_matches('-');
    if plain.is_empty() { copy.summary.id.to_string() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use domain::{
        documents::{DocumentKind, DocumentSummary, Imprint},
        ids::UnitId,
        units::{UnitKind, UnitPath, UnitRef},
    };

    use super::*;

    fn copy(number: Option<&str>, title: &str) -> DocumentCopy {
        let path = UnitPath::parse("/01/").expect("a path");
        let level = UnitKind::from_key("central").expect("a level");
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let unit: UnitId = id.parse().expect("an id");
        DocumentCopy {
            imprint: Imprint {
                signer: None,
                audience: UnitRef { id: unit, kind: level, name: String::new(), path: path.clone() },
                parts: Vec::new(),
                except: Vec::new(),
            },
            summary: DocumentSummary {
                id: id.parse().expect("an id"),
                kind: DocumentKind::News,
                number: number.map(str::to_owned),
                title: title.to_owned(),
                issuer: UnitRef { id: unit, kind: level, name: "Trung ương".to_owned(), path },
                published_on: NaiveDate::from_ymd_opt(2026, 11, 21),
                minutes: 1,
                read: false,
                must_read_by: None,
                pinned: false,
                reminded: None,
                corrected_on: None,
            },
            html: String::new(),
        }
    }

    #[test]
    fn a_file_has_a_name_every_system_takes() {
        assert_eq!(file_name(&copy(Some("57-NQ/TW"), "x")), "57-nq-tw");
        assert_eq!(file_name(&copy(None, "Đường \"xa\"; ../../lạ\r\nX: y")), "duong-xa-la-x-y");
        assert_eq!(file_name(&copy(None, "নথি")), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        assert!(file_name(&copy(None, &"dài ".repeat(100))).len() <= NAME_MAX);
    }
}
