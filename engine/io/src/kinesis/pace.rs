//! The pace at which a shard is read.
//!
//! Kinesis gives 5 reads and 2 MB a second of a shard, to all consumers together; an answer of 10 MB
//! uses up the next seconds. Asking for more is no error, but takes from others.

use std::time::Duration;

use tokio::time::Instant;

/// Between two reads while records keep coming: a little less than 5 a second, because requests do not
/// travel at the same speed.
const LEAST: Duration = Duration::from_millis(210);

/// Between two reads of a shard that has nothing new: others want to read too.
const IDLE: Duration = Duration::from_secs(1);

/// Between two reads where others take what the shard gives.
const MOST: Duration = Duration::from_secs(5);

/// What a shard gives in a second.
const BYTES: f64 = 2e6;

/// When a shard may be read next.
#[derive(Debug)]
pub(super) struct Pace {
    /// Between two reads.
    interval: Duration,
    next: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            interval: LEAST,
            next: Instant::now(),
        }
    }

    /// Waits until the shard may be read.
    pub(super) async fn turn(&self) {
        tokio::time::sleep_until(self.next).await;
    }

    /// A read that began then gave so many bytes; or nothing, and there is nothing newer.
    pub(super) fn gave(&mut self, begun: Instant, bytes: usize, idle: bool) {
        self.interval = match idle {
            true => (self.interval * 3 / 2).min(IDLE),
            false => (self.interval * 3 / 4).max(LEAST),
        };
        let share = Duration::from_secs_f64(bytes as f64 / BYTES);
        self.next = begun + self.interval.max(share);
    }

    /// A read was refused because of others.
    pub(super) fn throttled(&mut self) {
        self.interval = (self.interval * 2).min(MOST);
        self.next = Instant::now() + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_large_answer_is_paid_for_and_throttling_slows_down() {
        let mut pace = Pace::new();
        let begun = Instant::now();
        pace.turn().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        pace.gave(begun, 10_000_000, false);
        pace.turn().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5));

        let begun = Instant::now();
        pace.throttled();
        pace.throttled();
        pace.turn().await;
        assert!(begun.elapsed() >= LEAST * 4);
        for _ in 0..10 {
            pace.gave(Instant::now(), 1000, false);
        }
        let begun = Instant::now();
        pace.turn().await;
        assert!(begun.elapsed() <= LEAST + Duration::from_millis(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_shard_without_news_is_read_once_a_second() {
        let mut pace = Pace::new();
        let begun = Instant::now();
        for _ in 0..60 {
            pace.turn().await;
            pace.gave(Instant::now(), 0, true);
        }
        let seconds = begun.elapsed().as_secs();
        assert!((50..60).contains(&seconds), "{seconds}");
    }
}
