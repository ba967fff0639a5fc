//! Files that are visible, and of no table: their writer is at work, or was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStoreExt};

use super::{Entry, FOLDER, State, entry};
use crate::error::{Error, Owner};
use crate::object::{Object, ObjectSource};

/// Names of files that are visible, and of no table. No other file has such a name: each has 64
/// random bits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uncommitted(BTreeSet<String>);

impl Uncommitted {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the files of an entry.
    pub(super) fn extend(&mut self, entry: &Entry) {
        let names = entry.files.iter().map(|file| last(file).to_owned());
        self.0.extend(names);
    }

    /// Whether a file is one of them, by its key.
    pub(crate) fn holds(&self, key: &str) -> bool {
        !self.0.is_empty() && self.0.contains(last(key))
    }
}

fn last(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// The files of undecided entries, among objects of journals that were listed, each with the index
/// of its source.
pub(crate) async fn uncommitted(
    sources: &[Arc<dyn ObjectSource>],
    listed: Vec<(usize, Object)>,
) -> Result<Uncommitted, Error> {
    let mut files = Uncommitted::default();
    for (source, object) in undecided(listed) {
        let Some(entry) = read(&*sources[source], &object).await? else {
            continue;
        };
        if entry.state != State::Committed {
            files.extend(&entry);
        }
    }
    Ok(files)
}

/// The entries that may be undecided: all of statements, and the newest of a conversion.
fn undecided(listed: Vec<(usize, Object)>) -> Vec<(usize, Object)> {
    let mut newest: BTreeMap<String, (u32, (usize, Object))> = BTreeMap::new();
    let mut undecided = Vec::new();
    for found in listed {
        let key = &found.1.key;
        let Some(name) = entry::name(key) else {
            continue;
        };
        let Some(number) = entry::number(name) else {
            undecided.push(found);
            continue;
        };
        let place = key.rsplit_once(FOLDER).map_or("", |(place, _)| place);
        let before = newest.get(place).map(|(number, _)| *number);
        if before.is_none_or(|before| before < number) {
            newest.insert(place.to_owned(), (number, found));
        }
    }
    undecided.extend(newest.into_values().map(|(_, found)| found));
    undecided
}

/// Reads an entry; None if it has gone since it was listed: it was a statement's, which ended.
async fn read(source: &dyn ObjectSource, object: &Object) -> Result<Option<Entry>, Error> {
    let all = object.size.and_then(|size| usize::try_from(size).ok());
    let bytes = match source.head(object, all.unwrap_or(usize::MAX)).await {
        Ok(bytes) => bytes,
        Err(error) => match again(source, object).await {
            Again::Found(bytes) => bytes,
            Again::Gone => return Ok(None),
            Again::Failed => return Err(error),
        },
    };
    Entry::read(&object.key, &bytes).map(Some)
}

enum Again {
    Found(Vec<u8>),
    Gone,
    Failed,
}

/// Reads an entry that has changed since it was listed: as it is now.
async fn again(source: &dyn ObjectSource, object: &Object) -> Again {
    let Some((root, store)) = source.store() else {
        let now = Object {
            size: None,
            ..object.clone()
        };
        return match source.head(&now, usize::MAX).await {
            Ok(bytes) => Again::Found(bytes),
            // What a folder says of a file that is not there.
            Err(error) if error.owner == Owner::Usage => Again::Gone,
            Err(_) => Again::Failed,
        };
    };
    let path = object.key.strip_prefix(root.as_str()).map(Path::parse);
    let Some(Ok(path)) = path else {
        return Again::Failed;
    };
    let content = match store.get(&path).await {
        Ok(content) => content.bytes().await,
        Err(error) => Err(error),
    };
    match content {
        Ok(bytes) => Again::Found(bytes.to_vec()),
        Err(StoreError::NotFound { .. }) => Again::Gone,
        Err(_) => Again::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_undecided_is_read() {
        let object = |key: &str| {
            let object = Object {
                key: Arc::from(key),
                size: None,
                modified: None,
                etag: None,
            };
            (0, object)
        };
        let listed = [
            "a/_loglens/00000.json",
            "a/_loglens/00002.json",
            "a/_loglens/00001.json",
            "a/_loglens/00000000000000ff.json",
            "a/_loglens/.lock",
            "b/_loglens/00000.json",
        ];
        let found = undecided(listed.map(object).into());
        let found: Vec<_> = found.iter().map(|(_, object)| &*object.key).collect();
        let expected = [
            "a/_loglens/00000000000000ff.json",
            "a/_loglens/00002.json",
            "b/_loglens/00000.json",
        ];
        assert_eq!(found, expected);
    }
}
