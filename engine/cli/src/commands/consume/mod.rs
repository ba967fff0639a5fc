//! `loglens consume`.
//!
//! - `settings`: what it does, by options and configuration; [`windows`]: its standing windows, and
//!   `outputs`: where their rows go.
//! - `connections`: what it is connected to; `check`: whether it would run.
//! - `teller`: what people are told; `metrics` and `health`: what `listen` tells programs; `alarm`:
//!   checkpoints that grow old.

mod alarm;
mod check;
mod connections;
mod health;
mod listen;
mod metrics;
mod outputs;
mod page;
mod progress;
mod sampled;
mod settings;
mod teller;
mod time;
mod windows;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use loglens_engine::shard::ShardSource;
use loglens_engine::write::JOURNAL;
use loglens_engine::{Error, Owner};
use loglens_stream::application::{Application, Place};
use loglens_stream::clock::SystemClock;
use loglens_stream::event::{Observer, Unobserved};
use loglens_stream::lake::maker::{Lake, LakeSettings};
use loglens_stream::leases::LeaseSettings;
use loglens_stream::stop::{Stop as StopAsked, Stopper, stopper};
use loglens_stream::windows::Standings;
use loglens_stream::worker::Worker;

use self::connections::{Connections, LakePlace};
use self::listen::{Listener, Told};
use self::settings::Settings;
use self::teller::{Level, Line, Teller};
use crate::arguments::Consume;
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
    let is_check = arguments.check;
    let settings = Settings::new(arguments)?;
    let teller = Teller(settings.log);
    let done = consume_by(&settings, is_check).await;
    done.map_err(|failure| teller.over(failure))
}

async fn consume_by(settings: &Settings, is_check: bool) -> Result<(), Failure> {
    let connections = Connections::new(settings)?;
    if is_check {
        check::check(settings, &connections).await?;
    }
    let application = application(settings, &connections).await?;
    match is_check {
        true => Ok(()),
        false => work(settings, &connections, application).await,
    }
}

/// Works until it is asked to end, and tells of it.
async fn work(
    settings: &Settings,
    connections: &Connections,
    mut application: Application,
) -> Result<(), Failure> {
    let asked = Stop::new()?;
    let teller = Teller(settings.log);
    let told = Told {
        health: Arc::default(),
        metrics: Arc::new(sampled::metrics(settings, connections)),
    };
    application.observer = observers(teller, &told);
    if let Some(address) = settings.listen {
        let listener = Listener::bind(address).await?;
        let text = format!("health and metrics are told at http://{}", listener.address);
        teller.tell(&Line::new(Level::Info, "listening", text));
        tokio::spawn(listener.serve(told.clone()));
    }
    let (stopper, stop) = stopper();
    tokio::spawn(stop_when_asked(asked, stopper, told.clone(), teller));
    let working = async {
        if !is_there(&*application.source, stop.clone()).await? {
            return Ok(());
        }
        let (stream, metrics) = (connections.stream.clone(), Arc::clone(&told.metrics));
        tokio::spawn(alarm::watch(stream, metrics, teller));
        run_worker(settings, application, stop.clone()).await?;
        match told.health.left_behind() {
            0 => Ok(()),
            shards => {
                let shards = things(shards, "shard");
                Err(not_drained(&format!(
                    "what was read of {shards} could not be written"
                )))
            }
        }
    };
    tokio::select! {
        biased;
        done = working => done,
        () = drained(stop.clone(), settings.drain) => {
            let seconds = settings.drain.as_secs();
            Err(not_drained(&format!("not all that was read could be written within {seconds} s")))
        }
    }
}

/// Whether the stream is there; false if it was asked to end before that was known. What fails later is
/// tried again for ever; a name that is wrong should be said at once.
async fn is_there(stream: &dyn ShardSource, mut stop: StopAsked) -> Result<bool, Failure> {
    tokio::select! {
        shards = stream.shards() => {
            shards?;
            Ok(true)
        }
        () = stop.asked() => Ok(false),
    }
}

async fn run_worker(
    settings: &Settings,
    application: Application,
    stop: StopAsked,
) -> Result<(), Failure> {
    let leases = LeaseSettings {
        worker: worker_name(),
        failover: settings.failover,
        first: settings.first.clone(),
        seed: random(),
    };
    let spawn = Arc::new(|task| {
        tokio::spawn(task);
    });
    Worker::new(application, leases, spawn).run(stop).await?;
    Ok(())
}

/// Waits until it was asked to end so long ago.
async fn drained(mut stop: StopAsked, drain: Duration) {
    stop.asked().await;
    tokio::time::sleep(drain).await;
}

fn not_drained(what: &str) -> Failure {
    let message = format!("{what}: ended at the last commit");
    let error = Error::new(Owner::External, message);
    error
        .hint("nothing is lost: whoever goes on reads it again; --drain gives it longer")
        .into()
}

/// All who are told what happens.
fn observers(teller: Teller, told: &Told) -> Arc<dyn Observer> {
    let all: Vec<Arc<dyn Observer>> = vec![
        Arc::new(teller),
        Arc::clone(&told.metrics) as _,
        Arc::clone(&told.health) as _,
    ];
    Arc::new(all)
}

async fn application(
    settings: &Settings,
    connections: &Connections,
) -> Result<Application, Failure> {
    let lake = Lake::new(LakeSettings {
        stream: Arc::from(settings.stream.text.as_str()),
        given: settings.given.clone(),
        partitioned_by: settings.partitioned_by,
        keep_resent: settings.keep_resent,
        cut_bytes: settings.cut_bytes,
        cut_age: settings.cut_age,
        memory_limit: Some(settings.memory_limit),
        threads: None,
        windows: settings
            .windows
            .iter()
            .map(|window| window.statement(settings.cut_age))
            .collect(),
    })
    .await?;
    let mut windows = Vec::new();
    for (place, window) in settings.windows.iter().enumerate() {
        windows.push(outputs::standing(&lake, place, window).await?);
    }
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
        observer: Arc::new(Unobserved),
        kept_cuts: KEPT_CUTS,
        windows: Arc::new(Standings::new(windows)),
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
async fn stop_when_asked(mut asked: Stop, stopper: Stopper, told: Told, teller: Teller) {
    asked.asked().await;
    let text = "ending: what was read is written; once more ends it at once, and loses nothing";
    teller.tell(&Line::new(Level::Info, "stopping", text));
    told.health.stopping();
    told.metrics.stopping();
    stopper.stop();
    asked.asked().await;
    std::process::exit(failure::INTERRUPTED.into());
}
