//! Places that statements name to be written to.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use loglens_engine::object::{Listed, ObjectSource};
use loglens_engine::sink::ObjectSink;
use loglens_engine::write::Places;
use loglens_engine::{Error, Owner};

use crate::local_sink::LocalSink;
use crate::s3::access::Access;
use crate::s3::{S3Source, SCHEME};

/// Local folders, and buckets.
#[derive(Debug, Clone, Default)]
pub struct WritablePlaces {
    /// How S3 is reached.
    pub access: Access,
    /// S3 is asked for nothing.
    pub offline: bool,
}

impl WritablePlaces {
    /// A place on S3, which is written to only with a network.
    fn bucket(&self, place: &str) -> Result<S3Source, Error> {
        if self.offline {
            let message =
                format!("{place}: --offline asks nothing of S3, so nothing is written there");
            return Err(Error::new(Owner::Usage, message)
                .hint("write to a local folder, or leave --offline out"));
        }
        S3Source::new(place, self.access.clone())
    }
}

#[async_trait]
impl Places for WritablePlaces {
    async fn is_empty(&self, place: &str) -> Result<bool, Error> {
        let source: Arc<dyn ObjectSource> = if place.starts_with(SCHEME) {
            // All of a folder, and not what else begins with its name.
            let folder = format!("{}/", place.trim_end_matches('/'));
            Arc::new(self.bucket(&folder)?)
        } else {
            check_scheme(place)?;
            if !Path::new(place).exists() {
                return Ok(true);
            }
            crate::source(place)?
        };
        let mut listed = source.list();
        while let Some(found) = listed.next().await {
            if let Listed::Object(_) = found? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn source(&self, place: &str) -> Result<Arc<dyn ObjectSource>, Error> {
        crate::source_with(place, self.access.clone())
    }

    fn sink(&self, place: &str) -> Result<Arc<dyn ObjectSink>, Error> {
        if place.starts_with(SCHEME) {
            return Ok(Arc::new(self.bucket(place)?));
        }
        check_scheme(place)?;
        Ok(Arc::new(LocalSink))
    }
}

/// A bucket of another kind is no folder of its name.
fn check_scheme(place: &str) -> Result<(), Error> {
    match place.split_once("://") {
        Some((scheme, _)) => Err(Error::new(
            Owner::Usage,
            format!("{place}: loglens does not write to {scheme}:// yet"),
        )
        .hint("write to a folder or to s3://BUCKET/FOLDER/")),
        None => Ok(()),
    }
}
