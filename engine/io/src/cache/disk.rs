//! The folder of a cache: entries by name.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use loglens_engine::{Error, Owner};
use sha2::{Digest, Sha256};

use super::entry::{Entry, FOOTER_BYTES, Found, Unfinished};
use super::space::Space;

/// The folder within the one that the user named: nothing else in it is touched. The number is
/// that of the layout.
const FOLDER: &str = "loglens-1";

/// A cache on disk, which any number of processes share.
#[derive(Debug)]
pub struct Disk {
    entries: PathBuf,
    unfinished: PathBuf,
    space: Space,
}

/// What an entry is called: a digest of all that it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    /// The name of what depends on these words, in this order.
    pub(super) fn of(words: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for word in words {
            // With its length, so that no two lists of words run together to the same text.
            digest.update((word.len() as u64).to_le_bytes());
            digest.update(word);
        }
        let digits = digest.finalize();
        Self(digits.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Disk {
    /// The cache in a folder, which is made if it is not there, of at most `bound` bytes.
    pub fn open(folder: &Path, bound: u64) -> Result<Self, Error> {
        let failed = |error: io::Error| {
            Error::new(
                Owner::External,
                format!("cache {}: {error}", folder.display()),
            )
            .hint("name a folder that you may write to: --cache DIR, or `cache` in loglens.toml")
        };
        let own = folder.join(FOLDER);
        let (entries, unfinished) = (own.join("entries"), own.join("unfinished"));
        for folder in [&entries, &unfinished] {
            // Logs tell much of those who are in them.
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(failed)?;
        }
        let space = Space::new(&own, &entries, &unfinished, bound);
        space.lock().map_err(failed)?;
        Ok(Self {
            entries,
            unfinished,
            space,
        })
    }

    /// The entry of this name, if it is whole; a damaged one is removed.
    pub(super) fn find(&self, name: &Name) -> Option<Arc<Entry>> {
        let path = self.path(name);
        match Entry::open(&path) {
            Found::Whole(entry) => Some(entry),
            Found::Damaged => {
                let _ = fs::remove_file(path);
                None
            }
            Found::Nothing => None,
        }
    }

    /// Whether there is something of this name, whole or not.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.path(name).is_file()
    }

    /// Begins an entry of so many bytes; None where it cannot be kept.
    pub(super) fn begin(&self, bytes: u64) -> Option<Unfinished> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // Containers that share a folder have processes of the same number.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let path = self.unfinished.join(format!(
            "{}-{}-{}",
            std::process::id(),
            now.map_or(0, |since| since.as_nanos()),
            NUMBER.fetch_add(1, Relaxed)
        ));
        let create = || Unfinished::create(path, bytes);
        self.space.take(bytes + FOOTER_BYTES, create).ok().flatten()
    }

    /// Gives an entry its name. One that cannot be kept is only asked for again.
    pub(super) fn finish(&self, entry: Unfinished, name: &Name) {
        let _ = entry.finish(&self.path(name));
    }

    /// Keeps bytes under a name, if that can be.
    pub(super) fn keep(&self, name: &Name, bytes: &[u8]) {
        if let Some(mut entry) = self.begin(bytes.len() as u64)
            && entry.write(bytes).is_ok()
        {
            self.finish(entry, name);
        }
    }

    fn path(&self, name: &Name) -> PathBuf {
        let (folder, file) = name.0.split_at(2);
        self.entries.join(folder).join(file)
    }
}

/// Work with files, on a thread that may wait for them.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::new(Owner::Internal, format!("the cache: {error}")))
}
