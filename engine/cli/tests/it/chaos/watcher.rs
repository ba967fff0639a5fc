//! Lists the lake all the time, and opens what it has not seen before.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use bytes::Bytes;
use loglens_test_server::Server;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::services::{BUCKET, FOLDER};

/// So long nobody looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Where the logs of shards lie, in the lake.
const LOGS: &str = "_loglens/";

/// The folder of windows, in the lake. A file of one may be replaced by a revision.
const WINDOWS: &str = "windows/";

/// The folder of rejected records, in the lake.
const ERRORS: &str = "errors/";

/// Somebody who lists the lake.
pub(super) struct Watcher {
    seen: Arc<Seen>,
    watching: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    records: AtomicU64,
    commits: AtomicU64,
    objects: AtomicU64,
    /// The first thing that was wrong.
    wrong: Mutex<Option<String>>,
}

impl Watcher {
    pub(super) fn start(server: Arc<Server>) -> Self {
        let seen = Arc::<Seen>::default();
        let watcher = Arc::clone(&seen);
        Self {
            watching: Mutex::new(Some(thread::spawn(move || watcher.watch(&server)))),
            seen,
        }
    }

    /// Rows of tables and rejected records that are there.
    pub(super) fn records(&self) -> u64 {
        self.check();
        self.seen.records.load(Relaxed)
    }

    /// Commits of all shards.
    pub(super) fn commits(&self) -> u64 {
        self.check();
        self.seen.commits.load(Relaxed)
    }

    /// Objects of the lake.
    pub(super) fn objects(&self) -> u64 {
        self.seen.objects.load(Relaxed)
    }

    /// Looks a last time.
    pub(super) fn stop(&self) {
        self.seen.stop.store(true, Relaxed);
        let watching = self.watching.lock().unwrap().take();
        watching.unwrap().join().unwrap();
        self.check();
    }

    fn check(&self) {
        let wrong = self.seen.wrong.lock().unwrap();
        assert!(wrong.is_none(), "{wrong:?}");
    }
}

impl Seen {
    fn watch(&self, server: &Server) {
        let mut objects = BTreeMap::new();
        let mut commits = BTreeSet::new();
        loop {
            let is_last = self.stop.load(Relaxed);
            for key in server.with(BUCKET, |bucket| bucket.keys()) {
                let name = key.strip_prefix(FOLDER).unwrap_or(&key);
                if name.starts_with(LOGS) {
                    if is_commit(name) && commits.insert(name.to_owned()) {
                        self.commits.fetch_add(1, Relaxed);
                    }
                } else if let Entry::Vacant(object) = objects.entry(key.clone()) {
                    let bytes = server.with(BUCKET, |bucket| bucket.get(&key));
                    let bytes = bytes.unwrap_or_default();
                    match records_of(name, &bytes) {
                        Ok(_) if name.starts_with(WINDOWS) => 0,
                        Ok(records) => self.records.fetch_add(records, Relaxed),
                        Err(what) => return self.tell(format!("{key}: {what}")),
                    };
                    self.objects.fetch_add(1, Relaxed);
                    object.insert(bytes);
                }
            }
            if is_last {
                break;
            }
            sleep(PAUSE);
        }
        objects.retain(|key, _| !key.contains(WINDOWS));
        for (key, bytes) in objects {
            if server.with(BUCKET, |bucket| bucket.get(&key)) != Some(bytes) {
                return self.tell(format!(
                    "{key}: it is another one than when it was listed first"
                ));
            }
        }
    }

    fn tell(&self, wrong: String) {
        *self.wrong.lock().unwrap() = Some(wrong);
    }
}

/// Whether an entry of a shard's log is a commit: their numbers are odd.
fn is_commit(name: &str) -> bool {
    let (_, number) = name.rsplit_once('/').unwrap_or_default();
    number.parse::<u64>().is_ok_and(|number| number % 2 == 1)
}

/// The records in an object, all of which must be whole.
fn records_of(name: &str, bytes: &Bytes) -> Result<u64, String> {
    if name.starts_with(ERRORS) {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let lines = lines.map(|line| match line.ends_with(b"\n") {
            true => {
                serde_json::from_slice::<serde_json::Value>(line).map_err(|error| error.to_string())
            }
            false => Err("a line without an end".to_owned()),
        });
        return Ok(lines.collect::<Result<Vec<_>, _>>()?.len() as u64);
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone());
    let reader = reader.and_then(ParquetRecordBatchReaderBuilder::build);
    let mut rows = 0;
    for batch in reader.map_err(|error| error.to_string())? {
        rows += batch.map_err(|error| error.to_string())?.num_rows() as u64;
    }
    Ok(rows)
}
