//! Writing the objects of a claim.

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesOrdered, StreamExt};
use loglens_engine::error::Error;
use loglens_engine::sink::{Condition, Written};

use super::maker::MadeObject;
use crate::application::Place;
use crate::shard_log::Output;

/// Objects under way at a time: a small one takes a request of some 30 ms.
const AT_ONCE: usize = 32;

/// Bytes under way at a time, if they are of several objects.
const BYTES_AT_ONCE: usize = 64 << 20;

/// Objects that are written side by side.
pub(super) struct Uploads<'a> {
    lake: &'a Place,
    under_way: FuturesOrdered<BoxFuture<'a, Result<Sent, Error>>>,
    bytes: usize,
    outputs: Vec<Output>,
}

struct Sent {
    bytes: usize,
    output: Output,
}

impl<'a> Uploads<'a> {
    pub(super) fn new(lake: &'a Place) -> Self {
        Self {
            lake,
            under_way: FuturesOrdered::new(),
            bytes: 0,
            outputs: Vec::new(),
        }
    }

    /// Begins to write an object, once there is room for it.
    pub(super) async fn add(&mut self, name: String, made: MadeObject) -> Result<(), Error> {
        let bytes = made.bytes.len();
        while !self.under_way.is_empty()
            && (self.under_way.len() >= AT_ONCE || self.bytes + bytes > BYTES_AT_ONCE)
        {
            self.next().await?;
        }
        self.bytes += bytes;
        self.under_way
            .push_back(send(self.lake, name, made).boxed());
        Ok(())
    }

    /// Waits until all are there, and gives them in the order in which they were added.
    pub(super) async fn finish(mut self) -> Result<Vec<Output>, Error> {
        while !self.under_way.is_empty() {
            self.next().await?;
        }
        Ok(self.outputs)
    }

    async fn next(&mut self) -> Result<(), Error> {
        if let Some(sent) = self.under_way.next().await {
            let Sent { bytes, output } = sent?;
            self.bytes -= bytes;
            self.outputs.push(output);
        }
        Ok(())
    }
}

/// Writes an object if there is none of its name. One that is there is of an earlier try at the same
/// claim, and holds the same rows.
async fn send(lake: &Place, name: String, made: MadeObject) -> Result<Sent, Error> {
    let bytes = made.bytes.len();
    let key = lake.key(&name);
    let written = lake.sink.put(&key, made.bytes, Condition::Absent).await?;
    let is_ours = written != Written::Refused;
    let output = Output {
        name,
        rows: made.rows,
        bytes: is_ours.then_some(bytes as u64),
    };
    Ok(Sent { bytes, output })
}
