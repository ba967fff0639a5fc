//! Where logs lie: [`local`] files, folders and globs, and [`stdin`].
//!
//! Each place is an [`ObjectSource`]. [`source`] tells by its text which one a place is; S3 and
//! SQS join here. What is deliberately absent: this crate knows no query plans.

pub mod local;
pub mod local_sink;
pub mod places;
pub mod stdin;

use std::sync::Arc;

use loglens_engine::object::ObjectSource;
use loglens_engine::{Error, Owner};

/// The source that a place named on the command line means: `-` is standard input, the rest are
/// local paths and globs.
pub fn source(place: &str) -> Result<Arc<dyn ObjectSource>, Error> {
    if place == "-" {
        return Ok(Arc::new(stdin::StdinSource::new()));
    }
    if let Some((scheme, _)) = place.split_once("://") {
        return Err(Error::new(
            Owner::Usage,
            format!("{place}: loglens does not read {scheme}:// yet"),
        )
        .hint("copy the objects to a folder and name that"));
    }
    Ok(Arc::new(local::LocalSource::new(place)?))
}
