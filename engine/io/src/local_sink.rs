//! Writing to local folders: whole files or none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::sink::{ObjectSink, Upload};
use loglens_engine::{Error, Owner};

/// What names of files that are not complete begin with: a listing of logs passes over them.
pub(crate) const UNFINISHED: &str = ".loglens-";

/// Files of the local system; keys are paths.
///
/// A file is written beside its place under a name of its own, and gets its name when it is
/// complete.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalSink;

#[async_trait]
impl ObjectSink for LocalSink {
    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, Error> {
        let key = key.to_owned();
        let file = blocking(move || Unfinished::new(&key)).await?;
        Ok(Box::new(LocalUpload(Some(file))))
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

    async fn complete(mut self: Box<Self>) -> Result<(), Error> {
        let file = self.file()?;
        blocking(move || file.finish()).await
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
        let folder = match Path::new(key).parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(|error| failed(key, &error))?;
        let number = NUMBER.fetch_add(1, Relaxed);
        let path = folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
        File::create(&path).map_err(|error| failed(key, &error))?;
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

    /// Gives the file its name. A link never takes the place of a file; the unfinished name goes
    /// when this does.
    fn finish(self) -> Result<(), Error> {
        let named = File::open(&self.path)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::hard_link(&self.path, &self.key));
        named.map_err(|error| failed(&self.key, &error))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn failed(key: &str, error: &io::Error) -> Error {
    Error::new(Owner::External, format!("{key}: {error}"))
}

async fn blocking<T: Send + 'static>(
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
