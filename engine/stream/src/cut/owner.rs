//! The owner of a shard, while it has the lease.

use std::sync::Arc;
use std::time::Duration;

use loglens_engine::error::Error;
use loglens_engine::lease::Checkpoint;
use loglens_engine::shard::Fetched;

use super::maker::{Beginning, CutState, Making};
use super::uploads::Uploads;
use crate::application::Application;
use crate::event::{Event, Gave};
use crate::leases::Held;
use crate::shard_log::{Claim, Commit, CutRange, Entry, HashKeys, ShardLog, Tail, Writer};
use crate::stop::Stop;

/// How often it is asked whether to cut while a shard gives nothing.
const LOOK: Duration = Duration::from_millis(500);

/// Why an owner is none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The shard was read to its end.
    Ended,
    /// It was asked to stop: all that was read is committed, and the lease was given up.
    Stopped,
    /// It was asked to stop after something had failed: the lease was given up at the last commit.
    Behind,
    /// Somebody else goes on with the shard, or had written the entry that was to be written.
    Deposed,
}

/// The owner of a shard, while it has the lease.
#[derive(Debug)]
pub struct ShardOwner {
    pub(super) application: Arc<Application>,
    pub(super) lease: Arc<Held>,
    pub(super) log: ShardLog,
    worker: Arc<str>,
}

/// A cut that is to be made.
struct Open {
    cut: u64,
    range: CutRange,
    hash_keys: Option<HashKeys>,
    making: Box<dyn Making>,
}

/// The objects of a claim that are to be uploaded.
pub(super) struct Made<'a> {
    pub(super) names: Vec<String>,
    pub(super) making: &'a mut dyn Making,
    /// Records of the claim that are not in them, because the stream has lost them.
    pub(super) missing: u64,
}

/// Something for an owner to do.
enum Came {
    Fetched(Fetched),
    Stop,
}

impl ShardOwner {
    /// The owner of the shard that `lease` is on, in the worker of this name.
    pub fn new(application: Arc<Application>, lease: Arc<Held>, worker: Arc<str>) -> Self {
        Self {
            log: application.log(lease.shard()),
            application,
            lease,
            worker,
        }
    }

    pub(super) fn shard(&self) -> &Arc<str> {
        self.lease.shard()
    }

    /// Reads the shard until it is at its end, or is asked to stop, or somebody else goes on.
    ///
    /// # Errors
    ///
    /// Those of all that is outside. What was done until then counts: run another owner, which goes
    /// on from there.
    pub async fn run(&self, stop: &mut Stop) -> Result<Left, Error> {
        let mut tail = self.log.tail().await?;
        if let Some(claim) = tail.claim.take() {
            match self.finish(tail.cut, claim.says, tail.committed).await? {
                Some(commit) => tail.committed = Some(commit),
                None => return Ok(Left::Deposed),
            }
            tail.cut += 1;
        }
        if let Some(commit) = &tail.committed {
            if !self.checkpoint(&commit.says).await? {
                return Ok(Left::Deposed);
            }
            if commit.says.ended {
                return Ok(Left::Ended);
            }
        }
        self.read(tail, stop).await
    }

    async fn read(&self, tail: Tail, stop: &mut Stop) -> Result<Left, Error> {
        let (next, state) = match tail.committed {
            Some(commit) => (commit.says.next, Some(commit.says.state)),
            None => match self.lease.at().await {
                Checkpoint::At(start) => (start, None),
                Checkpoint::End => return Ok(Left::Ended),
            },
        };
        let Application { maker, source, .. } = &*self.application;
        let configuration = maker.configuration();
        let hash_keys = self.hash_keys().await?;
        let beginning = Beginning {
            shard: self.shard(),
            after: &next,
            hash_keys: hash_keys.clone(),
            state,
            configuration: &configuration,
        };
        let mut open = Open {
            cut: tail.cut,
            making: maker.begin(beginning).await?,
            range: CutRange::new(next.clone()),
            hash_keys,
        };
        let mut reader = source.open(self.shard(), &next).await?;
        loop {
            // Other shards may have filled the memory meanwhile.
            if self.should_cut(&open) && !self.cut(&mut open, false).await? {
                return Ok(Left::Deposed);
            }
            let stopped = tokio::select! {
                biased;
                () = stop.asked() => true,
                () = self.lease.lost() => return Ok(Left::Deposed),
                () = open.making.ready() => false,
            };
            if stopped {
                return self.leave(open).await;
            }
            let mut fetch = reader.fetch();
            let came = loop {
                tokio::select! {
                    biased;
                    () = stop.asked() => break Came::Stop,
                    () = self.lease.lost() => return Ok(Left::Deposed),
                    fetched = &mut fetch => break Came::Fetched(fetched?),
                    () = self.application.clock.sleep(LOOK) => {
                        if self.should_cut(&open) && !self.cut(&mut open, false).await? {
                            return Ok(Left::Deposed);
                        }
                    }
                }
            };
            drop(fetch);
            let Came::Fetched(mut fetched) = came else {
                return self.leave(open).await;
            };
            fetched
                .records
                .retain(|record| open.range.add(&record.sequence));
            self.tell(&fetched);
            let ended = fetched.ended;
            open.making
                .take(fetched, self.application.clock.now())
                .await?;
            if ended {
                let is_held = self.cut(&mut open, true).await?;
                return Ok(if is_held { Left::Ended } else { Left::Deposed });
            }
        }
    }

    /// Tells of what the shard gave.
    pub(super) fn tell(&self, fetched: &Fetched) {
        self.application.observer.observe(&Event::Fetched {
            shard: self.shard(),
            gave: Gave::new(fetched),
        });
    }

    /// The hash keys of the shard, which never change; None if it is gone from the stream.
    async fn hash_keys(&self) -> Result<Option<HashKeys>, Error> {
        let shards = self.application.source.shards().await?;
        let shard = shards.iter().find(|shard| shard.id == *self.shard());
        Ok(shard.map(|shard| HashKeys::new(&shard.hash_keys)))
    }

    fn should_cut(&self, open: &Open) -> bool {
        open.making.should_cut(self.application.clock.now())
    }

    /// Commits what was read, and gives the lease up.
    async fn leave(&self, mut open: Open) -> Result<Left, Error> {
        if open.range.records.is_some() && !self.cut(&mut open, false).await? {
            return Ok(Left::Deposed);
        }
        Ok(match self.lease.give_up().await? {
            true => Left::Stopped,
            false => Left::Deposed,
        })
    }

    /// Makes a cut of what was read, and opens the next one; false if somebody else goes on.
    async fn cut(&self, open: &mut Open, ended: bool) -> Result<bool, Error> {
        let names = open.making.names(&open.range).await?;
        let claim = self.entry(Claim {
            range: open.range.clone(),
            objects: names.clone(),
            hash_keys: open.hash_keys.clone(),
            configuration: self.application.maker.configuration(),
            ended,
        });
        if !self.log.claim(open.cut, &claim).await? {
            return Ok(false);
        }
        let made = Made {
            names,
            making: &mut *open.making,
            missing: 0,
        };
        let Some(commit) = self.fulfil(open.cut, claim.says, made).await? else {
            return Ok(false);
        };
        let is_held = self.checkpoint(&commit.says).await?;
        self.application.windows.committed();
        self.prune(open.cut).await;
        open.cut += 1;
        open.range = CutRange::new(commit.says.next);
        Ok(is_held)
    }

    /// Uploads the objects of a claim and commits it; None if somebody else has committed it.
    pub(super) async fn fulfil(
        &self,
        cut: u64,
        claim: Claim,
        made: Made<'_>,
    ) -> Result<Option<Entry<Commit>>, Error> {
        let mut uploads = Uploads::new(&self.application.lake);
        for name in made.names {
            let object = made.making.object(&name).await?;
            uploads.add(name, object).await?;
        }
        let outputs = uploads.finish().await?;
        let CutState { watermark, state } = made.making.state().await?;
        let commit = self.entry(Commit {
            next: claim.range.next(),
            range: claim.range,
            ended: claim.ended,
            missing: made.missing,
            watermark,
            outputs,
            state,
        });
        if !self.log.commit(cut, &commit).await? {
            return Ok(None);
        }
        self.application.observer.observe(&Event::Committed {
            shard: self.shard(),
            cut,
            commit: &commit.says,
        });
        Ok(Some(commit))
    }

    /// Moves the lease's checkpoint to where a commit ends; false if the lease is lost.
    async fn checkpoint(&self, commit: &Commit) -> Result<bool, Error> {
        let checkpoint = match commit.ended {
            true => Checkpoint::End,
            false => Checkpoint::At(commit.next.clone()),
        };
        self.lease.checkpoint(&checkpoint).await
    }

    /// Deletes old entries, every so many cuts. What fails is done the next time.
    async fn prune(&self, committed: u64) {
        let kept = self.application.kept_cuts.max(1);
        if !committed.is_multiple_of(kept) {
            return;
        }
        let unneeded = committed.saturating_sub(kept);
        let needed = self.application.windows.needed_from(self.shard());
        let pruned = self.log.prune(needed.unwrap_or(unneeded).min(unneeded));
        if let Err(error) = pruned.await {
            let shard = Some(self.shard());
            let failed = Event::Failed {
                shard,
                error: &error,
            };
            self.application.observer.observe(&failed);
        }
    }

    fn entry<T>(&self, says: T) -> Entry<T> {
        let writer = Writer {
            worker: Arc::clone(&self.worker),
            epoch: self.lease.epoch(),
            program: Arc::clone(&self.application.program),
        };
        Entry::new(writer, says)
    }
}
