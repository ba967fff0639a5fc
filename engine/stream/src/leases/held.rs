//! A lease that a worker holds.

use std::sync::Arc;

use loglens_engine::error::Error;
use loglens_engine::lease::{Checkpoint, Lease, LeaseStore};
use loglens_engine::shard::Start;
use tokio::sync::{Mutex, watch};

/// A lease that a worker holds, until somebody else takes it.
///
/// That it is held makes nothing safe: a worker may learn late that it lost it. It only keeps two
/// from doing the same work. Whose cut counts is decided in the shard's log.
#[derive(Debug)]
pub struct Held {
    store: Arc<dyn LeaseStore>,
    shard: Arc<str>,
    worker: Arc<str>,
    epoch: u64,
    /// As it was written last. One write at a time: each says the counter of the one before.
    lease: Mutex<Lease>,
    lost: watch::Sender<bool>,
}

impl Held {
    /// A lease that was just taken for `worker`.
    pub(super) fn new(store: Arc<dyn LeaseStore>, worker: &Arc<str>, lease: Lease) -> Self {
        Self {
            store,
            shard: Arc::clone(&lease.shard),
            worker: Arc::clone(worker),
            epoch: lease.counter,
            lease: Mutex::new(lease),
            lost: watch::Sender::new(false),
        }
    }

    /// The shard.
    pub fn shard(&self) -> &Arc<str> {
        &self.shard
    }

    /// The counter with which it was taken: greater than with anybody who had it before.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether it is known that somebody else has it, or that it was given up.
    pub fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }

    /// Waits until it is lost.
    pub async fn lost(&self) {
        let _ = self.lost.subscribe().wait_for(|lost| *lost).await;
    }

    pub(super) fn lose(&self) {
        self.lost.send_replace(true);
    }

    /// How far its shard was consumed.
    pub async fn at(&self) -> Checkpoint {
        self.lease.lock().await.checkpoint.clone()
    }

    /// Shows others that the worker is alive; false if the lease is lost.
    ///
    /// # Errors
    ///
    /// The store does not answer. The lease is then still held.
    pub async fn renew(&self) -> Result<bool, Error> {
        self.write(|_| ()).await
    }

    /// Says how far the shard was consumed; what lies before what was said already changes nothing.
    /// At the end of the shard the lease is nobody's. False if the lease is lost.
    ///
    /// # Errors
    ///
    /// The store does not answer. The lease is then still held.
    pub async fn checkpoint(&self, checkpoint: &Checkpoint) -> Result<bool, Error> {
        self.write(|lease| {
            if is_before(&lease.checkpoint, checkpoint) {
                lease.checkpoint = checkpoint.clone();
                lease.switches = 0;
            }
            if lease.checkpoint == Checkpoint::End {
                lease.owner = None;
            }
        })
        .await
    }

    /// Lets the next worker have it at once; false if it was lost before.
    ///
    /// # Errors
    ///
    /// The store does not answer. Others then have it when it has run out.
    pub async fn give_up(&self) -> Result<bool, Error> {
        let given_up = self.write(|lease| lease.owner = None).await;
        self.lose();
        given_up
    }

    /// Writes the lease under the condition that nobody else did.
    async fn write(&self, change: impl Fn(&mut Lease) + Send) -> Result<bool, Error> {
        let mut lease = self.lease.lock().await;
        for _ in 0..2 {
            if self.is_lost() {
                return Ok(false);
            }
            let mut next = lease.clone();
            change(&mut next);
            next.counter += 1;
            if self.store.replace(&next, lease.counter).await? {
                *lease = next;
                return Ok(true);
            }
            // Somebody took it; or an earlier write was ours, and its answer never came.
            match self.as_stored(lease.counter).await? {
                Some(stored) => *lease = stored,
                None => break,
            }
        }
        self.lose();
        Ok(false)
    }

    /// The lease as it is stored, if it is this worker's and newer than `known`.
    async fn as_stored(&self, known: u64) -> Result<Option<Lease>, Error> {
        let mut leases = self.store.list().await?.into_iter();
        Ok(leases.find(|lease| {
            lease.shard == self.shard
                && lease.owner.as_ref() == Some(&self.worker)
                && lease.counter > known
        }))
    }
}

/// Whether a checkpoint lies before another one. Where reading was to begin lies before all that was
/// read.
fn is_before(one: &Checkpoint, other: &Checkpoint) -> bool {
    match (one, other) {
        (Checkpoint::At(Start::After(one)), Checkpoint::At(Start::After(other))) => one < other,
        (Checkpoint::At(one), Checkpoint::At(other)) => {
            !matches!(one, Start::After(_)) && matches!(other, Start::After(_))
        }
        (Checkpoint::At(_), Checkpoint::End) => true,
        (Checkpoint::End, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::started;
    use super::*;

    #[test]
    fn checkpoints_are_in_order() {
        let order = [
            Checkpoint::At(Start::Oldest),
            started("9"),
            started("10"),
            Checkpoint::End,
        ];
        for (index, one) in order.iter().enumerate() {
            for (other_index, other) in order.iter().enumerate() {
                assert_eq!(
                    is_before(one, other),
                    index < other_index,
                    "{one:?} {other:?}"
                );
            }
        }
        let latest = Checkpoint::At(Start::Latest);
        assert!(!is_before(&latest, &order[0]));
        assert!(!is_before(&order[0], &latest));
    }
}
