//! Places that statements name to be written to.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use loglens_engine::object::Listed;
use loglens_engine::sink::ObjectSink;
use loglens_engine::write::Places;
use loglens_engine::{Error, Owner};

use crate::local_sink::LocalSink;

/// Local folders.
#[derive(Debug, Clone, Default)]
pub struct WritablePlaces;

#[async_trait]
impl Places for WritablePlaces {
    async fn is_empty(&self, place: &str) -> Result<bool, Error> {
        check_scheme(place)?;
        if !Path::new(place).exists() {
            return Ok(true);
        }
        let mut listed = crate::source(place)?.list();
        while let Some(found) = listed.next().await {
            if let Listed::Object(_) = found? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn sink(&self, place: &str) -> Result<Arc<dyn ObjectSink>, Error> {
        check_scheme(place)?;
        Ok(Arc::new(LocalSink))
    }
}

/// A bucket is no folder that is called `s3:`.
fn check_scheme(place: &str) -> Result<(), Error> {
    match place.split_once("://") {
        Some((scheme, _)) => Err(Error::new(
            Owner::Usage,
            format!("{place}: loglens does not write to {scheme}:// yet"),
        )
        .hint("write to a folder and copy it there")),
        None => Ok(()),
    }
}
