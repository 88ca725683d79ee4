//! The reminder of the sample's fishing branch.

use chrono::{DateTime, Utc};
use domain::events::EventBody;

use super::{
    cast,
    dice::Dice,
    library::{Published, local_time},
    people::Organisation,
};
use crate::{
    Backend, Error, Result,
    bulk::Bulk,
    documents::read_marks,
    store::{RecordId, SurrealValue, pair},
};

/// Reminds of the newest document the fisherman has not read, yesterday evening. Must run after all readings are written.
pub(super) async fn ask(backend: &Backend, seed: u64, organisation: &Organisation, published: &[Published]) -> Result<usize> {
    let village = organisation.branch(cast::CAST[0].branch)?;
    let fisherman = village.people.iter().find(|person| person.name == cast::CAST[0].name);
    let fisherman = fisherman.ok_or_else(|| Error::Internal("the sample has no fisherman".to_owned()))?;
    let at = local_time(backend.clock().now(), -1, 19 * 60 + 40);
    let reaching: Vec<_> = published
        .iter()
        .filter(|document| document.at < at && document.audience.path.contains(&village.unit.path))
        .map(|document| document.id)
        .collect();
    let read = read_marks(backend.store(), fisherman.id, &reaching).await?;
    let mut bulk = Bulk::default();
    if let Some(document) = reaching.into_iter().find(|document| !read.contains(document)) {
        let secretary = village.secretary().id;
        let id = pair("reminder", document, village.unit.id);
        let (document_id, unit, by) = (document.to_string(), village.unit.id.to_string(), secretary.to_string());
        bulk.push("reminder", ReminderRow { id, document: document_id, unit, by, at });
        bulk.log(&mut Dice::new(seed, 13), at, Some(secretary), &village.unit.path, EventBody::ReadersReminded(document));
    }
    bulk.save(backend).await
}

#[derive(Debug, SurrealValue)]
struct ReminderRow {
    id: RecordId,
    document: String,
    unit: String,
    by: String,
    at: DateTime<Utc>,
}
