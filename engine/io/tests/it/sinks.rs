//! One suite over everything that can be written to.

use bytes::Bytes;
use loglens_engine::sink::{Condition, LEAST_PART_BYTES, ObjectSink, Written};
use loglens_io::local_sink::LocalSink;
use loglens_test_server::{Bucket, Fault, Server, Wrong};

use crate::world::{BUCKET, bucket, bytes, server};

/// A sink, what its keys begin with, and how many files or uploads are not complete.
pub(crate) struct Place<'a> {
    pub(crate) sink: Box<dyn ObjectSink>,
    pub(crate) root: String,
    pub(crate) unfinished: Box<dyn Fn() -> usize + 'a>,
}

fn on_s3(server: &Server) -> Place<'_> {
    Place {
        sink: Box::new(bucket(server)),
        root: format!("s3://{BUCKET}/"),
        unfinished: Box::new(|| server.with(BUCKET, |bucket| bucket.open_uploads())),
    }
}

fn on_disk(folder: &tempfile::TempDir) -> Place<'_> {
    let unfinished = || {
        let entries = std::fs::read_dir(folder.path().join("a b")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().starts_with('.'))
            .filter(|name| !name.to_string_lossy().ends_with("lock"))
            .count()
    };
    Place {
        sink: Box::new(LocalSink),
        root: format!("{}/", folder.path().display()),
        unfinished: Box::new(unfinished),
    }
}

fn etag(written: Written) -> String {
    match written {
        Written::Done { etag } => etag.unwrap(),
        Written::Refused => panic!("refused"),
    }
}

pub(crate) async fn suite(place: Place<'_>) {
    let Place {
        sink,
        root,
        unfinished,
    } = place;
    let key = |name: &str| format!("{root}a b/{name}");
    let put = async |name: &str, text: &'static str, condition: Condition| {
        sink.put(&key(name), Bytes::from_static(text.as_bytes()), condition)
            .await
            .unwrap()
    };
    let text = async |name: &str| sink.get(&key(name)).await.unwrap().map(|found| found.bytes);

    assert_eq!(text("one").await, None);
    let first = etag(put("one", "1", Condition::Absent).await);
    assert_eq!(put("one", "2", Condition::Absent).await, Written::Refused);
    assert_eq!(text("one").await.unwrap(), "1");
    let second = etag(put("one", "22", Condition::Matches(first.clone())).await);
    assert_eq!(
        put("one", "3", Condition::Matches(first)).await,
        Written::Refused
    );
    assert_eq!(
        put("none", "3", Condition::Matches(second.clone())).await,
        Written::Refused
    );
    assert_eq!(text("one").await.unwrap(), "22");
    assert!(
        sink.get_if_changed(&key("one"), &second)
            .await
            .unwrap()
            .is_none()
    );
    put("one", "4", Condition::Always).await;
    let changed = sink.get_if_changed(&key("one"), &second).await.unwrap();
    assert_eq!(changed.unwrap().bytes, "4");

    sink.copy(&key("one"), &key("two"), Condition::Always)
        .await
        .unwrap();
    let refused = sink
        .copy(&key("one"), &key("two"), Condition::Absent)
        .await
        .unwrap();
    assert_eq!(refused, Written::Refused);
    assert_eq!(text("two").await.unwrap(), "4");
    sink.delete(&key("two")).await.unwrap();
    sink.delete(&key("two")).await.unwrap();
    assert_eq!(text("two").await, None);

    let (large, rest) = (
        Bytes::from(bytes(LEAST_PART_BYTES)),
        Bytes::from_static(b"rest"),
    );
    let mut upload = sink.begin(&key("large")).await.unwrap();
    upload.part(large.clone()).await.unwrap();
    upload.part(rest.clone()).await.unwrap();
    assert_eq!(
        text("large").await,
        None,
        "nothing is visible before it is complete"
    );
    assert_eq!(unfinished(), 1);
    etag(upload.complete(Condition::Absent).await.unwrap());
    assert!(text("large").await.unwrap() == [&large[..], &rest[..]].concat());

    let mut upload = sink.begin(&key("large")).await.unwrap();
    upload.part(rest.clone()).await.unwrap();
    assert_eq!(
        upload.complete(Condition::Absent).await.unwrap(),
        Written::Refused
    );
    let mut upload = sink.begin(&key("aborted")).await.unwrap();
    upload.part(rest).await.unwrap();
    upload.abort().await.unwrap();
    assert_eq!(text("aborted").await, None);
    assert_eq!(unfinished(), 0);
}

#[tokio::test]
async fn s3_keeps_its_word() {
    let server = server(Bucket::new());
    suite(on_s3(&server)).await;
}

#[tokio::test]
async fn a_folder_keeps_its_word() {
    let folder = tempfile::tempdir().unwrap();
    suite(on_disk(&folder)).await;
}

#[tokio::test]
async fn one_of_many_writers_wins() {
    let server = server(Bucket::new());
    let folder = tempfile::tempdir().unwrap();
    for place in [on_s3(&server), on_disk(&folder)] {
        let key = format!("{}a b/race", place.root);
        let writers = (0..8_u8).map(|writer| {
            let bytes = Bytes::from(vec![writer; 100]);
            place.sink.put(&key, bytes, Condition::Absent)
        });
        let all = futures::future::try_join_all(writers).await.unwrap();
        let winners = all.iter().filter(|written| **written != Written::Refused);
        assert_eq!(winners.count(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_write_changes_nothing() {
    let server = server(Bucket::new());
    let sink = bucket(&server);
    let key = format!("s3://{BUCKET}/x");
    server.fail(Fault::once("PutObject", Wrong::LoseAnswer));
    let written = sink
        .put(&key, Bytes::from_static(b"mine"), Condition::Absent)
        .await
        .unwrap();
    assert!(matches!(written, Written::Done { .. }), "it is ours");

    server.fail(Fault::once("CompleteMultipartUpload", Wrong::LoseAnswer));
    let key = format!("s3://{BUCKET}/parts");
    let mut upload = sink.begin(&key).await.unwrap();
    upload.part(Bytes::from_static(b"part")).await.unwrap();
    let written = upload.complete(Condition::Absent).await.unwrap();
    assert!(matches!(written, Written::Done { .. }), "it is ours");
    assert_eq!(sink.get(&key).await.unwrap().unwrap().bytes, "part");
    assert_eq!(server.with(BUCKET, |bucket| bucket.open_uploads()), 0);
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_aborted() {
    let server = server(Bucket::new());
    let mut upload = bucket(&server)
        .begin(&format!("s3://{BUCKET}/x"))
        .await
        .unwrap();
    upload.part(Bytes::from_static(b"part")).await.unwrap();
    drop(upload);
    for _ in 0..100 {
        if server.with(BUCKET, |bucket| bucket.open_uploads()) == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the upload is still there");
}
