//! A worker: takes leases, and owns the shards that they are on.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FusedFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use loglens_engine::error::Error;
use loglens_engine::lease::{Checkpoint, Lease};
use tokio::sync::Notify;

use crate::application::Application;
use crate::clock::Clock;
use crate::cut::{Left, ShardOwner};
use crate::event::Event;
use crate::leases::{Held, LeaseSettings, Leases};
use crate::stop::{Stop, Stopper, stopper};

/// The first pause after something failed; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause after something failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Starts a task that runs by itself.
pub type Spawn = Arc<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>;

/// A worker of an application.
pub struct Worker {
    application: Arc<Application>,
    leases: Arc<Leases>,
    spawn: Spawn,
    /// A shard was read to its end: its children want leases.
    ended: Notify,
    /// When the shards were looked at last.
    synced: Mutex<Option<Duration>>,
}

impl Worker {
    /// A worker. Each shard that it owns becomes a task by `spawn`; all end when its future is dropped.
    pub fn new(application: Application, settings: LeaseSettings, spawn: Spawn) -> Self {
        let store = Arc::clone(&application.leases);
        let leases = Leases::new(store, Arc::clone(&application.clock), settings);
        Self {
            application: Arc::new(application),
            leases: Arc::new(leases),
            spawn,
            ended: Notify::new(),
            synced: Mutex::default(),
        }
    }

    /// Works until it is asked to stop, and then until all that was read is committed and all leases
    /// are given up.
    ///
    /// # Errors
    ///
    /// The place of leases cannot be made ready. Whatever fails later is tried again.
    pub async fn run(&self, stop: Stop) -> Result<(), Error> {
        self.leases.prepare().await?;
        let (no_more_cuts, windows) = self.give_windows();
        tokio::select! {
            biased;
            () = self.renew() => (),
            () = self.work(stop) => (),
        }
        no_more_cuts.stop();
        windows.await;
        Ok(())
    }

    /// Gives windows as they close, in a task of its own, until no more cuts are committed.
    fn give_windows(&self) -> (Stopper, BoxFuture<'static, ()>) {
        let (no_more_cuts, stop) = stopper();
        let application = Arc::clone(&self.application);
        let worker = Arc::clone(&self.leases.settings().worker);
        let windows = async move { application.windows.run(&application, &worker, &stop).await };
        let (task, windows) = windows.remote_handle();
        (self.spawn)(task.boxed());
        (no_more_cuts, windows.boxed())
    }

    /// Renews all leases for ever. Nothing else that is slow may hold this up.
    async fn renew(&self) {
        loop {
            let renewal = self.leases.settings().renewal();
            self.application.clock.sleep(renewal).await;
            if let Err(error) = self.leases.renew().await {
                failed(&self.application, None, &error);
            }
            self.application.observer.observe(&Event::Renewed);
        }
    }

    /// Takes leases and owns their shards, until it is asked to stop and nothing is owned.
    async fn work(&self, stop: Stop) {
        let mut owned = FuturesUnordered::new();
        let mut taking = pin!(self.take(Duration::ZERO, stop.clone()).fuse());
        loop {
            tokio::select! {
                biased;
                taken = &mut taking, if !taking.is_terminated() => {
                    owned.extend(taken.into_iter().map(|held| self.own(held, stop.clone())));
                    if !stop.is_asked() {
                        let renewal = self.leases.settings().renewal();
                        taking.set(self.take(renewal, stop.clone()).fuse());
                    }
                }
                Some(left) = owned.next() => {
                    if left == Left::Ended {
                        self.ended.notify_one();
                    }
                }
                else => break,
            }
        }
    }

    /// Waits for so long, or until a shard is at its end; then looks at shards and leases. Gives what it
    /// took.
    async fn take(&self, wait: Duration, mut stop: Stop) -> Vec<Arc<Held>> {
        tokio::select! {
            biased;
            () = stop.asked() => return Vec::new(),
            () = self.ended.notified() => self.sync_at_once(),
            () = self.application.clock.sleep(wait) => (),
        }
        if let Err(error) = self.sync().await {
            failed(&self.application, None, &error);
        }
        match self.leases.take().await {
            Ok(taken) => {
                self.application.observer.observe(&Event::Looked);
                taken
            }
            Err(error) => {
                failed(&self.application, None, &error);
                Vec::new()
            }
        }
    }

    fn sync_at_once(&self) {
        *self.synced.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Looks for shards that want a lease, if that is not long ago.
    async fn sync(&self) -> Result<(), Error> {
        let now = self.application.clock.now();
        let failover = self.leases.settings().failover;
        let synced = *self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if synced.is_some_and(|synced| now.saturating_sub(synced) < failover) {
            return Ok(());
        }
        let Application {
            source, windows, ..
        } = &*self.application;
        let is_done = |shard: &str| windows.are_done_with(shard);
        let changed = self.leases.sync(&**source, is_done).await?;
        let observer = &self.application.observer;
        for shard in &changed.added {
            observer.observe(&Event::Found(shard));
        }
        for Lease {
            shard, checkpoint, ..
        } in &changed.deleted
        {
            let ended = *checkpoint == Checkpoint::End;
            observer.observe(&Event::Deleted { shard, ended });
        }
        *self.synced.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        Ok(())
    }

    /// Owns a shard, in a task of its own.
    fn own(&self, lease: Arc<Held>, stop: Stop) -> BoxFuture<'static, Left> {
        let owned = Owned {
            owner: ShardOwner::new(
                Arc::clone(&self.application),
                Arc::clone(&lease),
                Arc::clone(&self.leases.settings().worker),
            ),
            application: Arc::clone(&self.application),
            lease,
        };
        let leases = Arc::clone(&self.leases);
        let (task, left) = async move {
            let left = owned.run(stop).await;
            leases.forget(&owned.lease);
            left
        }
        .remote_handle();
        (self.spawn)(task.boxed());
        left.boxed()
    }
}

/// A shard that is owned.
struct Owned {
    application: Arc<Application>,
    lease: Arc<Held>,
    owner: ShardOwner,
}

impl Owned {
    /// Runs owners, one after the other, as long as the lease is held.
    async fn run(&self, mut stop: Stop) -> Left {
        let Application {
            clock, observer, ..
        } = &*self.application;
        let shard = self.lease.shard();
        observer.observe(&Event::Taken(shard));
        let left = self.run_again(&mut stop, &**clock).await;
        observer.observe(&match left {
            Left::Ended => Event::Ended(shard),
            Left::Stopped => Event::GivenUp(shard),
            Left::Behind => Event::LeftBehind(shard),
            Left::Deposed => Event::Lost(shard),
        });
        left
    }

    async fn run_again(&self, stop: &mut Stop, clock: &dyn Clock) -> Left {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = clock.now();
            match self.owner.run(stop).await {
                // Another one has written to the log, and may be gone again.
                Ok(Left::Deposed) if !self.lease.is_lost() => (),
                Ok(left) => return left,
                Err(error) => failed(&self.application, Some(self.lease.shard()), &error),
            }
            if clock.now().saturating_sub(began) > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                biased;
                () = stop.asked() => return self.give_up().await,
                () = self.lease.lost() => return Left::Deposed,
                () = clock.sleep(pause) => (),
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Leaves at the last commit.
    async fn give_up(&self) -> Left {
        match self.lease.give_up().await {
            Ok(true) => Left::Behind,
            Ok(false) => Left::Deposed,
            Err(error) => {
                failed(&self.application, Some(self.lease.shard()), &error);
                Left::Behind
            }
        }
    }
}

fn failed(application: &Application, shard: Option<&Arc<str>>, error: &Error) {
    application
        .observer
        .observe(&Event::Failed { shard, error });
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Worker");
        shown
            .field("application", &self.application)
            .field("leases", &self.leases);
        shown.finish_non_exhaustive()
    }
}
