//! Leases in memory.

use std::sync::Arc;

use async_trait::async_trait;
use loglens_engine::error::Error;
use loglens_engine::lease::{Checkpoint, Lease, LeaseStore};
use loglens_engine::shard::Start;

use super::world::{Broken, Net, World};

#[async_trait]
impl LeaseStore for Net {
    async fn prepare(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Lease>, Error> {
        self.call(|world| world.leases.values().cloned().collect())
            .await
    }

    async fn create(&self, lease: &Lease) -> Result<bool, Error> {
        let lease = lease.clone();
        self.call(move |world| {
            let is_new = !world.leases.contains_key(&lease.shard);
            if is_new {
                world.leased.insert(Arc::clone(&lease.shard));
                world.leases.insert(Arc::clone(&lease.shard), lease);
            }
            is_new
        })
        .await
    }

    async fn replace(&self, lease: &Lease, seen: u64) -> Result<bool, Error> {
        let lease = lease.clone();
        self.call(move |world| replace(world, lease, seen)).await
    }

    async fn delete(&self, shard: &str, seen: u64) -> Result<bool, Error> {
        let shard: Arc<str> = Arc::from(shard);
        self.call(move |world| {
            let found = world.leases.get(&shard);
            let is_seen = found.is_some_and(|lease| lease.counter == seen);
            if is_seen {
                world.leases.remove(&shard);
            }
            is_seen
        })
        .await
    }
}

fn replace(world: &mut World, lease: Lease, seen: u64) -> bool {
    let is_broken = world.broken == Some(Broken::Leases);
    let Some(stored) = world.leases.get(&lease.shard) else {
        return false;
    };
    if stored.counter != seen && !is_broken {
        return *stored == lease;
    }
    let (before, after) = (place(&stored.checkpoint), place(&lease.checkpoint));
    if after < before {
        world.violate(|| format!("the checkpoint of {} goes back: {lease:?}", lease.shard));
    }
    if lease.checkpoint == Checkpoint::End {
        world.ended.insert(Arc::clone(&lease.shard));
    }
    world.leases.insert(Arc::clone(&lease.shard), lease);
    true
}

/// Where a checkpoint lies among all others of its shard.
fn place(checkpoint: &Checkpoint) -> u64 {
    match checkpoint {
        Checkpoint::At(Start::After(position)) => position.sequence.digits().parse().unwrap(),
        Checkpoint::At(_) => 0,
        Checkpoint::End => u64::MAX,
    }
}
