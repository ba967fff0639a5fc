//! What an entry is on disk: its bytes, and behind them what tells that they are complete.
//!
//! The bytes come first, so that a place in the object is the same place in the file. Behind them
//! stand their CRC-32, how many there are, and the mark of this layout.

use std::fs::{File, FileTimes};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crc32fast::Hasher;
use loglens_engine::object::ReadAt;
use loglens_engine::{Error, Owner};

/// The end of every entry.
const MARK: &[u8; 4] = b"LLC1";

/// Bytes behind those of the object.
pub(super) const FOOTER_BYTES: u64 = 16;

/// Bytes that are looked at in one go.
const STEP_BYTES: usize = 256 << 10;

fn footer(checksum: u32, length: u64) -> [u8; FOOTER_BYTES as usize] {
    let mut footer = [0; FOOTER_BYTES as usize];
    footer[..4].copy_from_slice(&checksum.to_le_bytes());
    footer[4..12].copy_from_slice(&length.to_le_bytes());
    footer[12..].copy_from_slice(MARK);
    footer
}

/// An entry that is whole. Who removes its file takes nothing away from it.
#[derive(Debug)]
pub(super) struct Entry {
    path: PathBuf,
    file: File,
    length: u64,
}

/// What lies under a name in the cache.
#[derive(Debug)]
pub(super) enum Found {
    /// An entry that is whole.
    Whole(Arc<Entry>),
    /// A file that is truncated or damaged.
    Damaged,
    /// Nothing.
    Nothing,
}

impl Entry {
    /// Opens an entry and reads all of it once, so that nothing of a damaged one is given away.
    pub(super) fn open(path: &Path) -> Found {
        let Ok(file) = File::open(path) else {
            return Found::Nothing;
        };
        match whole_length(&file) {
            Ok(Some(length)) => {
                // The time of change says when it was last of use: that of access is not kept on
                // every system. A cache that may only be read is of use too.
                let _ = file.set_times(FileTimes::new().set_modified(SystemTime::now()));
                Found::Whole(Arc::new(Self {
                    path: path.to_owned(),
                    file,
                    length,
                }))
            }
            Ok(None) => Found::Damaged,
            Err(_) => Found::Nothing,
        }
    }

    /// The first bytes, `most` of them or as many as there are.
    pub(super) fn beginning(&self, most: usize) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(most)];
        let read = self.read_at(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

impl ReadAt for Entry {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let left = self.length.saturating_sub(offset);
        let room = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        match self.file.read_exact_at(&mut into[..room], offset) {
            Ok(()) => Ok(room),
            Err(error) => Err(Error::new(
                Owner::External,
                format!("{}: {error}", self.path.display()),
            )
            .hint("this file of the cache cannot be read: remove it and ask again")),
        }
    }
}

/// How many bytes the object has, if the file is whole.
fn whole_length(mut file: &File) -> io::Result<Option<u64>> {
    let Some(length) = file.metadata()?.len().checked_sub(FOOTER_BYTES) else {
        return Ok(None);
    };
    let mut checksum = Hasher::new();
    let mut bytes = file.take(length);
    let mut step = vec![0; STEP_BYTES.min(usize::try_from(length).unwrap_or(STEP_BYTES))];
    loop {
        match bytes.read(&mut step) {
            Ok(0) => break,
            Ok(read) => checksum.update(&step[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut found = [0; FOOTER_BYTES as usize];
    file.read_exact(&mut found)?;
    Ok((found == footer(checksum.finalize(), length)).then_some(length))
}

/// An entry that is being written, under a name that nobody looks for. Dropped, it goes.
#[derive(Debug)]
pub(super) struct Unfinished {
    path: PathBuf,
    file: File,
    length: u64,
    checksum: Hasher,
}

impl Unfinished {
    /// Begins an entry of so many bytes. Its file has its whole length from now on, so that
    /// whoever counts the space that is used counts all of it.
    pub(super) fn create(path: PathBuf, bytes: u64) -> io::Result<Self> {
        let file = File::create_new(&path)?;
        let entry = Self {
            path,
            file,
            length: 0,
            checksum: Hasher::new(),
        };
        entry.file.set_len(bytes + FOOTER_BYTES)?;
        Ok(entry)
    }

    /// Appends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.checksum.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Gives the entry its name; from then on it is there as a whole.
    pub(super) fn finish(mut self, path: &Path) -> io::Result<()> {
        let checksum = std::mem::take(&mut self.checksum).finalize();
        self.file.write_all(&footer(checksum, self.length))?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::rename(&self.path, path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After it got its name there is nothing here any more.
        let _ = std::fs::remove_file(&self.path);
    }
}
