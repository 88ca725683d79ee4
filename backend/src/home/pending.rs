//! What waits for a person, in numbers, for the frame of every page.
//!
//! The frame needs them with each page, so they are counted once for the pages that follow within moments. What a person does is seen
//! at once ([`Home::forget_pending`]); what others do, up to [`LIFETIME`] later, but on the first page itself, which counts anew.
//!
//! Invariant: numbers are told to nobody but whom they were counted for, and only while the offices are the same.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{accounts::Viewer, home::Pending, ids::MemberId, policy::Standpoint};
use tokio::try_join;

use super::Home;
use crate::Result;

/// How long numbers are told without counting again.
const LIFETIME: TimeDelta = TimeDelta::seconds(30);

/// People whose numbers are kept at a time; all are forgotten when there are more.
const MOST: usize = 10_000;

/// The numbers of who asked within [`LIFETIME`].
#[derive(Default)]
pub(crate) struct LastCounts {
    by_member: Mutex<HashMap<MemberId, Counted>>,
}

struct Counted {
    at: DateTime<Utc>,
    standpoint: Standpoint,
    pending: Pending,
}

impl LastCounts {
    fn known(&self) -> MutexGuard<'_, HashMap<MemberId, Counted>> {
        self.by_member.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Home<'_> {
    /// What waits for the person, counted at most 30 seconds ago.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn pending(&self, viewer: &Viewer) -> Result<Pending> {
        let now = self.backend.clock().now();
        let known = self.backend.last_counts().known().get(&viewer.member).and_then(|counted| {
            let holds = counted.standpoint == viewer.standpoint && counted.at <= now && now - counted.at < LIFETIME;
            holds.then(|| counted.pending.clone())
        });
        match known {
            Some(pending) => Ok(pending),
            None => self.count_pending(viewer).await,
        }
    }

    /// What waits for the person, counted now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn count_pending(&self, viewer: &Viewer) -> Result<Pending> {
        let at = self.backend.clock().now();
        let documents = self.backend.documents();
        let (must_read, work) = try_join!(Box::pin(documents.count_must_read(viewer)), Box::pin(self.work(viewer)))?;
        let pending = Pending { must_read, work };
        let counted = Counted { at, standpoint: viewer.standpoint.clone(), pending: pending.clone() };
        let mut known = self.backend.last_counts().known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(viewer.member, counted);
        drop(known);
        Ok(pending)
    }

    /// Counts again when asked next: the person has just done something.
    pub fn forget_pending(&self, member: MemberId) {
        self.backend.last_counts().known().remove(&member);
    }
}
