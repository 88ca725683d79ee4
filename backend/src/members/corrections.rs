//! Corrections: requested by a member, decided by a registrar of the subtree, visible to both.

use chrono::{DateTime, Utc};
use domain::{
    accounts::{AccountChange, Viewer},
    events::EventBody,
    forms::{FormReader, Problem, optional},
    ids::{CorrectionId, MemberId},
    members::{
        CardNumber, Correction, CorrectionField, CorrectionState, CorrectionsPage, FullName, NationalId, PhoneNumber, Reason, Sex,
    },
    policy::Action,
};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::{
    ID_INDEX, MemberRow, Members,
    edit::{is_number, touches_dates},
    highest,
    rows::Particulars,
    search::{CORRECTIONS_WAITING, requested},
    taken,
};
use crate::{
    Error, Result,
    change::Change,
    store::{RecordId, StoreError, SurrealValue, record, vars},
};

/// Corrections on the registrar's page; decided ones make room for others.
const SHOWN: usize = 50;

/// The member's form as typed.
#[derive(Debug, Clone, Copy)]
pub struct CorrectionForm<'f> {
    pub field: &'f str,
    pub wanted: &'f str,
    pub reason: &'f str,
}

impl Members<'_> {
    /// Requests a change of one field of the own record. A later request for the same field replaces a pending one.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `correction` for invalid input.
    pub async fn request_correction(&self, viewer: &Viewer, form: CorrectionForm<'_>) -> Result<CorrectionId> {
        let row = self.row(viewer.member).await?;
        let mut reader = FormReader::new("correction");
        let field = reader.read("field", form.field, |typed| match typed {
            "" => Err(Problem::Required),
            typed => CorrectionField::from_key(typed).ok_or(Problem::NotOffered),
        });
        // The format of the value depends on the field.
        let wanted = reader.read("wanted", form.wanted, |typed| match field {
            Some(field) => field.read(typed),
            None if typed.trim().is_empty() => Err(Problem::Required),
            None => Ok(typed.to_owned()),
        });
        let reason = reader.read("reason", form.reason, Reason::parse);
        let (Some(field), Some(wanted), Some(reason)) = (field, wanted, reason) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let clock = self.backend.clock();
        let (id, outdated) = self.place_of(&row, field).await?;
        let sealed = |text: &str| self.backend.keys().seal(clock, &id.to_string(), text);
        let vars = vars! {
            correction: record("correction", id),
            outdated: outdated,
            asked: NewCorrection {
                id: record("correction", id),
                member: row.id.clone(),
                path: row.path.clone(),
                field: field.key(),
                wanted: sealed(&wanted)?,
                reason: sealed(reason.as_str())?,
                state: CorrectionState::Requested.key(),
                requested_at: clock.now(),
            },
        };
        let body = EventBody::CorrectionRequested { member: viewer.member, field: Some(field) };
        let change = Change::new(ASK, vars).event(clock, Some(viewer.member), &row.unit_path()?, body);
        match self.backend.transact(change).await {
            Ok(_) => Ok(id),
            // The correction was decided meanwhile.
            Err(StoreError::Thrown(_)) => Err(reader.refused("wanted", Problem::Stale).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Pending corrections in the subtrees whose records the viewer manages, ordered by branch.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer manages no records.
    pub async fn corrections(&self, viewer: &Viewer) -> Result<CorrectionsPage> {
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::ManageMembers);
        highest(&tree, &top_units)?;
        let mut page = CorrectionsPage { waiting: Vec::new(), count: 0 };
        for top_unit in top_units {
            page.count += self.count(CORRECTIONS_WAITING, requested(top_unit)).await?;
            let rows: Vec<CorrectionRow> = self.backend.store().read(waiting_range(), requested(top_unit)).await?.rows(0)?;
            for row in rows {
                let member: MemberRow = self.row(row.member.parse().map_err(|_| row.damaged())?).await?;
                page.waiting.push(self.correction(row, &member).await?);
            }
        }
        page.waiting.truncate(SHOWN);
        Ok(page)
    }

    /// Accepts a correction, which changes the record in the same transaction, or declines it with a note.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Self::form`]. [`Error::Invalid`] of the form `decision`: on `note` when
    /// declining without one; on `decision` [`Problem::Stale`] when it was decided meanwhile, [`Problem::Taken`] when another
    /// record has the number, [`Problem::DateRange`] when the dates would contradict each other, [`Problem::HeldAbove`] for a
    /// number of a member who holds a role outside the viewer's subtree.
    pub async fn decide_correction(&self, viewer: &Viewer, id: &str, decision: &str, note: &str) -> Result<MemberId> {
        let id: CorrectionId = id.parse().map_err(|_| Error::NotFound)?;
        let sql = format!("SELECT {COLUMNS} FROM ONLY $correction");
        let found: Option<CorrectionRow> =
            self.backend.store().read(sql, vars! { correction: record("correction", id) }).await?.row(0)?;
        let found = found.ok_or(Error::NotFound)?;
        let subject: MemberId = found.member.parse().map_err(|_| found.damaged())?;
        let row = self.within_reach(viewer, subject, Action::ManageMembers).await?;
        let mut reader = FormReader::new("decision");
        let state = reader.read("decision", decision, |typed| match typed {
            "accept" => Ok(CorrectionState::Accepted),
            "decline" => Ok(CorrectionState::Declined),
            _ => Err(Problem::NotOffered),
        });
        let note = reader.read("note", note, |typed| match state {
            Some(CorrectionState::Declined) => Reason::parse(typed).map(Some),
            _ => optional(typed, Reason::parse),
        });
        let (Some(state), Some(note)) = (state, note) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        if found.state != CorrectionState::Requested.key() {
            return Err(reader.refused("decision", Problem::Stale).into());
        }
        let field = found.field()?;
        let mut change = Change::default();
        let mut numbers = (None, None);
        let body = if state == CorrectionState::Accepted {
            let wanted = found.applied_to(self.stored(&row)?, &self.open(&found.id, &found.wanted)?)?;
            if touches_dates(&self.stored(&row)?, &wanted) && self.is_impossible(&wanted) {
                return Err(reader.refused("decision", Problem::DateRange).into());
            }
            let (written, changed) = self.written_change(&row, &wanted).await?;
            change = written;
            if changed.iter().any(|field| is_number(field)) {
                let Some(guarded) = self.guard(change, viewer, &row, Action::ManageMembers).await? else {
                    return Err(reader.refused("decision", Problem::HeldAbove).into());
                };
                change = guarded;
            }
            change = self.tell_owner(change, viewer, &row, &changed)?;
            numbers = (wanted.national_id, Some(wanted.card));
            EventBody::CorrectionAccepted { member: subject, field: Some(field) }
        } else {
            EventBody::CorrectionDeclined { member: subject, field: Some(field) }
        };
        let clock = self.backend.clock();
        let note = note.map(|note| self.backend.keys().seal(clock, &found.id, note.as_str())).transpose()?;
        let vars = vars! {
            correction: record("correction", id),
            decided: state.key(),
            note: note,
            by: viewer.member.to_string(),
            now: clock.now(),
        };
        let change = change.then(DECIDE).bind(vars).event(clock, Some(viewer.member), &row.unit_path()?, body);
        match self.backend.transact(change).await {
            Ok(_) => Ok(subject),
            // The correction was decided, or the record or the roles changed, meanwhile.
            Err(StoreError::Thrown(_)) => Err(reader.refused("decision", Problem::Stale).into()),
            Err(StoreError::Taken { index }) => {
                let is_id = index == ID_INDEX;
                let (id, card) = (numbers.0.as_ref().filter(|_| is_id), numbers.1.as_ref().filter(|_| !is_id));
                Err(taken(viewer, reader, "decision", self.number_holder(id, card).await?))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Number of unseen decisions on the viewer's record, whether a valid paper code for the account exists, and the unseen
    /// changes of the account.
    pub(crate) async fn news(&self, viewer: &Viewer) -> Result<(u32, bool, Vec<AccountChange>)> {
        let vars = vars! { member: viewer.member.to_string(), now: self.backend.clock().now() };
        let mut found = self.backend.store().read(format!("{NEWS}; {OPEN_CODE}"), vars).await?;
        let (decided, codes): (Vec<RecordId>, Vec<RecordId>) = (found.rows(0)?, found.rows(1)?);
        let changes = self.backend.account_changes(&viewer.member.to_string()).await?;
        Ok((u32::try_from(decided.len()).unwrap_or(u32::MAX), !codes.is_empty(), changes))
    }

    pub(super) async fn note_news_seen(&self, member: MemberId) -> Result<()> {
        let sql = format!("LET $news = ({NEWS}); UPDATE $news SET seen_at = $now RETURN NONE;");
        let vars = vars! { member: member.to_string(), now: self.backend.clock().now() };
        self.backend.transact(Change::new(&sql, vars)).await?;
        Ok(())
    }

    /// Corrections of one record, newest first.
    pub(super) async fn corrections_of(&self, row: &MemberRow, waiting_only: bool) -> Result<Vec<Correction>> {
        let mut corrections = Vec::new();
        for found in self.correction_rows(row, waiting_only).await? {
            corrections.push(self.correction(found, row).await?);
        }
        Ok(corrections)
    }

    /// The id for a request on this field, and other pending requests on it. The id is that of the pending request, or derived
    /// from the number of decided ones, so that concurrent requests write the same row.
    async fn place_of(&self, row: &MemberRow, field: CorrectionField) -> Result<(CorrectionId, Vec<RecordId>)> {
        let vars = vars! { member: row.id.clone(), field: field.key() };
        let known: Vec<CorrectionRow> = self.backend.store().read(of_field(), vars).await?.rows(0)?;
        let (waiting, decided): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|known| known.state == CorrectionState::Requested.key());
        let mut waiting = waiting.iter();
        let id = match waiting.next() {
            Some(newest) => newest.key()?,
            None => {
                let hash = Sha256::digest(format!("{}/{}/{}", row.id, field.key(), decided.len()));
                let mut half = [0; 16];
                half.copy_from_slice(&hash[..16]);
                CorrectionId::new(Ulid::from_bytes(half))
            }
        };
        Ok((id, waiting.map(|other| record("correction", &other.id)).collect()))
    }

    async fn correction_rows(&self, row: &MemberRow, waiting_only: bool) -> Result<Vec<CorrectionRow>> {
        let sql = of_member();
        let mut rows: Vec<CorrectionRow> = self.backend.store().read(sql, vars! { member: row.id.clone() }).await?.rows(0)?;
        rows.retain(|found| !waiting_only || found.state == CorrectionState::Requested.key());
        Ok(rows)
    }

    async fn correction(&self, found: CorrectionRow, member: &MemberRow) -> Result<Correction> {
        let names = self.branch_names([member.unit.as_str()].into_iter()).await?;
        let field = found.field()?;
        let state = CorrectionState::from_key(&found.state).ok_or_else(|| found.damaged())?;
        Ok(Correction {
            id: found.key()?,
            member: member.key()?,
            name: member.full_name.clone(),
            branch: names.get(&member.unit).cloned().unwrap_or_default(),
            field,
            now: self.present(field, member)?,
            wanted: self.open(&found.id, &found.wanted)?,
            reason: self.open(&found.id, &found.reason)?,
            state,
            requested_at: found.requested_at,
            decided_at: found.decided_at,
            note: found.note.as_deref().map(|note| self.open(&found.id, note)).transpose()?,
            is_news: state != CorrectionState::Requested && found.seen_at.is_none(),
        })
    }

    /// The current value of the record, in the form of [`CorrectionField::read`]; the national ID is masked.
    fn present(&self, field: CorrectionField, row: &MemberRow) -> Result<Option<String>> {
        Ok(match field {
            CorrectionField::Phone => row.phone(self.backend)?.map(|phone| phone.expose().to_owned()),
            CorrectionField::FullName => Some(row.full_name.clone()),
            CorrectionField::BirthDate => Some(row.birth_date.clone()),
            CorrectionField::Sex => Some(row.sex.clone()),
            CorrectionField::NationalId => row.national_id(self.backend)?.map(|id| id.masked()),
            CorrectionField::Card => Some(row.code.clone()),
            CorrectionField::AdmittedOn => Some(row.admitted_on.clone()),
            CorrectionField::OfficialOn => row.official_on.clone(),
        })
    }

    fn open(&self, correction: &str, sealed: &str) -> Result<String> {
        self.backend.keys().open(correction, sealed)
    }

    fn is_impossible(&self, wanted: &Particulars) -> bool {
        let mut reader = FormReader::new("decision");
        self.refuse_impossible_dates(&mut reader, wanted);
        !reader.is_clean()
    }
}

const COLUMNS: &str = "record::id(id) AS id, member, path, field, wanted, reason, state, requested_at, decided_at, note, seen_at";

const NEWS: &str =
    "SELECT VALUE id FROM correction WHERE member = $member AND state != 'requested' AND seen_at = NONE AND decided_at != NONE";

const OPEN_CODE: &str = "SELECT VALUE id FROM paper_code WHERE member = $member AND used_at = NONE AND revoked_at = NONE \
                         AND expires_at > $now";

const ASK: &str = "IF ((SELECT VALUE state FROM ONLY $correction) ?? 'requested') != 'requested' { THROW 'decided' }; \
                   DELETE $outdated RETURN NONE; UPSERT $correction CONTENT $asked RETURN NONE;";

const DECIDE: &str = "IF (SELECT VALUE state FROM ONLY $correction) != 'requested' { THROW 'decided' }; \
                      UPDATE $correction SET state = $decided, decided_by = $by, decided_at = $now, note = $note RETURN NONE;";

fn waiting_range() -> String {
    format!("SELECT {COLUMNS} FROM correction WHERE place >= $from AND place < $until ORDER BY place LIMIT {SHOWN}")
}

fn of_member() -> String {
    format!("SELECT {COLUMNS} FROM correction WHERE member = $member ORDER BY requested_at DESC LIMIT {SHOWN}")
}

fn of_field() -> String {
    format!("SELECT {COLUMNS} FROM correction WHERE member = $member AND field = $field ORDER BY requested_at DESC")
}

/// A stored correction.
#[derive(Debug, SurrealValue)]
struct CorrectionRow {
    id: String,
    member: String,
    path: String,
    field: String,
    wanted: String,
    reason: String,
    state: String,
    requested_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    note: Option<String>,
    seen_at: Option<DateTime<Utc>>,
}

impl CorrectionRow {
    fn key(&self) -> Result<CorrectionId> {
        self.id.parse().map_err(|_| self.damaged())
    }

    fn field(&self) -> Result<CorrectionField> {
        CorrectionField::from_key(&self.field).ok_or_else(|| self.damaged())
    }

    /// The record with the wanted value.
    fn applied_to(&self, stored: Particulars, wanted: &str) -> Result<Particulars> {
        let damaged = |_| self.damaged();
        let day = || wanted.parse().map_err(|_| self.damaged());
        Ok(match self.field()? {
            CorrectionField::Phone => Particulars { phone: Some(PhoneNumber::parse(wanted).map_err(damaged)?), ..stored },
            CorrectionField::FullName => Particulars { full_name: FullName::parse(wanted).map_err(damaged)?, ..stored },
            CorrectionField::BirthDate => Particulars { birth_date: day()?, ..stored },
            CorrectionField::Sex => Particulars { sex: Sex::from_key(wanted).ok_or_else(|| self.damaged())?, ..stored },
            CorrectionField::NationalId => {
                Particulars { national_id: Some(NationalId::parse(wanted).map_err(damaged)?), ..stored }
            }
            CorrectionField::Card => Particulars { card: CardNumber::parse(wanted).map_err(damaged)?, ..stored },
            CorrectionField::AdmittedOn => Particulars { admitted_on: day()?, ..stored },
            CorrectionField::OfficialOn => Particulars { official_on: Some(day()?), ..stored },
        })
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("correction {}", self.id))
    }
}

/// The row of a requested correction; the wanted value and the reason are sealed.
#[derive(Debug, SurrealValue)]
pub(crate) struct NewCorrection {
    pub(crate) id: RecordId,
    pub(crate) member: String,
    pub(crate) path: String,
    pub(crate) field: &'static str,
    pub(crate) wanted: String,
    pub(crate) reason: String,
    pub(crate) state: &'static str,
    pub(crate) requested_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn correction_queries_use_an_index() {
        let store = migrated().await;
        let vars = || vars! { member: "01ARZ3NDEKTSV4RRFFQ69G5FAV", field: "phone", from: "/01/", until: "/010" };
        for sql in [waiting_range(), of_member(), of_field(), NEWS.to_owned()] {
            store.assert_no_scan(&sql, vars()).await;
        }
    }
}
