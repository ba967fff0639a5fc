//! A bucket as an `object_store`.

use futures::TryStreamExt;
use loglens_test_server::Bucket;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt};

use crate::world::{bucket, bytes, server};

#[tokio::test]
async fn ranges_heads_listings_and_conditions() {
    let mut objects = Bucket::new().with_pages_of(2);
    let all = bytes(1000);
    for key in [
        "t/day=1/a.parquet",
        "t/day=1/b.parquet",
        "t/day=2/c.parquet",
        "t//odd",
        "tt/d",
    ] {
        objects.put(key, all.clone());
    }
    let server = server(objects);
    let store = bucket(&server).parquet_store();
    let path = Path::from("t/day=1/a.parquet");

    let head = store.head(&path).await.unwrap();
    assert_eq!(head.size, 1000);
    server.forget();
    let ranges = store.get_ranges(&path, &[10..20, 990..1000]).await.unwrap();
    assert_eq!(ranges, [&all[10..20], &all[990..]]);
    for (range, expected) in [
        (GetRange::Suffix(8), 992..1000),
        (GetRange::Offset(900), 900..1000),
        (GetRange::Bounded(5..7), 5..7),
    ] {
        let options = GetOptions {
            range: Some(range),
            ..GetOptions::default()
        };
        let found = store.get_opts(&path, options).await.unwrap();
        assert_eq!(
            (found.range.clone(), found.meta.size),
            (expected.clone(), 1000)
        );
        let (start, end) = (expected.start as usize, expected.end as usize);
        assert_eq!(found.bytes().await.unwrap(), all[start..end]);
    }
    assert_eq!(
        server.count("HeadObject"),
        0,
        "a range needs no other request"
    );

    let listed: Vec<_> = store
        .list(Some(&Path::from("t")))
        .try_collect()
        .await
        .unwrap();
    let names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    assert_eq!(
        names,
        [
            "t/day=1/a.parquet",
            "t/day=1/b.parquet",
            "t/day=2/c.parquet"
        ]
    );
    let level = store
        .list_with_delimiter(Some(&Path::from("t")))
        .await
        .unwrap();
    assert_eq!(
        level.common_prefixes,
        [Path::from("t/day=1"), Path::from("t/day=2")]
    );

    let missing = store.get(&Path::from("t/none")).await.err().unwrap();
    assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
    let options = GetOptions {
        if_match: Some("\"x\"".to_owned()),
        ..GetOptions::default()
    };
    let other = store.get_opts(&path, options).await.err().unwrap();
    assert!(matches!(other, Error::Precondition { .. }), "{other}");
}
