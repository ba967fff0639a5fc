//! Local files, folders (with all folders below) and globs.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use globset::{GlobBuilder, GlobMatcher};
use loglens_engine::object::{Listed, Object, ObjectReader, ObjectSource, ReadAt};
use loglens_engine::{Error, Owner};
use walkdir::WalkDir;

use crate::local_sink::UNFINISHED;

/// A file, a folder or a glob.
#[derive(Debug)]
pub struct LocalSource {
    place: String,
    root: PathBuf,
    glob: Option<GlobMatcher>,
}

impl LocalSource {
    /// The source of a place; a name that exists is never taken for a glob.
    pub fn new(place: &str) -> Result<Self, Error> {
        let path = Path::new(place);
        if path.symlink_metadata().is_ok() || !place.contains(['*', '?', '[', '{']) {
            return Ok(Self {
                place: place.to_owned(),
                root: path.to_owned(),
                glob: None,
            });
        }
        let glob = GlobBuilder::new(place)
            .literal_separator(true)
            .build()
            .map_err(|error| Error::new(Owner::Usage, format!("{place}: {}", error.kind())))?;
        // The walk starts at the last folder before the first wildcard.
        let fixed = place.find(['*', '?', '[', '{']).unwrap_or(place.len());
        let root = place[..fixed]
            .rfind('/')
            .map_or(".", |slash| &place[..=slash]);
        Ok(Self {
            place: place.to_owned(),
            root: PathBuf::from(root),
            glob: Some(glob.compile_matcher()),
        })
    }

    pub(crate) fn walk(&self) -> Result<Vec<Listed>, Error> {
        let metadata = fs::metadata(&self.root).map_err(|error| failed(&self.place, &error))?;
        if !metadata.is_dir() {
            return Ok(vec![listed(self.place.clone(), &metadata)]);
        }
        let mut found = Vec::new();
        for entry in WalkDir::new(&self.root)
            .follow_links(true)
            .sort_by_file_name()
        {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                // Somebody is writing it.
                Ok(entry)
                    if entry
                        .file_name()
                        .as_encoded_bytes()
                        .starts_with(UNFINISHED.as_bytes()) => {}
                Ok(entry) => {
                    let path = entry.path().strip_prefix("./").unwrap_or(entry.path());
                    if self
                        .glob
                        .as_ref()
                        .is_some_and(|glob| !glob.is_match(path) && !glob.is_match(entry.path()))
                    {
                        continue;
                    }
                    found.push(match (path.to_str(), entry.metadata()) {
                        (None, _) => ignored(path, "its name is not UTF-8"),
                        (Some(key), Ok(metadata)) => listed(key.to_owned(), &metadata),
                        // It was deleted as the folder was listed.
                        (Some(_), Err(error)) if is_gone(&error) => continue,
                        (Some(key), Err(error)) => return Err(walk_failed(key, &error)),
                    });
                }
                Err(error) if error.loop_ancestor().is_some() => {
                    let path = error.path().unwrap_or(&self.root);
                    found.push(ignored(path, "a link to a folder that it lies in"));
                }
                Err(error) => {
                    let path = error.path().unwrap_or(&self.root).to_owned();
                    // A link to nothing is no object; anything else might have been one.
                    if path.is_symlink() && !path.exists() {
                        found.push(ignored(&path, "a broken link"));
                    } else if error.depth() == 0 || !is_gone(&error) {
                        return Err(walk_failed(&path.to_string_lossy(), &error));
                    }
                }
            }
        }
        if self.glob.is_some() && found.is_empty() {
            return Err(
                Error::new(Owner::Usage, format!("{}: no file matches", self.place))
                    .hint("* stays within one folder; ** goes through all below"),
            );
        }
        Ok(found)
    }
}

fn ignored(path: &Path, reason: &str) -> Listed {
    Listed::Ignored {
        key: path.to_string_lossy().into_owned(),
        reason: reason.to_owned(),
    }
}

fn listed(key: String, metadata: &Metadata) -> Listed {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.and_then(|since| i64::try_from(since.as_micros()).ok());
    if metadata.is_file() {
        Listed::Object(Object {
            key: Arc::from(key),
            size: Some(metadata.len()),
            modified,
            etag: None,
        })
    } else {
        // Its first bytes could not be read twice.
        Listed::Ignored {
            key,
            reason: "not a regular file; pipe it in and name it -".to_owned(),
        }
    }
}

#[async_trait]
impl ObjectSource for LocalSource {
    fn name(&self) -> &str {
        &self.place
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        match self.walk() {
            Ok(found) => stream::iter(found).map(Ok).boxed(),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn open(&self, object: &Object) -> Result<Box<dyn ObjectReader>, Error> {
        let file = File::open(&*object.key).map_err(|error| failed(&object.key, &error))?;
        Ok(opened(&object.key, file))
    }
}

/// What reads a file that is open.
pub(crate) fn opened(key: &Arc<str>, file: File) -> Box<dyn ObjectReader> {
    Box::new(LocalReader(Arc::new(LocalFile {
        key: Arc::clone(key),
        file,
    })))
}

struct LocalReader(Arc<LocalFile>);

#[async_trait]
impl ObjectReader for LocalReader {
    async fn read(&mut self, mut buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        let object = Arc::clone(&self.0);
        let read = move || {
            // `read_to_end` fills spare capacity without zeroing it first.
            (&object.file)
                .take(room as u64)
                .read_to_end(&mut buffer)
                .map(|_| buffer)
        };
        let result = tokio::task::spawn_blocking(read)
            .await
            .map_err(io::Error::other)
            .flatten();
        result.map_err(|error| failed(&self.0.key, &error))
    }

    fn at_any_place(&self) -> Option<Arc<dyn ReadAt>> {
        Some(Arc::clone(&self.0) as Arc<dyn ReadAt>)
    }
}

/// An open file. It is read, never mapped: a file that shrinks would end the process.
struct LocalFile {
    key: Arc<str>,
    file: File,
}

impl ReadAt for LocalFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < into.len() {
            match self
                .file
                .read_at(&mut into[filled..], offset + filled as u64)
            {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&self.key, &error)),
            }
        }
        Ok(filled)
    }
}

fn is_gone(error: &walkdir::Error) -> bool {
    let error = error.io_error();
    error.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn walk_failed(path: &str, error: &walkdir::Error) -> Error {
    match error.io_error() {
        Some(error) => failed(path, error),
        None => Error::new(Owner::External, format!("{path}: {error}")),
    }
}

pub(crate) fn failed(path: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Error::new(Owner::Usage, format!("{path}: no such file or folder"))
                .hint(format!("loglens looked in {}", working_folder()))
        }
        io::ErrorKind::PermissionDenied => Error::new(
            Owner::External,
            format!("{path}: permission denied"),
        )
        .hint("an answer without it would be wrong: allow reading it, or leave it out with a glob"),
        _ => Error::new(Owner::External, format!("{path}: {error}")),
    }
}

fn working_folder() -> String {
    std::env::current_dir().map_or_else(
        |_| "the current folder".to_owned(),
        |path| path.display().to_string(),
    )
}
