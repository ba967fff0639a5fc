//! A file of lines that is read as it grows.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use loglens_engine::object::{Grown, Place};
use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};

use super::chunk::{Bytes, Chunk, read_at};

/// A piece of so many bytes is given although no line ends in it: records are not as long.
const LINE_BYTES: u64 = 8 << 20;

/// Bytes by which a file is recognised that was cut and written anew.
const TAIL_BYTES: u64 = 64;

/// A file stays open so long after its last change: whoever writes it may rename or delete it.
const STAYS_OPEN: Duration = Duration::from_secs(300);

/// What a file is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
    /// When it was made, in nanoseconds since 1970, where the file system says so: numbers of
    /// deleted files are used again.
    created: u64,
}

impl FileId {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            created: metadata.created().ok().map_or(0, nanos),
        }
    }
}

/// A file of lines, and how far it was read.
#[derive(Debug, Clone)]
pub(super) struct LineFile {
    pub(super) key: Arc<str>,
    /// Open as long as it is written to.
    file: Option<Arc<File>>,
    /// Bytes that were read.
    pub(super) read: u64,
    /// The last of them: where others stand in their place, the file began anew.
    tail: Vec<u8>,
    /// The place behind them.
    grown: Grown,
    /// Its length and change when nothing had come.
    nothing_at: Option<(u64, u64)>,
}

/// How far a file of lines was read, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LinePosition {
    key: String,
    read: u64,
    tail: Vec<u8>,
    line: u64,
    header: String,
}

/// What came to a file.
pub(super) enum Came {
    Nothing,
    Lines(Chunk),
    /// It was cut or written anew: what was read of it is not its beginning any more.
    Anew,
}

impl LineFile {
    /// A file of which nothing was read.
    pub(super) fn new(key: Arc<str>) -> Self {
        Self {
            key,
            file: None,
            read: 0,
            tail: Vec::new(),
            grown: Grown::default(),
            nothing_at: None,
        }
    }

    /// A file that was read so far.
    pub(super) fn at(position: LinePosition) -> Self {
        let place = Place {
            line: position.line,
            offset: position.read,
            header: position.header.into_bytes(),
        };
        Self {
            read: position.read,
            tail: position.tail,
            grown: Arc::new(Mutex::new(place)),
            ..Self::new(Arc::from(position.key))
        }
    }

    /// How far it was read.
    pub(super) fn position(&self) -> LinePosition {
        let place = self.grown.lock().unwrap_or_else(PoisonError::into_inner);
        LinePosition {
            key: self.key.to_string(),
            read: self.read,
            tail: self.tail.clone(),
            line: place.line,
            header: String::from_utf8_lossy(&place.header).into_owned(),
        }
    }

    /// Whether it is held open.
    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// What it is now, if it is held open: it may have no name any more.
    pub(super) fn metadata(&self) -> Option<io::Result<Metadata>> {
        self.file.as_ref().map(|file| file.metadata())
    }

    /// What came since it was read, `most` bytes of it; with `last`, also a line without its end.
    /// `may_stay_open` lets it be held open for whoever comes after.
    pub(super) fn look(
        &mut self,
        id: FileId,
        metadata: &Metadata,
        most: u64,
        last: bool,
        may_stay_open: bool,
    ) -> io::Result<Came> {
        let now = (metadata.len(), metadata.modified().map_or(0, nanos));
        let is_old = age(metadata).is_none_or(|age| age >= STAYS_OPEN);
        if self.nothing_at == Some(now) && !last {
            if is_old {
                self.file = None;
            }
            return Ok(Came::Nothing);
        }
        let Some(file) = self.open(id)? else {
            return Ok(Came::Nothing);
        };
        if metadata.len() < self.read || bytes_before(&file, self.read)? != self.tail {
            return Ok(Came::Anew);
        }
        let most = (metadata.len() - self.read).min(most);
        let whole = match last && self.read + most == metadata.len() {
            true => most,
            false => whole_lines(&file, self.read, most)?,
        };
        self.file = (may_stay_open && !is_old).then_some(file);
        if whole == 0 {
            self.nothing_at = Some(now);
            return Ok(Came::Nothing);
        }
        self.nothing_at = None;
        Ok(Came::Lines(Chunk {
            key: Arc::clone(&self.key),
            bytes: Bytes::File(self.file.clone(), self.read),
            length: whole,
            grown: Arc::clone(&self.grown),
        }))
    }

    /// Takes down how far it was read.
    pub(super) fn read_to(&mut self, id: FileId, end: u64) {
        self.read = end;
        // Without it the next look takes the file for another, which is read from its beginning.
        let file = self.open(id).ok().flatten();
        let tail = file.and_then(|file| bytes_before(&file, end).ok());
        self.tail = tail.unwrap_or_default();
    }

    /// The file; None if it is not there any more.
    fn open(&self, id: FileId) -> io::Result<Option<Arc<File>>> {
        match &self.file {
            Some(file) => Ok(Some(Arc::clone(file))),
            None => Ok(open_as(&self.key, id)?.map(Arc::new)),
        }
    }
}

/// Opens a file by its name; None if it is gone, or another has its name now.
pub(super) fn open_as(key: &str, id: FileId) -> io::Result<Option<File>> {
    match File::open(key) {
        Ok(file) => Ok((FileId::of(&file.metadata()?) == id).then_some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The last bytes before an offset.
fn bytes_before(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let from = offset.saturating_sub(TAIL_BYTES);
    let mut tail = vec![0; (offset - from) as usize];
    let read = read_at(file, from, &mut tail)?;
    tail.truncate(read);
    Ok(tail)
}

/// How many of the next `most` bytes are whole lines.
fn whole_lines(file: &File, from: u64, most: u64) -> io::Result<u64> {
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

/// Whether a file that begins so is read line by line; None if that cannot be told yet. `enough` says
/// that more of it would say no more.
pub(super) fn is_lines(head: &[u8], enough: bool) -> Option<bool> {
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
    let is_object = |line: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    line.map(|line| line.ends_with(b"}") && is_object(line))
        .or_else(|| enough.then_some(false))
}

/// How long ago a file changed.
pub(super) fn age(metadata: &Metadata) -> Option<Duration> {
    metadata.modified().ok()?.elapsed().ok()
}

/// Nanoseconds since 1970.
pub(super) fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}
