//! A file, a folder or a glob whose files grow, rotate and become more.

use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use loglens_engine::object::{Listed, Object, ObjectReader, ObjectSource};
use loglens_engine::{Error, Owner};
use serde::{Deserialize, Serialize};

use super::chunk::{Chunk, read_at};
use super::line_file::{Came, FileId, LineFile, LinePosition, age, is_lines, nanos, open_as};
use super::{Arrived, Follower};
use crate::local::{LocalSource, failed, opened};

/// Bytes of a file that are given at a time.
const CHUNK_BYTES: u64 = 32 << 20;

/// The same for those who look at the time it is of.
const SMALL_CHUNK_BYTES: u64 = 64 << 10;

/// First bytes that say how a file is read.
const HEAD_BYTES: usize = 64 << 10;

/// Files that are held open, at most. Of others the last lines are left out if they leave the place
/// before they are read.
const MOST_OPEN: usize = 256;

/// A file that is read as a whole has not changed for so long: whoever writes it may not be done.
const SETTLED: Duration = Duration::from_secs(1);

/// Why a file is left out that was deleted, or whose name another took, before it was read.
const GONE: &str = "it was gone before it was read";

/// Endings of what a rotated file becomes when it is compressed.
const COMPRESSED: [&str; 4] = [".gz", ".zst", ".bz2", ".xz"];

/// How files are followed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Nothing is waited for: what is there is all there is, the last line without its end too.
    pub once: bool,
    /// Little is given at a time, for those who look at the time it is of.
    pub in_small_pieces: bool,
}

/// Follows files.
#[derive(Debug)]
pub struct FollowedFiles(Arc<Followed>);

/// The source of what arrived.
#[derive(Debug)]
struct Followed {
    files: LocalSource,
    state: Mutex<State>,
}

/// What is known of the files.
#[derive(Debug, Default)]
struct State {
    reading: Reading,
    known: HashMap<FileId, Known>,
    /// Names under which lines were read.
    names_of_lines: HashSet<Arc<str>>,
    /// What was given and not read yet, by key.
    given: HashMap<Arc<str>, Given>,
    /// What is not read, and was not told yet.
    left_out: Vec<(String, &'static str)>,
    /// Files that are held open.
    open: usize,
}

/// A file that was seen.
#[derive(Debug, Clone)]
enum Known {
    /// It is read line by line, as it grows.
    Lines(LineFile),
    /// It is read as a whole.
    Whole {
        /// Its change when it was given, in nanoseconds since 1970.
        modified: u64,
        read: bool,
    },
    /// It is not read: it is what another file became.
    Compressed,
}

/// What was given of a file.
#[derive(Debug, Clone)]
struct Given {
    id: FileId,
    /// Of a file of lines; None is all of it.
    chunk: Option<Chunk>,
}

/// How far a file was read, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
enum Position {
    Lines(LinePosition),
    Whole { modified: u64 },
    Compressed,
}

impl FollowedFiles {
    /// Follows a file, a folder or a glob.
    pub fn new(place: &str, reading: Reading) -> Result<Self, Error> {
        let state = State {
            reading,
            ..State::default()
        };
        Ok(Self(Arc::new(Followed {
            files: LocalSource::new(place)?,
            state: Mutex::new(state),
        })))
    }
}

impl Follower for FollowedFiles {
    fn source(&self) -> Arc<dyn ObjectSource> {
        Arc::clone(&self.0) as Arc<dyn ObjectSource>
    }

    fn arrived(&self) -> Result<Arrived, Error> {
        let mut objects = Vec::new();
        let mut state = self.0.state();
        state.open = state.known.values().filter(|known| known.is_open()).count();
        let mut seen = HashSet::new();
        for listed in self.0.listed(&state)? {
            let Listed::Object(object) = listed else {
                continue;
            };
            let metadata = match std::fs::metadata(&*object.key) {
                Ok(metadata) => metadata,
                // It was renamed or deleted just now.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(&object.key, &error)),
            };
            seen.insert(FileId::of(&metadata));
            objects.extend(state.of_file(object, &metadata)?);
        }
        // Files that were renamed away from what is followed still have their last lines.
        objects.extend(state.of_gone(&seen)?);
        Ok(Arrived {
            objects,
            left_out: std::mem::take(&mut state.left_out),
            ended: false,
        })
    }

    fn read(&self, object: &Object) {
        let mut state = self.0.state();
        let Some(given) = state.given.remove(&object.key) else {
            return;
        };
        match (state.known.get_mut(&given.id), given.chunk) {
            (Some(Known::Lines(file)), Some(chunk)) => {
                file.read_to(given.id, file.read + chunk.length);
            }
            (Some(Known::Whole { read, .. }), _) => *read = true,
            _ => {}
        }
    }

    fn positions(&self) -> Option<String> {
        let state = self.0.state();
        let positions = state.known.iter();
        let positions = positions.filter_map(|(id, known)| Some((id, known.position()?)));
        serde_json::to_string(&positions.collect::<Vec<_>>()).ok()
    }

    fn resume(&self, positions: &str) -> Result<(), Error> {
        let positions: Vec<(FileId, Position)> =
            serde_json::from_str(positions).map_err(|error| {
                let message = format!("the positions that were kept: {error}");
                Error::new(Owner::Data, message)
            })?;
        let mut state = self.0.state();
        state.given.clear();
        let known = positions.into_iter();
        state.known = known.map(|(id, position)| (id, position.known())).collect();
        let names = state.known.values().filter_map(|known| match known {
            Known::Lines(file) => Some(Arc::clone(&file.key)),
            _ => None,
        });
        state.names_of_lines = names.collect();
        Ok(())
    }
}

impl Followed {
    /// A panic elsewhere does not make the numbers wrong.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is there. Between the renaming of a file and the making of the next there is nothing.
    fn listed(&self, state: &State) -> Result<Vec<Listed>, Error> {
        match self.files.walk() {
            Err(error) if error.owner == Owner::Usage && !state.known.is_empty() => Ok(Vec::new()),
            listed => listed,
        }
    }
}

impl State {
    /// What arrived of a file that is there.
    fn of_file(&mut self, object: Object, metadata: &Metadata) -> Result<Option<Object>, Error> {
        if self.given.contains_key(&object.key) {
            return Ok(None);
        }
        let id = FileId::of(metadata);
        let modified = metadata.modified().map_or(0, nanos);
        match self.known.get_mut(&id) {
            Some(Known::Lines(file)) => {
                file.key = Arc::clone(&object.key);
                self.names_of_lines.insert(Arc::clone(&object.key));
                self.of_lines(id, object, metadata, self.reading.once)
            }
            Some(Known::Whole { modified: then, .. }) => {
                if *then != modified {
                    *then = modified;
                    let why = "it changed after it was read as a whole; the change is not read";
                    self.left_out.push((object.key.to_string(), why));
                }
                Ok(None)
            }
            Some(Known::Compressed) => Ok(None),
            None => self.of_new(id, object, metadata),
        }
    }

    /// What there is of a file that was not seen before.
    fn of_new(
        &mut self,
        id: FileId,
        object: Object,
        metadata: &Metadata,
    ) -> Result<Option<Object>, Error> {
        let plain = COMPRESSED
            .iter()
            .find_map(|ending| object.key.strip_suffix(ending));
        if plain.is_some_and(|plain| self.names_of_lines.contains(plain)) {
            let why = "a file that was read before, compressed by rotation";
            self.left_out.push((object.key.to_string(), why));
            self.known.insert(id, Known::Compressed);
            return Ok(None);
        }
        let Some(head) = head(&object.key)? else {
            return Ok(None);
        };
        match is_lines(&head, metadata.len() >= HEAD_BYTES as u64) {
            Some(true) => {
                let file = LineFile::new(Arc::clone(&object.key));
                self.known.insert(id, Known::Lines(file));
                self.names_of_lines.insert(Arc::clone(&object.key));
                self.of_lines(id, object, metadata, self.reading.once)
            }
            found if self.reading.once || (found.is_some() && is_settled(metadata)) => {
                let modified = metadata.modified().map_or(0, nanos);
                let read = false;
                self.known.insert(id, Known::Whole { modified, read });
                Ok(Some(self.give(id, object, None)))
            }
            _ => Ok(None),
        }
    }

    /// What came to a file of lines.
    fn of_lines(
        &mut self,
        id: FileId,
        object: Object,
        metadata: &Metadata,
        last: bool,
    ) -> Result<Option<Object>, Error> {
        let Some(Known::Lines(file)) = self.known.get_mut(&id) else {
            return Ok(None);
        };
        let most = match self.reading.in_small_pieces {
            true => SMALL_CHUNK_BYTES,
            false => CHUNK_BYTES,
        };
        let was_open = file.is_open();
        let may_stay_open = was_open || self.open < MOST_OPEN;
        let came = file.look(id, metadata, most, last, may_stay_open);
        self.open += usize::from(file.is_open() && !was_open);
        match came.map_err(|error| failed(&object.key, &error))? {
            Came::Nothing => Ok(None),
            Came::Lines(chunk) => Ok(Some(self.give(id, object, Some(chunk)))),
            Came::Anew => {
                self.known.remove(&id);
                self.of_new(id, object, metadata)
            }
        }
    }

    /// What is left of files that are not there any more under a name that is followed.
    fn of_gone(&mut self, seen: &HashSet<FileId>) -> Result<Vec<Object>, Error> {
        let gone = self.known.iter().filter_map(|(id, known)| match known {
            Known::Lines(file) if file.is_open() && !seen.contains(id) => {
                Some((*id, Arc::clone(&file.key), file.metadata()?))
            }
            _ => None,
        });
        let mut objects = Vec::new();
        for (id, key, metadata) in gone.collect::<Vec<_>>() {
            if self.given.contains_key(&key) {
                continue;
            }
            let metadata = metadata.map_err(|error| failed(&key, &error))?;
            let object = Object {
                key,
                size: None,
                modified: None,
                etag: None,
            };
            // Nobody writes to it for long: the last line may lack its end.
            objects.extend(self.of_lines(id, object, &metadata, is_settled(&metadata))?);
        }
        Ok(objects)
    }

    fn give(&mut self, id: FileId, object: Object, chunk: Option<Chunk>) -> Object {
        let length = chunk.as_ref().map(|chunk| chunk.length);
        self.given
            .insert(Arc::clone(&object.key), Given { id, chunk });
        Object {
            size: length.or(object.size),
            ..object
        }
    }
}

impl Known {
    fn is_open(&self) -> bool {
        matches!(self, Self::Lines(file) if file.is_open())
    }

    /// How far it was read; None if that is not at all.
    fn position(&self) -> Option<Position> {
        match self {
            Self::Lines(file) => Some(Position::Lines(file.position())),
            Self::Whole { modified, read } => read.then_some(Position::Whole {
                modified: *modified,
            }),
            Self::Compressed => Some(Position::Compressed),
        }
    }
}

impl Position {
    fn known(self) -> Known {
        match self {
            Self::Lines(position) => Known::Lines(LineFile::at(position)),
            Self::Whole { modified } => Known::Whole {
                modified,
                read: true,
            },
            Self::Compressed => Known::Compressed,
        }
    }
}

/// The first bytes of a file; None if it is not there any more.
fn head(key: &str) -> Result<Option<Vec<u8>>, Error> {
    let mut head = vec![0; HEAD_BYTES];
    match File::open(key).and_then(|file| read_at(&file, 0, &mut head)) {
        Ok(read) => {
            head.truncate(read);
            Ok(Some(head))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(key, &error)),
    }
}

fn is_settled(metadata: &Metadata) -> bool {
    age(metadata).is_none_or(|age| age >= SETTLED)
}

#[async_trait]
impl ObjectSource for Followed {
    fn name(&self) -> &str {
        self.files.name()
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        self.files.list()
    }

    async fn open(&self, object: &Object) -> Result<Box<dyn ObjectReader>, Error> {
        let given = self.state().given.get(&object.key).cloned();
        let Some(Given { id, chunk }) = given else {
            return self.files.open(object).await;
        };
        if let Some(chunk) = chunk.clone().filter(Chunk::is_held) {
            return Ok(chunk.reader());
        }
        let file = open_as(&object.key, id).map_err(|error| failed(&object.key, &error))?;
        Ok(match (file, chunk) {
            (Some(file), Some(chunk)) => chunk.held_by(file).reader(),
            (Some(file), None) => opened(&object.key, file),
            (None, _) => {
                self.state().left_out.push((object.key.to_string(), GONE));
                Chunk::nothing(&object.key).reader()
            }
        })
    }

    /// The first bytes of the file, not of what arrived: they say what the records are.
    async fn head(&self, object: &Object, most: usize) -> Result<Vec<u8>, Error> {
        self.files.head(object, most).await
    }
}

#[cfg(test)]
mod tests;
