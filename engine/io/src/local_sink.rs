//! Writing to local folders as to a bucket: whole objects, under conditions.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::sink::{Condition, Content, ObjectSink, Upload, Written};
use loglens_engine::write::JOURNAL;
use loglens_engine::{Error, Owner};

/// What names of files that are not complete begin with: a listing of logs passes over them.
pub(crate) const UNFINISHED: &str = ".loglens-";

/// Files of the local system; keys are paths.
///
/// A file is written beside its place under a name of its own, and gets its name when it is
/// complete. Conditions hold among all processes that write in this way.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalSink;

#[async_trait]
impl ObjectSink for LocalSink {
    async fn get(&self, key: &str) -> Result<Option<Content>, Error> {
        let key = key.to_owned();
        blocking(move || content(&key)).await
    }

    async fn get_if_changed(&self, key: &str, etag: &str) -> Result<Option<Content>, Error> {
        let found = self.get(key).await?;
        Ok(found.filter(|content| content.etag.as_deref() != Some(etag)))
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, Error> {
        let key = key.to_owned();
        blocking(move || {
            let file = Unfinished::new(&key)?;
            file.write(&bytes)?;
            file.finish(&condition)
        })
        .await
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, Error> {
        let key = key.to_owned();
        let file = blocking(move || Unfinished::new(&key)).await?;
        Ok(Box::new(LocalUpload(Some(file))))
    }

    async fn copy(&self, from: &str, to: &str, condition: Condition) -> Result<Written, Error> {
        match self.get(from).await? {
            Some(content) => self.put(to, content.bytes, condition).await,
            None => Err(Error::new(Owner::Usage, format!("{from}: no such file"))),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let key = key.to_owned();
        blocking(move || {
            match fs::remove_file(&key) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&key, &error));
                }
                _ => {}
            }
            let folder = folder_of(&key);
            if folder.ends_with(JOURNAL) {
                // In a bucket there would be no folder any more. Where it is not empty, it stays.
                let _ = fs::remove_dir(folder);
            }
            Ok(())
        })
        .await
    }
}

/// A file that is written in parts; None after a part that failed.
struct LocalUpload(Option<Unfinished>);

impl LocalUpload {
    fn file(&mut self) -> Result<Unfinished, Error> {
        let file = self.0.take();
        file.ok_or_else(|| Error::new(Owner::Internal, "the upload failed before"))
    }
}

#[async_trait]
impl Upload for LocalUpload {
    async fn part(&mut self, bytes: Bytes) -> Result<(), Error> {
        let file = self.file()?;
        let written = blocking(move || {
            file.write(&bytes)?;
            Ok(file)
        });
        self.0 = Some(written.await?);
        Ok(())
    }

    async fn complete(mut self: Box<Self>, condition: Condition) -> Result<Written, Error> {
        let file = self.file()?;
        blocking(move || file.finish(&condition)).await
    }

    async fn abort(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

/// A file without its name yet. Dropped, it goes. It is opened for each part: there may be more
/// of them than a process may hold open.
struct Unfinished {
    key: String,
    path: PathBuf,
}

impl Unfinished {
    fn new(key: &str) -> Result<Self, Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let folder = folder_of(key);
        let number = NUMBER.fetch_add(1, Relaxed);
        let path = folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
        let create = || {
            fs::create_dir_all(folder)?;
            File::create(&path)
        };
        let created = match create() {
            // Another process may have removed the folder, empty as it was, in between.
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(),
            created => created,
        };
        created.map_err(|error| failed(key, &error))?;
        Ok(Self {
            key: key.to_owned(),
            path,
        })
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        let file = OpenOptions::new().append(true).open(&self.path);
        let written = file.and_then(|mut file| file.write_all(bytes));
        written.map_err(|error| failed(&self.key, &error))
    }

    /// Gives the file its name.
    fn finish(self, condition: &Condition) -> Result<Written, Error> {
        let failed = |error: io::Error| failed(&self.key, &error);
        let synced = File::open(&self.path).and_then(|file| file.sync_all());
        synced.map_err(failed)?;
        let named = match condition {
            Condition::Always => fs::rename(&self.path, &self.key),
            Condition::Absent => self.name_if_absent(|from, to| fs::hard_link(from, to)),
            Condition::Matches(etag) => self.name_if(|found| found == Some(etag)),
        };
        match named {
            Ok(()) => Ok(Written::Done {
                etag: etag_of(Path::new(&self.key)).ok(),
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Written::Refused),
            Err(error) => Err(failed(error)),
        }
    }
}

impl Unfinished {
    /// Gives the file its name if no file has it.
    fn name_if_absent(&self, link: fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
        // A link never takes the place of a file; the unfinished name goes when this does.
        match link(&self.path, Path::new(&self.key)) {
            Err(error) if has_no_links(&error) => self.name_if(|found| found.is_none()),
            linked => linked,
        }
    }

    /// Gives the file its name if what has the name now, by its etag, is as it should be. A lock
    /// keeps others out meanwhile, and ends with its process, whatever ends that.
    fn name_if(&self, is_so: impl Fn(Option<&String>) -> bool) -> io::Result<()> {
        let _lock = lock_of(folder_of(&self.key))?;
        let found = match etag_of(Path::new(&self.key)) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        match is_so(found.as_ref()) {
            true => fs::rename(&self.path, &self.key),
            false => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }
}

/// Locks a folder: itself where that can be, which leaves nothing behind, or else a file in it. A
/// file system over a network locks only what is open for writing, which a folder cannot be.
pub(crate) fn lock_of(folder: &Path) -> io::Result<File> {
    let itself = File::open(folder)?;
    if itself.lock().is_ok() {
        return Ok(itself);
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = options.open(folder.join(format!("{UNFINISHED}lock")))?;
    file.lock()?;
    Ok(file)
}

/// Whether a file system knows no hard links: FAT and some of networks do not.
fn has_no_links(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, Unsupported};
    matches!(error.kind(), PermissionDenied | Unsupported)
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename there is none.
        let _ = fs::remove_file(&self.path);
    }
}

fn content(key: &str) -> Result<Option<Content>, Error> {
    match fs::read(key) {
        Ok(bytes) => Ok(Some(Content {
            bytes: bytes.into(),
            etag: etag_of(Path::new(key)).ok(),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(key, &error)),
    }
}

/// What a file has instead of an etag: a file that is replaced is another one.
fn etag_of(path: &Path) -> io::Result<String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path)?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH);
    let modified = modified.unwrap_or_default().as_nanos();
    Ok(format!(
        "\"{:x}-{:x}-{modified:x}\"",
        metadata.ino(),
        metadata.len()
    ))
}

fn folder_of(key: &str) -> &Path {
    match Path::new(key).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn failed(key: &str, error: &io::Error) -> Error {
    Error::new(Owner::External, format!("{key}: {error}"))
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(Error::new(
            Owner::Internal,
            format!("writing a file: {error}"),
        ))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn without_hard_links_a_name_is_given_once() {
        fn refuse(_: &Path, _: &Path) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("a");
        let key = key.to_str().unwrap();
        let named: Vec<_> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|writer: u8| {
                    scope.spawn(move || {
                        let file = Unfinished::new(key).unwrap();
                        file.write(&[writer]).unwrap();
                        file.name_if_absent(refuse).map_err(|error| error.kind())
                    })
                })
                .collect();
            let done = writers.into_iter().map(|writer| writer.join().unwrap());
            done.collect()
        });
        let refused = Err(io::ErrorKind::AlreadyExists);
        assert_eq!(named.iter().filter(|named| named.is_ok()).count(), 1);
        assert_eq!(named.iter().filter(|named| **named == refused).count(), 7);
        let winner = named.iter().position(Result::is_ok).unwrap();
        assert_eq!(fs::read(key).unwrap(), [u8::try_from(winner).unwrap()]);
    }
}
