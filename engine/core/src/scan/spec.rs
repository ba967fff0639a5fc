//! What to scan, as plain data, so that another process could do it.

use std::sync::Arc;

use loglens_parsers::key::KeyFacts;
use serde::{Deserialize, Serialize};

use crate::object::Object;

/// A scan of one table: everything but the predicate, which travels as an expression beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanSpec {
    /// Table (format) name.
    pub table: String,
    /// Columns for field names beyond those of the format.
    pub unknown: Vec<String>,
    /// Columns for Hive-style key segments.
    pub hive: Vec<String>,
    /// Time zone of `event_time`.
    pub zone: Arc<str>,
    /// Field order of records that no header line describes; None is the format's own.
    pub fields: Option<Vec<String>>,
    /// The objects, in the order in which they are begun.
    pub objects: Arc<[ScanObject]>,
    /// What comes out.
    pub output: ScanOutput,
    /// Columns of the output, by index, in their order.
    pub projection: Vec<usize>,
    /// Rows after which the scan may stop.
    pub limit: Option<usize>,
    /// The first reject is an error.
    pub strict: bool,
    /// How far an object may expand: inflated bytes for each byte.
    pub max_expansion: u64,
    /// How many partitions read at the same time.
    pub partitions: usize,
}

/// An object of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanObject {
    /// Its source, by index among the engine's.
    pub source: usize,
    /// The object.
    pub object: Object,
    /// What its key says.
    pub facts: Arc<KeyFacts>,
}

/// What a scan gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScanOutput {
    /// The rows of the table.
    Rows,
    /// What did not fit, as rows of the `rejects` table.
    Rejects,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_spec_survives_serialisation() {
        let facts = KeyFacts {
            hive: vec![("year".to_owned(), "2026".to_owned())],
            ..KeyFacts::default()
        };
        let object = Object {
            key: Arc::from("a//b"),
            size: Some(7),
            modified: None,
        };
        let spec = ScanSpec {
            table: "t".to_owned(),
            unknown: vec!["new_field".to_owned()],
            hive: vec!["year".to_owned()],
            zone: Arc::from("UTC"),
            fields: Some(vec!["version".to_owned()]),
            objects: Arc::from([ScanObject {
                source: 1,
                object,
                facts: Arc::new(facts),
            }]),
            output: ScanOutput::Rejects,
            projection: vec![3, 1],
            limit: Some(10),
            strict: true,
            max_expansion: 250,
            partitions: 2,
        };
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<ScanSpec>(&text).unwrap(), spec);
    }
}
