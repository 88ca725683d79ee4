//! A document's metadata, declared once for the draft and for the published text.
//!
//! The particulars are columns of `draft` and of `document`, not one nested object: the library and the lists of the desk are
//! index ranges over most of them, and a move of units finds and changes rows by them. The statements that read, save, publish
//! and correct take their column lists from here ([`Columns`], [`copied`]), so none can omit a column.
//!
//! Two particulars are not among these columns, because the two tables store them differently. Pinning is `pinned` in `draft`,
//! and a sort key, `pin`, in `document`. A correction note belongs to one correction and is not copied into the next.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    audience::Audience,
    documents::{DocumentField, DocumentKind, Imprint, Relation, desk::DocumentDraft, steps::DocumentStatus},
    ids::DocumentId,
    units::UnitRef,
};

use super::{audience, related::RelatedRow, signs::Signs};
use crate::{store::SurrealValue, units::Tree};

/// Declares the row and the list of its column names together.
macro_rules! particulars {
    ($($(#[$attribute:meta])* $column:ident: $type:ty,)+) => {
        /// The particulars as stored.
        #[derive(Debug, Clone, SurrealValue)]
        pub(crate) struct ParticularsRow {
            $($(#[$attribute])* pub(super) $column: $type,)+
        }

        /// The columns of [`ParticularsRow`].
        const COLUMNS: &[&str] = &[$(stringify!($column)),+];
    };
}

particulars! {
    kind: String,
    number: Option<String>,
    title: String,
    signer: Option<String>,
    field: Option<String>,
    issuer: String,
    issuer_path: String,
    issuer_level: String,
    audience: String,
    audience_path: String,
    /// Ids of units. Each is resolved to the unit's successor, wherever that is in the tree.
    parts: Option<Vec<String>>,
    /// Ids of units. One that ended excepts nobody.
    except: Option<Vec<String>>,
    standings: Option<Vec<String>>,
    related: Option<Vec<RelatedRow>>,
    must_read_by: Option<String>,
    expires_on: Option<String>,
}

/// The columns of a `SELECT`: the given ones, which only one of the tables has, and the particulars.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns(pub(super) &'static str);

impl fmt::Display for Columns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)?;
        COLUMNS.iter().try_for_each(|column| write!(formatter, ", {column}"))
    }
}

/// The part of a `SET` that copies every particular from an object: a row, or a bound [`ParticularsRow`].
pub(super) fn copied(from: &str) -> String {
    COLUMNS.iter().map(|column| format!("{column} = {from}.{column}")).collect::<Vec<_>>().join(", ")
}

/// The particulars, decoded from columns or parsed from a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Particulars {
    pub(crate) kind: DocumentKind,
    pub(crate) number: Option<String>,
    pub(crate) title: String,
    /// The signer, as printed on paper.
    pub(crate) signer: Option<String>,
    pub(crate) field: Option<DocumentField>,
    pub(crate) issuer: UnitRef,
    pub(crate) audience: Audience,
    pub(crate) related: Vec<RelatedRow>,
    pub(crate) must_read_by: Option<NaiveDate>,
    pub(crate) expires_on: Option<NaiveDate>,
}

impl ParticularsRow {
    /// `None` when a column has an invalid value. The caller chooses the name of the issuer.
    pub(super) fn decode(self, tree: &Tree, issuer: UnitRef) -> Option<Particulars> {
        Some(Particulars {
            kind: DocumentKind::from_key(&self.kind)?,
            number: self.number,
            title: self.title,
            signer: self.signer,
            field: match &self.field {
                Some(key) => Some(DocumentField::from_key(key)?),
                None => None,
            },
            issuer,
            audience: audience(tree, &self.audience, self.parts.as_deref(), self.except.as_deref(), self.standings.as_deref())?,
            related: self.related.unwrap_or_default(),
            must_read_by: self.must_read_by.as_deref().map(str::parse::<NaiveDate>).transpose().ok()?,
            expires_on: self.expires_on.as_deref().map(str::parse::<NaiveDate>).transpose().ok()?,
        })
    }
}

impl Particulars {
    /// The particulars of a document with nothing else set.
    pub(crate) fn new(kind: DocumentKind, title: String, issuer: UnitRef, audience: UnitRef) -> Self {
        Self {
            kind,
            number: None,
            title,
            signer: None,
            field: None,
            issuer,
            audience: Audience::of(audience),
            related: Vec::new(),
            must_read_by: None,
            expires_on: None,
        }
    }

    /// The particulars as a row to store.
    pub(crate) fn row(&self) -> ParticularsRow {
        let Self { kind, number, title, signer, field, issuer, audience, related, must_read_by, expires_on } = self;
        let ids = |units: &[UnitRef]| units.iter().map(|unit| unit.id.to_string()).collect::<Vec<_>>();
        let (parts, except) = (ids(&audience.parts), ids(&audience.except));
        let standings: Vec<String> = audience.standings.iter().map(|standing| standing.key().to_owned()).collect();
        ParticularsRow {
            kind: kind.key().to_owned(),
            number: number.clone(),
            title: title.clone(),
            signer: signer.clone(),
            field: field.map(|field| field.key().to_owned()),
            issuer: issuer.id.to_string(),
            issuer_path: issuer.path.to_string(),
            issuer_level: issuer.kind.key().to_owned(),
            audience: audience.unit.id.to_string(),
            audience_path: audience.unit.path.to_string(),
            parts: (!parts.is_empty()).then_some(parts),
            except: (!except.is_empty()).then_some(except),
            standings: (!standings.is_empty()).then_some(standings),
            related: (!related.is_empty()).then(|| related.clone()),
            must_read_by: must_read_by.map(|day| day.to_string()),
            expires_on: expires_on.map(|day| day.to_string()),
        }
    }

    /// Whether both are equal apart from the current names and paths of their units.
    pub(super) fn say_the_same(&self, other: &Self) -> bool {
        let in_other_words = Self { issuer: other.issuer.clone(), audience: other.audience.clone(), ..self.clone() };
        self.issuer.id == other.issuer.id && self.audience.names_the_same(&other.audience) && in_other_words == *other
    }

    /// The particulars shown to readers besides the summary.
    pub(super) fn imprint(self) -> Imprint {
        let Audience { unit, parts, except, .. } = self.audience;
        Imprint { signer: self.signer, audience: unit, parts, except }
    }

    /// The form filled with the particulars, for a text that is not stored yet. `signs` are the numbers of `related`.
    pub(super) fn form(self, id: DocumentId, signs: &Signs, saved_at: DateTime<Utc>) -> DocumentDraft {
        let Self { kind, number, title, signer, field, issuer, audience, related: _, must_read_by, expires_on } = self;
        let Audience { unit, parts, except, standings, ended: _ } = audience;
        DocumentDraft {
            id,
            kind,
            number: number.unwrap_or_default(),
            title,
            signer: signer.unwrap_or_default(),
            field,
            issuer,
            audience: unit,
            parts,
            except,
            standings,
            supersedes: signs.of(Relation::Supersedes),
            amends: signs.of(Relation::Amends),
            guides: signs.of(Relation::Guides),
            must_read_by,
            expires_on,
            is_pinned: false,
            correction: String::new(),
            body: String::new(),
            status: DocumentStatus::NEW,
            version: 0,
            saved_at,
        }
    }
}
