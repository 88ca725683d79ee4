//! A member's way from one branch to another (chuyển sinh hoạt): asked for by the sending side, accepted by the receiving side.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::MemberLine;
use crate::{
    ids::{MemberId, TransferId, UnitId},
    units::UnitRef,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TransferState {
    Requested,
    Accepted,
    Declined,
    Withdrawn,
}

crate::keyed!(TransferState);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    pub id: TransferId,
    pub member: MemberId,
    pub name: String,
    pub from: String,
    pub to: String,
    pub reason: String,
    pub state: TransferState,
    pub requested_by: String,
    pub requested_at: DateTime<Utc>,
}

/// A branch to choose, and the units it hangs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchChoice {
    pub id: UnitId,
    pub name: String,
    pub place: String,
}

/// The form that asks for a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferPage {
    pub member: MemberLine,
    pub branch: UnitRef,
    pub choices: Vec<BranchChoice>,
    /// There are more branches that fit.
    pub more: bool,
    /// One that waits already; there is no second.
    pub waiting: Option<Transfer>,
}

/// Transfers that wait, at both ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransfersPage {
    /// Into the own subtree, to be accepted or declined.
    pub incoming: Vec<Transfer>,
    /// Out of it, to be withdrawn.
    pub outgoing: Vec<Transfer>,
}
