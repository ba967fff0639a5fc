//! The daemon without a network: records of a stream in memory become windows and Parquet.
//!
//! A worker of the real kind reads shards, which give what they have as fast as it is taken, and
//! writes to a place that keeps what the protocol reads back, outside of memory, and counts the
//! rest. Each case is a process of its own, on one core, so that its CPU time and its peak of
//! memory are its own. What is checked: every record is in a committed file, and where there is a
//! window, in it too; and the process never takes more than the daemon's memory limit.

mod phases;
mod records;
mod sink;

use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use loglens_engine::archive::Given;
use loglens_engine::shard::Start;
use loglens_engine::stream::StreamOptions;
use loglens_io::local_leases::LocalLeases;
use loglens_stream::application::{Application, Place};
use loglens_stream::clock::SystemClock;
use loglens_stream::event::{Event, Observer};
use loglens_stream::lake::maker::{Lake, LakeSettings, Partitioning, WindowStatement};
use loglens_stream::leases::LeaseSettings;
use loglens_stream::stop::{Stopper, stopper};
use loglens_stream::windows::{StandingWindow, Standings};
use loglens_stream::worker::Worker;
use nix::sys::resource::UsageWho;
use serde::{Deserialize, Serialize};

use self::phases::{Phases, Timed};
use self::records::{Packing, Records};
use self::sink::CountingSink;
use crate::arguments::Daemon;
use crate::error::{Error, Result};
use crate::measure;

/// Standing in the cases that have a window.
const TOP_TALKERS: &str = "SELECT window_end, srcaddr, count(*) AS flows, sum(bytes) AS bytes FROM vpc_flow_logs \
     GROUP BY hop(event_time, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE), srcaddr \
     QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY flows DESC) <= 10";

/// As the service and the image in `docs` run.
const KEPT_MEMORY: &str = "MIMALLOC_PURGE_DELAY=10000";

/// The daemon's own, if nothing is said.
const MEMORY_LIMIT: usize = 1 << 30;

/// What is measured.
#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    packing: Packing,
    window: bool,
    shards: u64,
    /// How many times the records.
    times: u64,
    /// Bytes a second that the place takes.
    sink: Option<u64>,
    accounts: u64,
    days: u64,
    cut_bytes: usize,
}

const PLAIN: Case = Case {
    name: "lines",
    packing: Packing::Lines,
    window: false,
    shards: 1,
    times: 1,
    sink: None,
    accounts: 1,
    days: 1,
    cut_bytes: 64 << 20,
};

const CASES: &[Case] = &[
    PLAIN,
    Case {
        name: "lines, a window",
        window: true,
        ..PLAIN
    },
    Case {
        name: "CloudWatch messages, a window",
        packing: Packing::CloudWatch,
        window: true,
        ..PLAIN
    },
    Case {
        name: "ten times as many, a slow place",
        window: true,
        times: 10,
        sink: Some(10 << 20),
        ..PLAIN
    },
    Case {
        name: "ten times as many in 16 shards, a slow place",
        shards: 16,
        times: 10,
        sink: Some(1 << 20),
        ..PLAIN
    },
    Case {
        name: "10,000 partitions in a cut",
        packing: Packing::CloudWatch,
        accounts: 100,
        days: 100,
        cut_bytes: 1 << 30,
        ..PLAIN
    },
];

/// What a process of a case says.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    records: u64,
    seconds: f64,
    cpu_seconds: f64,
    rows: u64,
    windowed: u64,
    files: u64,
    /// Seconds of each phase of cuts.
    phases: Phases,
}

impl Said {
    /// Records a second and core of CPU.
    fn rate(&self) -> f64 {
        self.records as f64 / self.cpu_seconds
    }
}

/// Runs all cases, or in a process of its own one of them.
pub(crate) fn run(arguments: &Daemon) -> Result<bool> {
    if let Some(case) = arguments.case {
        let case = CASES.get(case).ok_or_else(|| Error::new("no such case"))?;
        println!(
            "{}",
            serde_json::to_string(&consume(*case, arguments.rows)?)?
        );
        return Ok(true);
    }
    println!(
        "| case | records | records a second and core of CPU, median and range | seconds | take, name (and group), write | peak memory | files |"
    );
    println!("|---|---|---|---|---|---|---|");
    let this = std::env::current_exe().map_err(|error| Error::new(error.to_string()))?;
    let rows = arguments.rows.to_string();
    let mut all_there = true;
    for (number, case) in CASES.iter().enumerate() {
        let number = number.to_string();
        let of_case = ["daemon", "--rows", &rows, "--case", &number].map(OsStr::new);
        let command = [OsStr::new(KEPT_MEMORY), this.as_os_str()];
        let command: Vec<&OsStr> = command.into_iter().chain(of_case).collect();
        let mut all: Vec<(Said, u64)> = Vec::new();
        for _ in 0..arguments.runs.max(1) {
            let measured = measure::run(1, Path::new("env"), &command)?;
            let said: Said = serde_json::from_str(&measured.stdout)?;
            all_there &= said.rows == said.records
                && (!case.window || said.windowed == said.records)
                && measured.peak_bytes <= MEMORY_LIMIT as u64;
            all.push((said, measured.peak_bytes));
        }
        all.sort_by(|(a, _), (b, _)| a.rate().total_cmp(&b.rate()));
        // Of two, the slower.
        let (said, _) = &all[(all.len() - 1) / 2];
        println!(
            "| {} | {} | {:.0} ({:.0} to {:.0}) | {:.1} | {} | {:.0} MB | {} |",
            case.name,
            said.records,
            said.rate(),
            all[0].0.rate(),
            all[all.len() - 1].0.rate(),
            said.seconds,
            said.phases,
            all.iter().map(|(_, peak)| *peak).max().unwrap_or_default() as f64 / 1e6,
            said.files,
        );
    }
    Ok(all_there)
}

fn consume(case: Case, rows: u64) -> Result<Said> {
    let records = Records::new(case.packing, case.accounts, case.days)?;
    // Of each shard.
    let count = records.rounded(rows * case.times / case.shards);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Error::new(error.to_string()))?;
    let (begun, (cpu_before, _)) = (Instant::now(), measure::usage(UsageWho::RUSAGE_SELF)?);
    let counts = runtime
        .block_on(work(case, records, count))
        .map_err(|error| Error::new(error.to_string()))?;
    let (cpu_after, _) = measure::usage(UsageWho::RUSAGE_SELF)?;
    Ok(Said {
        records: count * case.shards,
        seconds: begun.elapsed().as_secs_f64(),
        cpu_seconds: cpu_after - cpu_before,
        rows: counts.rows.load(Relaxed),
        windowed: counts.windowed.load(Relaxed),
        files: counts.files.load(Relaxed),
        phases: counts
            .phases
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
    })
}

/// What was committed.
#[derive(Debug, Default)]
struct Counts {
    rows: AtomicU64,
    files: AtomicU64,
    windowed: AtomicU64,
    failed: AtomicBool,
    phases: Arc<Mutex<Phases>>,
    /// Shards that are not at their end; when there are none, it is asked to stop.
    open: AtomicU64,
    stopper: Mutex<Option<Stopper>>,
}

impl Observer for Counts {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Committed { commit, .. } => {
                let rows = commit.outputs.iter().map(|output| output.rows);
                self.rows.fetch_add(rows.sum(), Relaxed);
                self.files.fetch_add(commit.outputs.len() as u64, Relaxed);
            }
            Event::WindowsGiven(given) => {
                self.windowed.fetch_add(given.merged.rows, Relaxed);
            }
            Event::Ended(_) if self.open.fetch_sub(1, Relaxed) == 1 => {
                let stopper = self.stopper.lock();
                if let Some(stopper) = stopper.unwrap_or_else(PoisonError::into_inner).take() {
                    stopper.stop();
                }
            }
            Event::Failed { error, .. } | Event::WindowFailed { error, .. } => {
                self.failed.store(true, Relaxed);
                eprintln!("{error}");
            }
            _ => (),
        }
    }
}

async fn work(
    case: Case,
    records: Records,
    count: u64,
) -> std::result::Result<Arc<Counts>, loglens_engine::Error> {
    let windows = case.window.then(|| WindowStatement {
        name: Arc::from("top_talkers"),
        sql: Arc::from(TOP_TALKERS),
        options: StreamOptions {
            disorder: Some(Duration::from_secs(2 * 3600)),
            lateness: Duration::ZERO,
            idle: Duration::from_secs(3600),
        },
    });
    let lake = Lake::new(LakeSettings {
        stream: Arc::from("kinesis://bench"),
        given: Given::default(),
        partitioned_by: Partitioning::default(),
        keep_resent: false,
        cut_bytes: case.cut_bytes,
        cut_age: Duration::from_secs(3600),
        memory_limit: Some(MEMORY_LIMIT),
        threads: Some(1),
        windows: windows.into_iter().collect(),
    })
    .await?;
    let standing = case.window.then(|| StandingWindow {
        name: Arc::from("top_talkers"),
        sql: Arc::from(TOP_TALKERS),
        open: lake.opens(0),
        files: true,
        is_alert: false,
        notified: Vec::new(),
        as_json: |_| Ok(Vec::new()),
    });
    let (stopper, stop) = stopper();
    let counts = Arc::new(Counts {
        open: AtomicU64::new(case.shards),
        stopper: Mutex::new(Some(stopper)),
        ..Counts::default()
    });
    let folder = std::env::temp_dir().join(format!("loglens-bench-{}", std::process::id()));
    let [leases, objects] = ["leases", "objects"].map(|name| folder.join(name));
    std::fs::create_dir_all(&objects).map_err(|error| sink::failed(&error))?;
    let sink = Arc::new(CountingSink::new(case.sink, objects));
    let place = |root| Place {
        sink: Arc::clone(&sink) as _,
        root: Arc::from(root),
    };
    let application = Application {
        name: Arc::from("bench"),
        program: Arc::from("0"),
        source: Arc::new(records.stream(case.shards, count)),
        leases: Arc::new(LocalLeases::new(&leases)),
        lake: place("lake"),
        control: place("control"),
        maker: Arc::new(Timed::new(lake, &counts.phases)),
        clock: Arc::new(SystemClock::default()),
        observer: Arc::clone(&counts) as _,
        kept_cuts: 4,
        windows: Arc::new(Standings::new(standing.into_iter().collect())),
    };
    let settings = LeaseSettings {
        worker: Arc::from("bench"),
        failover: Duration::from_secs(10),
        first: Start::Oldest,
        seed: 1,
    };
    let spawn = Arc::new(|task| {
        tokio::spawn(task);
    });
    let done = Worker::new(application, settings, spawn).run(stop).await;
    // It is in the folder of temporary files.
    let _ = std::fs::remove_dir_all(folder);
    done?;
    match counts.failed.load(Relaxed) {
        false => Ok(counts),
        true => {
            let owner = loglens_engine::Owner::Internal;
            Err(loglens_engine::Error::new(
                owner,
                "something failed, and was tried again",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KEPT_MEMORY;

    #[test]
    fn cases_run_as_the_service_and_the_image_do() {
        let service = include_str!("../../../docs/loglens-consume.service");
        let image = include_str!("../../../docs/Dockerfile");
        let has = |text: &str, line: String| text.lines().any(|known| known == line);
        assert!(has(service, format!("Environment={KEPT_MEMORY}")));
        assert!(has(image, format!("ENV {KEPT_MEMORY}")));
    }
}
