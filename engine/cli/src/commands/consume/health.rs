//! Whether the daemon lives, and whether it does its work: for `/healthz` and `/readyz`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loglens_engine::Error;
use loglens_stream::event::{Event, Observer};
use tokio::time::Instant;

/// A worker that did not even try to renew its leases for so long hangs. A store that does not answer
/// may hold it up for minutes.
const HANGS: Duration = Duration::from_secs(10 * 60);

/// What fails for so long without a success is not ready.
const FAILS: Duration = Duration::from_secs(60);

/// A shard that gives records for so long without a failure has recovered.
const RECOVERED: Duration = Duration::from_secs(30);

/// How the worker does.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When its loop turned last; None before it begins.
    turned: Option<Instant>,
    /// Leases were prepared and looked at.
    looked: bool,
    stopping: bool,
    /// Shards that were given up at the last commit.
    left_behind: u64,
    /// What concerns no single shard.
    worker: Option<Failing>,
    /// The shards that are held.
    shards: BTreeMap<Arc<str>, Option<Failing>>,
}

/// Something that failed, and did not succeed since.
#[derive(Debug)]
struct Failing {
    since: Instant,
    last: Instant,
    why: String,
}

impl Failing {
    fn again(before: Option<Self>, error: &Error) -> Self {
        let now = Instant::now();
        Self {
            since: before.map_or(now, |before| before.since),
            last: now,
            why: error.to_string(),
        }
    }

    fn is_long(&self) -> bool {
        self.since.elapsed() >= FAILS
    }

    fn told(&self) -> String {
        let seconds = self.since.elapsed().as_secs();
        format!("nothing but failures for {seconds} s: {}", self.why)
    }
}

impl Health {
    /// The daemon was asked to end.
    pub(super) fn stopping(&self) {
        self.state().stopping = true;
    }

    /// Fails, in words, if the worker hangs.
    pub(super) fn lives(&self) -> Result<(), String> {
        let silent = self.state().turned.map(|turned| turned.elapsed());
        match silent.filter(|silent| *silent >= HANGS) {
            None => Ok(()),
            Some(silent) => Err(format!("the worker hangs for {} s", silent.as_secs())),
        }
    }

    /// Fails, in words, unless the worker reads shards or waits for one to be free.
    pub(super) fn is_ready(&self) -> Result<(), String> {
        let state = self.state();
        if state.stopping {
            return Err("stopping".to_owned());
        }
        if let Some(failing) = state.worker.as_ref().filter(|failing| failing.is_long()) {
            return Err(failing.told());
        }
        if !state.looked {
            return Err("starting: leases are not there yet".to_owned());
        }
        let mut failing = Vec::new();
        for shard in state.shards.values() {
            match shard {
                Some(found) if found.is_long() => failing.push(found),
                _ => return Ok(()),
            }
        }
        match failing.first() {
            Some(failing) => Err(failing.told()),
            // Others have all shards: it waits for one.
            None => Ok(()),
        }
    }

    /// How many shards were given up before all that was read of them was committed.
    pub(super) fn left_behind(&self) -> u64 {
        self.state().left_behind
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Health {
    fn observe(&self, event: &Event<'_>) {
        let mut state = self.state();
        match event {
            Event::Renewed => state.turned = Some(Instant::now()),
            Event::Looked => {
                state.looked = true;
                state.worker = None;
            }
            Event::Taken(shard) => {
                state.shards.insert(Arc::clone(shard), None);
            }
            Event::LeftBehind(shard) => {
                state.left_behind += 1;
                state.shards.remove(*shard);
            }
            Event::Ended(shard) | Event::GivenUp(shard) | Event::Lost(shard) => {
                state.shards.remove(*shard);
            }
            Event::Committed { shard, .. } => {
                if let Some(found) = state.shards.get_mut(*shard) {
                    *found = None;
                }
            }
            Event::Fetched { shard, .. } => {
                if let Some(found) = state.shards.get_mut(*shard) {
                    // To read is not enough where it cannot be written.
                    found.take_if(|failing| failing.last.elapsed() >= RECOVERED);
                }
            }
            Event::Failed { shard, error } => {
                let state = &mut *state;
                let found = match shard {
                    Some(shard) => state.shards.get_mut(*shard),
                    None => Some(&mut state.worker),
                };
                if let Some(found) = found {
                    *found = Some(Failing::again(found.take(), error));
                }
            }
            Event::Found(_)
            | Event::Deleted { .. }
            | Event::Finishing { .. }
            | Event::WindowsGiven(_)
            | Event::WindowLacks { .. }
            | Event::NoticesDropped { .. }
            | Event::WindowFailed { .. } => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use loglens_engine::Owner;
    use loglens_stream::event::Gave;
    use tokio::time::advance;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn failed(health: &Health, shard: Option<&Arc<str>>) {
        let error = &Error::new(Owner::External, "no answer");
        health.observe(&Event::Failed { shard, error });
    }

    fn why(health: &Health) -> String {
        health.is_ready().err().unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_once_leases_were_looked_at_and_until_it_stops() {
        let health = Health::default();
        assert_eq!(why(&health), "starting: leases are not there yet");
        health.observe(&Event::Looked);
        assert_eq!(why(&health), "", "it waits for a shard");
        health.observe(&Event::Taken(&Arc::from("a")));
        assert_eq!(why(&health), "");
        health.stopping();
        assert_eq!(why(&health), "stopping");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_but_failures_for_a_minute() {
        let health = Health::default();
        health.observe(&Event::Looked);
        let (a, b): (Arc<str>, Arc<str>) = (Arc::from("a"), Arc::from("b"));
        health.observe(&Event::Taken(&a));
        health.observe(&Event::Taken(&b));
        for _ in 0..7 {
            failed(&health, Some(&a));
            // It is read, and cannot be written.
            let gave = Gave::default();
            health.observe(&Event::Fetched { shard: &a, gave });
            advance(seconds(10)).await;
        }
        assert_eq!(why(&health), "", "the other shard is well");
        health.observe(&Event::Lost(&b));
        assert_eq!(why(&health), "nothing but failures for 70 s: no answer");
        advance(seconds(20)).await;
        let gave = Gave::default();
        health.observe(&Event::Fetched { shard: &a, gave });
        assert_eq!(why(&health), "", "it was read for half a minute");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_of_leases_that_does_not_answer() {
        let health = Health::default();
        health.observe(&Event::Looked);
        failed(&health, None);
        assert_eq!(why(&health), "");
        advance(seconds(60)).await;
        assert_eq!(why(&health), "nothing but failures for 60 s: no answer");
        health.observe(&Event::Looked);
        assert_eq!(why(&health), "");
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_hangs() {
        let health = Health::default();
        advance(seconds(1000)).await;
        assert!(health.lives().is_ok(), "it waits for the stream to begin");
        health.observe(&Event::Renewed);
        advance(seconds(599)).await;
        assert!(health.lives().is_ok());
        advance(seconds(1)).await;
        assert!(health.lives().is_err());
    }
}
