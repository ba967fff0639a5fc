//! Files that are gone at one step or another.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

const LINE: &str = "a line\n";

fn folder(names: impl IntoIterator<Item = String>) -> (TempDir, Vec<PathBuf>) {
    let folder = TempDir::new().unwrap();
    let paths = names.into_iter().map(|name| folder.path().join(name));
    let paths: Vec<_> = paths.collect();
    paths.iter().for_each(|path| fs::write(path, LINE).unwrap());
    (folder, paths)
}

fn follow(place: &Path) -> FollowedFiles {
    FollowedFiles::new(place.to_str().unwrap(), Reading::default()).unwrap()
}

async fn text(files: &FollowedFiles, object: &Object) -> String {
    let mut reader = files.source().open(object).await.unwrap();
    let bytes = reader.read(Vec::new(), 1 << 20).await.unwrap();
    files.read(object);
    String::from_utf8(bytes).unwrap()
}

/// More files than are held open, of which all are deleted after they were given: what is open is
/// read, of the others it is told.
#[tokio::test]
async fn a_file_that_is_gone_before_it_is_read_is_told_of() {
    let (folder, paths) = folder((0..MOST_OPEN + 9).map(|number| format!("{number}.log")));
    let files = follow(folder.path());
    let objects = files.arrived().unwrap().objects;
    assert_eq!(objects.len(), paths.len());
    paths.iter().for_each(|path| fs::remove_file(path).unwrap());
    let mut read = 0;
    for object in &objects {
        read += usize::from(text(&files, object).await == LINE);
    }
    assert_eq!(read, MOST_OPEN);
    let arrived = files.arrived().unwrap();
    assert!(arrived.objects.is_empty());
    assert_eq!(arrived.left_out.len(), 9);
    assert!(arrived.left_out.iter().all(|(_, why)| *why == GONE));
}

/// Another file that has the name of one that was given and is not open is not read in its place.
#[tokio::test]
async fn a_file_that_took_the_name_of_another_is_read_after_it() {
    let (folder, paths) = folder((0..=MOST_OPEN).map(|number| format!("{number}.log")));
    let files = follow(folder.path());
    let objects = files.arrived().unwrap().objects;
    for path in &paths {
        fs::remove_file(path).unwrap();
        fs::write(path, "another\n").unwrap();
    }
    let mut read = Vec::new();
    for object in &objects {
        read.push(text(&files, object).await);
    }
    read.sort();
    assert_eq!(read[0], "");
    assert!(read[1..].iter().all(|read| read == LINE));
    let arrived = files.arrived().unwrap();
    assert_eq!(arrived.objects.len(), paths.len());
    assert_eq!(text(&files, &arrived.objects[0]).await, "another\n");
}

/// Between the renaming of a log and its being made again there is a moment without it.
#[tokio::test]
async fn a_file_that_is_away_is_waited_for() {
    let (_folder, paths) = folder(["flow.log".to_owned()]);
    let files = follow(&paths[0]);
    let objects = files.arrived().unwrap().objects;
    assert_eq!(text(&files, &objects[0]).await, LINE);
    fs::rename(&paths[0], paths[0].with_extension("log.1")).unwrap();
    assert!(files.arrived().unwrap().objects.is_empty());
    fs::write(&paths[0], "another\n").unwrap();
    let objects = files.arrived().unwrap().objects;
    assert_eq!(text(&files, &objects[0]).await, "another\n");
    // What was never there is a mistake.
    assert!(follow(Path::new("no/such/file")).arrived().is_err());
}
