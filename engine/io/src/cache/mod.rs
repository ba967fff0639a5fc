//! A cache on disk of what was fetched: a second identical query makes no GET.
//!
//! - [`Disk`]: the folder. Entries have the digest of their meaning as their names; `entry` is what
//!   one looks like, `space` the bound of all.
//! - [`CachedSource`]: a source whose objects are kept, by key and etag; `reader` gives them.
//! - `listing`: what was listed. With a network it is asked for again every time: only that tells
//!   whether an object is still the one that is kept.
//! - `store`: the same for readers of Parquet.
//!
//! An entry is there as a whole or not at all. What cannot be kept (the disk is full, the object is
//! larger than the cache) is fetched and answered all the same.

mod disk;
mod entry;
mod listing;
mod reader;
mod space;
mod store;

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use loglens_engine::object::{
    Level, Listed, Object, ObjectFolders, ObjectReader, ObjectSource, Reading, Requests,
};
use loglens_engine::{Error, Owner};
use object_store::ObjectStore;

pub use disk::Disk;
use disk::{Name, blocking};
use entry::Entry;
use listing::Listing;
use reader::{KeepingReader, KeptReader};
use store::CachedStore;

/// A source whose objects are kept on disk.
#[derive(Debug, Clone)]
pub struct CachedSource {
    source: Arc<dyn ObjectSource>,
    disk: Arc<Disk>,
    offline: bool,
}

impl CachedSource {
    /// Keeps what a source gives. When `offline`, the source is asked for nothing: listings are
    /// those that were kept, and an object that is not kept is an error.
    pub fn new(source: Arc<dyn ObjectSource>, disk: Arc<Disk>, offline: bool) -> Self {
        Self {
            source,
            disk,
            offline,
        }
    }

    fn cached_folders(&self) -> Option<CachedFolders> {
        Some(CachedFolders {
            folders: self.source.folders()?,
            source: self.clone(),
        })
    }

    /// The first entry that there is of these names.
    async fn find<const N: usize>(&self, names: [Name; N]) -> Result<Option<Arc<Entry>>, Error> {
        let disk = Arc::clone(&self.disk);
        blocking(move || names.iter().find_map(|name| disk.find(name))).await
    }

    /// Refuses to fetch an object without a network.
    fn may_fetch(&self, key: &str) -> Result<(), Error> {
        if !self.offline {
            return Ok(());
        }
        let message = format!("{key}: not in the cache, and --offline asks for nothing");
        Err(Error::new(Owner::External, message).hint(
            "ask once without --offline; if it was fetched before, the cache is too small: --cache-size",
        ))
    }
}

/// What the name of an object's entry is made of, and its bytes. Without an etag nobody could tell
/// whether it was changed; of an empty one nothing is fetched.
fn identity(object: &Object) -> Option<(&str, &str, u64)> {
    let size = object.size.filter(|&size| size > 0)?;
    Some((&object.key, object.etag.as_deref()?, size))
}

#[async_trait]
impl ObjectSource for CachedSource {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn list(&self) -> BoxStream<'static, Result<Listed, Error>> {
        let Some(folders) = self.cached_folders() else {
            return self.source.list();
        };
        let objects = folders.below(folders.root(), None);
        objects.map(|object| object.map(Listed::Object)).boxed()
    }

    async fn open(&self, object: &Object) -> Result<Box<dyn ObjectReader>, Error> {
        let Some((key, etag, size)) = identity(object) else {
            if object.size != Some(0) {
                self.may_fetch(&object.key)?;
            }
            return self.source.open(object).await;
        };
        let name = Name::of(&["object", key, etag]);
        if let Some(entry) = self.find([name.clone()]).await? {
            return Ok(Box::new(KeptReader::new(entry)));
        }
        self.may_fetch(key)?;
        let reader = self.source.open(object).await?;
        let disk = Arc::clone(&self.disk);
        Ok(Box::new(KeepingReader::new(reader, disk, name, size)))
    }

    async fn head(&self, object: &Object, most: usize) -> Result<Vec<u8>, Error> {
        let Some((key, etag, size)) = identity(object) else {
            if object.size != Some(0) {
                self.may_fetch(&object.key)?;
            }
            return self.source.head(object, most).await;
        };
        let whole = Name::of(&["object", key, etag]);
        let head = match size <= most as u64 {
            true => whole.clone(),
            false => Name::of(&["head", key, etag, &most.to_string()]),
        };
        if let Some(entry) = self.find([head.clone(), whole]).await? {
            return blocking(move || entry.beginning(most)).await?;
        }
        self.may_fetch(key)?;
        let bytes = self.source.head(object, most).await?;
        if bytes.len() as u64 != size.min(most as u64) {
            return Ok(bytes);
        }
        let disk = Arc::clone(&self.disk);
        blocking(move || {
            disk.keep(&head, &bytes);
            bytes
        })
        .await
    }

    fn folders(&self) -> Option<Arc<dyn ObjectFolders>> {
        Some(Arc::new(self.cached_folders()?))
    }

    fn store(&self) -> Option<(String, Arc<dyn ObjectStore>)> {
        let (root, store) = self.source.store()?;
        let folders = self.cached_folders()?;
        let store = CachedStore::new(root.clone(), store, folders);
        Some((root, Arc::new(store)))
    }

    fn reading(&self) -> Reading {
        // As of the source, even if all is kept: how it is read decides what of it is asked for.
        self.source.reading()
    }

    fn gets(&self, object: &Object) -> u64 {
        let is_kept = identity(object)
            .is_some_and(|(key, etag, _)| self.disk.has(&Name::of(&["object", key, etag])));
        if is_kept { 0 } else { self.source.gets(object) }
    }

    fn requests(&self) -> Option<Requests> {
        self.source.requests()
    }
}

/// The folders of a source whose listings are kept on disk.
#[derive(Debug, Clone)]
struct CachedFolders {
    source: CachedSource,
    folders: Arc<dyn ObjectFolders>,
}

#[async_trait]
impl ObjectFolders for CachedFolders {
    fn root(&self) -> &str {
        self.folders.root()
    }

    async fn level(&self, folder: &str, most: usize) -> Result<Option<Level>, Error> {
        let (disk, key) = (Arc::clone(&self.source.disk), folder.to_owned());
        if self.source.offline {
            return blocking(move || listing::kept_level(&disk, &key, most)).await?;
        }
        let level = self.folders.level(folder, most).await?;
        blocking(move || {
            listing::keep_level(&disk, &key, most, level.as_ref());
            level
        })
        .await
    }

    fn below(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> BoxStream<'static, Result<Object, Error>> {
        self.kept(prefix, after, || self.folders.below(prefix, after))
    }

    fn below_by_marks(
        &self,
        prefix: &str,
        marks: &[String],
    ) -> BoxStream<'static, Result<Object, Error>> {
        let listed = || self.folders.below_by_marks(prefix, marks);
        self.kept(prefix, None, listed)
    }
}

impl CachedFolders {
    /// A listing, which is kept as it is made, or that was kept.
    fn kept(
        &self,
        prefix: &str,
        after: Option<&str>,
        listed: impl FnOnce() -> BoxStream<'static, Result<Object, Error>>,
    ) -> BoxStream<'static, Result<Object, Error>> {
        let disk = Arc::clone(&self.source.disk);
        let listing = Listing {
            prefix: prefix.to_owned(),
            after: after.map(str::to_owned),
        };
        match self.source.offline {
            true => listing::kept(disk, listing),
            false => listing::keeping(disk, listing, listed()),
        }
    }
}
