//! What is indexed of a document, a meeting or a course: rows of the store as plain text.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Datelike, Utc};
use domain::{
    documents::{DocumentField, DocumentKind},
    locale::local_date,
    meetings::MeetingKind,
    members::Standing,
    search::SearchKind,
    units::UnitKind,
};

use super::{
    Search,
    index::{Attached, Entry, Sort},
    plain::{self, shown},
};
use crate::{
    Result,
    store::{Store, SurrealValue, record, vars},
    units::Tree,
};

/// Characters indexed of the files of one document, about 120 printed pages. Limits the cost of a search that finds a document
/// with a whole book attached.
const ATTACHED_MAX: usize = 300_000;

impl Search<'_> {
    /// The entries of those of these ids that others may find. A damaged row is logged and left out, so that it does not block
    /// the others.
    pub(super) async fn entries(&self, what: SearchKind, ids: &[String]) -> Result<Vec<Entry>> {
        match what {
            SearchKind::Documents => self.documents(ids).await,
            SearchKind::Meetings => self.meetings(ids).await,
            SearchKind::Courses => self.courses(ids).await,
        }
    }

    /// The entries of the published ones.
    async fn documents(&self, ids: &[String]) -> Result<Vec<Entry>> {
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
                None => tracing::error!(document = %row.id, "a damaged document is not indexed"),
            }
        }
        Ok(entries)
    }

    async fn meetings(&self, ids: &[String]) -> Result<Vec<Entry>> {
        let tree = self.backend.units().tree();
        let store = self.backend.store();
        let meetings: Vec<_> = ids.iter().map(|id| record("meeting", id)).collect();
        let rows: Vec<MeetingRow> = store.read(MEETINGS, vars! { meetings: meetings }).await?.rows(0)?;
        let papers = papers_of(store, rows.iter().flat_map(MeetingRow::papers)).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            match meeting(&row, &papers, &tree) {
                Some(entry) => entries.push(entry),
                None => tracing::error!(meeting = %row.id, "a damaged meeting is not indexed"),
            }
        }
        Ok(entries)
    }

    /// The entries of the assigned ones.
    async fn courses(&self, ids: &[String]) -> Result<Vec<Entry>> {
        let tree = self.backend.units().tree();
        let store = self.backend.store();
        let courses: Vec<_> = ids.iter().map(|id| record("course", id)).collect();
        let mut rows: Vec<CourseRow> = store.read(COURSES, vars! { courses: courses }).await?.rows(0)?;
        rows.retain(|row| row.state != "draft");
        let texts = texts_of(store, "course_text", rows.iter().map(|row| row.id.as_str())).await?;
        let papers = papers_of(store, rows.iter().flat_map(|row| &row.documents).map(String::as_str)).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let description = texts.get(&row.id).map(String::as_str).unwrap_or_default();
            match course(&row, description, &papers, &tree) {
                Some(entry) => entries.push(entry),
                None => tracing::error!(course = %row.id, "a damaged course is not indexed"),
            }
        }
        Ok(entries)
    }
}

/// `None` if a column has an invalid value.
fn entry(row: &Row, body: &str, attached: Vec<Attached>, tree: &Tree) -> Option<Entry> {
    let kind = DocumentKind::from_key(&row.kind)?;
    let issuer = tree.known(&row.issuer).map(|unit| unit.name.as_str()).unwrap_or_default();
    let year = row.published_at.map(|at| local_date(at).year()).unwrap_or_default();
    let standings = row.standings.iter().flatten().map(|key| Standing::from_key(key)).collect::<Option<_>>()?;
    Some(Entry {
        id: row.id.parse().ok()?,
        sort: Sort::Document {
            kind,
            level: UnitKind::from_key(&row.issuer_level)?,
            field: row.field.as_deref().map(DocumentField::from_key).map_or(Some(None), |field| field.map(Some))?,
            year: u16::try_from(year).ok()?,
            number: row.number.clone(),
            audience: row.audience.clone(),
            parts: row.parts.clone().unwrap_or_default(),
            except: row.except.clone().unwrap_or_default(),
            standings,
            issuer: row.issuer.clone(),
        },
        about: format!("{}. {issuer}", kind_words(kind)),
        title: row.title.clone(),
        text: plain::plain(body),
        attached,
    })
}

/// `None` if a column has an invalid value.
fn meeting(row: &MeetingRow, papers: &HashMap<String, PaperRow>, tree: &Tree) -> Option<Entry> {
    let kind = MeetingKind::from_key(&row.kind)?;
    let unit = tree.known(&row.unit).map(|unit| unit.name.as_str()).unwrap_or_default();
    let (mut lines, mut named) = (Vec::new(), HashSet::new());
    for item in &row.agenda {
        lines.push(shown(&item.title));
        for id in &item.papers {
            let paper = papers.get(id).filter(|paper| paper.is_for_all(tree) || paper.is_for(&row.unit));
            if named.insert(id.clone()) {
                lines.extend(paper.map(|paper| shown(&paper.title)));
            }
        }
    }
    lines.push(shown(&row.venue));
    Some(Entry {
        id: row.id.parse().ok()?,
        sort: Sort::Meeting { kind, unit: row.unit.clone(), papers: named.into_iter().collect() },
        title: row.title.clone(),
        about: format!("{}. {unit}", meeting_words(kind)),
        text: lines.join("\n"),
        attached: Vec::new(),
    })
}

/// `None` if a column has an invalid value.
fn course(row: &CourseRow, description: &str, papers: &HashMap<String, PaperRow>, tree: &Tree) -> Option<Entry> {
    let issuer = tree.known(&row.issuer).map(|unit| unit.name.as_str()).unwrap_or_default();
    let audience = row.audience.clone()?;
    let standings = row.standings.iter().flatten().map(|key| Standing::from_key(key)).collect::<Option<_>>()?;
    // An office that may end the course may also read documents issued by, and documents for, the unit that gives it.
    let is_shared = |paper: &PaperRow| paper.is_for(&audience) && (paper.issuer == row.issuer || row.issuer == audience);
    let lessons = row.documents.iter().filter_map(|id| papers.get(id));
    let lessons = lessons.filter(|paper| paper.is_for_all(tree) || is_shared(paper)).map(|paper| shown(&paper.title));
    let lines: Vec<String> = [plain::plain(description)].into_iter().chain(lessons).collect();
    Some(Entry {
        id: row.id.parse().ok()?,
        title: row.title.clone(),
        about: format!("{COURSE_WORDS}. {issuer}"),
        text: lines.join("\n"),
        attached: Vec::new(),
        sort: Sort::Course {
            audience,
            parts: row.parts.clone().unwrap_or_default(),
            except: row.except.clone().unwrap_or_default(),
            standings,
            issuer: row.issuer.clone(),
            papers: row.documents.clone(),
        },
    })
}

/// The published ones of these documents.
async fn papers_of(store: &Store, ids: impl Iterator<Item = &str>) -> Result<HashMap<String, PaperRow>> {
    let ids: HashSet<&str> = ids.collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let documents: Vec<_> = ids.into_iter().map(|id| record("document", id)).collect();
    let rows: Vec<PaperRow> = store.read(PAPERS, vars! { documents: documents }).await?.rows(0)?;
    Ok(rows.into_iter().map(|row| (row.id.clone(), row)).collect())
}

/// File names are always indexed, texts up to [`ATTACHED_MAX`].
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

/// The name of a kind in the language of the documents: queries contain “nghị quyết …” whether or not the title does.
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

/// The name of a kind of meeting in the language of the documents.
pub(super) const fn meeting_words(kind: MeetingKind) -> &'static str {
    match kind {
        MeetingKind::Regular => "Buổi sinh hoạt thường kỳ",
        MeetingKind::Thematic => "Buổi sinh hoạt chuyên đề",
        MeetingKind::Committee => "Buổi họp cấp ủy",
    }
}

pub(super) const COURSE_WORDS: &str = "Khóa học";

/// Point reads.
const ROWS: &str = "SELECT record::id(id) AS id, kind, number, title, field, issuer, issuer_level, audience, parts, except, \
                    standings, attachments, state, published_at FROM $documents";
const TEXTS: &str = "SELECT record::id(id) AS id, body ?? text ?? description AS text FROM $texts";
const FILES: &str = "SELECT record::id(id) AS id, state, name FROM $files";
const MEETINGS: &str = "SELECT record::id(id) AS id, unit, kind, title, venue ?? place AS venue, agenda FROM $meetings";
const COURSES: &str =
    "SELECT record::id(id) AS id, state, title, issuer, audience, parts, except, standings, documents FROM $courses";
const PAPERS: &str =
    "SELECT record::id(id) AS id, title, issuer, audience, parts, except, standings FROM $documents WHERE state = 'published'";

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
    parts: Option<Vec<String>>,
    except: Option<Vec<String>>,
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

#[derive(Debug, SurrealValue)]
struct MeetingRow {
    id: String,
    unit: String,
    kind: String,
    title: String,
    venue: String,
    agenda: Vec<ItemRow>,
}

#[derive(Debug, SurrealValue)]
struct ItemRow {
    title: String,
    papers: Vec<String>,
}

impl MeetingRow {
    fn papers(&self) -> impl Iterator<Item = &str> {
        self.agenda.iter().flat_map(|item| &item.papers).map(String::as_str)
    }
}

#[derive(Debug, SurrealValue)]
struct CourseRow {
    id: String,
    state: String,
    title: String,
    issuer: String,
    audience: Option<String>,
    parts: Option<Vec<String>>,
    except: Option<Vec<String>>,
    standings: Option<Vec<String>>,
    documents: Vec<String>,
}

/// A document that a meeting or a course refers to.
///
/// Invariant: its title is indexed with theirs only if everybody who may find them may read the document, now and after units
/// move. So its audience must be the whole of the same unit, or the whole organisation. An office that may read the meetings of a
/// unit may read the documents for it.
#[derive(Debug, SurrealValue)]
struct PaperRow {
    id: String,
    title: String,
    issuer: String,
    audience: String,
    parts: Option<Vec<String>>,
    except: Option<Vec<String>>,
    standings: Option<Vec<String>>,
}

impl PaperRow {
    fn is_for_all(&self, tree: &Tree) -> bool {
        let root = tree.all().next().filter(|root| tree.all().next_back().is_some_and(|last| root.path.contains(&last.path)));
        root.is_some_and(|root| self.is_for(&root.id.to_string()))
    }

    fn is_for(&self, unit: &str) -> bool {
        self.audience == unit && [&self.parts, &self.except, &self.standings].into_iter().flatten().all(Vec::is_empty)
    }
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
        for table in ["document_text", "attachment_text", "course_text"] {
            store.assert_no_scan(TEXTS, vars! { texts: vec![record(table, Ulid::nil())] }).await;
        }
        store.assert_no_scan(FILES, vars! { files: vec![record("attachment", Ulid::nil())] }).await;
        store.assert_no_scan(MEETINGS, vars! { meetings: vec![record("meeting", Ulid::nil())] }).await;
        store.assert_no_scan(COURSES, vars! { courses: vec![record("course", Ulid::nil())] }).await;
        store.assert_no_scan(PAPERS, vars! { documents: vec![record("document", Ulid::nil())] }).await;
    }

    #[test]
    fn a_paper_for_some_of_a_unit_is_not_for_all_of_it() {
        let unit = || "U".to_owned();
        let paper = || PaperRow {
            id: unit(),
            title: unit(),
            issuer: unit(),
            audience: unit(),
            parts: None,
            except: None,
            standings: None,
        };
        assert!(paper().is_for("U") && !paper().is_for("V"));
        assert!(!PaperRow { parts: Some(vec!["V".to_owned()]), ..paper() }.is_for("U"));
        assert!(!PaperRow { except: Some(vec!["V".to_owned()]), ..paper() }.is_for("U"));
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
