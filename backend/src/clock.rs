//! Time and randomness, passed in so that tests are deterministic.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::locale::local_date;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use ulid::Ulid;

/// The current time, new ids and random bytes.
#[derive(Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

struct Inner {
    time: Time,
    rng: Mutex<StdRng>,
}

enum Time {
    /// The system clock plus this offset.
    Running(TimeDelta),
    Fixed(Mutex<DateTime<Utc>>),
}

impl Clock {
    /// The system clock and the system's entropy.
    pub fn system() -> Self {
        Self::ahead(TimeDelta::zero())
    }

    /// A running clock that is `by` ahead of the system clock, for tests that depend on the day.
    pub fn ahead(by: TimeDelta) -> Self {
        Self { inner: Arc::new(Inner { time: Time::Running(by), rng: Mutex::new(StdRng::from_os_rng()) }) }
    }

    /// A clock that changes only by [`Self::advance`], and ids from a seed.
    pub fn fixed(now: DateTime<Utc>, seed: u64) -> Self {
        let time = Time::Fixed(Mutex::new(now));
        Self { inner: Arc::new(Inner { time, rng: Mutex::new(StdRng::seed_from_u64(seed)) }) }
    }

    pub fn now(&self) -> DateTime<Utc> {
        match &self.inner.time {
            Time::Running(ahead) => Utc::now() + *ahead,
            Time::Fixed(moment) => *moment.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Today in the organisation's time zone.
    pub fn today(&self) -> NaiveDate {
        local_date(self.now())
    }

    /// Advances a fixed clock. Does nothing to a running clock.
    pub fn advance(&self, by: TimeDelta) {
        if let Time::Fixed(moment) = &self.inner.time {
            *moment.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }

    /// A new id with the current time.
    pub fn ulid(&self) -> Ulid {
        self.ulid_at(self.now())
    }

    /// A new id with the time `at`.
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
