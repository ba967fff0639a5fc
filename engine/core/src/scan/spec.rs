//! What to scan, as plain data, so that another process could do it.

use std::cmp::Reverse;
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
    /// What was found at a source that is listed for each statement; None elsewhere.
    pub listing: Option<Listing>,
    /// How the objects are ordered.
    pub order: ObjectOrder,
    /// What comes out.
    pub output: ScanOutput,
    /// Columns of the output, by index, in their order.
    pub projection: Vec<usize>,
    /// What the output calls them, if it does not call them as the log table does.
    pub names: Option<Vec<String>>,
    /// Rows after which the scan may stop.
    pub limit: Option<usize>,
    /// The first reject is an error.
    pub strict: bool,
    /// How far an object may expand: inflated bytes for each byte.
    pub max_expansion: u64,
    /// How many partitions read at the same time.
    pub partitions: usize,
}

impl ScanSpec {
    /// The same with the objects in another order. Those whose names have no time come first,
    /// since their events can have any.
    pub(crate) fn ordered(&self, order: ObjectOrder) -> Self {
        let mut objects = self.objects.to_vec();
        match order {
            ObjectOrder::AsListed => {}
            ObjectOrder::OldestFirst => objects.sort_by_key(|object| object.facts.time),
            ObjectOrder::NewestFirst => objects.sort_by_key(|object| {
                let time = object.facts.time;
                (time.is_some(), Reverse(time))
            }),
        }
        Self {
            objects: objects.into(),
            order,
            ..self.clone()
        }
    }
}

/// What was found for a scan, of which its objects are what the predicate leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Listing {
    /// Objects of the table.
    pub found: usize,
    /// Logs that have a folder for each day.
    pub logs: usize,
    /// Those of them that may hold what is wanted.
    pub wanted_logs: usize,
    /// Folders of days, or of months that are wanted as a whole, that were listed in those.
    pub folders: usize,
}

/// How the objects of a scan are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ObjectOrder {
    /// As they were found.
    #[default]
    AsListed,
    /// By the times in their names, the newest first.
    NewestFirst,
    /// By the times in their names, the oldest first.
    OldestFirst,
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
impl ScanSpec {
    /// A scan of all records of these objects, for tests.
    pub(super) fn of(objects: impl Into<Arc<[ScanObject]>>) -> Self {
        Self {
            table: String::new(),
            unknown: Vec::new(),
            hive: Vec::new(),
            zone: Arc::from("UTC"),
            fields: None,
            objects: objects.into(),
            listing: None,
            order: ObjectOrder::AsListed,
            output: ScanOutput::Rows,
            projection: Vec::new(),
            names: None,
            limit: None,
            strict: false,
            max_expansion: 250,
            partitions: 2,
        }
    }
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
            etag: None,
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
            listing: Some(Listing {
                found: 3,
                ..Listing::default()
            }),
            order: ObjectOrder::NewestFirst,
            output: ScanOutput::Rejects,
            projection: vec![3, 1],
            names: Some(vec!["a".to_owned(), "b".to_owned()]),
            limit: Some(10),
            strict: true,
            max_expansion: 250,
            partitions: 2,
        };
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<ScanSpec>(&text).unwrap(), spec);
    }

    #[test]
    fn objects_by_the_times_of_their_names() {
        let object = |key: &str, time| ScanObject {
            source: 0,
            object: Object {
                key: Arc::from(key),
                size: None,
                modified: None,
                etag: None,
            },
            facts: Arc::new(KeyFacts {
                time,
                ..KeyFacts::default()
            }),
        };
        let objects = [
            ("b", Some(2)),
            ("none", None),
            ("c", Some(3)),
            ("a", Some(1)),
        ];
        let spec = ScanSpec::of(objects.map(|(key, time)| object(key, time)));
        let keys = |order| {
            let ordered = spec.ordered(order);
            let keys = ordered
                .objects
                .iter()
                .map(|object| object.object.key.to_string());
            keys.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys(ObjectOrder::NewestFirst), "none c b a");
        assert_eq!(keys(ObjectOrder::OldestFirst), "none a b c");
    }
}
