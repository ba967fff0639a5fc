//! A server with a bucket, and sources over it.

use futures::TryStreamExt;
use loglens_engine::Error;
use loglens_engine::object::{Listed, Object, ObjectSource};
use loglens_io::s3::S3Source;
use loglens_io::s3::access::Access;
use loglens_test_server::{Bucket, Server};

/// The bucket of these tests.
pub(crate) const BUCKET: &str = "org-logs";

/// A server with a bucket.
pub(crate) fn server(bucket: Bucket) -> Server {
    let server = Server::start().unwrap();
    server.add(BUCKET, bucket);
    server
}

/// How the server is reached, without credentials.
pub(crate) fn access(server: &Server) -> Access {
    Access {
        endpoint_url: Some(server.endpoint()),
        path_style: true,
        anonymous: true,
        ..Access::default()
    }
}

/// A place of the server.
pub(crate) fn source(server: &Server, place: &str) -> S3Source {
    S3Source::new(place, access(server)).unwrap()
}

/// The bucket of the server.
pub(crate) fn bucket(server: &Server) -> S3Source {
    source(server, &format!("s3://{BUCKET}/"))
}

/// What a source lists.
pub(crate) async fn listed(source: &dyn ObjectSource) -> Result<Vec<Object>, Error> {
    let listed: Vec<Listed> = source.list().try_collect().await?;
    let objects = listed.into_iter().filter_map(|listed| match listed {
        Listed::Object(object) => Some(object),
        Listed::Ignored { .. } => None,
    });
    Ok(objects.collect())
}

/// All bytes of an object, read so many at a time.
pub(crate) async fn read(
    source: &dyn ObjectSource,
    object: &Object,
    room: usize,
) -> Result<Vec<u8>, Error> {
    let mut reader = source.open(object).await?;
    let mut all = Vec::new();
    loop {
        let bytes = reader.read(Vec::new(), room).await?;
        if bytes.is_empty() {
            return Ok(all);
        }
        all.extend(bytes);
    }
}

/// The one object that a bucket holds.
pub(crate) async fn only_object(source: &S3Source) -> Object {
    let mut objects = listed(source).await.unwrap();
    assert_eq!(objects.len(), 1);
    objects.remove(0)
}

/// Bytes that differ from place to place.
pub(crate) fn bytes(count: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let byte = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(byte).collect()
}
