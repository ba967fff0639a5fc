//! What is asked in an interval, and what comes back.

use std::io;
use std::net::IpAddr;

use super::balancer::{Balancer, Outage, TargetGroup};
use super::client::Client;
use super::exchange::{Answer, Exchange, Host, Outcome, Protocol, Request};
use super::site::{Answers, Guard, Hole, LEGACY, PROBES, Route, WORDS};
use crate::ids::{push_hex, push_uuid};
use crate::plan::Interval;
use crate::random::{Random, Subject};
use crate::template::Template;
use crate::text::{push, push_decimal, push_padded};
use crate::zipf::Zipf;

/// Lines of a node are nearly in order.
const DISORDER_SECONDS: u64 = 2;

/// The load balancer waits no longer for a target.
const IDLE_TIMEOUT_MICROS: u64 = 60_000_000;

/// The load balancer waits no longer for a connection to a target.
const CONNECT_TIMEOUT_MICROS: u64 = 10_000_000;

const SLOW_FACTOR: u64 = 8;

#[derive(Clone, Copy)]
enum Event {
    Visit,
    /// A visit by HTTP, which is sent to HTTPS.
    Plain,
    Scan,
    /// Bytes that are no HTTP.
    Noise,
}

const EVENTS: [(u32, Event); 4] = [
    (940, Event::Visit),
    (32, Event::Plain),
    (26, Event::Scan),
    (2, Event::Noise),
];

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

/// Who asks, and what for.
pub(super) struct Traffic {
    seed: u64,
    clients: Zipf,
    scanners: Zipf,
    items: Zipf,
    words: Zipf,
    /// The path of the request at hand.
    path: Vec<u8>,
}

impl Traffic {
    /// Traffic of about so many requests.
    pub(super) fn new(seed: u64, rows: u64) -> Self {
        Self {
            seed,
            clients: Zipf::new((rows / 40).max(64)),
            scanners: Zipf::new((rows / 20_000).max(3)),
            items: Zipf::new((rows / 50).clamp(200, 100_000)),
            words: Zipf::new(WORDS.len() as u64),
            path: Vec::new(),
        }
    }

    /// Emits the exchanges of one node of a load balancer in one interval.
    pub(super) fn interval(
        &mut self,
        interval: &Interval,
        balancer: &Balancer,
        node: usize,
        mut emit: impl FnMut(&Exchange<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let random = &mut Random::keyed(self.seed, Subject::Events, interval.object);
        let place = Place {
            balancer,
            node: balancer.nodes[node],
            outage: balancer.outage(self.seed, interval.start),
        };
        for row in 0..interval.rows {
            let time = interval.moment(row, DISORDER_SECONDS, random);
            let event = random.weighted(&EVENTS);
            let asked = self.ask(event, &place, random);
            let outcome = place.outcome(event, &asked, &self.path, time, random);
            let (received, sent) = sizes(&asked, &self.path, &outcome, random);
            emit(&Exchange {
                balancer,
                node: place.node,
                time,
                protocol: asked.protocol,
                connection: asked.client.connection(self.seed, time),
                client: &asked.client,
                request: asked.request.map(|(method, host)| Request {
                    method,
                    host,
                    path: &self.path,
                }),
                outcome,
                received,
                sent,
                trace: [random.next(), random.next()],
            })?;
        }
        Ok(())
    }

    /// Draws a request, and leaves its path in `self.path`.
    fn ask<'a>(&mut self, event: Event, place: &Place<'a>, random: &mut Random) -> Asked<'a> {
        let site = place.balancer.site;
        let host = Host::Name(site.host);
        self.path.clear();
        match event {
            Event::Visit | Event::Plain => {
                let client = Client::of_rank(self.seed, self.clients.sample(random));
                let index = random.weighted_index(&site.routes);
                let route = &site.routes[index].1;
                self.push_path(&place.balancer.paths[index], random);
                Asked {
                    protocol: match event {
                        Event::Plain => Protocol::Http,
                        _ if client.http2 => Protocol::Http2,
                        _ => Protocol::Https,
                    },
                    client,
                    request: Some((route.method, host)),
                    route: Some(route),
                }
            }
            Event::Scan | Event::Noise => {
                let request = matches!(event, Event::Scan).then(|| {
                    push(&mut self.path, random.weighted(&PROBES));
                    let host = random.one_of(&[host, Host::Address(place.node)]);
                    ("GET", host)
                });
                Asked {
                    client: Client::scanner(self.seed, self.scanners.sample(random)),
                    protocol: random.one_of(&[Protocol::Http, Protocol::Https, Protocol::Https]),
                    request,
                    route: None,
                }
            }
        }
    }

    fn push_path(&mut self, template: &Template<Hole>, random: &mut Random) {
        let Self {
            clients,
            items,
            words,
            path,
            ..
        } = self;
        template.fill(path, |out, hole| match hole {
            Hole::Item => push_decimal(out, 10_000 + items.sample(random)),
            Hole::User => push_decimal(out, 500_000 + clients.sample(random) * 7),
            Hole::Order => push_uuid(out, random),
            // Of as many files as a release has.
            Hole::Hash => {
                let file = words.sample(random);
                push_hex(out, file.wrapping_mul(0x9e37_79b9_7f4a_7c15), 16);
            }
            Hole::Word => push(out, WORDS[words.sample(random) as usize - 1]),
            Hole::Page => push_decimal(out, words.sample(random)),
            Hole::Day => push_padded(out, random.between(1, 31), 2),
        });
    }
}

/// What is asked of a load balancer.
struct Asked<'a> {
    client: Client,
    protocol: Protocol,
    /// Method and host; None when it is no HTTP.
    request: Option<(&'static str, Host)>,
    /// None when nobody should ask for it.
    route: Option<&'a Route>,
}

/// A node of a load balancer in one interval.
struct Place<'a> {
    balancer: &'a Balancer,
    node: IpAddr,
    outage: Option<Outage>,
}

impl<'a> Place<'a> {
    fn outcome(
        &self,
        event: Event,
        asked: &Asked<'_>,
        path: &[u8],
        time: u64,
        random: &mut Random,
    ) -> Outcome<'a> {
        let guard = self.balancer.site.guard;
        match (event, asked.request) {
            (Event::Noise, _) => without_target(400, "-", random),
            _ if asked.protocol == Protocol::Http => Outcome {
                redirected: true,
                ..without_target(301, "redirect", random)
            },
            (Event::Scan, _) if guard == Guard::Firewall && random.chance(PROBE_BLOCKED) => {
                without_target(403, "waf", random)
            }
            (Event::Scan, Some((_, Host::Address(_)))) => {
                without_target(404, "fixed-response", random)
            }
            (Event::Scan, _) if guard == Guard::SignIn => {
                without_target(302, "authenticate", random)
            }
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

/// Bytes received and sent.
fn sizes(asked: &Asked<'_>, path: &[u8], outcome: &Outcome<'_>, random: &mut Random) -> (u64, u64) {
    let Some((method, _)) = asked.request else {
        return (0, 272);
    };
    let headers = 60 + (path.len() + asked.client.user_agent.len()) as u64 + random.below(400);
    let body = match method {
        "POST" | "PUT" | "PATCH" => (200.0 * random.pareto()) as u64,
        _ => 0,
    };
    let answer = match (outcome.status, asked.route) {
        (200 | 201, Some(route)) if method != "HEAD" => {
            (route.bytes as f64 * (0.4 + 0.15 * random.pareto())) as u64
        }
        (200 | 201 | 204 | 304, _) => 0,
        _ => random.between(100, 700),
    };
    (headers + body, 150 + random.below(250) + answer)
}
