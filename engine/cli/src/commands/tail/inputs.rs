//! The places that are followed.

use std::cell::RefCell;
use std::sync::Arc;

use loglens_engine::object::{Object, ObjectSource};
use loglens_engine::{Error, Owner};
use loglens_io::follow::files::{FollowedFiles, Reading};
use loglens_io::follow::pipe::FollowedPipe;
use loglens_io::follow::{Arrived, Follower};
use loglens_io::s3::SCHEME;

/// All places, in the order of the engine's sources.
pub(super) struct Inputs {
    reading: Reading,
    all: RefCell<Vec<Input>>,
}

struct Input {
    follower: Box<dyn Follower>,
    /// What arrived before the statement was planned.
    first: Option<Arrived>,
    ended: bool,
}

impl Inputs {
    pub(super) fn new(once: bool, in_small_pieces: bool) -> Self {
        Self {
            reading: Reading {
                once,
                in_small_pieces,
            },
            all: RefCell::default(),
        }
    }

    /// Follows a place.
    pub(super) fn open(&self, place: &str) -> Result<Option<Arc<dyn ObjectSource>>, Error> {
        if place.starts_with(SCHEME) {
            return Err(Error::new(
                Owner::Usage,
                format!("{place}: tail follows files, folders and standard input"),
            )
            .hint("ask `loglens query` what lies in a bucket"));
        }
        let follower: Box<dyn Follower> = match place {
            "-" => Box::new(FollowedPipe::stdin()),
            place => Box::new(FollowedFiles::new(place, self.reading)?),
        };
        let source = follower.source();
        self.all.borrow_mut().push(Input {
            follower,
            first: None,
            ended: false,
        });
        Ok(Some(source))
    }

    /// Whether something arrived anywhere, or everything ended.
    pub(super) fn wait_for_something(&self) -> Result<bool, Error> {
        let mut all = self.all.borrow_mut();
        let mut came = false;
        for input in all.iter_mut().filter(|input| input.first.is_none()) {
            let arrived = input.follower.arrived()?;
            if !arrived.objects.is_empty() || arrived.ended || self.reading.once {
                came = true;
                input.first = Some(arrived);
            }
        }
        Ok(came)
    }

    pub(super) fn len(&self) -> usize {
        self.all.borrow().len()
    }

    /// What arrived at a place.
    pub(super) fn arrived(&self, source: usize) -> Result<Arrived, Error> {
        let input = &mut self.all.borrow_mut()[source];
        match input.first.take() {
            Some(first) => Ok(first),
            None if input.ended => Ok(Arrived::default()),
            None => input.follower.arrived(),
        }
    }

    /// Takes down what was read of a place.
    pub(super) fn read(&self, source: usize, objects: &[Object]) {
        let all = self.all.borrow();
        for object in objects {
            all[source].follower.read(object);
        }
    }

    /// Takes down that nothing more comes from a place.
    pub(super) fn end(&self, source: usize) {
        self.all.borrow_mut()[source].ended = true;
    }

    pub(super) fn have_ended(&self) -> bool {
        self.all.borrow().iter().all(|input| input.ended)
    }

    /// Whether all places can be gone back to.
    pub(super) fn can_resume(&self) -> bool {
        self.all
            .borrow()
            .iter()
            .all(|input| input.follower.positions().is_some())
    }

    /// How far each was read.
    pub(super) fn positions(&self) -> Vec<Option<String>> {
        self.all
            .borrow()
            .iter()
            .map(|input| input.follower.positions())
            .collect()
    }

    /// Goes on from there: what was given before the positions were known is asked for again.
    pub(super) fn resume(&self, positions: &[Option<String>]) -> Result<(), Error> {
        for (input, positions) in self.all.borrow_mut().iter_mut().zip(positions) {
            if let Some(positions) = positions {
                input.follower.resume(positions)?;
                input.first = None;
            }
        }
        Ok(())
    }
}
