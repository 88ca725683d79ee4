//! The editor's desk: drafts, publishing, withdrawing.

use domain::{
    accounts::Viewer,
    documents::{
        Body, DeskPage, DeskRow, DocumentDraft, DocumentKind, DocumentNumber, DocumentState, DocumentStep, DraftPage,
        StepRefused, Title,
    },
    events::EventKind,
    forms::{FormReader, Problem},
    ids::DocumentId,
    policy::Action,
    units::{UnitKind, UnitPath, UnitRef},
};

use super::{COLUMNS, Document, DocumentRow, Documents};
use crate::{
    Error, Result, events, markdown,
    store::{Variables, pair, record, vars},
    units::Tree,
};

/// Rows of one state on the desk.
const DESK_ROWS: usize = 50;

/// Units a choice offers at most: a list a person can still go through.
const CHOICES: usize = 400;

/// The editor's form as it was typed.
#[derive(Debug, Clone, Copy)]
pub struct DraftForm<'f> {
    pub id: &'f str,
    /// The version the editor started from; `0` for a document not stored yet.
    pub version: &'f str,
    pub kind: &'f str,
    pub number: &'f str,
    pub title: &'f str,
    pub issuer: &'f str,
    pub audience: &'f str,
    pub body: &'f str,
}

/// The form once every field was understood.
struct Draft {
    kind: DocumentKind,
    number: Option<DocumentNumber>,
    title: Title,
    issuer: UnitRef,
    audience: UnitRef,
    body: Body,
}

impl Documents<'_> {
    /// What the editor's units have in work and out.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who writes nowhere.
    pub async fn desk(&self, viewer: &Viewer) -> Result<DeskPage> {
        let tree = self.backend.units().tree();
        let seats = viewer.standpoint.seats(Action::WriteDocument);
        let unit = highest(&tree, &seats)?.clone();
        let mut page = DeskPage { unit, drafts: Vec::new(), published: Vec::new(), withdrawn: Vec::new() };
        for seat in seats {
            let vars = vars! { from: seat.to_string(), until: seat.range_end() };
            let mut answers = self.backend.store().read(desk_ranges(), vars).await?;
            for (at, state) in DocumentState::ALL.into_iter().enumerate() {
                let rows = match state {
                    DocumentState::Draft => &mut page.drafts,
                    DocumentState::Published => &mut page.published,
                    DocumentState::Withdrawn => &mut page.withdrawn,
                };
                for row in answers.rows::<DocumentRow>(at)? {
                    rows.push(row.understand(&tree)?.desk_row());
                }
            }
        }
        for rows in [&mut page.drafts, &mut page.published, &mut page.withdrawn] {
            rows.sort_by_key(|row| std::cmp::Reverse((row.saved_at, row.id)));
            rows.truncate(DESK_ROWS);
        }
        Ok(page)
    }

    /// An empty form under a fresh id. Nothing is stored yet.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who writes nowhere.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn blank(&self, viewer: &Viewer) -> Result<DraftPage> {
        let tree = self.backend.units().tree();
        let unit = highest(&tree, &viewer.standpoint.seats(Action::WriteDocument))?.clone();
        let clock = self.backend.clock();
        let draft = DocumentDraft {
            id: DocumentId::new(clock.ulid()),
            kind: DocumentKind::News,
            number: String::new(),
            title: String::new(),
            issuer: unit.clone(),
            audience: unit,
            body: String::new(),
            state: DocumentState::Draft,
            version: 0,
            saved_at: clock.now(),
        };
        Ok(self.draft_page(viewer, &tree, draft))
    }

    /// The stored draft, or what became of it, in the form.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAllowed`] as [`Self::publish`].
    pub async fn draft(&self, viewer: &Viewer, id: DocumentId) -> Result<DraftPage> {
        let (document, body) = self.on_desk(viewer, id).await?;
        let draft = DocumentDraft {
            id,
            kind: document.kind,
            number: document.number.unwrap_or_default(),
            title: document.title,
            issuer: document.issuer,
            audience: document.audience,
            body,
            state: document.state,
            version: document.version,
            saved_at: document.saved_at,
        };
        Ok(self.draft_page(viewer, &self.backend.units().tree(), draft))
    }

    /// Stores the form as the next version of the draft, or as a new draft.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what the editor can mend, [`Problem::Stale`] on `body` when somebody saved meanwhile: the typed text
    /// comes back, the stored one stays, nothing is lost. [`Error::Step`] when it is no draft any more; [`Error::NotFound`] and
    /// [`Error::NotAllowed`] as [`Self::publish`].
    pub async fn save_draft(&self, viewer: &Viewer, form: DraftForm<'_>) -> Result<DocumentId> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        if version > 0 {
            let (document, _) = self.on_desk(viewer, id).await?;
            document.state.next(DocumentStep::Edit)?;
        } else if viewer.standpoint.seats(Action::WriteDocument).is_empty() {
            return Err(Error::NotFound);
        }
        let (reader, draft) = self.understand(viewer, form)?;
        let (sql, kind) = if version == 0 {
            (format!("CREATE $document SET {FIELDS} RETURN NONE; {TEXT} {}", events::APPEND), EventKind::DocumentDrafted)
        } else {
            (
                format!("{UNCHANGED} UPDATE $document SET {FIELDS} RETURN NONE; {TEXT} {}", events::APPEND),
                EventKind::DocumentSaved,
            )
        };
        let mut vars = self.draft_vars(viewer, id, version, &draft);
        events::append(&mut vars, self.backend.clock(), kind, Some(viewer.member), &draft.issuer.path, id);
        match self.backend.store().write(&sql, vars).await {
            Ok(_) => {
                self.backend.events().wake();
                Ok(id)
            }
            Err(Error::Exists | Error::Thrown(_)) if self.is_saved(viewer, id, version, &draft).await? => Ok(id),
            Err(Error::Exists | Error::Thrown(_)) => Err(reader.refused("body", Problem::Stale).into()),
            Err(Error::Taken { .. }) => Err(reader.refused("number", Problem::NumberTaken).into()),
            Err(error) => Err(error),
        }
    }

    /// Puts a draft on the shelf of its audience.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of the document, [`Error::NotAllowed`] when they may read but not publish
    /// it, [`Error::Step`] when it is no draft.
    pub async fn publish(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        let now = self.backend.clock().now();
        let place = Some(self.backend.clock().ulid_at(now).to_string());
        let change = "published_at = $now, shelf = $shelf";
        self.step(viewer, id, DocumentStep::Publish, change, vars! { now: now, shelf: place }).await
    }

    /// Takes a published document off the shelf. Receipts, opinions and revisions stay.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Step`] when it is not published.
    pub async fn withdraw(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        self.step(viewer, id, DocumentStep::Withdraw, "shelf = NONE", vars! {}).await
    }

    async fn step(&self, viewer: &Viewer, id: DocumentId, step: DocumentStep, change: &str, mut vars: Variables) -> Result<()> {
        let (document, _) = self.on_desk(viewer, id).await?;
        if !viewer.standpoint.may_by_office(Action::PublishDocument, &document.issuer.path) {
            return Err(Error::NotAllowed);
        }
        let next = document.state.next(step)?;
        let kind = match next {
            DocumentState::Published => EventKind::DocumentPublished,
            DocumentState::Withdrawn => EventKind::DocumentWithdrawn,
            DocumentState::Draft => EventKind::DocumentSaved,
        };
        vars.extend(vars! {
            document: record("document", id),
            version: i64::from(document.version),
            state: document.state.key(),
            next: next.key(),
        });
        events::append(&mut vars, self.backend.clock(), kind, Some(viewer.member), &document.issuer.path, id);
        // The version too: what goes out is the text that was looked at, not one saved in this moment.
        let sql = format!(
            "LET $found = (SELECT version, state FROM ONLY $document); \
             IF $found.version != $version OR $found.state != $state {{ THROW 'changed' }}; \
             UPDATE $document SET state = $next, {change} RETURN NONE; {}",
            events::APPEND
        );
        match self.backend.store().write(&sql, vars).await {
            Ok(_) => {
                self.backend.events().wake();
                Ok(())
            }
            Err(Error::Thrown(_)) => Err(self.refusal(viewer, id, step).await?),
            Err(error) => Err(error),
        }
    }

    /// Why a step that was fine a moment ago is not any more.
    async fn refusal(&self, viewer: &Viewer, id: DocumentId, step: DocumentStep) -> Result<Error> {
        let (document, _) = self.on_desk(viewer, id).await?;
        Ok(match document.state.next(step) {
            Err(refused) => refused.into(),
            // Somebody saved a newer text: look at it, then publish.
            Ok(_) => Error::Step(StepRefused { from: document.state, step }),
        })
    }

    /// The document and its text for someone who writes for its issuer.
    async fn on_desk(&self, viewer: &Viewer, id: DocumentId) -> Result<(Document, String)> {
        let sql = format!("SELECT {COLUMNS} FROM ONLY $document; SELECT VALUE body FROM ONLY $text;");
        let vars = vars! { document: record("document", id), text: record("document_text", id) };
        let mut answers = self.backend.store().read(sql, vars).await?;
        let row: DocumentRow = answers.row(0)?.ok_or(Error::NotFound)?;
        let document = row.understand(&self.backend.units().tree())?;
        if viewer.standpoint.may_by_office(Action::WriteDocument, &document.issuer.path) {
            Ok((document, answers.row(1)?.unwrap_or_default()))
        } else if document.is_readable_for(viewer) {
            Err(Error::NotAllowed)
        } else {
            Err(Error::NotFound)
        }
    }

    /// Whether exactly this form was stored before: the same button pressed twice is no conflict with oneself.
    async fn is_saved(&self, viewer: &Viewer, id: DocumentId, version: u32, draft: &Draft) -> Result<bool> {
        let (document, body) = self.on_desk(viewer, id).await?;
        Ok(document.version == version + 1
            && document.saved_by == viewer.member.to_string()
            && document.title == draft.title.as_str()
            && body == draft.body.as_str())
    }

    fn understand(&self, viewer: &Viewer, form: DraftForm<'_>) -> Result<(FormReader, Draft)> {
        let tree = self.backend.units().tree();
        let mut reader = FormReader::new("draft");
        let kind = reader.read("kind", form.kind, |typed| match typed {
            "" => Err(Problem::Required),
            typed => DocumentKind::from_key(typed).ok_or(Problem::NotOffered),
        });
        let number = reader.read("number", form.number, DocumentNumber::parse_optional);
        let title = reader.read("title", form.title, Title::parse);
        let issuer = reader.read("issuer", form.issuer, |typed| {
            unit(&tree, typed, |path| viewer.standpoint.may_by_office(Action::WriteDocument, path))
        });
        let audience = reader.read("audience", form.audience, |typed| {
            // Authority flows down: nobody publishes beside or above the issuer. Without an issuer there is nothing to compare.
            unit(&tree, typed, |path| issuer.as_ref().is_none_or(|issuer| issuer.path.contains(path)))
        });
        let body = reader.read("body", form.body, Body::parse);
        match (kind, number, title, issuer, audience, body) {
            (Some(kind), Some(number), Some(title), Some(issuer), Some(audience), Some(body)) => {
                Ok((reader, Draft { kind, number, title, issuer, audience, body }))
            }
            _ => Err(reader.finish().err().unwrap_or_default().into()),
        }
    }

    fn draft_vars(&self, viewer: &Viewer, id: DocumentId, version: u32, draft: &Draft) -> Variables {
        let next = i64::from(version) + 1;
        vars! {
            document: record("document", id),
            text: record("document_text", id),
            revision: pair("document_revision", id, next),
            version: i64::from(version),
            next: next,
            kind: draft.kind.key(),
            number: draft.number.as_ref().map(|number| number.as_str().to_owned()),
            title: draft.title.as_str(),
            issuer: draft.issuer.id.to_string(),
            issuer_path: draft.issuer.path.to_string(),
            issuer_level: draft.issuer.kind.key(),
            audience: draft.audience.id.to_string(),
            audience_path: draft.audience.path.to_string(),
            minutes: i64::from(draft.body.minutes()),
            body: draft.body.as_str(),
            now: self.backend.clock().now(),
            editor: viewer.member.to_string(),
        }
    }

    fn draft_page(&self, viewer: &Viewer, tree: &Tree, draft: DocumentDraft) -> DraftPage {
        let seats = viewer.standpoint.seats(Action::WriteDocument);
        let branches = tree.subtree(&draft.audience.path).filter(|unit| unit.kind == UnitKind::Branch).count();
        DraftPage {
            preview: markdown::render(&draft.body).html,
            members: self.backend.counters().members(&draft.audience.path),
            branches: u32::try_from(branches).unwrap_or(u32::MAX),
            issuers: choices(tree, &seats, &draft.issuer, |unit| unit.kind != UnitKind::Branch),
            audiences: choices(tree, &seats, &draft.audience, |_| true),
            draft,
        }
    }
}

impl Document {
    fn desk_row(self) -> DeskRow {
        DeskRow {
            id: self.id,
            kind: self.kind,
            title: self.title,
            state: self.state,
            issuer: self.issuer,
            audience: self.audience,
            saved_at: self.saved_at,
        }
    }
}

/// What a save writes into the document's row.
const FIELDS: &str = "kind = $kind, number = $number, title = $title, issuer = $issuer, issuer_path = $issuer_path, \
                      issuer_level = $issuer_level, audience = $audience, audience_path = $audience_path, state = 'draft', \
                      version = $next, minutes = $minutes, saved_at = $now, saved_by = $editor";

/// The text, and the revision that keeps it.
const TEXT: &str = "UPSERT $text SET body = $body RETURN NONE; \
                    CREATE $revision SET title = $title, body = $body, at = $now, by = $editor RETURN NONE;";

/// Stops the transaction when somebody saved or published since the editor began.
const UNCHANGED: &str = "LET $found = (SELECT version, state FROM ONLY $document); \
                         IF $found.version != $version OR $found.state != 'draft' { THROW 'stale' };";

/// One range for each state, in the order of [`DocumentState::ALL`].
fn desk_ranges() -> String {
    DocumentState::ALL
        .iter()
        .map(|state| {
            format!(
                "SELECT {COLUMNS} FROM document WHERE issuer_path >= $from AND issuer_path < $until AND state = '{}' \
                 ORDER BY saved_at DESC LIMIT {DESK_ROWS};",
                state.key()
            )
        })
        .collect()
}

fn highest<'t>(tree: &'t Tree, seats: &[&UnitPath]) -> Result<&'t UnitRef> {
    seats.iter().min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path)).ok_or(Error::NotFound)
}

fn unit(tree: &Tree, typed: &str, fits: impl Fn(&UnitPath) -> bool) -> Result<UnitRef, Problem> {
    if typed.is_empty() {
        return Err(Problem::Required);
    }
    tree.named(typed).filter(|unit| fits(&unit.path)).cloned().ok_or(Problem::NotOffered)
}

/// The seats and, level by level, what lies below them, as long as the list stays readable; and what is chosen already.
fn choices(tree: &Tree, seats: &[&UnitPath], chosen: &UnitRef, fits: impl Fn(&UnitRef) -> bool) -> Vec<UnitRef> {
    let mut level: Vec<&UnitRef> = seats.iter().filter_map(|path| tree.at(path)).collect();
    let mut offered: Vec<UnitRef> = Vec::new();
    while !level.is_empty() && offered.len() + level.len() <= CHOICES {
        offered.extend(level.iter().map(|unit| (*unit).clone()));
        level = level.iter().flat_map(|unit| tree.children(&unit.path)).filter(|unit| fits(unit)).collect();
    }
    if !offered.iter().any(|unit| unit.id == chosen.id) {
        offered.push(chosen.clone());
    }
    offered.sort_by(|a, b| a.path.cmp(&b.path));
    offered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_desk_reads_index_ranges() {
        let store = migrated().await;
        store.assert_no_scan(&desk_ranges(), vars! { from: "/01/", until: "/010" }).await;
    }
}
