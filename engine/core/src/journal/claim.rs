//! An entry that its writer has not decided yet.

use std::sync::Arc;

use super::known;
use super::{Entry, State};
use crate::error::Error;
use crate::sink::{Condition, ObjectSink, Written};

/// An entry that its writer has not decided yet.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(super) sink: Arc<dyn ObjectSink>,
    pub(super) key: String,
    pub(super) etag: String,
    pub(super) entry: Entry,
}

impl Claim {
    /// The files are there, and of the table; false if somebody has taken them back meanwhile.
    pub(crate) async fn commit(mut self) -> Result<bool, Error> {
        if self.entry.state == State::Claimed && !self.decide(State::Committed).await? {
            return Ok(false);
        }
        self.end().await?;
        Ok(true)
    }

    /// The files are not there: they could not be completed, and were deleted.
    pub(crate) async fn withdraw(mut self) -> Result<(), Error> {
        if self.decide(State::TakenBack).await? {
            self.end().await?;
        }
        Ok(())
    }

    async fn decide(&mut self, state: State) -> Result<bool, Error> {
        self.entry.state = state;
        let condition = Condition::Matches(self.etag.clone());
        let put = self.sink.put(&self.key, self.entry.bytes()?, condition);
        Ok(match put.await? {
            Written::Done { etag } => {
                self.etag = known(&self.key, etag)?;
                true
            }
            Written::Refused => false,
        })
    }

    /// The entry of a statement is not needed any more.
    async fn end(&self) -> Result<(), Error> {
        match self.entry.chunk {
            Some(_) => Ok(()),
            None => self.sink.delete(&self.key).await,
        }
    }
}
