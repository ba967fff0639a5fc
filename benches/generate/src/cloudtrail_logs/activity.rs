//! Who does what in an interval, and with what success.

use std::io;

use super::Place;
use super::catalogue::EVENTS;
use super::event::{Caller, Prepared, prepared};
use super::identity::Identities;
use super::principal::Principal;
use super::record::{Failure, Record};
use super::value::{Subjects, Values};
use crate::plan::Interval;
use crate::random::{Random, Subject};
use crate::zipf::Zipf;

/// Events are logged in no particular order.
const DISORDER_SECONDS: u64 = 20;

/// The region that logs what belongs to none.
const GLOBAL_REGION: &str = "us-east-1";

// Parts per million.
const PROBES: u32 = 15_000;
const PROBES_DENIED: u32 = 900_000;
const ROOT: u32 = 200;
const ROOT_SIGNS_IN: u32 = 30_000;
const DENIED: u32 = 18_000;
const THROTTLED: u32 = 6_000;
const SIGN_IN_FAILS: u32 = 120_000;

/// What goes on.
pub(super) struct Activity {
    seed: u64,
    events: Vec<Prepared>,
    principals: Zipf,
    identities: Identities,
    values: Values,
}

impl Activity {
    /// Activity of about so many events.
    pub(super) fn new(seed: u64, rows: u64) -> Self {
        Self {
            seed,
            events: prepared(),
            principals: Zipf::new((rows / 500).clamp(24, 5_000)),
            identities: Identities::new(),
            values: Values::new(seed, rows),
        }
    }

    /// Emits the events of one account and region in one interval.
    pub(super) fn interval(
        &self,
        interval: &Interval,
        place: &Place,
        mut emit: impl FnMut(&Record<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let random = &mut Random::keyed(self.seed, Subject::Events, interval.object);
        for row in 0..interval.rows {
            let time = interval.moment(row, DISORDER_SECONDS, random) / 1_000_000;
            let probes = random.chance(PROBES);
            let prepared = self.draw(place, probes, random);
            let caller = prepared.event.caller;
            let principal = if probes {
                Principal::prober(place.seed)
            } else if is_root(caller, random) {
                Principal::root(place.seed)
            } else {
                Principal::of_rank(place.seed, caller, self.principals.sample(random))
            };
            emit(&Record {
                event: prepared,
                identities: &self.identities,
                values: &self.values,
                subjects: Subjects {
                    place,
                    time,
                    key: random.next(),
                },
                failure: failure(caller, probes, random),
                principal,
            })?;
        }
        Ok(())
    }

    /// An event that this place logs; a probe is a call that only reads.
    fn draw(&self, place: &Place, probes: bool, random: &mut Random) -> &Prepared {
        loop {
            let prepared = &self.events[random.weighted_index(&EVENTS)];
            let event = prepared.event;
            let elsewhere = event.is_global() && place.region != GLOBAL_REGION;
            let is_probe = event.is_read() && event.caller == Caller::Own;
            if !elsewhere && (is_probe || !probes) {
                return prepared;
            }
        }
    }
}

fn is_root(caller: Caller, random: &mut Random) -> bool {
    match caller {
        Caller::Own => random.chance(ROOT),
        Caller::SignIn => random.chance(ROOT_SIGNS_IN),
        _ => false,
    }
}

fn failure(caller: Caller, probes: bool, random: &mut Random) -> Option<Failure> {
    let (failure, chance) = match caller {
        _ if probes => (Failure::Denied, PROBES_DENIED),
        Caller::SignIn => (Failure::SignIn, SIGN_IN_FAILS),
        Caller::Own if random.chance(THROTTLED) => return Some(Failure::Throttled),
        Caller::Own | Caller::OtherAccount | Caller::Federated => (Failure::Denied, DENIED),
        Caller::Service(_) | Caller::Saml | Caller::WebIdentity => return None,
    };
    random.chance(chance).then_some(failure)
}
