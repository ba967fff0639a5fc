//! `loglens doctor` over a server on loopback.

use loglens_test_server::{Bucket, Fault, Server};

use crate::s3::{KEYS, bucket, loglens, stderr};

const REGION: (&str, &str) = ("AWS_REGION", "eu-central-1");

/// What it says of a place, and whether it says that all is well.
fn examine(server: &Server, arguments: &[&str]) -> (String, bool) {
    let environment = [KEYS[0], KEYS[1], REGION];
    let output = loglens(server, &environment, &[&["doctor"], arguments].concat());
    assert_eq!(stderr(&output), "");
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    (String::from_utf8(output.stdout).unwrap(), code == Some(0))
}

/// What is wrong, and how to mend it.
fn wrong(server: &Server, arguments: &[&str]) -> String {
    let (said, is_well) = examine(server, arguments);
    assert!(!is_well, "{said}");
    let lines: Vec<_> = said.lines().collect();
    let wrong = lines.windows(2).filter(|pair| pair[0].starts_with("WRONG"));
    let wrong: Vec<_> = wrong
        .map(|pair| format!("{}\n{}", pair[0], pair[1].trim_start()))
        .collect();
    wrong.join("\n")
}

fn server() -> Server {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket().in_region("eu-central-1"));
    server
}

#[test]
fn all_is_well() {
    let server = server();
    let (said, is_well) = examine(&server, &["s3://org-logs/org/"]);
    assert!(is_well, "{said}");
    insta::assert_snapshot!(said, @r"
    -     configuration there is none, neither here nor in your configuration folder
    ok    Region        eu-central-1, from AWS_REGION
    ok    credentials   environment variables, key AKIAEXAMPLE
    ok    identity      arn:aws:iam::123456789012:user/auditor, account 123456789012
    ok    bucket        org-logs in eu-central-1
    ok    clock         within five minutes of the server's
    ok    list          allowed; the first object is s3://org-logs/org//AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/01/31/123456789010_vpcflowlogs_us-east-1_fl-1_20260131T0005Z_x.log
    ok    read          allowed; its first byte came
    ok    logs          s3://org-logs/org//AWSLogs/123456789010/ has vpcflowlogs; s3://org-logs/org//AWSLogs/210987654321/ has vpcflowlogs
    ");
    // From within, only that folder is looked at.
    let (said, is_well) = examine(&server, &["s3://org-logs/org//AWSLogs/123456789010/"]);
    assert!(is_well, "{said}");
    insta::assert_snapshot!(said.lines().last().unwrap(), @"ok    logs          s3://org-logs/org//AWSLogs/123456789010/ has vpcflowlogs");
}

#[test]
fn without_a_place_the_account_is_looked_at() {
    let server = server();
    let (said, is_well) = examine(&server, &[]);
    assert!(is_well);
    assert_eq!(said.lines().count(), 4, "{said}");
    let log = server.log();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].operation, "GetCallerIdentity");
    let (said, is_well) = examine(&server, &["--anonymous"]);
    assert!(is_well);
    insta::assert_snapshot!(said, @r"
    -     configuration there is none, neither here nor in your configuration folder
    ok    Region        eu-central-1, from AWS_REGION
    -     credentials   not used: --anonymous
    -     identity      not used: --anonymous
    ");
}

#[test]
fn what_is_wrong_with_the_account() {
    let server = server();
    let output = loglens(&server, &[REGION], &["doctor", "s3://org-logs/"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r"
    -     configuration there is none, neither here nor in your configuration folder
    ok    Region        eu-central-1, from AWS_REGION
    WRONG credentials   no credentials were found
                        hint: name a profile (--profile), set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso login`; a public bucket needs none: --anonymous
    -     identity      there are no credentials
    WRONG bucket        s3://org-logs/: no credentials were found (HeadBucket in eu-central-1)
                        hint: name a profile (--profile), set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso login`; a public bucket needs none: --anonymous
    -     clock         no answer had a date
    -     list          the bucket does not answer
    -     read          the bucket does not answer
    -     logs          the bucket does not answer
    ");

    for (code, expected) in [
        (
            "InvalidClientTokenId",
            "AWS does not know these credentials",
        ),
        ("ExpiredToken", "the credentials have expired"),
        (
            "AccessDenied",
            "access denied: sts:GetCallerIdentity is not allowed",
        ),
    ] {
        server.fail(Fault::status("GetCallerIdentity", 403, code, "refused"));
        let said = wrong(&server, &["s3://org-logs/"]);
        let expected =
            format!("WRONG identity      {expected} (GetCallerIdentity, {code})\nhint: ");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn what_is_wrong_with_the_bucket() {
    let server = server();
    let mut said = vec![wrong(&server, &["s3://org-lgos/AWSLogs/"])];
    server.fail(Fault::status("HeadBucket", 403, "AccessDenied", ""));
    said.push(wrong(&server, &["s3://org-logs/"]));
    server.fail(Fault::status(
        "ListObjectsV2",
        403,
        "AccessDenied",
        "Access Denied",
    ));
    said.push(wrong(&server, &["s3://org-logs/"]));
    said.push(wrong(&server, &["s3://org-logs/AWSlogs/"]));
    server.fail(Fault::status(
        "GetObject",
        403,
        "AccessDenied",
        "Access Denied",
    ));
    said.push(wrong(&server, &["s3://org-logs/"]));
    let kms = "not authorized to perform: kms:Decrypt";
    server.fail(Fault::status("GetObject", 403, "AccessDenied", kms));
    said.push(wrong(&server, &["s3://org-logs/"]));
    server.date("Wed, 21 Oct 2015 07:28:00 GMT");
    let clock = wrong(&server, &["s3://org-logs/"]);
    let (before, after) = clock.split_once(" minutes ").unwrap();
    let minutes = before.rsplit(' ').next().unwrap();
    assert!(minutes.parse::<u64>().unwrap() > 5_000_000);
    said.push(format!(
        "{} [n] minutes {after}",
        before.trim_end_matches(minutes).trim_end()
    ));
    insta::assert_snapshot!(said.join("\n\n"), @r"
    WRONG bucket        s3://org-lgos/: there is no bucket org-lgos (HeadBucket in eu-central-1, 404 NoSuchBucket, request TESTREQUEST)
    hint: look for a typing mistake; `aws s3 ls` shows your buckets

    WRONG bucket        s3://org-logs/: access denied: s3:ListBucket is not allowed (HeadBucket in eu-central-1, 403 AccessDenied, request TESTREQUEST)
    hint: allow s3:ListBucket on the bucket itself; if its owner lets others pay, say --requester-pays

    WRONG list          s3://org-logs/: access denied: s3:ListBucket is not allowed (ListObjectsV2 in eu-central-1, 403 AccessDenied, request TESTREQUEST)
    hint: allow s3:ListBucket on the bucket itself; if its owner lets others pay, say --requester-pays

    WRONG list          s3://org-logs/AWSlogs/: nothing lies there
    hint: look for a typing mistake: a prefix is taken byte for byte, and keys are case sensitive

    WRONG read          s3://org-logs/org//AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/01/31/123456789010_vpcflowlogs_us-east-1_fl-1_20260131T0005Z_x.log: access denied: s3:GetObject is not allowed (GetObject in eu-central-1, 403 AccessDenied, request TESTREQUEST)
    hint: allow s3:GetObject on the objects (bucket/*); if the owner lets others pay, say --requester-pays

    WRONG read          s3://org-logs/org//AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/01/31/123456789010_vpcflowlogs_us-east-1_fl-1_20260131T0005Z_x.log: the KMS key of the object may not be used (GetObject in eu-central-1, 403 AccessDenied, request TESTREQUEST)
    hint: allow kms:Decrypt on the key, in its key policy too if it is another account's

    WRONG clock         this machine's clock is [n] minutes ahead of the server's
    hint: set the clock: from 15 minutes on S3 refuses all requests
    ");
}

#[test]
fn a_bucket_without_aws_logs_is_well() {
    let server = Server::start().unwrap();
    let mut loose = Bucket::new();
    loose.put("flow/", "");
    loose.put("flow/x.log", "x");
    server.add("loose", loose);
    let (said, is_well) = examine(&server, &["s3://loose/"]);
    assert!(is_well, "{said}");
    insta::assert_snapshot!(said.lines().last().unwrap(), @"ok    logs          no AWSLogs folder in the first 20 folders; objects are recognised by their names and first bytes");
}

#[test]
fn a_server_that_is_not_there() {
    let server = server();
    let elsewhere = ["--endpoint-url", "http://127.0.0.1:1", "s3://org-logs/"];
    let (said, is_well) = examine(&server, &elsewhere);
    assert!(!is_well);
    assert!(
        said.contains("identity      not asked for: --endpoint-url names another server"),
        "{said}"
    );
    assert!(
        said.contains("WRONG bucket        s3://org-logs/: S3 cannot be reached"),
        "{said}"
    );
    assert!(
        said.contains("-     list          the bucket does not answer\n"),
        "{said}"
    );
    assert_eq!(server.log(), []);
}

#[test]
fn the_configuration_is_looked_at() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let file = crate::command::below(&folder, "loglens.toml");
    let text = "from = [\"s3://org-logs/org/\", \"logs/\"]\nregion = \"eu-west-1\"\n";
    std::fs::write(&file, text).unwrap();
    let (said, is_well) = examine(&server, &["--config", &file]);
    assert!(is_well, "{said}");
    assert!(said.starts_with(&format!("ok    configuration {file}\nok    Region        eu-west-1, from --region or loglens.toml\n")), "{said}");
    assert!(
        said.contains("\nok    bucket        org-logs in eu-central-1\n"),
        "{said}"
    );

    std::fs::write(&file, "form = []").unwrap();
    let said = wrong(&server, &["--config", &file]);
    assert!(
        said.starts_with(&format!(
            "WRONG configuration {file}:1: unknown field `form`"
        )),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2, "{said}");

    let output = loglens(&server, &KEYS, &["doctor", "logs/"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: logs/: not a place on S3\n"));
}
