//! `--check`: what the daemon would do, and whether it could. Nothing is written.

use std::path::Path;

use bytes::Bytes;
use loglens_engine::lease::{Checkpoint, Lease};
use loglens_engine::shard::{ShardSource, Start};
use loglens_engine::sink::Condition;
use loglens_engine::write::JOURNAL;
use loglens_engine::{Error, Owner};
use loglens_io::s3::checks::{Found, Step};

use super::connections::{Connections, LakePlace, Leases};
use super::settings::Settings;
use super::time::rfc3339;
use super::windows::WindowOutput;
use crate::commands::doctor::say;
use crate::failure::Failure;
use crate::units::{bytes, things};

/// So many leases are shown.
const SHOWN: usize = 10;

/// An etag that no object has: a write on the condition of it is refused, if it is allowed at all.
const NO_ETAG: &str = "\"00000000000000000000000000000000\"";

/// Says, a line each, what the daemon would do; fails if it could not.
pub(super) async fn check(settings: &Settings, connections: &Connections) -> Result<(), Failure> {
    let mut steps = vec![configuration(settings)];
    say(&steps)?;
    let connected = [
        stream(settings, connections).await,
        leases(settings, &connections.leases).await,
        vec![lake(&connections.lake).await],
        plan(settings),
    ];
    for some in connected {
        say(&some)?;
        steps.extend(some);
    }
    let mut wrong = steps.into_iter().filter_map(|step| match step.found {
        Found::Wrong(error) => Some(error.owner),
        _ => None,
    });
    wrong
        .next()
        .map_or(Ok(()), |owner| Err(Failure::Told(owner)))
}

fn step(name: &'static str, found: impl Into<Found>) -> Step {
    Step {
        name,
        found: found.into(),
    }
}

fn well(name: &'static str, text: impl Into<String>) -> Step {
    step(name, Found::Well(text.into()))
}

fn passed(name: &'static str, text: impl Into<String>) -> Step {
    step(name, Found::Passed(text.into()))
}

fn configuration(settings: &Settings) -> Step {
    match &settings.file {
        Some(file) => well("configuration", file),
        None => passed("configuration", "there is none: options say all"),
    }
}

async fn stream(settings: &Settings, connections: &Connections) -> Vec<Step> {
    let stream = &connections.stream;
    let shards = match stream.shards().await {
        Ok(shards) => shards,
        Err(error) => return vec![step("stream", Found::Wrong(error))],
    };
    let open = shards.iter().filter(|shard| !shard.closed).count();
    let way = match settings.fan_out {
        true => format!("enhanced fan-out as consumer {}", settings.application),
        false => "polling".to_owned(),
    };
    let found = format!(
        "{}: {}, and {} closed; read by {way}, {}",
        stream.name(),
        things(open as u64, "open shard"),
        shards.len() - open,
        beginning(&settings.first),
    );
    let retention = match stream.retention().await {
        Ok(kept) => well("retention", things(kept.as_secs() / 3600, "hour")),
        // Nothing but the alarm needs it.
        Err(error) => passed("retention", format!("not known, so nobody warns: {error}")),
    };
    vec![well("stream", found), retention]
}

async fn leases(settings: &Settings, leases: &Leases) -> Vec<Step> {
    let place = &settings.leases.text;
    let is_made = match leases {
        Leases::Table(table) => table.is_made().await,
        Leases::Folder(_) => is_folder(place, "leases"),
    };
    let found = match is_made {
        Ok(true) => leases.store().list().await,
        Ok(false) => {
            let what = "it is not there yet: it would be made, which was not tried";
            return vec![passed("leases", format!("{place}: {what}"))];
        }
        Err(error) => Err(error),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return vec![step("leases", Found::Wrong(error))],
    };
    let number = things(found.len() as u64, "lease");
    let mut steps = vec![well(
        "leases",
        format!("{place}: {number} of {}", settings.application),
    )];
    steps.extend(found.iter().take(SHOWN).map(|found| well("", lease(found))));
    if found.len() > SHOWN {
        steps.push(well("", format!("and {} more", found.len() - SHOWN)));
    }
    steps
}

fn lease(lease: &Lease) -> String {
    let checkpoint = match &lease.checkpoint {
        Checkpoint::At(start) => beginning(start),
        Checkpoint::End => "read to its end".to_owned(),
    };
    let owner = match &lease.owner {
        Some(owner) => format!("held by {owner}"),
        None => "held by nobody".to_owned(),
    };
    format!("{}: {checkpoint}; {owner}", lease.shard)
}

fn beginning(start: &Start) -> String {
    match start {
        Start::Oldest => "from the oldest record on".to_owned(),
        Start::Latest => "from the latest record on".to_owned(),
        Start::Time(time) => format!("from {} on", rfc3339(*time)),
        Start::After(position) => format!("from behind record {} on", position.sequence),
    }
}

/// Whether the lake can be written, as far as that can be known without writing there.
async fn lake(lake: &LakePlace) -> Step {
    let root = &lake.root;
    if lake.bucket.is_none() {
        return match is_folder(root, "the lake") {
            Ok(true) => passed(
                "lake",
                format!("{root}: it is there; it was not tried to write"),
            ),
            Ok(false) => passed(
                "lake",
                format!("{root}: it would be made, which was not tried"),
            ),
            Err(error) => step("lake", Found::Wrong(error)),
        };
    }
    let key = format!("{root}/{JOURNAL}check");
    let condition = Condition::Matches(NO_ETAG.to_owned());
    let tried = lake.sink.put(&key, Bytes::new(), condition).await;
    let tried = tried.map(|_| {
        format!("{root}: may be written: a write that could not succeed was refused for that alone")
    });
    step("lake", tried)
}

/// Whether a local folder is there; if not, it could be made.
fn is_folder(place: &str, what: &str) -> Result<bool, Error> {
    let path = Path::new(place);
    if path.is_dir() {
        return Ok(true);
    }
    let is_there = |path: &&Path| path.exists() || path.is_symlink();
    let there = path.ancestors().find(is_there);
    match there {
        Some(file) if !file.is_dir() => {
            let message = format!("{what} in {place}: {} is not a folder", file.display());
            Err(Error::new(Owner::External, message).hint("name a folder"))
        }
        _ => Ok(false),
    }
}

/// What would be done with the records.
fn plan(settings: &Settings) -> Vec<Step> {
    let tables = match &settings.given.format {
        Some(format) => format!("every record is one of {}", format.table),
        None => {
            let formats = settings.given.formats.all().iter();
            let names: Vec<_> = formats.map(|format| format.table.as_str()).collect();
            format!("recognised: {}", names.join(", "))
        }
    };
    let by = settings.partitioned_by;
    let parts = [
        (by.account, "account"),
        (by.region, "region"),
        (by.day, "day"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|part| part.0)
        .map(|part| part.1)
        .collect();
    let partitions = match parts.is_empty() {
        true => "none".to_owned(),
        false => parts.join(", "),
    };
    let cuts = format!(
        "of {}, or when the first record is {} s old",
        bytes(settings.cut_bytes as u64),
        settings.cut_age.as_secs(),
    );
    let memory = format!(
        "{} for the records of all shards and what is made of them",
        bytes(settings.memory_limit as u64),
    );
    let mut steps = vec![
        well("tables", tables),
        well("partitions", partitions),
        well("cuts", cuts),
        well("memory", memory),
    ];
    steps.extend(settings.windows.iter().map(|window| {
        let outputs: Vec<_> = window.outputs.iter().map(output).collect();
        well(
            "window",
            format!("{} to {}", window.name, outputs.join(", ")),
        )
    }));
    steps
}

fn output(output: &WindowOutput) -> String {
    match output {
        WindowOutput::Parquet => "Parquet in the lake".to_owned(),
        WindowOutput::Stdout => "standard output".to_owned(),
        WindowOutput::File(path) => path.display().to_string(),
        // What follows on the host may be a secret.
        WindowOutput::Webhook(url) => {
            let host: Vec<_> = url.splitn(4, '/').take(3).collect();
            format!("{}/...", host.join("/"))
        }
    }
}
