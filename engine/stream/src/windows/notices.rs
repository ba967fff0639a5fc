//! Notices: what closed windows say, as JSON, for people and other programs.
//!
//! Each has an id that stays the same however often it is given: after a crash it may be twice.

use std::fmt::Debug;

use async_trait::async_trait;
use loglens_engine::arrow::array::RecordBatch;
use loglens_engine::error::Error;
use serde::Serialize;
use serde_json::value::RawValue;

use super::kept::Closing;
use super::time::rfc3339;

/// Makes the JSON object of each row.
pub type RowsAsJson = fn(&RecordBatch) -> Result<Vec<String>, Error>;

/// Somewhere that notices are given to.
#[async_trait]
pub trait Notified: Debug + Send + Sync {
    /// What it is called: notices that wait for it are kept under this name.
    fn name(&self) -> &str;

    /// Gives notices, each an object of JSON on one line, in their order.
    ///
    /// # Errors
    ///
    /// Not all were given. They are given again later, all of them.
    async fn give(&self, notices: &[String]) -> Result<(), Error>;

    /// How many are given together, at most.
    fn at_once(&self) -> usize {
        usize::MAX
    }
}

/// A row of a window that closed.
#[derive(Serialize)]
struct OfRow<'a> {
    window: &'a str,
    id: String,
    revision: u32,
    row: &'a RawValue,
}

/// The notices of windows that closed: one for each row.
pub(super) fn of_rows(
    name: &str,
    closing: &Closing,
    as_json: RowsAsJson,
) -> Result<Vec<String>, Error> {
    let mut notices = Vec::new();
    for row in rows(closing, as_json)? {
        let (end, number) = (rfc3339(closing.end), notices.len());
        let revision = closing.revision;
        notices.push(line(&OfRow {
            window: name,
            id: format!("{name}/{end}/{revision}/{number}"),
            revision,
            row: &row,
        })?);
    }
    Ok(notices)
}

/// The rows of windows that closed, each as an object of JSON.
pub(super) fn rows(closing: &Closing, as_json: RowsAsJson) -> Result<Vec<Box<RawValue>>, Error> {
    let mut all = Vec::new();
    for rows in &closing.rows {
        for row in as_json(rows)? {
            all.push(RawValue::from_string(row).map_err(internal)?);
        }
    }
    Ok(all)
}

/// A notice as a line.
pub(super) fn line(notice: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(notice).map_err(internal)
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it away")]
fn internal(error: serde_json::Error) -> Error {
    Error::new(loglens_engine::Owner::Internal, error.to_string())
}
