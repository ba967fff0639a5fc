//! Somebody in a case, from the start to the last run.

use crate::answer::{Alike, Answer};
use crate::error::Result;
use crate::measure::Measured;
use crate::peers::{Peer, Running};
use crate::results::Contestant;

/// Who takes longer than this to warm up does not run again: that run is what counts.
const PATIENCE_SECONDS: f64 = 30.0;

/// Somebody in a case.
pub(crate) struct Entrant {
    contestant: Contestant,
    kind: Kind,
}

/// How it runs.
enum Kind {
    Ours {
        cores: usize,
    },
    Peer(Running),
    /// It cannot, or it failed.
    Out,
}

impl Entrant {
    pub(crate) fn ours(name: &str, cores: usize) -> Self {
        Self {
            contestant: Contestant::new(name),
            kind: Kind::Ours { cores },
        }
    }

    pub(crate) fn peer(peer: Peer, started: Result<Running>) -> Self {
        match started {
            Ok(running) => Self {
                contestant: Contestant::new(peer.name()),
                kind: Kind::Peer(running),
            },
            Err(error) => Self {
                contestant: Contestant::cannot(peer.name(), error.to_string()),
                kind: Kind::Out,
            },
        }
    }

    /// What it took.
    pub(crate) fn contestant(self) -> Contestant {
        self.contestant
    }

    /// Runs once, checks the answer, and notes what it took if that counts.
    pub(crate) fn run(
        &mut self,
        counts: bool,
        expected: &mut Option<Answer>,
        alike: Alike,
        ours: &dyn Fn(usize) -> Result<(Measured, Answer)>,
    ) {
        let ran = match &mut self.kind {
            Kind::Ours { cores } => ours(*cores).map(|(measured, answer)| {
                (
                    measured.seconds,
                    measured.cpu_seconds,
                    measured.peak_bytes,
                    answer,
                )
            }),
            Kind::Peer(running) => running
                .run()
                .map(|run| (run.seconds, run.cpu_seconds, run.peak_bytes, run.answer)),
            Kind::Out => return,
        };
        match ran {
            Ok((seconds, cpu_seconds, peak_bytes, answer)) => {
                let name = &self.contestant.name;
                let expected = expected.get_or_insert_with(|| answer.clone());
                if let Some(difference) = expected.difference(&answer, alike) {
                    eprintln!("  DISAGREES: {name}: {difference}");
                    self.contestant.disagrees = Some(difference);
                } else if seconds > PATIENCE_SECONDS {
                    self.contestant.add(seconds, cpu_seconds, peak_bytes);
                    self.kind = Kind::Out;
                } else if counts {
                    self.contestant.add(seconds, cpu_seconds, peak_bytes);
                }
            }
            Err(error) => {
                let error = error.to_string();
                let reason = error.lines().next().unwrap_or_default();
                eprintln!("  FAILED: {}: {reason}", self.contestant.name);
                self.contestant = Contestant::cannot(&self.contestant.name, reason);
                self.kind = Kind::Out;
            }
        }
    }
}
