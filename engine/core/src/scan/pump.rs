//! An object that can only be read in order, read by a thread of its own.
//!
//! Reading, inflating and cutting one large object is work for one core. The others parse what
//! comes out of it, and so does this one when it is ahead. The threads that parse are woken from
//! outside of the runtime: a task that another one wakes would wait until that one has parsed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::cursor::{Cursor, Step};
use crate::error::Error;

/// Blocks that wait to be parsed, at most.
const BLOCKS_AHEAD: usize = 4;

/// The blocks of one object, for any number of partitions. Dropped, it ends the reading.
pub(super) struct Pump(Arc<Channel>);

struct Channel {
    steps: Mutex<VecDeque<Result<Step, Error>>>,
    /// A permit for each step that may be added.
    room: Semaphore,
    /// A permit for each step that is there; very many at the end.
    ready: Semaphore,
}

impl Pump {
    /// Begins to read.
    pub(super) fn start(cursor: Cursor) -> Self {
        let channel = Arc::new(Channel {
            steps: Mutex::new(VecDeque::new()),
            room: Semaphore::new(BLOCKS_AHEAD),
            ready: Semaphore::new(0),
        });
        let (handle, sender) = (Handle::current(), Arc::clone(&channel));
        spawn_blocking(move || {
            // Even a panic must end the waiting of those that parse.
            let _ended = Ended(&sender);
            handle.block_on(sender.fill(cursor));
        });
        Self(channel)
    }

    /// The next block, or damage; None at the end.
    pub(super) async fn next(&self) -> Result<Option<Step>, Error> {
        if let Ok(permit) = self.0.ready.acquire().await {
            permit.forget();
        }
        let step = self.0.steps().pop_front();
        self.0.room.add_permits(1);
        step.transpose()
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.0.room.close();
    }
}

impl Channel {
    async fn fill(&self, mut cursor: Cursor) {
        while let Some(step) = cursor.next().await.transpose() {
            let Ok(permit) = self.room.acquire().await else {
                return;
            };
            permit.forget();
            let failed = step.is_err();
            self.steps().push_back(step);
            self.ready.add_permits(1);
            if failed {
                return;
            }
        }
    }

    /// A panic elsewhere does not make the steps wrong.
    fn steps(&self) -> std::sync::MutexGuard<'_, VecDeque<Result<Step, Error>>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells those that wait that nothing more comes.
struct Ended<'a>(&'a Channel);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        // Not `close`, which would make the permits of steps that are there void.
        self.0.ready.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}
