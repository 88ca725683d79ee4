//! Rate limits against guessing: by account, by network, and in total. They are stored, so that a restart does not reset them.
//!
//! Invariant: counting and responses depend on the national ID as typed, never on whether it is a member's.
//! Invariant: a device on which a member has signed in before has its own counter, so tries on other devices cannot lock it out.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::forms::Problem;
use ipnet::IpNet;

use super::Accounts;
use crate::{
    Result,
    change::Change,
    quota::networks,
    store::{RecordId, SurrealValue, Variables, pair, vars},
};

/// How long tries are counted. An account at its limit is blocked for this time after the last try.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// Most failures per hour of one network. It is large because a whole village may share one address of a mobile network.
const NETWORK_FAILURES: i64 = 300;

/// Most failures per hour in total. More indicate a distributed attack that tries one password on many accounts.
const ALL_FAILURES: i64 = 20_000;

/// The number of rows of a shared counter, so that writers do not contend for one row.
const SHARDS: u8 = 16;

/// Consecutive wrong passwords after which the account can only be reset by a code (NIST SP 800-63B-4, 3.2.2).
pub(super) const IN_A_ROW: i64 = 100;

/// The kind of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Scope {
    Password,
    Code,
    /// Requesting a short message, which costs money.
    Sms,
}

impl Scope {
    /// Most tries per hour of one account or one known device.
    const fn limit(self) -> i64 {
        match self {
            Self::Password | Self::Code => 10,
            Self::Sms => 3,
        }
    }
}

/// The origin of a request.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The client's address. None without a network: command line, tests.
    pub address: Option<IpAddr>,
    /// The secret of a known device.
    pub device: Option<String>,
    /// The token of the device's current session, which a new one replaces.
    pub session: Option<String>,
}

/// A counted try. Its counter is deleted when it succeeds.
#[derive(Debug, Clone)]
pub(super) struct Try {
    counter: RecordId,
}

impl Try {
    /// The change that deletes the counter after a success.
    pub(super) fn forgotten(self) -> Change {
        Change::new("DELETE $taken RETURN NONE;", vars! { taken: self.counter })
    }
}

#[derive(Debug, SurrealValue)]
struct AttemptCount {
    count: i64,
    expires_at: DateTime<Utc>,
}

/// The statement that counts a failure, for the transaction that records it. [`Accounts::failure`] adds its bindings.
pub(super) const COUNT_FAILURE: &str = "FOR $counter IN $failure_counters {
         LET $before = (SELECT count, expires_at FROM $counter)[0];
         IF $before != NONE AND $before.expires_at > $failure_at {
             UPDATE $counter SET count += 1 RETURN NONE;
         } ELSE {
             UPSERT $counter SET count = 1, expires_at = $failure_until RETURN NONE;
         };
     };";

impl Accounts<'_> {
    /// Counts a try before it is made, so that concurrent tries cannot exceed the limit. `account` is the keyed hash of the
    /// national ID; `known_device` is the counter name of the member's known device.
    ///
    /// # Errors
    /// The inner error is [`Problem::TooManyTries`].
    pub(super) async fn take_try(
        &self,
        scope: Scope,
        account: &str,
        known_device: Option<&str>,
    ) -> Result<std::result::Result<Try, Problem>> {
        let now = self.backend.clock().now();
        // Nothing is written for requests from a blocked network, so that they cannot fill the store.
        if known_device.is_none() && self.is_flooded(now).await? {
            return Ok(Err(wait(WINDOW)));
        }
        let counter = match known_device {
            Some(device) => pair("attempt", format!("{scope}_device"), device),
            None => pair("attempt", scope, account),
        };
        // The counter expires an hour after the last counted try: each try up to the limit restarts the hour.
        let sql = "LET $before = (SELECT count, expires_at FROM $counter)[0];
                   LET $goes_on = $before != NONE AND $before.expires_at > $now;
                   LET $count = IF $goes_on { $before.count + 1 } ELSE { 1 };
                   LET $ends = IF $goes_on AND $count > $limit { $before.expires_at } ELSE { $later };
                   UPSERT $counter SET count = $count, expires_at = $ends RETURN NONE;
                   RETURN { count: $count, expires_at: $ends }";
        let vars = vars! { counter: counter.clone(), now: now, later: now + WINDOW, limit: scope.limit() };
        // The answer at position 0 is that of `BEGIN`.
        let found: Option<AttemptCount> = self.backend.transact(Change::new(sql, vars)).await?.row(6)?;
        let tries = found.unwrap_or(AttemptCount { count: i64::MAX, expires_at: now + WINDOW });
        if tries.count > scope.limit() {
            return Ok(Err(wait(tries.expires_at - now)));
        }
        Ok(Ok(Try { counter }))
    }

    /// Whether the last hour had too many failures in the client's network, in the larger network around it, or in total.
    async fn is_flooded(&self, now: DateTime<Utc>) -> Result<bool> {
        let counted = self.networks().into_iter().map(|(network, times)| (shards("network", &network), NETWORK_FAILURES * times));
        for (shards, most) in counted.chain([(shards("all", ""), ALL_FAILURES)]) {
            let sql = "SELECT VALUE count FROM $shards WHERE expires_at > $now";
            let counts: Vec<i64> = self.backend.store().read(sql, vars! { shards: shards, now: now }).await?.rows(0)?;
            if counts.iter().sum::<i64>() >= most {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds the bindings of [`COUNT_FAILURE`].
    pub(super) fn failure(&self, vars: &mut Variables) {
        let now = self.backend.clock().now();
        let mut byte = [0];
        self.backend.clock().fill(&mut byte);
        let at = usize::from(byte[0] % SHARDS);
        let networks = self.networks().into_iter().map(|(network, _)| shards("network", &network));
        let counters: Vec<RecordId> =
            networks.chain([shards("all", "")]).filter_map(|mut shards| shards.drain(..).nth(at)).collect();
        vars.extend(vars! { failure_counters: counters, failure_at: now, failure_until: now + WINDOW });
    }

    /// The counter names of the client's networks, each with its limit as a multiple of that of the smallest. Empty without an
    /// address.
    fn networks(&self) -> Vec<(String, i64)> {
        let name = |(network, times): (IpNet, i64)| (self.backend.keys().lookup("network", &network.to_string()), times);
        self.origin.address.map(networks).unwrap_or_default().into_iter().map(name).collect()
    }
}

fn shards(scope: &str, whom: &str) -> Vec<RecordId> {
    (0..SHARDS).map(|shard| pair("attempt", scope, format!("{whom}#{shard}"))).collect()
}

fn wait(time: TimeDelta) -> Problem {
    let minutes = u32::try_from((time.num_seconds() + 59) / 60).unwrap_or_default();
    Problem::TooManyTries { minutes: minutes.max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reported_wait_is_never_too_short() {
        for (seconds, minutes) in [(1, 1), (60, 1), (61, 2), (3_600, 60), (-5, 1)] {
            assert_eq!(wait(TimeDelta::seconds(seconds)), Problem::TooManyTries { minutes }, "{seconds}");
        }
    }
}
