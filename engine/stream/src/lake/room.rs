//! Memory that records may take, those of all shards of a worker together.
//!
//! Each shard gathers records until it cuts, and a cut takes several times their bytes until it is
//! written. A worker may have many shards, and all of them behind. So what is gathered is bounded:
//! where it is full, shards that have much of it cut, and those that have nothing do not take more. And
//! a cut is begun once there is memory for it. Whoever waits here does not read: the stream keeps the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// One part of so many is for what is gathered, the others are for cuts.
const PARTS: usize = 4;

/// Bytes that a cut takes for each byte of its records: their blocks, rows, groups and files. Some 8 were
/// measured with flow logs of 110 bytes.
const OF_A_CUT: usize = 10;

/// Bytes that a cut takes whatever its records: each column of the file that is being written has a
/// dictionary and what compresses it.
const OF_ANY_CUT: usize = 32 << 20;

/// Bytes beside its own that are kept of what one producer sent: where it was in the shard.
const OF_A_PAYLOAD: usize = 128;

/// Bytes that are counted as one where cuts wait.
const UNIT: usize = 1 << 10;

/// The memory of a worker's records.
#[derive(Debug)]
pub(super) struct Room {
    /// Bytes that may be gathered.
    most: usize,
    gathered: AtomicUsize,
    /// How many gather.
    shards: AtomicUsize,
    freed: Notify,
    /// Units that cuts in the making may still take, and those of all.
    for_cuts: Arc<Semaphore>,
    units: u32,
}

/// What a shard has gathered, as long as it is in memory.
#[derive(Debug)]
pub(super) struct Gathered {
    room: Arc<Room>,
    /// Bytes of records.
    bytes: usize,
    /// Bytes of memory.
    held: usize,
    /// Bytes that the shard gave the last time, and so may give the next.
    expected: usize,
    /// Bytes that the room has counted: those of memory, and while the shard is asked for more, what is
    /// expected.
    counted: usize,
}

/// The memory of a cut, as long as this is kept.
#[derive(Debug)]
pub(super) struct RoomOfCut(Option<OwnedSemaphorePermit>);

/// Of a memory limit, what cuts may take.
pub(super) fn for_cuts(limit: usize) -> usize {
    limit - limit / PARTS
}

impl Room {
    /// Within a limit of bytes, if there is one.
    pub(super) fn new(limit: Option<usize>) -> Arc<Self> {
        let limit = limit.unwrap_or(usize::MAX);
        let units = u32::try_from(for_cuts(limit) / UNIT).unwrap_or(u32::MAX);
        Arc::new(Self {
            most: limit / PARTS,
            gathered: AtomicUsize::new(0),
            shards: AtomicUsize::new(0),
            freed: Notify::new(),
            for_cuts: Arc::new(Semaphore::new(units as usize)),
            units,
        })
    }

    /// Whether so many bytes more may be gathered. Where there is nothing, there is room for all.
    fn has(&self, bytes: usize) -> bool {
        let gathered = self.gathered.load(Relaxed);
        gathered == 0 || gathered.saturating_add(bytes) <= self.most
    }

    /// Half of what each would have if all had the same. Where there is no room, somebody has more.
    fn share(&self) -> usize {
        let shares = 2 * self.shards.load(Relaxed);
        (self.most / shares.max(1)).max(1)
    }

    fn free(&self, bytes: usize) {
        if bytes > 0 {
            self.gathered.fetch_sub(bytes, Relaxed);
            self.freed.notify_waiters();
        }
    }

    /// What a shard gathers; nothing yet.
    pub(super) fn gather(self: &Arc<Self>) -> Gathered {
        self.shards.fetch_add(1, Relaxed);
        Gathered {
            room: Arc::clone(self),
            bytes: 0,
            held: 0,
            expected: 0,
            counted: 0,
        }
    }

    /// Waits until there is memory for a cut of so many bytes of records, or, if that is more than all
    /// of it, until there is no other cut.
    pub(super) async fn for_cut(&self, bytes: usize) -> RoomOfCut {
        let wanted = bytes.saturating_mul(OF_A_CUT).saturating_add(OF_ANY_CUT) / UNIT;
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).min(self.units);
        let room = Arc::clone(&self.for_cuts);
        // It is never closed.
        RoomOfCut(room.acquire_many_owned(wanted).await.ok())
    }
}

impl RoomOfCut {
    /// Gives back what only rows needed: no more than files of them are left.
    pub(super) fn keep_for_files(&mut self) {
        if let Some(all) = &mut self.0 {
            let all_but_files = all.num_permits() - all.num_permits() / OF_A_CUT;
            drop(all.split(all_but_files));
        }
    }
}

impl Gathered {
    /// Waits until there is room for what may come next, and holds it.
    pub(super) async fn wait(&mut self) {
        loop {
            let freed = self.room.freed.notified();
            if !self.is_full() {
                break;
            }
            freed.await;
        }
        self.count(self.held + self.expected);
    }

    /// Whether it has to make room for others. Small cuts would not help them.
    pub(super) fn is_in_the_way(&self) -> bool {
        self.is_full() && self.held >= self.room.share()
    }

    /// Whether there is no room for what may come next.
    fn is_full(&self) -> bool {
        // What is counted for it is there.
        self.counted <= self.held && !self.room.has(self.expected)
    }

    /// Takes down that one payload of so many bytes is kept.
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.held += bytes + OF_A_PAYLOAD;
    }

    /// Takes down that so many bytes were fetched, of which all that is kept was added.
    pub(super) fn came(&mut self, bytes: usize) {
        // Who waits for more than half may wait where nobody has a share.
        self.expected = bytes.min(self.room.most / 2);
        self.count(self.held);
    }

    /// Counted once for a fetch, not for each record: all shards count at one place.
    fn count(&mut self, bytes: usize) {
        let before = std::mem::replace(&mut self.counted, bytes);
        match bytes.checked_sub(before) {
            Some(more) => {
                self.room.gathered.fetch_add(more, Relaxed);
            }
            None => self.room.free(before - bytes),
        }
    }

    /// Bytes of its records.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives all of it away.
    pub(super) fn take(&mut self) -> Self {
        let mut nothing = self.room.gather();
        nothing.expected = self.expected;
        std::mem::replace(self, nothing)
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        self.room.shards.fetch_sub(1, Relaxed);
        self.room.free(self.counted);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_is_gathered_is_bounded_and_goes_with_its_owner() {
        let room = Room::new(Some(4000));
        let [mut one, mut other, mut last] = [(); 3].map(|()| room.gather());
        assert!(one.wait().now_or_never().is_some());
        one.add(450);
        one.came(300);
        assert!(!one.is_full() && !other.is_full());
        other.add(300);
        other.came(0);
        assert!(one.is_full() && other.is_full() && last.is_full());
        assert!(one.is_in_the_way() && other.is_in_the_way() && !last.is_in_the_way());
        let mut waiting = Box::pin(last.wait());
        assert!((&mut waiting).now_or_never().is_none());
        let taken = one.take();
        assert_eq!((taken.bytes(), one.bytes()), (450, 0));
        assert!((&mut waiting).now_or_never().is_none());
        drop(taken);
        assert!(waiting.now_or_never().is_some());
        assert!(!other.is_full());
    }

    #[tokio::test]
    async fn who_has_little_is_not_in_the_way() {
        let room = Room::new(Some(1 << 20));
        let [mut one, mut other] = [(); 2].map(|()| room.gather());
        one.add(1 << 20);
        one.came(0);
        other.add(1 << 10);
        other.came(0);
        assert!(one.is_in_the_way());
        assert!(other.is_full() && !other.is_in_the_way());
        other.add(1 << 16);
        other.came(0);
        assert!(other.is_in_the_way());
        drop(one.take());
        assert!(!other.is_in_the_way());
    }

    /// What is being fetched has its room, as far as can be known: as much as came the last time.
    #[tokio::test]
    async fn what_comes_is_expected() {
        let room = Room::new(Some(4000));
        let [mut one, mut other, mut last] = [(); 3].map(|()| room.gather());
        one.came(500);
        other.came(900);
        last.came(200);
        assert!(one.wait().now_or_never().is_some());
        assert!(other.wait().now_or_never().is_some(), "no more than half");
        assert!(!one.is_full(), "its own room is held");
        let mut waiting = Box::pin(last.wait());
        assert!((&mut waiting).now_or_never().is_none());
        one.came(0);
        assert!(waiting.now_or_never().is_some());
        drop((one, other, last));
        assert_eq!(room.gathered.load(Relaxed), 0);
        assert_eq!(room.shards.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn where_there_is_nothing_there_is_room_for_all() {
        let room = Room::new(Some(4000));
        let mut gathered = room.gather();
        gathered.came(1 << 30);
        assert!(gathered.wait().now_or_never().is_some());
    }

    #[tokio::test]
    async fn cuts_share_the_memory_and_a_large_one_has_it_alone() {
        let room = Room::new(Some(128 << 20));
        let small = room.for_cut(1 << 20).await;
        let other = room.for_cut(1 << 20).await;
        assert!(room.for_cut(1 << 20).now_or_never().is_none());
        let mut large = Box::pin(room.for_cut(1 << 30));
        assert!((&mut large).now_or_never().is_none());
        drop(small);
        assert!((&mut large).now_or_never().is_none());
        drop(other);
        let mut large = large.now_or_never().unwrap();
        let mut empty = Box::pin(room.for_cut(0));
        assert!((&mut empty).now_or_never().is_none());
        large.keep_for_files();
        assert!(empty.now_or_never().is_some());
        drop(large);
        assert_eq!(room.for_cuts.available_permits(), 96 << 10);
    }

    #[tokio::test]
    async fn without_a_limit_nobody_waits() {
        let room = Room::new(None);
        let mut all = room.gather();
        all.add(usize::MAX / 2 / PARTS);
        all.came(0);
        assert!(!all.is_full());
        let cuts = [(); 8].map(|()| room.for_cut(16 << 30).now_or_never());
        assert!(cuts.iter().all(Option::is_some));
    }
}
