//! Objects and where they come from.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A sequence of bytes with a key: a file, later an S3 object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Raw key, unique in its source: a path, as it was given or found.
    pub key: Arc<str>,
    /// Bytes, where they are known beforehand.
    pub size: Option<u64>,
    /// Last change, in microseconds since 1970.
    pub modified: Option<i64>,
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
}

/// Reads an object at any place, from several threads.
pub trait ReadAt: Send + Sync {
    /// Fills `into` with the bytes from `offset` on. Says how many there were: fewer than there
    /// is room for only at the end of the object.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Error>;
}
