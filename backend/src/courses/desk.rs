//! Writing a course: title, description, documents.

use domain::{
    accounts::Viewer,
    audience::Audience,
    courses::{
        Arrangement, CourseDesk, CourseDraft, CourseFormPage, CourseState, CourseStep, Description, DeskCourse, MAX_DOCUMENTS,
        QuizRules,
    },
    documents::{DocumentSummary, Title},
    events::EventBody,
    forms::{FormReader, Problem},
    ids::{CourseId, DocumentId},
    policy::Action,
    search::{SearchKind, SearchQuery},
    units::{UnitPath, UnitRef},
};

use super::{COLUMNS, Course, CourseRow, CourseText, Courses, count};
use crate::{
    Error, Result,
    change::Change,
    markdown,
    store::{StoreError, SurrealValue, Variables, record, vars},
    units::Tree,
};

/// Most rows of each state on the page.
const DESK_ROWS: usize = 50;

/// Documents offered at a time.
const FOUND: usize = 10;

/// The form of a course, as typed.
#[derive(Debug, Clone, Copy)]
pub struct CourseForm<'f> {
    pub id: &'f str,
    /// The version that was edited; `0` for a new course.
    pub version: &'f str,
    pub issuer: &'f str,
    pub title: &'f str,
    pub description: &'f str,
}

impl Courses<'_> {
    /// The courses of units for which the viewer manages courses.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who manages none.
    pub async fn desk(&self, viewer: &Viewer) -> Result<CourseDesk> {
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::ManageCourses);
        let unit = highest(&tree, &top_units)?.clone();
        let mut page = CourseDesk { unit, drafts: Vec::new(), assigned: Vec::new(), ended: Vec::new() };
        for top_unit in top_units {
            let vars = vars! { from: top_unit.to_string(), until: top_unit.range_end() };
            let mut answers = self.backend.store().read(desk_ranges(), vars).await?;
            for (at, state) in CourseState::ALL.into_iter().enumerate() {
                let rows = match state {
                    CourseState::Draft => &mut page.drafts,
                    CourseState::Assigned => &mut page.assigned,
                    CourseState::Ended => &mut page.ended,
                };
                for row in answers.rows::<CourseRow>(at)? {
                    rows.push(row.decode(&tree)?.desk_row());
                }
            }
        }
        for rows in [&mut page.drafts, &mut page.assigned, &mut page.ended] {
            rows.sort_by_key(|row| std::cmp::Reverse((row.saved_at, row.id)));
            rows.truncate(DESK_ROWS);
        }
        Ok(page)
    }

    /// An empty form with a new id. Nothing is stored.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no courses.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn blank(&self, viewer: &Viewer) -> Result<CourseFormPage> {
        let tree = self.backend.units().tree();
        let issuers = issuers(&tree, viewer);
        let issuer = issuers.first().ok_or(Error::NotFound)?.clone();
        let clock = self.backend.clock();
        let course = CourseDraft {
            id: CourseId::new(clock.ulid()),
            title: String::new(),
            description: String::new(),
            issuer,
            state: CourseState::Draft,
            version: 0,
            saved_at: clock.now(),
            rules: QuizRules::default(),
            audience: None,
            parts: Vec::new(),
            except: Vec::new(),
            due_on: None,
        };
        let (html, documents, found, questions) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        let copy = CourseId::new(clock.ulid());
        Ok(CourseFormPage { course, issuers, html, documents, found, questions, copy })
    }

    /// The form of a course for its managers, with documents that match `typed` to add.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of it, [`Error::NotAllowed`] for a person who may only take the course.
    pub async fn form(&self, viewer: &Viewer, id: CourseId, typed: &str) -> Result<CourseFormPage> {
        let course = self.managed(viewer, id).await?;
        let text = self.text(id).await?;
        let documents = self.documents(viewer, &course).await?;
        let found = match course.state {
            CourseState::Draft => self.offered(viewer, &course, typed).await?,
            CourseState::Assigned | CourseState::Ended => Vec::new(),
        };
        Ok(CourseFormPage {
            html: markdown::render(&text.description).html,
            issuers: issuers(&self.backend.units().tree(), viewer),
            documents,
            found,
            questions: text.questions.clone(),
            copy: CourseId::new(self.backend.clock().ulid()),
            course: course.draft(&text),
        })
    }

    /// Stores the form as a new course, or as the next version of one.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `course` for problems that the person can correct, [`Problem::Stale`] on `title` when the
    /// course was saved concurrently; [`Error::NotAllowed`] for an assigned course; otherwise as [`Self::form`].
    pub async fn save(&self, viewer: &Viewer, form: CourseForm<'_>) -> Result<CourseId> {
        let id: CourseId = form.id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        let tree = self.backend.units().tree();
        let stored = if version > 0 {
            let course = self.managed(viewer, id).await?;
            course.step(CourseStep::Edit)?;
            Some(course)
        } else if viewer.standpoint.top_units(Action::ManageCourses).is_empty() {
            return Err(Error::NotFound);
        } else {
            None
        };
        let mut reader = FormReader::new("course");
        let title = reader.read("title", form.title, Title::parse);
        let description = reader.read("description", form.description, Description::parse);
        let issuer = reader.read("issuer", form.issuer, |typed| match &stored {
            // The issuer cannot change: its people already know the course.
            Some(course) => Ok(course.issuer.clone()),
            None => tree
                .named(typed)
                .filter(|unit| viewer.standpoint.may_issue(Action::ManageCourses, unit))
                .cloned()
                .ok_or(Problem::NotOffered),
        });
        let (Some(title), Some(description), Some(issuer)) = (title, description, issuer) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let mut vars = self.edit_vars(viewer, id, version);
        vars.extend(vars! {
            title: title.as_str(),
            description: description.as_str(),
            issuer: issuer.id.to_string(),
            issuer_path: issuer.path.to_string(),
            pass_percent: i64::from(QuizRules::default().pass_percent),
        });
        let change = match stored {
            Some(_) => Change::new(UNCHANGED, vars)
                .then(&format!("UPDATE $course SET title = $title, {SAVED} RETURN NONE;"))
                .then("UPDATE $text SET description = $description RETURN NONE;"),
            None => Change::new(CREATE, vars),
        };
        let (clock, actor) = (self.backend.clock(), Some(viewer.member));
        let change = change.event(clock, actor, &issuer.path, EventBody::CourseSaved(id));
        match self.backend.transact(change).await {
            Ok(_) => Ok(id),
            Err(StoreError::Exists | StoreError::Thrown(_)) => {
                let stored = self.managed(viewer, id).await?;
                let is_same = stored.version == version + 1
                    && stored.saved_by == viewer.member.to_string()
                    && stored.title == title.as_str()
                    && self.text(id).await?.description == description.as_str();
                // A repeated request is not a conflict.
                if is_same { Ok(id) } else { Err(reader.refused("title", Problem::Stale).into()) }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a document to a draft, moves it up or down, or removes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `documents`: on `document` [`Problem::Unknown`] for one that the person may not read or
    /// that does not concern the unit, [`Problem::TooLong`] when there are too many, [`Problem::Stale`] when the course was
    /// changed concurrently. Otherwise as [`Self::save`].
    pub async fn arrange(&self, viewer: &Viewer, id: &str, version: &str, document: &str, step: &str) -> Result<CourseId> {
        let id: CourseId = id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = version.parse().map_err(|_| Error::NotFound)?;
        let step = Arrangement::from_key(step).ok_or(Error::NotFound)?;
        let document: DocumentId = document.parse().map_err(|_| Error::NotFound)?;
        let course = self.managed(viewer, id).await?;
        course.step(CourseStep::Edit)?;
        let reader = FormReader::new("documents");
        let mut documents = course.documents.clone();
        let at = documents.iter().position(|known| *known == document);
        match (step, at) {
            (Arrangement::Add, Some(_)) => return Ok(id),
            (Arrangement::Add, None) => {
                if documents.len() >= MAX_DOCUMENTS {
                    return Err(reader.refused("document", Problem::TooLong { max: count(MAX_DOCUMENTS) }).into());
                }
                if self.concerning(viewer, &course, vec![document]).await?.is_empty() {
                    return Err(reader.refused("document", Problem::Unknown).into());
                }
                documents.push(document);
            }
            (step, Some(at)) => step.apply(&mut documents, at),
            (_, None) => return Err(reader.refused("document", Problem::Stale).into()),
        }
        let documents: Vec<String> = documents.into_iter().map(String::from).collect();
        self.edit(viewer, &course, version, "documents = $documents", "", vars! { documents: documents })
            .await
            .map_err(|error| stale(error, reader, "document"))
    }

    /// Updates columns of a draft if it still has the version that was edited: see [`stale`].
    pub(super) async fn edit(
        &self,
        viewer: &Viewer,
        course: &Course,
        version: u32,
        columns: &str,
        more: &str,
        values: Variables,
    ) -> Result<CourseId, StoreError> {
        let (clock, actor) = (self.backend.clock(), Some(viewer.member));
        let change = Change::new(UNCHANGED, self.edit_vars(viewer, course.id, version))
            .then(&format!("UPDATE $course SET {columns}, {SAVED} RETURN NONE;"))
            .then(more)
            .bind(values)
            .event(clock, actor, &course.issuer.path, EventBody::CourseSaved(course.id));
        self.backend.transact(change).await?;
        Ok(course.id)
    }

    pub(super) fn edit_vars(&self, viewer: &Viewer, id: CourseId, version: u32) -> Variables {
        vars! {
            course: record("course", id),
            text: record("course_text", id),
            version: i64::from(version),
            next: i64::from(version) + 1,
            now: self.backend.clock().now(),
            editor: viewer.member.to_string(),
        }
    }

    /// Documents to add: those found by number or title, or the newest when nothing was typed.
    async fn offered(&self, viewer: &Viewer, course: &Course, typed: &str) -> Result<Vec<DocumentSummary>> {
        let ids: Vec<DocumentId> = if typed.trim().is_empty() {
            self.newest(&course.issuer.path).await?
        } else {
            let query = SearchQuery { typed: typed.to_owned(), what: Some(SearchKind::Documents), ..SearchQuery::default() };
            let page = self.backend.search().find(viewer, &query).await?;
            page.hits.iter().filter_map(|hit| hit.item.document()).map(|document| document.id).collect()
        };
        let fresh = ids.into_iter().filter(|id| !course.documents.contains(id)).collect();
        let mut found = self.concerning(viewer, course, fresh).await?;
        found.truncate(FOUND);
        Ok(found)
    }

    /// The newest documents that reach a unit.
    async fn newest(&self, unit: &UnitPath) -> Result<Vec<DocumentId>> {
        let (sql, vars) = newest_ranges(unit);
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut rows: Vec<PublishedKeyRow> = Vec::new();
        for at in 0..unit.ancestors_and_self().count() {
            rows.extend(answers.rows::<PublishedKeyRow>(at)?);
        }
        rows.sort_by(|a, b| b.shelf.cmp(&a.shelf));
        rows.iter()
            .take(2 * FOUND)
            .map(|row| row.id.parse().map_err(|_| Error::Damaged(format!("document {}", row.id))))
            .collect()
    }

    /// The documents among `ids` that the person may read and that reach the course's unit or a part of it, in the order of
    /// `ids`.
    async fn concerning(&self, viewer: &Viewer, course: &Course, ids: Vec<DocumentId>) -> Result<Vec<DocumentSummary>> {
        let reaches = self.backend.documents().audiences(&ids).await?;
        let mut found = self.backend.documents().found(viewer, &ids).await?;
        found.retain(|document| reaches.iter().any(|(id, audience)| *id == document.id && audience.touches(&course.issuer.path)));
        found.sort_by_key(|document| ids.iter().position(|id| *id == document.id));
        Ok(found)
    }
}

#[derive(Debug, SurrealValue)]
struct PublishedKeyRow {
    id: String,
    shelf: String,
}

/// One index range for each unit from the root down to this one.
fn newest_ranges(unit: &UnitPath) -> (String, Variables) {
    let (mut sql, mut vars) = (String::new(), vars! {});
    for (at, path) in unit.ancestors_and_self().enumerate() {
        sql += &format!(
            "SELECT record::id(id) AS id, shelf FROM document WHERE audience_path = $path_{at} AND shelf > '' \
             ORDER BY shelf DESC LIMIT {};",
            2 * FOUND
        );
        vars.insert(format!("path_{at}"), path.to_string());
    }
    (sql, vars)
}

impl Course {
    pub(super) fn desk_row(self) -> DeskCourse {
        let due_on = self.given.as_ref().map(|given| given.due_on);
        let (audience, parts, except) = match self.given.map(|given| given.audience) {
            Some(Audience { unit, parts, except, .. }) => (Some(unit), parts, except),
            None => (None, Vec::new(), Vec::new()),
        };
        DeskCourse {
            id: self.id,
            title: self.title,
            issuer: self.issuer,
            state: self.state,
            due_on,
            audience,
            parts,
            except,
            documents: count(self.documents.len()),
            questions: self.questions,
            saved_at: self.saved_at,
        }
    }

    pub(super) fn draft(&self, text: &CourseText) -> CourseDraft {
        let audience = self.given.as_ref().map(|given| &given.audience);
        CourseDraft {
            id: self.id,
            title: self.title.clone(),
            description: text.description.clone(),
            issuer: self.issuer.clone(),
            state: self.state,
            version: self.version,
            saved_at: self.saved_at,
            rules: self.rules,
            audience: audience.map(|audience| audience.unit.clone()),
            parts: audience.map(|audience| audience.parts.clone()).unwrap_or_default(),
            except: audience.map(|audience| audience.except.clone()).unwrap_or_default(),
            due_on: self.given.as_ref().map(|given| given.due_on),
        }
    }
}

/// Maps the `THROW` of [`UNCHANGED`] to a problem of the form.
pub(super) fn stale(error: StoreError, reader: FormReader, field: &str) -> Error {
    match error {
        StoreError::Thrown(_) => reader.refused(field, Problem::Stale).into(),
        error => error.into(),
    }
}

/// The assignments that every save of a draft makes.
pub(super) const SAVED: &str = "version = $next, saved_at = $now, saved_by = $editor";

/// Aborts the transaction when the course was saved or assigned since the edited version.
pub(super) const UNCHANGED: &str = "LET $found = (SELECT version, state FROM ONLY $course); \
                                    IF $found.version != $version OR $found.state != 'draft' { THROW 'stale' };";

const CREATE: &str = "CREATE $course SET title = $title, issuer = $issuer, issuer_path = $issuer_path, state = 'draft', \
     version = $next, saved_at = $now, saved_by = $editor, documents = [], questions = 0, pass_percent = $pass_percent, tries = 0 RETURN NONE; \
     CREATE $text SET description = $description, questions = [] RETURN NONE;";

/// One range for each state, in the order of [`CourseState::ALL`].
fn desk_ranges() -> String {
    CourseState::ALL
        .iter()
        .map(|state| {
            format!(
                "SELECT {COLUMNS} FROM course WHERE issuer_path >= $from AND issuer_path < $until AND state = '{}' \
                 ORDER BY saved_at DESC LIMIT {DESK_ROWS};",
                state.key()
            )
        })
        .collect()
}

/// The unit of the page's title: the highest for which the person may manage courses.
pub(super) fn highest<'t>(tree: &'t Tree, top_units: &[&UnitPath]) -> Result<&'t UnitRef> {
    top_units.iter().min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path)).ok_or(Error::NotFound)
}

/// Units on behalf of which the person may manage courses: those of the offices with that permission.
fn issuers(tree: &Tree, viewer: &Viewer) -> Vec<UnitRef> {
    viewer.standpoint.top_units(Action::ManageCourses).into_iter().filter_map(|top_unit| tree.at(top_unit)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_desk_and_the_newest_documents_are_index_ranges() {
        let store = migrated().await;
        store.assert_no_scan(&desk_ranges(), vars! { from: "/01/", until: "/010" }).await;
        let (sql, vars) = newest_ranges(&UnitPath::parse("/01/51/001/").expect("a path"));
        store.assert_no_scan(&sql, vars).await;
    }
}
