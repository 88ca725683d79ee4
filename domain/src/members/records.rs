//! Records as pages show them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Correction, MemberState, QualityIssue, Sex, Standing, Transfer};
use crate::{
    accounts::AccountChange,
    ids::{MemberId, UnitId},
    units::UnitRef,
};

/// Beside [`crate::forms::Problem::Taken`], what a form's answer says of the record that has the number: its id and the member's name.
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
    /// Name of the branch the person is, or was last, posted to.
    pub branch: String,
}

/// What waits for somebody's work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub quality_issues: u64,
    /// None for who does not decide on corrections.
    pub corrections: Option<u64>,
    /// Transfers on their way into the own subtree.
    pub transfers: u64,
}

/// Members of a subtree, or those of it that were searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersPage {
    /// The unit whose subtree this is.
    pub unit: UnitRef,
    /// Whether the viewer chose a unit below the own top unit.
    pub narrowed: bool,
    pub members: Vec<MemberLine>,
    /// None where the list goes on from a place in it.
    pub hits: Option<Hits>,
    /// Where to go on; none at the end.
    pub next: Option<String>,
    /// The search has paused after so many records; the rest is still to be looked through.
    pub paused_after: Option<u64>,
    pub waiting: Waiting,
    /// Whether the viewer registers members here.
    pub may_manage: bool,
}

/// How many members match, shown or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hits {
    Exactly(u64),
    /// Only so many records were looked at.
    AtLeast(u64),
}

/// Where a member belonged, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    pub branch: String,
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
}

/// All that is written down of a person, as far as the viewer may see it.
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
    pub branch: UnitRef,
    /// Masked but for the person themself.
    pub national_id: Option<String>,
    /// Masked but for the person and the registrar.
    pub phone: Option<String>,
    /// The record that keeps this one's history.
    pub merged_into: Option<MemberId>,
    pub version: u32,
    /// The latest first.
    pub postings: Vec<Posting>,
}

/// What the viewer may do with a record.
#[expect(clippy::struct_excessive_bools, reason = "rights are independent of one another")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRights {
    pub manage: bool,
    pub transfer: bool,
    pub issue_codes: bool,
    /// The person holds a role outside the viewer's subtree: numbers, codes, branch and state are in the hands of those above.
    #[serde(default)]
    pub held_above: bool,
}

/// A record with what goes on around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPage {
    pub record: Record,
    pub may: RecordRights,
    pub quality_issues: Vec<QualityIssue>,
    /// Records that may be the same person.
    pub duplicates: Vec<MemberLine>,
    /// How many more of them lie where the viewer sees nothing.
    pub duplicates_elsewhere: u32,
    /// A transfer on its way.
    pub transfer: Option<Transfer>,
    /// The newest first: all for the person themself, for others those that wait.
    pub corrections: Vec<Correction>,
    /// For the person themself: what was done to the account since they last looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_changes: Vec<AccountChange>,
}

/// What a form of a record holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberDraft {
    pub id: MemberId,
    /// The version the form starts from.
    pub version: u32,
    pub full_name: String,
    pub card: String,
    pub sex: Option<Sex>,
    pub birth_date: Option<NaiveDate>,
    pub admitted_on: Option<NaiveDate>,
    pub official_on: Option<NaiveDate>,
    pub standing: Standing,
    /// Masked; the form asks for a new one only.
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
    /// There are more branches than a list can show; searching narrows it.
    pub more_branches: bool,
}

/// The question before a member's state changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatePage {
    pub member: MemberLine,
    pub version: u32,
    /// The states that can follow.
    pub next: Vec<MemberState>,
    pub today: NaiveDate,
}

/// Two records beside each other, before they become one.
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
