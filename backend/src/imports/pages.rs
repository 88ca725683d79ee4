//! The pages of imports: the list, one import with the first lines of its report, its progress.

use std::sync::atomic::Ordering::Relaxed;

use domain::{
    accounts::Viewer,
    ids::ImportId,
    imports::{Failure, ImportKind, ImportPage, ImportState, ImportSummary, ImportsPage, Progress},
    units::UnitPath,
};

use super::{
    Imports, Report, action, preview,
    row::{ImportRow, SELECT},
    run,
};
use crate::{
    Error, Result,
    store::{record, vars},
};

/// Lines of the report shown on the page.
const LINES_SHOWN: usize = 100;

/// Most imports in the list.
const LISTED: usize = 50;

impl Imports<'_> {
    /// The imports of the subtrees for which the viewer may import.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may import for no unit.
    pub async fn list(&self, viewer: &Viewer) -> Result<ImportsPage> {
        let mut rows: Vec<ImportRow> = Vec::new();
        let mut top_units: Vec<&UnitPath> =
            ImportKind::ALL.iter().flat_map(|kind| viewer.standpoint.top_units(action(*kind))).collect();
        top_units.sort_unstable();
        top_units.dedup_by(|below, above| above.contains(below));
        if top_units.is_empty() {
            return Err(Error::NotFound);
        }
        for top_unit in top_units {
            let sql = format!("{SELECT} FROM import WHERE path >= $from AND path < $end ORDER BY started_at DESC LIMIT {LISTED}");
            let vars = vars! { from: top_unit.to_string(), end: top_unit.range_end() };
            rows.extend(self.backend.store().read(sql, vars).await?.rows::<ImportRow>(0)?);
        }
        rows.retain(|row| row.is_kept_by(viewer));
        rows.sort_by(|one, other| other.started_at.cmp(&one.started_at).then_with(|| other.id.cmp(&one.id)));
        rows.truncate(LISTED);
        let mut imports = Vec::with_capacity(rows.len());
        for row in &rows {
            imports.push(self.summary_of(row).await?);
        }
        Ok(ImportsPage { imports })
    }

    /// The page of an import.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not exist, or the viewer may not read it.
    pub async fn page(&self, viewer: &Viewer, import: ImportId) -> Result<ImportPage> {
        let row = self.kept_by(viewer, import).await?;
        self.page_of(&row).await
    }

    /// Like [`Self::page`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn page_for_operator(&self, import: ImportId) -> Result<ImportPage> {
        self.page_of(&self.row(import).await?).await
    }

    /// The progress of an import.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not exist, or the viewer may not read it.
    pub async fn progress(&self, viewer: &Viewer, import: ImportId) -> Result<Progress> {
        let row = self.kept_by(viewer, import).await?;
        self.progress_of(&row).await
    }

    /// Like [`Self::progress`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn progress_for_operator(&self, import: ImportId) -> Result<Progress> {
        self.progress_of(&self.row(import).await?).await
    }

    /// All lines of the report.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no report, or it was deleted.
    pub async fn report(&self, viewer: &Viewer, import: ImportId) -> Result<Report> {
        let row = self.kept_by(viewer, import).await?;
        self.report_of(&row)
    }

    /// Like [`Self::report`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn report_for_operator(&self, import: ImportId) -> Result<Report> {
        self.report_of(&self.row(import).await?)
    }

    /// The current row of the file; none when the import does not run in this process.
    fn at_row(&self, import: ImportId) -> Option<u64> {
        self.backend.workspace().progress(import).map(|progress| progress.rows.load(Relaxed))
    }

    async fn page_of(&self, row: &ImportRow) -> Result<ImportPage> {
        let headers = row.headers.iter().cloned().zip(row.columns()).collect();
        let (refused, remarks) = match self.report_of(row) {
            Ok(report) => report.first(LINES_SHOWN)?,
            Err(Error::NotFound) => (Vec::new(), Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(ImportPage {
            import: self.summary_of(row).await?,
            progress: self.progress_of(row).await?,
            headers,
            missing: if row.headers.is_empty() { Vec::new() } else { self.missing(row)? },
            refused,
            refused_lines: u64::try_from(row.lines).unwrap_or_default(),
            remarks,
            remark_lines: row.remarks.and_then(|remarks| u64::try_from(remarks).ok()).unwrap_or_default(),
            sheet: row.sheet.clone(),
            unread_sheets: row.unread_sheets.clone().unwrap_or_default(),
            as_of: row.as_of.parse().unwrap_or_else(|_| self.backend.clock().today()),
        })
    }

    async fn summary_of(&self, row: &ImportRow) -> Result<ImportSummary> {
        let started_by = match &row.started_by {
            Some(member) => {
                let sql = "SELECT VALUE full_name FROM $member";
                let names: Vec<String> =
                    self.backend.store().read(sql, vars! { member: record("member", member) }).await?.rows(0)?;
                names.into_iter().next()
            }
            None => None,
        };
        Ok(ImportSummary {
            id: row.key()?,
            kind: row.kind()?,
            state: row.state()?,
            failure: row.failure.as_deref().and_then(Failure::from_key),
            file_name: row.file_name.clone(),
            unit: row.scope()?.and_then(|scope| self.backend.units().tree().at(&scope).cloned()),
            started_by,
            started_at: row.started_at,
            finished_at: row.finished_at,
            counts: row.counts(),
            rows: row.file_rows(),
        })
    }

    async fn progress_of(&self, row: &ImportRow) -> Result<Progress> {
        let state = row.state()?;
        let total = row.counts().total();
        let at_row = match row.id.parse() {
            Ok(id) => self.at_row(id).unwrap_or_default().saturating_sub(u64::try_from(row.header_row).unwrap_or_default()),
            Err(_) => 0,
        };
        let done = match (state, row.kind()?) {
            (ImportState::Running, ImportKind::Members) => {
                run::checkpoints(self.backend, &row.id).await?.into_iter().map(|checkpoint| checkpoint.counts().total()).sum()
            }
            (ImportState::Checking | ImportState::Running, _) => at_row,
            _ => total,
        };
        Ok(Progress { state, done, total: if state == ImportState::Checking { 0 } else { total } })
    }

    fn report_of(&self, row: &ImportRow) -> Result<Report> {
        Report::open(&self.backend.workspace().report(&row.id), &preview::report_name(&row.id), self.backend.keys())
    }
}
