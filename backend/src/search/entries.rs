//! What is indexed of a document: read from the store, without markup.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, Utc};
use domain::{
    documents::{DocumentField, DocumentKind},
    locale::local_date,
    members::Standing,
    units::UnitKind,
};

use super::{
    Search,
    index::{Attached, Entry},
    plain::{self, shown},
};
use crate::{
    Result,
    store::{Store, SurrealValue, record, vars},
    units::Tree,
};

/// Characters of the files of one document that are indexed, about 120 printed pages: a book somebody attaches must not weigh down
/// every search that finds its document.
const ATTACHED_MAX: usize = 300_000;

impl Search<'_> {
    /// What is to be indexed of those documents that are published. A damaged one is left out and told of: it must not keep all others
    /// from being found.
    pub(super) async fn entries(&self, ids: &[String]) -> Result<Vec<Entry>> {
        let tree = self.backend.units().tree();
        let store = self.backend.store();
        let documents: Vec<_> = ids.iter().map(|id| record("document", id)).collect();
        let rows: Vec<Row> = store.read(ROWS, vars! { documents: documents }).await?.rows(0)?;
        let published: Vec<Row> = rows.into_iter().filter(|row| row.state == "published").collect();
        let texts = texts_of(store, "document_text", published.iter().map(|row| row.id.as_str())).await?;
        let named: Vec<&str> = published.iter().flat_map(|row| row.attachments.iter().flatten()).map(String::as_str).collect();
        let files: Vec<File> = if named.is_empty() {
            Vec::new()
        } else {
            let files: Vec<_> = named.iter().map(|id| record("attachment", id)).collect();
            store.read(FILES, vars! { files: files }).await?.rows(0)?
        };
        let file_texts = texts_of(store, "attachment_text", named.iter().copied()).await?;
        let mut entries = Vec::with_capacity(published.len());
        for row in published {
            let body = texts.get(&row.id).map(String::as_str).unwrap_or_default();
            let files = row.attachments.iter().flatten().filter_map(|id| files.iter().find(|file| file.id == *id));
            let files = files.filter(|file| file.state != "waiting");
            let files = files.map(|file| (file.name.as_str(), file_texts.get(&file.id).map(String::as_str).unwrap_or_default()));
            match entry(&row, body, attached(files), &tree) {
                Some(entry) => entries.push(entry),
                None => tracing::error!(document = %row.id, "a damaged document is not searched"),
            }
        }
        Ok(entries)
    }
}

/// None when a column says what it cannot.
fn entry(row: &Row, body: &str, attached: Vec<Attached>, tree: &Tree) -> Option<Entry> {
    let kind = DocumentKind::from_key(&row.kind)?;
    let issuer = tree.known(&row.issuer).map(|unit| unit.name.as_str()).unwrap_or_default();
    let year = row.published_at.map(|at| local_date(at).year()).unwrap_or_default();
    let standings = row.standings.iter().flatten().map(|key| Standing::from_key(key)).collect::<Option<_>>()?;
    Some(Entry {
        id: row.id.parse().ok()?,
        kind,
        level: UnitKind::from_key(&row.issuer_level)?,
        field: row.field.as_deref().map(DocumentField::from_key).map_or(Some(None), |field| field.map(Some))?,
        year: u16::try_from(year).ok()?,
        audience: row.audience.clone(),
        standings,
        issuer: row.issuer.clone(),
        number: row.number.clone(),
        about: format!("{}. {issuer}", kind_words(kind)),
        title: row.title.clone(),
        text: plain::plain(body),
        attached,
    })
}

/// Names are always searched, texts as far as there is room.
fn attached<'f>(files: impl Iterator<Item = (&'f str, &'f str)>) -> Vec<Attached> {
    let mut room = ATTACHED_MAX;
    files
        .map(|(name, text)| {
            let text: String = text.chars().filter(|c| is_kept(*c)).take(room).collect();
            room -= text.chars().count();
            Attached { name: shown(name), text }
        })
        .collect()
}

/// The texts of those of `ids` that have one.
async fn texts_of(store: &Store, table: &'static str, ids: impl Iterator<Item = &str>) -> Result<HashMap<String, String>> {
    let texts: Vec<_> = ids.map(|id| record(table, id)).collect();
    if texts.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Text> = store.read(TEXTS, vars! { texts: texts }).await?.rows(0)?;
    Ok(rows.into_iter().map(|row| (row.id, row.text)).collect())
}

fn is_kept(c: char) -> bool {
    c == '\n' || plain::is_shown(c)
}

/// What a kind is called in the language of the documents: people ask for "nghị quyết …" whether or not the title says it.
pub(super) const fn kind_words(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Resolution => "Nghị quyết",
        DocumentKind::Directive => "Chỉ thị",
        DocumentKind::Regulation => "Quy định, quy chế",
        DocumentKind::Guidance => "Hướng dẫn",
        DocumentKind::StudyMaterial => "Tài liệu học tập, sinh hoạt chuyên đề",
        DocumentKind::News => "Tin tức, thông báo",
        DocumentKind::Form => "Biểu mẫu, mẫu đơn",
    }
}

/// Point gets.
const ROWS: &str = "SELECT record::id(id) AS id, kind, number, title, field, issuer, issuer_level, audience, standings, attachments, \
                    state, published_at FROM $documents";
const TEXTS: &str = "SELECT record::id(id) AS id, body ?? text AS text FROM $texts";
const FILES: &str = "SELECT record::id(id) AS id, state, name FROM $files";

#[derive(Debug, SurrealValue)]
struct Row {
    id: String,
    kind: String,
    number: Option<String>,
    title: String,
    field: Option<String>,
    issuer: String,
    issuer_level: String,
    audience: String,
    standings: Option<Vec<String>>,
    attachments: Option<Vec<String>>,
    state: String,
    published_at: Option<DateTime<Utc>>,
}

#[derive(Debug, SurrealValue)]
struct Text {
    id: String,
    text: String,
}

#[derive(Debug, SurrealValue)]
struct File {
    id: String,
    state: String,
    name: String,
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn documents_are_read_by_point_gets() {
        let store = migrated().await;
        store.assert_no_scan(ROWS, vars! { documents: vec![record("document", Ulid::nil())] }).await;
        for table in ["document_text", "attachment_text"] {
            store.assert_no_scan(TEXTS, vars! { texts: vec![record(table, Ulid::nil())] }).await;
        }
        store.assert_no_scan(FILES, vars! { files: vec![record("attachment", Ulid::nil())] }).await;
    }

    #[test]
    fn files_are_searched_as_far_as_there_is_room() {
        let long = "từ ".repeat(ATTACHED_MAX / 4);
        let files = [("a\u{202e}b.pdf", long.as_str()), ("ảnh.png", ""), ("b.pdf", &long), ("c.pdf", "\u{200b}xong")];
        let attached = attached(files.into_iter());
        let lengths: Vec<_> = attached.iter().map(|file| file.text.chars().count()).collect();
        assert_eq!(lengths, [225_000, 0, 75_000, 0]);
        assert_eq!(attached[0].name, "ab.pdf");
    }
}
