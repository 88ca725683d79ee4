//! The approval page: a draft beside the published text, on the pages where a draft is approved.

use domain::{
    accounts::Viewer,
    documents::{
        desk::{ApprovalPage, Change},
        steps::PublicationState,
    },
    ids::{DocumentId, UnitId},
    units::UnitRef,
};

use super::{Documents, difference, draft::OnDesk, spawn_blocking};
use crate::{
    Result, files,
    store::{record, vars},
    units::Tree,
};

impl Documents<'_> {
    /// The confirmation page before a draft is published, with the whole draft and the text it replaces.
    ///
    /// # Errors
    /// As [`Documents::draft`].
    pub async fn approval(&self, viewer: &Viewer, id: DocumentId) -> Result<ApprovalPage> {
        let desk = self.on_desk(viewer, id).await?;
        let change = if desk.work.is_some() { Some(self.change_of(&desk).await?) } else { None };
        Ok(ApprovalPage { page: self.draft(viewer, id).await?, change })
    }

    /// The difference between the draft and the text that is, or was, published.
    pub(super) async fn change_of(&self, desk: &OnDesk) -> Result<Change> {
        let attachments = desk.work.as_ref().map(|work| work.attachments.as_slice()).unwrap_or_default();
        let files = files::summaries(self.backend, attachments).await?;
        let parents = parents(&self.backend.units().tree(), desk);
        let Some(out) = &desk.out else {
            let (pieces, old_files) = (Vec::new(), Vec::new());
            return Ok(Change { out: None, is_out: false, withdrawn: None, pieces, files, old_files, parents });
        };
        let sql = "SELECT VALUE body FROM ONLY $text";
        let vars = vars! { text: record("document_text", out.id) };
        let old: String = self.backend.store().read(sql, vars).await?.row(0)?.unwrap_or_default();
        let (before, after) = (format!("{}\n\n{old}", out.particulars.title), format!("{}\n\n{}", desk.title(), desk.body));
        Ok(Change {
            is_out: out.out == PublicationState::Published,
            withdrawn: self.withdrawal(out.id, desk).await?,
            pieces: spawn_blocking(move || difference(&before, &after)).await?,
            files,
            parents,
            old_files: files::of_document(self.backend, out.id).await?,
            out: Some(Box::new(self.as_draft(out.clone(), String::new(), desk.status()).await?)),
        })
    }
}

/// The names of the parents of the units of both audiences.
fn parents(tree: &Tree, desk: &OnDesk) -> Vec<(UnitId, String)> {
    let new = desk.work.iter().map(|work| &work.particulars.audience);
    let old = desk.out.iter().map(|out| &out.particulars.audience);
    let units = new.chain(old).flat_map(|audience| [&audience.unit].into_iter().chain(&audience.parts).chain(&audience.except));
    let parent = |unit: &UnitRef| Some((unit.id, tree.at(&unit.path.parent()?)?.name.clone()));
    units.filter_map(parent).collect()
}
