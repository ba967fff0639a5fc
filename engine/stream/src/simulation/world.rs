//! All that is outside of the workers: time, what they send, and what answers.
//!
//! A request is applied at one moment and answered at a later one, both of the scheduler's choosing.
//! What is lost on the way there changes nothing; what is lost on the way back did.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::{self, Debug, Formatter};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures::channel::oneshot;
use loglens_engine::error::{Error, Owner};
use loglens_engine::lease::Lease;

use super::objects::Objects;
use super::stream::Stream;
use crate::clock::Clock;
use crate::random::Random;

/// Plays one story alone.
pub(super) const SEED: &str = "LOGLENS_SIMULATION_SEED";

/// Something that does not keep its promises, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// Claims are written although there is one.
    Claims,
    /// Commits are written although there is one.
    Commits,
    /// Objects of the lake are written although they are there.
    Lake,
    /// The floors of logs are not seen.
    Floors,
    /// Leases are replaced whatever their counter.
    Leases,
    /// The names of objects differ from worker to worker.
    Names,
    /// Claims of others are finished by one's own configuration.
    Configurations,
    /// The stream does not say which shards came from which.
    Parents,
}

pub(super) struct World {
    pub(super) random: Random,
    pub(super) now: Duration,
    pub(super) stream: Stream,
    pub(super) leases: BTreeMap<Arc<str>, Lease>,
    /// Shards that have a lease, or had one.
    pub(super) leased: BTreeSet<Arc<str>>,
    /// Shards whose lease said that they are at their end. It may be deleted, and be added anew by
    /// whoever sent that long ago.
    pub(super) ended: BTreeSet<Arc<str>>,
    pub(super) objects: Objects,
    pub(super) broken: Option<Broken>,
    /// One story is played, and is told.
    pub(super) is_told: bool,
    /// Of a hundred requests, so many are lost, and as many answers.
    pub(super) lost: usize,
    /// What must never happen, and did.
    pub(super) violation: Option<String>,
    pub(super) paused: BTreeMap<usize, Duration>,
    pub(super) crashed: BTreeSet<usize>,
    requests: Vec<Request>,
    timers: BTreeMap<u64, Timer>,
    last_timer: u64,
}

struct Request {
    worker: usize,
    not_before: Duration,
    stage: Stage,
}

enum Stage {
    Sent(Apply),
    Applied(Reply),
}

/// Applies a request and gives what delivers its answer.
type Apply = Box<dyn FnOnce(&mut World) -> Reply + Send>;
type Reply = Box<dyn FnOnce() + Send>;

struct Timer {
    at: Duration,
    worker: usize,
    waker: Waker,
}

impl World {
    pub(super) fn new(seed: u64, broken: Option<Broken>) -> Self {
        Self {
            random: Random::new(seed),
            now: Duration::ZERO,
            stream: Stream::default(),
            leases: BTreeMap::new(),
            leased: BTreeSet::new(),
            ended: BTreeSet::new(),
            objects: Objects::default(),
            broken,
            is_told: env::var(SEED).is_ok(),
            lost: 0,
            violation: None,
            paused: BTreeMap::new(),
            crashed: BTreeSet::new(),
            requests: Vec::new(),
            timers: BTreeMap::new(),
            last_timer: 0,
        }
    }

    pub(super) fn violate(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        self.violation
            .get_or_insert_with(|| format!("at {now:?}: {}", what()));
    }

    /// A time of up to `most`.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        let milliseconds = self
            .random
            .below(usize::try_from(most.as_millis()).unwrap() + 1);
        Duration::from_millis(milliseconds as u64)
    }

    pub(super) fn one_in(&mut self, many: usize) -> bool {
        self.random.below(many) == 0
    }

    /// Lets one thing happen outside.
    pub(super) fn step(&mut self) {
        let can_happen = |request: &Request| match request.stage {
            Stage::Sent(_) => request.not_before <= self.now,
            Stage::Applied(_) => !self.paused.contains_key(&request.worker),
        };
        let possible: Vec<usize> = (0..self.requests.len())
            .filter(|index| can_happen(&self.requests[*index]))
            .collect();
        if possible.is_empty() {
            let next = self
                .next_time()
                .unwrap_or(self.now + Duration::from_millis(100));
            self.now = self.now.max(next);
        } else {
            let chosen = possible[self.random.below(possible.len())];
            let request = self.requests.swap_remove(chosen);
            self.go_on(request);
            let took = self.up_to(Duration::from_millis(20));
            self.now += took;
        }
        self.wake();
    }

    fn go_on(&mut self, request: Request) {
        // Dropping a request or a reply is how the worker learns that it was lost.
        if self.random.below(100) < self.lost {
            return;
        }
        match request.stage {
            Stage::Sent(apply) => {
                let stage = Stage::Applied(apply(self));
                self.requests.push(Request { stage, ..request });
            }
            Stage::Applied(reply) => reply(),
        }
    }

    fn next_time(&self) -> Option<Duration> {
        let is_awake = |timer: &&Timer| !self.paused.contains_key(&timer.worker);
        let timers = self.timers.values().filter(is_awake).map(|timer| timer.at);
        let late = self
            .requests
            .iter()
            .filter_map(|request| match request.stage {
                Stage::Sent(_) => Some(request.not_before),
                Stage::Applied(_) => None,
            });
        let pauses = self
            .paused
            .values()
            .copied()
            .filter(|end| *end < Duration::MAX);
        timers.chain(late).chain(pauses).min()
    }

    fn wake(&mut self) {
        let now = self.now;
        self.paused.retain(|_, end| *end > now);
        for timer in self.timers.values() {
            if timer.at <= now {
                timer.waker.wake_by_ref();
            }
        }
    }

    /// What a worker has sent arrives late, or never if it is gone.
    pub(super) fn delay(&mut self, worker: usize, most: Duration) {
        for index in 0..self.requests.len() {
            if self.requests[index].worker == worker && self.one_in(2) {
                self.requests[index].not_before = self.now + self.up_to(most);
            }
        }
        let crashed = self.crashed.contains(&worker);
        let random = &mut self.random;
        self.requests.retain(|request| {
            let is_sent = matches!(request.stage, Stage::Sent(_));
            request.worker != worker || !crashed || (is_sent && random.below(2) == 0)
        });
    }
}

/// The world, as one worker sees it.
#[derive(Clone)]
pub(super) struct Net {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) worker: usize,
}

/// Sees everything at once.
pub(super) const NOBODY: usize = usize::MAX;

impl Net {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Sends a request and waits for the answer.
    pub(super) async fn call<R: Send + 'static>(
        &self,
        apply: impl FnOnce(&mut World) -> R + Send + 'static,
    ) -> Result<R, Error> {
        if self.worker == NOBODY {
            return Ok(apply(&mut self.world()));
        }
        let (sender, answer) = oneshot::channel();
        let apply: Apply = Box::new(move |world| {
            let answer = apply(world);
            Box::new(move || drop(sender.send(answer)))
        });
        let request = Request {
            worker: self.worker,
            not_before: Duration::ZERO,
            stage: Stage::Sent(apply),
        };
        self.world().requests.push(request);
        let lost = |_| Error::new(Owner::External, "no answer");
        answer.await.map_err(lost)
    }
}

impl Debug for Net {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Net({})", self.worker)
    }
}

#[async_trait]
impl Clock for Net {
    /// Clocks of workers have nothing to do with one another.
    fn now(&self) -> Duration {
        self.world().now + Duration::from_secs(1_000) * u32::try_from(self.worker).unwrap()
    }

    async fn sleep(&self, time: Duration) {
        let (id, at) = {
            let mut world = self.world();
            world.last_timer += 1;
            (world.last_timer, world.now + time)
        };
        Sleep { net: self, id, at }.await;
    }
}

struct Sleep<'a> {
    net: &'a Net,
    id: u64,
    at: Duration,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut world = self.net.world();
        if world.now >= self.at {
            return Poll::Ready(());
        }
        let timer = Timer {
            at: self.at,
            worker: self.net.worker,
            waker: context.waker().clone(),
        };
        world.timers.insert(self.id, timer);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.net.world().timers.remove(&self.id);
    }
}
