//! Paper codes: issued for one member or a whole branch, listed, revoked.
//!
//! Invariant: a code itself is stored only in a sealed sheet, for ten minutes; see `sheet`.

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::{
        AccountNotice, Viewer,
        codes::{BranchCodes, Candidate, CodeBranch, CodeBranches, CodeRow, CodeState, MemberCodes, TypedCode, last_day},
    },
    events::EventBody,
    folding::fold,
    forms::{FormReader, Problem},
    ids::{CodeId, MemberId, UnitId},
    policy::Action,
    units::{UnitPath, UnitRef},
};

use super::Accounts;
use crate::{
    Clock, Error, Keys, Result,
    change::Change,
    events::NewEvent,
    offices::Holder,
    store::{RecordId, SurrealValue, Variables, record, vars},
    units::{Tree, in_each},
};

/// Validity of a paper code: time for the card to reach a remote village and for its owner to get access to a phone.
pub(super) const PAPER_CODE: TimeDelta = TimeDelta::days(30);

/// Members whose codes are written in one transaction.
const ISSUED_AT_ONCE: usize = 20;

/// Most members in one form. The largest branch has 200 members.
const ISSUED_MAX: usize = 500;

/// Most codes listed for a branch, the newest first.
const LISTED: usize = 200;

/// Branches on one page.
const BRANCHES: usize = 50;

/// A newly issued code. It is shown once, to the issuer.
#[derive(Clone)]
pub struct IssuedCode {
    pub member: MemberId,
    pub name: String,
    pub unit: UnitRef,
    /// Ten characters, without the dash.
    pub code: String,
    pub expires_at: DateTime<Utc>,
}

impl Accounts<'_> {
    /// Issues a paper code for a member and revokes the previous one.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may not issue codes in the member's branch, [`Error::NotAllowed`] when the member
    /// holds a role outside the viewer's own subtree.
    pub async fn issue_paper_code(&self, viewer: &Viewer, member: MemberId) -> Result<IssuedCode> {
        let (person, unit) = self.candidate(viewer, member).await?;
        if !self.backend.offices().holder(&person.id).await?.is_in_hands_of(viewer, Action::IssueCodes) {
            return Err(Error::NotAllowed);
        }
        let issued = self.issue(&unit, &[person], Some(viewer)).await?;
        issued.into_iter().next().ok_or(Error::NotFound)
    }

    /// Issues codes for members of one branch.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may not issue codes there, or a member is not in that branch. [`Error::Invalid`] of
    /// the form `codes`, field `members[]`, when nobody is selected, or [`Problem::HeldAbove`] when a member holds a role outside
    /// the viewer's own subtree.
    pub async fn issue_paper_codes(&self, viewer: &Viewer, unit: UnitId, members: &[String]) -> Result<Vec<IssuedCode>> {
        let unit = self.branch(viewer, unit)?;
        let form = FormReader::new("codes");
        if members.is_empty() {
            return Err(form.refused("members[]", Problem::Required).into());
        }
        let mut chosen = self.people(&unit).await?;
        chosen.retain(|person| members.contains(&person.id));
        if members.len() > ISSUED_MAX || chosen.len() != members.len() {
            return Err(Error::NotFound);
        }
        let holders = self.holders(&chosen).await?;
        if holders.values().any(|holder| !holder.is_in_hands_of(viewer, Action::IssueCodes)) {
            return Err(form.refused("members[]", Problem::HeldAbove).into());
        }
        self.issue(&unit, &chosen, Some(viewer)).await
    }

    /// Issues a code for the administrator created on the command line. There is no viewer: an operator of the machine already
    /// has full access to the data.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no such active member exists.
    pub async fn first_code(&self, member: MemberId) -> Result<String> {
        let person = self.person(member).await?.ok_or(Error::NotFound)?;
        let unit = self.unit_of(&person)?;
        let issued = self.issue(&unit, &[person], None).await?;
        issued.into_iter().next().map(|issued| issued.code).ok_or(Error::NotFound)
    }

    /// The members of a branch and the codes issued for them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may not issue codes there, or the unit is not a branch.
    pub async fn branch_codes(&self, viewer: &Viewer, unit: UnitId) -> Result<BranchCodes> {
        let unit = self.branch(viewer, unit)?;
        let people = self.people(&unit).await?;
        let holders = self.holders(&people).await?;
        let cards = self.cards(&people).await?;
        let is_above =
            |person: &PersonRow| holders.get(&person.id).is_some_and(|holder| !holder.is_in_hands_of(viewer, Action::IssueCodes));
        let members = people
            .into_iter()
            .map(|person| {
                let (held_above, card) = (is_above(&person), cards.get(&person.id).copied());
                person.candidate(held_above, card)
            })
            .collect::<Result<_>>()?;
        let codes = self.codes_of(&unit).await?;
        Ok(BranchCodes { unit, members, codes })
    }

    /// The codes issued for one member.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may not issue codes for the member.
    pub async fn member_codes(&self, viewer: &Viewer, member: MemberId) -> Result<MemberCodes> {
        let (person, unit) = self.candidate(viewer, member).await?;
        let sql = format!("{CODE} FROM paper_code WHERE member = $member ORDER BY issued_at DESC LIMIT {LISTED}");
        let codes = self.codes(&sql, vars! { member: member.to_string() }).await?;
        let holder = self.backend.offices().holder(&person.id).await?;
        let held_above = !holder.is_in_hands_of(viewer, Action::IssueCodes);
        let card = self.cards(std::slice::from_ref(&person)).await?.remove(&person.id);
        Ok(MemberCodes { member: person.candidate(held_above, card)?, unit, codes })
    }

    /// The branches in which the viewer may issue codes, in the order of paths, each with the number of members without a
    /// password. `words` selects branches whose name contains them or whose code equals them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer may issue no codes.
    pub fn code_branches(&self, viewer: &Viewer, words: &str, after: Option<&UnitPath>) -> Result<CodeBranches> {
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::IssueCodes);
        if top_units.is_empty() {
            return Err(Error::NotFound);
        }
        let waiting = |path: &UnitPath| self.without_password(path);
        let (code, folded) = (words.trim(), fold(words));
        let is_asked = |unit: &&UnitRef| {
            folded.is_empty() || unit.path.code().eq_ignore_ascii_case(code) || fold(&unit.name).contains(&folded)
        };
        let mut units: Vec<CodeBranch> = top_units
            .iter()
            .flat_map(|top_unit| tree.subtree(top_unit).filter(|unit| is_listed(&tree, top_unit, unit)))
            .filter(|unit| after.is_none_or(|after| unit.path > *after))
            .filter(is_asked)
            .take(BRANCHES + 1)
            .map(|unit| CodeBranch { unit: unit.clone(), waiting: waiting(&unit.path) })
            .collect();
        let goes_on = units.len() > BRANCHES;
        units.truncate(BRANCHES);
        let next = units.last().filter(|_| goes_on).map(|branch| branch.unit.path.to_string());
        Ok(CodeBranches { units, waiting: top_units.into_iter().map(waiting).sum(), next })
    }

    /// The number of members without a password, for whom the viewer may issue codes. None for a viewer who may issue none. Runs
    /// no query.
    pub(crate) fn count_without_password(&self, viewer: &Viewer) -> Option<u64> {
        let top_units = viewer.standpoint.top_units(Action::IssueCodes);
        (!top_units.is_empty()).then(|| top_units.into_iter().map(|top_unit| u64::from(self.without_password(top_unit))).sum())
    }

    fn without_password(&self, path: &UnitPath) -> u32 {
        let figures = self.backend.counters().figures(path, self.backend.clock().today());
        figures.members.saturating_sub(figures.activated)
    }

    /// Revokes a code. A used, expired or revoked code remains unchanged. Returns its owner and the unit
    /// in whose list the viewer finds it: the branch, or the unit below it in which the owner is registered.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the code does not exist, or the viewer may not issue codes for its owner.
    pub async fn revoke_paper_code(&self, viewer: &Viewer, code: CodeId) -> Result<(MemberId, UnitId)> {
        let id = record("paper_code", code);
        let found: Option<Owned> =
            self.backend.store().read("SELECT member FROM $code", vars! { code: id.clone() }).await?.row(0)?;
        let member: MemberId = found.and_then(|owned| owned.member.parse().ok()).ok_or(Error::NotFound)?;
        let (_, unit) = self.candidate(viewer, member).await?;
        let clock = self.backend.clock();
        let sql = "LET $revoked = (UPDATE $code SET revoked_at = $now WHERE used_at = NONE AND revoked_at = NONE AND expires_at > $now \
                   RETURN AFTER);";
        let change = Change::new(sql, vars! { code: id, now: clock.now() }).event_if(
            "array::len($revoked) > 0",
            clock,
            Some(viewer.member),
            &unit.path,
            EventBody::PaperCodeRevoked(member),
        );
        self.backend.transact(change).await?;
        let tree = self.backend.units().tree();
        let branch = tree.home(&unit);
        let is_own = viewer.standpoint.may_by_office(Action::IssueCodes, &branch.path);
        Ok((member, if is_own { branch.id } else { unit.id }))
    }

    /// Issues codes in batches. `by` is none for the command line.
    async fn issue(&self, unit: &UnitRef, people: &[PersonRow], by: Option<&Viewer>) -> Result<Vec<IssuedCode>> {
        let mut issued = Vec::with_capacity(people.len());
        for batch in people.chunks(ISSUED_AT_ONCE) {
            issued.extend(self.issue_batch(unit, batch, by).await?);
        }
        Ok(issued)
    }

    async fn issue_batch(&self, unit: &UnitRef, people: &[PersonRow], by: Option<&Viewer>) -> Result<Vec<IssuedCode>> {
        let (clock, keys) = (self.backend.clock(), self.backend.keys());
        let tree = self.backend.units().tree();
        let top_units = by.map(|viewer| viewer.standpoint.top_units(Action::IssueCodes)).unwrap_or_default();
        let issued_from =
            top_units.into_iter().find(|top_unit| top_unit.contains(&unit.path)).and_then(|top_unit| tree.at(top_unit));
        let issued_from = issued_from.map(|unit| unit.id.to_string());
        let by = by.map(|viewer| viewer.member);
        let now = clock.now();
        let expires_at = now + PAPER_CODE;
        let (mut rows, mut log, mut issued, mut notify) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for person in people {
            let member: MemberId = person.id.parse().map_err(|_| Error::Damaged(format!("member {}", person.id)))?;
            let code = symbols(clock);
            rows.push(NewCode {
                id: record("paper_code", CodeId::new(clock.ulid())),
                member: person.id.clone(),
                unit: person.unit.clone(),
                code_hash: paper_hash(keys, &person.id, &code),
                issued_by: by.map(|by| by.to_string()),
                issued_from: issued_from.clone(),
                issued_at: now,
                expires_at,
            });
            log.push(NewEvent::now(clock, by, &unit.path, EventBody::PaperCodeIssued(member)));
            // A first code is expected; a code for an active account may be an attempt to take it over.
            if person.activated_at.is_some() {
                notify.extend(self.backend.notify(&person.id, None, &[AccountNotice::CodeIssued])?);
            }
            issued.push(IssuedCode { member, name: person.full_name.clone(), unit: unit.clone(), code, expires_at });
        }
        let members: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
        // Two transactions for the same member write the same row, so one of them is retried and revokes the code of the other.
        let sql = "FOR $member IN $members {
                       UPSERT type::record('office_turn', $member) SET n = (n ?? 0) + 1 RETURN NONE;
                       UPDATE paper_code SET revoked_at = $now
                           WHERE member = $member AND used_at = NONE AND revoked_at = NONE AND expires_at > $now RETURN NONE;
                   };
                   INSERT INTO paper_code $rows RETURN NONE;";
        let change = Change::new(sql, vars! { members: members, rows: rows, now: now }).events(log).jobs(clock, notify);
        self.backend.transact(change).await?;
        Ok(issued)
    }

    /// The branch, if the viewer may issue codes there.
    fn branch(&self, viewer: &Viewer, unit: UnitId) -> Result<UnitRef> {
        let tree = self.backend.units().tree();
        let unit = tree.get(unit).filter(|unit| unit.kind.knows_members()).ok_or(Error::NotFound)?;
        if viewer.standpoint.may_by_office(Action::IssueCodes, &unit.path) { Ok(unit.clone()) } else { Err(Error::NotFound) }
    }

    /// The member and their branch, if the viewer may issue codes there.
    async fn candidate(&self, viewer: &Viewer, member: MemberId) -> Result<(PersonRow, UnitRef)> {
        let person = self.person(member).await?.ok_or(Error::NotFound)?;
        let unit = self.unit_of(&person)?;
        if viewer.standpoint.may_by_office(Action::IssueCodes, &unit.path) { Ok((person, unit)) } else { Err(Error::NotFound) }
    }

    /// The times of expiry of the members' valid cards, by member.
    async fn cards(&self, people: &[PersonRow]) -> Result<BTreeMap<String, DateTime<Utc>>> {
        let members: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
        let vars = vars! { members: members, now: self.backend.clock().now() };
        let rows: Vec<CardRow> = self.backend.store().read(CARDS, vars).await?.rows(0)?;
        Ok(rows.into_iter().map(|row| (row.member, row.expires_at)).collect())
    }

    async fn holders(&self, people: &[PersonRow]) -> Result<BTreeMap<String, Holder>> {
        let ids: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
        self.backend.offices().holders(&ids).await
    }

    fn unit_of(&self, person: &PersonRow) -> Result<UnitRef> {
        let tree = self.backend.units().tree();
        tree.named(&person.unit).cloned().ok_or_else(|| Error::Damaged(format!("member {}", person.id)))
    }

    async fn person(&self, member: MemberId) -> Result<Option<PersonRow>> {
        let sql = format!("{PERSON} FROM $member WHERE state = 'active'");
        Ok(self.backend.store().read(sql, vars! { member: record("member", member) }).await?.row(0)?)
    }

    /// The active members of a branch, in the order of names.
    async fn people(&self, unit: &UnitRef) -> Result<Vec<PersonRow>> {
        let tree = self.backend.units().tree();
        let (sql, vars, units) = tree.in_each_registering(unit, &registered_in());
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut people: Vec<PersonRow> = Vec::new();
        for at in 0..units.len() {
            people.extend(answers.rows::<PersonRow>(at)?);
        }
        people.sort_by(|one, other| one.sort_key.cmp(&other.sort_key));
        Ok(people)
    }

    /// The codes issued for members of a branch, the newest first. A code names the unit of its issue, so those of units that were
    /// merged into the branch are looked up too.
    async fn codes_of(&self, unit: &UnitRef) -> Result<Vec<CodeRow>> {
        let tree = self.backend.units().tree();
        let units: Vec<UnitId> =
            tree.registering(unit).flat_map(|unit| std::iter::once(unit.id).chain(tree.inherited(unit.id))).collect();
        let (sql, vars) = in_each(units.iter().copied(), &issued_in());
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut rows: Vec<StoredCode> = Vec::new();
        for at in 0..units.len() {
            rows.extend(answers.rows::<StoredCode>(at)?);
        }
        rows.sort_by_key(|row| Reverse(row.issued_at));
        rows.truncate(LISTED);
        let now = self.backend.clock().now();
        rows.into_iter().map(|row| row.decode(now)).collect()
    }

    async fn codes(&self, sql: &str, vars: Variables) -> Result<Vec<CodeRow>> {
        let rows: Vec<StoredCode> = self.backend.store().read(sql, vars).await?.rows(0)?;
        let now = self.backend.clock().now();
        rows.into_iter().map(|row| row.decode(now)).collect()
    }
}

/// Whether a unit has a line of its own in the list of branches: not if it belongs to a branch that is listed too.
fn is_listed(tree: &Tree, top_unit: &UnitPath, unit: &UnitRef) -> bool {
    let has_own = || {
        let home = tree.home(unit);
        home.id == unit.id || !top_unit.contains(&home.path)
    };
    unit.kind.knows_members() && has_own()
}

/// The active members registered in a unit, in the order of names.
fn registered_in() -> String {
    format!("{PERSON} FROM member WHERE unit = $unit AND state = 'active' ORDER BY sort_key")
}

/// The codes issued for members of a unit, the newest first.
fn issued_in() -> String {
    format!("{CODE} FROM paper_code WHERE unit = $unit ORDER BY issued_at DESC LIMIT {LISTED}")
}

/// Six uniformly distributed digits.
pub(super) fn digits(clock: &Clock) -> String {
    draw(clock, TypedCode::SMS_DIGITS, &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
}

/// Ten uniformly distributed symbols of the alphabet of paper codes.
fn symbols(clock: &Clock) -> String {
    draw(clock, TypedCode::PAPER_CHARACTERS, &TypedCode::ALPHABET)
}

fn draw(clock: &Clock, length: usize, alphabet: &[char]) -> String {
    // Bytes beyond the largest multiple of the alphabet's length are rejected: they would bias the result.
    let fair = 256 - 256 % alphabet.len();
    let mut code = String::with_capacity(length);
    while code.len() < length {
        let mut byte = [0];
        clock.fill(&mut byte);
        let drawn = usize::from(byte[0]);
        if drawn < fair {
            code.push(alphabet[drawn % alphabet.len()]);
        }
    }
    code
}

/// The keyed hash of a code, bound to its member, so that it is invalid for anybody else.
pub(super) fn paper_hash(keys: &Keys, member: &str, code: &str) -> String {
    keys.lookup("paper code", &format!("{member} {code}"))
}

const PERSON: &str = "SELECT record::id(id) AS id, full_name, sort_key, unit, type::record('account', record::id(id)).activated_at AS activated_at";

#[derive(Debug, SurrealValue)]
struct PersonRow {
    id: String,
    full_name: String,
    sort_key: String,
    unit: String,
    activated_at: Option<DateTime<Utc>>,
}

impl PersonRow {
    fn candidate(self, held_above: bool, card: Option<DateTime<Utc>>) -> Result<Candidate> {
        let member = self.id.parse().map_err(|_| Error::Damaged(format!("member {}", self.id)))?;
        let (is_activated, card_until) = (self.activated_at.is_some(), card.map(last_day));
        Ok(Candidate { member, name: self.full_name, is_activated, held_above, card_until })
    }
}

const CARDS: &str = "SELECT member, expires_at FROM paper_code WHERE member IN $members AND used_at = NONE AND revoked_at = NONE \
                     AND expires_at > $now";

#[derive(Debug, SurrealValue)]
struct CardRow {
    member: String,
    expires_at: DateTime<Utc>,
}

#[derive(Debug, SurrealValue)]
struct Owned {
    member: String,
}

const CODE: &str = "SELECT record::id(id) AS id, member, type::record('member', member).full_name AS name, issued_at, expires_at, \
                    used_at, revoked_at";

#[derive(Debug, SurrealValue)]
struct StoredCode {
    id: String,
    member: String,
    name: Option<String>,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl StoredCode {
    fn decode(self, now: DateTime<Utc>) -> Result<CodeRow> {
        let damaged = || Error::Damaged(format!("paper code {}", self.id));
        let state = match (self.used_at, self.revoked_at) {
            (Some(_), _) => CodeState::Used,
            (None, Some(_)) => CodeState::Revoked,
            (None, None) if self.expires_at <= now => CodeState::Expired,
            (None, None) => CodeState::Open,
        };
        Ok(CodeRow {
            id: self.id.parse().map_err(|_| damaged())?,
            member: self.member.parse().map_err(|_| damaged())?,
            name: self.name.clone().ok_or_else(damaged)?,
            state,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
        })
    }
}

#[derive(Debug, SurrealValue)]
struct NewCode {
    id: RecordId,
    member: String,
    unit: String,
    code_hash: String,
    issued_by: Option<String>,
    issued_from: Option<String>,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn cards_are_found_by_index() {
        let members = vec!["01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), "01ARZ3NDEKTSV4RRFFQ69G5FAW".to_owned()];
        let store = migrated().await;
        store.assert_no_scan(CARDS, vars! { members: members, now: Utc::now() }).await;
        for sql in [registered_in(), issued_in()] {
            store.assert_no_scan(&sql, vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
        }
    }
}
