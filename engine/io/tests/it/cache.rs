//! What is kept of a bucket.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use loglens_engine::object::{Object, ObjectSource};
use loglens_engine::{Error, Owner};
use loglens_io::cache::{CachedSource, Disk};
use loglens_test_server::{Bucket, Fault, Server};
use tempfile::TempDir;

use crate::world::{BUCKET, bucket, bytes, listed, read, server};

const BOUND: u64 = 1 << 30;

fn cached(server: &Server, folder: &Path, offline: bool) -> CachedSource {
    let disk = Arc::new(Disk::open(folder, BOUND).unwrap());
    CachedSource::new(Arc::new(bucket(server)), disk, offline)
}

/// All files of a kind of a cache.
fn files(folder: &TempDir, kind: &str) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder.path().join("loglens-1").join(kind));
    let paths = entries.into_iter().map(|entry| entry.unwrap().into_path());
    paths.filter(|path| path.is_file()).collect()
}

async fn one(source: &dyn ObjectSource, key: &str) -> Object {
    let objects = listed(source).await.unwrap();
    let key = format!("s3://{BUCKET}/{key}");
    objects
        .into_iter()
        .find(|found| *found.key == *key)
        .unwrap()
}

#[tokio::test]
async fn an_object_is_fetched_once() {
    for size in [0, 1, 20_000, (9 << 20) + 3] {
        let all = bytes(size);
        let mut objects = Bucket::new();
        objects.put("x.log", all.clone());
        let server = server(objects);
        let folder = TempDir::new().unwrap();
        for round in 0..3 {
            server.forget();
            let source = cached(&server, folder.path(), false);
            let object = one(&source, "x.log").await;
            let head = source.head(&object, 16 << 10).await.unwrap();
            assert_eq!(head, &all[..size.min(16 << 10)], "{size}");
            let room = [usize::MAX / 2, 100_000, 7 << 10][round].min(32 << 20);
            assert!(read(&source, &object, room).await.unwrap() == all, "{size}");
            if let Some(object) = source.open(&object).await.unwrap().at_any_place() {
                let mut end = vec![0; 10];
                let got = object.read_at(size as u64 - 1, &mut end).unwrap();
                assert_eq!(&end[..got], &all[size - 1..]);
            }
            assert!(round == 0 || server.count("GetObject") == 0, "{size}");
        }
        assert!(files(&folder, "unfinished").is_empty());
    }
}

#[tokio::test]
async fn a_changed_object_is_fetched_again() {
    let mut objects = Bucket::new();
    objects.put("x.log", "first");
    let server = server(objects);
    let folder = TempDir::new().unwrap();
    let source = cached(&server, folder.path(), false);
    for content in ["first", "other", "first"] {
        server.with(BUCKET, |bucket| bucket.put("x.log", content));
        let object = one(&source, "x.log").await;
        assert_eq!(read(&source, &object, 9).await.unwrap(), content.as_bytes());
    }
    assert_eq!(server.count("GetObject"), 2, "the first is still there");
}

#[tokio::test]
async fn what_is_truncated_or_damaged_is_fetched_again() {
    let all = bytes(300_000);
    let mut objects = Bucket::new();
    objects.put("x.log", all.clone());
    let server = server(objects);
    let folder = TempDir::new().unwrap();
    let source = cached(&server, folder.path(), false);
    let object = one(&source, "x.log").await;
    read(&source, &object, 1 << 20).await.unwrap();
    let entries = files(&folder, "entries");
    let path = entries
        .iter()
        .find(|path| path.metadata().unwrap().len() > 300_000)
        .unwrap();
    let sound = fs::read(path).unwrap();
    let flipped = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        bytes
    };
    let longer = [&sound[..], b"x"].concat();
    let end = sound.len();
    for damaged in [
        sound[..end - 1].to_vec(),
        sound[..7].to_vec(),
        Vec::new(),
        vec![0; end],
        longer,
        flipped(0),
        flipped(150_000),
        flipped(end - 16),
        flipped(end - 9),
        flipped(end - 1),
    ] {
        fs::write(path, damaged).unwrap();
        server.forget();
        assert!(read(&source, &object, 1 << 20).await.unwrap() == all);
        assert_eq!(server.count("GetObject"), 1);
        assert!(fs::read(path).unwrap() == sound, "it is mended");
    }
}

#[tokio::test]
async fn what_is_not_read_to_its_end_is_not_kept() {
    let all = bytes(20 << 20);
    let mut objects = Bucket::new();
    objects.put("x.log", all.clone());
    let server = server(objects);
    let folder = TempDir::new().unwrap();
    let source = cached(&server, folder.path(), false);
    let object = one(&source, "x.log").await;
    let mut reader = source.open(&object).await.unwrap();
    let start = reader.read(Vec::new(), 1 << 20).await.unwrap();
    assert!(start == all[..1 << 20]);
    assert_eq!(files(&folder, "unfinished").len(), 1);
    drop(reader);
    assert!(files(&folder, "unfinished").is_empty());

    // A source that fails in the middle leaves nothing either.
    server.fail(Fault::status("GetObject", 403, "AccessDenied", "Access Denied").after(2));
    read(&source, &object, 1 << 20).await.unwrap_err();
    assert!(files(&folder, "unfinished").is_empty());
    let large = |path: &PathBuf| path.metadata().unwrap().len() > 1 << 20;
    assert!(!files(&folder, "entries").iter().any(large));
}

#[tokio::test]
async fn a_reader_keeps_what_somebody_removes() {
    let all = bytes(5 << 20);
    let mut objects = Bucket::new();
    objects.put("x.log", all.clone());
    let server = server(objects);
    let folder = TempDir::new().unwrap();
    let source = cached(&server, folder.path(), false);
    let object = one(&source, "x.log").await;
    read(&source, &object, 8 << 20).await.unwrap();
    let mut reader = source.open(&object).await.unwrap();
    let mut got = reader.read(Vec::new(), 1 << 20).await.unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    while got.len() < all.len() {
        got = reader.read(got, 1 << 20).await.unwrap();
    }
    assert!(got == all);
    // Without its folder, nothing is kept, and all is answered.
    assert!(read(&source, &object, 8 << 20).await.unwrap() == all);
}

#[tokio::test]
async fn the_bound_holds_and_what_was_of_use_stays() {
    const COUNT: usize = 60;
    let mut objects = Bucket::new();
    for number in 0..COUNT {
        objects.put(&format!("{number:02}.log"), bytes(10_000 + number));
    }
    let server = server(objects);
    let folder = TempDir::new().unwrap();
    let bound = 200_000;
    let source = || {
        let disk = Arc::new(Disk::open(folder.path(), bound).unwrap());
        CachedSource::new(Arc::new(bucket(&server)), disk, false)
    };
    let objects = listed(&source()).await.unwrap();
    // Two caches over one folder, as two processes have them, at the same time.
    let (one, other) = (source(), source());
    let favourite = &objects[0];
    for pair in objects.chunks(2) {
        let both = (read(&one, &pair[0], 9999), read(&other, &pair[1], 9999));
        let both = futures::future::join(both.0, both.1).await;
        assert!(both.0.is_ok() && both.1.is_ok());
        read(&one, favourite, 99_999).await.unwrap();
        let taken: u64 = ["entries", "unfinished"]
            .iter()
            .flat_map(|kind| files(&folder, kind))
            .map(|path| path.metadata().unwrap().len())
            .sum();
        assert!(taken <= bound, "{taken}");
    }
    server.forget();
    read(&one, favourite, 99_999).await.unwrap();
    read(&one, &objects[COUNT - 1], 99_999).await.unwrap();
    assert_eq!(server.count("GetObject"), 0);
    read(&one, &objects[1], 99_999).await.unwrap();
    assert_eq!(
        server.count("GetObject"),
        1,
        "not of use for the longest time"
    );
}

#[tokio::test]
async fn an_object_larger_than_the_cache_is_answered() {
    let mut objects = Bucket::new();
    objects.put("x.log", bytes(10_000));
    let server = server(objects);
    let folder = TempDir::new().unwrap();
    let disk = Arc::new(Disk::open(folder.path(), 5_000).unwrap());
    let source = CachedSource::new(Arc::new(bucket(&server)), disk, false);
    let object = one(&source, "x.log").await;
    assert_eq!(read(&source, &object, 99_999).await.unwrap().len(), 10_000);
}

#[tokio::test]
async fn without_a_network_there_is_what_was_kept() {
    let mut objects = Bucket::new().with_pages_of(2);
    for key in ["a/1.log", "a/2.log", "a/3.log", "b/1.log"] {
        objects.put(key, key.as_bytes().to_vec());
    }
    let server = server(objects);
    let folder = TempDir::new().unwrap();
    let online = cached(&server, folder.path(), false);
    let folders = online.folders().unwrap();
    let root = format!("s3://{BUCKET}/");
    let level = folders.level(&root, 10).await.unwrap().unwrap();
    let mut b = folders.below(&format!("{root}b/"), None);
    let only = b.try_next().await.unwrap().unwrap();
    drop(b);
    read(&online, &only, 99).await.unwrap();
    let a: Vec<_> = folders
        .below(&format!("{root}a/"), None)
        .try_collect()
        .await
        .unwrap();

    server.forget();
    let offline = cached(&server, folder.path(), true);
    let folders = offline.folders().unwrap();
    let found = folders.level(&root, 10).await.unwrap().unwrap();
    assert_eq!(found.folders, level.folders);
    // The beginning of a listing that was broken off, and then an error.
    let mut b = folders.below(&format!("{root}b/"), None);
    assert_eq!(b.try_next().await.unwrap().unwrap(), only);
    assert_eq!(read(&offline, &only, 99).await.unwrap(), b"b/1.log");
    assert_eq!(
        shown(&b.try_next().await.unwrap_err()),
        "External: s3://org-logs/b/: its listing is not in the cache, and --offline asks for nothing\n  \
         ask once without --offline, with the same --cache; or name a time range that was asked for before"
    );
    // A listing is found in that of an outer folder, and what is behind a key in that of all.
    for (prefix, after, found) in [
        ("a/", None, &a[..]),
        ("a/2", None, &a[1..2]),
        ("a/", Some("a/1.log"), &a[1..]),
    ] {
        let after = after.map(|after| format!("{root}{after}"));
        let below = folders.below(&format!("{root}{prefix}"), after.as_deref());
        assert_eq!(below.try_collect::<Vec<_>>().await.unwrap(), found);
    }
    let error = read(&offline, &a[0], 99).await.unwrap_err();
    assert_eq!(
        shown(&error),
        "External: s3://org-logs/a/1.log: not in the cache, and --offline asks for nothing\n  \
         ask once without --offline; if it was fetched before, the cache is too small: --cache-size"
    );
    assert_eq!(error.owner, Owner::External);
    assert!(offline.head(&a[0], 9).await.is_err());
    assert!(listed(&offline).await.is_err());
    assert_eq!(server.log(), []);
}

fn shown(error: &Error) -> String {
    let hint = error.hint.as_deref().unwrap_or_default();
    format!("{:?}: {}\n  {hint}", error.owner, error.message)
}

#[test]
fn a_folder_that_cannot_be_written_to_is_an_error() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Disk::open(&file.join("cache"), BOUND).unwrap_err();
    assert!(error.message.contains("file/cache: "), "{error:?}");
    assert!(error.hint.unwrap().contains("--cache DIR"));
}
