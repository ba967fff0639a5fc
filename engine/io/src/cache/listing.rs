//! Listings, kept for the time without a network.
//!
//! A listing that was made to its end is kept as a whole; one that somebody broke off is kept
//! apart, as its beginning.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt, try_unfold};
use loglens_engine::object::{Level, Object};
use loglens_engine::{Error, Owner};

use super::disk::{Disk, Name, blocking};

/// A listing that is asked for: all keys that begin with `prefix`, and lie behind `after`.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    pub(super) prefix: String,
    pub(super) after: Option<String>,
}

impl Listing {
    fn name(&self, kind: &str) -> Name {
        Name::of(&[kind, &self.prefix, self.after.as_deref().unwrap_or("")])
    }

    fn whole(&self) -> Name {
        self.name("below")
    }

    fn beginning(&self) -> Name {
        self.name("first below")
    }

    /// The folders that a listing of would hold this one, the nearest first.
    fn outer(&self) -> impl Iterator<Item = Self> {
        let ends = self.prefix.match_indices('/').map(|(at, _)| at + 1).rev();
        ends.map(|end| Self {
            prefix: self.prefix[..end].to_owned(),
            after: None,
        })
    }

    fn holds(&self, object: &Object) -> bool {
        let after = self.after.as_deref();
        object.key.starts_with(&self.prefix) && after.is_none_or(|after| *object.key > *after)
    }
}

/// Gives on what is listed and keeps it.
pub(super) fn keeping(
    disk: Arc<Disk>,
    listing: Listing,
    objects: BoxStream<'static, Result<Object, Error>>,
) -> BoxStream<'static, Result<Object, Error>> {
    let taken_down = TakenDown {
        disk,
        listing,
        objects: Vec::new(),
    };
    let step = |(mut objects, mut taken_down): (BoxStream<'static, _>, TakenDown)| async move {
        match objects.next().await.transpose()? {
            Some(object) => {
                let object: Object = object;
                taken_down.objects.push(object.clone());
                Ok(Some((object, (objects, taken_down))))
            }
            None => {
                taken_down.complete().await?;
                Ok(None)
            }
        }
    };
    try_unfold((objects, taken_down), step).boxed()
}

/// What a listing gave so far.
struct TakenDown {
    disk: Arc<Disk>,
    listing: Listing,
    objects: Vec<Object>,
}

impl TakenDown {
    async fn complete(mut self) -> Result<(), Error> {
        let objects = std::mem::take(&mut self.objects);
        let (disk, name) = (Arc::clone(&self.disk), self.listing.whole());
        blocking(move || keep(&disk, &name, &objects)).await
    }
}

impl Drop for TakenDown {
    fn drop(&mut self) {
        // Broken off: there are few of these.
        if !self.objects.is_empty() {
            keep(&self.disk, &self.listing.beginning(), &self.objects);
        }
    }
}

fn keep(disk: &Disk, name: &Name, value: &impl serde::Serialize) {
    if let Ok(bytes) = serde_json::to_vec(value) {
        disk.keep(name, &bytes);
    }
}

fn find<T: serde::de::DeserializeOwned>(disk: &Disk, name: &Name) -> Option<T> {
    let bytes = disk.find(name)?.beginning(usize::MAX).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What was kept of a listing, and an error where it was broken off.
pub(super) fn kept(disk: Arc<Disk>, listing: Listing) -> BoxStream<'static, Result<Object, Error>> {
    let found = blocking(move || {
        let objects = find_objects(&disk, &listing);
        let unknown = not_listed(&listing.prefix);
        let (objects, end) = match objects {
            Some((objects, true)) => (objects, None),
            Some((objects, false)) => (objects, Some(Err(unknown))),
            None => (Vec::new(), Some(Err(unknown))),
        };
        stream::iter(objects.into_iter().map(Ok).chain(end))
    });
    stream::once(found)
        .flat_map(|found| match found {
            Ok(objects) => objects.boxed(),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        })
        .boxed()
}

/// The objects of a listing, and whether these are all.
fn find_objects(disk: &Disk, listing: &Listing) -> Option<(Vec<Object>, bool)> {
    if let Some(objects) = find(disk, &listing.whole()) {
        return Some((objects, true));
    }
    let outer = listing.outer();
    if let Some(mut objects) = outer
        .filter_map(|outer| find::<Vec<Object>>(disk, &outer.whole()))
        .next()
    {
        objects.retain(|object| listing.holds(object));
        return Some((objects, true));
    }
    find(disk, &listing.beginning()).map(|objects| (objects, false))
}

/// Keeps what lies directly in a folder; None is more than `most`.
pub(super) fn keep_level(disk: &Disk, folder: &str, most: usize, level: Option<&Level>) {
    keep(disk, &level_name(folder, most), &level);
}

/// What was kept of a folder.
pub(super) fn kept_level(disk: &Disk, folder: &str, most: usize) -> Result<Option<Level>, Error> {
    find(disk, &level_name(folder, most)).ok_or_else(|| not_listed(folder))
}

fn level_name(folder: &str, most: usize) -> Name {
    Name::of(&["level", folder, &most.to_string()])
}

fn not_listed(prefix: &str) -> Error {
    Error::new(
        Owner::External,
        format!("{prefix}: its listing is not in the cache, and --offline asks for nothing"),
    )
    .hint("ask once without --offline, with the same --cache; or name a time range that was asked for before")
}
