//! Where logs lie: [`local`] files, folders and globs, [`s3`] and [`stdin`]; where they come from:
//! [`kinesis`]; and who reads them: leases in [`dynamodb`] or a folder ([`local_leases`]).
//!
//! Each place is an [`ObjectSource`], and where objects can be written an
//! [`ObjectSink`](loglens_engine::sink::ObjectSink). [`source`] tells by its text which one a
//! place is. What is deliberately absent: this crate knows no query plans.

mod aws;
pub mod cache;
pub mod dynamodb;
pub mod follow;
pub mod kinesis;
pub mod local;
pub mod local_leases;
pub mod local_sink;
pub mod places;
pub mod s3;
pub mod stdin;
pub mod webhook;

use std::sync::Arc;

use loglens_engine::object::ObjectSource;
use loglens_engine::{Error, Owner};

/// The source that a place named on the command line means: `-` is standard input, the rest are
/// local paths and globs.
pub fn source(place: &str) -> Result<Arc<dyn ObjectSource>, Error> {
    source_with(place, s3::access::Access::default())
}

/// The same, with how S3 is reached.
pub fn source_with(
    place: &str,
    access: s3::access::Access,
) -> Result<Arc<dyn ObjectSource>, Error> {
    if place == "-" {
        return Ok(Arc::new(stdin::StdinSource::new()));
    }
    if place.starts_with(s3::SCHEME) {
        return Ok(Arc::new(s3::S3Source::new(place, access)?));
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
