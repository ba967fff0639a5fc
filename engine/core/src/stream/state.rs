//! The state of a stream between two arrivals, as bytes.
//!
//! It is an Arrow IPC stream: the partial rows of all windows, and in the metadata of its schema
//! what goes with them, as JSON. Another version of loglens may not know it, and says so.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::error::DataFusionError;
use serde::{Deserialize, Serialize};

use super::Stream;
use crate::error::{Error, Owner};
use crate::sql::errors;
use crate::windows::panes::Mark;

/// Counts up whenever what is kept changes.
const VERSION: u32 = 1;

/// Where in the metadata of the schema the rest is.
const KEY: &str = "loglens.stream";

/// What is kept beside the partial rows.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    /// The statement; of another one the state is of no use.
    sql: String,
    /// The greatest event time of each input.
    latest: Vec<Option<i64>>,
    watermark: i64,
    windows: Vec<Mark>,
    /// What whoever feeds the stream keeps: how far its inputs were read.
    positions: String,
}

/// The positions that were kept with a state; None if it is none.
pub fn positions_in(state: &[u8]) -> Option<String> {
    let reader = StreamReader::try_new(Cursor::new(state), None).ok()?;
    let kept: Kept = serde_json::from_str(reader.schema().metadata().get(KEY)?).ok()?;
    Some(kept.positions)
}

impl Stream {
    /// The state, to go on from later. `positions` says how far the inputs were read.
    pub fn save(&mut self, positions: &str) -> Result<Vec<u8>, Error> {
        let sql = Arc::clone(&self.sql);
        self.try_save(positions)
            .map_err(|error| errors::explain(&error, &sql))
    }

    fn try_save(&mut self, positions: &str) -> Result<Vec<u8>, DataFusionError> {
        let (rows, windows, schema) = match &mut self.window {
            Some(window) => {
                let schema = Arc::clone(&window.aggregation.partial_schema);
                (window.open.partial_rows()?, window.open.marks(), schema)
            }
            None => (Vec::new(), Vec::new(), Arc::new(Schema::empty())),
        };
        let kept = Kept {
            version: VERSION,
            sql: self.sql.to_string(),
            latest: self.watermarks.latest(),
            watermark: self.watermarks.passed(),
            windows,
            positions: positions.to_owned(),
        };
        let kept = serde_json::to_string(&kept)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let metadata = HashMap::from([(KEY.to_owned(), kept)]);
        let schema = schema.as_ref().clone().with_metadata(metadata);
        let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
        for rows in rows {
            writer.write(&rows)?;
        }
        Ok(writer.into_inner()?)
    }

    /// Goes on from a state; gives the positions that were kept with it. An error if it is of
    /// another statement, or of another version.
    pub fn restore(&mut self, state: &[u8]) -> Result<String, Error> {
        let unusable = |why: String| {
            Error::new(Owner::Data, format!("the state cannot be used: {why}"))
                .hint("name another folder with --state, or delete this one to begin anew")
        };
        let damaged = |error: ArrowError| unusable(error.to_string());
        let reader = StreamReader::try_new(Cursor::new(state), None).map_err(damaged)?;
        let kept = reader
            .schema()
            .metadata()
            .get(KEY)
            .cloned()
            .unwrap_or_default();
        let kept: Kept =
            serde_json::from_str(&kept).map_err(|error| unusable(error.to_string()))?;
        if kept.version != VERSION {
            return Err(unusable(format!(
                "it is of version {}, this is {VERSION}",
                kept.version
            )));
        }
        if *kept.sql != *self.sql {
            return Err(unusable(format!(
                "it is of another statement: {}",
                kept.sql
            )));
        }
        let inputs = self.watermarks.inputs();
        if kept.latest.len() != inputs {
            return Err(unusable(format!(
                "it is of {} inputs, and there are {inputs}",
                kept.latest.len(),
            )));
        }
        self.watermarks.resume(&kept.latest, kept.watermark);
        if let Some(window) = &mut self.window {
            let expected = &window.aggregation.partial_schema;
            if reader.schema().fields() != expected.fields() {
                return Err(unusable("its columns are others".to_owned()));
            }
            let rows: Vec<RecordBatch> = reader
                .map(|rows| RecordBatch::try_new(Arc::clone(expected), rows?.columns().to_vec()))
                .collect::<Result<_, _>>()
                .map_err(damaged)?;
            let done = kept.watermark.saturating_sub(self.lateness);
            let resumed = window.open.resume(&rows, &kept.windows, done);
            resumed.map_err(|error| errors::explain(&error, &self.sql))?;
            window.open_from(done);
        }
        Ok(kept.positions)
    }
}
