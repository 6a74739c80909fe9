//! Which addresses are not public, and by what name an error calls them.
//!
//! IPv4 is public unless listed here; of IPv6 only `2000::/3` can be public, less what is listed. After the special-purpose
//! registries of IANA (RFC 6890).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A kind of network that webhooks are not posted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// The machine itself.
    Loopback,
    /// A network of its owner's: RFC 1918, or unique local (RFC 4193).
    Private,
    /// Behind a carrier's address translation (RFC 6598).
    CarrierNat,
    /// One cable.
    LinkLocal,
    /// Where a cloud hands out the credentials of its machines.
    Metadata,
    /// Many machines at once.
    Multicast,
    /// An IPv4 address written as IPv6.
    Mapped,
    /// An IPv4 address reached through 6to4.
    SixToFour,
    /// An IPv4 address reached through NAT64.
    Nat64,
    /// For documentation, measurements, protocols, or nothing yet.
    Reserved,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::CarrierNat => "carrier-grade NAT",
            Self::LinkLocal => "link-local",
            Self::Metadata => "cloud metadata",
            Self::Multicast => "multicast",
            Self::Mapped => "IPv4-mapped",
            Self::SixToFour => "6to4",
            Self::Nat64 => "NAT64",
            Self::Reserved => "reserved",
        })
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 4], last: u16, prefix: u8) -> Ipv6Net {
    let [a, b, c, d] = head;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, last), prefix)
}

/// The first that holds an address names it.
const IPV4: [(Ipv4Net, Network); 20] = [
    (v4(169, 254, 169, 254, 32), Network::Metadata),
    (v4(169, 254, 170, 2, 32), Network::Metadata),
    (v4(100, 100, 100, 200, 32), Network::Metadata),
    (v4(168, 63, 129, 16, 32), Network::Metadata),
    (v4(192, 0, 0, 192, 32), Network::Metadata),
    (v4(0, 0, 0, 0, 8), Network::Reserved),
    (v4(10, 0, 0, 0, 8), Network::Private),
    (v4(100, 64, 0, 0, 10), Network::CarrierNat),
    (v4(127, 0, 0, 0, 8), Network::Loopback),
    (v4(169, 254, 0, 0, 16), Network::LinkLocal),
    (v4(172, 16, 0, 0, 12), Network::Private),
    (v4(192, 0, 0, 0, 24), Network::Reserved),
    (v4(192, 0, 2, 0, 24), Network::Reserved),
    (v4(192, 88, 99, 0, 24), Network::SixToFour),
    (v4(192, 168, 0, 0, 16), Network::Private),
    (v4(198, 18, 0, 0, 15), Network::Reserved),
    (v4(198, 51, 100, 0, 24), Network::Reserved),
    (v4(203, 0, 113, 0, 24), Network::Reserved),
    (v4(224, 0, 0, 0, 4), Network::Multicast),
    (v4(240, 0, 0, 0, 4), Network::Reserved),
];

/// The only part of IPv6 from which public addresses are given out.
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0], 0, 3);

/// The first that holds an address names it.
const IPV6: [(Ipv6Net, Network); 12] = [
    (v6([0xfd00, 0xec2, 0, 0], 0x254, 128), Network::Metadata),
    (v6([0, 0, 0, 0], 1, 128), Network::Loopback),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), Network::Mapped),
    (v6([0x64, 0xff9b, 0, 0], 0, 96), Network::Nat64),
    (v6([0x64, 0xff9b, 1, 0], 0, 48), Network::Nat64),
    (v6([0xfc00, 0, 0, 0], 0, 7), Network::Private),
    (v6([0xfe80, 0, 0, 0], 0, 10), Network::LinkLocal),
    (v6([0xff00, 0, 0, 0], 0, 8), Network::Multicast),
    (v6([0x2001, 0, 0, 0], 0, 23), Network::Reserved),
    (v6([0x2001, 0xdb8, 0, 0], 0, 32), Network::Reserved),
    (v6([0x2002, 0, 0, 0], 0, 16), Network::SixToFour),
    (v6([0x3fff, 0, 0, 0], 0, 20), Network::Reserved),
];

/// Whether `address` may be posted to, given what the operator allows beside public addresses. An address that carries another must be allowed, and
/// so must what it carries.
pub(crate) fn judge(address: IpAddr, allowed: &[IpNet]) -> Result<(), Network> {
    let is_listed = || allowed.iter().any(|network| network.contains(&address));
    match address {
        IpAddr::V4(v4) => match of_v4(v4) {
            Some(network) if !is_listed() => Err(network),
            Some(_) | None => Ok(()),
        },
        IpAddr::V6(v6) => match of_v6(v6) {
            Some(network) if !is_listed() => Err(network),
            Some(network) => carried(v6, network).map_or(Ok(()), |v4| judge(v4.into(), allowed)),
            None => Ok(()),
        },
    }
}

fn of_v4(address: Ipv4Addr) -> Option<Network> {
    IPV4.iter().find(|(net, _)| net.contains(&address)).map(|(_, network)| *network)
}

fn of_v6(address: Ipv6Addr) -> Option<Network> {
    let named = IPV6.iter().find(|(net, _)| net.contains(&address)).map(|(_, network)| *network);
    named.or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some(Network::Reserved))
}

/// The IPv4 address that is reached by way of `address`.
fn carried(address: Ipv6Addr, network: Network) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let [a, b, c, d] = match network {
        Network::Mapped | Network::Nat64 => [octets[12], octets[13], octets[14], octets[15]],
        Network::SixToFour => [octets[2], octets[3], octets[4], octets[5]],
        Network::Loopback
        | Network::Private
        | Network::CarrierNat
        | Network::LinkLocal
        | Network::Metadata
        | Network::Multicast
        | Network::Reserved => return None,
    };
    Some(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(address: &str, allowed: &[&str]) -> Result<(), Network> {
        let allowed: Vec<IpNet> = allowed.iter().map(|net| net.parse().unwrap()).collect();
        judge(address.parse().unwrap(), &allowed)
    }

    #[test]
    fn a_public_address_may_be_posted_to() {
        for address in
            ["1.1.1.1", "93.184.216.34", "100.63.255.255", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2606:4700::1111"]
        {
            assert_eq!(judged(address, &[]), Ok(()), "{address}");
        }
    }

    #[test]
    fn an_address_that_is_not_public_is_refused_by_name() {
        let table = [
            ("0.0.0.0", Network::Reserved),
            ("10.255.255.255", Network::Private),
            ("100.64.0.1", Network::CarrierNat),
            ("100.100.100.200", Network::Metadata),
            ("127.0.0.1", Network::Loopback),
            ("127.255.0.3", Network::Loopback),
            ("168.63.129.16", Network::Metadata),
            ("169.254.0.1", Network::LinkLocal),
            ("169.254.169.254", Network::Metadata),
            ("172.16.0.1", Network::Private),
            ("172.31.255.255", Network::Private),
            ("192.0.0.192", Network::Metadata),
            ("192.0.2.1", Network::Reserved),
            ("192.88.99.1", Network::SixToFour),
            ("192.168.1.1", Network::Private),
            ("198.19.255.255", Network::Reserved),
            ("224.0.0.1", Network::Multicast),
            ("255.255.255.255", Network::Reserved),
            ("::", Network::Reserved),
            ("::1", Network::Loopback),
            ("::7f00:1", Network::Reserved),
            ("::ffff:93.184.216.34", Network::Mapped),
            ("64:ff9b::7f00:1", Network::Nat64),
            ("64:ff9b:1::a00:1", Network::Nat64),
            ("100::1", Network::Reserved),
            ("2001::1", Network::Reserved),
            ("2001:db8::1", Network::Reserved),
            ("2002:a00:1::", Network::SixToFour),
            ("3fff::1", Network::Reserved),
            ("4000::1", Network::Reserved),
            ("fc00::1", Network::Private),
            ("fd00:ec2::254", Network::Metadata),
            ("fe80::1", Network::LinkLocal),
            ("fec0::1", Network::Reserved),
            ("ff02::1", Network::Multicast),
        ];
        for (address, network) in table {
            assert_eq!(judged(address, &[]), Err(network), "{address}");
        }
    }

    #[test]
    fn what_the_operator_lists_may_be_posted_to_and_no_more() {
        assert_eq!(judged("10.1.2.3", &["10.1.0.0/16"]), Ok(()));
        assert_eq!(judged("10.2.2.3", &["10.1.0.0/16"]), Err(Network::Private));
        assert_eq!(judged("fd00::1", &["fd00::/16"]), Ok(()));
        assert_eq!(judged("::1", &["127.0.0.0/8"]), Err(Network::Loopback));
    }

    #[test]
    fn a_way_to_ipv4_that_is_listed_leads_only_where_ipv4_may_go() {
        assert_eq!(judged("64:ff9b::5db8:d822", &["64:ff9b::/96"]), Ok(()));
        assert_eq!(judged("64:ff9b::a9fe:a9fe", &["64:ff9b::/96"]), Err(Network::Metadata));
        assert_eq!(judged("2002:a00:1::", &["::/0"]), Err(Network::Private));
        assert_eq!(judged("::ffff:127.0.0.1", &["127.0.0.0/8"]), Err(Network::Mapped));
        assert_eq!(judged("::ffff:127.0.0.1", &["127.0.0.0/8", "::ffff:0:0/96"]), Ok(()));
    }
}
