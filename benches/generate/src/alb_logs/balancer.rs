//! Load balancers: their nodes, their target groups, and when a target of theirs fails.

use std::net::{IpAddr, Ipv4Addr};

use super::site::{Group, Hole, Site, Targets};
use crate::ids::uuid;
use crate::internet::client_address;
use crate::places::{Region, account_id};
use crate::plan::INTERVAL_SECONDS;
use crate::random::{Random, Subject};
use crate::template::Template;

/// A load balancer has a node in each of its zones.
pub(super) const NODES: usize = 2;

/// One target in so many is slow.
const SLOW_ONE_IN: u64 = 7;

/// A load balancer.
pub(super) struct Balancer {
    pub(super) site: &'static Site,
    pub(super) account: String,
    pub(super) region: &'static str,
    /// `app/<name>/<id>`, as a line has it.
    pub(super) elb: String,
    pub(super) nodes: [IpAddr; NODES],
    pub(super) certificate: String,
    pub(super) groups: Vec<TargetGroup>,
    /// The paths of the site's routes.
    pub(super) paths: Vec<Template<Hole>>,
    index: u64,
}

/// A target group.
pub(super) struct TargetGroup {
    pub(super) arn: String,
    pub(super) rule: u16,
    /// None when it is a Lambda function.
    pub(super) targets: Vec<Target>,
}

/// A target with an address.
pub(super) struct Target {
    /// `<address>:<port>`.
    pub(super) address: String,
    pub(super) slow: bool,
}

/// A time in which one target does not answer.
pub(super) struct Outage {
    group: usize,
    target: usize,
    /// Unix microseconds.
    from: u64,
    until: u64,
}

impl Balancer {
    pub(super) fn new(
        seed: u64,
        index: u64,
        site: &'static Site,
        account: u64,
        region: u64,
    ) -> Self {
        let mut random = Random::keyed(seed, Subject::Balancer, index);
        let account = account_id(account);
        let region = Region::of(region).name;
        let nodes = [(); NODES].map(|()| client_address(&mut random, false));
        Self {
            elb: format!("app/{}/{:016x}", site.name, random.next()),
            certificate: format!(
                "arn:aws:acm:{region}:{account}:certificate/{}",
                uuid(&mut random)
            ),
            groups: (0..)
                .zip(site.groups)
                .map(|(i, group)| {
                    let key = index << 8 | i;
                    let mut random = Random::keyed(seed, Subject::TargetGroup, key);
                    TargetGroup::new(&mut random, group, region, &account)
                })
                .collect(),
            paths: site
                .routes
                .iter()
                .map(|(_, route)| Template::parse(route.path, Hole::named))
                .collect(),
            site,
            account,
            region,
            nodes,
            index,
        }
    }

    /// The outage in the interval that begins then, if there is one: the same at all nodes.
    pub(super) fn outage(&self, seed: u64, interval_start: u64) -> Option<Outage> {
        const MICROS: u64 = 1_000_000;
        let key = (self.index << 32) | (interval_start / INTERVAL_SECONDS);
        let mut random = Random::keyed(seed, Subject::Outage, key);
        if !random.chance(300_000) {
            return None;
        }
        let group = random.below(self.groups.len() as u64) as usize;
        let target = random.below(self.groups[group].targets.len() as u64) as usize;
        let seconds = random.between(30, 120);
        let from = (interval_start + random.below(INTERVAL_SECONDS - seconds)) * MICROS;
        Some(Outage {
            group,
            target,
            from,
            until: from + seconds * MICROS,
        })
    }
}

impl Outage {
    /// Whether the target with this index in the group with this index is out of order.
    pub(super) fn holds(&self, group: usize, target: usize, unix_micros: u64) -> bool {
        (self.group, self.target) == (group, target)
            && (self.from..self.until).contains(&unix_micros)
    }
}

impl TargetGroup {
    fn new(random: &mut Random, group: &Group, region: &str, account: &str) -> Self {
        let (count, port) = match group.targets {
            Targets::Instances { count, port } => (count, port),
            Targets::Lambda => (0, 0),
        };
        let network = random.below(200) as u8;
        Self {
            arn: format!(
                "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{}/{:016x}",
                group.name,
                random.next()
            ),
            rule: group.rule,
            targets: (0..count)
                .map(|i| {
                    // Spread over the subnets of the zones, and never twice the same.
                    let zone = (i % NODES as u64 * 16) as u8;
                    let address = Ipv4Addr::new(10, network, zone, (20 + i * 31 % 200) as u8);
                    Target {
                        address: format!("{address}:{port}"),
                        slow: random.below(SLOW_ONE_IN) == 0,
                    }
                })
                .collect(),
        }
    }
}
