//! `loglens consume`.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use loglens_engine::lease::LeaseStore;
use loglens_engine::shard::Start;
use loglens_engine::write::{JOURNAL, Places};
use loglens_io::dynamodb::{DynamoLeases, SCHEME};
use loglens_io::kinesis::KinesisStream;
use loglens_io::local_leases::LocalLeases;
use loglens_io::places::WritablePlaces;
use loglens_stream::application::{Application, Place};
use loglens_stream::clock::SystemClock;
use loglens_stream::event::{Event, Observer};
use loglens_stream::lake::cut::REJECTED;
use loglens_stream::lake::maker::{Lake, LakeSettings, Partitioning};
use loglens_stream::leases::LeaseSettings;
use loglens_stream::shard_log::Output;
use loglens_stream::stop::{Stopper, stopper};
use loglens_stream::worker::Worker;

use super::session::{access, bytes_of, duration_of, given, note};
use crate::arguments::{Beginning, Consume};
use crate::config;
use crate::failure::{self, Failure};
use crate::runtime::{self, Stop};
use crate::units::things;

/// So many cuts of a shard stay in its log.
const KEPT_CUTS: u64 = 100;

/// Runs until it is asked to end; what was read until then is written.
pub(crate) fn run(arguments: Consume) -> Result<(), Failure> {
    let runtime = runtime::start()?;
    let work = async { tokio::spawn(consume(arguments)).await };
    let result = runtime.block_on(work);
    runtime::end(runtime);
    result.unwrap_or_else(|error| Err(Failure::panicked(&error)))
}

async fn consume(arguments: Consume) -> Result<(), Failure> {
    let asked = Stop::new()?;
    let settings = LeaseSettings {
        worker: worker_name(),
        failover: duration_of("--failover", &arguments.failover)?,
        first: match arguments.from {
            Beginning::Oldest => Start::Oldest,
            Beginning::Latest => Start::Latest,
        },
        seed: random(),
    };
    let application = application(&arguments)?;
    let (stopper, mut stop) = stopper();
    tokio::spawn(stop_when_asked(asked, stopper));
    // What fails later is tried again for ever; a name that is wrong should be said at once.
    tokio::select! {
        shards = application.source.shards() => drop(shards?),
        () = stop.asked() => return Ok(()),
    }
    let spawn = Arc::new(|task| {
        tokio::spawn(task);
    });
    Worker::new(application, settings, spawn).run(stop).await?;
    Ok(())
}

fn application(arguments: &Consume) -> Result<Application, Failure> {
    let (mut to, mut s3) = (vec![arguments.to.clone()], arguments.s3.clone());
    let completed = config::complete_places(&mut to, &mut s3, arguments.config.as_deref())?;
    let role = completed.and_then(|(_, mut roles)| roles.remove(&arguments.to));
    let anyone = access(&s3, None)?;
    let source = KinesisStream::new(&arguments.stream, anyone.clone())?;
    let leases: Arc<dyn LeaseStore> = match arguments.leases.strip_prefix(SCHEME) {
        Some(table) => Arc::new(DynamoLeases::new(table, anyone)),
        None => Arc::new(LocalLeases::new(&arguments.leases)),
    };
    let limit = arguments.memory_limit.as_deref();
    let limit = limit.map(|text| size("--memory-limit", text)).transpose()?;
    let lake = Lake::new(LakeSettings {
        stream: Arc::from(arguments.stream.as_str()),
        given: given(
            &arguments.format,
            arguments.table.as_deref(),
            arguments.fields.as_deref(),
        )?,
        partitioned_by: Partitioning::default(),
        keep_resent: arguments.keep_resent,
        cut_bytes: size("--cut-size", &arguments.cut_size)?,
        cut_age: duration_of("--cut-age", &arguments.cut_age)?,
        memory_limit: limit,
        threads: None,
    })?;
    let places = WritablePlaces {
        access: access(&s3, role.as_ref())?,
        offline: false,
    };
    let root = arguments.to.trim_end_matches('/');
    let place = |root: String| -> Result<Place, Failure> {
        Ok(Place {
            sink: places.sink(&root)?,
            root: Arc::from(root),
        })
    };
    Ok(Application {
        name: Arc::from(arguments.application.as_str()),
        program: Arc::from(env!("CARGO_PKG_VERSION")),
        source: Arc::new(source),
        leases,
        lake: place(root.to_owned())?,
        // Readers of ours pass over it, and others over all that begins with `_`.
        control: place(format!("{root}/{JOURNAL}shards"))?,
        maker: Arc::new(lake),
        clock: Arc::new(SystemClock::default()),
        observer: Arc::new(Teller),
        kept_cuts: KEPT_CUTS,
    })
}

/// No other process ever has this name, not even the next one on the same machine.
fn worker_name() -> Arc<str> {
    Arc::from(format!("{}-{:016x}", std::process::id(), random()))
}

fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// The first time what was read is written; the second time it ends at once.
async fn stop_when_asked(mut asked: Stop, stopper: Stopper) {
    asked.asked().await;
    note("note: ending: what was read is written; once more ends it at once, and loses nothing");
    stopper.stop();
    asked.asked().await;
    std::process::exit(failure::INTERRUPTED.into());
}

/// Tells people what happens, on standard error.
#[derive(Debug)]
struct Teller;

impl Observer for Teller {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Found(shard) => note(&format!("{shard}: found")),
            Event::Deleted { shard, ended: true } => note(&format!("{shard}: done with")),
            Event::Deleted { shard, .. } => {
                note(&format!(
                    "warning: {shard}: gone before it was read to its end"
                ));
            }
            Event::Taken(shard) => note(&format!("{shard}: taken")),
            Event::Finishing { shard, records } => {
                let records = things(*records, "record");
                note(&format!(
                    "{shard}: finishing a cut of {records} that another worker began"
                ));
            }
            Event::Committed { shard, commit, .. } => {
                note(&format!("{shard}: {}", written(&commit.outputs)));
                if commit.missing > 0 {
                    let missing = things(commit.missing, "record");
                    note(&format!(
                        "warning: {shard}: the stream dropped {missing} before they were written"
                    ));
                }
            }
            Event::Ended(shard) => note(&format!("{shard}: read to its end")),
            Event::GivenUp(shard) => note(&format!("{shard}: given up")),
            Event::Lost(shard) => note(&format!("{shard}: another worker goes on with it")),
            Event::Failed { shard, error } => {
                let shard = shard.map(|shard| format!("{shard}: ")).unwrap_or_default();
                let hint = error.hint.as_ref();
                let hint = hint
                    .map(|hint| format!("\nhint: {hint}"))
                    .unwrap_or_default();
                note(&format!("warning: {shard}{error}; it is tried again{hint}"));
            }
        }
    }
}

/// What a cut wrote, for people.
fn written(outputs: &[Output]) -> String {
    let rows = |rejected: bool| {
        let outputs = outputs.iter();
        let outputs = outputs.filter(|output| output.name.starts_with(REJECTED) == rejected);
        outputs.map(|output| output.rows).sum::<u64>()
    };
    let files = things(outputs.len() as u64, "file");
    match rows(true) {
        0 => format!("{} in {files}", things(rows(false), "row")),
        rejected => format!(
            "{} and {} in {files}",
            things(rows(false), "row"),
            things(rejected, "rejected record"),
        ),
    }
}

fn size(option: &str, text: &str) -> Result<usize, Failure> {
    let bytes = bytes_of(option, text)?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}
