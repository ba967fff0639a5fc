//! `loglens replay`.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use loglens_engine::object::Listed;
use loglens_engine::write::{JOURNAL, Places};
use loglens_engine::{Error, Owner};
use loglens_io::places::WritablePlaces;
use loglens_stream::application::Place;
use loglens_stream::lake::cut::REJECTED;
use loglens_stream::lake::maker::{Lake, LakeSettings, Partitioning};
use loglens_stream::lake::replay::{ReplayTo, Replayed};

use super::session::{access, bytes_of, given, note};
use crate::arguments::Replay;
use crate::config;
use crate::failure::Failure;
use crate::runtime::interruptible;
use crate::units::{count, things};

/// How the objects of rejected records end.
const SUFFIX: &str = ".ndjson";

pub(crate) fn run(arguments: Replay) -> Result<(), Failure> {
    let result = interruptible(replay(arguments));
    if matches!(result, Err(Failure::Interrupted)) {
        note("note: interrupted; the same command goes on from there");
    }
    result
}

async fn replay(mut arguments: Replay) -> Result<(), Failure> {
    let mut named = vec![arguments.errors.clone(), arguments.to.clone()];
    let config = arguments.config.as_deref();
    let completed = config::complete_places(&mut named, &mut arguments.s3, config)?;
    let roles = completed.map(|(_, roles)| roles).unwrap_or_default();
    let places = |place: &str| -> Result<WritablePlaces, Failure> {
        Ok(WritablePlaces {
            access: access(&arguments.s3, roles.get(place))?,
            offline: false,
        })
    };
    let errors = format!("{}/", arguments.errors.trim_end_matches('/'));
    let from = places(&arguments.errors)?;
    let keys = keys(&from, &errors).await?;
    let rejected = from.sink(&errors)?;
    let lake = lake(&arguments).await?;
    let to = to(&arguments.to, &places(&arguments.to)?)?;
    let (mut all, mut before) = (Replayed::default(), 0);
    for key in &keys {
        let name = key.rsplit('/').next().unwrap_or(key);
        let Some(object) = rejected.get(key).await? else {
            continue;
        };
        match lake.replay(name, &object.bytes, &to).await? {
            Some(Replayed {
                records,
                rows,
                rejected,
                resent,
            }) => {
                all.records += records;
                all.rows += rows;
                all.rejected += rejected;
                all.resent += resent;
            }
            None => before += 1,
        }
    }
    tell(&arguments, all, keys.len() as u64, before);
    Ok(())
}

/// The objects of rejected records, in order.
async fn keys(from: &WritablePlaces, errors: &str) -> Result<Vec<String>, Failure> {
    let mut listed = from.source(errors)?.list();
    let mut keys = Vec::new();
    while let Some(found) = listed.next().await {
        if let Listed::Object(object) = found?
            && object.key.ends_with(SUFFIX)
        {
            keys.push(object.key.to_string());
        }
    }
    keys.sort_unstable();
    if keys.is_empty() {
        let message = format!("{errors}: no rejected records lie there");
        return Err(Error::new(Owner::Data, message)
            .hint(format!(
                "loglens consume writes them to {REJECTED} below its --to"
            ))
            .into());
    }
    Ok(keys)
}

async fn lake(arguments: &Replay) -> Result<Lake, Failure> {
    let limit = arguments.memory_limit.as_deref();
    let limit = limit
        .map(|text| bytes_of("--memory-limit", text))
        .transpose()?;
    let lake = Lake::new(LakeSettings {
        stream: Arc::from(arguments.errors.as_str()),
        given: given(
            &arguments.records.format,
            arguments.records.table.as_deref(),
            arguments.records.fields.as_deref(),
        )?,
        partitioned_by: Partitioning::default(),
        // Those are left where they are.
        keep_resent: false,
        // Each object of rejected records is a cut, however large and old.
        cut_bytes: usize::MAX,
        cut_age: Duration::MAX,
        memory_limit: limit.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        threads: None,
        windows: Vec::new(),
    })
    .await?;
    Ok(lake)
}

/// Where the rows go to, and where it is kept what was replayed.
fn to(to: &str, places: &WritablePlaces) -> Result<ReplayTo, Failure> {
    let root = to.trim_end_matches('/');
    let place = |root: String| -> Result<Place, Failure> {
        Ok(Place {
            sink: places.sink(&root)?,
            root: Arc::from(root),
        })
    };
    Ok(ReplayTo {
        lake: place(root.to_owned())?,
        control: place(format!("{root}/{JOURNAL}replayed"))?,
    })
}

fn tell(arguments: &Replay, all: Replayed, objects: u64, before: u64) {
    let of = match before {
        0 => String::new(),
        before => format!(
            "; {} of {} was done before",
            count(before),
            things(objects, "object")
        ),
    };
    let became = all.records - all.rejected.min(all.records);
    note(&format!(
        "replayed {}: {} became {}, {} rejected again{of}",
        things(all.records, "record"),
        count(became),
        things(all.rows, "row"),
        count(all.rejected),
    ));
    if all.resent > 0 {
        let resent = things(all.resent, "record");
        note(&format!(
            "note: {resent} of another shard left out: their producers have sent them again"
        ));
    }
    if all.rejected > 0 {
        let to = arguments.to.trim_end_matches('/');
        note(&format!(
            "note: those that are rejected again lie in {to}/{REJECTED}"
        ));
    }
}
