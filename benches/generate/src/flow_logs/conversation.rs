//! Who talks to whom: conversations between our interfaces and the internet, and among our own.
//!
//! A conversation is a function of the seed and its number, so that it recurs without being stored.

use std::net::IpAddr;

use super::network::{Interface, Place};
use crate::internet::PublicHost;
use crate::random::{Random, Subject};
use crate::zipf::Zipf;

pub(super) const ICMP: u8 = 1;
pub(super) const ICMP_V6: u8 = 58;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;

/// One end of a conversation.
#[derive(Clone, Copy)]
pub(super) enum Party {
    /// The interface with this index in its place.
    Ours(usize),
    Public(PublicHost),
}

/// Two ends and the ports they use.
pub(super) struct Conversation {
    pub(super) client: Party,
    pub(super) server: Party,
    pub(super) client_port: u16,
    pub(super) server_port: u16,
    pub(super) protocol: u8,
    pub(super) ipv6: bool,
    /// A backup or a copy: millions of packets a minute.
    pub(super) bulk: bool,
    /// Which pod of an interface that carries pods.
    pub(super) pod: u64,
}

impl Conversation {
    /// Whether both ends are our own, so that both log it.
    pub(super) fn is_internal(&self) -> bool {
        matches!((self.client, self.server), (Party::Ours(_), Party::Ours(_)))
    }
}

/// One end as a record shows it.
#[derive(Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) address: IpAddr,
    /// The address in the packets, where the interface's primary address hides a secondary one.
    pub(super) packet_address: IpAddr,
    pub(super) aws_service: Option<&'static str>,
}

impl Conversation {
    pub(super) fn endpoint(&self, party: Party, place: &Place) -> Endpoint {
        match party {
            Party::Ours(index) => self.our_endpoint(&place.interfaces[index]),
            Party::Public(host) => Endpoint {
                address: host.address,
                packet_address: host.address,
                aws_service: host.aws_service,
            },
        }
    }

    fn our_endpoint(&self, interface: &Interface) -> Endpoint {
        let address = interface.address(self.ipv6);
        // Between two interfaces both see the same packets, so that a pod's address would be one
        // end's `srcaddr` and hidden at the other: left out, both ends must show one 5-tuple.
        let pod = interface.carries_pods && !self.ipv6 && !self.is_internal();
        Endpoint {
            address,
            packet_address: if pod {
                interface.pod_address(self.pod).into()
            } else {
                address
            },
            aws_service: None,
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Outbound,
    Inbound,
    Internal,
}

const KINDS: [(u32, Kind); 3] = [
    (45, Kind::Outbound),
    (25, Kind::Inbound),
    (30, Kind::Internal),
];

/// Parts per million.
const IPV6: u32 = 40_000;
const BULK: u32 = 1_000;

// Weights are per mille of a kind's conversations.
const OUTBOUND: [(u32, (u8, u16)); 8] = [
    (700, (TCP, 443)),
    (110, (TCP, 80)),
    (60, (UDP, 53)),
    (50, (UDP, 443)),
    (40, (UDP, 123)),
    (10, (TCP, 587)),
    (10, (TCP, 22)),
    (20, (ICMP, 0)),
];
const INBOUND: [(u32, (u8, u16)); 6] = [
    (720, (TCP, 443)),
    (190, (TCP, 80)),
    (30, (TCP, 22)),
    (30, (TCP, 8443)),
    (20, (UDP, 1194)),
    (10, (ICMP, 0)),
];
const INTERNAL: [(u32, (u8, u16)); 12] = [
    (210, (TCP, 443)),
    (150, (UDP, 53)),
    (140, (TCP, 5432)),
    (130, (TCP, 3306)),
    (100, (TCP, 6379)),
    (100, (TCP, 8080)),
    (50, (TCP, 9092)),
    (40, (TCP, 9200)),
    (30, (TCP, 2049)),
    (20, (TCP, 27017)),
    (15, (TCP, 22)),
    (15, (ICMP, 0)),
];
/// What scanners try; the rest is any port below 1024.
const SCANNED: [(u32, u16); 10] = [
    (200, 22),
    (180, 23),
    (120, 445),
    (120, 3389),
    (60, 8080),
    (50, 5900),
    (40, 1433),
    (40, 6379),
    (40, 2375),
    (150, 0),
];
/// Ports that a network ACL keeps our own hosts from.
const BLOCKED: [(u32, (u8, u16)); 4] = [
    (400, (TCP, 25)),
    (300, (TCP, 445)),
    (200, (TCP, 6667)),
    (100, (UDP, 161)),
];

/// Those who may talk, and how often each does.
pub(super) struct Population {
    seed: u64,
    interfaces: Zipf,
    interface_count: u64,
    public_hosts: Zipf,
    public_host_count: u64,
    scanners: Zipf,
}

impl Population {
    pub(super) fn new(seed: u64, interfaces: u64, public_hosts: u64) -> Self {
        Self {
            seed,
            interfaces: Zipf::new(interfaces),
            interface_count: interfaces,
            public_hosts: Zipf::new(public_hosts),
            public_host_count: public_hosts,
            scanners: Zipf::new(public_hosts / 8),
        }
    }

    /// The conversation with this number in a place.
    pub(super) fn conversation(&self, place: usize, number: u64) -> Conversation {
        let key = number.wrapping_add((place as u64) << 40);
        let random = &mut Random::keyed(self.seed, Subject::Connection, key);
        let ipv6 = random.chance(IPV6);
        let (client, server, (protocol, port)) = match random.weighted(&KINDS) {
            Kind::Outbound => {
                let client = self.frequent_interface(random, 0);
                let server = self.public_server(random, ipv6);
                let service = match server.aws_service {
                    Some(_) => (TCP, 443),
                    None => random.weighted(&OUTBOUND),
                };
                (Party::Ours(client), Party::Public(server), service)
            }
            Kind::Inbound => {
                let service = random.weighted(&INBOUND);
                let client = self.public_client(random, ipv6);
                let server = self.frequent_interface(random, service.1);
                (Party::Public(client), Party::Ours(server), service)
            }
            Kind::Internal => {
                let service = random.weighted(&INTERNAL);
                let client = self.frequent_interface(random, 0);
                let server = self.frequent_interface_but(random, service.1, client);
                (Party::Ours(client), Party::Ours(server), service)
            }
        };
        let mut conversation = between(client, server, protocol, port, ipv6, random);
        conversation.bulk = protocol == TCP && random.chance(BULK);
        conversation
    }

    /// A stranger who tries a port of one of ours.
    pub(super) fn scan(&self, random: &mut Random) -> Conversation {
        let ipv6 = random.chance(IPV6);
        let rank = self.scanners.sample(random) + 2 * self.public_host_count;
        let scanner = PublicHost::of_rank(self.seed, rank, ipv6);
        let target = random.below(self.interface_count) as usize;
        let port = match random.weighted(&SCANNED) {
            0 => random.between(1, 1_023) as u16,
            port => port,
        };
        between(
            Party::Public(scanner),
            Party::Ours(target),
            TCP,
            port,
            ipv6,
            random,
        )
    }

    /// One of ours that tries what it may not.
    pub(super) fn blocked(&self, random: &mut Random) -> Conversation {
        let ipv6 = random.chance(IPV6);
        let client = Party::Ours(self.frequent_interface(random, 0));
        let server = Party::Public(self.public_server(random, ipv6));
        let (protocol, port) = random.weighted(&BLOCKED);
        between(client, server, protocol, port, ipv6, random)
    }

    /// Every service has its own order of the interfaces, so that a database is one for everybody.
    fn frequent_interface(&self, random: &mut Random, port: u16) -> usize {
        let rank = self.interfaces.sample(random) - 1;
        ((rank + u64::from(port)) % self.interface_count) as usize
    }

    fn frequent_interface_but(&self, random: &mut Random, port: u16, other: usize) -> usize {
        let index = self.frequent_interface(random, port);
        if index == other {
            (index + 1) % self.interface_count as usize
        } else {
            index
        }
    }

    fn public_server(&self, random: &mut Random, ipv6: bool) -> PublicHost {
        PublicHost::of_rank(self.seed, self.public_hosts.sample(random), ipv6)
    }

    fn public_client(&self, random: &mut Random, ipv6: bool) -> PublicHost {
        let rank = self.public_hosts.sample(random) + self.public_host_count;
        PublicHost::of_rank(self.seed, rank, ipv6)
    }
}

fn between(
    client: Party,
    server: Party,
    protocol: u8,
    server_port: u16,
    ipv6: bool,
    random: &mut Random,
) -> Conversation {
    let icmp = protocol == ICMP;
    Conversation {
        client,
        server,
        client_port: if icmp { 0 } else { ephemeral_port(random) },
        server_port,
        protocol: if icmp && ipv6 { ICMP_V6 } else { protocol },
        ipv6,
        bulk: false,
        pod: random.below(8),
    }
}

/// Linux takes client ports from 32768 on, other systems from 49152 on.
fn ephemeral_port(random: &mut Random) -> u16 {
    if random.chance(800_000) {
        random.between(32_768, 60_999) as u16
    } else {
        random.between(49_152, 65_535) as u16
    }
}
