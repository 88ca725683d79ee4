//! A member's bookmarks.

use domain::{accounts::Viewer, ids::DocumentId};

use super::Documents;
use crate::{
    Error, Result,
    change::Change,
    store::{pair, vars},
};

pub(super) const BOOKMARK: &str = "SELECT VALUE marked FROM ONLY $bookmark";

impl Documents<'_> {
    /// Bookmarks a document. Idempotent.
    ///
    /// # Errors
    /// [`Error::NotFound`] when this person cannot read such a document.
    pub async fn bookmark(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        let document = self.fetched(&[id]).await?.into_iter().next().ok_or(Error::NotFound)?;
        if !document.is_readable_for(viewer) {
            return Err(Error::NotFound);
        }
        let vars = vars! {
            bookmark: pair("bookmark", viewer.member, id),
            member: viewer.member.to_string(),
            document: id.to_string(),
            now: self.backend.clock().ulid().to_string(),
        };
        self.backend.transact(Change::new(MARK, vars)).await?;
        Ok(())
    }

    /// Removes the bookmark, also of a document that is no longer available. Does nothing when there is none.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn remove_bookmark(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        let vars = vars! { bookmark: pair("bookmark", viewer.member, id) };
        self.backend.transact(Change::new("DELETE $bookmark RETURN NONE", vars)).await?;
        Ok(())
    }
}

const MARK: &str = "IF (SELECT VALUE id FROM ONLY $bookmark) = NONE { \
                        CREATE $bookmark SET member = $member, document = $document, marked = $now RETURN NONE \
                    };";
