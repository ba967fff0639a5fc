//! How old the checkpoint of a shard is.

use std::time::Duration;

use loglens_stream::event::Gave;

/// Up to when all that came to a shard is committed. Times are microseconds since 1970.
///
/// That a shard gives nothing does not make its checkpoint old: it counts from the last time at which
/// everything was committed, or from the arrival of the newest committed record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// None as long as nothing is known: nothing came since the worker took the shard.
    committed: Option<i64>,
    /// When the newest record came that is not committed.
    waiting: Option<i64>,
}

impl Progress {
    /// The shard gave this.
    pub(super) fn fetched(&mut self, gave: &Gave, now: i64) {
        if let Some((first, last)) = gave.arrived {
            // What came before the first record is committed, by whoever read it.
            self.committed.get_or_insert(first);
            self.waiting = Some(last);
        } else if self.waiting.is_none() {
            let behind = i64::try_from(gave.behind.as_micros()).unwrap_or(i64::MAX);
            let reached = now.saturating_sub(behind);
            self.committed = self.committed.max(Some(reached));
        }
    }

    /// All that it gave is committed.
    pub(super) fn committed(&mut self) {
        self.committed = self.committed.max(self.waiting.take());
    }

    /// How old the checkpoint is.
    pub(super) fn age(&self, now: i64) -> Option<Duration> {
        let age = now.saturating_sub(self.committed?);
        Some(Duration::from_micros(u64::try_from(age).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn nothing() -> Gave {
        Gave::default()
    }

    fn records(first: i64, last: i64) -> Gave {
        Gave {
            records: 2,
            arrived: Some((first * SECOND, last * SECOND)),
            ..Gave::default()
        }
    }

    fn age(progress: &Progress, now: i64) -> Option<u64> {
        progress.age(now * SECOND).map(|age| age.as_secs())
    }

    #[test]
    fn nothing_is_known_at_first() {
        assert_eq!(age(&Progress::default(), 100), None);
    }

    #[test]
    fn a_checkpoint_ages_while_records_wait() {
        let mut progress = Progress::default();
        progress.fetched(&records(10, 20), 100 * SECOND);
        assert_eq!(age(&progress, 100), Some(90));
        // Nothing more comes, and what came is not committed.
        progress.fetched(&nothing(), 110 * SECOND);
        assert_eq!(age(&progress, 110), Some(100));
        progress.committed();
        assert_eq!(age(&progress, 110), Some(90));
        progress.fetched(&nothing(), 120 * SECOND);
        assert_eq!(age(&progress, 121), Some(1));
    }

    #[test]
    fn an_idle_shard_has_a_new_checkpoint() {
        let mut progress = Progress::default();
        progress.fetched(&nothing(), 100 * SECOND);
        progress.fetched(&nothing(), 5000 * SECOND);
        progress.fetched(&records(5001, 5001), 5001 * SECOND);
        assert_eq!(age(&progress, 5002), Some(2));
        // A source that gives no records, and is behind.
        let mut progress = Progress::default();
        let behind = Duration::from_secs(40);
        progress.fetched(
            &Gave {
                behind,
                ..nothing()
            },
            100 * SECOND,
        );
        assert_eq!(age(&progress, 100), Some(40));
    }
}
