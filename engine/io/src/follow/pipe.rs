//! Standard input, as it comes.

use std::io::Read;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use loglens_engine::object::{Grown, Listed, Object, ObjectReader, ObjectSource};
use loglens_engine::{Error, Owner};
use memchr::memrchr;

use super::chunk::{Bytes, Chunk};
use super::{Arrived, Follower};

const KEY: &str = "-";

/// Bytes that are read at a time.
const READ_BYTES: usize = 256 << 10;

/// Reads that wait to be taken, at most: then whoever writes waits.
const AHEAD: usize = 64;

/// Bytes that are given at a time.
const CHUNK_BYTES: usize = 16 << 20;

/// First bytes that are kept: they say what the records are.
const HEAD_BYTES: usize = 64 << 10;

/// Follows standard input: whole lines are given as they come.
#[derive(Debug)]
pub struct FollowedPipe(Arc<Pipe>);

#[derive(Debug)]
struct Pipe {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    reads: Receiver<std::io::Result<Vec<u8>>>,
    head: Vec<u8>,
    /// What came and was not given yet.
    buffer: Vec<u8>,
    ended: bool,
    given: Option<Chunk>,
    grown: Grown,
}

impl FollowedPipe {
    /// Begins to read standard input.
    pub fn stdin() -> Self {
        Self::new(std::io::stdin())
    }

    fn new(mut input: impl Read + Send + 'static) -> Self {
        let (send, reads) = mpsc::sync_channel(AHEAD);
        // Reading a terminal or a pipe cannot be ended from outside: the thread ends with the process.
        std::thread::spawn(move || {
            loop {
                let mut bytes = vec![0; READ_BYTES];
                let read = input.read(&mut bytes).map(|read| {
                    bytes.truncate(read);
                    bytes
                });
                let is_last = !matches!(&read, Ok(bytes) if !bytes.is_empty());
                if send.send(read).is_err() || is_last {
                    return;
                }
            }
        });
        Self(Arc::new(Pipe {
            state: Mutex::new(State {
                reads,
                head: Vec::new(),
                buffer: Vec::new(),
                ended: false,
                given: None,
                grown: Grown::default(),
            }),
        }))
    }
}

impl Follower for FollowedPipe {
    fn source(&self) -> Arc<dyn ObjectSource> {
        Arc::clone(&self.0) as Arc<dyn ObjectSource>
    }

    fn arrived(&self) -> Result<Arrived, Error> {
        let mut state = self.0.state();
        if state.given.is_some() {
            return Ok(Arrived::default());
        }
        state.take_in()?;
        let whole = match memrchr(b'\n', &state.buffer) {
            _ if state.ended => state.buffer.len(),
            Some(at) => at + 1,
            None if state.buffer.len() >= CHUNK_BYTES => state.buffer.len(),
            None => 0,
        };
        if whole == 0 {
            return Ok(Arrived {
                ended: state.ended,
                ..Arrived::default()
            });
        }
        let rest = state.buffer.split_off(whole);
        let bytes = std::mem::replace(&mut state.buffer, rest);
        let chunk = Chunk {
            key: Arc::from(KEY),
            length: bytes.len() as u64,
            bytes: Bytes::Memory(bytes.into()),
            grown: Arc::clone(&state.grown),
        };
        let object = object(Some(chunk.length));
        state.given = Some(chunk);
        Ok(Arrived {
            objects: vec![object],
            ..Arrived::default()
        })
    }

    fn read(&self, _: &Object) {
        self.0.state().given = None;
    }

    fn positions(&self) -> Option<String> {
        None
    }

    fn resume(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }
}

fn object(size: Option<u64>) -> Object {
    Object {
        key: Arc::from(KEY),
        size,
        modified: None,
        etag: None,
    }
}

impl Pipe {
    /// A panic elsewhere does not make the numbers wrong.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes in what was read by now.
    fn take_in(&mut self) -> Result<(), Error> {
        while !self.ended && self.buffer.len() < CHUNK_BYTES {
            match self.reads.try_recv() {
                Ok(Ok(bytes)) if bytes.is_empty() => self.ended = true,
                Ok(Ok(bytes)) => {
                    let more = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
                    self.head.extend_from_slice(&bytes[..more]);
                    self.buffer.extend_from_slice(&bytes);
                }
                Ok(Err(error)) => {
                    let message = format!("standard input: {error}");
                    return Err(Error::new(Owner::External, message));
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => self.ended = true,
            }
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectSource for Pipe {
    fn name(&self) -> &'static str {
        "standard input"
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        let length = self.state().head.len() as u64;
        let object = object(Some(length));
        stream::once(async { Ok(Listed::Object(object)) }).boxed()
    }

    async fn open(&self, _: &Object) -> Result<Box<dyn ObjectReader>, Error> {
        match &self.state().given {
            Some(chunk) => Ok(chunk.clone().reader()),
            None => Err(Error::new(
                Owner::Internal,
                "nothing of standard input was given",
            )),
        }
    }

    async fn head(&self, _: &Object, most: usize) -> Result<Vec<u8>, Error> {
        let state = self.state();
        Ok(state.head[..state.head.len().min(most)].to_vec())
    }
}
