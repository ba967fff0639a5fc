//! Everything outside our network: AWS's public services and other people's hosts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::random::{Random, Subject};

/// Services as `pkt-dst-aws-service` names them, each with the start of a /16 of its own ranges
/// (<https://ip-ranges.amazonaws.com/ip-ranges.json>) and a share per mille of the public hosts.
const SERVICES: [(u32, Option<Service>); 6] = [
    (700, None),
    (
        90,
        Some(Service {
            name: "S3",
            prefix: [52, 216],
        }),
    ),
    (
        60,
        Some(Service {
            name: "AMAZON",
            prefix: [54, 239],
        }),
    ),
    (
        30,
        Some(Service {
            name: "DYNAMODB",
            prefix: [52, 94],
        }),
    ),
    (
        80,
        Some(Service {
            name: "EC2",
            prefix: [3, 208],
        }),
    ),
    (
        40,
        Some(Service {
            name: "CLOUDFRONT",
            prefix: [13, 224],
        }),
    ),
];

#[derive(Clone, Copy)]
struct Service {
    name: &'static str,
    prefix: [u8; 2],
}

/// A host outside our network.
#[derive(Clone, Copy)]
pub(crate) struct PublicHost {
    pub(crate) address: IpAddr,
    pub(crate) aws_service: Option<&'static str>,
}

impl PublicHost {
    /// The host of one rank: the same whenever it recurs. A rank has two addresses, one of either
    /// version.
    pub(crate) fn of_rank(seed: u64, rank: u64, ipv6: bool) -> Self {
        let mut random = Random::keyed(seed, Subject::PublicHost, rank);
        let service = random.weighted(&SERVICES);
        let bits = random.next();
        Self {
            address: match (ipv6, service) {
                (true, service) => ipv6_address(bits, service.is_some()).into(),
                (false, Some(Service { prefix: [a, b], .. })) => {
                    let [c, d, ..] = bits.to_be_bytes();
                    Ipv4Addr::new(a, b, c, d).into()
                }
                (false, None) => unicast_address(bits, &mut random).into(),
            },
            aws_service: service.map(|service| service.name),
        }
    }
}

/// The address of a client somewhere on the internet.
pub(crate) fn client_address(random: &mut Random, ipv6: bool) -> IpAddr {
    let bits = random.next();
    if ipv6 {
        ipv6_address(bits, false).into()
    } else {
        unicast_address(bits, random).into()
    }
}

/// An address outside the ranges that are reserved, private or multicast.
fn unicast_address(bits: u64, random: &mut Random) -> Ipv4Addr {
    let [_, b, c, d, ..] = bits.to_be_bytes();
    // First octets with a reserved range anywhere in them are left out as a whole.
    let first = loop {
        let octet = random.between(1, 223) as u8;
        if !matches!(octet, 10 | 100 | 127 | 169 | 172 | 192 | 198 | 203) {
            break octet;
        }
    };
    Ipv4Addr::new(first, b, c, d)
}

/// Servers have short interface ids, clients behind privacy extensions long ones.
fn ipv6_address(bits: u64, server: bool) -> Ipv6Addr {
    let [a, b, c, d] = [0, 16, 32, 48].map(|shift| (bits >> shift) as u16);
    if server {
        Ipv6Addr::new(0x2600, 0x9000 | a & 0xfff, b, c, 0, 0, 0, d)
    } else {
        Ipv6Addr::new(0x2a00 | a & 0x0f, b, c, 0, d, a, b ^ d, c ^ d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_recur_and_are_public() {
        for rank in 1..2_000 {
            let host = PublicHost::of_rank(1, rank, false);
            assert_eq!(host.address, PublicHost::of_rank(1, rank, false).address);
            let IpAddr::V4(address) = host.address else {
                panic!("asked for IPv4, got {}", host.address);
            };
            assert!(!address.is_private() && !address.is_loopback() && !address.is_multicast());
            assert!(!address.is_link_local() && !address.is_documentation());
            assert!(PublicHost::of_rank(1, rank, true).address.is_ipv6());
        }
    }
}
