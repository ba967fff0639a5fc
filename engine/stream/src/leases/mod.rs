//! Leases of one worker: the rules of the Kinesis Client Library over a [`LeaseStore`].
//!
//! - Each shard has a lease, and whoever holds it reads the shard. It is renewed at a third of the
//!   failover time; others take it when its counter has stood still for that time *on their own
//!   clock* ([`Expiry`]).
//! - Shards get leases when all of their parents were read to their end ([`wanted`]), and lose them
//!   when all of their children have begun ([`unneeded`]).
//! - Workers come to have equally many, by one that is stolen at a time.
//!
//! Time comes from a [`Clock`], and what is left to chance from a seed.

mod balance;
mod cover;
mod done;
mod expiry;
mod family;
mod found;
mod held;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use loglens_engine::error::Error;
use loglens_engine::lease::{Lease, LeaseStore};
use loglens_engine::shard::{ShardSource, Start};

use self::balance::to_take;
pub(crate) use self::cover::cover;
pub use self::done::unneeded;
pub use self::expiry::Expiry;
pub use self::found::wanted;
pub use self::held::Held;
use crate::clock::Clock;
use crate::random::Random;

/// How a worker deals with leases.
#[derive(Debug, Clone)]
pub struct LeaseSettings {
    /// What the worker is called. No other process ever has the same name, not even the next one on
    /// the same machine: the name is how a worker knows its own writes again.
    pub worker: Arc<str>,
    /// For how long a lease that stands still is left to its owner.
    pub failover: Duration,
    /// Where shards begin of which nothing was read yet. With [`Start::Latest`], what arrives before
    /// the first cut of a shard is not read if its owner dies before that.
    pub first: Start,
    /// Decides which of several equal leases is taken.
    pub seed: u64,
}

impl LeaseSettings {
    /// The time between two renewals.
    pub fn renewal(&self) -> Duration {
        self.failover / 3
    }
}

/// What a look at the shards changed.
#[derive(Debug, Default)]
pub struct Synced {
    /// Leases that were added.
    pub added: Vec<Arc<str>>,
    /// Leases that were deleted.
    pub deleted: Vec<Lease>,
}

/// The leases of one worker.
#[derive(Debug)]
pub struct Leases {
    store: Arc<dyn LeaseStore>,
    clock: Arc<dyn Clock>,
    settings: LeaseSettings,
    held: Mutex<BTreeMap<Arc<str>, Arc<Held>>>,
    judging: Mutex<Judging>,
}

/// What leases are judged by.
#[derive(Debug)]
struct Judging {
    expiry: Expiry,
    random: Random,
}

impl Leases {
    /// None are held at first.
    pub fn new(store: Arc<dyn LeaseStore>, clock: Arc<dyn Clock>, settings: LeaseSettings) -> Self {
        let judging = Judging {
            expiry: Expiry::default(),
            random: Random::new(settings.seed),
        };
        Self {
            store,
            clock,
            settings,
            held: Mutex::default(),
            judging: Mutex::new(judging),
        }
    }

    /// How they are dealt with.
    pub fn settings(&self) -> &LeaseSettings {
        &self.settings
    }

    /// Those that are held.
    pub fn held(&self) -> Vec<Arc<Held>> {
        locked(&self.held).values().cloned().collect()
    }

    /// Makes the place of leases ready.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn prepare(&self) -> Result<(), Error> {
        self.store.prepare().await
    }

    /// Renews all that are held.
    ///
    /// # Errors
    ///
    /// The store's, once all were tried.
    pub async fn renew(&self) -> Result<(), Error> {
        let held = self.held();
        let renewed = join_all(held.iter().map(|held| held.renew())).await;
        renewed
            .into_iter()
            .try_for_each(|renewed| renewed.map(drop))
    }

    /// Adds leases for shards that should have one, or else deletes those that are not needed, and of
    /// which `is_done` says so too.
    ///
    /// # Errors
    ///
    /// The store's and the source's. What is not done then is done the next time.
    pub async fn sync(
        &self,
        source: &dyn ShardSource,
        is_done: impl Fn(&str) -> bool,
    ) -> Result<Synced, Error> {
        // Leases first: one that is there already and whose shard is not listed later is of a shard
        // that is gone, and not of one that came meanwhile.
        let leases = self.store.list().await?;
        let shards = source.shards().await?;
        let wanted = wanted(&shards, &leases, &self.settings.first);
        let mut synced = Synced::default();
        for lease in &wanted {
            if self.store.create(lease).await? {
                synced.added.push(Arc::clone(&lease.shard));
            }
        }
        if wanted.is_empty() {
            let unneeded = unneeded(&shards, &leases).into_iter();
            for lease in unneeded.filter(|lease| is_done(&lease.shard)) {
                if self.store.delete(&lease.shard, lease.counter).await? {
                    synced.deleted.push(lease.clone());
                }
            }
        }
        Ok(synced)
    }

    /// Looks at all leases and takes those that this worker should have; gives the ones that were
    /// taken, each of which wants an owner ([`ShardOwner`](crate::cut::ShardOwner)).
    ///
    /// # Errors
    ///
    /// The store's. What was taken before is held, and is not given: nothing is taken then.
    pub async fn take(&self) -> Result<Vec<Arc<Held>>, Error> {
        let asked = self.clock.now();
        let leases = self.store.list().await?;
        self.drop_lost(&leases);
        let mut taken = Vec::new();
        for lease in self.to_take(&leases, asked) {
            match self.try_take(lease).await {
                Ok(held) => taken.extend(held),
                // It is not known whether it was taken: a later look says so.
                Err(error) if taken.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(taken)
    }

    /// Those of `leases` that should be taken.
    fn to_take<'a>(&self, leases: &'a [Lease], asked: Duration) -> Vec<&'a Lease> {
        let worker = &self.settings.worker;
        let held = locked(&self.held);
        let Judging { expiry, random } = &mut *locked(&self.judging);
        expiry.observe(leases, asked, self.clock.now());
        let is_free = |lease: &Lease| match &lease.owner {
            None => true,
            // One whose taking was never answered is taken again.
            Some(owner) if owner == worker => !held.contains_key(&lease.shard),
            Some(_) => expiry.is_expired(&lease.shard, self.settings.failover),
        };
        let shards = to_take(leases, is_free, worker, random);
        let found = |shard: &Arc<str>| leases.iter().find(|lease| lease.shard == *shard);
        shards.iter().filter_map(found).collect()
    }

    async fn try_take(&self, lease: &Lease) -> Result<Option<Arc<Held>>, Error> {
        let taken = Lease {
            owner: Some(Arc::clone(&self.settings.worker)),
            counter: lease.counter + 1,
            switches: lease.switches + 1,
            ..lease.clone()
        };
        if !self.store.replace(&taken, lease.counter).await? {
            return Ok(None);
        }
        let held = Held::new(Arc::clone(&self.store), &self.settings.worker, taken);
        let held = Arc::new(held);
        let before = locked(&self.held).insert(Arc::clone(held.shard()), Arc::clone(&held));
        if let Some(before) = before {
            before.lose();
        }
        Ok(Some(held))
    }

    /// Loses those that others have, or that are gone.
    fn drop_lost(&self, leases: &[Lease]) {
        let is_mine = |lease: &&Lease| lease.owner.as_ref() == Some(&self.settings.worker);
        let mine: BTreeMap<_, _> = leases
            .iter()
            .filter(is_mine)
            .map(|lease| (&lease.shard, lease))
            .collect();
        locked(&self.held).retain(|shard, held| {
            let is_held = mine.contains_key(shard) && !held.is_lost();
            if !is_held {
                held.lose();
            }
            is_held
        });
    }

    /// Forgets one whose owner has ended.
    pub(crate) fn forget(&self, gone: &Arc<Held>) {
        gone.lose();
        locked(&self.held).retain(|_, held| !Arc::ptr_eq(held, gone));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;
    use std::sync::Arc;

    use loglens_engine::lease::{Checkpoint, Lease};
    use loglens_engine::shard::{Position, Sequence, Shard, Start};

    pub(super) fn shard(
        id: &str,
        parents: &[&str],
        hash_keys: RangeInclusive<u128>,
        closed: bool,
    ) -> Shard {
        Shard {
            id: Arc::from(id),
            parents: parents.iter().map(|parent| Arc::from(*parent)).collect(),
            hash_keys,
            closed,
        }
    }

    pub(super) fn leased(shard: &str, parents: &[&str], checkpoint: Checkpoint) -> Lease {
        Lease {
            shard: Arc::from(shard),
            owner: None,
            counter: 0,
            checkpoint,
            switches: 0,
            parents: parents.iter().map(|parent| Arc::from(*parent)).collect(),
            children: Vec::new(),
            hash_keys: None,
        }
    }

    pub(super) fn started(sequence: &str) -> Checkpoint {
        Checkpoint::At(Start::After(Position {
            sequence: Sequence::new(sequence),
            sub: None,
        }))
    }
}
