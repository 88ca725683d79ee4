//! Transfer of a member from one branch to another (chuyển sinh hoạt): requested by the sending side, accepted by the receiving
//! side.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::MemberLine;
use crate::{
    ids::{MemberId, TransferId, UnitId},
    units::{Phase, UnitRef},
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
    /// The phase of the branch to join.
    pub phase: Phase,
    pub reason: String,
    pub state: TransferState,
    pub requested_by: String,
    pub requested_at: DateTime<Utc>,
}

/// A branch to choose, with the units above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchChoice {
    pub id: UnitId,
    pub name: String,
    pub place: String,
    pub phase: Phase,
}

/// The form that requests a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferPage {
    pub member: MemberLine,
    pub branch: UnitRef,
    pub choices: Vec<BranchChoice>,
    /// Whether more branches match.
    pub more: bool,
    /// A pending transfer; there can be only one.
    pub waiting: Option<Transfer>,
}

/// Pending transfers in both directions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransfersPage {
    /// Into the viewer's subtree, to be accepted or declined.
    pub incoming: Vec<Transfer>,
    /// Out of it, to be withdrawn.
    pub outgoing: Vec<Transfer>,
}
