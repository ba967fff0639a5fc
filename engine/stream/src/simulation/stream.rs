//! A stream in memory.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::error::Error;
use loglens_engine::shard::{
    Fetched, Sequence, Shard, ShardReader, ShardRecord, ShardSource, Start,
};

use super::world::{Broken, Net, World};
use crate::clock::Clock;

/// The shards of a stream and what is in them.
#[derive(Debug, Default)]
pub(super) struct Stream {
    shards: Vec<Stored>,
    last_sequence: u64,
    pub(super) last_row: u64,
    /// How often each record came to an owner.
    pub(super) came: BTreeMap<u64, usize>,
    /// Records are delivered more than once.
    pub(super) repeats: bool,
}

#[derive(Debug)]
struct Stored {
    shard: Shard,
    records: Vec<(u64, Vec<u64>)>,
}

impl Stream {
    /// Adds shards that share all hash keys.
    pub(super) fn begin(&mut self, shards: u64) {
        for index in 0..shards {
            let first = u128::from(index * 1_000);
            self.add(&[], first..=first + 999);
        }
        // Numbers get more digits in the middle of a shard.
        self.last_sequence = 90;
    }

    fn add(&mut self, parents: &[usize], hash_keys: RangeInclusive<u128>) {
        let id = Arc::from(format!("shard-{:03}", self.shards.len()));
        let parents = parents
            .iter()
            .map(|parent| self.shards[*parent].shard.id.clone());
        let shard = Shard {
            id,
            parents: parents.collect(),
            hash_keys,
            closed: false,
        };
        self.shards.push(Stored {
            shard,
            records: Vec::new(),
        });
    }

    /// Shards that take records.
    fn open(&self) -> Vec<usize> {
        (0..self.shards.len())
            .filter(|index| !self.shards[*index].shard.closed)
            .collect()
    }

    pub(super) fn close_all(&mut self) {
        for stored in &mut self.shards {
            stored.shard.closed = true;
        }
    }

    pub(super) fn lose_all(&mut self) {
        for stored in &mut self.shards {
            stored.records.clear();
        }
    }

    /// The rows that were produced, in each shard.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&Arc<str>, Vec<u64>)> {
        self.shards.iter().map(|stored| {
            let rows = stored.records.iter().flat_map(|(_, rows)| rows);
            (&stored.shard.id, rows.copied().collect())
        })
    }

    pub(super) fn record_count(&self) -> usize {
        self.shards.iter().map(|stored| stored.records.len()).sum()
    }
}

impl World {
    /// A record of a few rows comes to some shard.
    pub(super) fn produce(&mut self) {
        let open = self.stream.open();
        if open.is_empty() {
            return;
        }
        let chosen = open[self.random.below(open.len())];
        let rows = 1 + self.random.below(3) as u64;
        let stream = &mut self.stream;
        stream.last_sequence += 1 + self.random.below(3) as u64;
        let first = stream.last_row + 1;
        stream.last_row += rows;
        let record = (stream.last_sequence, (first..=stream.last_row).collect());
        stream.shards[chosen].records.push(record);
    }

    /// An open shard becomes two, or two neighbours one.
    pub(super) fn reshard(&mut self) {
        let open = self.stream.open();
        let chosen = open[self.random.below(open.len())];
        let keys = self.stream.shards[chosen].shard.hash_keys.clone();
        let follows =
            |other: &&usize| *self.stream.shards[**other].shard.hash_keys.start() == keys.end() + 1;
        let neighbour = open.iter().find(follows).copied();
        let stream = &mut self.stream;
        stream.shards[chosen].shard.closed = true;
        match neighbour {
            Some(neighbour) if self.random.below(2) == 0 => {
                stream.shards[neighbour].shard.closed = true;
                let end = *stream.shards[neighbour].shard.hash_keys.end();
                stream.add(&[chosen, neighbour], *keys.start()..=end);
            }
            _ => {
                let middle = keys.start().midpoint(*keys.end());
                stream.add(&[chosen], *keys.start()..=middle);
                stream.add(&[chosen], middle + 1..=*keys.end());
            }
        }
    }

    /// The first of these rows that no reader of the lake sees.
    pub(super) fn not_there(&self, rows: &[u64]) -> Option<u64> {
        let is_there = |row: &u64| self.objects.rows.contains_key(row);
        rows.iter().copied().find(|row| !is_there(row))
    }

    /// Whatever reads a shard may only do so when all before it is done.
    fn check_parents(&mut self, shard: usize) {
        for parent in self.stream.shards[shard].shard.parents.clone() {
            let stored = self
                .stream
                .shards
                .iter()
                .find(|stored| stored.shard.id == parent);
            let rows = stored.unwrap().records.iter().flat_map(|(_, rows)| rows);
            let rows: Vec<u64> = rows.copied().collect();
            if !self.ended.contains(&parent) || self.not_there(&rows).is_some() {
                self.violate(|| format!("a child is read before the end of {parent}"));
            }
        }
    }

    fn fetch(&mut self, shard: usize, from: usize) -> (Fetched, usize) {
        let most = 1 + self.random.below(4);
        let back = match self.stream.repeats && self.one_in(4) {
            true => self.random.below(4),
            false => 0,
        };
        let stored = &self.stream.shards[shard];
        let end = stored.records.len().min(from + most);
        let records = &stored.records[from.saturating_sub(back)..end];
        let fetched = Fetched {
            records: records
                .iter()
                .map(|(sequence, rows)| record(*sequence, rows))
                .collect(),
            behind: Duration::from_secs((stored.records.len() - end) as u64),
            ended: stored.shard.closed && end == stored.records.len(),
        };
        (fetched, end)
    }

    fn index(&mut self, shard: usize, start: &Start) -> usize {
        let records = &self.stream.shards[shard].records;
        match start {
            Start::After(position) => records.partition_point(|(sequence, _)| {
                let sequence = Sequence::new(&sequence.to_string());
                sequence < position.sequence
                    || (sequence == position.sequence && position.sub.is_none())
            }),
            Start::Latest => records.len(),
            Start::Oldest | Start::Time(_) => 0,
        }
    }
}

fn record(sequence: u64, rows: &[u64]) -> ShardRecord {
    let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
    ShardRecord {
        sequence: Sequence::new(&sequence.to_string()),
        partition_key: Arc::from(""),
        data: Bytes::from(rows.join(",")),
        arrived: 0,
    }
}

#[async_trait]
impl ShardSource for Net {
    fn name(&self) -> &'static str {
        "stream"
    }

    async fn shards(&self) -> Result<Vec<Shard>, Error> {
        self.call(|world| {
            let hides_parents = world.broken == Some(Broken::Parents);
            let shards = world
                .stream
                .shards
                .iter()
                .map(|stored| stored.shard.clone());
            let mut shards: Vec<Shard> = shards.collect();
            if hides_parents {
                shards.iter_mut().for_each(|shard| shard.parents.clear());
            }
            shards
        })
        .await
    }

    async fn open(&self, shard: &str, start: &Start) -> Result<Box<dyn ShardReader>, Error> {
        let (shard, start) = (shard.to_owned(), start.clone());
        let found = self.call(move |world| {
            let mut ids = world.stream.shards.iter().map(|stored| &*stored.shard.id);
            let index = ids.position(|id| id == shard).unwrap();
            world.check_parents(index);
            (index, world.index(index, &start))
        });
        let (shard, next) = found.await?;
        Ok(Box::new(Reader {
            net: self.clone(),
            shard,
            next,
        }))
    }
}

struct Reader {
    net: Net,
    shard: usize,
    next: usize,
}

#[async_trait]
impl ShardReader for Reader {
    async fn fetch(&mut self) -> Result<Fetched, Error> {
        let (shard, from) = (self.shard, self.next);
        let (fetched, next) = self.net.call(move |world| world.fetch(shard, from)).await?;
        if fetched.records.is_empty() && !fetched.ended {
            self.net.sleep(Duration::from_millis(400)).await;
        }
        self.next = next;
        let mut world = self.net.world();
        for record in &fetched.records {
            let sequence = record.sequence.digits().parse().unwrap();
            *world.stream.came.entry(sequence).or_default() += 1;
        }
        Ok(fetched)
    }
}
