//! The files of a table on their way: sent side by side, made visible together, or taken back.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::{JoinError, JoinSet};

use crate::error::{Error, Owner};
use crate::sink::{Condition, ObjectSink, Upload, Written};

/// Files that are under way side by side. A store far away answers after some 30 ms, and small
/// files are two requests each and one more to become visible.
const AT_ONCE: usize = 64;

/// Bytes of files that are under way.
const BYTES_AT_ONCE: usize = 64 << 20;

/// The files of a statement. Nobody sees one before [`Uploads::complete`].
pub(super) struct Uploads {
    sink: Arc<dyn ObjectSink>,
    sending: JoinSet<Result<Sent, Error>>,
    /// Bytes of those that are being sent.
    bytes: usize,
    sent: Vec<Sent>,
}

/// Why files are not visible.
#[derive(Debug)]
pub(super) struct NotComplete {
    pub(super) error: Error,
    /// How many are nevertheless.
    pub(super) left: usize,
}

/// A file that has all of its bytes and is not visible yet.
struct Sent {
    key: String,
    upload: Box<dyn Upload>,
    /// Bytes of its last part.
    bytes: usize,
}

impl Uploads {
    pub(super) fn new(sink: Arc<dyn ObjectSink>) -> Self {
        Self {
            sink,
            sending: JoinSet::new(),
            bytes: 0,
            sent: Vec::new(),
        }
    }

    /// Begins a file that is too large to be kept until its end.
    pub(super) async fn begin(&mut self, key: &str) -> Result<Box<dyn Upload>, Error> {
        self.sink.begin(key).await
    }

    /// Sends the last bytes of a file, or all of them if it was not begun, in the background; waits
    /// if too much is under way.
    pub(super) async fn end(
        &mut self,
        key: String,
        begun: Option<Box<dyn Upload>>,
        last: Bytes,
    ) -> Result<(), Error> {
        self.bytes += last.len();
        let sink = Arc::clone(&self.sink);
        self.sending.spawn(send(sink, key, begun, last));
        while self.sending.len() >= AT_ONCE || self.bytes > BYTES_AT_ONCE {
            self.one_sent().await?;
        }
        Ok(())
    }

    /// Waits for one of those that are being sent; false if there is none.
    async fn one_sent(&mut self) -> Result<bool, Error> {
        let Some(done) = self.sending.join_next().await else {
            return Ok(false);
        };
        let sent = done.unwrap_or_else(|error| Err(ended(&error)))?;
        self.bytes -= sent.bytes;
        self.sent.push(sent);
        Ok(true)
    }

    /// Waits until every file has all of its bytes.
    pub(super) async fn all_sent(&mut self) -> Result<(), Error> {
        while self.one_sent().await? {}
        Ok(())
    }

    /// The keys of the files that were sent.
    pub(super) fn keys(&self) -> Vec<String> {
        self.sent.iter().map(|sent| sent.key.clone()).collect()
    }

    /// Makes all files that were sent visible. After an error none is, but for those that it counts.
    pub(super) async fn complete(mut self) -> Result<(), NotComplete> {
        let mut tried = Vec::new();
        let Err(error) = self.complete_all(&mut tried).await else {
            return Ok(());
        };
        let left = delete_all(&self.sink, tried).await;
        self.abort().await;
        Err(NotComplete {
            error: match left.first() {
                Some((key, _)) => error.hint(format!(
                    "{} of the files could not be deleted again, such as {key}",
                    left.len()
                )),
                None => error,
            },
            left: left.len(),
        })
    }

    /// Makes files visible until one fails; those that may be are in `tried`.
    async fn complete_all(&mut self, tried: &mut Vec<String>) -> Result<(), Error> {
        let mut result = Ok(());
        let mut completing = JoinSet::new();
        loop {
            while result.is_ok()
                && completing.len() < AT_ONCE
                && let Some(sent) = self.sent.pop()
            {
                completing.spawn(sent.complete());
            }
            let Some(done) = completing.join_next().await else {
                return result;
            };
            result = result.and(match done {
                Ok((key, Ok(Written::Refused))) => Err(in_the_way(&key)),
                Ok((key, done)) => {
                    // After an error too: it may be only the answer that was lost.
                    tried.push(key);
                    done.map(|_| ())
                }
                Err(error) => Err(ended(&error)),
            });
        }
    }

    /// Takes back what was sent and what is being sent. What fails here leaves parts that nobody
    /// sees: the error that led here is the one to be told.
    pub(super) async fn abort(mut self) {
        // A file that is being begun has no name yet to abort it by: it is waited for.
        while !matches!(self.one_sent().await, Ok(false)) {}
        let work = self.sent.into_iter().map(|sent| sent.upload.abort());
        let _ = side_by_side(work).await;
    }
}

impl Sent {
    /// Its key, and what became of it.
    async fn complete(self) -> (String, Result<Written, Error>) {
        (self.key, self.upload.complete(Condition::Absent).await)
    }
}

/// Deletes files; gives those that could not be, and why.
pub(crate) async fn delete_all(
    sink: &Arc<dyn ObjectSink>,
    keys: Vec<String>,
) -> Vec<(String, Error)> {
    let work = keys.into_iter().map(|key| {
        let sink = Arc::clone(sink);
        async move {
            let deleted = sink.delete(&key).await;
            deleted.err().map(|error| (key, error))
        }
    });
    side_by_side(work).await.into_iter().flatten().collect()
}

async fn send(
    sink: Arc<dyn ObjectSink>,
    key: String,
    begun: Option<Box<dyn Upload>>,
    last: Bytes,
) -> Result<Sent, Error> {
    let bytes = last.len();
    let mut upload = match begun {
        Some(upload) => upload,
        None => sink.begin(&key).await?,
    };
    match upload.part(last).await {
        Ok(()) => Ok(Sent { key, upload, bytes }),
        Err(error) => {
            // The error that led here is the one to be told.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

/// Does all of it, some side by side.
async fn side_by_side<F>(work: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut done = Vec::new();
    for piece in work {
        if tasks.len() >= AT_ONCE
            && let Some(Ok(one)) = tasks.join_next().await
        {
            done.push(one);
        }
        tasks.spawn(piece);
    }
    while let Some(one) = tasks.join_next().await {
        done.extend(one);
    }
    done
}

fn ended(error: &JoinError) -> Error {
    Error::new(Owner::Internal, format!("writing a file: {error}"))
}

fn in_the_way(key: &str) -> Error {
    Error::new(
        Owner::External,
        format!("{key}: something else has just written a file of this name"),
    )
    .hint("nothing was replaced; write to a place of its own")
}
