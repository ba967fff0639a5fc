//! `loglens consume`.
//!
//! - `settings`: what it does, by options and configuration; [`windows`]: its standing windows.
//! - `connections`: what it is connected to; `check`: whether it would run.
//! - `teller`: what people are told.

mod check;
mod connections;
mod settings;
mod teller;
mod time;
mod windows;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use loglens_engine::write::JOURNAL;
use loglens_stream::application::{Application, Place};
use loglens_stream::clock::SystemClock;
use loglens_stream::lake::maker::{Lake, LakeSettings};
use loglens_stream::leases::LeaseSettings;
use loglens_stream::stop::{Stopper, stopper};
use loglens_stream::worker::Worker;

use self::connections::{Connections, LakePlace};
use self::settings::Settings;
use self::teller::Teller;
use self::windows::StandingWindow;
use super::session::note;
use crate::arguments::Consume;
use crate::failure::{self, Failure};
use crate::runtime::{self, Stop};

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
    let is_check = arguments.check;
    let settings = Settings::new(arguments)?;
    let connections = Connections::new(&settings)?;
    let application = application(&settings, &connections)?;
    if is_check {
        check::check(&settings, &connections).await?;
    }
    not_run_yet(&settings.windows)?;
    match is_check {
        true => Ok(()),
        false => work(&settings, application).await,
    }
}

async fn work(settings: &Settings, application: Application) -> Result<(), Failure> {
    let asked = Stop::new()?;
    let leases = LeaseSettings {
        worker: worker_name(),
        failover: settings.failover,
        first: settings.first.clone(),
        seed: random(),
    };
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
    Worker::new(application, leases, spawn).run(stop).await?;
    Ok(())
}

/// The one place that refuses standing windows.
fn not_run_yet(windows: &[StandingWindow]) -> Result<(), Failure> {
    match windows.first() {
        None => Ok(()),
        Some(window) => Err(Failure::usage(
            format!("{}: standing windows are not run yet", window.name),
            "leave [[consume.windows]] out",
        )),
    }
}

fn application(settings: &Settings, connections: &Connections) -> Result<Application, Failure> {
    let lake = Lake::new(LakeSettings {
        stream: Arc::from(settings.stream.text.as_str()),
        given: settings.given.clone(),
        partitioned_by: settings.partitioned_by,
        cut_bytes: settings.cut_bytes,
        cut_age: settings.cut_age,
        memory_limit: settings.memory_limit,
        threads: None,
    })?;
    let LakePlace { root, sink, .. } = &connections.lake;
    let place = |root: Arc<str>| Place {
        sink: Arc::clone(sink),
        root,
    };
    Ok(Application {
        name: Arc::from(settings.application.as_str()),
        program: Arc::from(env!("CARGO_PKG_VERSION")),
        source: Arc::new(connections.stream.clone()),
        leases: connections.leases.store(),
        lake: place(Arc::clone(root)),
        // Readers of ours pass over it, and others over all that begins with `_`.
        control: place(Arc::from(format!("{root}/{JOURNAL}shards"))),
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
