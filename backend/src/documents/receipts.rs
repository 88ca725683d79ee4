//! Receipts of a member's reading: that a document was opened, and that it was read. [`domain::documents::reading`] decides when
//! a text counts as read.
//!
//! Invariant: only members in a document's audience have receipts. A person who views it for an office leaves none.

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
    /// Whether the person has an office that views this document: one that follows its readers, or writes for its issuer.
    pub(super) fn is_looked_at_by(&self, viewer: &Viewer, tree: &Tree) -> bool {
        self.unit_shares(viewer, tree, None).is_some()
    }
}

impl Documents<'_> {
    /// Records that the person has read the document. The first time counts, and the first time for a corrected text.
    ///
    /// Returns false, and records nothing, when the person reports a corrected text as read without having opened it: they saw
    /// the text before the correction.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::read`]; [`Error::NotAllowed`] for a person outside the audience, and when the text was seen
    /// sooner after its first opening than anybody can read it.
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
        // Written last, so that an interrupted request is retried as a whole.
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
            // Concurrent requests, for example from two devices: the first one counts.
            Ok(_) | Err(StoreError::Exists) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Variables of both statements.
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

/// The reader's current branch and standing, from the member's record.
const READER: &str = "LET $row = (SELECT path, state, standing FROM ONLY $reader); \
                      LET $place = IF $row.state = 'active' AND $row.standing != 'exempt' { $document + $row.standing + $row.path } \
                      ELSE { NONE };";

const OPEN: &str = "CREATE $opened SET path = $path, at = $log_at, counted = $counted, place = $place RETURN NONE;";

/// A text that is read counts as opened, and is no longer listed as begun.
const MARK: &str = "CREATE $read SET path = $path, at = $log_at, counted = $counted, place = $place, seen = $seen RETURN NONE; \
                    IF (SELECT VALUE id FROM ONLY $opened) = NONE { \
                        CREATE $opened SET path = $path, at = $log_at, counted = $counted, place = $place RETURN NONE \
                    }; \
                    UPDATE $reading SET unfinished = NONE RETURN NONE;";
