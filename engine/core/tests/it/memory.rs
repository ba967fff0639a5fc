//! Objects in memory that behave as objects in the world do: they trickle, shrink and fail.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use loglens_engine::object::{Listed, Object, ObjectReader, ObjectSource, ReadAt};
use loglens_engine::{EngineOptions, Error, Owner};

/// An object and how it behaves.
#[derive(Debug, Clone)]
pub(crate) struct MemoryObject {
    pub(crate) key: String,
    bytes: Arc<[u8]>,
    pub(crate) listed_size: Option<u64>,
    most_at_once: usize,
    fails_at: Option<usize>,
    readable: bool,
    at_any_place: bool,
}

impl MemoryObject {
    /// An object that gives its bytes.
    pub(crate) fn new(key: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes: Vec<u8> = bytes.into();
        Self {
            key: key.to_owned(),
            listed_size: Some(bytes.len() as u64),
            bytes: bytes.into(),
            most_at_once: usize::MAX,
            fails_at: None,
            readable: true,
            at_any_place: false,
        }
    }

    /// Gives so many bytes at a time and no more.
    pub(crate) fn trickling(mut self, bytes: usize) -> Self {
        self.most_at_once = bytes;
        self
    }

    /// Had so many more bytes when it was listed.
    pub(crate) fn shrunk_by(mut self, bytes: u64) -> Self {
        self.listed_size = self.listed_size.map(|size| size + bytes);
        self
    }

    /// Does not say how large it is.
    pub(crate) fn of_unknown_size(mut self) -> Self {
        self.listed_size = None;
        self
    }

    /// Reading fails after so many bytes.
    pub(crate) fn failing_at(mut self, byte: usize) -> Self {
        self.fails_at = Some(byte);
        self
    }

    /// Can be read at any place, as a file can.
    pub(crate) fn at_any_place(mut self) -> Self {
        self.at_any_place = true;
        self
    }

    /// Cannot be opened.
    pub(crate) fn unreadable(mut self) -> Self {
        self.readable = false;
        self
    }
}

/// A source of objects in memory.
#[derive(Debug)]
struct Memory(Vec<MemoryObject>);

/// Options of an engine over these objects.
pub(crate) fn over(objects: Vec<MemoryObject>) -> EngineOptions {
    EngineOptions {
        sources: vec![Arc::new(Memory(objects))],
        ..EngineOptions::default()
    }
}

#[async_trait]
impl ObjectSource for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        let listed: Vec<_> = self
            .0
            .iter()
            .map(|object| {
                Ok(Listed::Object(Object {
                    key: Arc::from(object.key.as_str()),
                    size: object.listed_size,
                    modified: None,
                    etag: None,
                }))
            })
            .collect();
        stream::iter(listed).boxed()
    }

    async fn open(&self, object: &Object) -> Result<Box<dyn ObjectReader>, Error> {
        // By the raw key: nothing may have cleaned it up on the way.
        let found = self.0.iter().find(|held| *held.key == *object.key).unwrap();
        if !found.readable {
            return Err(Error::new(
                Owner::External,
                format!("{}: permission denied", found.key),
            ));
        }
        Ok(Box::new(MemoryReader {
            object: found.clone(),
            at: 0,
        }))
    }
}

struct MemoryReader {
    object: MemoryObject,
    at: usize,
}

#[async_trait]
impl ObjectReader for MemoryReader {
    async fn read(&mut self, mut buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        let object = &self.object;
        let end = object.fails_at.unwrap_or(object.bytes.len());
        if self.at == end && object.fails_at.is_some() {
            return Err(reset(&object.key));
        }
        let take = room.min(object.most_at_once).min(end - self.at);
        buffer.extend_from_slice(&object.bytes[self.at..self.at + take]);
        self.at += take;
        Ok(buffer)
    }

    fn at_any_place(&self) -> Option<Arc<dyn ReadAt>> {
        let object = self.object.clone();
        object
            .at_any_place
            .then(|| Arc::new(object) as Arc<dyn ReadAt>)
    }
}

impl ReadAt for MemoryObject {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let offset = offset as usize;
        if self.fails_at.is_some_and(|at| offset + into.len() > at) {
            return Err(reset(&self.key));
        }
        let rest = self.bytes.get(offset..).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

fn reset(key: &str) -> Error {
    let message = format!("{key}: the connection was reset");
    Error::new(Owner::External, message)
}
