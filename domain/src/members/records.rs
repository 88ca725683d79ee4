//! View models of records.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Correction, MemberState, QualityIssue, Sex, Standing, Transfer};
use crate::{
    accounts::AccountChange,
    ids::{MemberId, UnitId},
    units::UnitRef,
};

/// Key in a form's response, beside [`crate::forms::Problem::Taken`]: the id and the name of the member who has the number.
pub const RECORD_HOLDER: &str = "record_holder";
pub const RECORD_HOLDER_NAME: &str = "record_holder_name";

/// A member in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberLine {
    pub id: MemberId,
    pub name: String,
    pub card: String,
    pub birth_date: NaiveDate,
    pub standing: Standing,
    pub state: MemberState,
    /// Name of the current or last branch; of a unit that belongs to a branch, with the name of that.
    pub branch: String,
}

/// Numbers of pending work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub quality_issues: u64,
    /// `None` for a person who does not decide on corrections.
    pub corrections: Option<u64>,
    /// Transfers into the viewer's subtree.
    pub transfers: u64,
}

/// Members of a subtree, or the search results in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersPage {
    /// The unit of the subtree.
    pub unit: UnitRef,
    /// Whether the viewer chose a unit below their own top unit.
    pub narrowed: bool,
    pub members: Vec<MemberLine>,
    /// `None` on pages after the first.
    pub hits: Option<Hits>,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<String>,
    /// The search stopped after this many records; the rest was not scanned.
    pub paused_after: Option<u64>,
    pub waiting: Waiting,
    /// Whether the viewer registers members here.
    pub may_manage: bool,
}

/// Number of matching members, shown or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hits {
    Exactly(u64),
    /// A lower bound, because the scan was stopped.
    AtLeast(u64),
}

/// A member's branch, and the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    pub branch: String,
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
}

/// The record of a person, as far as the viewer may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub id: MemberId,
    pub name: String,
    pub card: String,
    pub sex: Sex,
    pub birth_date: NaiveDate,
    pub admitted_on: NaiveDate,
    pub official_on: Option<NaiveDate>,
    pub standing: Standing,
    pub state: MemberState,
    /// The unit in which the member is registered.
    pub branch: UnitRef,
    /// Name of the branch that this unit belongs to, if it is not a branch itself.
    #[serde(default)]
    pub home: Option<String>,
    /// Masked for everybody but the person.
    pub national_id: Option<String>,
    /// Masked for everybody but the person and the registrar.
    pub phone: Option<String>,
    /// The record this one was merged into.
    pub merged_into: Option<MemberId>,
    pub version: u32,
    /// Latest first.
    pub postings: Vec<Posting>,
}

/// The viewer's rights on a record.
#[expect(clippy::struct_excessive_bools, reason = "rights are independent of one another")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRights {
    pub manage: bool,
    pub transfer: bool,
    pub issue_codes: bool,
    /// The person holds a role outside the viewer's subtree: only the units above may change numbers, codes, branch and state.
    #[serde(default)]
    pub held_above: bool,
}

/// A record with its related data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPage {
    pub record: Record,
    pub may: RecordRights,
    pub quality_issues: Vec<QualityIssue>,
    /// Records that may be of the same person.
    pub duplicates: Vec<MemberLine>,
    /// Number of such records outside what the viewer may see.
    pub duplicates_elsewhere: u32,
    /// An open transfer.
    pub transfer: Option<Transfer>,
    /// Newest first: all of them for the person, the pending ones for others.
    pub corrections: Vec<Correction>,
    /// For the person: changes of the account since their last visit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_changes: Vec<AccountChange>,
}

/// The fields of a record's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberDraft {
    pub id: MemberId,
    /// The version the form was rendered from.
    pub version: u32,
    pub full_name: String,
    pub card: String,
    pub sex: Option<Sex>,
    pub birth_date: Option<NaiveDate>,
    pub admitted_on: Option<NaiveDate>,
    pub official_on: Option<NaiveDate>,
    pub standing: Standing,
    /// Masked; the form only accepts a new one.
    pub national_id: Option<String>,
    pub phone: Option<String>,
    pub unit: Option<UnitId>,
}

/// The form of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFormPage {
    pub draft: MemberDraft,
    pub is_new: bool,
    /// For a new record: the branches to choose from.
    pub branches: Vec<super::BranchChoice>,
    /// The list of branches is truncated; a search narrows it.
    pub more_branches: bool,
}

/// The confirmation page of a change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatePage {
    pub member: MemberLine,
    pub version: u32,
    /// The states that can follow.
    pub next: Vec<MemberState>,
    pub today: NaiveDate,
}

/// Two records side by side, before a merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergePage {
    pub keep: Record,
    pub other: Record,
}

/// Records with one kind of issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualityPage {
    pub unit: UnitRef,
    pub counts: BTreeMap<QualityIssue, u64>,
    pub kind: QualityIssue,
    pub members: Vec<MemberLine>,
    pub next: Option<MemberId>,
}
