//! Client address behind trusted proxies.

use std::{
    net::IpAddr,
    str::FromStr,
    sync::{Arc, Once},
};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// Proxies whose `X-Forwarded-For` is trusted. None unless the operator names them, because any client can send the header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    pub(crate) fn are_named(&self) -> bool {
        !self.0.is_empty()
    }

    /// The client address of a request from `peer`. If `peer` is a trusted proxy, this is the last address in `X-Forwarded-For`
    /// that is not one.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            if peer.is_loopback() && headers.contains_key("x-forwarded-for") {
                warn_once();
            }
            return peer;
        }
        let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        let mut known = hops.iter().rev().map_while(|hop| hop.parse::<IpAddr>().ok());
        known.find(|hop| !self.trusts(*hop)).unwrap_or(peer)
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address.to_canonical()))
    }
}

/// Any client can send the header, so this is logged once, and only for a proxy on this machine.
fn warn_once() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "a proxy on this machine is not listed in HANDBOOK_TRUSTED_PROXY: sign-in attempts of all its clients count as one network"
        );
    });
}

/// The addresses one household, village or provider's customer has: a /24 of IPv4, a /48 of IPv6.
pub(crate) fn network(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    IpNet::new_assert(address, if address.is_ipv4() { 24 } else { 48 }).trunc()
}

impl FromStr for TrustedProxies {
    type Err = &'static str;

    /// Comma-separated addresses and ranges: `127.0.0.1, 10.0.0.0/8`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(str::trim)
            .filter(|range| !range.is_empty())
            .map(range)
            .collect::<Result<Vec<_>, _>>()
            .map(|ranges| Self(ranges.into()))
    }
}

impl std::fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            write!(f, "{}{range}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// An address, or a range such as `10.0.0.0/8`.
fn range(text: &str) -> Result<IpNet, &'static str> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse::<IpNet>()).map_err(|_| "it must be addresses or ranges such as 127.0.0.1, 10.0.0.0/8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (axum::http::HeaderName::from_static("x-forwarded-for"), line.parse().unwrap())).collect()
    }

    #[test]
    fn only_listed_proxies_are_trusted() {
        let nobody = TrustedProxies::default();
        let proxies: TrustedProxies = "127.0.0.1, 10.0.0.0/8,2001:db8::/32".parse().unwrap();
        let client = |proxies: &TrustedProxies, peer: &str, lines: &[&'static str]| {
            proxies.client(peer.parse().unwrap(), &headers(lines)).to_string()
        };
        assert_eq!(client(&nobody, "127.0.0.1", &["203.0.113.7"]), "127.0.0.1");
        assert_eq!(client(&proxies, "198.51.100.1", &["203.0.113.7"]), "198.51.100.1", "a spoofed header");
        assert_eq!(client(&proxies, "127.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(client(&proxies, "::ffff:127.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(
            client(&proxies, "127.0.0.1", &["1.1.1.1, 203.0.113.7, 10.9.8.7"]),
            "203.0.113.7",
            "the client's own entry comes first"
        );
        assert_eq!(client(&proxies, "2001:db8::1", &["1.1.1.1", "203.0.113.7"]), "203.0.113.7");
        for nonsense in [&[][..], &["unknown"], &["203.0.113.7, unknown"]] {
            assert_eq!(client(&proxies, "127.0.0.1", nonsense), "127.0.0.1", "{nonsense:?}");
        }
    }

    #[test]
    fn neighbours_share_a_network() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("203.0.113.7", "203.0.113.250") && !same("203.0.113.7", "203.0.114.7"));
        assert!(same("203.0.113.7", "::ffff:203.0.113.9"), "the same address in the new notation");
        assert!(same("2001:db8:1:2::1", "2001:db8:1:3::1") && !same("2001:db8:1:2::1", "2001:db8:2:2::1"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["proxy", "10.0.0.0/33", "10.0.0.0/x", "10.0.0"] {
            assert!(text.parse::<TrustedProxies>().is_err(), "{text}");
        }
        assert_eq!("10.0.0.0/8, ::1".parse::<TrustedProxies>().unwrap().to_string(), "10.0.0.0/8,::1/128");
    }
}
