//! Workers in a world.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use loglens_engine::lease::Checkpoint;
use loglens_engine::shard::Start;

use super::maker::{CONFIGURATIONS, Maker, read_state};
use super::tasks::Tasks;
use super::world::{Broken, NOBODY, Net, World};
use crate::application::{Application, Place};
use crate::event::{Event, Observer};
use crate::leases::LeaseSettings;
use crate::stop::{Stopper, stopper};
use crate::worker::Worker;

pub(super) const FAILOVER: Duration = Duration::from_secs(3);

/// More steps than any story takes.
const MOST_STEPS: usize = 400_000;

pub(super) struct Cluster {
    pub(super) world: Arc<Mutex<World>>,
    tasks: Tasks,
    /// Those that were not asked to stop, and those that were; none crashed.
    pub(super) working: Vec<(usize, Stopper)>,
    started: usize,
    pub(super) steps: usize,
}

impl Cluster {
    pub(super) fn new(seed: u64, broken: Option<Broken>) -> Self {
        Self {
            world: Arc::new(Mutex::new(World::new(seed, broken))),
            tasks: Tasks::default(),
            working: Vec::new(),
            started: 0,
            steps: 0,
        }
    }

    pub(super) fn with<R>(&self, act: impl FnOnce(&mut World) -> R) -> R {
        act(&mut self.world.lock().unwrap())
    }

    pub(super) fn below(&self, bound: usize) -> usize {
        self.with(|world| world.random.below(bound))
    }

    fn application(&self, worker: usize) -> Application {
        let net = Net {
            world: Arc::clone(&self.world),
            worker,
        };
        let place = |root| Place {
            sink: Arc::new(net.clone()),
            root: Arc::from(root),
        };
        let maker = Maker {
            worker: Arc::from(format!("worker-{worker}")),
            configuration: CONFIGURATIONS[self.below(2)],
            most_rows: 1 + self.below(12),
            most_age: Duration::from_millis(500 + self.below(1_500) as u64),
            broken: self.with(|world| world.broken),
        };
        Application {
            name: Arc::from("app"),
            program: Arc::from("0"),
            source: Arc::new(net.clone()),
            leases: Arc::new(net.clone()),
            lake: place("lake"),
            control: place("control"),
            maker: Arc::new(maker),
            clock: Arc::new(net.clone()),
            observer: Arc::new(net),
            kept_cuts: 1 + self.below(3) as u64,
            windows: Arc::default(),
        }
    }

    pub(super) fn start(&mut self) {
        let id = self.started;
        self.started += 1;
        let settings = LeaseSettings {
            worker: Arc::from(format!("worker-{id}")),
            failover: FAILOVER,
            first: Start::Oldest,
            seed: self.below(1_000) as u64,
        };
        let spawn = self.tasks.spawn(id);
        let worker = Worker::new(self.application(id), settings, Arc::clone(&spawn));
        let (stopper, stop) = stopper();
        spawn(async move { worker.run(stop).map(drop).await }.boxed());
        self.working.push((id, stopper));
    }

    /// Ends some worker at once, wherever it is. What it has sent arrives up to so much later.
    pub(super) fn crash(&mut self, chosen: usize, late: Duration) {
        let (id, _) = self.working.swap_remove(chosen);
        self.tasks.kill(id);
        self.with(|world| {
            world.crashed.insert(id);
            world.delay(id, late);
        });
    }

    /// Holds a worker, wherever it is. What it has sent arrives up to so much later.
    pub(super) fn pause(&mut self, chosen: usize, until: Duration, late: Duration) {
        let (id, _) = self.working[chosen];
        self.with(|world| {
            world.paused.insert(id, until);
            world.delay(id, late);
        });
    }

    /// Asks a worker to stop.
    pub(super) fn stop(&mut self, chosen: usize) -> usize {
        let (id, stopper) = self.working.swap_remove(chosen);
        stopper.stop();
        id
    }

    pub(super) fn has_stopped(&self, worker: usize) -> bool {
        !self.tasks.are_of(worker)
    }

    /// One thing happens, and workers go on with what follows from it.
    pub(super) fn step(&mut self) -> Result<(), String> {
        self.steps += 1;
        self.with(World::step);
        let paused = self.with(|world| world.paused.clone());
        self.tasks.run(|worker| paused.contains_key(&worker));
        if let Some(violation) = self.with(|world| world.violation.take()) {
            return Err(violation);
        }
        match self.steps < MOST_STEPS {
            true => Ok(()),
            false => Err("it comes to no end".to_owned()),
        }
    }

    /// Goes on for so long at most, until something is so.
    pub(super) fn until(
        &mut self,
        most: Duration,
        what: &str,
        is_so: impl Fn(&mut World) -> bool,
    ) -> Result<Duration, String> {
        let began = self.with(|world| world.now);
        loop {
            if self.with(&is_so) {
                return Ok(self.with(|world| world.now) - began);
            }
            if self.with(|world| world.now) > began + most {
                let leases = self.with(|world| format!("{:#?}", world.leases));
                return Err(format!("after {most:?}: not {what}: {leases}"));
            }
            self.step()?;
        }
    }

    /// Goes on for so long.
    pub(super) fn pass(&mut self, time: Duration) -> Result<(), String> {
        let end = self.with(|world| world.now) + time;
        while self.with(|world| world.now) < end {
            self.step()?;
        }
        Ok(())
    }

    /// How many records the newest commits of the first shard say are missing.
    pub(super) fn missing(&self) -> Result<u64, String> {
        let log = self.application(NOBODY).log("shard-000");
        let mut cut = log
            .tail()
            .now_or_never()
            .unwrap()
            .map_err(|error| error.message)?
            .cut;
        let mut missing = 0;
        while cut > 0 {
            cut -= 1;
            let commit = log.committed(cut).now_or_never().unwrap();
            match commit.map_err(|error| error.message)? {
                Some(commit) => missing += commit.says.missing,
                None => break,
            }
        }
        Ok(missing)
    }

    /// What must be so when everything was read.
    pub(super) fn check_logs(&self) -> Result<(), String> {
        let application = self.application(NOBODY);
        let shards: Vec<_> = self.with(|world| {
            let rows = world.stream.rows();
            rows.map(|(shard, rows)| (Arc::clone(shard), rows))
                .collect()
        });
        for (shard, rows) in shards {
            if let Some(row) = self.with(|world| world.not_there(&rows)) {
                return Err(format!("{shard}: row {row} is not there"));
            }
            let tail = application.log(&shard).tail().now_or_never();
            let tail = tail.unwrap().map_err(|error| error.message)?;
            let committed = tail
                .committed
                .ok_or(format!("{shard}: nothing is committed"))?;
            let commit = committed.says;
            let expected = (rows.len() as u64, rows.iter().sum());
            if tail.claim.is_some() || !commit.ended || commit.missing > 0 {
                return Err(format!("{shard}: not finished: {commit:?}"));
            }
            if read_state(&commit.state) != expected {
                return Err(format!("{shard}: {:?} and not {expected:?}", commit.state));
            }
        }
        Ok(())
    }
}

/// Tells what happens, if one story is played.
impl Observer for Net {
    #[allow(
        clippy::print_stderr,
        reason = "whoever plays one story wants to see it"
    )]
    fn observe(&self, event: &Event<'_>) {
        let (now, is_told) = {
            let world = self.world();
            (world.now, world.is_told)
        };
        if is_told {
            eprintln!("{now:?} worker-{}: {event:?}", self.worker);
        }
    }
}

/// All rows are in the lake.
pub(super) fn is_all_there(world: &mut World) -> bool {
    world.objects.rows.len() as u64 == world.stream.last_row
}

/// All shards were read to their end.
pub(super) fn is_all_ended(world: &mut World) -> bool {
    world.stream.rows().all(|(shard, _)| {
        let lease = world.leases.get(shard);
        world.leased.contains(shard)
            && lease.is_none_or(|lease| lease.checkpoint == Checkpoint::End)
    })
}
