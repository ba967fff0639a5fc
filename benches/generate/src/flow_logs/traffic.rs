//! What happens in an interval, and the records it leaves.
//!
//! Conversations are numbered in the order in which they begin. Each event picks one by its age,
//! and ages follow a power law: new conversations are busy, a few stay so for long. Since age
//! counts conversations and not seconds, the share of distinct flows in the records is the same
//! for a thousand rows an interval and for a million.

use std::io;

use super::conversation::{Conversation, Party, Population, TCP};
use super::network::Place;
use super::record::{Action, Content, Direction, Flow, Record};
use super::volume::{Volume, volumes};
use crate::plan::{INTERVAL_SECONDS, Interval};
use crate::random::{Random, Subject};
use crate::zipf::Zipf;

/// The longest that an end lags behind its record's place in the interval.
const JITTER_SECONDS: u64 = 20;

#[derive(Clone, Copy)]
enum Event {
    /// Records of both directions, at every interface of ours.
    Exchange,
    Scan,
    Blocked,
    NoData,
    SkipData,
}

/// Weights that give 6 % REJECT, 1 % NODATA and 0.1 % SKIPDATA among the records: an exchange
/// leaves 2.6 on average, all others one.
const EVENTS: [(u32, Event); 5] = [
    (83_420, Event::Exchange),
    (12_610, Event::Scan),
    (1_400, Event::Blocked),
    (2_335, Event::NoData),
    (235, Event::SkipData),
];

/// How many conversations begin for each exchange, in parts per million.
const BEGINNINGS: u32 = 300_000;

/// Ages are drawn in steps of this many conversations, lest the newest be picked again at once.
const AGE_STEP: u64 = 64;

/// The state that goes on from one interval to the next.
pub(super) struct Traffic<'a> {
    seed: u64,
    places: &'a [Place],
    population: &'a Population,
    ages: Zipf,
    /// Conversations begun so far, by place.
    begun: Vec<u64>,
}

/// An interval's records and its progress.
struct Progress<'a, W> {
    place: &'a Place,
    start: u64,
    rows: u64,
    written: u64,
    emit: W,
}

impl<'a> Traffic<'a> {
    /// Traffic of about so many records.
    pub(super) fn new(
        seed: u64,
        places: &'a [Place],
        population: &'a Population,
        rows: u64,
    ) -> Self {
        Self {
            seed,
            places,
            population,
            ages: Zipf::new(rows / places.len() as u64 / AGE_STEP / 4),
            begun: vec![0; places.len()],
        }
    }

    /// Emits the records of one object: one place, one interval.
    pub(super) fn interval(
        &mut self,
        interval: &Interval,
        emit: impl FnMut(&Record<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let Interval {
            object,
            source: place,
            start,
            rows,
        } = *interval;
        let mut random = Random::keyed(self.seed, Subject::Events, object);
        let mut interval = Progress {
            place: &self.places[place],
            start,
            rows,
            written: 0,
            emit,
        };
        while interval.written < rows {
            match random.weighted(&EVENTS) {
                Event::Exchange => {
                    let (conversation, stage) = self.pick(place, &mut random);
                    interval.exchange(&conversation, stage, &mut random)?;
                }
                Event::Scan => {
                    interval.rejected(&self.population.scan(&mut random), &mut random)?;
                }
                Event::Blocked => {
                    interval.rejected(&self.population.blocked(&mut random), &mut random)?;
                }
                Event::NoData => interval.without_traffic(Content::NoData, &mut random)?,
                Event::SkipData => interval.without_traffic(Content::SkipData, &mut random)?,
            }
        }
        Ok(())
    }

    fn pick(&mut self, place: usize, random: &mut Random) -> (Conversation, Stage) {
        if random.chance(BEGINNINGS) {
            self.begun[place] += 1;
        }
        let step = self.ages.sample(random) - 1;
        // Numbers below zero wrap: conversations that began before the logs do.
        let number = self.begun[place].wrapping_sub(step * AGE_STEP + random.below(AGE_STEP));
        let stage = match step {
            0 if random.chance(500_000) => Stage::Whole,
            0 => Stage::Opening,
            _ if random.chance(100_000) => Stage::Closing,
            _ => Stage::Middle,
        };
        (self.population.conversation(place, number), stage)
    }
}

impl<W: FnMut(&Record<'_>) -> io::Result<()>> Progress<'_, W> {
    /// Both directions, each logged by every interface of ours that it passes.
    fn exchange(
        &mut self,
        conversation: &Conversation,
        stage: Stage,
        random: &mut Random,
    ) -> io::Result<()> {
        let [request, reply] = volumes(conversation, random);
        for (towards_server, volume) in [(true, request), (false, reply)] {
            let tcp_flags = stage.tcp_flags(conversation.protocol, towards_server);
            for party in [conversation.client, conversation.server] {
                let Party::Ours(index) = party else { continue };
                let flow = self.flow(conversation, towards_server, index, volume);
                let flow = Flow { tcp_flags, ..flow };
                self.emit(index, Content::Flow(flow), random)?;
            }
        }
        Ok(())
    }

    /// The first packets of a conversation that is not let through: nothing comes back.
    fn rejected(&mut self, conversation: &Conversation, random: &mut Random) -> io::Result<()> {
        let ((Party::Ours(index), _) | (_, Party::Ours(index))) =
            (conversation.client, conversation.server)
        else {
            return Ok(());
        };
        let packets = random.between(1, 3);
        let bytes = packets
            * if conversation.ipv6 {
                60
            } else {
                random.between(10, 15) * 4
            };
        let flow = Flow {
            action: if random.chance(20_000) {
                Action::RejectPublicAccess
            } else {
                Action::Reject
            },
            tcp_flags: Stage::Opening.tcp_flags(conversation.protocol, true),
            ..self.flow(conversation, true, index, Volume { packets, bytes })
        };
        self.emit(index, Content::Flow(flow), random)
    }

    fn without_traffic(&mut self, content: Content, random: &mut Random) -> io::Result<()> {
        let index = random.below(self.place.interfaces.len() as u64) as usize;
        self.emit(index, content, random)
    }

    /// One direction of a conversation as one of its ends sees it.
    fn flow(
        &self,
        conversation: &Conversation,
        towards_server: bool,
        interface: usize,
        volume: Volume,
    ) -> Flow {
        let client = (conversation.client, conversation.client_port);
        let server = (conversation.server, conversation.server_port);
        let (source, destination) = if towards_server {
            (client, server)
        } else {
            (server, client)
        };
        let leaves = matches!(source.0, Party::Ours(index) if index == interface);
        Flow {
            source: conversation.endpoint(source.0, self.place),
            destination: conversation.endpoint(destination.0, self.place),
            source_port: source.1,
            destination_port: destination.1,
            protocol: conversation.protocol,
            packets: volume.packets,
            bytes: volume.bytes,
            action: Action::Accept,
            tcp_flags: 0,
            direction: if leaves {
                Direction::Egress(self.traffic_path(interface, destination.0))
            } else {
                Direction::Ingress
            },
            // Nitro instances encrypt what stays between them.
            encryption: u64::from(conversation.is_internal()),
        }
    }

    /// The codes of AWS's field `traffic-path`.
    fn traffic_path(&self, from: usize, to: Party) -> u64 {
        const SAME_VPC: u64 = 1;
        const PEERING_IN_REGION: u64 = 4;
        const GATEWAY_ENDPOINT: u64 = 7;
        const INTERNET_GATEWAY: u64 = 8;
        let interfaces = &self.place.interfaces;
        match to {
            Party::Ours(to) if interfaces[from].vpc == interfaces[to].vpc => SAME_VPC,
            Party::Ours(_) => PEERING_IN_REGION,
            Party::Public(host) if matches!(host.aws_service, Some("S3" | "DYNAMODB")) => {
                GATEWAY_ENDPOINT
            }
            Party::Public(_) => INTERNET_GATEWAY,
        }
    }

    /// Emits a record unless the interval has all of its rows already.
    fn emit(&mut self, interface: usize, content: Content, random: &mut Random) -> io::Result<()> {
        if self.written == self.rows {
            return Ok(());
        }
        let passed = self.written * (INTERVAL_SECONDS - JITTER_SECONDS) / self.rows;
        let end = self.start + passed + random.below(JITTER_SECONDS);
        self.written += 1;
        (self.emit)(&Record {
            place: self.place,
            interface: &self.place.interfaces[interface],
            start: end.saturating_sub(window_seconds(random)),
            end,
            content,
        })
    }
}

/// How long before its end a record starts: a minute on Nitro, seldom the ten of older instances.
fn window_seconds(random: &mut Random) -> u64 {
    match random.below(200) {
        0 => random.between(61, 600),
        1..100 => random.between(0, 60),
        _ => random.between(55, 60),
    }
}

/// Where a conversation stands in a capture window.
#[derive(Clone, Copy)]
enum Stage {
    Opening,
    Middle,
    Closing,
    /// It begins and ends in the window.
    Whole,
}

impl Stage {
    /// FIN is 1, SYN 2, SYN-ACK 18; a plain ACK is not logged.
    fn tcp_flags(self, protocol: u8, towards_server: bool) -> u8 {
        match (self, towards_server) {
            _ if protocol != TCP => 0,
            (Self::Opening, true) => 2,
            (Self::Opening, false) => 18,
            (Self::Whole, true) => 3,
            (Self::Whole, false) => 19,
            (Self::Closing, _) => 1,
            (Self::Middle, _) => 0,
        }
    }
}
