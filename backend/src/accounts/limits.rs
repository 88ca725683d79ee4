//! Limits of guessing: by account, by network, and over all, kept in the store so that a restart forgives nothing.
//!
//! Invariant: what is counted, and what is answered, depends on the national ID as typed, never on whether it is a member's.
//! Invariant: a device on which a member has signed in before is counted for itself: nobody elsewhere can lock it out.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::forms::Problem;

use super::Accounts;
use crate::{
    Result,
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

/// Wrong passwords in a row after which only the doors help (NIST SP 800-63B-4, 3.2.2).
pub(super) const IN_A_ROW: i64 = 100;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Password,
    Code,
    /// Having a short message sent, which costs somebody money.
    Sms,
}

impl Scope {
    const fn key(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::Sms => "sms",
        }
    }

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
}

/// Where one try is counted; forgotten when it succeeds.
#[derive(Debug, Clone)]
pub(super) struct Try {
    pub(super) counter: RecordId,
}

#[derive(Debug, SurrealValue)]
struct Counted {
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
        let sql =
            "SELECT VALUE count FROM $network WHERE expires_at > $now; SELECT VALUE count FROM $all WHERE expires_at > $now";
        let vars = vars! { network: self.network_shards(), all: shards("all", ""), now: now };
        let mut found = self.backend.store().read(sql, vars).await?;
        let (network, all): (Vec<i64>, Vec<i64>) = (found.rows(0)?, found.rows(1)?);
        let is_flooded = network.iter().sum::<i64>() >= NETWORK_FAILURES || all.iter().sum::<i64>() >= ALL_FAILURES;

        let counter = match known_device {
            Some(device) => pair("attempt", format!("{}_device", scope.key()), device),
            None => pair("attempt", scope.key(), account),
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
        let found: Option<Counted> = self.backend.store().write(sql, vars).await?.row(6)?;
        let tries = found.unwrap_or(Counted { count: i64::MAX, expires_at: now + WINDOW });
        if tries.count > scope.limit() {
            return Ok(Err(wait(tries.expires_at - now)));
        }
        if is_flooded && known_device.is_none() {
            return Ok(Err(wait(WINDOW)));
        }
        Ok(Ok(Try { counter }))
    }

    /// Bindings for [`COUNT_FAILURE`].
    pub(super) fn failure(&self, vars: &mut Variables) {
        let now = self.backend.clock().now();
        let mut byte = [0];
        self.backend.clock().fill(&mut byte);
        let at = usize::from(byte[0] % SHARDS);
        let counters: Vec<RecordId> =
            [self.network_shards(), shards("all", "")].into_iter().filter_map(|mut shards| shards.drain(..).nth(at)).collect();
        vars.extend(vars! { failure_counters: counters, failure_at: now, failure_until: now + WINDOW });
    }

    /// The counters of the network the visitor comes from; none where there is no network.
    fn network_shards(&self) -> Vec<RecordId> {
        let network = self.origin.address.map(|address| self.backend.keys().lookup("network", &network(address)));
        network.map(|network| shards("network", &network)).unwrap_or_default()
    }
}

fn shards(scope: &str, whom: &str) -> Vec<RecordId> {
    (0..SHARDS).map(|shard| pair("attempt", scope, format!("{whom}#{shard}"))).collect()
}

/// What one household, ship or village shares: 256 addresses of the old kind, one prefix of the new.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}")
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

fn wait(time: TimeDelta) -> Problem {
    let minutes = u32::try_from((time.num_seconds() + 59) / 60).unwrap_or_default();
    Problem::TooManyTries { minutes: minutes.max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        let same = |a: &str, b: &str| network(a.parse().expect("an address")) == network(b.parse().expect("an address"));
        assert!(same("203.0.113.7", "203.0.113.250"));
        assert!(!same("203.0.113.7", "203.0.114.7"));
        assert!(same("203.0.113.7", "::ffff:203.0.113.9"), "the same address in the new notation");
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    }

    #[test]
    fn the_time_to_wait_is_never_told_too_short() {
        for (seconds, minutes) in [(1, 1), (60, 1), (61, 2), (3_600, 60), (-5, 1)] {
            assert_eq!(wait(TimeDelta::seconds(seconds)), Problem::TooManyTries { minutes }, "{seconds}");
        }
    }
}
