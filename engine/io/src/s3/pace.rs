//! The pace of requests to one bucket.
//!
//! S3 answers 503 (`SlowDown`) where it is asked too much. Then every request to the bucket waits,
//! and fewer are under way at a time; each answer that is one lets a few more go. What fails for a
//! passing reason is asked for again, a few times, each time later.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::aws::backoff::pause;
use crate::aws::refusal::{Passing, Refusal};

/// Requests under way at a time, at most.
pub(super) const MOST: usize = 128;

/// How often a request is made, at most, that fails for a passing reason.
const TRIES: u32 = 8;

/// The same where nothing ever answered: an address that is wrong should be said soon.
const TRIES_UNHEARD: u32 = 3;

/// Lets requests go at the pace that the bucket bears.
#[derive(Debug)]
pub(super) struct Pace {
    state: Mutex<State>,
    changed: Notify,
    /// Somebody answered, if only to refuse.
    answered: AtomicBool,
    retries: AtomicU64,
    slow_downs: AtomicU64,
}

#[derive(Debug)]
struct State {
    under_way: usize,
    /// How many may be under way.
    allowed: f64,
    /// Nothing goes before.
    resume: Instant,
    /// Until then, answers that ask to slow down are of one burst, which slows down once.
    burst_ends: Option<Instant>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                under_way: 0,
                allowed: MOST as f64,
                resume: Instant::now(),
                burst_ends: None,
            }),
            changed: Notify::new(),
            answered: AtomicBool::new(false),
            retries: AtomicU64::new(0),
            slow_downs: AtomicU64::new(0),
        }
    }

    /// Requests made again, and answers that asked to slow down.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.retries.load(Relaxed), self.slow_downs.load(Relaxed))
    }

    /// How many requests may be under way now.
    #[cfg(test)]
    pub(super) fn allowed(&self) -> usize {
        self.state().allowed as usize
    }

    /// Makes a request, again if it must be.
    pub(super) async fn run<T, F>(&self, mut request: impl FnMut() -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let mut tries = 0;
        loop {
            let turn = self.turn().await;
            let answer = request().await;
            drop(turn);
            tries += 1;
            let refusal = match answer {
                Ok(answer) => {
                    self.answered.store(true, Relaxed);
                    self.went_well();
                    return Ok(answer);
                }
                Err(refusal) => refusal,
            };
            let passing = refusal.passing();
            if passing == Passing::SlowDown {
                self.slow_down(pause(tries));
            }
            if refusal.progress {
                tries = 1;
            }
            if refusal.status.is_some() {
                self.answered.store(true, Relaxed);
            }
            let most = match self.answered.load(Relaxed) {
                true => TRIES,
                false => TRIES_UNHEARD,
            };
            if passing == Passing::No || tries >= most {
                return Err(refusal.after(tries));
            }
            self.again(tries).await;
        }
    }

    /// Waits before something is asked for again for the `tries`th time.
    pub(super) async fn again(&self, tries: u32) {
        self.retries.fetch_add(1, Relaxed);
        tokio::time::sleep(pause(tries)).await;
    }

    async fn turn(&self) -> Turn<'_> {
        loop {
            // Before the state is looked at: a change between the two is not missed.
            let changed = self.changed.notified();
            let resume = {
                let mut state = self.state();
                let now = Instant::now();
                if now >= state.resume && (state.under_way as f64) < state.allowed {
                    state.under_way += 1;
                    return Turn(self);
                }
                (now < state.resume).then_some(state.resume)
            };
            match resume {
                Some(resume) => tokio::time::sleep_until(resume).await,
                None => changed.await,
            }
        }
    }

    fn slow_down(&self, pause: Duration) {
        self.slow_downs.fetch_add(1, Relaxed);
        let mut state = self.state();
        let now = Instant::now();
        if state.burst_ends.is_none_or(|ends| now >= ends) {
            state.burst_ends = Some(now + pause);
            state.allowed = (state.allowed / 2.0).max(1.0);
        }
        state.resume = state.resume.max(now + pause);
    }

    fn went_well(&self) {
        let mut state = self.state();
        if state.allowed < MOST as f64 {
            // Doubles with each round of requests at most, and one by one near the end.
            state.allowed = (state.allowed + 0.5).min(MOST as f64);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// A panic elsewhere does not make the numbers wrong.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to make one request.
struct Turn<'a>(&'a Pace);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn slow_down() -> Refusal {
        Refusal {
            status: Some(503),
            ..Refusal::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_slows_everything_down_and_answers_let_it_recover() {
        let pace = Pace::new();
        let failures = AtomicU64::new(3);
        let request = || async {
            match failures.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
                Ok(_) => Err(slow_down()),
                Err(_) => Ok(()),
            }
        };
        let begun = Instant::now();
        pace.run(request).await.unwrap();
        assert!(
            begun.elapsed() >= Duration::from_millis(150),
            "{:?}",
            begun.elapsed()
        );
        let slowed = pace.allowed();
        assert!(slowed <= MOST / 4, "{slowed}");
        assert_eq!(pace.counts(), (3, 3));
        for _ in 0..600 {
            pace.run(|| async { Ok::<_, Refusal>(()) }).await.unwrap();
        }
        assert_eq!(pace.allowed(), MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn what_keeps_failing_is_given_up_and_what_makes_progress_is_not() {
        let pace = Pace::new();
        let refusal = pace
            .run(|| async { Err::<(), _>(slow_down()) })
            .await
            .unwrap_err();
        assert_eq!(refusal.tries, TRIES);
        let left = AtomicU64::new(3 * u64::from(TRIES));
        let request = || async {
            match left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
                Ok(_) => Err(Refusal {
                    progress: true,
                    ..Refusal::on_the_way("broken")
                }),
                Err(_) => Ok(()),
            }
        };
        pace.run(request).await.unwrap();
        let refusal = pace
            .run(|| async {
                Err::<(), _>(Refusal {
                    status: Some(403),
                    ..Refusal::default()
                })
            })
            .await
            .unwrap_err();
        assert_eq!(refusal.tries, 1, "what is not allowed is asked for once");
    }
}
