//! A single record, for office holders with access to it and for its member.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    events::EventBody,
    ids::MemberId,
    members::{Posting, QualityIssue, Record, RecordPage, RecordRights},
    policy::Action,
};

use super::{LINE, LineRow, MemberRow, Members};
use crate::{
    Error, Result,
    change::Change,
    store::{RecordId, SurrealValue, record, vars},
};

/// How much of the national ID and phone a viewer sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordAccess {
    /// The member: everything.
    Own,
    /// A registrar: the phone, in order to correct it, and the last digits of the national ID.
    Registrar,
    /// A leader: the last digits of the phone.
    Leader,
}

impl Members<'_> {
    /// A record of the viewer's subtree. Opening another member's record is logged.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no office of the viewer gives access to it.
    pub async fn record(&self, viewer: &Viewer, id: MemberId) -> Result<RecordPage> {
        let row = self.readable(viewer, id).await?;
        self.log_opening(viewer, &row).await?;
        let unit_path = row.unit_path()?;
        let may = |action| viewer.standpoint.may_by_office(action, &unit_path);
        let holder = self.backend.offices().holder(&row.id).await?;
        let in_hands = |action| may(action) && holder.is_in_hands_of(viewer, action);
        let rights = RecordRights {
            manage: may(Action::ManageMembers),
            transfer: in_hands(Action::TransferMember),
            issue_codes: in_hands(Action::IssueCodes),
            held_above: may(Action::IssueCodes) && !holder.is_in_hands_of(viewer, Action::IssueCodes),
        };
        let access = if rights.manage { RecordAccess::Registrar } else { RecordAccess::Leader };
        let (duplicates, duplicates_elsewhere) = self.duplicate_lines(viewer, &row).await?;
        Ok(RecordPage {
            may: rights,
            quality_issues: self.quality_issues_of(&row).await?,
            duplicates,
            duplicates_elsewhere,
            transfer: self.waiting_transfer(&row).await?,
            corrections: if rights.manage { self.corrections_of(&row, true).await? } else { Vec::new() },
            account_changes: Vec::new(),
            record: self.decode_record(row, access).await?,
        })
    }

    /// The viewer's own record. Marks decisions on corrections and changes of the account as seen.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn own(&self, viewer: &Viewer) -> Result<RecordPage> {
        let row = self.row(viewer.member).await?;
        let corrections = self.corrections_of(&row, false).await?;
        if corrections.iter().any(|correction| correction.is_news) {
            self.note_news_seen(viewer.member).await?;
        }
        let account_changes = self.backend.account_changes(&row.id).await?;
        self.backend.note_changes_seen(&row.id, &account_changes).await?;
        Ok(RecordPage {
            may: RecordRights::default(),
            quality_issues: Vec::new(),
            duplicates: Vec::new(),
            duplicates_elsewhere: 0,
            transfer: self.waiting_transfer(&row).await?,
            corrections,
            account_changes,
            record: self.decode_record(row, RecordAccess::Own).await?,
        })
    }

    pub(super) async fn decode_record(&self, row: MemberRow, access: RecordAccess) -> Result<Record> {
        let sql = "SELECT unit, from, until FROM posting WHERE member = $member ORDER BY from DESC";
        let ended: Vec<PostingRow> = self.backend.store().read(sql, vars! { member: row.id.clone() }).await?.rows(0)?;
        let now = row.posted_from.clone().map(|from| PostingRow { unit: row.unit.clone(), from, until: None });
        let postings: Vec<PostingRow> = now.into_iter().chain(ended).collect();
        let units = postings.iter().map(|posting| posting.unit.as_str()).chain([row.unit.as_str()]);
        let names = self.unit_names(units).await?;
        let national_id = row.national_id(self.backend)?;
        let phone = row.phone(self.backend)?;
        let tree = self.backend.units().tree();
        let branch = row.branch(&tree, &names)?;
        let home = tree.get(branch.id).map(|unit| tree.home(unit)).filter(|home| home.id != branch.id);
        Ok(Record {
            id: row.key()?,
            name: row.full_name.clone(),
            card: row.code.clone(),
            sex: row.sex()?,
            birth_date: row.birth_date()?,
            admitted_on: row.admitted_on()?,
            official_on: row.official_on()?,
            standing: row.standing()?,
            state: row.state()?,
            home: home.map(|home| home.name.clone()),
            branch,
            national_id: national_id.map(|id| match access {
                RecordAccess::Own => id.expose().to_owned(),
                RecordAccess::Registrar => id.masked(),
                RecordAccess::Leader => id.hidden(),
            }),
            phone: phone.map(|phone| if access == RecordAccess::Leader { phone.masked() } else { phone.expose().to_owned() }),
            merged_into: row.merged_into.as_ref().map(|id| id.parse()).transpose().map_err(|_| row.damaged())?,
            version: row.version(),
            postings: postings.into_iter().map(|posting| posting.decode(&names, &row)).collect::<Result<_>>()?,
        })
    }

    /// Logs that the viewer opened another member's record.
    pub(super) async fn log_opening(&self, viewer: &Viewer, row: &MemberRow) -> Result<()> {
        let member = row.key()?;
        if member == viewer.member {
            return Ok(());
        }
        let body = EventBody::RecordOpened(member);
        let change = Change::default().event(self.backend.clock(), Some(viewer.member), &row.unit_path()?, body);
        self.backend.transact(change).await?;
        Ok(())
    }

    async fn quality_issues_of(&self, row: &MemberRow) -> Result<Vec<QualityIssue>> {
        let ids: Vec<RecordId> = QualityIssue::ALL.into_iter().map(|kind| super::rows::quality_issue_id(kind, &row.id)).collect();
        let kinds: Vec<String> = self.backend.store().read("SELECT VALUE kind FROM $ids", vars! { ids: ids }).await?.rows(0)?;
        kinds.iter().map(|kind| QualityIssue::from_key(kind).ok_or_else(|| row.damaged())).collect()
    }

    /// Possible duplicates: those the viewer may read, and the number of the others.
    async fn duplicate_lines(&self, viewer: &Viewer, row: &MemberRow) -> Result<(Vec<domain::members::MemberLine>, u32)> {
        let Some(twin_key) = row.twin_key.as_deref().filter(|_| row.is_active()) else { return Ok((Vec::new(), 0)) };
        let group = self.duplicates(twin_key).await?;
        let Some(own) = group.iter().find(|duplicate| duplicate.id == row.id) else { return Ok((Vec::new(), 0)) };
        let ids: Vec<RecordId> =
            group.iter().filter(|duplicate| own.may_be(duplicate)).map(|duplicate| record("member", &duplicate.id)).collect();
        let sql = format!("SELECT {LINE} FROM $ids");
        let rows: Vec<LineRow> = self.backend.store().read(sql, vars! { ids: ids }).await?.rows(0)?;
        let all = rows.len();
        let is_visible = |row: &LineRow| {
            domain::units::UnitPath::parse(&row.path)
                .is_ok_and(|path| viewer.standpoint.may_by_office(Action::ReadMembers, &path))
        };
        let visible: Vec<LineRow> = rows.into_iter().filter(is_visible).collect();
        let elsewhere = u32::try_from(all - visible.len()).unwrap_or(u32::MAX);
        Ok((self.lines(visible).await?, elsewhere))
    }
}

#[derive(Debug, SurrealValue)]
struct PostingRow {
    unit: String,
    from: String,
    until: Option<String>,
}

impl PostingRow {
    fn decode(self, names: &BTreeMap<String, String>, member: &MemberRow) -> Result<Posting> {
        let day = |text: &str| text.parse::<NaiveDate>().map_err(|_| Error::Damaged(format!("a posting of {}", member.id)));
        Ok(Posting {
            branch: names.get(&self.unit).cloned().unwrap_or_default(),
            from: day(&self.from)?,
            until: self.until.as_deref().map(day).transpose()?,
        })
    }
}
