//! Merges two records of one person into one with a common history, or records that they are two people.

use domain::{
    accounts::Viewer,
    events::{EventBody, MemberChange},
    forms::{FormErrors, FormReader, Problem},
    ids::{MemberId, UnitId},
    members::{MemberState, MergePage},
    policy::Action,
};

use super::{
    MemberRow, Members,
    quality_issues::{Duplicate, IssueState, duplicate_issues},
    record::RecordAccess,
    rows::end_posting,
    state::{END_OFFICES, END_SESSIONS, eve},
};
use crate::{
    Error, Result,
    accounts::changes_of,
    change::Change,
    courses,
    documents::{AT_THE_DESK, HAND_OVER},
    store::{RecordId, StoreError, SurrealValue, Variables, pair, record, vars},
};

/// Ids per query.
const PAGE: usize = 1_000;

/// Most paths in a condition that uses an index.
const PATHS: usize = 30;

impl Members<'_> {
    /// Both records, for a comparison.
    ///
    /// # Errors
    /// [`Error::NotFound`] when one of them is outside the viewer's subtree or already merged, or both are the same;
    /// [`Error::NotAllowed`] when the viewer may read but not change them.
    pub async fn merge_form(&self, viewer: &Viewer, keep: MemberId, other: MemberId) -> Result<MergePage> {
        let (keep, other) = self.both(viewer, keep, other).await?;
        self.log_opening(viewer, &keep).await?;
        self.log_opening(viewer, &other).await?;
        Ok(MergePage {
            keep: self.decode_record(keep, RecordAccess::Registrar).await?,
            other: self.decode_record(other, RecordAccess::Registrar).await?,
        })
    }

    /// Merges `other` into `keep`: its postings, opinions, receipts (of corrected texts too), bookmarks, reading positions,
    /// attendance, corrections, transfers and drafts move to `keep`, which also takes over a number it lacks. The roles of
    /// `other` end, and its account and sessions are closed. Its record stays, in the state merged, so that references to it can
    /// be resolved.
    ///
    /// # Errors
    /// As [`Self::merge_form`]; [`Error::Invalid`] of the form `merge`: [`Problem::Stale`] on `keep` when one of the records was
    /// changed meanwhile, [`Problem::NotOffered`] when only `other` is active and should be the one kept, [`Problem::HeldAbove`]
    /// when one of them holds a role outside the viewer's subtree, [`Problem::KeepsRoles`] when only `other` holds roles, which
    /// would end unnoticed.
    pub async fn merge(&self, viewer: &Viewer, keep: MemberId, other: MemberId) -> Result<()> {
        let (kept, gone) = self.both(viewer, keep, other).await?;
        if gone.is_active() && !kept.is_active() {
            return Err(refused("merge", "keep", Problem::NotOffered));
        }
        let mut change = Change::default();
        let (kept_holder, gone_holder) =
            (self.backend.offices().holder(&kept.id).await?, self.backend.offices().holder(&gone.id).await?);
        for (holder, name) in [(&kept_holder, "kept_holder"), (&gone_holder, "gone_holder")] {
            if !holder.is_in_hands_of(viewer, Action::ManageMembers) {
                return Err(refused("merge", "keep", Problem::HeldAbove));
            }
            change = holder.hold_still(change, name);
        }
        // Roles of an inactive member grant no rights, so they may end.
        if gone.is_active() && gone_holder.holds_any() && !kept_holder.holds_any() {
            return Err(refused("merge", "keep", Problem::KeepsRoles));
        }
        let after = MemberRow { state: MemberState::Merged.key().to_owned(), ..gone.clone() };
        let mut quality_issues = self.settled_issues(gone.twin_key.as_deref(), &after).await?;
        // The kept record may have gained a number.
        let mut filled = kept.clone();
        filled.id_hash = kept.id_hash.clone().or_else(|| gone.id_hash.clone());
        filled.phone_hash = kept.phone_hash.clone().or_else(|| gone.phone_hash.clone());
        quality_issues.extend(self.kept_issues(&filled, &gone).await?);
        let (clock, by) = (self.backend.clock(), Some(viewer.member));
        let change = change
            .bind(self.history_vars(&kept, &gone, viewer).await?)
            .then(BOTH_UNCHANGED)
            .then(HISTORY)
            .then(VERSIONS)
            .then(HAND_OVER)
            .then(AT_THE_DESK)
            .then(courses::INHERIT)
            .then(&end_posting("gone", "kept_key", "ended", "day"))
            .then(END_OFFICES)
            .then(END_SESSIONS)
            .then(ACCOUNT)
            .then(RECORDS)
            .quality_issues(&quality_issues)
            // The history of the other record has the event too.
            .event(clock, by, &gone.unit_path()?, EventBody::MemberMerged { member: other, other: Some(keep) })
            .event(clock, by, &kept.unit_path()?, EventBody::MemberMerged { member: keep, other: Some(other) });
        match self.backend.transact(change).await {
            Ok(_) => Ok(()),
            // One of the records or its roles changed meanwhile.
            Err(StoreError::Thrown(_)) => Err(refused("merge", "keep", Problem::Stale)),
            Err(error) => Err(error.into()),
        }
    }

    /// Records that the two are different people: they leave the queue of duplicates for good.
    ///
    /// # Errors
    /// As [`Self::merge`], of the form `keep_apart`; [`Problem::Stale`] on `keep` too when another decision about the record was stored
    /// meanwhile.
    pub async fn keep_apart(&self, viewer: &Viewer, one: MemberId, other: MemberId) -> Result<()> {
        let (one, other) = self.both(viewer, one, other).await?;
        let mut apart: Vec<String> = one.distinct_from.clone().unwrap_or_default();
        if !apart.contains(&other.id) {
            apart.push(other.id.clone());
        }
        let before: Vec<String> = one.distinct_from.clone().unwrap_or_default();
        let vars = vars! { member: record("member", &one.id), before: before, apart: apart.clone() };
        let after = MemberRow { distinct_from: Some(apart), ..one.clone() };
        let quality_issues = self.settled_issues(one.twin_key.as_deref(), &after).await?;
        let body = EventBody::MemberChanged { member: one.key()?, change: Some(MemberChange::KeptApart) };
        let change = Change::new(KEEP_APART, vars).quality_issues(&quality_issues).event(
            self.backend.clock(),
            Some(viewer.member),
            &one.unit_path()?,
            body,
        );
        match self.backend.transact(change).await {
            Ok(_) => Ok(()),
            // Another decision about the record was stored, or it was merged meanwhile.
            Err(StoreError::Thrown(_)) => Err(refused("keep_apart", "keep", Problem::Stale)),
            Err(error) => Err(error.into()),
        }
    }

    async fn both(&self, viewer: &Viewer, one: MemberId, other: MemberId) -> Result<(MemberRow, MemberRow)> {
        // Both are looked up before either is refused, so that a viewer who may read only one learns nothing about the other.
        let (found_one, found_other) = (self.readable(viewer, one).await?, self.readable(viewer, other).await?);
        let is_open = |row: &MemberRow| row.state != MemberState::Merged.key();
        if one == other || !is_open(&found_one) || !is_open(&found_other) {
            return Err(Error::NotFound);
        }
        for row in [&found_one, &found_other] {
            if !viewer.standpoint.may_by_office(Action::ManageMembers, &row.unit_path()?) {
                return Err(Error::NotAllowed);
            }
        }
        Ok((found_one, found_other))
    }

    /// The bindings of all that moves. Receipts are found by member, attendance by the meetings.
    async fn history_vars(&self, keep: &MemberRow, gone: &MemberRow, viewer: &Viewer) -> Result<Variables> {
        let clock = self.backend.clock();
        let (keys, owner) = (self.backend.keys(), keep.id.as_str());
        let reseal = |text: String| keys.seal(clock, owner, &text);
        let national_id = if keep.id_hash.is_none() { gone.national_id(self.backend)? } else { None };
        let phone = if keep.phone_hash.is_none() { gone.phone(self.backend)? } else { None };
        Ok(vars! {
            kept: record("member", &keep.id),
            kept_key: keep.id.clone(),
            kept_version: i64::from(keep.version()),
            gone: record("member", &gone.id),
            key: gone.id.clone(),
            gone_version: i64::from(gone.version()),
            merge: record("member_merge", &gone.id),
            kept_account: record("account", &keep.id),
            gone_account: record("account", &gone.id),
            gone_changes: changes_of(&gone.id),
            ended: record("posting", clock.ulid()),
            day: clock.today().to_string(),
            eve: eve(clock.today()).to_string(),
            today: clock.today().to_string(),
            now: clock.now(),
            by: viewer.member.to_string(),
            id_hash: if national_id.is_some() { gone.id_hash.clone() } else { keep.id_hash.clone() },
            id_cipher: match national_id { Some(id) => Some(reseal(id.expose().to_owned())?), None => keep.id_cipher.clone() },
            phone_hash: if phone.is_some() { gone.phone_hash.clone() } else { keep.phone_hash.clone() },
            phone_cipher: match phone { Some(phone) => Some(reseal(phone.expose().to_owned())?), None => keep.phone_cipher.clone() },
            receipts: self.receipts_of(gone, keep).await?,
            attendances: self.attendances_of(gone, keep).await?,
        })
    }

    async fn receipts_of(&self, gone: &MemberRow, keep: &MemberRow) -> Result<Vec<MovedPair>> {
        let mut answers = self.backend.store().read(RECEIPTS_OF, vars! { key: gone.id.clone() }).await?;
        let (opened, read): (Vec<String>, Vec<String>) = (answers.rows(0)?, answers.rows(1)?);
        Ok([moved("read_receipt", &opened, gone, keep), moved("document_read", &read, gone, keep)].concat())
    }

    /// Attendance has no index by member. It is found by the meetings of the units in which the member was registered or held
    /// roles, and of all units that are or were above them: a member of a group attends the meetings of the branch.
    async fn attendances_of(&self, gone: &MemberRow, keep: &MemberRow) -> Result<Vec<MovedPair>> {
        let mut answers = self.backend.store().read(UNITS_OF, vars! { key: gone.id.clone() }).await?;
        let (posted, held): (Vec<String>, Vec<String>) = (answers.rows(0)?, answers.rows(1)?);
        let units = posted.iter().chain(&held).chain([&gone.unit]).filter_map(|unit| unit.parse::<UnitId>().ok());
        let paths: Vec<String> = self.backend.units().tree().paths_upwards(units).into_iter().map(String::from).collect();
        let mut moved = Vec::new();
        for some in paths.chunks(PATHS) {
            let ids: Vec<String> = self.backend.store().read(MEETINGS_OF, vars! { paths: some.to_vec() }).await?.rows(0)?;
            for some in ids.chunks(PAGE) {
                moved.extend(self.pairs("attendance", some, gone, keep).await?);
            }
        }
        Ok(moved)
    }

    /// Moves of the existing rows that join one of `firsts` with a member.
    async fn pairs(&self, table: &'static str, firsts: &[String], gone: &MemberRow, keep: &MemberRow) -> Result<Vec<MovedPair>> {
        let ids: Vec<RecordId> = firsts.iter().map(|first| pair(table, first, &gone.id)).collect();
        let sql = "SELECT VALUE record::id(id)[0] FROM $ids";
        let found: Vec<String> = self.backend.store().read(sql, vars! { ids: ids }).await?.rows(0)?;
        Ok(moved(table, &found, gone, keep))
    }

    /// The issues of the kept record, with `gone` removed from its duplicates.
    async fn kept_issues(&self, keep: &MemberRow, gone: &MemberRow) -> Result<Vec<IssueState>> {
        if !keep.is_active() {
            return Ok(Vec::new());
        }
        let mut states = self.own_issues(keep)?;
        if let Some(twin_key) = keep.twin_key.as_deref() {
            let group: Vec<Duplicate> =
                self.duplicates(twin_key).await?.into_iter().filter(|duplicate| duplicate.id != gone.id).collect();
            states.extend(duplicate_issues(&group));
        }
        Ok(states)
    }
}

/// Moves of rows that join each of `firsts` with a member, from one record to the other.
fn moved(table: &'static str, firsts: &[String], gone: &MemberRow, keep: &MemberRow) -> Vec<MovedPair> {
    firsts.iter().map(|first| MovedPair { from: pair(table, first, &gone.id), to: pair(table, first, &keep.id) }).collect()
}

fn refused(form: &str, field: &str, problem: Problem) -> Error {
    let errors: FormErrors = FormReader::new(form).refused(field, problem);
    errors.into()
}

/// Stores whom the record is distinct from, unless that changed since it was read or the record was merged.
const KEEP_APART: &str = "LET $row = (SELECT distinct_from, state FROM ONLY $member); \
                          IF ($row.distinct_from ?? []) != $before OR $row.state = 'merged' { THROW 'stale' }; \
                          UPDATE $member SET distinct_from = $apart RETURN NONE;";

/// Units of the ended postings of the member `$key`, and those of their roles, current and ended.
const UNITS_OF: &str = "SELECT VALUE unit FROM posting WHERE member = $key; SELECT VALUE unit FROM office WHERE member = $key;";

/// Documents that the member `$key` opened, and those they read.
const RECEIPTS_OF: &str = "SELECT VALUE record::id(id)[0] FROM read_receipt WHERE member = $key; \
                           SELECT VALUE record::id(id)[0] FROM document_read WHERE member = $key;";

const MEETINGS_OF: &str = "SELECT VALUE record::id(id) FROM meeting WHERE path IN $paths";

const BOTH_UNCHANGED: &str = "IF ((SELECT VALUE version FROM ONLY $kept) ?? 0) != $kept_version { THROW 'stale' }; \
                              IF ((SELECT VALUE version FROM ONLY $gone) ?? 0) != $gone_version { THROW 'stale' };";

/// Moves the rows of the member `$key` to `$kept_key`. Of two receipts of one document the earlier one stays; of two attendance
/// rows of one meeting, which have no time, that of the kept record. Counted reads that are lost are stored for the counters.
const HISTORY: &str = "LET $postings = (SELECT VALUE id FROM posting WHERE member = $key); UPDATE $postings SET member = $kept_key RETURN NONE; \
     LET $opinions = (SELECT VALUE id FROM opinion WHERE member = $key); UPDATE $opinions SET member = $kept_key RETURN NONE; \
     LET $wishes = (SELECT VALUE id FROM correction WHERE member = $key); UPDATE $wishes SET member = $kept_key RETURN NONE; \
     LET $leaving = (SELECT VALUE id FROM transfer WHERE member = $key AND state = 'requested'); \
     UPDATE $leaving SET state = 'withdrawn', decided_by = $by, decided_at = $now RETURN NONE; \
     LET $transfers = (SELECT VALUE id FROM transfer WHERE member = $key); UPDATE $transfers SET member = $kept_key RETURN NONE; \
     CREATE $merge SET lost_reads = [] RETURN NONE; \
     FOR $pair IN array::concat($receipts, $attendances) { \
         LET $was = (SELECT * OMIT id FROM ONLY $pair.from); \
         LET $has = (SELECT at, path, counted FROM ONLY $pair.to); \
         IF $was != NONE AND $has != NONE AND record::tb($pair.to) = 'document_read' { \
             LET $lost = IF $was.at < $has.at { $has } ELSE { $was }; \
             IF $lost.counted { \
                 UPDATE $merge SET lost_reads = array::push(lost_reads, { path: $lost.path, at: $lost.at }) RETURN NONE \
             } \
         }; \
         IF $was != NONE AND ($has = NONE OR $was.at < $has.at) { UPSERT $pair.to CONTENT $was RETURN NONE }; \
         DELETE $pair.from RETURN NONE \
     }; \
     LET $reader = (SELECT path, state, standing FROM ONLY $kept); \
     LET $counts = $reader.state = 'active' AND $reader.standing != 'exempt'; \
     FOR $pair IN $receipts { \
         LET $receipt = $pair.to; \
         UPDATE $receipt SET place = IF $counts { record::id(id)[0] + $reader.standing + $reader.path } ELSE { NONE } RETURN NONE \
     };";

/// Receipts of corrected texts: of two receipts of one document the one of the later version stays. Follows [`HISTORY`], which
/// sets `$reader`.
const VERSIONS: &str = "LET $versions = (SELECT * FROM version_receipt WHERE member = $key); \
     FOR $was IN $versions { \
         LET $to = type::record('version_receipt', [$was.document, $kept_key]); LET $has = (SELECT version FROM ONLY $to); \
         LET $from = $was.id; \
         IF $has = NONE OR $has.version < $was.version { \
             UPSERT $to SET document = $was.document, member = $kept_key, version = $was.version, prefix = $was.prefix, at = $was.at, \
             read_at = $was.read_at, place = IF $counts { $was.prefix + $reader.standing + $reader.path } ELSE { NONE } RETURN NONE \
         } ELSE IF $has.version = $was.version AND $was.read_at != NONE { \
             UPDATE $to SET read_at = read_at ?? $was.read_at RETURN NONE \
         }; \
         DELETE $from RETURN NONE \
     };";

/// Moves the account, with the changes to be shown to its owner, if the kept record has none.
const ACCOUNT: &str = "LET $used = (SELECT * OMIT id FROM ONLY $gone_account); \
                       LET $told = (SELECT * FROM $gone_changes); \
                       IF $used != NONE AND (SELECT VALUE id FROM ONLY $kept_account) = NONE { \
                           CREATE $kept_account CONTENT $used RETURN NONE; \
                           FOR $row IN $told { \
                               LET $new = type::record('account_change', [$kept_key, $row.kind]); \
                               UPSERT $new SET kind = $row.kind, at = $row.at, office = $row.office RETURN NONE \
                           } \
                       }; \
                       DELETE $gone_account RETURN NONE; DELETE $gone_changes RETURN NONE;";

/// The other record first: its numbers must be free before the kept record takes them.
const RECORDS: &str = "UPDATE $gone SET state = 'merged', merged_into = $kept_key, posted_from = NONE, id_hash = NONE, phone_hash = NONE, \
     version = (version ?? 0) + 1 RETURN NONE; \
     UPDATE $kept SET id_hash = $id_hash, id_cipher = $id_cipher, phone_hash = $phone_hash, phone_cipher = $phone_cipher, \
     version = (version ?? 0) + 1 RETURN NONE;";

#[derive(Debug, Clone, SurrealValue)]
struct MovedPair {
    from: RecordId,
    to: RecordId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn of_two_receipts_of_a_corrected_text_the_later_version_stays() {
        let store = migrated().await;
        for (document, member, version) in [
            ("V", "A", 2),
            ("V", "B", 2),
            ("X", "A", 3),
            ("X", "B", 2),
            ("Y", "A", 2),
            ("Y", "B", 4),
            ("Z", "A", 2),
            ("Z", "C", 5),
        ] {
            let sql = "CREATE $receipt SET document = $document, member = $member, version = $version, prefix = $document, \
                       at = time::now(), read_at = IF $member = 'A' { time::now() } ELSE { NONE }";
            let receipt = pair("version_receipt", document, member);
            let vars = vars! { receipt: receipt, document: document, member: member, version: version };
            store.write(sql, vars).await.expect("writes");
        }
        let reads = "LET $counts = true; LET $reader = { standing: 'official', path: '/01/' };";
        store.write(&format!("{reads} {VERSIONS}"), vars! { key: "A", kept_key: "B" }).await.expect("hands over");
        let sql = "SELECT VALUE [document, member, <string>version, place ?? '', <string>(read_at != NONE)] \
                   FROM version_receipt ORDER BY id";
        let rows: Vec<Vec<String>> = store.read(sql, ()).await.expect("reads").rows(0).expect("rows");
        let moved = |document: &str| format!("{document}official/01/");
        let expected = [
            ["V", "B", "2", "", "true"],
            ["X", "B", "3", &moved("X"), "true"],
            ["Y", "B", "4", "", "false"],
            ["Z", "B", "2", &moved("Z"), "true"],
            ["Z", "C", "5", "", "false"],
        ];
        assert_eq!(rows, expected);
    }

    #[tokio::test]
    async fn merge_queries_use_an_index() {
        let store = migrated().await;
        let paths: Vec<String> = (0..PATHS).map(|at| format!("/01/51/{at:03}/")).collect();
        let vars = || {
            vars! { key: "01ARZ3NDEKTSV4RRFFQ69G5FAV", paths: paths.clone(), seat: "/01/51/001/", seat_end: "/01/51/0010" }
        };
        for sql in [UNITS_OF, RECEIPTS_OF, MEETINGS_OF] {
            store.assert_no_scan(sql, vars()).await;
        }
        for select in [HISTORY, VERSIONS, AT_THE_DESK]
            .into_iter()
            .flat_map(|sql| sql.split("LET "))
            .filter_map(|part| part.split_once("= (")?.1.split_once(");"))
            .map(|(select, _)| select)
        {
            if !select.contains("FROM ONLY") {
                store.assert_no_scan(select, vars()).await;
            }
        }
    }
}
