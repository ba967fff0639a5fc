//! Objects and where they come from.

use std::fmt::Debug;
use std::ops::{Add, Sub};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::BoxStream;
pub use loglens_parsers::record::Place;
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::error::Error;

/// A sequence of bytes with a key: a file, an S3 object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Raw key, unique among all sources: a path, as it was given or found, or
    /// `s3://bucket/key`.
    pub key: Arc<str>,
    /// Bytes, where they are known beforehand.
    pub size: Option<u64>,
    /// Last change, in microseconds since 1970.
    pub modified: Option<i64>,
    /// What tells this content from any other that the key had or will have, where the source
    /// knows it.
    pub etag: Option<Arc<str>>,
}

/// What a listing gives.
#[derive(Debug, Clone)]
pub enum Listed {
    /// An object.
    Object(Object),
    /// Something that is there and cannot be an object, and why: a broken link, a socket.
    Ignored {
        /// Its key.
        key: String,
        /// Why it is none.
        reason: String,
    },
}

/// A place where objects lie.
///
/// Errors are fit for people: they name the object, what failed and what to do.
#[async_trait]
pub trait ObjectSource: Debug + Send + Sync {
    /// The place as the user named it.
    fn name(&self) -> &str;

    /// Everything there, in no particular order.
    fn list(&self) -> BoxStream<'static, Result<Listed, Error>>;

    /// Opens an object at its beginning.
    async fn open(&self, object: &Object) -> Result<Box<dyn ObjectReader>, Error>;

    /// The first bytes of an object, `most` of them or as many as there are.
    async fn head(&self, object: &Object, most: usize) -> Result<Vec<u8>, Error> {
        let mut reader = self.open(object).await?;
        let mut head = Vec::new();
        loop {
            let before = head.len();
            head = reader.read(head, most - before).await?;
            if head.len() == before || head.len() >= most {
                return Ok(head);
            }
        }
    }

    /// The same place, to be listed folder by folder; none where listing all of it costs nothing.
    fn folders(&self) -> Option<Arc<dyn ObjectFolders>> {
        None
    }

    /// The same place for readers of Parquet, and what all its keys begin with, as a URL; None for
    /// local files, which they find by themselves.
    fn store(&self) -> Option<(String, Arc<dyn ObjectStore>)> {
        None
    }

    /// How small objects are read ahead.
    fn reading(&self) -> Reading {
        Reading::Disk
    }

    /// The threads that wait for the network of this source, where it has such: work that is begun
    /// there needs no other thread to go on.
    fn network(&self) -> Option<Handle> {
        None
    }

    /// How many requests reading an object takes.
    fn gets(&self, _object: &Object) -> u64 {
        0
    }

    /// Requests that were made so far; none where there is no such thing.
    fn requests(&self) -> Option<Requests> {
        None
    }
}

/// What reading waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The system: a read holds its thread.
    Disk,
    /// A network: so many requests may be under way at a time.
    Network(usize),
}

/// Requests that a source made, by what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Listings.
    pub list: u64,
    /// Reads of objects, of a part or of all of it.
    pub get: u64,
    /// Bytes of objects that came.
    pub bytes: u64,
    /// Requests that were made again after they had failed.
    pub retries: u64,
    /// Answers that asked to slow down.
    pub slow_downs: u64,
}

impl Add for Requests {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            list: self.list + other.list,
            get: self.get + other.get,
            bytes: self.bytes + other.bytes,
            retries: self.retries + other.retries,
            slow_downs: self.slow_downs + other.slow_downs,
        }
    }
}

impl Sub for Requests {
    type Output = Self;

    /// What was made since `before`.
    fn sub(self, before: Self) -> Self {
        Self {
            list: self.list - before.list,
            get: self.get - before.get,
            bytes: self.bytes - before.bytes,
            retries: self.retries - before.retries,
            slow_downs: self.slow_downs - before.slow_downs,
        }
    }
}

/// A place that can be listed folder by folder. Folders are the parts of keys up to each `/`.
#[async_trait]
pub trait ObjectFolders: Debug + Send + Sync {
    /// What all keys begin with.
    fn root(&self) -> &str;

    /// What lies directly in a folder. `most` folders or objects at most are wanted: of a fuller
    /// one, None comes back.
    async fn level(&self, folder: &str, most: usize) -> Result<Option<Level>, Error>;

    /// All objects whose keys begin with `prefix`, in the order of their keys; with `after`, those
    /// behind that key.
    fn below(&self, prefix: &str, after: Option<&str>)
    -> BoxStream<'static, Result<Object, Error>>;

    /// The same from the first key on, where much may lie between `marks`: these are keys, in their
    /// order, from which a source may list side by side.
    fn below_by_marks(
        &self,
        prefix: &str,
        _marks: &[String],
    ) -> BoxStream<'static, Result<Object, Error>> {
        self.below(prefix, None)
    }
}

/// What lies directly in a folder.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Level {
    /// Folders in it, as keys that end in `/`.
    pub folders: Vec<String>,
    /// Objects in it.
    pub objects: Vec<Object>,
}

/// Reads an object from its beginning to its end.
#[async_trait]
pub trait ObjectReader: Send {
    /// Appends up to `room` bytes to `buffer` and gives it back; at the end of the object it
    /// comes back as it was.
    async fn read(&mut self, buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error>;

    /// The same object to be read at any place, where that needs no waiting for a network.
    fn at_any_place(&self) -> Option<Arc<dyn ReadAt>> {
        None
    }

    /// Of an object that grows, of which this is what came since it was read last: how far it was
    /// read, which is written there when this is read. It is no longer plain bytes in a frame.
    fn grows(&self) -> Option<Grown> {
        None
    }
}

/// How far an object that grows was read.
pub type Grown = Arc<Mutex<Place>>;

/// Reads an object at any place, from several threads.
pub trait ReadAt: Send + Sync {
    /// Fills `into` with the bytes from `offset` on. Says how many there were: fewer than there
    /// is room for only at the end of the object.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Error>;
}
