//! What the daemon counts, for `/metrics`.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loglens_engine::Owner;
use loglens_stream::event::{Event, Gave, Observer, WindowsGiven};

use super::page::Page;
use super::progress::Progress;
use super::teller::Written;
use super::time::now;

/// Something that is asked when the page is.
type Sampled = Box<dyn Fn(&mut Page) + Send + Sync>;

/// What the daemon counts.
#[derive(Default)]
pub(super) struct Metrics {
    counted: Mutex<Counted>,
    stopping: AtomicBool,
    sampled: Mutex<Vec<Sampled>>,
}

#[derive(Debug, Clone, Default)]
struct Counted {
    shards: BTreeMap<Arc<str>, OfShard>,
    written: Written,
    files: u64,
    cuts: u64,
    missing: u64,
    failures: BTreeMap<&'static str, u64>,
    windows: BTreeMap<Arc<str>, OfWindow>,
    /// How long the stream keeps records, if it is known.
    retention: Option<Duration>,
}

#[derive(Debug, Clone, Default)]
struct OfShard {
    is_held: bool,
    records: u64,
    bytes: u64,
    behind: Duration,
    progress: Progress,
}

/// What is known of a standing window.
#[derive(Debug, Clone, Default)]
struct OfWindow {
    given: u64,
    revisions: u64,
    rows: u64,
    merged: u64,
    late: u64,
    without_time: u64,
    lacks: u64,
    dropped: u64,
    state_bytes: u64,
    episodes: u64,
    waiting: u64,
    watermark: Option<i64>,
}

impl OfWindow {
    fn given(&mut self, given: &WindowsGiven<'_>) {
        self.given += given.windows;
        self.revisions += given.revisions;
        self.rows += given.rows;
        self.merged += given.merged.rows;
        self.late += given.merged.late;
        self.without_time += given.merged.without_time;
        self.state_bytes = given.state_bytes;
        self.episodes = given.episodes;
        self.waiting = given.waiting;
        self.watermark = given.watermark;
    }
}

/// A shard whose checkpoint is older than half the time that the stream keeps records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Late {
    pub(super) shard: Arc<str>,
    pub(super) age: Duration,
}

impl Metrics {
    /// Adds what `sample` writes to each page, such as a gauge of another part of the daemon.
    pub(super) fn also(&self, sample: impl Fn(&mut Page) + Send + Sync + 'static) {
        locked(&self.sampled).push(Box::new(sample));
    }

    /// The daemon was asked to end.
    pub(super) fn stopping(&self) {
        self.stopping.store(true, Relaxed);
    }

    /// The stream keeps records for so long.
    pub(super) fn retention(&self, retention: Duration) {
        locked(&self.counted).retention = Some(retention);
    }

    /// The ages of checkpoints of shards that are held, and the age from which on one is late.
    pub(super) fn checkpoints(&self) -> Option<(Vec<Late>, Duration)> {
        let counted = locked(&self.counted);
        let now = now();
        let held = counted.shards.iter().filter(|(_, shard)| shard.is_held);
        let ages = held.filter_map(|(shard, of)| {
            let age = of.progress.age(now)?;
            Some(Late {
                shard: Arc::clone(shard),
                age,
            })
        });
        Some((ages.collect(), counted.retention? / 2))
    }

    /// The page.
    pub(super) fn page(&self) -> String {
        let counted = locked(&self.counted).clone();
        let mut page = Page::default();
        let stopping = f64::from(u8::from(self.stopping.load(Relaxed)));
        page.gauge("loglens_stopping", "Whether the daemon was asked to end.")
            .is(stopping);
        counted.write(&mut page, now());
        for sample in &*locked(&self.sampled) {
            sample(&mut page);
        }
        page.into_text()
    }
}

impl Counted {
    fn shard(&mut self, shard: &Arc<str>) -> &mut OfShard {
        self.shards.entry(Arc::clone(shard)).or_default()
    }

    fn window(&mut self, window: &Arc<str>) -> &mut OfWindow {
        self.windows.entry(Arc::clone(window)).or_default()
    }

    /// Somebody else, or nobody, has the shard: what it gave stays counted.
    fn left(&mut self, shard: &Arc<str>) {
        let of = self.shard(shard);
        of.is_held = false;
        of.progress = Progress::default();
    }

    fn fetched(&mut self, shard: &Arc<str>, gave: &Gave) {
        let of = self.shard(shard);
        of.records += gave.records;
        of.bytes += gave.bytes;
        of.behind = gave.behind;
        of.progress.fetched(gave, now());
    }

    fn write(&self, page: &mut Page, now: i64) {
        let held = || self.shards.iter().filter(|(_, shard)| shard.is_held);
        page.gauge("loglens_leases_held", "Shards that this worker reads.")
            .is(number(held().count() as u64));
        let mut lag = page.gauge(
            "loglens_shard_lag_milliseconds",
            "How far what was read last is from the newest record of the shard.",
        );
        for (shard, of) in held() {
            lag.of(&[("shard", shard)], of.behind.as_millis() as f64);
        }
        let mut records = page.counter(
            "loglens_shard_records_read_total",
            "Records that were read of the shard, again ones too.",
        );
        for (shard, of) in &self.shards {
            records.of(&[("shard", shard)], number(of.records));
        }
        let mut bytes = page.counter(
            "loglens_shard_bytes_read_total",
            "Bytes of the data of these records.",
        );
        for (shard, of) in &self.shards {
            bytes.of(&[("shard", shard)], number(of.bytes));
        }
        self.write_checkpoints(page, now);
        self.write_lake(page);
        self.write_windows(page, now);
        let mut failures = page.counter(
            "loglens_failures_total",
            "What failed and was tried again, by who can do something about it.",
        );
        for owner in OWNERS {
            let often = self.failures.get(owner).copied().unwrap_or(0);
            failures.of(&[("owner", owner)], number(often));
        }
    }

    fn write_checkpoints(&self, page: &mut Page, now: i64) {
        let held = self.shards.iter().filter(|(_, shard)| shard.is_held);
        let ages = held.filter_map(|(shard, of)| Some((shard, of.progress.age(now)?)));
        let ages: Vec<_> = ages.collect();
        let mut age = page.gauge(
            "loglens_shard_checkpoint_age_seconds",
            "Time since the newest committed record came, or since everything was committed.",
        );
        for (shard, of) in &ages {
            age.of(&[("shard", shard)], of.as_secs_f64());
        }
        let Some(retention) = self.retention else {
            return;
        };
        let mut late = page.gauge(
            "loglens_shard_checkpoint_late",
            "Whether the checkpoint is older than half the time that the stream keeps records.",
        );
        for (shard, age) in &ages {
            let is_late = *age > retention / 2;
            late.of(&[("shard", shard)], f64::from(u8::from(is_late)));
        }
        page.gauge(
            "loglens_stream_retention_seconds",
            "How long the stream keeps records.",
        )
        .is(retention.as_secs_f64());
    }

    fn write_windows(&self, page: &mut Page, now: i64) {
        type Of = fn(&OfWindow) -> u64;
        let counters: [(&str, &str, Of); 8] = [
            (
                "loglens_windows_given_total",
                "Windows that were given, again ones too.",
                |of| of.given,
            ),
            (
                "loglens_windows_revised_total",
                "Windows that were given again, because rows came late.",
                |of| of.revisions,
            ),
            (
                "loglens_window_rows_total",
                "Rows of windows that were given.",
                |of| of.rows,
            ),
            (
                "loglens_window_records_total",
                "Records that are in windows.",
                |of| of.merged,
            ),
            (
                "loglens_window_records_late_total",
                "Records that came too late for any window.",
                |of| of.late,
            ),
            (
                "loglens_window_records_without_time_total",
                "Records that have no time, and so lie in no window.",
                |of| of.without_time,
            ),
            (
                "loglens_window_cuts_lacking_total",
                "Cuts whose records are not in the windows.",
                |of| of.lacks,
            ),
            (
                "loglens_notices_dropped_total",
                "Notices that were dropped, because nobody took them.",
                |of| of.dropped,
            ),
        ];
        for (name, help, value) in counters {
            let mut metric = page.counter(name, help);
            for (window, of) in &self.windows {
                metric.of(&[("window", window)], number(value(of)));
            }
        }
        let gauges: [(&str, &str, Of); 3] = [
            (
                "loglens_window_state_bytes",
                "Bytes that the open windows hold.",
                |of| of.state_bytes,
            ),
            (
                "loglens_alerts",
                "Keys of which the condition holds.",
                |of| of.episodes,
            ),
            (
                "loglens_notices_waiting",
                "Notices that wait to be taken.",
                |of| of.waiting,
            ),
        ];
        for (name, help, value) in gauges {
            let mut metric = page.gauge(name, help);
            for (window, of) in &self.windows {
                metric.of(&[("window", window)], number(value(of)));
            }
        }
        let mut behind = page.gauge(
            "loglens_window_watermark_age_seconds",
            "How far the watermark is behind the clock: windows that ended before it are given.",
        );
        for (window, of) in &self.windows {
            if let Some(watermark) = of.watermark {
                let age = now.saturating_sub(watermark);
                behind.of(&[("window", window)], age as f64 / 1e6);
            }
        }
    }

    fn write_lake(&self, page: &mut Page) {
        for (name, help, value) in [
            (
                "loglens_rows_written_total",
                "Rows in committed files of tables.",
                self.written.rows,
            ),
            (
                "loglens_records_rejected_total",
                "Records in committed files of errors/.",
                self.written.rejected,
            ),
            (
                "loglens_records_missing_total",
                "Records that the stream dropped before they were written.",
                self.missing,
            ),
            (
                "loglens_files_written_total",
                "Committed files.",
                self.files,
            ),
            (
                "loglens_bytes_written_total",
                "Bytes of committed files that this worker wrote.",
                self.written.bytes,
            ),
            ("loglens_cuts_total", "Committed cuts.", self.cuts),
        ] {
            page.counter(name, help).is(number(value));
        }
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event<'_>) {
        let mut counted = locked(&self.counted);
        match event {
            Event::Taken(shard) => counted.shard(shard).is_held = true,
            Event::Ended(shard)
            | Event::GivenUp(shard)
            | Event::LeftBehind(shard)
            | Event::Lost(shard) => {
                counted.left(shard);
            }
            Event::Deleted { shard, .. } => {
                counted.shards.remove(*shard);
            }
            Event::Fetched { shard, gave } => counted.fetched(shard, gave),
            Event::Committed { shard, commit, .. } => {
                counted.shard(shard).progress.committed();
                counted.written += Written::by(commit);
                counted.files += commit.outputs.len() as u64;
                counted.missing += commit.missing;
                counted.cuts += 1;
            }
            Event::Failed { error, .. } => {
                *counted.failures.entry(name_of(error.owner)).or_default() += 1;
            }
            Event::WindowsGiven(given) => counted.window(given.window).given(given),
            Event::WindowLacks { window, .. } => counted.window(window).lacks += 1,
            Event::NoticesDropped {
                window, notices, ..
            } => counted.window(window).dropped += notices,
            Event::WindowFailed { error, .. } => {
                *counted.failures.entry(name_of(error.owner)).or_default() += 1;
            }
            Event::Looked | Event::Renewed | Event::Found(_) | Event::Finishing { .. } => (),
        }
    }
}

impl Debug for Metrics {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Metrics");
        shown
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}

/// All names that [`name_of`] gives.
const OWNERS: [&str; 6] = ["usage", "query", "config", "data", "external", "internal"];

fn name_of(owner: Owner) -> &'static str {
    match owner {
        Owner::Usage => "usage",
        Owner::Query => "query",
        Owner::Config => "config",
        Owner::Data => "data",
        Owner::External => "external",
        Owner::Internal => "internal",
    }
}

/// A count as Prometheus has it: exact up to 2^53.
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
