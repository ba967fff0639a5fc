//! How long the phases of cuts take.

use std::fmt::{self, Debug, Display};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use loglens_engine::error::Error;
use loglens_engine::shard::Fetched;
use loglens_stream::cut::{Beginning, CutMaker, CutState, MadeObject, Making};
use loglens_stream::shard_log::CutRange;
use serde::{Deserialize, Serialize};

/// Seconds of all cuts together.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Phases {
    /// Records are taken out of what they are packed in, and recognised.
    take: f64,
    /// The names of files are found, and records are grouped for windows.
    name: f64,
    /// The files are made.
    write: f64,
}

impl Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}, {:.1}, {:.1} s", self.take, self.name, self.write)
    }
}

/// A maker of cuts whose phases are timed.
pub(super) struct Timed<M> {
    maker: M,
    phases: Arc<Mutex<Phases>>,
}

impl<M> Timed<M> {
    pub(super) fn new(maker: M, phases: &Arc<Mutex<Phases>>) -> Self {
        Self {
            maker,
            phases: Arc::clone(phases),
        }
    }
}

impl<M: Debug> Debug for Timed<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.maker.fmt(f)
    }
}

#[async_trait]
impl<M: CutMaker> CutMaker for Timed<M> {
    fn configuration(&self) -> String {
        self.maker.configuration()
    }

    async fn begin(&self, beginning: Beginning<'_>) -> Result<Box<dyn Making>, Error> {
        Ok(Box::new(TimedMaking {
            making: self.maker.begin(beginning).await?,
            phases: Arc::clone(&self.phases),
        }))
    }
}

struct TimedMaking {
    making: Box<dyn Making>,
    phases: Arc<Mutex<Phases>>,
}

impl TimedMaking {
    fn add(&self, begun: Instant, phase: impl FnOnce(&mut Phases) -> &mut f64) {
        let mut phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        *phase(&mut phases) += begun.elapsed().as_secs_f64();
    }
}

#[async_trait]
impl Making for TimedMaking {
    async fn ready(&mut self) {
        self.making.ready().await;
    }

    async fn take(&mut self, fetched: Fetched, now: Duration) -> Result<(), Error> {
        let begun = Instant::now();
        let taken = self.making.take(fetched, now).await;
        self.add(begun, |phases| &mut phases.take);
        taken
    }

    fn should_cut(&self, now: Duration) -> bool {
        self.making.should_cut(now)
    }

    async fn names(&mut self, range: &CutRange) -> Result<Vec<String>, Error> {
        let begun = Instant::now();
        let names = self.making.names(range).await;
        self.add(begun, |phases| &mut phases.name);
        names
    }

    async fn object(&mut self, name: &str) -> Result<MadeObject, Error> {
        let begun = Instant::now();
        let object = self.making.object(name).await;
        self.add(begun, |phases| &mut phases.write);
        object
    }

    async fn state(&mut self) -> Result<CutState, Error> {
        self.making.state().await
    }
}
