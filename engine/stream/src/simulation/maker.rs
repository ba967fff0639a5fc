//! Makes objects that are lists of rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::error::Error;
use loglens_engine::shard::Fetched;

use super::world::Broken;
use crate::cut::{Beginning, CutMaker, CutState, MadeObject, Making};
use crate::shard_log::{CutRange, HashKeys};

/// Two versions of a configuration: the second one has other names and other partitions.
pub(super) const CONFIGURATIONS: [&str; 2] = ["day", "day,half"];

#[derive(Debug, Clone)]
pub(super) struct Maker {
    pub(super) worker: Arc<str>,
    pub(super) configuration: &'static str,
    /// A cut has so many rows,
    pub(super) most_rows: usize,
    /// or is so old.
    pub(super) most_age: Duration,
    pub(super) broken: Option<Broken>,
}

#[derive(Debug)]
struct Made {
    maker: Maker,
    configuration: String,
    shard: Arc<str>,
    hash_keys: Option<HashKeys>,
    taken: Vec<u64>,
    since: Option<Duration>,
    cut: BTreeMap<String, Vec<u64>>,
    /// The number of all rows of the shard so far, and their sum.
    state: (u64, u64),
}

#[async_trait]
impl CutMaker for Maker {
    fn configuration(&self) -> String {
        self.configuration.to_owned()
    }

    async fn begin(&self, beginning: Beginning<'_>) -> Result<Box<dyn Making>, Error> {
        let configuration = match self.broken {
            Some(Broken::Configurations) => self.configuration,
            _ => beginning.configuration,
        };
        Ok(Box::new(Made {
            maker: self.clone(),
            configuration: configuration.to_owned(),
            shard: Arc::clone(beginning.shard),
            hash_keys: beginning.hash_keys,
            taken: Vec::new(),
            since: None,
            cut: BTreeMap::new(),
            state: beginning.state.map_or((0, 0), |state| read_state(&state)),
        }))
    }
}

/// The state of a shard: how many rows it had, and their sum.
pub(super) fn read_state(state: &Bytes) -> (u64, u64) {
    let text = std::str::from_utf8(state).unwrap();
    let (count, sum) = text.split_once(' ').unwrap();
    (count.parse().unwrap(), sum.parse().unwrap())
}

#[async_trait]
impl Making for Made {
    async fn take(&mut self, fetched: Fetched, now: Duration) -> Result<(), Error> {
        for record in fetched.records {
            let rows = std::str::from_utf8(&record.data).unwrap();
            let rows = rows.split(',').map(|row| row.parse::<u64>().unwrap());
            self.taken.extend(rows);
            self.since.get_or_insert(now);
        }
        Ok(())
    }

    fn should_cut(&self, now: Duration) -> bool {
        let is_old = |since| now.saturating_sub(since) >= self.maker.most_age;
        self.taken.len() >= self.maker.most_rows || self.since.is_some_and(is_old)
    }

    async fn names(&mut self, range: &CutRange) -> Result<Vec<String>, Error> {
        self.since = None;
        let rows = std::mem::take(&mut self.taken);
        self.state.0 += rows.len() as u64;
        self.state.1 += rows.iter().sum::<u64>();
        let Some(records) = &range.records else {
            return Ok(Vec::new());
        };
        let mut stem = records.stem(&self.shard);
        // Whoever finishes a cut must know them, even when the shard is gone.
        if let Some(keys) = &self.hash_keys {
            stem = format!("{stem}-{}", keys.range().start());
        }
        if self.maker.broken == Some(Broken::Names) {
            stem = format!("{stem}-{}", self.maker.worker);
        }
        for row in rows {
            let (day, half) = (row % 3, row % 2);
            let name = match self.configuration == CONFIGURATIONS[0] {
                true => format!("day={day}/{stem}"),
                false => format!("day={day}/half={half}/{stem}"),
            };
            self.cut.entry(name).or_default().push(row);
        }
        Ok(self.cut.keys().cloned().collect())
    }

    async fn object(&mut self, name: &str) -> Result<MadeObject, Error> {
        let rows = self.cut.remove(name).unwrap();
        // Bytes differ from worker to worker.
        let mut text = format!("{}\n", self.maker.worker);
        for row in &rows {
            text.push_str(&format!("{row}\n"));
        }
        Ok(MadeObject {
            rows: rows.len() as u64,
            bytes: Bytes::from(text),
        })
    }

    async fn state(&mut self) -> Result<CutState, Error> {
        let (count, sum) = self.state;
        Ok(CutState {
            watermark: None,
            state: Bytes::from(format!("{count} {sum}")),
        })
    }
}
