//! Deterministic randomness of the sample: everything follows from one seed.

use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ulid::Ulid;

/// A random stream that a seed reproduces on every machine and with every version of `rand`.
#[derive(Debug, Clone)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// `purpose` separates the streams of one seed, so that a change in one part of the sample does not affect the others.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose);
        Self(rng)
    }

    /// From `low` to `high`, exclusive; `low` when that range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if low < high { self.0.random_range(low..high) } else { low }
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { self.0.random_range(0..count) }
    }

    /// True with this probability in percent.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.between(0, 100) < percent
    }

    /// True with this probability in millionths.
    pub(crate) fn rare(&mut self, millionths: i64) -> bool {
        self.between(0, 1_000_000) < millionths
    }

    /// `None` for an empty slice.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// A moment from `from` to `until`, exclusive; `from` when that range is empty.
    pub(crate) fn moment(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> DateTime<Utc> {
        from + TimeDelta::seconds(self.between(0, (until - from).num_seconds()))
    }

    /// A moment biased towards `from`: people read what is new.
    pub(crate) fn early_moment(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> DateTime<Utc> {
        self.moment(from, until).min(self.moment(from, until)).min(self.moment(from, until))
    }

    /// An id with the time `at`.
    pub(crate) fn ulid_at(&mut self, at: DateTime<Utc>) -> Ulid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        Ulid::from_parts(u64::try_from(at.timestamp_millis()).unwrap_or_default(), u128::from_be_bytes(bytes))
    }
}
