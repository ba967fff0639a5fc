//! Leases in a folder, for the workers of one machine.
//!
//! A file for each shard, which is replaced as a whole. A lock on the folder keeps other workers out
//! while one changes something, and ends with its process, whatever ends that.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use loglens_engine::lease::{Lease, LeaseStore};
use loglens_engine::{Error, Owner};

use crate::local_sink::{UNFINISHED, blocking, lock_of};

/// What names of leases end with.
const SUFFIX: &str = ".lease.json";

/// Leases in a folder.
#[derive(Debug, Clone)]
pub struct LocalLeases {
    folder: PathBuf,
}

impl LocalLeases {
    /// The leases in this folder, which is made when it is needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Work on the folder; under the lock, if it changes something.
    async fn work<T: Send + 'static>(
        &self,
        locked: bool,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let folder = self.folder.clone();
        blocking(move || {
            let done = (|| {
                let _lock = locked.then(|| lock_of(&folder)).transpose()?;
                work(&folder)
            })();
            done.map_err(|error| {
                Error::new(
                    Owner::External,
                    format!("leases in {}: {error}", folder.display()),
                )
                .hint("name a folder that you may write to")
            })
        })
        .await
    }
}

#[async_trait]
impl LeaseStore for LocalLeases {
    async fn prepare(&self) -> Result<(), Error> {
        let folder = self.folder.clone();
        self.work(false, move |_| {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
        })
        .await?;
        self.work(true, |_| Ok(())).await
    }

    async fn list(&self) -> Result<Vec<Lease>, Error> {
        self.work(false, |folder| {
            let mut leases = Vec::new();
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.ends_with(SUFFIX) {
                    // It may be gone since.
                    leases.extend(read(&path)?);
                }
            }
            leases.sort_unstable_by(|one: &Lease, other| one.shard.cmp(&other.shard));
            Ok(leases)
        })
        .await
    }

    async fn create(&self, lease: &Lease) -> Result<bool, Error> {
        let lease = lease.clone();
        self.work(true, move |folder| {
            let path = path_of(folder, &lease.shard);
            match read(&path)? {
                Some(_) => Ok(false),
                None => write(folder, &path, &lease).map(|()| true),
            }
        })
        .await
    }

    async fn replace(&self, lease: &Lease, seen: u64) -> Result<bool, Error> {
        let lease = lease.clone();
        self.work(true, move |folder| {
            let path = path_of(folder, &lease.shard);
            match read(&path)? {
                Some(found) if found.counter == seen => write(folder, &path, &lease).map(|()| true),
                // The same write again.
                found => Ok(found.as_ref() == Some(&lease)),
            }
        })
        .await
    }

    async fn delete(&self, shard: &str, seen: u64) -> Result<bool, Error> {
        let shard = shard.to_owned();
        self.work(true, move |folder| {
            let path = path_of(folder, &shard);
            match read(&path)? {
                Some(found) if found.counter == seen => fs::remove_file(&path).map(|()| true),
                _ => Ok(false),
            }
        })
        .await
    }
}

/// The file of a shard; what could mean something to the file system is written as digits.
fn path_of(folder: &Path, shard: &str) -> PathBuf {
    let mut name = String::new();
    for byte in shard.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => name.push(byte.into()),
            _ => name += &format!("%{byte:02x}"),
        }
    }
    folder.join(name + SUFFIX)
}

fn read(path: &Path) -> io::Result<Option<Lease>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read?,
    };
    let lease = serde_json::from_slice(&bytes);
    lease.map(Some).map_err(|error| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        io::Error::new(io::ErrorKind::InvalidData, format!("{name}: {error}"))
    })
}

/// Under the lock: nobody else writes meanwhile.
fn write(folder: &Path, path: &Path, lease: &Lease) -> io::Result<()> {
    let unfinished = folder.join(format!("{UNFINISHED}lease"));
    let mut file = File::create(&unfinished)?;
    file.write_all(&serde_json::to_vec(lease)?)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    // The name too must outlive a loss of power: a counter that goes back would be given twice.
    File::open(folder)?.sync_all()
}
