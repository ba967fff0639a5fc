//! Where the bytes of one object come from.

use std::sync::Arc;

use crate::error::Error;
use crate::object::{Grown, ObjectReader, ReadAt};

/// An open object that is read from its beginning to its end.
pub(super) enum Input {
    /// As its source gives it.
    Reader(Box<dyn ObjectReader>),
    /// By its places: no waiting for another thread.
    At {
        /// The object.
        object: Arc<dyn ReadAt>,
        /// The next byte to read.
        offset: u64,
    },
}

impl Input {
    /// The beginning of an object.
    pub(super) fn new(reader: Box<dyn ObjectReader>) -> Self {
        match reader.at_any_place() {
            Some(object) => Self::At { object, offset: 0 },
            None => Self::Reader(reader),
        }
    }

    /// How far an object that grows was read; None of those that do not.
    pub(super) fn grows(&self) -> Option<Grown> {
        match self {
            Self::Reader(reader) => reader.grows(),
            Self::At { .. } => None,
        }
    }

    /// Appends up to `room` bytes to `buffer` and gives it back; at the end of the object it
    /// comes back as it was.
    pub(super) async fn read(&mut self, buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        match self {
            Self::Reader(reader) => reader.read(buffer, room).await,
            Self::At { object, offset } => {
                let mut buffer = buffer;
                let before = buffer.len();
                buffer.resize(before + room, 0);
                let read = object.read_at(*offset, &mut buffer[before..])?;
                buffer.truncate(before + read);
                *offset += read as u64;
                Ok(buffer)
            }
        }
    }
}
