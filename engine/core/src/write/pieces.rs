//! Files that are of one piece: all are of the table, or none.

use std::sync::Arc;

use super::files::Summary;
use super::target::Target;
use super::uploads::{NotComplete, Uploads, delete_all};
use crate::error::{Error, Owner};
use crate::journal::{Chunk, Claim, Entry, Journal, name_of_number, name_of_statement};
use crate::sink::ObjectSink;

/// What files that are written together are.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// The rows of a statement.
    Statement,
    /// Those of a chunk of a conversion, and its number.
    Chunk(u32, Chunk),
}

/// Files that are written, and not visible yet.
pub(super) struct Finished {
    pub(super) target: Target,
    pub(super) sink: Arc<dyn ObjectSink>,
    pub(super) run: u64,
    pub(super) uploads: Uploads,
    pub(super) summary: Summary,
}

impl Finished {
    /// Makes all files visible. Of several the journal of the place says that they are of one
    /// piece, until all are there.
    pub(super) async fn complete(mut self, piece: Piece) -> Result<Summary, Error> {
        if let Err(error) = self.uploads.all_sent().await {
            self.uploads.abort().await;
            return Err(error);
        }
        let keys = self.uploads.keys();
        let claim = match self.claim(&keys, piece).await {
            Ok(claim) => claim,
            Err(error) => {
                self.uploads.abort().await;
                return Err(error);
            }
        };
        if let Err(NotComplete { error, left }) = self.uploads.complete().await {
            if let Some(claim) = claim
                && left == 0
            {
                // The error that led here is the one to be told.
                let _ = claim.withdraw().await;
            }
            return Err(error);
        }
        if let Some(claim) = claim
            && !claim.commit().await?
        {
            // Whoever took the files back did so while some were not there yet.
            let _ = delete_all(&self.sink, keys).await;
            return Err(not_alone(&self.target.place));
        }
        Ok(self.summary)
    }

    /// Writes down in the journal that these files are of one piece; None where nobody need know.
    fn claim(
        &self,
        keys: &[String],
        piece: Piece,
    ) -> impl Future<Output = Result<Option<Claim>, Error>> + use<> {
        let journal = Journal::new(&self.target.place, Arc::clone(&self.sink));
        let wanted = match piece {
            Piece::Statement if keys.len() < 2 => None,
            Piece::Statement => Some((name_of_statement(self.run), None)),
            Piece::Chunk(number, mut chunk) => {
                chunk.rows = self.summary.rows as u64;
                chunk.bytes = self.summary.bytes as u64;
                Some((name_of_number(number), Some(chunk)))
            }
        };
        let wanted = wanted.map(|(name, chunk)| (name, Entry::new(journal.within(keys), chunk)));
        let place = self.target.place.clone();
        async move {
            let Some((name, entry)) = wanted else {
                return Ok(None);
            };
            match journal.claim(&name, entry).await? {
                Some(claim) => Ok(Some(claim)),
                None => Err(not_alone(&place)),
            }
        }
    }
}

/// The error for who is not alone in a place.
pub(crate) fn not_alone(place: &str) -> Error {
    Error::new(
        Owner::External,
        format!(
            "{place}: another loglens is writing there: this one has stopped, and what it was \
             writing is not kept"
        ),
    )
    .hint("run it again when the other one has ended")
}
