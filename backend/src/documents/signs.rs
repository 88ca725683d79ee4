//! The numbers by which editors name documents that theirs replaces, changes or explains.

use domain::{
    accounts::Viewer,
    documents::{DocumentNumber, Relation},
    forms::Problem,
    ids::DocumentId,
};

use super::{Documents, related::RelatedRow};
use crate::{
    Error, Result,
    store::{SurrealValue, record, vars},
};

/// Documents named in one field at most.
const NAMED_MAX: usize = 20;

/// Different issuers may give the same number; more of one number are not looked at.
const SAME_MAX: usize = 20;

/// The numbers of related documents, as the form shows them.
#[derive(Debug, Default)]
pub(super) struct Signs(Vec<(Relation, String)>);

impl Signs {
    pub(super) fn of(&self, relation: Relation) -> String {
        let signs = self.0.iter().filter(|(found, _)| *found == relation).map(|(_, sign)| sign.as_str());
        signs.collect::<Vec<_>>().join(", ")
    }
}

impl Documents<'_> {
    /// The documents a field names by their numbers, separated by commas.
    ///
    /// The inner error is for the editor: [`Problem::Unknown`] for a number of no document this person may read.
    pub(super) async fn named(&self, viewer: &Viewer, typed: &str) -> Result<Result<Vec<DocumentId>, Problem>> {
        let mut named = Vec::new();
        for part in typed.split([',', ';']).filter(|part| !part.trim().is_empty()) {
            let number = match DocumentNumber::parse_optional(part) {
                Ok(Some(number)) if named.len() < NAMED_MAX => number,
                Ok(_) => return Ok(Err(Problem::TooLong { max: u32::try_from(NAMED_MAX).unwrap_or_default() })),
                Err(problem) => return Ok(Err(problem)),
            };
            match self.numbered(viewer, number.as_str()).await? {
                Some(document) if named.contains(&document) => {}
                Some(document) => named.push(document),
                None => return Ok(Err(Problem::Unknown)),
            }
        }
        Ok(Ok(named))
    }

    /// The newest document of this number that the person may read.
    async fn numbered(&self, viewer: &Viewer, number: &str) -> Result<Option<DocumentId>> {
        let vars = vars! { number: number };
        let ids: Vec<String> = self.backend.store().read(NUMBERED.as_str(), vars).await?.rows(0)?;
        let ids = ids.iter().map(|id| id.parse().map_err(|_| Error::Damaged(format!("document {id}"))));
        let found = self.found(viewer, &ids.collect::<Result<Vec<DocumentId>>>()?).await?;
        Ok(found.into_iter().max_by_key(|document| (document.published_on, document.id)).map(|document| document.id))
    }

    /// The numbers of related documents.
    pub(super) async fn signs(&self, related: &[RelatedRow]) -> Result<Signs> {
        let mut signs = Vec::new();
        for row in related {
            let document =
                row.document.parse::<DocumentId>().map_err(|_| Error::Damaged(format!("relation to {}", row.document)))?;
            let vars = vars! { document: record("document", document) };
            let number: Option<Numbered> = self.backend.store().read("SELECT number FROM ONLY $document", vars).await?.row(0)?;
            let sign = number.and_then(|row| row.number);
            signs.extend(Relation::from_key(&row.relation).zip(sign));
        }
        Ok(Signs(signs))
    }
}

#[derive(Debug, SurrealValue)]
struct Numbered {
    number: Option<String>,
}

static NUMBERED: std::sync::LazyLock<String> =
    std::sync::LazyLock::new(|| format!("SELECT VALUE record::id(id) FROM document WHERE number = $number LIMIT {SAME_MAX}"));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn a_number_is_an_index_range() {
        migrated().await.assert_no_scan(&NUMBERED, vars! { number: "339-QĐ/TW" }).await;
    }
}
