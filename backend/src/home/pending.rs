//! Numbers of pending items of a person, for the frame of every page.
//!
//! They are cached because every page needs them. A person's own actions invalidate the cache ([`Home::forget_pending`]); actions
//! of others become visible after at most [`LIFETIME`], and immediately on the first page, which does not use the cache.
//!
//! Invariant: numbers are shown only to the person they were counted for, and only while that person's offices are unchanged.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{accounts::Viewer, home::Pending, ids::MemberId, policy::Standpoint};
use tokio::try_join;

use super::Home;
use crate::Result;

/// How long numbers are cached.
const LIFETIME: TimeDelta = TimeDelta::seconds(30);

/// Most people in the cache, which is cleared when there are more.
const MOST: usize = 10_000;

/// The cache of numbers by person.
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
    /// Numbers of pending items of the person, counted at most 30 seconds ago.
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

    /// Counts the pending items of the person and updates the cache.
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

    /// Invalidates the cached numbers of a person after one of their actions.
    pub fn forget_pending(&self, member: MemberId) {
        self.backend.last_counts().known().remove(&member);
    }
}
