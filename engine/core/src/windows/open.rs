//! Windows that are not done yet, of either kind.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result;

use super::aggregation::Aggregation;
use super::panes::{Closed, Mark, Panes};
use super::sessions::Sessions;
use super::spec::{Hop, Windows};

/// Windows that are not done yet.
pub(crate) enum OpenWindows {
    Panes(Box<Panes>),
    Sessions(Sessions),
}

impl OpenWindows {
    pub(crate) fn new(aggregation: Arc<Aggregation>) -> Result<Self> {
        Ok(match aggregation.windows {
            Windows::Hop { slide, size } => {
                Self::Panes(Box::new(Panes::new(aggregation, Hop::new(slide, size))?))
            }
            Windows::Session { gap } => Self::Sessions(Sessions::new(aggregation, gap)?),
        })
    }

    /// Takes in partial rows, which are in the order of their panes.
    pub(crate) fn insert(&mut self, rows: &RecordBatch) -> Result<()> {
        match self {
            Self::Panes(panes) => panes.insert(rows),
            Self::Sessions(sessions) => sessions.insert(rows),
        }
    }

    /// The rows of the next windows that end at a time or before and have some that were not given;
    /// None if there are none.
    pub(crate) fn close(&mut self, watermark: i64) -> Result<Option<Closed>> {
        match self {
            Self::Panes(panes) => panes.close(watermark),
            Self::Sessions(sessions) => sessions.close(watermark),
        }
    }

    /// Forgets windows that end at a time or before: they are not given again.
    pub(crate) fn forget(&mut self, done: i64) -> Result<()> {
        match self {
            Self::Panes(panes) => panes.forget(done),
            Self::Sessions(sessions) => sessions.forget(done),
        }
    }

    /// All partial rows that are held.
    pub(crate) fn partial_rows(&mut self) -> Result<Vec<RecordBatch>> {
        match self {
            Self::Panes(panes) => panes.partial_rows(),
            Self::Sessions(sessions) => sessions.partial_rows(),
        }
    }

    /// What is kept of windows beside the partial rows.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        match self {
            Self::Panes(panes) => panes.marks(),
            Self::Sessions(sessions) => sessions.marks(),
        }
    }

    /// Goes on with what was kept. Windows that end at `done` or before are not given again.
    pub(crate) fn resume(&mut self, rows: &[RecordBatch], marks: &[Mark], done: i64) -> Result<()> {
        match self {
            Self::Panes(panes) => {
                for rows in rows {
                    panes.insert(rows)?;
                }
                panes.resume(marks, done);
                Ok(())
            }
            Self::Sessions(sessions) => sessions.resume(rows, marks),
        }
    }

    /// Bytes that are held.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Panes(panes) => panes.size(),
            Self::Sessions(sessions) => sessions.size(),
        }
    }
}
