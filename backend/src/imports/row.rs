//! The stored row of an import.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    ids::{ImportId, MemberId},
    imports::{Column, Counts, FileRows, ImportKind, ImportState},
    units::UnitPath,
};

use super::{EVERYTHING, action};
use crate::{
    Backend, Error, Result,
    store::{RecordId, SurrealValue, record},
};

pub(super) const SELECT: &str = "SELECT record::id(id) AS id, kind, state, failure, file_name, file_hash, format, headers, \
                      header_row, mapping, path, as_of, started_by, started_at, finished_at, holder, held_until, fresh, changed, \
                      unchanged, refused, lines, remarks, rows_met, passed, converted, depth, sheet, unread_sheets, \
                      foreign_ids, foreign_before";

#[derive(Debug, Clone, SurrealValue)]
pub(super) struct ImportRow {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) failure: Option<String>,
    pub(super) file_name: String,
    pub(super) file_hash: String,
    pub(super) format: String,
    pub(super) headers: Vec<String>,
    pub(super) header_row: i64,
    pub(super) mapping: Vec<String>,
    pub(super) path: String,
    pub(super) as_of: String,
    pub(super) started_by: Option<String>,
    pub(super) started_at: DateTime<Utc>,
    pub(super) finished_at: Option<DateTime<Utc>>,
    pub(super) holder: Option<String>,
    pub(super) held_until: Option<DateTime<Utc>>,
    pub(super) fresh: i64,
    pub(super) changed: i64,
    pub(super) unchanged: i64,
    pub(super) refused: i64,
    pub(super) lines: i64,
    pub(super) remarks: Option<i64>,
    pub(super) rows_met: Option<i64>,
    pub(super) passed: Option<i64>,
    pub(super) converted: Option<i64>,
    pub(super) depth: Option<i64>,
    pub(super) sheet: Option<String>,
    pub(super) unread_sheets: Option<Vec<String>>,
    pub(super) foreign_ids: Option<Vec<String>>,
    pub(super) foreign_before: Option<Vec<String>>,
}

impl ImportRow {
    /// What its rows are compared with in addition to the registry: see [`Ledger`](super::check::Ledger).
    pub(super) fn met_before(&self) -> &[String] {
        self.foreign_before.as_deref().unwrap_or_default()
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("import {}", self.id))
    }

    pub(super) fn key(&self) -> Result<ImportId> {
        self.id.parse().map_err(|_| self.damaged())
    }

    /// Who uploaded the file; none for the operator.
    pub(super) fn actor(&self) -> Option<MemberId> {
        self.started_by.as_ref().and_then(|member| member.parse().ok())
    }

    pub(super) fn kind(&self) -> Result<ImportKind> {
        ImportKind::from_key(&self.kind).ok_or_else(|| self.damaged())
    }

    pub(super) fn state(&self) -> Result<ImportState> {
        ImportState::from_key(&self.state).ok_or_else(|| self.damaged())
    }

    /// The day for which the data of the file is valid.
    pub(super) fn day(&self) -> Result<NaiveDate> {
        self.as_of.parse().map_err(|_| self.damaged())
    }

    /// None for the whole tree.
    pub(super) fn scope(&self) -> Result<Option<UnitPath>> {
        if self.path == EVERYTHING {
            return Ok(None);
        }
        UnitPath::parse(&self.path).map(Some).map_err(|_| self.damaged())
    }

    pub(super) fn columns(&self) -> Vec<Option<Column>> {
        self.mapping.iter().map(|key| Column::from_key(key)).collect()
    }

    pub(super) fn counts(&self) -> Counts {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Counts {
            fresh: count(self.fresh),
            changed: count(self.changed),
            unchanged: count(self.unchanged),
            refused: count(self.refused),
        }
    }

    pub(super) fn file_rows(&self) -> Option<FileRows> {
        let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let rows = count(self.rows_met)?;
        Some(FileRows {
            rows,
            passed: count(self.passed).unwrap_or_default(),
            converted: count(self.converted).unwrap_or_default(),
        })
    }

    /// When it started, in Unix milliseconds: the time part of the ids it creates.
    pub(super) fn millis(&self) -> u64 {
        u64::try_from(self.started_at.timestamp_millis()).unwrap_or_default()
    }

    pub(super) fn is_kept_by(&self, viewer: &Viewer) -> bool {
        match (self.kind(), self.scope()) {
            (Ok(kind), Ok(Some(scope))) => viewer.standpoint.may(action(kind), &scope),
            _ => false,
        }
    }
}

/// The row of a new import.
#[derive(Debug, SurrealValue)]
pub(super) struct NewImport {
    pub(super) id: RecordId,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) failure: Option<String>,
    pub(super) file_name: String,
    pub(super) file_hash: String,
    pub(super) format: String,
    pub(super) headers: Vec<String>,
    pub(super) header_row: i64,
    pub(super) mapping: Vec<String>,
    pub(super) path: String,
    pub(super) as_of: String,
    pub(super) started_by: Option<String>,
    pub(super) started_at: DateTime<Utc>,
    pub(super) holder: Option<String>,
    pub(super) held_until: Option<DateTime<Utc>>,
    pub(super) fresh: i64,
    pub(super) changed: i64,
    pub(super) unchanged: i64,
    pub(super) refused: i64,
    pub(super) lines: i64,
}

impl NewImport {
    pub(super) fn new(backend: &Backend, id: ImportId, kind: ImportKind, path: &str, started_by: Option<MemberId>) -> Self {
        Self {
            id: record("import", id),
            kind: kind.key().to_owned(),
            state: ImportState::Checking.key().to_owned(),
            failure: None,
            file_name: String::new(),
            file_hash: String::new(),
            format: String::new(),
            headers: Vec::new(),
            header_row: 0,
            mapping: Vec::new(),
            path: path.to_owned(),
            as_of: backend.clock().today().to_string(),
            started_by: started_by.map(|member| member.to_string()),
            started_at: backend.clock().now(),
            holder: None,
            held_until: None,
            fresh: 0,
            changed: 0,
            unchanged: 0,
            refused: 0,
            lines: 0,
        }
    }
}
