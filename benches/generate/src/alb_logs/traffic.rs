//! What is asked in an interval.

use std::io;

use super::balancer::Balancer;
use super::client::Client;
use super::exchange::{Exchange, Host, Outcome, Protocol, Request};
use super::node::Node;
use super::site::{Hole, PROBES, Route, WORDS};
use crate::ids::{push_hex, push_uuid};
use crate::plan::Interval;
use crate::random::{Random, Subject};
use crate::template::Template;
use crate::text::{push, push_decimal, push_padded};
use crate::zipf::Zipf;

/// Lines of a node are nearly in order.
const DISORDER_SECONDS: u64 = 2;

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
        let node = Node {
            balancer,
            address: balancer.nodes[node],
            outage: balancer.outage(self.seed, interval.start),
        };
        for row in 0..interval.rows {
            let time = interval.moment(row, DISORDER_SECONDS, random);
            let event = random.weighted(&EVENTS);
            let asked = self.ask(event, &node, random);
            let outcome = node.outcome(&asked, &self.path, time, random);
            let (received, sent) = sizes(&asked, &self.path, &outcome, random);
            emit(&Exchange {
                balancer,
                node: node.address,
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
    fn ask<'a>(&mut self, event: Event, node: &Node<'a>, random: &mut Random) -> Asked<'a> {
        let site = node.balancer.site;
        let host = Host::Name(site.host);
        self.path.clear();
        match event {
            Event::Visit | Event::Plain => {
                let client = Client::of_rank(self.seed, self.clients.sample(random));
                let index = random.weighted_index(&site.routes);
                let route = &site.routes[index].1;
                self.push_path(&node.balancer.paths[index], random);
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
                    let host = random.one_of(&[host, Host::Address(node.address)]);
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
pub(super) struct Asked<'a> {
    client: Client,
    pub(super) protocol: Protocol,
    /// Method and host; None when it is no HTTP.
    pub(super) request: Option<(&'static str, Host)>,
    /// None when nobody should ask for it.
    pub(super) route: Option<&'a Route>,
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
