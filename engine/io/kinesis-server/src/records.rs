//! What an answer of `GetRecords` lacks.

use std::time::{SystemTime, UNIX_EPOCH};

use ferrokinesis::sequence::{parse_sequence, resolve_shard_id, shard_ix_to_hex};
use ferrokinesis::shard_iterator::decode_shard_iterator;
use ferrokinesis::store::Store;
use serde_json::{Value, json};

use crate::{State, lock};

/// The stream and the shard of an iterator.
pub(crate) fn shard_of(iterator: &str) -> Option<(String, String)> {
    let (_, stream, shard, _) = decode_shard_iterator(iterator).ok()?;
    Some((stream, shard))
}

/// Completes an answer to a reader of a shard.
pub(crate) async fn complete(state: &State, stream: &str, shard: &str, answer: &mut Value) {
    match answer["NextShardIterator"].as_str() {
        Some(next) => {
            let behind = behind(&state.store, next).await;
            answer["MillisBehindLatest"] = json!(behind.unwrap_or(0));
        }
        None => answer["ChildShards"] = json!(children(&state.store, stream, shard).await),
    }
    let Some(records) = answer["Records"].as_array_mut() else {
        return;
    };
    let mut given = std::mem::take(records);
    let age = lock(&state.switches).age.as_secs_f64();
    for record in &mut given {
        if let Some(arrived) = record["ApproximateArrivalTimestamp"].as_f64() {
            record["ApproximateArrivalTimestamp"] = json!(arrived - age);
        }
    }
    let key = (stream.to_owned(), shard.to_owned());
    let before = lock(&state.given).insert(key, given.clone());
    if let Some(before) = before.filter(|before| come_before(before, &given)) {
        let mut switches = lock(&state.switches);
        if switches.again > 0 {
            switches.again -= 1;
            records.extend(before);
        }
    }
    records.extend(given);
}

/// Whether records stand before others in their shard. They may be of another reader who is further:
/// no stream gives what comes later first.
fn come_before(before: &[Value], given: &[Value]) -> bool {
    let number = |record: Option<&Value>| {
        let digits = record?["SequenceNumber"].as_str()?;
        Some((digits.len(), digits.to_owned()))
    };
    match (number(before.last()), number(given.first())) {
        (Some(last), Some(first)) => last < first,
        _ => false,
    }
}

/// Bytes of the records of an answer, as they were before they were made text.
pub(crate) fn bytes(answer: &Value) -> usize {
    let records = answer["Records"].as_array().map(Vec::as_slice);
    let data = records
        .unwrap_or_default()
        .iter()
        .map(|record| record["Data"].as_str().map_or(0, |text| text.len() / 4 * 3));
    data.sum()
}

/// The age of the first record that an iterator has before it, in milliseconds.
async fn behind(store: &Store, iterator: &str) -> Option<u64> {
    let (_, stream, shard, sequence) = decode_shard_iterator(iterator).ok()?;
    let (_, number) = resolve_shard_id(&shard).ok()?;
    let from = format!("{}/{sequence}", shard_ix_to_hex(number));
    let to = shard_ix_to_hex(number + 1);
    let next = store
        .get_records_range_limited(&stream, &from, &to, 1)
        .await;
    let (key, _) = next.first()?;
    let (_, sequence) = key.split_once('/')?;
    let arrived = parse_sequence(sequence).ok()?.seq_time?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(crate::milliseconds(now).saturating_sub(arrived).max(1))
}

async fn children(store: &Store, stream: &str, shard: &str) -> Vec<Value> {
    let Ok(stream) = store.get_stream(stream).await else {
        return Vec::new();
    };
    let parents = |child: &ferrokinesis::types::Shard| {
        let parents = [&child.parent_shard_id, &child.adjacent_parent_shard_id];
        parents.into_iter().flatten().cloned().collect::<Vec<_>>()
    };
    let children = stream
        .shards
        .iter()
        .filter(|child| parents(child).iter().any(|parent| parent == shard));
    let children = children.map(|child| {
        json!({
            "ShardId": child.shard_id,
            "ParentShards": parents(child),
            "HashKeyRange": child.hash_key_range,
        })
    });
    children.collect()
}
