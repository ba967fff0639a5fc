//! What a shard gives in a second.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// Reads of a shard in a second.
const READS: usize = 5;

/// Bytes of a shard in a second.
const BYTES: f64 = 2e6;

/// Requests do not travel at the same speed.
const SLACK: Duration = Duration::from_millis(50);

/// What was read of each shard.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    shards: HashMap<String, Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    reads: VecDeque<Instant>,
    /// Until then, what was given is the share of the time.
    full: Option<Instant>,
}

impl Limits {
    /// Whether a shard may be read now; if so, that is a read.
    pub(crate) fn allow(&mut self, shard: &str) -> bool {
        let now = Instant::now();
        let taken = self.shards.entry(shard.to_owned()).or_default();
        while taken
            .reads
            .front()
            .is_some_and(|read| now - *read >= SECOND)
        {
            taken.reads.pop_front();
        }
        if taken.reads.len() >= READS || taken.full.is_some_and(|full| now + SLACK < full) {
            return false;
        }
        taken.reads.push_back(now);
        true
    }

    /// A shard gave so many bytes.
    pub(crate) fn gave(&mut self, shard: &str, bytes: usize) {
        let taken = self.shards.entry(shard.to_owned()).or_default();
        let begun = taken.reads.back().copied().unwrap_or_else(Instant::now);
        taken.full = Some(begun + Duration::from_secs_f64(bytes as f64 / BYTES));
    }
}
