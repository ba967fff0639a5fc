//! The alarm: a checkpoint that grows old, while the stream drops what is older still.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use loglens_io::kinesis::KinesisStream;

use super::metrics::{Late, Metrics};
use super::teller::{Level, Line, Teller};

/// How often checkpoints are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How often it is asked for how long the stream keeps records: somebody may change it.
const ASK: Duration = Duration::from_secs(60 * 60);

/// Watches the checkpoints for ever. Without the right to ask how long the stream keeps records, it
/// says so and is silent.
pub(super) async fn watch(stream: KinesisStream, metrics: Arc<Metrics>, teller: Teller) {
    let mut alarm = Alarm::default();
    loop {
        match stream.retention().await {
            Ok(retention) => metrics.retention(retention),
            Err(error) => {
                let text = format!("{error}; so nobody warns of records that are about to be lost");
                teller.tell(&Line::failed(Level::Warning, &error, text));
                return;
            }
        }
        for _ in 0..ASK.as_secs() / LOOK.as_secs() {
            if let Some((checkpoints, limit)) = metrics.checkpoints() {
                for late in alarm.new_ones(&checkpoints, limit) {
                    teller.tell(&line(late, limit));
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn line<'a>(late: &'a Late, limit: Duration) -> Line<'a> {
    let (age, limit) = (late.age.as_secs(), limit.as_secs());
    let text = format!(
        "its checkpoint is {age} s old, and the stream drops records after {} s",
        2 * limit
    );
    let line = Line::new(Level::Warning, "checkpoint_late", text);
    line.of(&late.shard).count("age_seconds", age)
}

/// Shards of which it was said.
#[derive(Debug, Default)]
struct Alarm(BTreeSet<Arc<str>>);

impl Alarm {
    /// Those of which it is to be said: once, until they have recovered by half.
    fn new_ones<'a>(&mut self, checkpoints: &'a [Late], limit: Duration) -> Vec<&'a Late> {
        let mut new = Vec::new();
        for found in checkpoints {
            if found.age > limit && self.0.insert(Arc::clone(&found.shard)) {
                new.push(found);
            }
            if found.age < limit / 2 {
                self.0.remove(&found.shard);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_until_the_shard_has_recovered() {
        let mut alarm = Alarm::default();
        let mut said = |age| {
            let late = Late {
                shard: Arc::from("a"),
                age: Duration::from_secs(age),
            };
            !alarm.new_ones(&[late], Duration::from_secs(100)).is_empty()
        };
        let ages = [99, 101, 200, 99, 101, 49, 101, 102];
        assert_eq!(
            ages.map(&mut said),
            [false, true, false, false, false, false, true, false]
        );
    }
}
