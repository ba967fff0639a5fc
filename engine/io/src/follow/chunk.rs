//! What of an object arrived: some bytes of it, which are whole lines.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use async_trait::async_trait;
use loglens_engine::Error;
use loglens_engine::object::{Grown, ObjectReader};

use crate::local::failed;

/// Where bytes are.
#[derive(Debug, Clone)]
pub(super) enum Bytes {
    /// In a file, from a byte on. One that is not held open is opened by its name.
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
        match &mut self.chunk.bytes {
            Bytes::Memory(bytes) => {
                let at = self.at as usize;
                buffer.extend_from_slice(&bytes[at..at + length as usize]);
            }
            Bytes::File(file, start) => {
                let file = match file {
                    Some(file) => Arc::clone(file),
                    none => {
                        let opened = File::open(&*self.chunk.key);
                        let opened = opened.map_err(|error| failed(&self.chunk.key, &error))?;
                        Arc::clone(none.insert(Arc::new(opened)))
                    }
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
