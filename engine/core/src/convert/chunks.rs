//! The objects of a conversion, in chunks.

use std::sync::Arc;

use crate::scan::spec::ScanObject;

/// Bytes of the objects of a chunk. Of 20 MB of compressed flow logs sorting holds about a
/// gigabyte; more spills to disk.
pub(super) const BYTES: u64 = 64 << 20;

/// Objects of a chunk at most. More would save little: a chunk has a few requests of its own.
const OBJECTS: usize = 4096;

/// Divides objects into chunks, by their keys: those of one account, Region and day lie together,
/// so that few folders get files from two chunks.
pub(super) fn of(mut objects: Vec<ScanObject>, most: u64) -> Vec<Arc<[ScanObject]>> {
    objects.sort_by(|a, b| a.object.key.cmp(&b.object.key));
    let mut chunks = Vec::new();
    let mut chunk = Vec::new();
    let mut bytes = 0;
    for object in objects {
        let size = object.object.size.unwrap_or(0);
        if !chunk.is_empty() && (bytes + size > most || chunk.len() >= OBJECTS) {
            chunks.push(std::mem::take(&mut chunk).into());
            bytes = 0;
        }
        bytes += size;
        chunk.push(object);
    }
    if !chunk.is_empty() {
        chunks.push(chunk.into());
    }
    chunks
}

#[cfg(test)]
mod tests {
    use loglens_parsers::key::KeyFacts;

    use super::*;
    use crate::object::Object;

    #[test]
    fn chunks_are_bounded_and_hold_each_object_once() {
        let object = |number: usize, size| ScanObject {
            source: 0,
            object: Object {
                key: Arc::from(format!("{number:06}")),
                size: Some(size),
                modified: None,
                etag: None,
            },
            facts: Arc::new(KeyFacts::default()),
        };
        for (objects, size, most, expected) in [
            (0, 1, 10, vec![]),
            (5, 4, 10, vec![2, 2, 1]),
            (3, 40, 10, vec![1, 1, 1]),
            (10_000, 1, u64::MAX, vec![4096, 4096, 1808]),
        ] {
            let all = (0..objects).rev().map(|number| object(number, size));
            let chunks = of(all.collect(), most);
            let sizes: Vec<_> = chunks.iter().map(|chunk| chunk.len()).collect();
            assert_eq!(sizes, expected);
            let keys = chunks.iter().flat_map(|chunk| chunk.iter());
            let keys: Vec<_> = keys.map(|object| object.object.key.to_string()).collect();
            let in_order: Vec<_> = (0..objects).map(|number| format!("{number:06}")).collect();
            assert_eq!(keys, in_order);
        }
    }
}
