//! Reading objects: those that are kept, and those that are kept while they are read.

use std::sync::Arc;

use async_trait::async_trait;
use loglens_engine::Error;
use loglens_engine::object::{ObjectReader, ReadAt};

use super::disk::{Disk, Name, blocking};
use super::entry::{Entry, Unfinished};

/// Reads an object that is kept.
pub(super) struct KeptReader {
    entry: Arc<Entry>,
    at: u64,
}

impl KeptReader {
    pub(super) fn new(entry: Arc<Entry>) -> Self {
        Self { entry, at: 0 }
    }
}

#[async_trait]
impl ObjectReader for KeptReader {
    async fn read(&mut self, mut buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        let (entry, at) = (Arc::clone(&self.entry), self.at);
        let before = buffer.len();
        let buffer = blocking(move || {
            buffer.resize(before + room, 0);
            let read = entry.read_at(at, &mut buffer[before..])?;
            buffer.truncate(before + read);
            Ok::<_, Error>(buffer)
        })
        .await??;
        self.at += (buffer.len() - before) as u64;
        Ok(buffer)
    }

    fn at_any_place(&self) -> Option<Arc<dyn ReadAt>> {
        Some(Arc::clone(&self.entry) as Arc<dyn ReadAt>)
    }
}

/// Reads an object from its source and keeps it. One that is not read to its end is not kept.
pub(super) struct KeepingReader {
    reader: Box<dyn ObjectReader>,
    disk: Arc<Disk>,
    name: Name,
    /// Bytes that are still to come.
    left: u64,
    keeping: Keeping,
}

/// How far keeping is.
enum Keeping {
    /// Nothing has come yet.
    NotBegun,
    Begun(Unfinished),
    /// All is kept, or it cannot be.
    Over,
}

impl KeepingReader {
    /// Keeps an object of `size` bytes under a name.
    pub(super) fn new(
        reader: Box<dyn ObjectReader>,
        disk: Arc<Disk>,
        name: Name,
        size: u64,
    ) -> Self {
        Self {
            reader,
            disk,
            name,
            left: size,
            keeping: Keeping::NotBegun,
        }
    }
}

#[async_trait]
impl ObjectReader for KeepingReader {
    async fn read(&mut self, buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        let before = buffer.len();
        let keeping = std::mem::replace(&mut self.keeping, Keeping::Over);
        let buffer = self.reader.read(buffer, room).await?;
        let came = (buffer.len() - before) as u64;
        if matches!(keeping, Keeping::Over) || came == 0 || came > self.left {
            return Ok(buffer);
        }
        let (disk, name, left) = (Arc::clone(&self.disk), self.name.clone(), self.left);
        self.left -= came;
        let work = move || {
            let keeping = keep(&disk, &name, keeping, &buffer[before..], left);
            (buffer, keeping)
        };
        let (buffer, keeping) = blocking(work).await?;
        self.keeping = keeping;
        Ok(buffer)
    }
}

/// Keeps bytes of an entry of which `left` are still to come, these among them.
fn keep(disk: &Disk, name: &Name, keeping: Keeping, bytes: &[u8], left: u64) -> Keeping {
    let entry = match keeping {
        Keeping::NotBegun => disk.begin(left),
        Keeping::Begun(entry) => Some(entry),
        Keeping::Over => None,
    };
    let Some(mut entry) = entry else {
        return Keeping::Over;
    };
    match entry.write(bytes) {
        Ok(()) if bytes.len() as u64 == left => disk.finish(entry, name),
        Ok(()) => return Keeping::Begun(entry),
        // The disk is full: the answer does not need it.
        Err(_) => {}
    }
    Keeping::Over
}
