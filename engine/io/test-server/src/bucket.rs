//! A bucket: keys in their order, and how it behaves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::checksum::etag;

/// A bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its objects, by key.
    pub(crate) objects: BTreeMap<String, Stored>,
    /// Keys that listings do not show yet.
    pub(crate) unlisted: BTreeSet<String>,
    /// Multipart uploads that are not complete, by id.
    pub(crate) uploads: HashMap<String, PartsOf>,
    /// The Region that it lies in; None is any.
    pub(crate) region: Option<String>,
    /// Requests must say that they pay.
    pub(crate) requester_pays: bool,
    /// Keys of a page of a listing.
    pub(crate) page: usize,
    /// The Unix time, in seconds, of the next write.
    pub(crate) clock: i64,
}

/// The key of an upload, and its parts by number.
pub(crate) type PartsOf = (String, BTreeMap<u32, Bytes>);

/// An object.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) content: Content,
    pub(crate) etag: String,
    pub(crate) modified: i64,
}

/// The bytes of an object.
#[derive(Clone)]
pub enum Content {
    /// As they are.
    Bytes(Bytes),
    /// Made from the key when they are read.
    Made {
        /// How many.
        size: u64,
        /// Makes them.
        make: Arc<dyn Fn(&str) -> Bytes + Send + Sync>,
    },
}

impl Content {
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Made { size, .. } => *size,
        }
    }

    pub(crate) fn bytes(&self, key: &str) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Made { make, .. } => make(key),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.size())
    }
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            unlisted: BTreeSet::new(),
            uploads: HashMap::new(),
            region: None,
            requester_pays: false,
            page: 1000,
            clock: 1_769_817_600,
        }
    }
}

impl Bucket {
    /// An empty bucket.
    pub fn new() -> Self {
        Self::default()
    }

    /// It lies in this Region, and says so to those who ask elsewhere.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// Requests must say that they pay.
    #[must_use]
    pub fn requester_pays(mut self) -> Self {
        self.requester_pays = true;
        self
    }

    /// Listings come in pages of so many keys.
    #[must_use]
    pub fn with_pages_of(mut self, keys: usize) -> Self {
        self.page = keys;
        self
    }

    /// Puts an object there.
    pub fn put(&mut self, key: &str, bytes: impl Into<Bytes>) {
        self.put_content(key, Content::Bytes(bytes.into()));
    }

    /// Puts an object there whose bytes are made from its key when they are read.
    pub fn put_content(&mut self, key: &str, content: Content) {
        let etag = match &content {
            Content::Bytes(bytes) => etag(bytes),
            Content::Made { size, .. } => etag(format!("{key} {size}").as_bytes()),
        };
        self.store(key, content, etag);
    }

    pub(crate) fn store(&mut self, key: &str, content: Content, etag: String) {
        self.clock += 1;
        let stored = Stored {
            content,
            etag,
            modified: self.clock,
        };
        self.objects.insert(key.to_owned(), stored);
    }

    /// Listings do not show this key yet, although it can be read.
    pub fn hide(&mut self, key: &str) {
        self.unlisted.insert(key.to_owned());
    }

    /// Listings still show this key, which cannot be read any more.
    pub fn remove(&mut self, key: &str) {
        self.objects.remove(key);
    }

    /// The keys that are there.
    pub fn keys(&self) -> Vec<String> {
        self.objects.keys().cloned().collect()
    }

    /// The bytes of an object.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.objects
            .get(key)
            .map(|stored| stored.content.bytes(key))
    }

    /// How many multipart uploads were neither completed nor aborted.
    pub fn open_uploads(&self) -> usize {
        self.uploads.len()
    }
}
