//! Listing and reading.

use futures::TryStreamExt;
use loglens_engine::object::{ObjectFolders, ObjectSource};
use loglens_test_server::Bucket;

use crate::world::{BUCKET, bucket, bytes, listed, only_object, read, server, source};

const KEYS: [&str; 6] = [
    "//AWSLogs/1/a b+c%20?&.log",
    "AWSLogs/1/é <x>.log",
    "AWSLogs/2/x.log",
    "loose-1.log",
    "loose-2.log",
    "new\nline.log",
];

fn with_keys() -> Bucket {
    let mut bucket = Bucket::new().with_pages_of(2);
    for key in KEYS {
        bucket.put(key, key.as_bytes().to_vec());
    }
    bucket.put("AWSLogs/", "");
    bucket
}

#[tokio::test]
async fn raw_keys_come_in_pages_and_are_read_as_they_are() {
    let server = server(with_keys());
    let source = bucket(&server);
    let objects = listed(&source).await.unwrap();
    let keys: Vec<_> = objects.iter().map(|object| &*object.key).collect();
    let expected: Vec<_> = KEYS
        .iter()
        .map(|key| format!("s3://{BUCKET}/{key}"))
        .collect();
    assert_eq!(keys, expected);
    assert_eq!(server.count("ListObjectsV2"), 4);
    for (object, key) in objects.iter().zip(KEYS) {
        assert_eq!(object.size, Some(key.len() as u64));
        assert!(object.modified.is_some_and(|at| at > 1_769_817_600_000_000));
        assert_eq!(
            read(&source, object, 100).await.unwrap(),
            key.as_bytes(),
            "{key}"
        );
    }
}

#[tokio::test]
async fn prefixes_folders_and_what_comes_behind_a_key() {
    let server = server(with_keys());
    let loose = source(&server, &format!("s3://{BUCKET}/loose-"));
    assert_eq!(listed(&loose).await.unwrap().len(), 2);

    let all = bucket(&server);
    let level = all.level(all.root(), 10).await.unwrap().unwrap();
    let root = format!("s3://{BUCKET}/");
    assert_eq!(
        level.folders,
        [format!("{root}/"), format!("{root}AWSLogs/")]
    );
    assert_eq!(level.objects.len(), 3);
    assert!(
        all.level(all.root(), 2).await.unwrap().is_none(),
        "more than two"
    );

    let behind = all.below(
        &format!("{root}AWSLogs/"),
        Some(&format!("{root}AWSLogs/1/z")),
    );
    let behind: Vec<_> = behind.try_collect().await.unwrap();
    let keys: Vec<_> = behind.iter().map(|object| &*object.key).collect();
    assert_eq!(
        keys,
        [
            format!("{root}AWSLogs/1/é <x>.log"),
            format!("{root}AWSLogs/2/x.log")
        ]
    );
}

#[tokio::test]
async fn ranges_between_marks_are_all_that_lies_below() {
    let day = |day: usize| format!("logs/05/{day:02}/");
    let names = |of: std::ops::RangeInclusive<usize>, each: usize| {
        let days = of.map(day);
        let names = days.flat_map(move |day| (0..each).map(move |at| format!("{day}{at:06}.log")));
        names.collect::<Vec<_>>()
    };
    let odd = ["logs/05/", "logs/05/07/", "logs/05/31/", "logs/05/a/b.log"].map(str::to_owned);
    for (keys, lists) in [
        (Vec::new(), 1),
        (odd.to_vec(), 1),
        (names(1..=3, 300), 1),
        // The first page holds three days and some of the fourth.
        (names(1..=31, 288), 11),
        ([names(1..=31, 288), odd.to_vec()].concat(), 11),
        // Many more at the end than at the beginning: one range.
        ([names(1..=9, 100), names(20..=20, 5_000)].concat(), 6),
        // No day of them is marked.
        (names(40..=42, 900), 3),
        (names(1..=2, 2_500), 35),
    ] {
        let mut objects = Bucket::new();
        for key in &keys {
            objects.put(key, Vec::new());
        }
        objects.put("logs/06/01/another.log", Vec::new());
        let server = server(objects);
        let all = bucket(&server);
        let root = all.root().to_owned();
        let prefix = format!("{root}logs/05/");
        let one: Vec<_> = all.below(&prefix, None).try_collect().await.unwrap();
        server.forget();
        let marks: Vec<_> = (1..=31).map(|number| root.clone() + &day(number)).collect();
        let ranges = all.below_by_marks(&prefix, &marks);
        let ranges: Vec<_> = ranges.try_collect().await.unwrap();
        assert_eq!(ranges, one, "{:?}", keys.last());
        assert_eq!(server.count("ListObjectsV2"), lists, "{:?}", keys.last());
    }
}

#[tokio::test]
async fn a_small_object_is_one_request_and_a_large_one_comes_in_parts() {
    for (size, requests) in [
        (0, 0),
        (1, 1),
        (20_000, 1),
        (8 << 20, 1),
        ((20 << 20) + 3, 3),
    ] {
        let all = bytes(size);
        let mut objects = Bucket::new();
        objects.put("x.log", all.clone());
        let server = server(objects);
        let source = bucket(&server);
        let object = only_object(&source).await;
        for room in [usize::MAX, 100_000] {
            server.forget();
            assert!(
                read(&source, &object, room).await.unwrap() == all,
                "{size} {room}"
            );
            assert_eq!(server.count("GetObject"), requests, "{size}");
            for asked in server.log() {
                assert_eq!(asked.details["if-match"], *object.etag.as_deref().unwrap());
            }
        }
        assert_eq!(
            source.head(&object, 16).await.unwrap(),
            &all[..size.min(16)]
        );
    }
}
