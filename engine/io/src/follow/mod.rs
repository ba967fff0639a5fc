//! Places whose logs grow: what arrived there since it was looked at last.
//!
//! - [`files`]: a file, a folder or a glob. Files of lines are read as they grow, and rotation is
//!   followed; others (compressed, JSON over several lines) as a whole, when they no longer change.
//! - [`pipe`]: standard input.
//! - `line_file`: one file of lines; `chunk`: what of an object arrived.
//!
//! A [`Follower`] is asked for what arrived, and told what of that was read: only then it counts as
//! read, and is not given again by one that goes on from its positions.

mod chunk;
pub mod files;
mod line_file;
pub mod pipe;

use std::sync::Arc;

use loglens_engine::Error;
use loglens_engine::object::{Object, ObjectSource};

/// What a place gave since it was asked last.
#[derive(Debug, Default)]
pub struct Arrived {
    /// Objects, or what came to them.
    pub objects: Vec<Object>,
    /// What came and is not read: its key, and why.
    pub left_out: Vec<(String, &'static str)>,
    /// Nothing more will come.
    pub ended: bool,
}

/// A place whose logs grow.
pub trait Follower: Send + Sync {
    /// What reads what arrived.
    fn source(&self) -> Arc<dyn ObjectSource>;

    /// What arrived and was not given yet. It does not wait.
    fn arrived(&self) -> Result<Arrived, Error>;

    /// Takes down that an object that was given has been read.
    fn read(&self, object: &Object);

    /// How far everything was read, as text to be kept; None where that cannot be gone back to.
    fn positions(&self) -> Option<String>;

    /// Goes on from positions that were kept.
    fn resume(&self, positions: &str) -> Result<(), Error>;
}
