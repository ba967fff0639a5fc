//! The folder where a stream keeps how far it came.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use loglens_engine::stream::positions_in;
use loglens_engine::{Error, Owner};
use serde::{Deserialize, Serialize};

const NAME: &str = "stream.arrow";

/// The folder of `--state`.
pub(super) struct StateFolder {
    folder: PathBuf,
    /// Held as long as this runs: two would write over each other.
    _lock: File,
}

/// What was kept.
pub(super) struct Kept {
    /// The state of the stream.
    pub(super) stream: Vec<u8>,
    /// How far each place was read.
    pub(super) positions: Vec<Option<String>>,
    /// Bytes of the result that go with it, if it is a file.
    pub(super) written: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Positions {
    places: Vec<Option<String>>,
    written: Option<u64>,
}

/// What is kept with the state of the stream.
pub(super) fn text(places: &[Option<String>], written: Option<u64>) -> String {
    let positions = Positions {
        places: places.to_vec(),
        written,
    };
    // A list of texts and a number always are JSON.
    serde_json::to_string(&positions).unwrap_or_default()
}

impl StateFolder {
    /// Opens it, and makes it if it is not there.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let failed = |error: &io::Error| failed(folder, error);
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        let lock = File::create(folder.join("lock")).map_err(|error| failed(&error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                folder: folder.to_owned(),
                _lock: lock,
            }),
            Err(fs::TryLockError::WouldBlock) => Err(Error::new(
                Owner::Usage,
                format!("--state {}: another loglens uses it", folder.display()),
            )
            .hint("name a folder for each statement")),
            Err(fs::TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    /// What was kept there; None if that is nothing.
    pub(super) fn load(&self) -> Result<Option<Kept>, Error> {
        let path = self.folder.join(NAME);
        let stream = match fs::read(&path) {
            Ok(stream) => stream,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, &error)),
        };
        let positions: Option<Positions> =
            positions_in(&stream).and_then(|text| serde_json::from_str(&text).ok());
        let Some(positions) = positions else {
            return Err(Error::new(
                Owner::Data,
                format!(
                    "{}: this is no state of loglens, or a damaged one",
                    path.display()
                ),
            )
            .hint("name another folder with --state, or delete this one to begin anew"));
        };
        Ok(Some(Kept {
            stream,
            positions: positions.places,
            written: positions.written,
        }))
    }

    /// Keeps a state in the place of the one before: whole, or not at all.
    pub(super) fn save(&self, state: &[u8]) -> Result<(), Error> {
        let (path, part) = (
            self.folder.join(NAME),
            self.folder.join("stream.arrow.part"),
        );
        let write = || {
            let mut file = File::create(&part)?;
            file.write_all(state)?;
            file.sync_all()?;
            fs::rename(&part, &path)
        };
        write().map_err(|error| failed(&path, &error))
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::new(Owner::External, format!("{}: {error}", path.display()))
}
