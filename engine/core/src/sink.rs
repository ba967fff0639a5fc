//! Where objects are written to.
//!
//! Whatever is written is there as a whole or not at all: nobody ever lists half an object.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Error;

/// What must hold for an object to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    Always,
    /// There is no object of this key.
    Absent,
    /// The object is still the one with this etag.
    Matches(String),
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is there.
    Done {
        /// What tells its content from others.
        etag: Option<String>,
    },
    /// The condition did not hold: nothing was changed.
    Refused,
}

/// What was read, and its etag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// All bytes of the object.
    pub bytes: Bytes,
    /// What tells them from any other content of the key.
    pub etag: Option<String>,
}

/// A place where objects can be written.
///
/// Keys are those that [`ObjectSource`](crate::object::ObjectSource) lists: `s3://bucket/key`, or
/// the path of a file. Requests that fail for a passing reason are made again; a condition holds
/// even if the answer to the first try was lost.
#[async_trait]
pub trait ObjectSink: Debug + Send + Sync {
    /// Reads an object as a whole; None if there is none.
    async fn get(&self, key: &str) -> Result<Option<Content>, Error>;

    /// Reads an object as a whole unless it is still the one with this etag; None if it is.
    async fn get_if_changed(&self, key: &str, etag: &str) -> Result<Option<Content>, Error>;

    /// Writes an object that is in memory.
    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, Error>;

    /// Begins to write an object in parts. Nothing is visible before it is completed. An upload
    /// that is dropped is aborted as well as that can be done; call `abort` to be sure.
    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, Error>;

    /// Copies an object within the place.
    async fn copy(&self, from: &str, to: &str, condition: Condition) -> Result<Written, Error>;

    /// Deletes an object; that there is none is no error.
    async fn delete(&self, key: &str) -> Result<(), Error>;
}

/// An object that is written in parts.
#[async_trait]
pub trait Upload: Send {
    /// The next part. All but the last must have at least [`LEAST_PART_BYTES`].
    async fn part(&mut self, bytes: Bytes) -> Result<(), Error>;

    /// Makes the object visible, if the condition holds; if not, it is aborted.
    async fn complete(self: Box<Self>, condition: Condition) -> Result<Written, Error>;

    /// Forgets all parts.
    async fn abort(self: Box<Self>) -> Result<(), Error>;
}

/// The fewest bytes of a part that is not the last: what S3 asks for.
pub const LEAST_PART_BYTES: usize = 5 << 20;
