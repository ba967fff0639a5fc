//! The space that a cache takes: never more than its bound, whatever the number of processes.
//!
//! One file, locked for a moment, holds the number of bytes that are taken. Space is taken before
//! a file is made, so the number is never too small; where it is too large (an entry was not
//! finished, a process was killed), the files are counted again once the bound seems reached.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

/// The file with the number.
const COUNT: &str = "bytes-taken";

/// After this time nobody writes an unfinished entry any more: whoever did was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// The space of a cache.
#[derive(Debug)]
pub(super) struct Space {
    count: PathBuf,
    entries: PathBuf,
    unfinished: PathBuf,
    bound: u64,
}

/// A file of the cache.
struct Counted {
    used: SystemTime,
    bytes: u64,
    path: PathBuf,
}

impl Space {
    pub(super) fn new(folder: &Path, entries: &Path, unfinished: &Path, bound: u64) -> Self {
        Self {
            count: folder.join(COUNT),
            entries: entries.to_owned(),
            unfinished: unfinished.to_owned(),
            bound,
        }
    }

    /// Takes space and makes in it what `create` makes; None where there is not so much.
    pub(super) fn take<T>(
        &self,
        bytes: u64,
        create: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        if bytes > self.bound {
            return Ok(None);
        }
        let mut count = self.lock()?;
        let mut text = String::new();
        count.read_to_string(&mut text)?;
        let taken = text.trim().parse::<u64>().ok();
        let taken = match taken.filter(|taken| taken.saturating_add(bytes) <= self.bound) {
            Some(taken) => taken,
            None => self.make_room(bytes)?,
        };
        let fits = taken + bytes <= self.bound;
        let taken = if fits { taken + bytes } else { taken };
        count.rewind()?;
        count.set_len(0)?;
        write!(count, "{taken}")?;
        // The lock is held until the file is there and has its length: whoever counts sees it.
        fits.then(create).transpose()
    }

    /// Opens the file with the number and waits until no one else has it.
    pub(super) fn lock(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&self.count)?;
        file.lock()?;
        Ok(file)
    }

    /// Removes what was not of use for the longest time until `bytes` fit in, and a tenth of the
    /// bound besides, so that this is not done for every entry. Gives the bytes that are taken then.
    fn make_room(&self, bytes: u64) -> io::Result<u64> {
        let long_ago = SystemTime::now().checked_sub(ABANDONED);
        let mut taken = 0;
        for file in counted(&self.unfinished)? {
            let is_abandoned = long_ago.is_some_and(|time| file.used < time);
            if !is_abandoned || !removed(&file.path) {
                taken += file.bytes;
            }
        }
        let mut entries = counted(&self.entries)?;
        taken += entries.iter().map(|file| file.bytes).sum::<u64>();
        let wanted = (self.bound - bytes).min(self.bound / 10 * 9);
        entries.sort_unstable_by_key(|file| file.used);
        for file in entries {
            if taken <= wanted {
                break;
            }
            if removed(&file.path) {
                taken -= file.bytes;
            }
        }
        Ok(taken)
    }
}

/// The files in a folder and below. What goes meanwhile is not counted.
fn counted(folder: &Path) -> io::Result<Vec<Counted>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder) {
        let found = entry.and_then(|entry| Ok((entry.metadata()?, entry)));
        match found {
            Ok((metadata, entry)) if metadata.is_file() => files.push(Counted {
                used: metadata.modified()?,
                bytes: metadata.len(),
                path: entry.into_path(),
            }),
            Ok(_) => {}
            Err(error) => {
                let error = io::Error::from(error);
                if error.kind() != io::ErrorKind::NotFound {
                    return Err(error);
                }
            }
        }
    }
    Ok(files)
}

/// Removes a file; one that somebody else removed is gone too.
fn removed(path: &Path) -> bool {
    match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}
