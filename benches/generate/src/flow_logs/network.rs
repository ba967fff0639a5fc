//! The network that logs: accounts and regions, their VPCs, subnets and network interfaces.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::ids::resource_id;
use crate::places::{Region, account_id};
use crate::random::{Random, Subject};

const ZONES: u64 = 3;
const INTERFACES_PER_VPC: u64 = 400;

/// What runs behind an interface; the text is a tag's value, percent-encoded.
const ROLES: [&str; 8] = [
    "web",
    "api",
    "orders%20api",
    "worker",
    "database",
    "cache",
    "search",
    "batch%20jobs",
];

/// One account in one region: it has its own flow log, and so its own objects.
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: &'static str,
    pub(super) flow_log: String,
    pub(super) interfaces: Vec<Interface>,
}

/// A network interface (ENI) with its fixed addresses.
pub(super) struct Interface {
    pub(super) id: String,
    pub(super) vpc: String,
    pub(super) subnet: String,
    pub(super) zone: String,
    pub(super) address: Ipv4Addr,
    pub(super) address_v6: Ipv6Addr,
    pub(super) role: &'static str,
    pub(super) workload: Workload,
    /// Whether pods with secondary addresses send through it, which only `pkt-srcaddr` and
    /// `pkt-dstaddr` show.
    pub(super) carries_pods: bool,
}

/// What an interface is attached to.
pub(super) enum Workload {
    /// An EC2 instance, by its id.
    Instance(String),
    /// An ECS task on Fargate, by its id.
    Task(String),
}

impl Place {
    pub(super) fn new(seed: u64, index: u64, account: u64, region: u64, interfaces: u64) -> Self {
        let Region {
            name: region,
            zone_prefix,
        } = Region::of(region);
        let interfaces = (0..interfaces)
            .map(|i| Interface::new(seed, index, zone_prefix, i, interfaces))
            .collect();
        Self {
            account: account_id(account),
            region,
            flow_log: resource_id("fl", &mut Random::keyed(seed, Subject::FlowLog, index)),
            interfaces,
        }
    }
}

impl Interface {
    /// The `i`th interface of `count` in a place, dealt out over its VPCs and zones in turn.
    fn new(seed: u64, place: u64, zone_prefix: &str, i: u64, count: u64) -> Self {
        let vpcs = count.div_ceil(INTERFACES_PER_VPC) + 1;
        let (vpc, zone) = (i % vpcs, i / vpcs % ZONES);
        let host = i / vpcs / ZONES;
        let vpc_key = place << 32 | vpc;
        let subnet_key = vpc_key << 2 | zone;
        let mut random = Random::keyed(seed, Subject::Interface, place << 32 | i);
        let mut vpc_random = Random::keyed(seed, Subject::Vpc, vpc_key);
        Self {
            id: resource_id("eni", &mut random),
            vpc: resource_id("vpc", &mut vpc_random),
            subnet: resource_id(
                "subnet",
                &mut Random::keyed(seed, Subject::Subnet, subnet_key),
            ),
            zone: format!("{zone_prefix}-az{}", zone + 1),
            address: private_address(place, vpc, zone, host),
            address_v6: ipv6_address(vpc_random.next(), zone, random.next()),
            role: ROLES[(i % ROLES.len() as u64) as usize],
            workload: if random.chance(150_000) {
                Workload::Task(format!("{:016x}{:016x}", random.next(), random.next()))
            } else {
                Workload::Instance(resource_id("i", &mut random))
            },
            carries_pods: random.chance(100_000),
        }
    }

    pub(super) fn address(&self, ipv6: bool) -> IpAddr {
        if ipv6 {
            self.address_v6.into()
        } else {
            self.address.into()
        }
    }

    /// The secondary address of one of this interface's pods: in its subnet's upper half, where no
    /// primary address lies.
    pub(super) fn pod_address(&self, pod: u64) -> Ipv4Addr {
        let [a, b, c, d] = self.address.octets();
        Ipv4Addr::new(a, b, c | 8, d.wrapping_add((pod % 8) as u8 * 29))
    }
}

/// A VPC is a /16 of 10.0.0.0/8, a zone's subnet a /20 of it. Its hosts are scattered over the
/// lower half: 37 and 2039 are prime, so no two of 2039 hosts get the same address.
fn private_address(place: u64, vpc: u64, zone: u64, host: u64) -> Ipv4Addr {
    let offset = 4 + host * 37 % 2039;
    Ipv4Addr::new(
        10,
        ((place * 31 + vpc) % 256) as u8,
        (zone * 16 + offset / 256) as u8,
        (offset % 256) as u8,
    )
}

/// A VPC has a /56 of Amazon's, a subnet a /64 of it.
fn ipv6_address(vpc: u64, zone: u64, host: u64) -> Ipv6Addr {
    let [v0, v1, v2, _] = segments(vpc);
    let [h0, h1, h2, h3] = segments(host);
    let subnet = v2 & 0xff00 | zone as u16;
    Ipv6Addr::new(0x2600, 0x1f00 | v0 & 0xff, v1, subnet, h0, h1, h2, h3)
}

fn segments(bits: u64) -> [u16; 4] {
    [0, 16, 32, 48].map(|shift| (bits >> shift) as u16)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn addresses_and_ids_are_unique_in_a_place() {
        let place = Place::new(1, 3, 0, 0, 5_000);
        let addresses: HashSet<_> = place.interfaces.iter().map(|i| i.address).collect();
        let ids: HashSet<_> = place.interfaces.iter().map(|i| &i.id).collect();
        let vpcs: HashSet<_> = place.interfaces.iter().map(|i| &i.vpc).collect();
        let subnets: HashSet<_> = place.interfaces.iter().map(|i| &i.subnet).collect();
        assert_eq!((addresses.len(), ids.len()), (5_000, 5_000));
        assert_eq!((vpcs.len(), subnets.len()), (14, 42));
    }
}
