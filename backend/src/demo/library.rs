//! Documents of the sample, and their readings.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use domain::{
    documents::{
        DocumentField,
        reading::Seen,
        steps::{DraftState, PublicationState},
    },
    events::EventBody,
    ids::{DocumentId, MemberId},
    locale::local_date,
    members::Standing,
    units::{UnitPath, UnitRef},
};

use super::{
    Size,
    dice::Dice,
    files::{self, DocumentFile},
    people::{JUST_NOW, Organisation, Person},
};
use crate::{
    Backend, Error, Result,
    bulk::Bulk,
    documents::{Particulars, ParticularsRow, RelatedRow},
    store::{RecordId, SurrealValue, Value, pair, record},
};

/// The time zone of the sample, `Asia/Ho_Chi_Minh`, which has no daylight saving time.
const ZONE: TimeDelta = TimeDelta::hours(7);

/// A published document, as the other parts of the sample use it.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) id: DocumentId,
    pub(super) title: String,
    pub(super) field: String,
    pub(super) issuer: UnitRef,
    pub(super) audience: UnitRef,
    pub(super) at: DateTime<Utc>,
}

/// Relative reading frequency of a document by age.
fn pull(age: TimeDelta) -> i64 {
    match age.num_days() {
        ..=30 => 100,
        31..=120 => 55,
        _ => 30,
    }
}

/// Writes the published documents and the drafts. Returns the published ones, newest first.
pub(super) fn fill(bulk: &mut Bulk, backend: &Backend, seed: u64, organisation: &Organisation) -> Result<Vec<Published>> {
    let now = backend.clock().now();
    let mut dice = Dice::new(seed, 3);
    let mut published = Vec::new();
    let mut ids = BTreeMap::new();
    for file in files::documents()? {
        let at = working_hour(&mut dice, now, file.front.days_ago);
        let id = DocumentId::new(dice.ulid_at(at - TimeDelta::days(2)));
        let editor = editor(organisation, &file.front.issuer)?;
        let row = Shelved { id, file: &file, editor, at, now, earlier: &ids };
        published.push(row.publish(bulk, &mut dice, organisation)?);
        ids.insert(file.key, id);
    }
    for file in files::drafts()? {
        let at = working_hour(&mut dice, now, file.front.days_ago);
        let id = DocumentId::new(dice.ulid_at(at));
        let editor = editor(organisation, &file.front.issuer)?;
        Shelved { id, file: &file, editor, at, now, earlier: &ids }.draft(bulk, &mut dice, organisation)?;
    }
    published.sort_by_key(|document| std::cmp::Reverse(document.at));
    Ok(published)
}

/// Percentage of opened documents that are read to the end.
const READ_OF_OPENED: i64 = 78;

/// Writes the openings and readings of the members, and returns the number of readings.
pub(super) fn read(
    bulk: &mut Bulk,
    backend: &Backend,
    seed: u64,
    size: Size,
    organisation: &Organisation,
    published: &[Published],
) -> u32 {
    let now = backend.clock().now();
    let mut dice = Dice::new(seed, 4);
    // Weight every possible pair of a member and a document, then draw the given number of pairs.
    let mut pairs: Vec<(&UnitRef, &Person, &Published, DateTime<Utc>, i64)> = Vec::new();
    for branch in &organisation.branches {
        let reaching: Vec<_> = published.iter().filter(|document| document.audience.path.contains(&branch.unit.path)).collect();
        for person in &branch.people {
            for document in &reaching {
                let Some(start) = person.uses_after(document.at) else { continue };
                pairs.push((&person.unit, person, document, start, person.zeal * pull(now - document.at)));
            }
        }
    }
    let total: i64 = pairs.iter().map(|(.., weight)| weight).sum();
    let mut reads = 0;
    for (unit, person, document, start, weight) in pairs {
        if total > 0 && dice.rare(weight * 1_000_000 / total.div_euclid(size.openings).max(1)) {
            let at = dice.early_moment(start, person.last_use);
            let receipt = ReceiptRow::new(document.id, person.id, &unit.path, person.standing, at);
            let (id, counted) = (document.id, Some(person.standing != Standing::Exempt));
            bulk.log(&mut dice, at, Some(person.id), &unit.path, EventBody::DocumentOpened { document: id, counted });
            let read_at = at + TimeDelta::seconds(dice.between(40, 900));
            if read_at <= now && dice.chance(READ_OF_OPENED) {
                bulk.push("document_read", receipt.read(read_at, Seen::End));
                bulk.log(&mut dice, read_at, Some(person.id), &unit.path, EventBody::DocumentRead { document: id, counted });
                reads += 1;
            }
            bulk.push("read_receipt", receipt);
        }
    }
    reads
}

/// A person who may write for the unit: one of its own editors, or of the committee above. The province entered the documents
/// issued by the centre.
fn editor(organisation: &Organisation, issuer: &str) -> Result<MemberId> {
    let unit = organisation.unit(issuer)?;
    let nearest = organisation
        .committees
        .values()
        .filter(|committee| committee.unit.path.contains(&unit.path) && !committee.editors.is_empty())
        .max_by_key(|committee| committee.unit.path.as_str().len());
    let committee = match nearest {
        Some(committee) => Some(committee),
        None => organisation.committees.get("province"),
    };
    // The first seat is the chief editor's; the editors after it do the daily work.
    let seat = committee.and_then(|committee| committee.editors.get(1).or(committee.editors.first()));
    seat.map(|seat| organisation.at(*seat).1.id).ok_or_else(|| Error::Internal(format!("the sample has no editor for {issuer}")))
}

/// A document to be stored.
struct Shelved<'f> {
    id: DocumentId,
    file: &'f DocumentFile,
    editor: MemberId,
    /// When it was published or, for a draft, saved.
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    /// The documents it may refer to, by the keys of their files.
    earlier: &'f BTreeMap<&'static str, DocumentId>,
}

impl Shelved<'_> {
    fn publish(&self, bulk: &mut Bulk, dice: &mut Dice, organisation: &Organisation) -> Result<Published> {
        let front = &self.file.front;
        let particulars = self.particulars(organisation)?;
        let saved_at = self.at - TimeDelta::minutes(dice.between(20, 3_000));
        let shelf = dice.ulid_at(self.at).to_string();
        bulk.push(
            "document",
            DocumentRow {
                id: record("document", self.id),
                particulars: particulars.row(),
                state: PublicationState::Published.key().to_owned(),
                version: 1,
                minutes: i64::from(self.file.body.minutes()),
                saved_at,
                saved_by: self.editor.to_string(),
                published_at: Some(self.at),
                must: particulars.must_read_by.map(|_| shelf.clone()),
                pin: front.pinned.then(|| shelf.clone()),
                corrected_at: front.corrected_days_ago.map(|days| local_time(self.now, -days, 10 * 60)),
                correction: front.correction.clone(),
                shelf: Some(shelf),
            },
        );
        self.text(bulk, "document_text", saved_at);
        let Particulars { title, issuer, audience, .. } = particulars;
        bulk.log(dice, saved_at, Some(self.editor), &issuer.path, EventBody::DocumentDrafted(self.id));
        bulk.log(dice, self.at, Some(self.editor), &issuer.path, EventBody::DocumentPublished(self.id));
        Ok(Published { id: self.id, title, field: front.field.clone(), issuer, audience: audience.unit, at: self.at })
    }

    fn draft(&self, bulk: &mut Bulk, dice: &mut Dice, organisation: &Organisation) -> Result<()> {
        let particulars = self.particulars(organisation)?;
        bulk.push(
            "draft",
            DraftRow {
                id: record("draft", self.id),
                particulars: particulars.row(),
                stage: DraftState::Draft.key().to_owned(),
                version: 1,
                minutes: i64::from(self.file.body.minutes()),
                saved_at: self.at,
                saved_by: self.editor.to_string(),
                authors: vec![self.editor.to_string()],
            },
        );
        self.text(bulk, "draft_text", self.at);
        bulk.log(dice, self.at, Some(self.editor), &particulars.issuer.path, EventBody::DocumentDrafted(self.id));
        Ok(())
    }

    /// The particulars in the front matter of its file.
    fn particulars(&self, organisation: &Organisation) -> Result<Particulars> {
        let front = &self.file.front;
        let unknown = || Error::Internal(format!("the sample document {} is of no field: {}", self.file.key, front.field));
        let (issuer, audience) = (organisation.unit(&front.issuer)?.clone(), organisation.unit(&front.audience)?.clone());
        Ok(Particulars {
            number: self.file.number.as_ref().map(|number| number.as_str().to_owned()),
            signer: (!front.signer.is_empty()).then(|| front.signer.clone()),
            field: Some(DocumentField::from_key(&front.field).ok_or_else(unknown)?),
            related: self.related()?,
            must_read_by: front.must_read_in.map(|days| local_date(self.now + TimeDelta::days(days))),
            ..Particulars::new(front.kind, self.file.title.as_str().to_owned(), issuer, audience)
        })
    }

    /// The body, and the revision with it.
    fn text(&self, bulk: &mut Bulk, table: &'static str, at: DateTime<Utc>) {
        let (title, body) = (self.file.title.as_str().to_owned(), self.file.body.as_str().to_owned());
        bulk.push(table, TextRow { id: record(table, self.id), body: body.clone() });
        let id = pair("document_revision", self.id, "000001");
        bulk.push("document_revision", RevisionRow { id, title, body, at, by: self.editor.to_string() });
    }
}

impl Shelved<'_> {
    fn related(&self) -> Result<Vec<RelatedRow>> {
        let rows = self.file.front.related.iter().map(|entry| {
            let document = self.earlier.get(entry.document.as_str()).ok_or_else(|| {
                Error::Internal(format!("the sample document {} names {}, which is not before it", self.file.key, entry.document))
            })?;
            Ok(RelatedRow { document: document.to_string(), relation: entry.relation.key().to_owned() })
        });
        rows.collect()
    }
}

/// A moment between 8:00 and 16:30 of a day, never in the future.
fn working_hour(dice: &mut Dice, now: DateTime<Utc>, days_ago: i64) -> DateTime<Utc> {
    let at = local_time(now, -days_ago, dice.between(8 * 60, 16 * 60 + 30));
    if at > now - JUST_NOW { now - TimeDelta::minutes(90) } else { at }
}

/// The local time `minutes` after midnight, `days` from today.
pub(super) fn local_time(now: DateTime<Utc>, days: i64, minutes: i64) -> DateTime<Utc> {
    let midnight = (now + ZONE).date_naive().and_time(NaiveTime::MIN).and_utc() - ZONE;
    midnight + TimeDelta::days(days) + TimeDelta::minutes(minutes)
}

#[derive(Debug, SurrealValue)]
pub(super) struct DocumentRow {
    pub(super) id: RecordId,
    #[surreal(flatten)]
    pub(super) particulars: ParticularsRow,
    pub(super) state: String,
    pub(super) version: i64,
    pub(super) minutes: i64,
    pub(super) saved_at: DateTime<Utc>,
    pub(super) saved_by: String,
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) shelf: Option<String>,
    pub(super) must: Option<String>,
    pub(super) pin: Option<String>,
    pub(super) corrected_at: Option<DateTime<Utc>>,
    pub(super) correction: Option<String>,
}

#[derive(Debug, SurrealValue)]
struct DraftRow {
    id: RecordId,
    #[surreal(flatten)]
    particulars: ParticularsRow,
    stage: String,
    version: i64,
    minutes: i64,
    saved_at: DateTime<Utc>,
    saved_by: String,
    authors: Vec<String>,
}

#[derive(Debug, SurrealValue)]
pub(super) struct TextRow {
    pub(super) id: RecordId,
    pub(super) body: String,
}

#[derive(Debug, SurrealValue)]
struct RevisionRow {
    id: RecordId,
    title: String,
    body: String,
    at: DateTime<Utc>,
    by: String,
}

#[derive(Debug, SurrealValue)]
pub(super) struct ReadRow {
    id: RecordId,
    path: String,
    at: DateTime<Utc>,
    counted: bool,
    place: Option<String>,
    seen: &'static str,
}

/// A receipt of a first opening.
#[derive(Debug, SurrealValue)]
pub(super) struct ReceiptRow {
    id: RecordId,
    path: String,
    at: DateTime<Utc>,
    counted: bool,
    place: Option<String>,
}

impl ReceiptRow {
    /// For a member who has never moved.
    pub(super) fn new(document: DocumentId, member: MemberId, path: &UnitPath, standing: Standing, at: DateTime<Utc>) -> Self {
        let counted = standing != Standing::Exempt;
        Self {
            id: pair("read_receipt", document, member),
            path: path.to_string(),
            at,
            counted,
            place: counted.then(|| format!("{document}{}{path}", standing.key())),
        }
    }

    /// The reading of an opened document.
    pub(super) fn read(&self, at: DateTime<Utc>, seen: Seen) -> ReadRow {
        let RecordId { key, .. } = self.id.clone();
        ReadRow {
            id: RecordId::new("document_read", key),
            path: self.path.clone(),
            at,
            counted: self.counted,
            place: self.place.clone(),
            seen: seen.key(),
        }
    }
}
