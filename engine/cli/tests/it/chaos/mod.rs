//! `loglens consume` under `kill -9`, with all services failing now and then, and shards that split
//! and merge: every record is in the Parquet once.
//!
//! The short form is a test like others; `cargo xtask chaos` runs the same for longer.
//!
//! - [`settings`]: how long, and by which seed.
//! - [`services`]: streams, objects and leases on loopback, and what goes wrong with them.
//! - [`load`]: records that can each be recognised, at a steady pace.
//! - [`watcher`]: opens every object of the lake as soon as it is there.
//! - [`verify`]: what has to hold in the end.

mod load;
mod random;
mod services;
mod settings;
mod verify;
mod watcher;

use std::fs::{self, File};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use self::load::Load;
use self::random::Random;
use self::services::Services;
use self::settings::Settings;
use self::verify::{Lake, verify};
use self::watcher::Watcher;
use crate::command::{below, folder, loglens};

/// Beside the failover time, a worker may take so long until its first commit.
const RECOVERY: Duration = Duration::from_secs(20);

/// The longest time by chance.
const LONGEST: Duration = Duration::from_millis(1500);

/// So long anything may take at all.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run is made of.
struct Chaos {
    settings: Settings,
    random: Random,
    services: Services,
    watcher: Watcher,
    folder: TempDir,
    /// How long workers took from their start to their first commit.
    recoveries: Vec<Duration>,
    /// How many were killed before it.
    killed_before: u64,
    /// How many slept while another one took over.
    slept: u64,
    /// How many ended by themselves: where nothing of a service was heard yet, that is said soon.
    restarted: u64,
}

#[test]
fn every_record_once_through_kills_faults_and_reshards() {
    let settings = Settings::of_environment();
    let begun = Instant::now();
    let services = Services::start();
    let mut chaos = Chaos {
        random: Random::new(settings.seed),
        watcher: Watcher::start(services.objects()),
        folder: folder(&[]),
        recoveries: Vec::new(),
        killed_before: 0,
        slept: 0,
        restarted: 0,
        services,
        settings,
    };
    let load = Load::start(&chaos.services, &chaos.settings);
    let mut worker = chaos.worker();
    for kill in 0..chaos.settings.kills {
        chaos.services.strike(&mut chaos.random);
        if chaos.settings.reshards_after(kill) {
            chaos.services.reshard(&mut chaos.random);
        }
        worker = chaos.killed(worker);
    }
    let sent = load.stop();
    chaos.wait_for("all records", &mut worker, |watcher| {
        watcher.records() >= sent.records()
    });
    worker.terminate();
    chaos.watcher.stop();
    let lake = Lake::new(&chaos.services);
    verify(&lake, &sent);
    chaos.report(&sent, begun.elapsed());
}

impl Chaos {
    /// Lets a worker run for a while, kills it, and gives the one that goes on.
    fn killed(&mut self, mut worker: Worker) -> Worker {
        if self.random.one_in(4) {
            sleep(self.random.up_to(LONGEST));
            self.killed_before += u64::from(!worker.recovered);
        } else {
            self.recovered(&mut worker);
            sleep(self.random.up_to(LONGEST));
            if self.services.bear_sleepers() && self.random.one_in(5) {
                return self.overslept(worker);
            }
        }
        worker.kill();
        self.worker()
    }

    /// A worker sleeps, another one takes over, and then it wakes and is killed.
    fn overslept(&mut self, mut worker: Worker) -> Worker {
        worker.signal("-STOP");
        let mut next = self.worker();
        self.recovered(&mut next);
        worker.signal("-CONT");
        sleep(self.random.up_to(LONGEST));
        worker.kill();
        self.slept += 1;
        next
    }

    /// Waits for the first commit since a worker was started.
    fn recovered(&mut self, worker: &mut Worker) {
        if worker.recovered {
            return;
        }
        let commits = worker.commits;
        self.wait_for("commit", worker, |watcher| watcher.commits() > commits);
        let took = worker.started.elapsed();
        let limit = self.settings.failover + RECOVERY;
        assert!(took <= limit, "a commit after {took:?}: {}", self.said());
        self.recoveries.push(took);
        worker.recovered = true;
    }

    /// Waits until the lake is so. A worker that ends by itself is started again, as services are.
    fn wait_for(&mut self, what: &str, worker: &mut Worker, there: impl Fn(&Watcher) -> bool) {
        let begun = Instant::now();
        while !there(&self.watcher) {
            assert!(begun.elapsed() < PATIENCE, "no {what}: {}", self.said());
            if worker.process.try_wait().unwrap().is_some() {
                worker.process = self.process();
                self.restarted += 1;
            }
            sleep(Duration::from_millis(20));
        }
    }

    fn worker(&self) -> Worker {
        Worker {
            started: Instant::now(),
            commits: self.watcher.commits(),
            recovered: false,
            process: self.process(),
        }
    }

    fn process(&self) -> Child {
        let age = format!("{}s", self.settings.cut_age.as_secs());
        let failover = format!("{}s", self.settings.failover.as_secs());
        let leases = self.services.leases(&self.folder);
        let configuration = below(&self.folder, "daemon.toml");
        // Nobody is idle: what is late would be missing.
        let window = format!(
            "[[consume.windows]]\nname = \"hours\"\nsql = \"{}\"\ndisorder = \"30m\"\nidle = \"1h\"\n",
            load::HOURS
        );
        fs::write(&configuration, window).unwrap();
        let arguments = [
            "consume",
            services::STREAM,
            "--to",
            services::LAKE,
            "--leases",
            &leases,
            "--cut-age",
            &age,
            "--failover",
            &failover,
            "--anonymous",
            "--path-style",
            "--config",
            &configuration,
        ];
        let mut said = File::options();
        let said = said.create(true).append(true);
        let said = said.open(below(&self.folder, "said")).unwrap();
        let mut command = loglens(&arguments);
        self.services.reach(&mut command);
        command.stderr(said).spawn().unwrap()
    }

    /// The last that workers said.
    fn said(&self) -> String {
        let said = fs::read_to_string(below(&self.folder, "said")).unwrap();
        let lines: Vec<_> = said.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// What the note about a run needs.
    fn report(&self, sent: &load::Sent, took: Duration) {
        let mut recoveries = self.recoveries.clone();
        recoveries.sort_unstable();
        let median = recoveries.get(recoveries.len() / 2).copied();
        let Settings {
            seed,
            kills,
            reshards,
            failover,
            ..
        } = &self.settings;
        eprintln!(
            "chaos: seed {seed}; {kills} kills, of which {} before the first commit and {} of workers that \
             had slept; {} were started again after they had ended by themselves; {reshards} reshards; leases in {}; {} flows and {} records that are none, each once; \
             {} objects, each whole when it was listed; {} commits; from a start to the first commit {:.1} s \
             (median) and {:.1} s (most) with a failover time of {} s; {:.0} s in all",
            self.killed_before,
            self.slept,
            self.restarted,
            self.services.kind_of_leases(),
            sent.flows,
            sent.garbage,
            self.watcher.objects(),
            self.watcher.commits(),
            median.unwrap_or_default().as_secs_f64(),
            recoveries.last().copied().unwrap_or_default().as_secs_f64(),
            failover.as_secs(),
            took.as_secs_f64(),
        );
    }
}

/// A worker: the real program.
struct Worker {
    process: Child,
    started: Instant,
    /// The commits there were when it started.
    commits: u64,
    /// There was one since.
    recovered: bool,
}

impl Worker {
    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.unwrap().success());
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Ends it as one is asked to end.
    fn terminate(mut self) {
        self.signal("-TERM");
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
