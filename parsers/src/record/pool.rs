//! Memory of blocks, used again.
//!
//! A block is about 1 MiB and lives for milliseconds. Memory that is new each time costs as much as
//! reading into it: the system has to clear every page of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_buffer::Buffer;
use bytes::Bytes;

/// Buffers that are kept for later, at most.
const KEPT: usize = 16;

/// Buffers that grew beyond this (a very long record) are not kept.
const KEPT_BYTES: usize = 8 << 20;

/// Buffers that blocks were in, for the next blocks.
#[derive(Debug, Clone, Default)]
pub struct BlockPool(Arc<Mutex<Vec<Vec<u8>>>>);

impl BlockPool {
    /// A buffer that holds anything: bytes of earlier blocks, or nothing.
    pub fn take(&self) -> Vec<u8> {
        self.buffers().pop().unwrap_or_default()
    }

    /// The bytes as a buffer of Arrow's; their memory comes back when nothing looks at them any
    /// more.
    pub fn lend(&self, bytes: Vec<u8>) -> Buffer {
        Buffer::from(Bytes::from_owner(Lent {
            bytes,
            pool: self.clone(),
        }))
    }

    /// Takes a buffer back.
    pub fn give(&self, bytes: Vec<u8>) {
        let mut buffers = self.buffers();
        if buffers.len() < KEPT && (1..=KEPT_BYTES).contains(&bytes.capacity()) {
            buffers.push(bytes);
        }
    }

    /// A panic elsewhere does not make buffers wrong.
    fn buffers(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that go back when they are dropped.
struct Lent {
    bytes: Vec<u8>,
    pool: BlockPool,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_when_the_last_view_is_gone() {
        let pool = BlockPool::default();
        let bytes = b"0123456789".to_vec();
        let address = bytes.as_ptr();
        let buffer = pool.lend(bytes);
        let view = buffer.slice(3);
        drop(buffer);
        assert_eq!(pool.take().capacity(), 0, "still looked at");
        assert_eq!(view.as_slice(), b"3456789");
        drop(view);
        let again = pool.take();
        assert_eq!(again.as_ptr(), address);
    }

    #[test]
    fn no_more_is_kept_than_is_useful() {
        let pool = BlockPool::default();
        for _ in 0..2 * KEPT {
            pool.give(vec![1]);
        }
        pool.give(vec![0; KEPT_BYTES + 1]);
        let kept = std::iter::from_fn(|| Some(pool.take()).filter(|bytes| bytes.capacity() > 0));
        assert_eq!(kept.count(), KEPT);
    }
}
