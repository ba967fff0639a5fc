//! Objects in memory: the lake and the logs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use loglens_engine::error::Error;
use loglens_engine::sink::{Condition, Content, ObjectSink, Upload, Written};

use super::world::{Broken, Net, World};

/// Objects, and in which of them each row is.
#[derive(Debug, Default)]
pub(super) struct Objects {
    stored: BTreeMap<String, (Bytes, u64)>,
    last_etag: u64,
    /// Rows that a reader of the lake sees.
    pub(super) rows: BTreeMap<u64, String>,
}

impl Objects {
    /// Whether the last entry of the only log is a claim.
    pub(super) fn is_claimed(&self) -> bool {
        let is_entry = |key: &&String| key.starts_with("control/") && !key.ends_with("floor");
        let last = self.stored.keys().rfind(is_entry);
        last.is_some_and(|key| is_claim(key))
    }
}

/// Claims have even numbers.
fn is_claim(key: &str) -> bool {
    key.ends_with(['0', '2', '4', '6', '8'])
}

#[async_trait]
impl ObjectSink for Net {
    async fn get(&self, key: &str) -> Result<Option<Content>, Error> {
        let key = key.to_owned();
        self.call(move |world| {
            if world.broken == Some(Broken::Floors) && key.ends_with("floor") {
                return None;
            }
            let (bytes, etag) = world.objects.stored.get(&key)?;
            Some(Content {
                bytes: bytes.clone(),
                etag: Some(etag.to_string()),
            })
        })
        .await
    }

    async fn get_if_changed(&self, _: &str, _: &str) -> Result<Option<Content>, Error> {
        unreachable!("nobody asks")
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, Error> {
        let key = key.to_owned();
        self.call(move |world| put(world, key, bytes, &condition))
            .await
    }

    async fn begin(&self, _: &str) -> Result<Box<dyn Upload>, Error> {
        unreachable!("nobody asks")
    }

    async fn copy(&self, _: &str, _: &str, _: Condition) -> Result<Written, Error> {
        unreachable!("nobody asks")
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let key = key.to_owned();
        self.call(move |world| {
            world.objects.stored.remove(&key);
        })
        .await
    }
}

fn put(world: &mut World, key: String, bytes: Bytes, condition: &Condition) -> Written {
    let etag = world.objects.stored.get(&key).map(|(_, etag)| *etag);
    let holds = match condition {
        Condition::Always => true,
        Condition::Absent => etag.is_none() || is_overlooked(world.broken, &key),
        Condition::Matches(seen) => etag.is_some_and(|etag| etag.to_string() == *seen),
    };
    if !holds {
        return Written::Refused;
    }
    // What comes of a claim that is replaced is found as well.
    let may_change = key.ends_with("floor") || world.broken == Some(Broken::Claims);
    if etag.is_some() && !may_change {
        world.violate(|| format!("{key} was written and changes"));
    }
    if let Some(name) = key.strip_prefix("lake/") {
        show(world, name, &bytes);
    }
    world.objects.last_etag += 1;
    let etag = world.objects.last_etag;
    world.objects.stored.insert(key, (bytes, etag));
    Written::Done {
        etag: Some(etag.to_string()),
    }
}

fn is_overlooked(broken: Option<Broken>, key: &str) -> bool {
    match broken {
        Some(Broken::Claims) => key.starts_with("control/") && is_claim(key),
        Some(Broken::Commits) => key.starts_with("control/") && !is_claim(key),
        Some(Broken::Lake) => key.starts_with("lake/"),
        _ => false,
    }
}

/// What readers see from here on.
fn show(world: &mut World, name: &str, bytes: &Bytes) {
    let text = std::str::from_utf8(bytes).unwrap();
    for row in text.lines().skip(1) {
        let row = row.parse().unwrap();
        if let Some(before) = world.objects.rows.insert(row, name.to_owned()) {
            world.violate(|| format!("row {row} is in {name} and in {before}"));
        }
    }
}
