//! Transfers between branches: requested by the branch a member leaves, accepted by the branch the member joins.
//!
//! Invariant: an active member is posted to one branch, `member.unit`, since `member.posted_from`.

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    events::EventBody,
    forms::{FormReader, Problem, optional},
    ids::{MemberId, TransferId},
    members::{QualityIssue, Reason, Transfer, TransferPage, TransferState, TransfersPage},
    policy::Action,
    units::UnitPath,
};

use super::{
    MemberRow, Members, branches, highest,
    rows::{end_posting, quality_issue_id},
    search::requested,
    state::eve,
};
use crate::{
    Error, Result,
    change::Change,
    offices::Holder,
    store::{RecordId, StoreError, SurrealValue, record, vars},
    units::Tree,
};

/// Transfers per direction on the page.
const SHOWN: usize = 50;

/// The form as typed.
#[derive(Debug, Clone, Copy)]
pub struct TransferForm<'f> {
    pub member: &'f str,
    /// Id of the branch to join.
    pub to: &'f str,
    pub reason: &'f str,
}

impl Members<'_> {
    /// The form to request a transfer, with the branches found by `typed`; with nothing typed, the branches under the same
    /// parent.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::record`], [`Error::NotAllowed`] when the viewer may read but not transfer the member.
    pub async fn transfer_form(&self, viewer: &Viewer, id: MemberId, typed: &str) -> Result<TransferPage> {
        let row = self.within_reach(viewer, id, Action::TransferMember).await?;
        let tree = self.backend.units().tree();
        let names = self.unit_names([row.unit.as_str()].into_iter()).await?;
        let branch = row.branch(&tree, &names)?;
        let whole = branch.path.ancestors_and_self().next();
        let near = branch.path.parent();
        let scope = if typed.trim().is_empty() { near.or(whole) } else { whole };
        let (choices, more) = scope
            .map_or_else(Default::default, |scope| branches::choices(&tree, &[&scope], typed, Some(branch.id), branches::CARDS));
        let lines = self.branch_names([row.unit.as_str()].into_iter()).await?;
        Ok(TransferPage { member: row.line(&lines)?, choices, more, waiting: self.waiting_transfer(&row).await?, branch })
    }

    /// Requests a transfer.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Self::transfer_form`]. [`Error::Invalid`] of the form `transfer`: on
    /// `to` [`Problem::NotOffered`] for anything but another open branch, [`Problem::Stale`] when a transfer is pending already
    /// or the member is not active, [`Problem::HeldAbove`] when the member holds a role outside the viewer's subtree.
    pub async fn request_transfer(&self, viewer: &Viewer, form: TransferForm<'_>) -> Result<TransferId> {
        let member: MemberId = form.member.parse().map_err(|_| Error::NotFound)?;
        let row = self.within_reach(viewer, member, Action::TransferMember).await?;
        let tree = self.backend.units().tree();
        let mut reader = FormReader::new("transfer");
        let to = reader.read("to", form.to, |typed| match typed {
            "" => Err(Problem::Required),
            typed => tree
                .named(typed)
                .filter(|unit| unit.kind.holds_members() && unit.id.to_string() != row.unit)
                .cloned()
                .ok_or(Problem::NotOffered),
        });
        let reason = reader.read("reason", form.reason, Reason::parse);
        let (Some(to), Some(reason)) = (to, reason) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let clock = self.backend.clock();
        let id = TransferId::new(clock.ulid());
        let Some(change) = self.guard(Change::default(), viewer, &row, Action::TransferMember).await? else {
            return Err(reader.refused("to", Problem::HeldAbove).into());
        };
        let vars = vars! {
            member: record("member", &row.id),
            key: row.id.clone(),
            from_unit: row.unit.clone(),
            asked: NewTransfer {
                id: record("transfer", id),
                member: row.id.clone(),
                from_unit: row.unit.clone(),
                from_path: row.path.clone(),
                to_unit: to.id.to_string(),
                to_path: to.path.to_string(),
                reason: reason.as_str().to_owned(),
                state: TransferState::Requested.key(),
                requested_by: viewer.member.to_string(),
                requested_at: clock.now(),
            },
        };
        let body = EventBody::TransferRequested { member, other: Some(to.path) };
        let change = change.then(STILL_THERE).then(ASK).bind(vars).event(clock, Some(viewer.member), &row.unit_path()?, body);
        match self.backend.transact(change).await {
            Ok(_) => Ok(id),
            // A transfer is pending already, or the member or the roles changed.
            Err(StoreError::Thrown(_)) => Err(reader.refused("to", Problem::Stale).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Pending transfers into and out of the viewer's subtrees.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may transfer nobody.
    pub async fn transfers(&self, viewer: &Viewer) -> Result<TransfersPage> {
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::TransferMember);
        highest(&tree, &top_units)?;
        let (mut incoming, mut outgoing) = (Vec::new(), Vec::new());
        for top_unit in top_units {
            let mut answers = self.backend.store().read(waiting_ranges(), requested(top_unit)).await?;
            incoming.extend(answers.rows::<TransferRow>(0)?);
            outgoing.extend(answers.rows::<TransferRow>(1)?);
        }
        Ok(TransfersPage { incoming: self.decode_transfers(incoming).await?, outgoing: self.decode_transfers(outgoing).await? })
    }

    /// Accepts, declines or withdraws a transfer. Accepting moves the member: the old posting ends and a new one begins today,
    /// offices on the old branch end unless they still belong to it, opinions and receipts keep their unit.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer has access to neither branch, [`Error::NotAllowed`] for a step of the other side.
    /// [`Error::Invalid`] of the form `decision`: on `note` when declining without one; on `decision` [`Problem::Closed`] when
    /// the branch is closed, [`Problem::Stale`] when it was decided or the member moved meanwhile, [`Problem::RolesFirst`] when
    /// accepting a member who holds a role that neither the viewer's subtree nor the requester's current grants cover.
    pub async fn decide_transfer(&self, viewer: &Viewer, id: &str, decision: &str, note: &str) -> Result<MemberId> {
        let id: TransferId = id.parse().map_err(|_| Error::NotFound)?;
        let found = self.transfer_row(id).await?;
        let may =
            |path: &str| UnitPath::parse(path).is_ok_and(|path| viewer.standpoint.may_by_office(Action::TransferMember, &path));
        let (sends, receives) = (may(&found.from_path), may(&found.to_path));
        if !sends && !receives {
            return Err(Error::NotFound);
        }
        let mut reader = FormReader::new("decision");
        let state = reader.read("decision", decision, |typed| match typed {
            "accept" => Ok(TransferState::Accepted),
            "decline" => Ok(TransferState::Declined),
            "withdraw" => Ok(TransferState::Withdrawn),
            _ => Err(Problem::NotOffered),
        });
        let Some(state) = state else { return Err(reader.finish().err().unwrap_or_default().into()) };
        if !(if state == TransferState::Withdrawn { sends } else { receives }) {
            return Err(Error::NotAllowed);
        }
        let note = reader.read("note", note, |typed| match state {
            TransferState::Declined => Reason::parse(typed).map(Some),
            _ => optional(typed, Reason::parse),
        });
        let Some(note) = note else { return Err(reader.finish().err().unwrap_or_default().into()) };

        let clock = self.backend.clock();
        let subject: MemberId = found.member.parse().map_err(|_| found.damaged())?;
        let vars = vars! {
            transfer: record("transfer", id),
            decided: state.key(),
            note: note.map(|note| note.as_str().to_owned()),
            by: viewer.member.to_string(),
            now: clock.now(),
        };
        let mut change = Change::new(DECIDE, vars);
        let (from, to) = (found.origin()?, found.destination()?);
        let (place, body) = match state {
            TransferState::Accepted => {
                let tree = self.backend.units().tree();
                let Some(branch) = tree.named(&found.to_unit).filter(|unit| unit.kind.holds_members()) else {
                    return Err(reader.refused("decision", Problem::Closed).into());
                };
                // Else both are one branch since the request, so the member is there already.
                if found.from_unit != found.to_unit {
                    let row = self.row(subject).await?;
                    let holder = self.backend.offices().holder(&row.id).await?;
                    if !holder.is_in_hands_of(viewer, Action::TransferMember) {
                        let Some(sent) = self.sent_by(change, &found.requested_by, &holder).await? else {
                            return Err(reader.refused("decision", Problem::RolesFirst).into());
                        };
                        change = sent;
                    }
                    change = self.moved(holder.hold_still(change, "holder"), &tree, &found, &branch.path);
                }
                (branch.path.clone(), EventBody::TransferAccepted { member: subject, other: Some(from) })
            }
            TransferState::Declined => (from, EventBody::TransferDeclined { member: subject, other: Some(to) }),
            TransferState::Withdrawn | TransferState::Requested => {
                (from, EventBody::TransferWithdrawn { member: subject, other: Some(to) })
            }
        };
        match self.backend.transact(change.event(clock, Some(viewer.member), &place, body)).await {
            Ok(_) => Ok(subject),
            // The transfer was decided, or the member or the roles changed, meanwhile.
            Err(StoreError::Thrown(_)) => Err(reader.refused("decision", Problem::Stale).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The pending transfer of a member.
    pub(super) async fn waiting_transfer(&self, row: &MemberRow) -> Result<Option<Transfer>> {
        let rows: Vec<TransferRow> =
            self.backend.store().read(waiting_of_member(), vars! { member: row.id.clone() }).await?.rows(0)?;
        Ok(self.decode_transfers(rows).await?.pop())
    }

    /// The change, if the current grants of the requester cover all roles of the member; it fails when the requester's roles
    /// change meanwhile. `None` if they do not.
    async fn sent_by(&self, change: Change, requester: &str, holder: &Holder) -> Result<Option<Change>> {
        let Ok(id) = requester.parse() else { return Ok(None) };
        let sender = match self.row(id).await {
            Ok(row) => row,
            Err(Error::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        if !sender.is_active() {
            return Ok(None);
        }
        let offices = self.backend.offices();
        let own = offices.holder(requester).await?;
        let grants = offices.grants(requester).await?;
        Ok(holder.is_covered_by(&grants, Action::TransferMember).then(|| own.hold_still(change, "sender")))
    }

    fn moved(&self, change: Change, tree: &Tree, found: &TransferRow, to: &UnitPath) -> Change {
        let clock = self.backend.clock();
        let today = clock.today();
        let quality_issues: Vec<RecordId> =
            QualityIssue::ALL.into_iter().map(|kind| quality_issue_id(kind, &found.member)).collect();
        let vars = vars! {
            member: record("member", &found.member),
            key: found.member.clone(),
            from_unit: found.from_unit.clone(),
            left: left_units(tree, &found.from_unit, to),
            to_unit: found.to_unit.clone(),
            to_path: to.to_string(),
            day: today.to_string(),
            today: today.to_string(),
            eve: eve(today).to_string(),
            flaws: quality_issues,
            ended: record("posting", clock.ulid()),
        };
        change.then(STILL_THERE).then(&end_posting("member", "key", "ended", "day")).then(MOVE).bind(vars)
    }

    async fn transfer_row(&self, id: TransferId) -> Result<TransferRow> {
        let sql = format!("SELECT {COLUMNS} FROM ONLY $transfer");
        self.backend.store().read(sql, vars! { transfer: record("transfer", id) }).await?.row(0)?.ok_or(Error::NotFound)
    }

    async fn decode_transfers(&self, rows: Vec<TransferRow>) -> Result<Vec<Transfer>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let people = self.names(rows.iter().flat_map(|row| [row.member.as_str(), row.requested_by.as_str()])).await?;
        let units = self.unit_names(rows.iter().flat_map(|row| [row.from_unit.as_str(), row.to_unit.as_str()])).await?;
        let tree = self.backend.units().tree();
        let known = |names: &std::collections::BTreeMap<String, String>, id: &str| names.get(id).cloned().unwrap_or_default();
        rows.into_iter()
            .map(|row| {
                Ok(Transfer {
                    id: row.id.parse().map_err(|_| row.damaged())?,
                    member: row.member.parse().map_err(|_| row.damaged())?,
                    name: known(&people, &row.member),
                    from: known(&units, &row.from_unit),
                    to: known(&units, &row.to_unit),
                    phase: tree.successor(&row.to_unit).map(|unit| tree.phase(&unit.path)).unwrap_or_default(),
                    state: TransferState::from_key(&row.state).ok_or_else(|| row.damaged())?,
                    requested_by: known(&people, &row.requested_by),
                    requested_at: row.requested_at,
                    reason: row.reason,
                })
            })
            .collect()
    }
}

const COLUMNS: &str =
    "record::id(id) AS id, member, from_unit, from_path, to_unit, to_path, reason, state, requested_by, requested_at";

/// Fails the transaction when the member has moved or is not active.
const STILL_THERE: &str = "LET $there = (SELECT unit, state FROM ONLY $member); \
                           IF $there.unit != $from_unit OR $there.state != 'active' { THROW 'moved' };";

const ASK: &str = "LET $waiting = (SELECT VALUE id FROM transfer WHERE member = $key AND state = 'requested'); \
                   IF array::len($waiting) > 0 { THROW 'waiting' }; INSERT INTO transfer $asked RETURN NONE;";

const DECIDE: &str = "IF (SELECT VALUE state FROM ONLY $transfer) != 'requested' { THROW 'decided' }; \
                      UPDATE $transfer SET state = $decided, decided_by = $by, decided_at = $now, note = $note RETURN NONE;";

const MOVE: &str = "UPDATE $member SET unit = $to_unit, path = $to_path, posted_from = $day, version = (version ?? 0) + 1 RETURN NONE; \
     LET $held = (SELECT VALUE id FROM office WHERE member = $key AND $left CONTAINS unit AND (until = NONE OR until >= $today)); \
     UPDATE $held SET until = $eve, ended_by = $by RETURN NONE; \
     UPDATE $flaws SET path = $to_path RETURN NONE; \
     LET $asked = (SELECT VALUE id FROM correction WHERE member = $key AND state = 'requested'); \
     UPDATE $asked SET path = $to_path RETURN NONE;";

/// Ids of the units to which a member no longer belongs after a transfer: the one in which they were registered and those above it
/// up to their branch, without those that contain the new one.
fn left_units(tree: &Tree, from: &str, to: &UnitPath) -> Vec<String> {
    let Some(unit) = tree.named(from) else { return vec![from.to_owned()] };
    let home = tree.home(unit);
    let own = tree.trail(&unit.path).filter(|above| home.path.contains(&above.path));
    own.filter(|above| !above.path.contains(to)).map(|above| above.id.to_string()).collect()
}

/// Into a subtree, and out of it.
fn waiting_ranges() -> String {
    let range = |end: &str| {
        format!("SELECT {COLUMNS} FROM transfer WHERE {end} >= $from AND {end} < $until ORDER BY {end} LIMIT {SHOWN};")
    };
    range("joins") + &range("leaves")
}

fn waiting_of_member() -> String {
    format!("SELECT {COLUMNS} FROM transfer WHERE member = $member AND state = 'requested'")
}

/// A stored transfer.
#[derive(Debug, SurrealValue)]
struct TransferRow {
    id: String,
    member: String,
    from_unit: String,
    from_path: String,
    to_unit: String,
    to_path: String,
    reason: String,
    state: String,
    requested_by: String,
    requested_at: DateTime<Utc>,
}

impl TransferRow {
    fn origin(&self) -> Result<UnitPath> {
        UnitPath::parse(&self.from_path).map_err(|_| self.damaged())
    }

    fn destination(&self) -> Result<UnitPath> {
        UnitPath::parse(&self.to_path).map_err(|_| self.damaged())
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("transfer {}", self.id))
    }
}

/// The row of a requested transfer.
#[derive(Debug, SurrealValue)]
pub(crate) struct NewTransfer {
    pub(crate) id: RecordId,
    pub(crate) member: String,
    pub(crate) from_unit: String,
    pub(crate) from_path: String,
    pub(crate) to_unit: String,
    pub(crate) to_path: String,
    pub(crate) reason: String,
    pub(crate) state: &'static str,
    pub(crate) requested_by: String,
    pub(crate) requested_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn transfer_queries_use_an_index() {
        let store = migrated().await;
        store.assert_no_scan(&waiting_ranges(), vars! { from: "/01/", until: "/010" }).await;
        store.assert_no_scan(&waiting_of_member(), vars! { member: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
