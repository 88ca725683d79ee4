//! What is recorded of a member's reading: that a document was opened, and that it was read. When it was is ruled by
//! [`domain::documents::reading`].
//!
//! Invariant: only members whom a document reaches have receipts. Who looks at it for an office leaves none.

use domain::{
    accounts::Viewer,
    documents::{reading::Length, reading::Seen},
    events::EventBody,
    ids::DocumentId,
    members::Standing,
};

use super::{Document, Documents, OPENED, READ};
use crate::{
    Error, Result,
    change::Change,
    store::{StoreError, Variables, pair, record, vars},
    units::Tree,
};

impl Document {
    /// Whether the person has an office for which one looks at it: follows who reads, or writes for its issuer.
    pub(super) fn is_looked_at_by(&self, viewer: &Viewer, tree: &Tree) -> bool {
        self.unit_shares(viewer, tree, None).is_some()
    }
}

impl Documents<'_> {
    /// Records that the person has read the document. The first time counts, and the first of a corrected text.
    ///
    /// False, and nothing is recorded, for who says so of a corrected text they have not opened: they had the one before it.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::read`]; [`Error::NotAllowed`] for whom it does not reach as a member, and for what was seen sooner
    /// after the first opening of the text than anybody reads.
    pub async fn mark_read(&self, viewer: &Viewer, id: DocumentId, seen: Seen) -> Result<bool> {
        let found = self.readable(viewer, id).await?;
        if !found.document.reaches(viewer) {
            return Err(Error::NotAllowed);
        }
        let (opened, read) = found.own_times();
        if read.is_some() {
            return Ok(true);
        }
        let clock = self.backend.clock();
        if seen != Seen::Said && opened.is_none_or(|at| clock.now() - at < Length::of(&found.body).least(seen)) {
            return Err(Error::NotAllowed);
        }
        if found.document.is_corrected && opened.is_none() {
            return Ok(false);
        }
        if found.read.is_none() {
            let mut vars = receipt(viewer, id);
            vars.extend(vars! {
                read: pair(READ, id, viewer.member),
                reading: pair("reading", viewer.member, id),
                seen: seen.key(),
            });
            let body = EventBody::DocumentRead { document: id, counted: Some(counts(viewer)) };
            self.write(viewer, body, MARK, vars).await?;
        }
        // The last, so that what was interrupted before is asked for again.
        if found.document.is_corrected {
            self.note_corrected_read(viewer, &found.document).await?;
        }
        Ok(true)
    }

    pub(super) async fn record_opening(&self, viewer: &Viewer, document: &Document) -> Result<()> {
        let body = EventBody::DocumentOpened { document: document.id, counted: Some(counts(viewer)) };
        self.write(viewer, body, OPEN, receipt(viewer, document.id)).await
    }

    async fn write(&self, viewer: &Viewer, body: EventBody, sql: &str, vars: Variables) -> Result<()> {
        let change = Change::new(&format!("{READER} {sql}"), vars);
        let change = change.event(self.backend.clock(), Some(viewer.member), &viewer.standpoint.branch, body);
        match self.backend.transact(change).await {
            // On two devices, or twice at once: the first one counts.
            Ok(_) | Err(StoreError::Exists) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What both statements bind.
fn receipt(viewer: &Viewer, id: DocumentId) -> Variables {
    vars! {
        opened: pair(OPENED, id, viewer.member),
        path: viewer.standpoint.branch.to_string(),
        counted: counts(viewer),
        document: id.to_string(),
        reader: record("member", viewer.member),
    }
}

fn counts(viewer: &Viewer) -> bool {
    viewer.standpoint.standing != Standing::Exempt
}

/// Where the record says the reader is now.
const READER: &str = "LET $row = (SELECT path, state, standing FROM ONLY $reader); \
                      LET $place = IF $row.state = 'active' AND $row.standing != 'exempt' { $document + $row.standing + $row.path } \
                      ELSE { NONE };";

const OPEN: &str = "CREATE $opened SET path = $path, at = $log_at, counted = $counted, place = $place RETURN NONE;";

/// What is read was opened, and is not gone on with.
const MARK: &str = "CREATE $read SET path = $path, at = $log_at, counted = $counted, place = $place, seen = $seen RETURN NONE; \
                    IF (SELECT VALUE id FROM ONLY $opened) = NONE { \
                        CREATE $opened SET path = $path, at = $log_at, counted = $counted, place = $place RETURN NONE \
                    }; \
                    UPDATE $reading SET unfinished = NONE RETURN NONE;";
