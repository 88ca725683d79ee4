//! Quotas for temporary rows that people create: rejected forms and activations. They are counted by person, else by network and
//! in total, in the transaction that writes the row, so that concurrent requests cannot exceed a quota.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use crate::{
    Backend,
    store::{RecordId, StoreError, SurrealValue, Variables, pair, vars},
};

/// The period of a quota. The counted rows expire after the same time.
const WINDOW: TimeDelta = TimeDelta::minutes(30);

/// The number of rows of a total counter, so that writers do not contend for one row.
const SHARDS: i64 = 16;

/// The statement that takes from the quotas, run before the statements that write. [`Quotas::bind`] adds its bindings.
pub(crate) const TAKE: &str = "FOR $quota IN $quotas {
         LET $counter = $quota.counter;
         LET $before = (SELECT count, expires_at FROM $counter)[0];
         LET $goes_on = $before != NONE AND $before.expires_at > $quota_at;
         LET $count = $quota.amount + IF $goes_on { $before.count } ELSE { 0 };
         IF $count > $quota.most { THROW 'quota' };
         LET $ends = IF $goes_on { $before.expires_at } ELSE { $quota_until };
         UPSERT $counter SET count = $count, expires_at = $ends RETURN NONE;
     };";

/// An amount that is taken from several quotas at once.
pub(crate) struct Quotas<'b> {
    backend: &'b Backend,
    /// What is counted; part of the names of the counters.
    what: &'static str,
    amount: i64,
    rows: Vec<Quota>,
}

#[derive(Debug, Clone, SurrealValue)]
struct Quota {
    counter: RecordId,
    amount: i64,
    most: i64,
}

impl<'b> Quotas<'b> {
    pub(crate) fn new(backend: &'b Backend, what: &'static str, amount: i64) -> Self {
        Self { backend, what, amount, rows: Vec::new() }
    }

    /// Adds the quota of one person or device. `whom` must be an id without personal data.
    pub(crate) fn of_one(mut self, whom: &str, most: i64) -> Self {
        self.push(whom.to_owned(), most);
        self
    }

    /// Adds the quotas of the client's network and of the larger network around it. Adds nothing without an address.
    pub(crate) fn of_network(mut self, address: Option<IpAddr>, most: i64) -> Self {
        for (network, times) in address.map(networks).unwrap_or_default() {
            let name = self.backend.keys().lookup("network", &network.to_string());
            self.push(name, most * times);
        }
        self
    }

    /// Adds the total quota.
    pub(crate) fn of_all(mut self, most: i64) -> Self {
        let mut byte = [0];
        self.backend.clock().fill(&mut byte);
        self.push(format!("all#{}", i64::from(byte[0]) % SHARDS), most / SHARDS);
        self
    }

    fn push(&mut self, whom: String, most: i64) {
        let counter = pair("attempt", self.what, whom);
        self.rows.push(Quota { counter, amount: self.amount, most });
    }

    /// Bindings for [`TAKE`].
    pub(crate) fn bind(self, vars: &mut Variables) {
        let now: DateTime<Utc> = self.backend.clock().now();
        vars.extend(vars! { quotas: self.rows, quota_at: now, quota_until: now + WINDOW });
    }
}

/// Whether a transaction was refused because a quota is exhausted.
pub(crate) fn is_used_up(error: &StoreError) -> bool {
    matches!(error, StoreError::Thrown(thrown) if thrown == "quota")
}

/// The maximum time in minutes until a quota is reset.
pub(crate) fn minutes() -> u32 {
    u32::try_from(WINDOW.num_minutes()).unwrap_or(u32::MAX)
}

/// The networks of an address, each with its quota as a multiple of that of the smallest: a /24 of IPv4, or a /64 of IPv6, which
/// one household, ship or village shares. A /48 has 65,536 networks of /64, so it is counted too.
pub(crate) fn networks(address: IpAddr) -> Vec<(IpNet, i64)> {
    let address = address.to_canonical();
    let network = |bits| IpNet::new_assert(address, bits).trunc();
    if address.is_ipv4() { vec![(network(24), 1)] } else { vec![(network(64), 1), (network(48), 4)] }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::forms::Problem;

    use super::*;
    use crate::{Clock, Error, Keys, StoreLocation, accounts::Origin, store};

    async fn backend() -> Backend {
        Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::system()).await.expect("opens")
    }

    async fn take(backend: &Backend, what: &'static str, amount: i64, address: &str, most: i64) -> store::Result<()> {
        let mut vars = Variables::new();
        let address = address.parse().expect("an address");
        Quotas::new(backend, what, amount).of_network(Some(address), most).bind(&mut vars);
        backend.store().write(TAKE, vars).await.map(|_| ())
    }

    #[tokio::test]
    async fn activations_of_one_network_are_limited() {
        let backend = backend().await;
        let near = Origin { address: "203.0.113.7".parse().ok(), device: None, session: None };
        let far = Origin { address: "198.51.100.1".parse().ok(), device: None, session: None };
        let begin_activation =
            async |origin: &Origin| backend.accounts().at(origin.clone()).begin_activation("951999999999").await;
        begin_activation(&near).await.expect("is accepted");
        take(&backend, "visits", 2_999, "203.0.113.9", 3_000).await.expect("a whole town");
        match begin_activation(&near).await {
            Err(Error::Invalid(errors)) => {
                assert_eq!(errors.problem("national_id"), Some(&Problem::TooManyTries { minutes: 30 }));
            }
            other => panic!("{other:?}"),
        }
        begin_activation(&far).await.expect("other networks are not affected");
    }

    #[tokio::test]
    async fn concurrent_writers_cannot_exceed_a_quota() {
        let backend = backend().await;
        let mut taking = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let backend = backend.clone();
            taking.spawn(async move {
                loop {
                    match take(&backend, "forms", 1, "203.0.113.7", 5).await {
                        // Conflicts may also exhaust the retries.
                        Err(StoreError::Busy) => tokio::task::yield_now().await,
                        Err(error) => {
                            assert!(is_used_up(&error), "{error}");
                            return false;
                        }
                        Ok(()) => return true,
                    }
                }
            });
        }
        let all = tokio::time::timeout(Duration::from_mins(1), taking.join_all()).await.expect("each is accepted or refused");
        let taken = all.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, 5);
    }

    #[test]
    fn neighbours_share_a_network_and_a_larger_one() {
        let of = |address: &str| networks(address.parse().expect("an address"));
        let same = |a: &str, b: &str| of(a)[0] == of(b)[0];
        assert!(same("203.0.113.7", "203.0.113.250"));
        assert!(!same("203.0.113.7", "203.0.114.7"));
        assert!(same("203.0.113.7", "::ffff:203.0.113.9"), "the IPv4-mapped notation of the same network");
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert_eq!(of("2001:db8:1:2::1")[1], of("2001:db8:1:3::1")[1], "one /48");
        assert_ne!(of("2001:db8:1:2::1")[1], of("2001:db8:2:2::1")[1]);
        assert_eq!(of("203.0.113.7").len(), 1);
    }
}
