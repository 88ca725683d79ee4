//! Imports into the registry: a file is stored sealed, checked, confirmed and written.
//!
//! An import is *checking* while its file is first read, *previewed* until somebody confirms it, and *running* until it is
//! written. The work runs in the background; [`Imports::resume`] resumes it after an interruption, including a crash. Only the server
//! that received the file can read it, so imports are not durable jobs: `hold.rs` says how servers that share a store agree on who
//! works on an import.
//!
//! Invariant: before the confirmation only the row of the import and its sealed file are written.

use std::{fs, path::Path, sync::PoisonError};

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    forms::{FormReader, Problem, day},
    ids::ImportId,
    imports::{Column, ImportKind, NewImportPage},
    policy::Action,
    units::{PickPurpose, UnitPath},
};

use crate::{
    Backend, Error, Result,
    change::Change,
    store::{StoreError, Variables, pair, record, vars},
};

#[cfg(test)]
mod cases;
mod check;
mod columns;
mod csv_rows;
mod file;
mod hold;
mod pages;
mod preview;
mod purge;
mod read;
mod report;
mod row;
mod run;
mod sealed;
mod sheets;
mod spreadsheet;
mod table;
mod units;
mod upload;
mod work;
mod workbook;
mod workspace;

pub use hold::HOLD_EVERY;
pub use report::{Report, csv_line};
pub use spreadsheet::spreadsheet;
pub(crate) use table::{TableUpload, TextCell, TextRow};
pub use upload::Upload;
pub use workspace::ImportWorkspace;

use row::{ImportRow, SELECT};

/// Stands for the whole tree while it is empty.
const EVERYTHING: &str = "/";

/// The use-cases on imports.
#[derive(Clone, Copy)]
pub struct Imports<'a> {
    backend: &'a Backend,
}

/// The form that announces a file.
#[derive(Debug, Clone, Copy)]
pub struct UploadForm<'f> {
    pub kind: &'f str,
    /// The unit whose subtree the file may change.
    pub unit: &'f str,
    pub file_name: &'f str,
}

impl<'a> Imports<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The kinds that the viewer can import.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may import for no unit.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn kinds(&self, viewer: &Viewer) -> Result<Vec<ImportKind>> {
        let may = |kind: &ImportKind| !viewer.standpoint.top_units(action(*kind)).is_empty();
        let kinds: Vec<ImportKind> = ImportKind::ALL.into_iter().filter(may).collect();
        if kinds.is_empty() { Err(Error::NotFound) } else { Ok(kinds) }
    }

    /// The kinds that the viewer can import, and units to import into: those found by the words or the code `find`, and the
    /// selected one. `unit` is its id; the highest one is selected in place of a unit for which the viewer may not import.
    ///
    /// # Errors
    /// As [`Self::kinds`].
    pub async fn blank(&self, viewer: &Viewer, unit: &str, find: &str) -> Result<NewImportPage> {
        let kinds = self.kinds(viewer).await?;
        let desk = self.backend.unit_desk();
        let mut units = desk.pick_one(viewer, PickPurpose::Import, unit, find)?;
        if units.selected.is_none() {
            units.selected = desk.highest(viewer, PickPurpose::Import);
        }
        Ok(NewImportPage { kinds, units })
    }

    /// Starts the upload of a file.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may import for no unit, [`Error::Invalid`] of the form `upload` with the fields
    /// `kind` and `unit`.
    pub async fn receive(&self, viewer: &Viewer, typed: UploadForm<'_>) -> Result<Upload> {
        let kinds = self.kinds(viewer).await?;
        let tree = self.backend.units().tree();
        let mut form = FormReader::new("upload");
        let kind = form.read("kind", typed.kind, |key| {
            ImportKind::from_key(key).filter(|kind| kinds.contains(kind)).ok_or(Problem::NotOffered)
        });
        let unit = form.read("unit", typed.unit, |id| tree.named(id).ok_or(Problem::NotOffered));
        let (Some(kind), Some(unit)) = (kind, unit) else {
            return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid));
        };
        if !viewer.standpoint.may(action(kind), &unit.path) {
            return Err(form.refused("unit", Problem::NotOffered).into());
        }
        Upload::begin(self.backend, kind, unit.path.as_str(), Some(viewer.member), typed.file_name)
    }

    /// Starts the upload of a file of the operator, without a viewer: for the command line only. `unit` is a path of codes; none
    /// for the whole tree.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the unit does not exist.
    pub fn receive_from_operator(&self, kind: ImportKind, unit: Option<&str>, file_name: &str) -> Result<Upload> {
        let tree = self.backend.units().tree();
        let unit = match unit {
            Some(codes) => {
                let path = UnitPath::parse(&format!("/{}/", codes.trim_matches('/'))).map_err(|_| Error::NotFound)?;
                Some(tree.at(&path).ok_or(Error::NotFound)?)
            }
            None => tree.all().next(),
        };
        Upload::begin(self.backend, kind, unit.map_or(EVERYTHING, |unit| unit.path.as_str()), None, file_name)
    }

    /// Changes the mapping of the file's columns: for each the key of a column, or an empty text. The file is checked again.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `mapping` with the field `columns`: [`Problem::ToBeVerified`] when the file has reached the
    /// limit of national IDs known outside the subtree, since another column could contain more. [`Error::NotAllowed`] when the
    /// import is already confirmed.
    pub async fn remap(&self, viewer: &Viewer, import: ImportId, columns: &[String]) -> Result<()> {
        let row = self.kept_by(viewer, import).await?;
        let kind = row.kind()?;
        let mut form = FormReader::new("mapping");
        let mut taken = Vec::new();
        let read = |key: &String| match key.as_str() {
            "" => Ok(String::new()),
            key => {
                let column = Column::from_key(key).filter(|column| column.belongs_to() == kind).ok_or(Problem::NotOffered)?;
                if taken.contains(&column) {
                    return Err(Problem::Taken);
                }
                taken.push(column);
                Ok(key.to_owned())
            }
        };
        let mapping: Result<Vec<String>, Problem> = columns.iter().map(read).collect();
        let mapping = match mapping {
            Ok(mapping) if mapping.len() == row.headers.len() => mapping,
            Ok(_) => return Err(form.refused("columns", Problem::NotOffered).into()),
            Err(problem) => {
                form.refuse("columns", problem);
                return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid));
            }
        };
        if row.foreign_ids.as_ref().is_some_and(|ids| ids.len() >= check::FOREIGN_IDS_MAX) {
            return Err(form.refused("columns", Problem::ToBeVerified).into());
        }
        let sql = "IF $import.state != 'previewed' { THROW 'state' }; \
                   UPDATE $import SET mapping = $mapping, state = 'checking', foreign_before = foreign_ids RETURN NONE;";
        self.step(sql, vars! { import: record("import", import), mapping: mapping }).await?;
        self.start_here(&row).await
    }

    /// Confirms an import, so that it is written. `as_of` is the day of the data; empty for today.
    ///
    /// A file of units is first checked again when this is another day than that of its preview, or when the preview has nothing to
    /// write: which rows are refused depends on the day.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `confirm` with the field `as_of`; [`Error::NotAllowed`] when the import cannot be
    /// confirmed, or already was.
    pub async fn confirm(&self, viewer: &Viewer, import: ImportId, as_of: &str) -> Result<()> {
        let row = self.kept_by(viewer, import).await?;
        let today = self.backend.clock().today();
        let mut form = FormReader::new("confirm");
        let as_of = form.read("as_of", as_of, |typed| {
            let day = if typed.trim().is_empty() { today } else { day(typed)? };
            if day > today { Err(Problem::DateRange) } else { Ok(day) }
        });
        form.finish()?;
        if !self.missing(&row)?.is_empty() {
            return Err(Error::NotAllowed);
        }
        let as_of = as_of.unwrap_or(today);
        if row.kind()? == ImportKind::Units && (as_of != row.day()? || row.counts().to_write() == 0) {
            let sql = "IF $import.state != 'previewed' { THROW 'state' }; \
                       UPDATE $import SET as_of = $as_of, state = 'checking' RETURN NONE;";
            self.step(sql, vars! { import: record("import", import), as_of: as_of.to_string() }).await?;
        } else {
            self.allow(&row, as_of).await?;
        }
        self.start_here(&row).await
    }

    /// Cancels an import before anything was written.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when it is too late.
    pub async fn cancel(&self, viewer: &Viewer, import: ImportId) -> Result<()> {
        self.kept_by(viewer, import).await?;
        self.give_up(import).await
    }

    /// For the operator: checks the file and waits until that is done.
    ///
    /// # Errors
    /// Those of the store. Problems of the file are on its page.
    pub async fn check(&self, import: ImportId) -> Result<()> {
        self.start(import);
        self.settled(import).await
    }

    /// For the operator: writes the file and waits until that is done.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when the file cannot be written, or already was; those of the store.
    pub async fn write(&self, import: ImportId, as_of: Option<NaiveDate>) -> Result<()> {
        let row = self.row(import).await?;
        if !self.missing(&row)?.is_empty() {
            return Err(Error::NotAllowed);
        }
        self.allow(&row, as_of.unwrap_or_else(|| self.backend.clock().today())).await?;
        self.start_here(&row).await?;
        self.settled(import).await
    }

    /// For the operator: cancels an import before anything was written.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when it is too late.
    pub async fn drop_for_operator(&self, import: ImportId) -> Result<()> {
        self.give_up(import).await
    }

    /// The operator's import of the same file that was interrupted during writing.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn interrupted(&self, kind: ImportKind, file_hash: &str) -> Result<Option<ImportId>> {
        let sql = format!("{SELECT} FROM import WHERE state = 'running'");
        let rows: Vec<ImportRow> = self.backend.store().read(sql, ()).await?.rows(0)?;
        let same = |row: &&ImportRow| row.started_by.is_none() && row.kind == kind.key() && row.file_hash == file_hash;
        Ok(rows.iter().find(same).and_then(|row| row.id.parse().ok()))
    }

    /// For the operator: resumes an interrupted import and waits until it is done.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn go_on(&self, import: ImportId) -> Result<()> {
        let row = self.row(import).await?;
        self.start_here(&row).await?;
        self.settled(import).await
    }

    async fn allow(&self, row: &ImportRow, as_of: NaiveDate) -> Result<()> {
        let kind = row.kind()?;
        let mapping = pair("import_mapping", &row.path, columns::header_fingerprint(kind, &row.headers));
        let sql = "IF $import.state != 'previewed' { THROW 'state' }; \
                   UPDATE $import SET state = 'running', as_of = $as_of RETURN NONE; \
                   UPSERT $remembered SET mapping = $mapping, saved_at = $now RETURN NONE;";
        let vars = vars! {
            import: record("import", &row.id),
            as_of: as_of.to_string(),
            remembered: mapping,
            mapping: row.mapping.clone(),
            now: self.backend.clock().now(),
        };
        self.step(sql, vars).await
    }

    async fn give_up(&self, import: ImportId) -> Result<()> {
        let sql = "IF $import.state NOT IN ['previewed', 'checking'] { THROW 'state' }; \
                   UPDATE $import SET state = 'cancelled', finished_at = $now RETURN NONE;";
        self.step(sql, vars! { import: record("import", import), now: self.backend.clock().now() }).await?;
        let work = {
            let mut at_work = self.backend.workspace().at_work.lock().unwrap_or_else(PoisonError::into_inner);
            at_work.remove(&import)
        };
        if let Some(work) = work {
            work.task.abort();
            // The result is that of an aborted task.
            let _ = work.task.await;
        }
        let workspace = self.backend.workspace();
        remove(&workspace.file(&import.to_string()));
        remove(&workspace.report(&import.to_string()));
        Ok(())
    }

    async fn step(&self, sql: &str, vars: Variables) -> Result<()> {
        match self.backend.transact(Change::new(sql, vars)).await {
            Ok(_) => Ok(()),
            Err(StoreError::Thrown(_)) => Err(Error::NotAllowed),
            Err(error) => Err(error.into()),
        }
    }

    /// The required columns that the file lacks. A file for a single branch needs no column for the branch.
    fn missing(&self, row: &ImportRow) -> Result<Vec<Column>> {
        let columns = row.columns();
        let tree = self.backend.units().tree();
        let is_branch = row.scope()?.is_some_and(|scope| tree.at(&scope).is_some_and(|unit| unit.kind.holds_members()));
        let is_missing = |column: &Column| {
            column.is_required() && !columns.contains(&Some(*column)) && !(*column == Column::Branch && is_branch)
        };
        // Paper lists put the birth date into a column for men or one for women.
        let is_sided = [Column::Male, Column::Female].iter().all(|column| columns.contains(&Some(*column)));
        let is_missing = |column: &Column| is_missing(column) && !(is_sided && matches!(column, Column::Sex | Column::BirthDate));
        Ok(Column::of(row.kind()?).filter(is_missing).collect())
    }

    async fn kept_by(&self, viewer: &Viewer, import: ImportId) -> Result<ImportRow> {
        let row = self.row(import).await?;
        if row.is_kept_by(viewer) { Ok(row) } else { Err(Error::NotFound) }
    }

    async fn row(&self, import: ImportId) -> Result<ImportRow> {
        let sql = format!("{SELECT} FROM $import");
        let rows: Vec<ImportRow> = self.backend.store().read(sql, vars! { import: record("import", import) }).await?.rows(0)?;
        rows.into_iter().next().ok_or(Error::NotFound)
    }
}

/// The permission an import requires.
const fn action(kind: ImportKind) -> Action {
    match kind {
        ImportKind::Units => Action::ManageUnit,
        ImportKind::Members => Action::ManageMembers,
    }
}

/// Removes a file. If that fails, [`Imports::purge`] removes it later.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, file = %path.display(), "cannot remove a file of an import; it is removed later");
    }
}
