//! The records of a cut.

use loglens_engine::shard::{Position, Sequence, Start};
use serde::{Deserialize, Serialize};

/// Which records a cut holds, by where it begins and where it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutRange {
    /// Where the cut before it ended, or where the shard began to be read. Of a record that holds
    /// several it may be in the middle, if another consumer was here before.
    pub after: Start,
    /// Its records; None if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Records>,
}

/// Whole records that follow on one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// The first of them. Where reading began at the latest record or at a time, nothing else says
    /// later where that was.
    pub first: Sequence,
    /// The last of them.
    pub last: Sequence,
    /// How many they are.
    pub count: u64,
}

impl CutRange {
    /// One without records, from a place on.
    pub fn new(after: Start) -> Self {
        Self {
            after,
            records: None,
        }
    }

    /// Whether a record comes after all that are in the range: sources deliver some twice.
    fn is_next(&self, record: &Sequence) -> bool {
        match (&self.records, &self.after) {
            (Some(records), _) => *record > records.last,
            (None, Start::After(Position { sequence, sub })) => match sub {
                None => record > sequence,
                // Not all of what it holds was read.
                Some(_) => record >= sequence,
            },
            (None, _) => true,
        }
    }

    /// Adds a record if it comes next, and says whether it does.
    pub fn add(&mut self, record: &Sequence) -> bool {
        if !self.is_next(record) {
            return false;
        }
        let records = self.records.get_or_insert_with(|| Records {
            first: record.clone(),
            last: record.clone(),
            count: 0,
        });
        records.last = record.clone();
        records.count += 1;
        true
    }

    /// Where the next cut begins.
    pub fn next(&self) -> Start {
        match &self.records {
            Some(records) => Start::After(Position {
                sequence: records.last.clone(),
                sub: None,
            }),
            None => self.after.clone(),
        }
    }
}

impl Records {
    /// Where to open the shard to read them again.
    pub fn start(&self) -> Start {
        Start::After(Position {
            sequence: self.first.clone(),
            // At the record, as one of which not all was read.
            sub: Some(0),
        })
    }

    /// Whether a record is one of them.
    pub fn hold(&self, record: &Sequence) -> bool {
        self.first <= *record && *record <= self.last
    }

    /// What the names of all objects of a cut of these records contain: the shard, the first and the
    /// last record. Nothing of the writer is in it, so that any writer gives the same names.
    pub fn stem(&self, shard: &str) -> String {
        format!("{shard}-{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(sequence: &str, sub: Option<u64>) -> Start {
        Start::After(Position {
            sequence: Sequence::new(sequence),
            sub,
        })
    }

    #[test]
    fn a_range_grows_by_what_comes_next() {
        let mut range = CutRange::new(after("9", None));
        assert_eq!(range.next(), after("9", None));
        let came = ["9", "10", "9", "12", "12", "10", "100"];
        let added = came.map(|record| range.add(&Sequence::new(record)));
        assert_eq!(added, [false, true, false, true, false, false, true]);
        assert_eq!(range.next(), after("100", None));
        let records = range
            .records
            .unwrap_or_else(|| unreachable!("it has records"));
        assert_eq!(
            (records.count, records.stem("s")),
            (3, "s-10-100".to_owned())
        );
        assert!(records.hold(&Sequence::new("99")) && !records.hold(&Sequence::new("9")));
    }

    #[test]
    fn a_record_that_was_read_in_part_is_next() {
        let in_part = |record| CutRange::new(after("9", Some(3))).add(&Sequence::new(record));
        assert!(in_part("9") && !in_part("8"));
        assert!(CutRange::new(Start::Oldest).add(&Sequence::new("0")));
    }
}
