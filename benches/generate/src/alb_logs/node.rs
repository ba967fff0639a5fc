//! What a node of a load balancer does with a request.

use std::net::IpAddr;

use super::balancer::{Balancer, Outage, TargetGroup};
use super::exchange::{Answer, Host, Outcome, Protocol};
use super::site::{Answers, Guard, LEGACY, Route};
use super::traffic::Asked;
use crate::random::Random;

/// The load balancer waits no longer for a target.
const IDLE_TIMEOUT_MICROS: u64 = 60_000_000;

/// The load balancer waits no longer for a connection to a target.
const CONNECT_TIMEOUT_MICROS: u64 = 10_000_000;

const SLOW_FACTOR: u64 = 8;

// Status codes of targets, by weights per mille.
const CACHED: [(u32, u16); 4] = [(760, 200), (215, 304), (20, 404), (5, 403)];
const READ: [(u32, u16); 6] = [
    (930, 200),
    (15, 301),
    (35, 404),
    (10, 403),
    (6, 400),
    (4, 500),
];
const WRITE: [(u32, u16); 7] = [
    (620, 200),
    (230, 201),
    (80, 204),
    (40, 400),
    (15, 403),
    (8, 409),
    (7, 500),
];

// Parts per million.
const CLIENT_LEAVES: u32 = 1_500;
const SIGNED_OUT: u32 = 60_000;
const PROBE_BLOCKED: u32 = 600_000;

/// A page that does not exist is found out soon.
const PROBE_MICROS: u64 = 2_000;

/// What happens at a target that is out of order, with the microseconds that it takes: it resets
/// connections, does not answer them, or has been taken out.
const FAILURES: [(u32, (u16, u64)); 3] = [
    (600, (502, 1_000)),
    (300, (504, CONNECT_TIMEOUT_MICROS)),
    (100, (503, 0)),
];

/// A node of a load balancer in one interval.
pub(super) struct Node<'a> {
    pub(super) balancer: &'a Balancer,
    pub(super) address: IpAddr,
    pub(super) outage: Option<Outage>,
}

impl<'a> Node<'a> {
    /// What becomes of a request for a path that is answered at a time in Unix microseconds.
    pub(super) fn outcome(
        &self,
        asked: &Asked<'_>,
        path: &[u8],
        time: u64,
        random: &mut Random,
    ) -> Outcome<'a> {
        let guard = self.balancer.site.guard;
        match (asked.request, asked.route) {
            (None, _) => without_target(400, "-", random),
            _ if asked.protocol == Protocol::Http => Outcome {
                redirected: true,
                ..without_target(301, "redirect", random)
            },
            (_, None) if guard == Guard::Firewall && random.chance(PROBE_BLOCKED) => {
                without_target(403, "waf", random)
            }
            (Some((_, Host::Address(_))), None) => without_target(404, "fixed-response", random),
            (_, None) if guard == Guard::SignIn => without_target(302, "authenticate", random),
            _ if guard == Guard::SignIn && random.chance(SIGNED_OUT) => {
                without_target(302, "authenticate", random)
            }
            _ => Outcome {
                actions: match guard {
                    Guard::Firewall => "waf,forward",
                    Guard::SignIn => "authenticate,forward",
                    Guard::Nothing if path.starts_with(LEGACY.as_bytes()) => "rewrite,forward",
                    Guard::Nothing => "forward",
                },
                ..self.forward(asked.route, time, random)
            },
        }
    }

    fn forward(&self, route: Option<&Route>, time: u64, random: &mut Random) -> Outcome<'a> {
        let index = route.map_or(0, |route| route.group);
        let group = &self.balancer.groups[index];
        let target = random.below(group.targets.len() as u64) as usize;
        let fails = self
            .outage
            .as_ref()
            .is_some_and(|outage| outage.holds(index, target, time));
        if fails {
            return failed(group, target, random);
        }
        let target = group.targets.get(target);
        let forwarded = Outcome {
            group: Some(group),
            target: target.map(|target| target.address.as_str()),
            ..without_target(504, "forward", random)
        };
        let least = route.map_or(PROBE_MICROS, |route| route.micros);
        let slow = target.is_some_and(|target| target.slow);
        let factor = if slow { SLOW_FACTOR } else { 1 };
        // Beyond any timeout whatever the factor, and far from the end of the integers.
        let micros = (least as f64 * random.pareto()).min(1e9) as u64 * factor;
        if micros > IDLE_TIMEOUT_MICROS {
            return Outcome {
                lasted: IDLE_TIMEOUT_MICROS,
                ..forwarded
            };
        }
        if random.chance(CLIENT_LEAVES) {
            return Outcome {
                status: 460,
                lasted: micros,
                ..forwarded
            };
        }
        let answer = Answer::after(micros, status(route, random), random);
        Outcome {
            status: answer.status,
            lasted: answer.lasted(),
            answer: Some(answer),
            ..forwarded
        }
    }
}

/// An outcome that no target has had a part in.
fn without_target<'a>(status: u16, actions: &'static str, random: &mut Random) -> Outcome<'a> {
    Outcome {
        status,
        lasted: random.below(1_500),
        actions,
        error: "-",
        redirected: false,
        group: None,
        target: None,
        answer: None,
    }
}

/// What becomes of a request to a target that is out of order.
fn failed<'a>(group: &'a TargetGroup, target: usize, random: &mut Random) -> Outcome<'a> {
    let (status, lasted) = random.weighted(&FAILURES);
    let target = group.targets.get(target);
    Outcome {
        status: if target.is_some() { status } else { 502 },
        lasted: lasted + random.below(3_000),
        error: if target.is_some() {
            "-"
        } else {
            "LambdaUnhandled"
        },
        group: Some(group),
        // There is none to name when no connection came about.
        target: target
            .filter(|_| status != 503 && random.chance(500_000))
            .map(|target| target.address.as_str()),
        ..without_target(status, "forward", random)
    }
}

fn status(route: Option<&Route>, random: &mut Random) -> u16 {
    match route.map(|route| route.answers) {
        Some(Answers::Cached) => random.weighted(&CACHED),
        Some(Answers::Read) => random.weighted(&READ),
        Some(Answers::Write) => random.weighted(&WRITE),
        None => 404,
    }
}
