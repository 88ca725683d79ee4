//! Randomness of the sample: everything it decides follows from one seed.

use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ulid::Ulid;

/// A stream of decisions that a seed repeats, on every machine and with every version of `rand`.
#[derive(Debug, Clone)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// `purpose` keeps the streams of one seed apart, so that a change in one part of the sample leaves the others as they are.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose);
        Self(rng)
    }

    /// From `low` up to and without `high`; `low` when that is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if low < high { self.0.random_range(low..high) } else { low }
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { self.0.random_range(0..count) }
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.between(0, 100) < percent
    }

    /// The same for a probability in millionths.
    pub(crate) fn rare(&mut self, millionths: i64) -> bool {
        self.between(0, 1_000_000) < millionths
    }

    /// None of nothing.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// A moment from `from` up to and without `until`; `from` when that is empty.
    pub(crate) fn moment(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> DateTime<Utc> {
        from + TimeDelta::seconds(self.between(0, (until - from).num_seconds()))
    }

    /// Such a moment, more likely early than late: people read what is new.
    pub(crate) fn early_moment(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> DateTime<Utc> {
        self.moment(from, until).min(self.moment(from, until)).min(self.moment(from, until))
    }

    /// An id that sorts at `at`.
    pub(crate) fn ulid_at(&mut self, at: DateTime<Utc>) -> Ulid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        Ulid::from_parts(u64::try_from(at.timestamp_millis()).unwrap_or_default(), u128::from_be_bytes(bytes))
    }
}
