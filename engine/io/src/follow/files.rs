//! A file, a folder or a glob whose files grow, rotate and become more.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures::stream::BoxStream;
use loglens_engine::object::{Grown, Listed, Object, ObjectReader, ObjectSource, Place};
use loglens_engine::{Error, Owner};
use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};

use super::chunk::{Bytes, Chunk, read_at};
use super::{Arrived, Follower};
use crate::local::{LocalSource, failed};

/// Bytes of a file that are given at a time.
const CHUNK_BYTES: u64 = 32 << 20;

/// The same for those who look at the time it is of.
const SMALL_CHUNK_BYTES: u64 = 64 << 10;

/// First bytes that say how a file is read.
const HEAD_BYTES: usize = 64 << 10;

/// A piece of so many bytes is given although no line ends in it: records are not as long.
const LINE_BYTES: u64 = 8 << 20;

/// A file that is read as a whole has not changed for so long: whoever writes it may not be done.
const SETTLED: Duration = Duration::from_secs(1);

/// Bytes by which a file is recognised that was cut and written anew.
const TAIL_BYTES: u64 = 64;

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
    /// By device and inode: a file that is renamed is the same.
    known: HashMap<(u64, u64), Known>,
    /// What was given and not read yet, by key.
    given: HashMap<Arc<str>, Given>,
    /// What is not read, and was not told yet.
    left_out: Vec<(String, &'static str)>,
}

/// A file that was seen.
#[derive(Debug, Clone)]
struct Known {
    key: Arc<str>,
    kind: Kind,
    /// Bytes that were read.
    read: u64,
    /// The last of them: where others stand in their place, the file began anew.
    tail: Vec<u8>,
    /// Its change when it was read as a whole.
    modified: Option<SystemTime>,
}

/// How a file is read.
#[derive(Debug, Clone)]
enum Kind {
    /// Line by line, as it grows. The file stays open: it may be renamed or deleted.
    Lines(Arc<File>, Grown),
    /// As a whole.
    Whole,
    /// Not at all: it is what another file became.
    Compressed,
}

/// What was given of a file.
#[derive(Debug, Clone)]
struct Given {
    id: (u64, u64),
    /// Bytes that will have been read.
    end: u64,
    chunk: Option<Chunk>,
}

/// How far a file was read, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    device: u64,
    inode: u64,
    key: String,
    read: u64,
    tail: Vec<u8>,
    lines: bool,
    line: u64,
    header: String,
    /// Its change when it was read as a whole, in nanoseconds since 1970.
    modified: Option<u64>,
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
        // Files that were renamed away from what is followed still have their last lines.
        let mut seen = Vec::new();
        for listed in self.0.files.walk()? {
            let Listed::Object(object) = listed else {
                continue;
            };
            let metadata = match std::fs::metadata(&*object.key) {
                Ok(metadata) => metadata,
                // It was renamed or deleted just now.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(&object.key, &error)),
            };
            seen.push(id(&metadata));
            if let Some(object) = state.of_file(object, &metadata)? {
                objects.push(object);
            }
        }
        objects.extend(state.of_gone(&seen)?);
        Ok(Arrived {
            objects,
            left_out: std::mem::take(&mut state.left_out),
            ended: false,
        })
    }

    fn read(&self, object: &Object) {
        let mut state = self.0.state();
        if let Some(given) = state.given.remove(&object.key)
            && let Some(known) = state.known.get_mut(&given.id)
        {
            known.read = given.end;
            known.tail = known.bytes_before_read().unwrap_or_default();
        }
    }

    fn positions(&self) -> Option<String> {
        let state = self.0.state();
        let positions: Vec<_> = state
            .known
            .iter()
            .map(|(id, known)| known.position(*id))
            .collect();
        serde_json::to_string(&positions).ok()
    }

    fn resume(&self, positions: &str) -> Result<(), Error> {
        let positions: Vec<Position> = serde_json::from_str(positions).map_err(|error| {
            Error::new(
                Owner::Data,
                format!("the positions that were kept: {error}"),
            )
        })?;
        let mut state = self.0.state();
        state.known.clear();
        state.given.clear();
        for position in positions {
            let id = (position.device, position.inode);
            state
                .known
                .extend(position.known().map(|known| (id, known)));
        }
        Ok(())
    }
}

impl Followed {
    /// A panic elsewhere does not make the numbers wrong.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What arrived of a file that is there.
    fn of_file(&mut self, object: Object, metadata: &Metadata) -> Result<Option<Object>, Error> {
        if self.given.contains_key(&object.key) {
            return Ok(None);
        }
        let id = id(metadata);
        let known = match self.known.get(&id) {
            Some(known) if known.goes_on(metadata.len())? => known.clone(),
            _ => {
                let Some(kind) = self.kind(&object, metadata)? else {
                    return Ok(None);
                };
                if matches!(kind, Kind::Compressed) {
                    let why = "a file that was read before, compressed by rotation";
                    self.left_out.push((object.key.to_string(), why));
                }
                Known {
                    key: Arc::clone(&object.key),
                    kind,
                    read: 0,
                    tail: Vec::new(),
                    modified: None,
                }
            }
        };
        let mut known = Known {
            key: Arc::clone(&object.key),
            ..known
        };
        let given = match &known.kind {
            Kind::Lines(file, grown) => {
                self.lines(file, grown, &known, metadata.len(), self.reading.once)?
            }
            Kind::Whole if known.modified.is_none() => {
                known.modified = metadata.modified().ok();
                Some(None)
            }
            Kind::Whole if known.modified != metadata.modified().ok() => {
                known.modified = metadata.modified().ok();
                let why = "it changed after it was read as a whole; the change is not read";
                self.left_out.push((object.key.to_string(), why));
                None
            }
            Kind::Whole | Kind::Compressed => None,
        };
        self.known.insert(id, known);
        Ok(given.map(|chunk| self.give(id, object, metadata.len(), chunk)))
    }

    /// What is left of files that are not there any more under a name that is followed.
    fn of_gone(&mut self, seen: &[(u64, u64)]) -> Result<Vec<Object>, Error> {
        let gone: Vec<_> = self
            .known
            .iter()
            .filter(|(id, known)| !seen.contains(id) && !self.given.contains_key(&known.key))
            .map(|(id, known)| (*id, known.clone()))
            .collect();
        let mut objects = Vec::new();
        for (id, known) in gone {
            let Kind::Lines(file, grown) = &known.kind else {
                continue;
            };
            let metadata = file
                .metadata()
                .map_err(|error| failed(&known.key, &error))?;
            // Nobody writes to it for long: the last line may lack its end.
            let settled = is_settled(&metadata);
            let chunk = self.lines(file, grown, &known, metadata.len(), settled)?;
            match chunk {
                Some(chunk) => {
                    let object = Object {
                        key: Arc::clone(&known.key),
                        size: None,
                        modified: None,
                        etag: None,
                    };
                    objects.push(self.give(id, object, metadata.len(), chunk));
                }
                // It is read to its end, and no name leads to it: its inode may be another's soon.
                None if settled && metadata.nlink() == 0 => {
                    self.known.remove(&id);
                }
                None => {}
            }
        }
        Ok(objects)
    }

    /// The lines that came to a file; with `last`, also one without its end. The outer None is
    /// nothing.
    #[expect(
        clippy::option_option,
        reason = "what is given may be a chunk or a whole file"
    )]
    fn lines(
        &self,
        file: &Arc<File>,
        grown: &Grown,
        known: &Known,
        length: u64,
        last: bool,
    ) -> Result<Option<Option<Chunk>>, Error> {
        let most = match self.reading.in_small_pieces {
            true => SMALL_CHUNK_BYTES,
            false => CHUNK_BYTES,
        };
        let most = length.saturating_sub(known.read).min(most);
        if most == 0 {
            return Ok(None);
        }
        let whole = match last && known.read + most == length {
            true => most,
            false => {
                whole_lines(file, known.read, most).map_err(|error| failed(&known.key, &error))?
            }
        };
        Ok((whole > 0).then(|| {
            Some(Chunk {
                key: Arc::clone(&known.key),
                bytes: Bytes::File(Arc::clone(file), known.read),
                length: whole,
                grown: Arc::clone(grown),
            })
        }))
    }

    fn give(
        &mut self,
        id: (u64, u64),
        object: Object,
        length: u64,
        chunk: Option<Chunk>,
    ) -> Object {
        let read = self.known.get(&id).map_or(0, |known| known.read);
        let object = match &chunk {
            Some(chunk) => Object {
                size: Some(chunk.length),
                ..object
            },
            None => object,
        };
        let end = chunk.as_ref().map_or(length, |chunk| read + chunk.length);
        self.given
            .insert(Arc::clone(&object.key), Given { id, end, chunk });
        object
    }

    /// How a new file is read; None if that cannot be told yet.
    fn kind(&self, object: &Object, metadata: &Metadata) -> Result<Option<Kind>, Error> {
        let plain = COMPRESSED
            .iter()
            .find_map(|ending| object.key.strip_suffix(ending));
        if plain.is_some_and(|plain| self.known.values().any(|known| *known.key == *plain)) {
            return Ok(Some(Kind::Compressed));
        }
        let file = File::open(&*object.key).map_err(|error| failed(&object.key, &error))?;
        let mut head = vec![0; HEAD_BYTES];
        let read = read_at(&file, 0, &mut head).map_err(|error| failed(&object.key, &error))?;
        head.truncate(read);
        Ok(match is_lines(&head) {
            Some(true) => Some(Kind::Lines(Arc::new(file), Chunk::beginning())),
            Some(false) if self.reading.once || is_settled(metadata) => Some(Kind::Whole),
            None if self.reading.once => Some(Kind::Whole),
            _ => None,
        })
    }
}

impl Known {
    /// Whether a file of this length still begins with what was read of it.
    fn goes_on(&self, length: u64) -> Result<bool, Error> {
        if !matches!(self.kind, Kind::Lines(..)) {
            return Ok(true);
        }
        if length < self.read {
            return Ok(false);
        }
        let now = self
            .bytes_before_read()
            .map_err(|error| failed(&self.key, &error))?;
        Ok(self.tail.is_empty() || now == self.tail)
    }

    /// The last bytes that were read, as they are now.
    fn bytes_before_read(&self) -> std::io::Result<Vec<u8>> {
        let Kind::Lines(file, _) = &self.kind else {
            return Ok(Vec::new());
        };
        let from = self.read.saturating_sub(TAIL_BYTES);
        let mut tail = vec![0; (self.read - from) as usize];
        let read = read_at(file, from, &mut tail)?;
        tail.truncate(read);
        Ok(tail)
    }

    fn position(&self, (device, inode): (u64, u64)) -> Position {
        let place = match &self.kind {
            Kind::Lines(_, grown) => grown.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Kind::Whole | Kind::Compressed => Place::default(),
        };
        Position {
            device,
            inode,
            key: self.key.to_string(),
            read: self.read,
            tail: self.tail.clone(),
            lines: matches!(self.kind, Kind::Lines(..)),
            line: place.line,
            header: String::from_utf8_lossy(&place.header).into_owned(),
            modified: self.modified.filter(|_| self.read > 0).and_then(|time| {
                let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
                u64::try_from(since.as_nanos()).ok()
            }),
        }
    }
}

impl Position {
    /// The file that was read so far; None if it is not there any more.
    fn known(self) -> Option<Known> {
        let key: Arc<str> = Arc::from(self.key);
        let kind = match self.lines {
            true => {
                let file = File::open(&*key).ok()?;
                let metadata = file.metadata().ok()?;
                if id(&metadata) != (self.device, self.inode) {
                    return None;
                }
                let place = Place {
                    line: self.line,
                    offset: self.read,
                    header: self.header.into_bytes(),
                };
                Kind::Lines(Arc::new(file), Arc::new(Mutex::new(place)))
            }
            false => Kind::Whole,
        };
        Some(Known {
            key,
            modified: self
                .modified
                .map(|nanos| SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)),
            kind,
            read: self.read,
            tail: self.tail,
        })
    }
}

/// How many of the next `most` bytes are whole lines.
fn whole_lines(file: &File, from: u64, most: u64) -> std::io::Result<u64> {
    let mut end = most;
    let mut buffer = vec![0; 64 << 10];
    while end > 0 {
        let begin = end.saturating_sub(buffer.len() as u64);
        let piece = (end - begin) as usize;
        let read = read_at(file, from + begin, &mut buffer[..piece])?;
        if let Some(at) = memrchr(b'\n', &buffer[..read]) {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    // A line that is longer than all of this is rejected as it is read.
    Ok(if most >= LINE_BYTES { most } else { 0 })
}

/// Whether a file that begins so is read line by line; None if nothing is there yet.
fn is_lines(head: &[u8]) -> Option<bool> {
    let first = head.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let head = &head[first..];
    let is_text = !matches!(
        head,
        [0x1f, 0x8b, ..] | [b'B', b'Z', b'h', ..] | [0x28, 0xb5, 0x2f, 0xfd, ..]
    ) && memchr(0, head).is_none();
    if !is_text || head[0] == b'[' {
        return Some(false);
    }
    if head[0] != b'{' {
        return Some(true);
    }
    // JSON line by line has objects that end where the line does.
    let line = memchr(b'\n', head).map(|end| head[..end].trim_ascii_end());
    line.map(|line| {
        line.ends_with(b"}") && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
    })
    .or_else(|| (head.len() >= HEAD_BYTES / 2).then_some(false))
}

fn is_settled(metadata: &Metadata) -> bool {
    let modified = metadata.modified().ok();
    modified
        .and_then(|time| time.elapsed().ok())
        .is_none_or(|age| age >= SETTLED)
}

fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
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
        let chunk = self
            .state()
            .given
            .get(&object.key)
            .and_then(|given| given.chunk.clone());
        match chunk {
            Some(chunk) => Ok(chunk.reader()),
            None => self.files.open(object).await,
        }
    }

    /// The first bytes of the file, not of what arrived: they say what the records are.
    async fn head(&self, object: &Object, most: usize) -> Result<Vec<u8>, Error> {
        self.files.head(object, most).await
    }
}
