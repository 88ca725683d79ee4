//! Pending requests for the registrar of the sample's ward: a correction, and a transfer into the ward.

use chrono::TimeDelta;
use domain::{
    events::EventBody,
    ids::{CorrectionId, TransferId},
    members::{CorrectionField, CorrectionState, TransferState},
};

use super::{dice::Dice, people::Organisation};
use crate::{
    Backend, Error, Result,
    bulk::Bulk,
    members::{NewCorrection, NewTransfer},
    store::record,
};

/// The branch of the correction's author, which the transferred member joins.
const JOINED: &str = "ward-24";

/// The branch the transferred member leaves.
const LEFT: &str = "commune-b5";

pub(super) fn ask(bulk: &mut Bulk, backend: &Backend, seed: u64, organisation: &Organisation) -> Result<()> {
    let mut dice = Dice::new(seed, 8);
    let now = backend.clock().now();
    let (joined, left) = (organisation.branch(JOINED)?, organisation.branch(LEFT)?);
    let nobody = || Error::Internal("the sample has too few people".to_owned());

    // Any account holder but the secretary.
    let secretary = joined.secretary().id;
    let author =
        joined.people.iter().find(|person| person.activated_at.is_some() && person.id != secretary).ok_or_else(nobody)?;
    let at = now - TimeDelta::days(2);
    let id = CorrectionId::new(dice.ulid_at(at));
    let sealed = |text: &str| backend.keys().seal(backend.clock(), &id.to_string(), text);
    bulk.push(
        "correction",
        NewCorrection {
            id: record("correction", id),
            member: author.id.to_string(),
            path: joined.unit.path.to_string(),
            field: CorrectionField::Phone.key(),
            wanted: sealed("0900999024")?,
            reason: sealed("Tôi mới đổi số điện thoại từ đầu tháng, số cũ không còn dùng.")?,
            state: CorrectionState::Requested.key(),
            requested_at: at,
        },
    );
    let requested = EventBody::CorrectionRequested { member: author.id, field: Some(CorrectionField::Phone) };
    bulk.log(&mut dice, at, Some(author.id), &joined.unit.path, requested);

    let secretary = left.secretary().id;
    let leaving = left.people.iter().rev().find(|person| person.id != secretary && !person.is_player()).ok_or_else(nobody)?;
    let at = now - TimeDelta::days(1);
    let id = TransferId::new(dice.ulid_at(at));
    bulk.push(
        "transfer",
        NewTransfer {
            id: record("transfer", id),
            member: leaving.id.to_string(),
            from_unit: left.unit.id.to_string(),
            from_path: left.unit.path.to_string(),
            to_unit: joined.unit.id.to_string(),
            to_path: joined.unit.path.to_string(),
            reason: "Chuyển nơi cư trú về khu phố Thống Nhất.".to_owned(),
            state: TransferState::Requested.key(),
            requested_by: secretary.to_string(),
            requested_at: at,
        },
    );
    let requested = EventBody::TransferRequested { member: leaving.id, other: Some(joined.unit.path.clone()) };
    bulk.log(&mut dice, at, Some(secretary), &left.unit.path, requested);
    Ok(())
}
