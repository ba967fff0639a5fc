//! Small objects, read ahead of the partitions that parse them.
//!
//! Reading a small object is mostly waiting for its source. So some are always under way, within
//! a budget of bytes, and whichever partition is idle takes the one that comes next.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use super::input::Input;
use super::parts::Parts;
use super::queue::Wanted;
use super::spec::ScanObject;
use crate::error::Error;
use crate::object::{Object, ObjectSource, Reading};

/// The largest object that is read as a whole before it is parsed.
const SMALL_BYTES: u64 = 4 << 20;

/// Objects that are read at a time, at most, where reading holds a thread.
const AHEAD: usize = 16;

/// So many times the requests that a network takes at a time are begun ahead: what came waits for
/// those that parse, and the network is kept busy meanwhile.
const AHEAD_OF_NETWORK: usize = 2;

/// Bytes that are read and not taken yet, at most.
const AHEAD_BYTES: u64 = 32 << 20;

/// The objects that nobody reads yet, in their order.
pub(super) struct Prefetch {
    waiting: VecDeque<ScanObject>,
    fetches: VecDeque<Fetch>,
    bytes: u64,
}

/// The bytes of an object, and where more would come from.
type Read = JoinHandle<Result<(Input, Vec<u8>), Error>>;

/// An object that is being read.
struct Fetch {
    object: ScanObject,
    size: u64,
    read: Read,
}

/// The next object.
pub(super) enum Next {
    /// A small one.
    Small(ScanObject, Read),
    /// One that is large, or that nobody knows the size of.
    Large(ScanObject),
}

impl Prefetch {
    pub(super) fn new(objects: impl IntoIterator<Item = ScanObject>) -> Self {
        Self {
            waiting: objects.into_iter().collect(),
            fetches: VecDeque::new(),
            bytes: 0,
        }
    }

    /// The next object that is wanted; the others are passed over.
    pub(super) fn next(&mut self, parts: &Parts, wanted: &Wanted<'_>) -> Option<Next> {
        self.fetch_ahead(parts, wanted);
        if let Some(fetch) = self.fetches.pop_front() {
            self.bytes -= fetch.size;
            return Some(Next::Small(fetch.object, fetch.read));
        }
        self.waiting.pop_front().map(Next::Large)
    }

    /// Begins reading until the budget is used, or a large object comes next.
    fn fetch_ahead(&mut self, parts: &Parts, wanted: &Wanted<'_>) {
        while self.bytes < AHEAD_BYTES {
            let Some(object) = self.waiting.pop_front() else {
                return;
            };
            if self.fetches.len() >= ahead(&*parts.sources[object.source]) {
                self.waiting.push_front(object);
                return;
            }
            if !wanted.wants(&object) {
                continue;
            }
            let Some(size) = object.object.size.filter(|&size| size <= SMALL_BYTES) else {
                self.waiting.push_front(object);
                return;
            };
            self.bytes += size;
            self.fetches.push_back(Fetch {
                read: fetch(&parts.sources[object.source], object.object.clone()),
                object,
                size,
            });
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        // Nobody waits for these any more.
        for fetch in &self.fetches {
            fetch.read.abort();
        }
    }
}

/// How many objects of a source are read or wait to be taken.
fn ahead(source: &dyn ObjectSource) -> usize {
    match source.reading() {
        Reading::Disk => AHEAD,
        Reading::Network(requests) => AHEAD_OF_NETWORK * requests,
    }
}

/// Reads an object. Where that holds a thread, it is one of its own: those that parse have no time
/// to look after it. A network has threads that do.
fn fetch(source: &Arc<dyn ObjectSource>, object: Object) -> Read {
    let (handle, source) = (Handle::current(), Arc::clone(source));
    match source.reading() {
        Reading::Disk => spawn_blocking(move || handle.block_on(read(&*source, &object))),
        Reading::Network(_) => source
            .network()
            .unwrap_or(handle)
            .spawn(async move { read(&*source, &object).await }),
    }
}

/// The bytes that the object had when it was listed, or as many as there are.
async fn read(source: &dyn ObjectSource, object: &Object) -> Result<(Input, Vec<u8>), Error> {
    let mut input = Input::new(source.open(object).await?);
    let size = object.size.unwrap_or(0) as usize;
    let mut bytes = Vec::with_capacity(size);
    while bytes.len() < size {
        let before = bytes.len();
        bytes = input.read(bytes, size - before).await?;
        if bytes.len() == before {
            break;
        }
    }
    Ok((input, bytes))
}
