//! A cached source for readers of Parquet: each range of bytes that they ask for is an entry.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use loglens_engine::object::ObjectFolders;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::CachedFolders;
use super::disk::{Name, blocking};
use crate::s3::store::{folder, generic, meta, of_level, reads_only};

/// The store of a cached source. It reads and lists.
#[derive(Debug)]
pub(super) struct CachedStore {
    /// What all keys begin with.
    root: String,
    store: Arc<dyn ObjectStore>,
    folders: CachedFolders,
    /// What was listed: who reads does not say which content of an object is meant.
    listed: Arc<Listed>,
}

type Listed = Mutex<HashMap<Path, ObjectMeta>>;

/// A panic elsewhere does not make it wrong.
fn lock(listed: &Listed) -> MutexGuard<'_, HashMap<Path, ObjectMeta>> {
    listed.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CachedStore {
    pub(super) fn new(root: String, store: Arc<dyn ObjectStore>, folders: CachedFolders) -> Self {
        Self {
            root,
            store,
            folders,
            listed: Arc::default(),
        }
    }

    fn key(&self, location: &Path) -> String {
        format!("{}{location}", self.root)
    }

    /// Asks the store itself, if that may be.
    async fn fetch(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let may = self.folders.source.may_fetch(&self.key(location));
        may.map_err(generic)?;
        self.store.get_opts(location, options).await
    }

    /// Bytes of an object that was listed, from the cache or into it.
    async fn bytes(&self, meta: &ObjectMeta, etag: &str, options: GetOptions) -> Result<Bytes> {
        let range = options.range.as_ref().map_or("all".to_owned(), |range| {
            // Ranges and suffixes are told apart.
            format!("{range:?}")
        });
        let name = Name::of(&["range", &self.key(&meta.location), etag, &range]);
        let found = self.folders.source.find([name.clone()]).await;
        if let Some(entry) = found.map_err(generic)? {
            let bytes = blocking(move || entry.beginning(usize::MAX)).await;
            return Ok(bytes.and_then(|bytes| bytes).map_err(generic)?.into());
        }
        let answer = self.fetch(&meta.location, options).await?;
        let is_same = answer.meta.e_tag.as_deref() == Some(etag);
        let bytes = answer.bytes().await?;
        if is_same {
            let (disk, kept) = (Arc::clone(&self.folders.source.disk), bytes.clone());
            let keep = blocking(move || disk.keep(&name, &kept));
            keep.await.map_err(generic)?;
        }
        Ok(bytes)
    }
}

/// The bytes that are asked for, of an object of this size.
fn wanted(options: &GetOptions, size: u64) -> Option<Range<u64>> {
    match &options.range {
        None => Some(0..size),
        Some(range) => range.as_range(size).ok(),
    }
}

impl fmt::Display for CachedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (cached)", self.store)
    }
}

#[async_trait]
impl ObjectStore for CachedStore {
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
        let meta = lock(&self.listed).get(location).cloned();
        let known = meta.and_then(|meta| {
            let range = wanted(&options, meta.size)?;
            Some((meta.e_tag.clone()?, range, meta))
        });
        let Some((etag, range, meta)) = known else {
            return self.fetch(location, options).await;
        };
        options.check_preconditions(&meta)?;
        let bytes = match options.head {
            true => Bytes::new(),
            false => self.bytes(&meta, &etag, options).await?,
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::once(async { Ok(bytes) }).boxed()),
            meta,
            range,
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
        let (root, listed) = (self.root.clone(), Arc::clone(&self.listed));
        let prefix = format!("{root}{}", folder(prefix));
        let objects = self.folders.below(&prefix, None);
        let metas = objects.filter_map(move |object| {
            let found = match object {
                Ok(object) => meta(&root, &object).map(Ok),
                Err(error) => Some(Err(generic(error))),
            };
            if let Some(Ok(meta)) = &found {
                lock(&listed).insert(meta.location.clone(), meta.clone());
            }
            async move { found }
        });
        metas.boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = format!("{}{}", self.root, folder(prefix));
        let level = self.folders.level(&prefix, usize::MAX).await;
        let found = of_level(&self.root, &level.map_err(generic)?.unwrap_or_default());
        for meta in &found.objects {
            lock(&self.listed).insert(meta.location.clone(), meta.clone());
        }
        Ok(found)
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(reads_only("copy_opts"))
    }
}
