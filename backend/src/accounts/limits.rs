//! Limits of guessing: by account, by network, and over all, kept in the store so that a restart forgives nothing.
//!
//! Invariant: what is counted, and what is answered, depends on the national ID as typed, never on whether it is a member's.
//! Invariant: a device on which a member has signed in before is counted for itself: nobody elsewhere can lock it out.

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

/// How long tries are remembered. A full account waits so long after its last try.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// Failures of one network in an hour. A whole village may share one address of a mobile network, so it is no small number.
const NETWORK_FAILURES: i64 = 300;

/// Failures of everybody together in an hour: more is somebody who tries one password on many accounts from many networks.
const ALL_FAILURES: i64 = 20_000;

/// The counters that everybody writes are cut into so many rows, so that writers do not queue on one.
const SHARDS: u8 = 16;

/// Wrong passwords in a row after which only a code helps (NIST SP 800-63B-4, 3.2.2).
pub(super) const IN_A_ROW: i64 = 100;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Scope {
    Password,
    Code,
    /// Having a short message sent, which costs somebody money.
    Sms,
}

impl Scope {
    /// Tries of one account, or of one known device, in an hour.
    const fn limit(self) -> i64 {
        match self {
            Self::Password | Self::Code => 10,
            Self::Sms => 3,
        }
    }
}

/// From where somebody comes.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// None where there is no network in between: the command line, tests.
    pub address: Option<IpAddr>,
    /// The secret by which the device is known again.
    pub device: Option<String>,
    /// The secret of the session the device has now: a new one takes its place.
    pub session: Option<String>,
}

/// Where one try is counted; forgotten when it succeeds.
#[derive(Debug, Clone)]
pub(super) struct Try {
    counter: RecordId,
}

impl Try {
    /// It succeeded and does not count.
    pub(super) fn forgotten(self) -> Change {
        Change::new("DELETE $taken RETURN NONE;", vars! { taken: self.counter })
    }
}

#[derive(Debug, SurrealValue)]
struct AttemptCount {
    count: i64,
    expires_at: DateTime<Utc>,
}

/// To be part of the transaction that writes a failure down; its bindings come from [`Accounts::failure`].
pub(super) const COUNT_FAILURE: &str = "FOR $counter IN $failure_counters {
         LET $before = (SELECT count, expires_at FROM $counter)[0];
         IF $before != NONE AND $before.expires_at > $failure_at {
             UPDATE $counter SET count += 1 RETURN NONE;
         } ELSE {
             UPSERT $counter SET count = 1, expires_at = $failure_until RETURN NONE;
         };
     };";

impl Accounts<'_> {
    /// Counts a try before it is made, so that many at once are not more than one after the other. `account` is the keyed hash of
    /// the national ID; `known_device` the counter name of a device that is the member's own.
    ///
    /// # Errors
    /// [`Problem::TooManyTries`], the inner one.
    pub(super) async fn take_try(
        &self,
        scope: Scope,
        account: &str,
        known_device: Option<&str>,
    ) -> Result<std::result::Result<Try, Problem>> {
        let now = self.backend.clock().now();
        // Nothing is written for whoever asks from a flooded network: that too would fill the store.
        if known_device.is_none() && self.is_flooded(now).await? {
            return Ok(Err(wait(WINDOW)));
        }
        let counter = match known_device {
            Some(device) => pair("attempt", format!("{scope}_device"), device),
            None => pair("attempt", scope, account),
        };
        // A quiet hour forgets; until then each try up to the limit starts the hour anew.
        let sql = "LET $before = (SELECT count, expires_at FROM $counter)[0];
                   LET $goes_on = $before != NONE AND $before.expires_at > $now;
                   LET $count = IF $goes_on { $before.count + 1 } ELSE { 1 };
                   LET $ends = IF $goes_on AND $count > $limit { $before.expires_at } ELSE { $later };
                   UPSERT $counter SET count = $count, expires_at = $ends RETURN NONE;
                   RETURN { count: $count, expires_at: $ends }";
        let vars = vars! { counter: counter.clone(), now: now, later: now + WINDOW, limit: scope.limit() };
        // `BEGIN` has the first answer.
        let found: Option<AttemptCount> = self.backend.transact(Change::new(sql, vars)).await?.row(6)?;
        let tries = found.unwrap_or(AttemptCount { count: i64::MAX, expires_at: now + WINDOW });
        if tries.count > scope.limit() {
            return Ok(Err(wait(tries.expires_at - now)));
        }
        Ok(Ok(Try { counter }))
    }

    /// Whether there were too many failures in the last hour, in the visitor's network, in the larger one around it, or over all.
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

    /// Bindings for [`COUNT_FAILURE`].
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

    /// The names of the networks the visitor comes from, and how many times the limit of the smallest each has. None where there is no
    /// network.
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
    fn the_time_to_wait_is_never_told_too_short() {
        for (seconds, minutes) in [(1, 1), (60, 1), (61, 2), (3_600, 60), (-5, 1)] {
            assert_eq!(wait(TimeDelta::seconds(seconds)), Problem::TooManyTries { minutes }, "{seconds}");
        }
    }
}
