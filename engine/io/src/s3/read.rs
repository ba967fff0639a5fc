//! Reading objects: small ones as a whole, large ones in parts of which some are under way.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::RequestPayer;
use loglens_engine::Error;
use loglens_engine::object::{Object, ObjectReader};

use super::connection::Connection;
use super::failure::Ask;
use crate::aws::network::Task;
use crate::aws::refusal::Refusal;

/// Bytes that one request asks for, at most.
const PART_BYTES: u64 = 8 << 20;

/// Parts of one object under way at a time: a single stream from S3 is slower than a machine's
/// network.
const PARTS_AHEAD: usize = 4;

/// How many requests reading an object of this size takes.
pub(super) fn requests(size: u64) -> u64 {
    size.div_ceil(PART_BYTES)
}

/// Bytes of one object.
#[derive(Debug, Clone)]
struct Wanted {
    bucket: String,
    key: String,
    /// The object must still be this one.
    etag: Option<String>,
    bytes: Range<u64>,
    /// All of the object: then S3 gives a checksum of it, if there is one.
    whole: bool,
    payer: Option<RequestPayer>,
}

/// Reads some bytes of an object that was listed.
pub(super) async fn range(
    connection: &Arc<Connection>,
    key: &str,
    object: &Object,
    bytes: Range<u64>,
) -> Result<Vec<u8>, Error> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let ask = Ask {
        was_listed: true,
        ..Ask::new("GetObject", key)
    };
    let wanted = Arc::new(Wanted {
        bucket: connection.bucket.clone(),
        key: key.to_owned(),
        etag: object.etag.as_deref().map(str::to_owned),
        whole: bytes.start == 0 && object.size == Some(bytes.end),
        bytes,
        payer: connection.payer(),
    });
    // What came before a connection broke is kept.
    let got = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&got);
    connection
        .ask(ask, move |client| {
            get(client, Arc::clone(&wanted), Arc::clone(&into))
        })
        .await?;
    let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
    connection.came(got.len());
    Ok(std::mem::take(&mut got))
}

/// Asks for what is not there yet of the bytes, and appends it.
async fn get(client: Client, wanted: Arc<Wanted>, got: Arc<Mutex<Vec<u8>>>) -> Result<(), Refusal> {
    let length = usize::try_from(wanted.bytes.end - wanted.bytes.start).unwrap_or(usize::MAX);
    let mut bytes = std::mem::take(&mut *got.lock().unwrap_or_else(PoisonError::into_inner));
    if wanted.whole {
        // From the beginning: the checksum is that of the whole object.
        bytes.clear();
    }
    bytes.reserve_exact(length.saturating_sub(bytes.len()));
    let before = bytes.len();
    let answer = fill(&client, &wanted, &mut bytes, length).await;
    let progress = bytes.len() > before && !wanted.whole;
    *got.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    answer.map_err(|refusal| Refusal {
        progress,
        ..refusal
    })
}

async fn fill(
    client: &Client,
    wanted: &Wanted,
    bytes: &mut Vec<u8>,
    length: usize,
) -> Result<(), Refusal> {
    let mut request = client
        .get_object()
        .bucket(&wanted.bucket)
        .key(&wanted.key)
        .set_if_match(wanted.etag.clone())
        .set_request_payer(wanted.payer.clone());
    if !wanted.whole {
        let first = wanted.bytes.start + bytes.len() as u64;
        request = request.range(format!("bytes={first}-{}", wanted.bytes.end - 1));
    }
    let mut answer = request.send().await?;
    loop {
        match answer.body.try_next().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > length => {
                bytes.clear();
                return Err(Refusal::on_the_way(
                    "the answer is longer than the object was when it was listed",
                ));
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) if bytes.len() < length => {
                return Err(Refusal::on_the_way(format!(
                    "the answer ended after {} of {length} bytes",
                    bytes.len()
                )));
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                if bytes.len() >= length {
                    // All of it came, and its checksum is another.
                    bytes.clear();
                }
                let mut words = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(found) = cause {
                    words = format!("{words}: {found}");
                    cause = found.source();
                }
                return Err(Refusal::on_the_way(words));
            }
        }
    }
}

/// Reads an object from its beginning to its end.
pub(super) struct S3Reader {
    connection: Arc<Connection>,
    key: Arc<str>,
    object: Object,
    /// Parts under way, in their order.
    parts: VecDeque<Task<Result<Vec<u8>, Error>>>,
    /// The next byte that no part was begun for.
    next: u64,
    /// The part that is given away, from `at` on.
    current: Vec<u8>,
    at: usize,
}

impl S3Reader {
    pub(super) fn new(connection: Arc<Connection>, key: &str, object: Object) -> Self {
        Self {
            connection,
            key: Arc::from(key),
            object,
            parts: VecDeque::new(),
            next: 0,
            current: Vec::new(),
            at: 0,
        }
    }

    /// The next part.
    async fn part(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let size = self.object.size.unwrap_or(0);
        if self.next == 0 && (1..=PART_BYTES).contains(&size) {
            // There is nothing to do beside it.
            self.next = size;
            let all = range(&self.connection, &self.key, &self.object, 0..size);
            return Ok(Some(all.await?));
        }
        self.begin_parts()?;
        let Some(part) = self.parts.pop_front() else {
            return Ok(None);
        };
        let part = part.done().await??;
        self.begin_parts()?;
        Ok(Some(part))
    }

    fn begin_parts(&mut self) -> Result<(), Error> {
        let size = self.object.size.unwrap_or(0);
        while self.parts.len() < PARTS_AHEAD && self.next < size {
            let bytes = self.next..size.min(self.next + PART_BYTES);
            self.next = bytes.end;
            let (connection, key) = (Arc::clone(&self.connection), Arc::clone(&self.key));
            let object = self.object.clone();
            let part = async move { range(&connection, &key, &object, bytes).await };
            self.parts.push_back(Task::start(part)?);
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectReader for S3Reader {
    async fn read(&mut self, mut buffer: Vec<u8>, room: usize) -> Result<Vec<u8>, Error> {
        if self.at == self.current.len() {
            let Some(part) = self.part().await? else {
                return Ok(buffer);
            };
            (self.current, self.at) = (part, 0);
        }
        if buffer.is_empty() && self.at == 0 && self.current.len() <= room {
            return Ok(std::mem::take(&mut self.current));
        }
        let end = self.current.len().min(self.at + room);
        buffer.extend_from_slice(&self.current[self.at..end]);
        self.at = end;
        Ok(buffer)
    }
}
