//! The numbers by which editors refer to documents that theirs supersedes, amends or guides.

use domain::{
    accounts::Viewer,
    documents::{
        DocumentNumber, Relation,
        desk::{NUMBER_HOLDER, NUMBER_HOLDER_TITLE},
    },
    forms::{FormErrors, FormReader, Problem},
    ids::{DocumentId, UnitId},
};

use super::{Documents, related::RelatedRow};
use crate::{
    Error, Result,
    store::{SurrealValue, record, vars},
};

/// Documents named in one field at most.
const NAMED_MAX: usize = 20;

/// Documents with the same number that are read at most: different issuers may use the same number.
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
    /// The documents that a field names by number, separated by commas or semicolons.
    ///
    /// The inner error is for the editor: [`Problem::UnknownNumber`] when no document this person may read has that number.
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
                None => return Ok(Err(Problem::UnknownNumber)),
            }
        }
        Ok(Ok(named))
    }

    /// The newest document with this number that the person may read.
    async fn numbered(&self, viewer: &Viewer, number: &str) -> Result<Option<DocumentId>> {
        let vars = vars! { number: number };
        let ids: Vec<String> = self.backend.store().read(NUMBERED.as_str(), vars).await?.rows(0)?;
        let ids = ids.iter().map(|id| id.parse().map_err(|_| Error::Damaged(format!("document {id}"))));
        let found = self.found(viewer, &ids.collect::<Result<Vec<DocumentId>>>()?).await?;
        Ok(found.into_iter().max_by_key(|document| (document.published_on, document.id)).map(|document| document.id))
    }

    /// A refusal of a number. Includes the document that has it if the person may see that one at the desk.
    pub(super) async fn number_taken(
        &self,
        viewer: &Viewer,
        reader: FormReader,
        field: &str,
        (number, issuer, id): (&str, UnitId, DocumentId),
    ) -> Result<FormErrors> {
        let mut errors = reader.refused(field, Problem::NumberTaken);
        let vars = vars! {
            number: number,
            issuer: issuer.to_string(),
            document: record("document", id),
            draft: record("draft", id),
        };
        let mut answers = self.backend.store().read(HOLDER, vars).await?;
        let holder = answers.row::<String>(0)?.or(answers.row::<String>(1)?);
        let Some(holder) = holder else { return Ok(errors) };
        let holder: DocumentId = holder.parse().map_err(|_| Error::Damaged(format!("document {holder}")))?;
        match self.on_desk(viewer, holder).await {
            Ok(desk) => {
                errors.values.insert(NUMBER_HOLDER.to_owned(), holder.to_string());
                errors.values.insert(NUMBER_HOLDER_TITLE.to_owned(), desk.title());
                Ok(errors)
            }
            Err(Error::NotFound | Error::NotAllowed) => Ok(errors),
            Err(error) => Err(error),
        }
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

/// The document of an issuer that has a number: a published one before a draft.
const HOLDER: &str = "SELECT VALUE record::id(id) FROM document WHERE issuer = $issuer AND number = $number AND id != $document LIMIT 1; \
                      SELECT VALUE record::id(id) FROM draft WHERE issuer = $issuer AND number = $number AND id != $draft LIMIT 1;";

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
    async fn documents_are_found_by_number_through_an_index() {
        let store = migrated().await;
        store.assert_no_scan(&NUMBERED, vars! { number: "339-QĐ/TW" }).await;
        let (document, draft) = (record("document", "01"), record("draft", "01"));
        let vars = vars! { number: "339-QĐ/TW", issuer: "01", document: document, draft: draft };
        store.assert_no_scan(HOLDER, vars).await;
    }
}
