//! Where objects are written to.
//!
//! Whatever is written is there as a whole or not at all: nobody ever lists half an object.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Error;

/// A place where objects can be written.
///
/// Keys are those that [`ObjectSource`](crate::object::ObjectSource) lists: the path of a file.
#[async_trait]
pub trait ObjectSink: Debug + Send + Sync {
    /// Begins to write an object in parts. Nothing is visible before it is completed. An upload
    /// that is dropped is aborted as well as that can be done; call `abort` to be sure.
    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, Error>;
}

/// An object that is written in parts.
#[async_trait]
pub trait Upload: Send {
    /// The next part.
    async fn part(&mut self, bytes: Bytes) -> Result<(), Error>;

    /// Makes the object visible. One that has its key already is not replaced: that is an error.
    async fn complete(self: Box<Self>) -> Result<(), Error>;

    /// Forgets all parts.
    async fn abort(self: Box<Self>) -> Result<(), Error>;
}
