//! Which shards a stream has.

use std::ops::RangeInclusive;
use std::sync::Arc;

use aws_sdk_kinesis::types::{HashKeyRange, Shard as Told};
use loglens_engine::shard::Shard;
use loglens_engine::{Error, Owner};

use super::connection::Connection;
use super::refused::Ask;
use crate::aws::refusal::Refusal;
use crate::aws::service::Patience;

/// All shards that have records, or may get some, in the order of their names.
pub(super) async fn list(connection: &Connection) -> Result<Vec<Shard>, Error> {
    let mut shards = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let stream = connection.stream.clone();
        let page = connection.ask(Ask::new("ListShards"), Patience::Forever, move |client| {
            let request = client.list_shards();
            // A token stands for the stream too, and is refused beside it.
            let request = match &token {
                Some(token) => request.next_token(token),
                None => request.stream_name(&stream),
            };
            async move { request.send().await.map_err(Refusal::from) }
        });
        let page = page.await?;
        for shard in page.shards() {
            shards.push(read(shard)?);
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(shards);
        }
    }
}

fn read(shard: &Told) -> Result<Shard, Error> {
    let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
    let range = shard.sequence_number_range();
    Ok(Shard {
        id: Arc::from(shard.shard_id()),
        parents: parents.into_iter().flatten().map(Arc::from).collect(),
        hash_keys: hash_keys(shard.hash_key_range()).ok_or_else(|| {
            let message = format!("{}: its range of hash keys is none", shard.shard_id());
            Error::new(Owner::External, message)
        })?,
        closed: range.is_some_and(|range| range.ending_sequence_number().is_some()),
    })
}

fn hash_keys(range: Option<&HashKeyRange>) -> Option<RangeInclusive<u128>> {
    let range = range?;
    Some(range.starting_hash_key().parse().ok()?..=range.ending_hash_key().parse().ok()?)
}
