//! A bucket as an `object_store`, for readers of Parquet.
//!
//! It reads and lists. Writing goes through [`ObjectSink`](loglens_engine::sink::ObjectSink), which
//! knows conditions that `object_store` does not. A [`Path`] cannot have empty segments: keys such
//! as `//AWSLogs` are out of its reach, and stay out of its listings.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::primitives::DateTime as SdkTime;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{self, BoxStream, StreamExt};
use loglens_engine::object::{Level, Object};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

use super::S3Source;
use super::connection::Connection;
use super::failure::Ask;
use super::list::{self, Listing};
use crate::aws::refusal::Refusal;

/// The name of the store in errors.
const STORE: &str = "S3";

/// A bucket for readers of Parquet.
#[derive(Debug, Clone)]
pub struct S3Store {
    bucket_root: String,
    connection: Arc<Connection>,
}

impl S3Source {
    /// The bucket of the source as an `object_store`.
    pub fn parquet_store(&self) -> S3Store {
        S3Store {
            bucket_root: self.bucket_root.clone(),
            connection: Arc::clone(&self.connection),
        }
    }
}

/// What a GET gives.
struct Found {
    bytes: Bytes,
    range: Range<u64>,
    size: u64,
    etag: Option<String>,
    modified: Option<SdkTime>,
}

impl S3Store {
    async fn get(&self, key: &str, options: &GetOptions) -> Result<Found> {
        let ask = Ask::new(
            if options.head {
                "HeadObject"
            } else {
                "GetObject"
            },
            key,
        );
        let (bucket, payer) = (self.connection.bucket.clone(), self.connection.payer());
        let (key, options) = (key.to_owned(), options.clone());
        let range = options.range.as_ref().map(|range| match range {
            GetRange::Bounded(range) => format!("bytes={}-{}", range.start, range.end.max(1) - 1),
            GetRange::Offset(first) => format!("bytes={first}-"),
            GetRange::Suffix(bytes) => format!("bytes=-{bytes}"),
        });
        let answer = self.connection.try_ask(&ask, move |client| {
            let head = options.head.then(|| {
                client
                    .head_object()
                    .bucket(&bucket)
                    .key(&key)
                    .set_if_match(options.if_match.clone())
                    .set_if_none_match(options.if_none_match.clone())
                    .set_request_payer(payer.clone())
            });
            let get = client
                .get_object()
                .bucket(&bucket)
                .key(&key)
                .set_range(range.clone())
                .set_if_match(options.if_match.clone())
                .set_if_none_match(options.if_none_match.clone())
                .set_request_payer(payer.clone());
            async move {
                if let Some(head) = head {
                    let answer = head.send().await?;
                    return Ok(Found {
                        bytes: Bytes::new(),
                        range: 0..0,
                        size: unsigned(answer.content_length()),
                        etag: answer.e_tag().map(str::to_owned),
                        modified: answer.last_modified().copied(),
                    });
                }
                let answer = get.send().await?;
                let (first, size) = place(answer.content_range());
                let (etag, modified) = (
                    answer.e_tag().map(str::to_owned),
                    answer.last_modified().copied(),
                );
                let expected = unsigned(answer.content_length());
                let bytes = answer.body.collect().await;
                let bytes = bytes.map_err(|error| Refusal::on_the_way(error.to_string()))?;
                let bytes = bytes.into_bytes();
                let length = bytes.len() as u64;
                if length != expected {
                    return Err(Refusal::on_the_way(format!(
                        "the answer ended after {length} of {expected} bytes"
                    )));
                }
                Ok(Found {
                    range: first..first + length,
                    size: size.unwrap_or(length),
                    bytes,
                    etag,
                    modified,
                })
            }
        });
        match answer.await.map_err(generic)? {
            Ok(found) => {
                self.connection.came(found.bytes.len());
                Ok(found)
            }
            Err(refusal) => {
                let source = Box::new(self.connection.error(&ask, &refusal));
                let path = ask.key;
                Err(match refusal.status {
                    Some(304) => Error::NotModified { path, source },
                    Some(403) => Error::PermissionDenied { path, source },
                    Some(404) => Error::NotFound { path, source },
                    Some(412) => Error::Precondition { path, source },
                    _ => Error::Generic {
                        store: STORE,
                        source,
                    },
                })
            }
        }
    }
}

/// What a store calls a listed object; None where it has no name for it.
pub(crate) fn meta(root: &str, object: &Object) -> Option<ObjectMeta> {
    let key = object.key.strip_prefix(root)?;
    let location = Path::parse(key).ok().filter(|path| path.as_ref() == key)?;
    Some(ObjectMeta {
        location,
        last_modified: object
            .modified
            .and_then(DateTime::from_timestamp_micros)
            .unwrap_or_default(),
        size: object.size.unwrap_or(0),
        e_tag: object.etag.as_deref().map(str::to_owned),
        version: None,
    })
}

/// What a store calls a folder; None where it has no name for it.
fn folder_path(root: &str, folder: &str) -> Option<Path> {
    let key = folder.strip_prefix(root)?.strip_suffix('/')?;
    Path::parse(key).ok().filter(|path| path.as_ref() == key)
}

/// What a store calls what lies directly in a folder.
pub(crate) fn of_level(root: &str, level: &Level) -> ListResult {
    let folders = level.folders.iter();
    let objects = level.objects.iter();
    ListResult {
        common_prefixes: folders
            .filter_map(|folder| folder_path(root, folder))
            .collect(),
        objects: objects.filter_map(|object| meta(root, object)).collect(),
    }
}

fn unsigned(number: Option<i64>) -> u64 {
    u64::try_from(number.unwrap_or(0)).unwrap_or(0)
}

/// The first byte of `bytes 2-5/10`, and how many there are in all.
fn place(range: Option<&str>) -> (u64, Option<u64>) {
    let parts = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('/'));
    let Some((span, size)) = parts else {
        return (0, None);
    };
    let first = span.split('-').next().and_then(|first| first.parse().ok());
    (first.unwrap_or(0), size.parse().ok())
}

/// The prefix of a folder: whole segments.
pub(crate) fn folder(prefix: Option<&Path>) -> String {
    match prefix.map(Path::as_ref) {
        None | Some("") => String::new(),
        Some(prefix) => format!("{prefix}/"),
    }
}

pub(crate) fn generic(error: loglens_engine::Error) -> Error {
    Error::Generic {
        store: STORE,
        source: Box::new(error),
    }
}

pub(crate) fn reads_only(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: "the S3 reader of loglens".to_owned(),
    }
}

impl fmt::Display for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bucket_root)
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(reads_only("put_opts"))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(reads_only("put_multipart_opts"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let found = self.get(location.as_ref(), &options).await?;
        let modified = found
            .modified
            .and_then(|time| DateTime::<Utc>::from_timestamp(time.secs(), time.subsec_nanos()));
        let meta = ObjectMeta {
            location: location.clone(),
            last_modified: modified.unwrap_or_default(),
            size: found.size,
            e_tag: found.etag,
            version: None,
        };
        options.check_preconditions(&meta)?;
        let bytes = found.bytes;
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::once(async { Ok(bytes) }).boxed()),
            meta,
            range: found.range,
            attributes: Default::default(),
        })
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        stream::once(async { Err(reads_only("delete_stream")) }).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listing = Listing {
            prefix: folder(prefix),
            ..Listing::default()
        };
        let (store, connection) = (self.clone(), Arc::clone(&self.connection));
        let objects = list::objects(connection, listing).filter_map(move |object| {
            let meta = match object {
                Ok(object) => meta(&store.bucket_root, &object).map(Ok),
                Err(error) => Some(Err(generic(error))),
            };
            async move { meta }
        });
        objects.boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let level = list::level(&self.connection, &folder(prefix), usize::MAX).await;
        let level = level.map_err(generic)?.unwrap_or_default();
        Ok(of_level(&self.bucket_root, &level))
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(reads_only("copy_opts"))
    }
}
