//! What S3 refuses: owner, message, next step.

use loglens_engine::{Error, Owner};
use loglens_io::s3::S3Source;
use loglens_test_server::{Bucket, Fault};

use crate::world::{BUCKET, access, bucket, listed, only_object, read, server, source};

pub(crate) fn shown(error: &Error) -> String {
    let hint = error.hint.as_deref().unwrap_or_default();
    format!("{:?}: {}\n  {hint}", error.owner, error.message)
}

#[tokio::test]
async fn a_listing_that_is_refused() {
    let server = server(Bucket::new());
    let missing = source(&server, "s3://org-lgos/AWSLogs/");
    assert_eq!(
        shown(&listed(&missing).await.unwrap_err()),
        "Usage: s3://org-lgos/AWSLogs/: there is no bucket org-lgos \
         (ListObjectsV2 in us-east-1, 404 NoSuchBucket, request TESTREQUEST)\n  \
         look for a typing mistake; `aws s3 ls` shows your buckets"
    );
    server.fail(Fault::status(
        "ListObjectsV2",
        403,
        "AccessDenied",
        "Access Denied",
    ));
    assert_eq!(
        shown(&listed(&bucket(&server)).await.unwrap_err()),
        "External: s3://org-logs/: access denied: s3:ListBucket is not allowed \
         (ListObjectsV2 in us-east-1, 403 AccessDenied, request TESTREQUEST)\n  \
         allow s3:ListBucket on the bucket itself; if its owner lets others pay, say --requester-pays"
    );
}

#[tokio::test]
async fn an_object_that_is_refused() {
    let mut objects = Bucket::new();
    objects.put("x.log", "x");
    let server = server(objects);
    let source = bucket(&server);
    let object = only_object(&source).await;
    for (status, code, message, owner, what, hint) in [
        (
            403,
            "AccessDenied",
            "Access Denied",
            Owner::External,
            "access denied: s3:GetObject is not allowed",
            "allow s3:GetObject",
        ),
        (
            403,
            "AccessDenied",
            "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: kms:Decrypt on the resource",
            Owner::External,
            "the KMS key of the object may not be used",
            "allow kms:Decrypt",
        ),
        (
            400,
            "KMS.DisabledException",
            "key is disabled",
            Owner::External,
            "the KMS key of the object is disabled or deleted",
            "enable the key",
        ),
        (
            403,
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
            Owner::External,
            "the object is archived (Glacier or Deep Archive) and cannot be read as it is",
            "restore it first",
        ),
        (
            403,
            "InvalidAccessKeyId",
            "no such key",
            Owner::Config,
            "AWS does not know these credentials",
            "--profile",
        ),
        (
            400,
            "ExpiredToken",
            "The provided token has expired.",
            Owner::Config,
            "the credentials have expired",
            "aws sso login",
        ),
    ] {
        server.fail(Fault::status("GetObject", status, code, message));
        let error = read(&source, &object, 10).await.unwrap_err();
        assert_eq!(error.owner, owner, "{code}");
        assert_eq!(
            error.message,
            format!(
                "s3://org-logs/x.log: {what} (GetObject in us-east-1, {status} {code}, request TESTREQUEST)"
            )
        );
        assert!(error.hint.as_ref().unwrap().contains(hint), "{error:?}");
    }
}

#[tokio::test]
async fn whoever_asks_pays() {
    let mut objects = Bucket::new().requester_pays();
    objects.put("x.log", "x");
    let server = server(objects);
    let error = listed(&bucket(&server)).await.unwrap_err();
    assert!(error.hint.unwrap().contains("--requester-pays"));
    let mut paying = access(&server);
    paying.requester_pays = true;
    let source = S3Source::new(&format!("s3://{BUCKET}/"), paying).unwrap();
    let object = only_object(&source).await;
    assert_eq!(read(&source, &object, 10).await.unwrap(), b"x");
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let server = server(Bucket::new());
    let mut nowhere = access(&server);
    drop(server);
    nowhere.endpoint_url = Some("http://127.0.0.1:1".to_owned());
    let source = S3Source::new(&format!("s3://{BUCKET}/"), nowhere).unwrap();
    let error = listed(&source).await.unwrap_err();
    assert_eq!(error.owner, Owner::External);
    assert!(
        error.message.contains("S3 cannot be reached"),
        "{}",
        error.message
    );
    assert!(error.message.contains("asked 3 times"), "{}", error.message);
    assert!(error.hint.unwrap().contains("--endpoint-url"));
}
