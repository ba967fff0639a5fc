//! Standard input as one object.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use loglens_engine::object::{Listed, Object, ObjectReader, ObjectSource};
use loglens_engine::{Error, Owner};

/// The key of standard input.
const KEY: &str = "-";

/// First bytes that are kept, so that the format can be told before the scan reads them again.
const KEPT_BYTES: usize = 64 << 10;

/// Standard input. Its first bytes can be read several times, the rest once.
#[derive(Debug, Default)]
pub struct StdinSource {
    input: Arc<Mutex<Input>>,
}

#[derive(Debug, Default)]
struct Input {
    /// The first bytes.
    kept: Vec<u8>,
    /// Bytes after them were given away.
    spent: bool,
}

impl StdinSource {
    /// Standard input, not touched yet.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl ObjectSource for StdinSource {
    fn name(&self) -> &'static str {
        "standard input"
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        let object = Object {
            key: Arc::from(KEY),
            size: None,
            modified: None,
            etag: None,
        };
        stream::once(async { Ok(Listed::Object(object)) }).boxed()
    }

    async fn open(&self, _: &Object) -> Result<Box<dyn ObjectReader>, Error> {
        if lock(&self.input).spent {
            return Err(
                Error::new(Owner::Usage, "standard input can be read once, and it was")
                    .hint("save it to a file and name that: loglens query \"SELECT ...\" FILE"),
            );
        }
        Ok(Box::new(StdinReader {
            input: Arc::clone(&self.input),
            at: 0,
        }))
    }
}

struct StdinReader {
    input: Arc<Mutex<Input>>,
    at: usize,
}

#[async_trait]
impl ObjectReader for StdinReader {
    async fn read(&mut self, mut buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        let (input, at) = (Arc::clone(&self.input), self.at);
        let before = buffer.len();
        let read = move || read(&mut lock(&input), at, &mut buffer, room).map(|()| buffer);
        let result = tokio::task::spawn_blocking(read)
            .await
            .map_err(io::Error::other)
            .flatten();
        let buffer = result
            .map_err(|error| Error::new(Owner::External, format!("standard input: {error}")))?;
        self.at += buffer.len() - before;
        Ok(buffer)
    }
}

/// Appends up to `room` bytes from position `at`.
fn read(input: &mut Input, at: usize, buffer: &mut Vec<u8>, room: usize) -> io::Result<()> {
    if let Some(kept) = input.kept.get(at..).filter(|kept| !kept.is_empty()) {
        buffer.extend_from_slice(&kept[..kept.len().min(room)]);
        return Ok(());
    }
    let before = buffer.len();
    buffer.resize(before + room, 0);
    // One read: a pipe that trickles gives what it has.
    let result = io::stdin().lock().read(&mut buffer[before..]);
    buffer.truncate(before + *result.as_ref().unwrap_or(&0));
    result?;
    let read = &buffer[before..];
    if !input.spent && input.kept.len() + read.len() <= KEPT_BYTES {
        input.kept.extend_from_slice(read);
    } else if !read.is_empty() {
        input.spent = true;
    }
    Ok(())
}

fn lock(input: &Mutex<Input>) -> MutexGuard<'_, Input> {
    input.lock().unwrap_or_else(PoisonError::into_inner)
}
