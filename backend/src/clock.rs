//! Time and randomness, passed in so that tests are deterministic.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::locale::local_date;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use ulid::Ulid;

/// What time it is, and fresh ids.
#[derive(Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

struct Inner {
    /// None: the machine's clock.
    fixed: Option<Mutex<DateTime<Utc>>>,
    rng: Mutex<StdRng>,
}

impl Clock {
    /// The machine's clock and its entropy.
    pub fn system() -> Self {
        Self { inner: Arc::new(Inner { fixed: None, rng: Mutex::new(StdRng::from_os_rng()) }) }
    }

    /// A clock that stands still until [`Self::advance`], and ids from a seed.
    pub fn fixed(now: DateTime<Utc>, seed: u64) -> Self {
        Self { inner: Arc::new(Inner { fixed: Some(Mutex::new(now)), rng: Mutex::new(StdRng::seed_from_u64(seed)) }) }
    }

    pub fn now(&self) -> DateTime<Utc> {
        match &self.inner.fixed {
            Some(fixed) => *fixed.lock().unwrap_or_else(PoisonError::into_inner),
            None => Utc::now(),
        }
    }

    /// Today in the organisation's zone.
    pub fn today(&self) -> NaiveDate {
        local_date(self.now())
    }

    /// Moves a fixed clock; the machine's clock does not move.
    pub fn advance(&self, by: TimeDelta) {
        if let Some(fixed) = &self.inner.fixed {
            *fixed.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }

    /// A fresh id of this moment.
    pub fn ulid(&self) -> Ulid {
        self.ulid_at(self.now())
    }

    /// A fresh id that sorts at `at`.
    pub fn ulid_at(&self, at: DateTime<Utc>) -> Ulid {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        Ulid::from_parts(millis, u128::from_be_bytes(bytes))
    }

    /// Random bytes: cryptographically strong from [`Self::system`], repeatable from [`Self::fixed`].
    pub fn fill(&self, bytes: &mut [u8]) {
        self.inner.rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
