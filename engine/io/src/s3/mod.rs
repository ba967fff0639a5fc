//! S3: `s3://bucket/prefix`.
//!
//! - [`place`]: what a place is called.
//! - [`access`]: credentials, Region, endpoint.
//! - `connection`: all requests to one bucket, at the pace that it bears (`pace`); what it refuses
//!   (`failure`).
//! - [`customer_key`]: keys that S3 does not keep.
//! - [`checks`]: whether all of that works, step by step.
//! - `list`, `read`: objects by their raw keys.
//! - `sink`: writing.
//! - [`store`]: the same bucket as an `object_store`, for Parquet.
//!
//! Keys are raw text: `//AWSLogs` is legal, and nothing is normalised.

pub mod access;
pub mod checks;
mod connection;
pub mod customer_key;
mod failure;
mod list;
mod pace;
pub mod place;
mod read;
mod sink;
pub mod store;

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use loglens_engine::object::{
    Level, Listed, Object, ObjectFolders, ObjectReader, ObjectSource, Reading, Requests,
};
use loglens_engine::{Error, Owner};
use object_store::ObjectStore;
use tokio::runtime::Handle;

use access::Access;
use connection::Connection;
use list::Listing;
use place::Place;
pub use place::SCHEME;
use read::S3Reader;

use crate::aws::network::network;

/// A bucket, or what in it begins with a prefix.
#[derive(Debug, Clone)]
pub struct S3Source {
    /// The place as it was named.
    name: String,
    /// What all keys of the bucket begin with: `s3://bucket/`.
    bucket_root: String,
    /// What all keys of this place begin with.
    root: String,
    connection: Arc<Connection>,
}

impl S3Source {
    /// The source of a place. Nothing is asked for yet.
    pub fn new(place: &str, access: Access) -> Result<Self, Error> {
        let Place { bucket, prefix } = Place::parse(place)?;
        let bucket_root = format!("{SCHEME}{bucket}/");
        Ok(Self {
            name: place.to_owned(),
            root: format!("{bucket_root}{prefix}"),
            bucket_root,
            connection: Arc::new(Connection::new(bucket, access)),
        })
    }

    /// The key in the bucket of a key of the source.
    fn raw<'a>(&self, key: &'a str) -> Result<&'a str, Error> {
        key.strip_prefix(self.bucket_root.as_str()).ok_or_else(|| {
            let message = format!("{key} does not lie in {}", self.bucket_root);
            Error::new(Owner::Internal, message)
        })
    }

    fn objects(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> BoxStream<'static, Result<Object, Error>> {
        let raw = |key| self.raw(key).map(str::to_owned);
        let listing = raw(prefix).and_then(|prefix| {
            Ok(Listing {
                prefix,
                by_folder: false,
                after: after.map(raw).transpose()?,
            })
        });
        match listing {
            Ok(listing) => list::objects(Arc::clone(&self.connection), listing),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }
}

#[async_trait]
impl ObjectSource for S3Source {
    fn name(&self) -> &str {
        &self.name
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        let objects = self.objects(&self.root, None);
        objects.map(|object| object.map(Listed::Object)).boxed()
    }

    async fn open(&self, object: &Object) -> Result<Box<dyn ObjectReader>, Error> {
        let key = self.raw(&object.key)?;
        let connection = Arc::clone(&self.connection);
        Ok(Box::new(S3Reader::new(connection, key, object.clone())))
    }

    async fn head(&self, object: &Object, most: usize) -> Result<Vec<u8>, Error> {
        let end = object.size.unwrap_or(0).min(most as u64);
        read::range(&self.connection, self.raw(&object.key)?, object, 0..end).await
    }

    fn folders(&self) -> Option<Arc<dyn ObjectFolders>> {
        Some(Arc::new(self.clone()))
    }

    fn store(&self) -> Option<(String, Arc<dyn ObjectStore>)> {
        Some((self.bucket_root.clone(), Arc::new(self.parquet_store())))
    }

    fn reading(&self) -> Reading {
        Reading::Network(pace::MOST)
    }

    fn network(&self) -> Option<Handle> {
        network().ok().map(|network| network.handle().clone())
    }

    fn gets(&self, object: &Object) -> u64 {
        read::requests(object.size.unwrap_or(0))
    }

    fn requests(&self) -> Option<Requests> {
        Some(self.connection.requests())
    }
}

#[async_trait]
impl ObjectFolders for S3Source {
    fn root(&self) -> &str {
        &self.root
    }

    async fn level(&self, folder: &str, most: usize) -> Result<Option<Level>, Error> {
        list::level(&self.connection, self.raw(folder)?, most).await
    }

    fn below(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> BoxStream<'static, Result<Object, Error>> {
        self.objects(prefix, after)
    }

    fn below_by_marks(
        &self,
        prefix: &str,
        marks: &[String],
    ) -> BoxStream<'static, Result<Object, Error>> {
        let raw = |key: &String| self.raw(key).map(str::to_owned);
        let marks: Result<Vec<_>, _> = marks.iter().map(raw).collect();
        match self.raw(prefix).and_then(|prefix| Ok((prefix, marks?))) {
            Ok((prefix, marks)) => {
                list::side_by_side(Arc::clone(&self.connection), prefix.to_owned(), marks)
            }
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }
}
