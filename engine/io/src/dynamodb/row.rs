//! A lease as a row, with the attributes of the Kinesis Client Library.

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use loglens_engine::lease::{Checkpoint, Lease};
use loglens_engine::shard::{Position, Sequence, Start};

/// A row of the table.
pub(super) type Row = HashMap<String, AttributeValue>;

/// The table's key: the shard.
pub(super) const KEY: &str = "leaseKey";
/// What every change counts up.
pub(super) const COUNTER: &str = "leaseCounter";

const OWNER: &str = "leaseOwner";
const CHECKPOINT: &str = "checkpoint";
const SUB: &str = "checkpointSubSequenceNumber";
/// Ours: KCL has the time of `AT_TIMESTAMP` in its configuration.
const TIME: &str = "checkpointTimestampMicros";
const SWITCHES: &str = "ownerSwitchesSinceCheckpoint";
const PARENTS: &str = "parentShardId";
const CHILDREN: &str = "childShardIds";
const FIRST_HASH_KEY: &str = "startingHashKey";
const LAST_HASH_KEY: &str = "endingHashKey";

const OLDEST: &str = "TRIM_HORIZON";
const LATEST: &str = "LATEST";
const AT_TIME: &str = "AT_TIMESTAMP";
const END: &str = "SHARD_END";

/// Greater than the number of any record within another: all of them were read. KCL goes on behind it.
const ALL: u64 = i64::MAX as u64;

/// A write of a lease under a condition.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) expression: String,
    pub(super) condition: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Update {
    /// Adds a lease where there is none.
    pub(super) fn create(lease: &Lease) -> Self {
        let mut update = Self::of(lease);
        update.condition = "attribute_not_exists(#counter)".to_owned();
        update
            .names
            .insert("#counter".to_owned(), COUNTER.to_owned());
        update
    }

    /// Puts a lease in the place of the one with this counter.
    pub(super) fn replace(lease: &Lease, seen: u64) -> Self {
        let mut update = Self::of(lease);
        update.condition = "#counter = :seen".to_owned();
        update
            .names
            .insert("#counter".to_owned(), COUNTER.to_owned());
        update
            .values
            .insert(":seen".to_owned(), AttributeValue::N(seen.to_string()));
        update
    }

    /// Sets what is known of a lease, removes what is known not to be, and leaves the rest alone.
    fn of(lease: &Lease) -> Self {
        let (mut set, mut remove) = (String::new(), String::new());
        let mut update = Self {
            expression: String::new(),
            condition: String::new(),
            names: HashMap::new(),
            values: HashMap::new(),
        };
        for (at, (name, value)) in attributes(lease).into_iter().enumerate() {
            update.names.insert(format!("#{at}"), name.to_owned());
            match value {
                Some(value) => {
                    let comma = if set.is_empty() { "SET" } else { "," };
                    let _ = write!(set, "{comma} #{at} = :{at}");
                    update.values.insert(format!(":{at}"), value);
                }
                None => {
                    let comma = if remove.is_empty() { " REMOVE" } else { "," };
                    let _ = write!(remove, "{comma} #{at}");
                }
            }
        }
        update.expression = set + &remove;
        update
    }
}

/// What a row says of a lease, but for its key; None is removed.
fn attributes(lease: &Lease) -> [(&'static str, Option<AttributeValue>); 10] {
    let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
    let number = |number: &dyn ToString| Some(AttributeValue::N(number.to_string()));
    // There are no empty sets.
    let set = |shards: &[Arc<str>]| {
        let names = shards.iter().map(ToString::to_string);
        (!shards.is_empty()).then(|| AttributeValue::Ss(names.collect()))
    };
    let (checkpoint, sub, time) = match &lease.checkpoint {
        Checkpoint::End => (END, 0, None),
        Checkpoint::At(Start::Oldest) => (OLDEST, 0, None),
        Checkpoint::At(Start::Latest) => (LATEST, 0, None),
        Checkpoint::At(Start::Time(micros)) => (AT_TIME, 0, Some(*micros)),
        Checkpoint::At(Start::After(Position { sequence, sub })) => {
            (sequence.digits(), sub.unwrap_or(ALL), None)
        }
    };
    let hash_key = |key: fn(&RangeInclusive<u128>) -> &u128| {
        let key = lease.hash_keys.as_ref().map(key);
        key.and_then(|key| text(&key.to_string()))
    };
    [
        (COUNTER, number(&lease.counter)),
        (OWNER, lease.owner.as_deref().and_then(text)),
        (CHECKPOINT, text(checkpoint)),
        (SUB, number(&sub)),
        (TIME, time.and_then(|time| number(&time))),
        (SWITCHES, number(&lease.switches)),
        (PARENTS, set(&lease.parents)),
        (CHILDREN, set(&lease.children)),
        (FIRST_HASH_KEY, hash_key(RangeInclusive::start)),
        (LAST_HASH_KEY, hash_key(RangeInclusive::end)),
    ]
}

/// The lease of a row; what is wrong with it, if it is none.
pub(super) fn lease(row: &Row) -> Result<Lease, String> {
    let shard = text(row, KEY).ok_or("a row without leaseKey")?;
    let wrong = |name: &str| {
        format!("lease {shard}: {name} is not as the Kinesis Client Library writes it")
    };
    let counted = |name: &str| match row.get(name) {
        None => Ok(None),
        Some(AttributeValue::N(digits)) => digits.parse().map(Some).map_err(|_| wrong(name)),
        Some(_) => Err(wrong(name)),
    };
    let checkpoint = match text(row, CHECKPOINT).ok_or_else(|| wrong(CHECKPOINT))? {
        END => Checkpoint::End,
        OLDEST => Checkpoint::At(Start::Oldest),
        LATEST => Checkpoint::At(Start::Latest),
        AT_TIME => match row.get(TIME) {
            Some(AttributeValue::N(micros)) => {
                Checkpoint::At(Start::Time(micros.parse().map_err(|_| wrong(TIME))?))
            }
            _ => {
                return Err(format!(
                    "lease {shard}: it begins at a time that only the Kinesis Client Library's configuration knows"
                ));
            }
        },
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let sub = counted(SUB)?.unwrap_or(ALL);
            Checkpoint::At(Start::After(Position {
                sequence: Sequence::new(digits),
                sub: (sub != ALL).then_some(sub),
            }))
        }
        _ => return Err(wrong(CHECKPOINT)),
    };
    let hash_key = |name| text(row, name).and_then(|digits| digits.parse::<u128>().ok());
    let hash_keys = hash_key(FIRST_HASH_KEY).zip(hash_key(LAST_HASH_KEY));
    Ok(Lease {
        shard: Arc::from(shard),
        owner: text(row, OWNER).map(Arc::from),
        counter: counted(COUNTER)?.ok_or_else(|| wrong(COUNTER))?,
        checkpoint,
        switches: counted(SWITCHES)?.unwrap_or(0),
        parents: shards(row, PARENTS),
        children: shards(row, CHILDREN),
        hash_keys: hash_keys.map(|(first, last)| first..=last),
    })
}

/// Whether a row says just what a lease does.
pub(super) fn says(row: &Row, lease: &Lease) -> bool {
    let mut lease = lease.clone();
    for shards in [&mut lease.parents, &mut lease.children] {
        shards.sort_unstable();
        shards.dedup();
    }
    self::lease(row).is_ok_and(|found| found == lease)
}

fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.get(name)?.as_s().ok().map(String::as_str)
}

/// Shards in the order of their names: sets have none.
fn shards(row: &Row, name: &str) -> Vec<Arc<str>> {
    let names = row.get(name).and_then(|value| value.as_ss().ok());
    let mut names: Vec<Arc<str>> = names
        .into_iter()
        .flatten()
        .map(|name| Arc::from(name.as_str()))
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(lease: &Lease) -> Row {
        let key = [(KEY, Some(AttributeValue::S(lease.shard.to_string())))];
        let all = key.into_iter().chain(attributes(lease));
        let there = all.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        there.collect()
    }

    #[test]
    fn a_row_says_what_its_lease_does() {
        let after = |sub| {
            let sequence = Sequence::new("495903382714902566085596925383");
            Checkpoint::At(Start::After(Position { sequence, sub }))
        };
        for checkpoint in [
            Checkpoint::At(Start::Oldest),
            Checkpoint::At(Start::Latest),
            Checkpoint::At(Start::Time(-1)),
            after(None),
            after(Some(0)),
            after(Some(7)),
            Checkpoint::End,
        ] {
            let lease = Lease {
                shard: Arc::from("shardId-1"),
                owner: None,
                counter: 5,
                checkpoint,
                switches: 1,
                parents: vec![Arc::from("b"), Arc::from("a")],
                children: Vec::new(),
                hash_keys: Some(0..=u128::MAX),
            };
            let row = row(&lease);
            assert!(says(&row, &lease), "{row:?}");
            let other = Lease {
                counter: 6,
                ..lease
            };
            assert!(!says(&row, &other));
        }
    }

    #[test]
    fn an_update_sets_what_is_known_and_removes_what_is_not() {
        let lease = Lease {
            shard: Arc::from("shardId-1"),
            owner: None,
            counter: 5,
            checkpoint: Checkpoint::End,
            switches: 1,
            parents: vec![Arc::from("a")],
            children: Vec::new(),
            hash_keys: None,
        };
        let update = Update::replace(&lease, 4);
        assert_eq!(
            update.expression,
            "SET #0 = :0, #2 = :2, #3 = :3, #5 = :5, #6 = :6 REMOVE #1, #4, #7, #8, #9"
        );
        assert_eq!(update.condition, "#counter = :seen");
        assert_eq!(update.values[":seen"], AttributeValue::N("4".to_owned()));
        assert_eq!(update.names["#1"], OWNER);
    }
}
