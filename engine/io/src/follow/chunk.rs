//! What of an object arrived: some bytes of it, which are whole lines.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use async_trait::async_trait;
use loglens_engine::object::{Grown, ObjectReader};
use loglens_engine::{Error, Owner};

use crate::local::failed;

/// Where bytes are.
#[derive(Debug, Clone)]
pub(super) enum Bytes {
    /// In a file, from a byte on; None is one that is not held open.
    File(Option<Arc<File>>, u64),
    /// In memory.
    Memory(Arc<[u8]>),
}

/// Some bytes of an object that grows.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) key: Arc<str>,
    pub(super) bytes: Bytes,
    pub(super) length: u64,
    /// The place in the object where they begin, and after they were read, where they end.
    pub(super) grown: Grown,
}

impl Chunk {
    /// Of an object that is gone.
    pub(super) fn nothing(key: &Arc<str>) -> Self {
        Self {
            key: Arc::clone(key),
            bytes: Bytes::Memory(Arc::default()),
            length: 0,
            grown: Grown::default(),
        }
    }

    /// Whether its bytes can be read, whatever happens to their file's name.
    pub(super) fn is_held(&self) -> bool {
        !matches!(self.bytes, Bytes::File(None, _))
    }

    /// The same, to be read from an open file.
    pub(super) fn held_by(mut self, open: File) -> Self {
        if let Bytes::File(file, _) = &mut self.bytes {
            *file = Some(Arc::new(open));
        }
        self
    }

    /// What reads it, once it is held.
    pub(super) fn reader(self) -> Box<dyn ObjectReader> {
        Box::new(ChunkReader { chunk: self, at: 0 })
    }
}

struct ChunkReader {
    chunk: Chunk,
    at: u64,
}

#[async_trait]
impl ObjectReader for ChunkReader {
    async fn read(&mut self, mut buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        let length = (self.chunk.length - self.at).min(room as u64);
        let before = buffer.len();
        match &self.chunk.bytes {
            Bytes::Memory(bytes) => {
                let at = self.at as usize;
                buffer.extend_from_slice(&bytes[at..at + length as usize]);
            }
            Bytes::File(file, start) => {
                let Some(file) = file.clone() else {
                    let message = format!("{}: read before it was opened", self.chunk.key);
                    return Err(Error::new(Owner::Internal, message));
                };
                let offset = *start + self.at;
                let read = move || {
                    buffer.resize(before + length as usize, 0);
                    let read = read_at(&file, offset, &mut buffer[before..])?;
                    buffer.truncate(before + read);
                    Ok::<_, std::io::Error>(buffer)
                };
                let done = tokio::task::spawn_blocking(read).await;
                let done = done.map_err(std::io::Error::other).flatten();
                buffer = done.map_err(|error| failed(&self.chunk.key, &error))?;
            }
        }
        self.at += (buffer.len() - before) as u64;
        Ok(buffer)
    }

    fn grows(&self) -> Option<Grown> {
        Some(Arc::clone(&self.chunk.grown))
    }
}

/// Fills `into` with the bytes from `offset` on, as far as there are any.
pub(super) fn read_at(file: &File, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match file.read_at(&mut into[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
