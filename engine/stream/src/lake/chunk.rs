//! Payloads of one table, one after the other, as an object that the engine reads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use loglens_engine::object::{Listed, Object, ObjectReader, ObjectSource};
use loglens_engine::{Error, Owner};
use loglens_parsers::format::Format;

use super::payload::Place;

/// So many times its bytes a chunk has room for more when it is full.
const GROWTH: usize = 3;

/// Payloads of one table, as long as they are gathered.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) format: Arc<Format>,
    /// Whether they are envelopes: those and plain records are no one object.
    pub(super) wrapped: bool,
    /// It holds one payload that nothing may follow on.
    alone: bool,
    bytes: Vec<u8>,
    /// Where each begins, and where it was in the shard.
    begins: Vec<(usize, Place)>,
}

impl Chunk {
    pub(super) fn new(format: Arc<Format>, wrapped: bool, alone: bool) -> Self {
        Self {
            format,
            wrapped,
            alone,
            bytes: Vec::new(),
            begins: Vec::new(),
        }
    }

    /// Whether a payload of this kind can be added.
    pub(super) fn takes(&self, format: &Format, wrapped: bool) -> bool {
        !self.alone && self.wrapped == wrapped && self.format.table == format.table
    }

    /// Adds a payload, as lines of its own.
    pub(super) fn add(&mut self, payload: &[u8], place: Place) {
        self.begins.push((self.bytes.len(), place));
        if self.bytes.capacity() - self.bytes.len() <= payload.len() {
            // Moving all of it costs more than room that may stay untouched.
            self.bytes
                .reserve(payload.len() + 1 + GROWTH * self.bytes.len());
        }
        self.bytes.extend_from_slice(payload);
        if !payload.ends_with(b"\n") {
            self.bytes.push(b'\n');
        }
    }

    /// The same, to be read.
    pub(super) fn sealed(self) -> SealedChunk {
        SealedChunk {
            format: self.format,
            wrapped: self.wrapped,
            bytes: self.bytes.into(),
            begins: self.begins,
        }
    }
}

/// A chunk that gets no more payloads.
#[derive(Debug)]
pub(super) struct SealedChunk {
    pub(super) format: Arc<Format>,
    pub(super) wrapped: bool,
    pub(super) bytes: Bytes,
    begins: Vec<(usize, Place)>,
}

impl SealedChunk {
    /// Where in the shard the byte at an offset came from.
    pub(super) fn place(&self, offset: usize) -> Option<&Place> {
        let behind = self.begins.partition_point(|(begin, _)| *begin <= offset);
        self.begins
            .get(behind.checked_sub(1)?)
            .map(|(_, place)| place)
    }

    /// What is left, from an offset on, of the payload that is there.
    pub(super) fn rest_of_payload(&self, offset: usize) -> &[u8] {
        let behind = self.begins.partition_point(|(begin, _)| *begin <= offset);
        let end = self
            .begins
            .get(behind)
            .map_or(self.bytes.len(), |next| next.0);
        self.bytes.get(offset..end).unwrap_or_default()
    }
}

/// The chunks that are being read, by their keys: a source of the engine's.
#[derive(Debug)]
pub struct Chunks {
    name: Arc<str>,
    held: Mutex<HashMap<Arc<str>, Bytes>>,
}

impl Chunks {
    /// Of a stream of this name; there are none yet.
    pub fn new(name: &str) -> Self {
        Self {
            name: Arc::from(name),
            held: Mutex::default(),
        }
    }

    /// Makes a chunk an object of this key, as long as what it gives back is there.
    pub(super) fn hold(self: &Arc<Self>, key: String, bytes: Bytes) -> HeldChunk {
        let object = Object {
            key: Arc::from(key),
            size: Some(bytes.len() as u64),
            modified: None,
            etag: None,
        };
        self.held().insert(Arc::clone(&object.key), bytes);
        HeldChunk {
            chunks: Arc::clone(self),
            object,
        }
    }

    /// A panic elsewhere does not make chunks wrong.
    fn held(&self) -> MutexGuard<'_, HashMap<Arc<str>, Bytes>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A chunk that can be read.
#[derive(Debug)]
pub(super) struct HeldChunk {
    chunks: Arc<Chunks>,
    pub(super) object: Object,
}

impl Drop for HeldChunk {
    fn drop(&mut self) {
        self.chunks.held().remove(&self.object.key);
    }
}

#[async_trait]
impl ObjectSource for Chunks {
    fn name(&self) -> &str {
        &self.name
    }

    /// Chunks are handed over, not found.
    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        stream::empty().boxed()
    }

    async fn open(&self, object: &Object) -> Result<Box<dyn ObjectReader>, Error> {
        match self.held().get(&object.key) {
            Some(bytes) => Ok(Box::new(ChunkReader(bytes.clone()))),
            None => {
                let message = format!("{}: a chunk that is not held", object.key);
                Err(Error::new(Owner::Internal, message))
            }
        }
    }
}

/// What is left to be read.
struct ChunkReader(Bytes);

#[async_trait]
impl ObjectReader for ChunkReader {
    async fn read(&mut self, mut buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        let next = self.0.split_to(room.min(self.0.len()));
        buffer.extend_from_slice(&next);
        Ok(buffer)
    }
}
