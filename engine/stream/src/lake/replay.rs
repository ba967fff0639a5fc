//! Rejected records, tried again after what was wrong has been mended.
//!
//! What is made of an object of rejected records has names that follow from its records alone, and is
//! written only if there is none of its name. Before the first of it is written, a claim says the
//! names and what is rejected again: so whoever does it once more, after a crash or by mistake, makes
//! the same of it, or is told that the first one meant something else.

use std::sync::Arc;

use bytes::Bytes;
use loglens_engine::shard::Start;
use loglens_engine::sink::{Condition, Written};
use loglens_engine::{Error, Owner};
use serde::Serialize;

use super::cut::{LakeCut, REJECTED};
use super::maker::Lake;
use super::payload::Payload;
use super::rejected::{self, Read};
use crate::application::Place;
use crate::cut::Making;
use crate::shard_log::{CutRange, Records};

/// What became of the records of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The records that were tried.
    pub records: u64,
    /// The rows that were made of them.
    pub rows: u64,
    /// Those that are rejected again.
    pub rejected: u64,
    /// Those that are left where they are: their producers have sent them again to where they belong.
    pub resent: u64,
}

/// Where replayed records go to.
#[derive(Debug, Clone)]
pub struct ReplayTo {
    /// The lake.
    pub lake: Place,
    /// Where it is kept what was replayed. No reader of the lake may take it for data.
    pub control: Place,
}

#[derive(Serialize)]
struct Claim<'a> {
    version: u32,
    objects: &'a [String],
}

impl Lake {
    /// Makes rows of the records of an object of rejected records, as far as they are any now; the
    /// others are rejected again. `name` is the object's own, without its folder. None if that was
    /// done before.
    ///
    /// # Errors
    ///
    /// The sink's; an object that holds something else; a replay that was begun and not finished with
    /// formats of which other rows come.
    pub async fn replay(
        &self,
        name: &str,
        object: &Bytes,
        to: &ReplayTo,
    ) -> Result<Option<Replayed>, Error> {
        let ReplayTo { lake, control } = to;
        let done = control.key(&format!("{name}.done"));
        if control.sink.get(&done).await?.is_some() {
            return Ok(None);
        }
        let rejected = rejected::read(name, object)?;
        let mut replayed = Replayed {
            resent: rejected.as_ref().map_or(0, |rejected| rejected.resent),
            ..Replayed::default()
        };
        let rejected = rejected.filter(|rejected| !rejected.records.is_empty());
        if let Some((mut cut, range)) = rejected.map(|rejected| self.cut_of(rejected)) {
            replayed.records = range.records.as_ref().map_or(0, |records| records.count);
            let objects = cut.names(&range).await?;
            claim(name, &objects, &cut.rejected_lines(), control).await?;
            for object in objects {
                let made = cut.object(&object).await?;
                match object.starts_with(REJECTED) {
                    true => replayed.rejected += made.rows,
                    false => replayed.rows += made.rows,
                }
                let key = lake.key(&object);
                lake.sink.put(&key, made.bytes, Condition::Absent).await?;
            }
        }
        let says = json(&replayed)?;
        control
            .sink
            .put(&done, says.into(), Condition::Absent)
            .await?;
        Ok(Some(replayed))
    }

    /// A cut of the records of an object, and which they are.
    fn cut_of(&self, rejected: Read) -> (LakeCut, CutRange) {
        let shared = Arc::clone(self.shared());
        let partitioned_by = shared.settings.partitioned_by;
        let cut = LakeCut::new(
            Arc::clone(&shared),
            rejected.shard,
            Start::Oldest,
            partitioned_by,
        );
        let mut cut = cut.at_attempt(rejected.attempt + 1);
        let mut range = CutRange::new(Start::Oldest);
        for (place, bytes) in rejected.records {
            let records = range.records.get_or_insert_with(|| Records {
                first: place.sequence.clone(),
                last: place.sequence.clone(),
                count: 0,
            });
            // They are in no order.
            records.first = records.first.clone().min(place.sequence.clone());
            records.last = records.last.clone().max(place.sequence.clone());
            records.count += 1;
            let content = shared.unpacking.content(bytes);
            cut.add(Payload { place, content });
        }
        (cut, range)
    }
}

/// Says what is going to be written, unless that was said before in the same way.
async fn claim(
    name: &str,
    objects: &[String],
    rejected: &Bytes,
    control: &Place,
) -> Result<(), Error> {
    let claim = Claim {
        version: 1,
        objects,
    };
    let claim = [&json(&claim)?, &b"\n"[..], rejected].concat();
    let claim = Bytes::from(claim);
    let key = control.key(&format!("{name}.claim"));
    let written = control.sink.put(&key, claim.clone(), Condition::Absent);
    if written.await? != Written::Refused {
        return Ok(());
    }
    let said = control.sink.get(&key).await?;
    if said.is_some_and(|said| said.bytes == claim) {
        return Ok(());
    }
    let message = format!("{name}: a replay was begun that makes other rows of it");
    Err(Error::new(Owner::Config, message)
        .hint("finish it with the formats and the version of loglens that it was begun with"))
}

fn json(says: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(says).map_err(|error| Error::new(Owner::Internal, error.to_string()))
}
