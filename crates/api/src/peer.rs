//! Whose call it is, by address: what IP allow-lists and the count of failed authentications go by.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

/// The header that proxies append to, nearest last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Whose word about the caller's address is taken. Nobody's is the safe default: anyone can write a header.
#[derive(Debug, Clone)]
pub enum TrustedProxies {
    /// Proxies in these networks. Empty: none.
    Networks(Vec<IpNet>),
    /// That many proxies in front, whatever their addresses. Right only where nobody can reach the listener around them.
    Hops(u8),
}

impl TrustedProxies {
    /// The caller's address.
    ///
    /// `X-Forwarded-For` is read from its right end, over trusted hops only, to the first address that is not one. Never from its left end,
    /// which the caller wrote. Something that is no address ends the reading: the last trusted hop stands in.
    pub(crate) fn peer(&self, request: &HttpRequest) -> IpAddr {
        self.resolve(request.peer_addr().as_ref().map(SocketAddr::ip), request.headers())
    }

    fn resolve(&self, socket: Option<IpAddr>, headers: &HeaderMap) -> IpAddr {
        let socket = socket.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.to_canonical());
        let mut reached = socket;
        for (hop, written) in (1_usize..).zip(from_the_right(headers)) {
            if !self.trusts(reached, hop) {
                break;
            }
            match parse_hop(written) {
                Some(address) => reached = address,
                None => break,
            }
        }
        reached
    }

    /// Whether the hop that was reached, the `nth` from the right, tells the truth about who stands before it.
    fn trusts(&self, hop: IpAddr, nth: usize) -> bool {
        match self {
            Self::Networks(networks) => networks.iter().any(|network| network.contains(&hop)),
            Self::Hops(count) => nth <= usize::from(*count),
        }
    }
}

/// The entries of all the headers, last first. A header that is no text ends in an entry that is no address.
fn from_the_right(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).map(|line| line.to_str().unwrap_or("?")).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim)
}

/// An address, with or without the port that some proxies add.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn networks() -> TrustedProxies {
        TrustedProxies::Networks(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()])
    }

    fn peer(trusted: &TrustedProxies, socket: &str, lines: &[&str]) -> String {
        let mut request = TestRequest::get().peer_addr(SocketAddr::new(socket.parse().unwrap(), 4242));
        for line in lines {
            request = request.append_header((FORWARDED_FOR, *line));
        }
        trusted.peer(&request.to_http_request()).to_string()
    }

    #[test]
    fn a_header_from_somebody_untrusted_is_not_read() {
        assert_eq!(peer(&networks(), "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(peer(&TrustedProxies::Networks(Vec::new()), "10.0.0.1", &["198.51.100.1"]), "10.0.0.1");
    }

    #[test]
    fn the_first_untrusted_address_from_the_right_is_the_caller() {
        assert_eq!(peer(&networks(), "10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.1.1.1"]), "198.51.100.1");
        assert_eq!(peer(&networks(), "10.0.0.1", &["6.6.6.6, 198.51.100.1", "10.1.1.1"]), "198.51.100.1", "two header lines");
        assert_eq!(peer(&networks(), "10.0.0.1", &["198.51.100.1:55000"]), "198.51.100.1");
        assert_eq!(peer(&networks(), "2001:db8:ffff::1", &["[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(peer(&networks(), "::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn what_is_no_address_ends_the_reading_at_the_last_trusted_hop() {
        assert_eq!(peer(&networks(), "10.0.0.1", &["198.51.100.1, unknown, 10.1.1.1"]), "10.1.1.1");
        assert_eq!(peer(&networks(), "10.0.0.1", &["198.51.100.1,"]), "10.0.0.1");
        assert_eq!(peer(&networks(), "10.0.0.1", &[""]), "10.0.0.1");
    }

    #[test]
    fn where_every_hop_is_trusted_the_farthest_stands_in() {
        assert_eq!(peer(&networks(), "10.0.0.1", &["10.3.3.3, 10.2.2.2"]), "10.3.3.3");
        assert_eq!(peer(&networks(), "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_number_of_hops_is_counted_from_the_right() {
        assert_eq!(peer(&TrustedProxies::Hops(0), "10.0.0.1", &["6.6.6.6, 198.51.100.1"]), "10.0.0.1");
        assert_eq!(peer(&TrustedProxies::Hops(1), "10.0.0.1", &["6.6.6.6, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(peer(&TrustedProxies::Hops(2), "10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.1.1.1"]), "198.51.100.1");
    }
}
