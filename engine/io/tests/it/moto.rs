//! The same source and sink over moto, which others wrote: our own server may share our mistakes.
//!
//! `cargo xtask test` installs moto and names its Python; elsewhere these tests are passed over.

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use futures::TryStreamExt;
use loglens_engine::object::{ObjectFolders, ObjectSource};
use loglens_engine::sink::{Condition, ObjectSink};
use loglens_io::s3::S3Source;
use loglens_io::s3::access::Access;
use loglens_test_server::Moto;

use crate::sinks::{Place, suite};
use crate::world::{BUCKET, bytes, listed, read};

/// What is asked of moto.
trait Asked {
    fn source(&self, place: &str) -> S3Source;

    fn bucket(&self) -> S3Source {
        self.source(&format!("s3://{BUCKET}/"))
    }

    /// Multipart uploads that are neither complete nor aborted.
    fn open_uploads(&self) -> usize;
}

impl Asked for Moto {
    fn source(&self, place: &str) -> S3Source {
        let access = Access {
            endpoint_url: Some(format!("http://127.0.0.1:{}", self.port)),
            path_style: true,
            anonymous: true,
            ..Access::default()
        };
        S3Source::new(place, access).unwrap()
    }

    fn open_uploads(&self) -> usize {
        let host = format!("127.0.0.1:{}", self.port);
        let mut stream = TcpStream::connect(&host).unwrap();
        let request = format!("GET /{BUCKET}?uploads HTTP/1.0\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("ListMultipartUploadsResult"), "{answer}");
        answer.matches("<UploadId>").count()
    }
}

async fn put(sink: &S3Source, key: &str, bytes: impl Into<Bytes>) {
    let key = format!("s3://{BUCKET}/{key}");
    sink.put(&key, bytes.into(), Condition::Always)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_written_under_conditions_and_in_parts() {
    let Some(moto) = Moto::start() else { return };
    suite(Place {
        sink: Box::new(moto.bucket()),
        root: format!("s3://{BUCKET}/"),
        unfinished: Box::new(|| moto.open_uploads()),
    })
    .await;
}

#[tokio::test]
async fn pages_folders_and_raw_keys() {
    let Some(moto) = Moto::start() else { return };
    let bucket = moto.bucket();
    let mut keys: Vec<String> = (0..20).map(|number| format!("a/{number:02}.log")).collect();
    keys.extend(["AWSLogs/1/é <x>&'.log", "b/a b+c%20?.log"].map(str::to_owned));
    keys.sort();
    for key in &keys {
        put(&bucket, key, key.clone()).await;
    }
    let objects = listed(&bucket).await.unwrap();
    let found: Vec<_> = objects
        .iter()
        .map(|object| object.key.to_string())
        .collect();
    let root = format!("s3://{BUCKET}/");
    let expected: Vec<_> = keys.iter().map(|key| format!("{root}{key}")).collect();
    assert_eq!(found, expected, "in pages of seven");
    for (object, key) in objects.iter().zip(&keys) {
        assert_eq!(object.size, Some(key.len() as u64));
        assert_eq!(read(&bucket, object, 99).await.unwrap(), key.as_bytes());
    }
    let level = bucket.level(&root, 10).await.unwrap().unwrap();
    let folders = ["AWSLogs/", "a/", "b/"].map(|folder| format!("{root}{folder}"));
    assert_eq!(level.folders, folders);
    let after = bucket.below(&format!("{root}a/"), Some(&format!("{root}a/11.log")));
    let after: Vec<_> = after.try_collect().await.unwrap();
    assert_eq!(after.len(), 8);
    assert_eq!(*after[0].key, format!("{root}a/12.log"));
}

#[tokio::test]
async fn ranges_and_objects_that_change() {
    let Some(moto) = Moto::start() else { return };
    let bucket = moto.bucket();
    let all = bytes((9 << 20) + 3);
    put(&bucket, "large.log", all.clone()).await;
    let object = listed(&bucket).await.unwrap().remove(0);
    assert_eq!(bucket.head(&object, 100).await.unwrap(), &all[..100]);
    assert!(read(&bucket, &object, 1 << 20).await.unwrap() == all);

    put(&bucket, "large.log", "another").await;
    let error = read(&bucket, &object, 99).await.unwrap_err();
    assert!(
        error.message.contains("changed after it was listed"),
        "{error:?}"
    );
    bucket.delete(&object.key).await.unwrap();
    let error = read(&bucket, &object, 99).await.unwrap_err();
    assert!(
        error
            .message
            .contains("was listed and is not there any more"),
        "{error:?}"
    );
    let missing = moto.source("s3://org-lgos/AWSLogs/");
    let error = listed(&missing).await.unwrap_err();
    assert!(
        error.message.contains("there is no bucket org-lgos"),
        "{error:?}"
    );
}
