//! `loglens generate`.

use std::fs;
use std::path::Path;

use crate::assert_command_snapshot;
use crate::command::{answer, below, folder, loglens};

#[test]
fn flow_logs_can_be_asked() {
    let folder = folder(&[]);
    let to = below(&folder, "");
    assert_command_snapshot!(
        loglens(&["generate", "vpc_flow_logs", "--rows", "1000", "--objects", "3", "--gzip", "--to", &to]),
        @r#"
        success: true
        exit_code: 0
        ----- stdout -----

        ----- stderr -----
        wrote 1,000 records, 112.5 KB of text, in 3 objects to [folder]/
        "#
    );
    let sql = "SELECT count(*) AS flows, sum(bytes) > 0 AS traffic, count(DISTINCT \"$path\") AS objects FROM vpc_flow_logs";
    assert_command_snapshot!(loglens(&["query", "--strict", sql, &to]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    flows  traffic  objects
    -----  -------  -------
     1000  true           3

    1 row

    ----- stderr -----
    "#);
}

#[test]
fn the_same_seed_gives_the_same_answer() {
    let sql = "SELECT count(*), sum(bytes), min(srcaddr), max(event_time) FROM vpc_flow_logs";
    let written = |seed: &str| {
        let folder = folder(&[]);
        let to = below(&folder, "");
        answer(&mut loglens(&[
            "generate",
            "vpc_flow_logs",
            "--rows",
            "500",
            "--seed",
            seed,
            "--to",
            &to,
        ]));
        answer(&mut loglens(&["query", "-o", "csv", sql, &to]))
    };
    assert_eq!(written("7"), written("7"));
    assert_ne!(written("7"), written("8"));
}

#[test]
fn help() {
    assert_command_snapshot!(loglens(&["generate", "--help"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    Write seeded logs that look real

    Usage: loglens generate <COMMAND>

    Commands:
      vpc_flow_logs    VPC flow logs, in the key layout of AWSLogs
      alb_access_logs  Access logs of Application Load Balancers, in the key layout of AWSLogs
      cloudtrail_logs  CloudTrail logs, in the key layout of AWSLogs
      help             Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help

    ----- stderr -----
    "#);
    assert_command_snapshot!(loglens(&["generate", "vpc_flow_logs", "--help"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    VPC flow logs, in the key layout of AWSLogs

    Usage: loglens generate vpc_flow_logs [OPTIONS] --rows <ROWS> --to <PLACE>

    Options:
          --fields <NAMES>       Fields and their order: "version account-id ..." [default: version 2]
          --rows <ROWS>          How many records
          --seed <SEED>          The same seed gives the same logs [default: 1]
          --to <PLACE>           Folder to write to, or a stream: kinesis://NAME
          --objects <OBJECTS>    How many objects, each of five minutes [default: 1]
          --gzip                 Compress the objects
          --rate <N>             Into a stream: so many records a second [default: as many as it takes]
          --envelope <ENVELOPE>  Into a stream: many records in one, as CloudWatch Logs or the Kinesis
                                 Producer Library does [possible values: cloudwatch, kpl]
          --accounts <ACCOUNTS>  How many accounts [default: 1]
          --regions <REGIONS>    How many Regions [default: 1]
          --config <FILE>        Read this configuration instead of ./loglens.toml or the one in your
                                 configuration folder. It says how a stream is reached, where no option
                                 does [env: LOGLENS_CONFIG=]
      -h, --help                 Print help

    S3:
          --profile <NAME>      Profile of the AWS configuration files
          --region <REGION>     Region of requests; a bucket's own is found by itself
          --endpoint-url <URL>  Ask this server instead of AWS's
          --path-style          Name the bucket in the path, as most other servers want it
          --anonymous           Ask without credentials: public buckets
          --requester-pays      Pay for requests and traffic where the bucket's owner does not
          --fips                Ask FIPS endpoints
          --dual-stack          Ask endpoints that have IPv6 too
          --sse-c-key <FILE>    Read and write objects with the key in this file (SSE-C): 32 bytes, or
                                these in base64

    ----- stderr -----
    "#);
    assert_command_snapshot!(loglens(&["generate", "alb_access_logs", "--help"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    Access logs of Application Load Balancers, in the key layout of AWSLogs

    Usage: loglens generate alb_access_logs [OPTIONS] --rows <ROWS> --to <PLACE>

    Options:
          --rows <ROWS>          How many records
          --seed <SEED>          The same seed gives the same logs [default: 1]
          --to <PLACE>           Folder to write to, or a stream: kinesis://NAME
          --objects <OBJECTS>    How many objects, each of five minutes [default: 1]
          --gzip                 Compress the objects
          --rate <N>             Into a stream: so many records a second [default: as many as it takes]
          --envelope <ENVELOPE>  Into a stream: many records in one, as CloudWatch Logs or the Kinesis
                                 Producer Library does [possible values: cloudwatch, kpl]
          --accounts <ACCOUNTS>  How many accounts [default: 1]
          --regions <REGIONS>    How many Regions [default: 1]
          --config <FILE>        Read this configuration instead of ./loglens.toml or the one in your
                                 configuration folder. It says how a stream is reached, where no option
                                 does [env: LOGLENS_CONFIG=]
      -h, --help                 Print help

    S3:
          --profile <NAME>      Profile of the AWS configuration files
          --region <REGION>     Region of requests; a bucket's own is found by itself
          --endpoint-url <URL>  Ask this server instead of AWS's
          --path-style          Name the bucket in the path, as most other servers want it
          --anonymous           Ask without credentials: public buckets
          --requester-pays      Pay for requests and traffic where the bucket's owner does not
          --fips                Ask FIPS endpoints
          --dual-stack          Ask endpoints that have IPv6 too
          --sse-c-key <FILE>    Read and write objects with the key in this file (SSE-C): 32 bytes, or
                                these in base64

    ----- stderr -----
    "#);
    assert_command_snapshot!(loglens(&["generate", "cloudtrail_logs", "--help"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    CloudTrail logs, in the key layout of AWSLogs

    Usage: loglens generate cloudtrail_logs [OPTIONS] --rows <ROWS> --to <PLACE>

    Options:
          --layout <LAYOUT>      One object with all records on one line or over many, or a record on
                                 each line [default: records] [possible values: records, pretty, ndjson]
          --rows <ROWS>          How many records
          --seed <SEED>          The same seed gives the same logs [default: 1]
          --to <PLACE>           Folder to write to, or a stream: kinesis://NAME
          --objects <OBJECTS>    How many objects, each of five minutes [default: 1]
          --gzip                 Compress the objects
          --rate <N>             Into a stream: so many records a second [default: as many as it takes]
          --envelope <ENVELOPE>  Into a stream: many records in one, as CloudWatch Logs or the Kinesis
                                 Producer Library does [possible values: cloudwatch, kpl]
          --accounts <ACCOUNTS>  How many accounts [default: 1]
          --regions <REGIONS>    How many Regions [default: 1]
          --config <FILE>        Read this configuration instead of ./loglens.toml or the one in your
                                 configuration folder. It says how a stream is reached, where no option
                                 does [env: LOGLENS_CONFIG=]
      -h, --help                 Print help

    S3:
          --profile <NAME>      Profile of the AWS configuration files
          --region <REGION>     Region of requests; a bucket's own is found by itself
          --endpoint-url <URL>  Ask this server instead of AWS's
          --path-style          Name the bucket in the path, as most other servers want it
          --anonymous           Ask without credentials: public buckets
          --requester-pays      Pay for requests and traffic where the bucket's owner does not
          --fips                Ask FIPS endpoints
          --dual-stack          Ask endpoints that have IPv6 too
          --sse-c-key <FILE>    Read and write objects with the key in this file (SSE-C): 32 bytes, or
                                these in base64

    ----- stderr -----
    "#);
}

/// The objects below a folder: their keys, and their bytes.
fn objects(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut objects = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            objects.extend(self::objects(&path));
        } else {
            let key = path.to_str().unwrap().to_owned();
            objects.push((key, fs::read(path).unwrap()));
        }
    }
    objects
}

#[test]
fn alb_access_logs() {
    let folder = folder(&[]);
    let to = below(&folder, "");
    assert_command_snapshot!(
        loglens(&["generate", "alb_access_logs", "--rows", "100", "--objects", "4", "--gzip", "--accounts", "2", "--regions", "2", "--to", &to]),
        @r#"
        success: true
        exit_code: 0
        ----- stdout -----

        ----- stderr -----
        wrote 100 records, 68.5 KB of text, in 4 objects to [folder]/
        "#
    );
    let objects = objects(folder.path());
    assert_eq!(objects.len(), 4);
    for (key, bytes) in objects {
        assert!(
            key.contains("_app.shop.") && key.ends_with(".log.gz"),
            "{key}"
        );
        assert!(bytes.starts_with(&[0x1f, 0x8b]));
    }
}

#[test]
fn cloudtrail_logs() {
    for (layout, beginning, lines) in [
        ("records", "{\"Records\":[{\"eventVersion\":", 1),
        (
            "pretty",
            "{\n  \"Records\": [\n    {\n      \"eventVersion\":",
            0,
        ),
        ("ndjson", "{\"eventVersion\":", 10),
    ] {
        let folder = folder(&[]);
        let to = below(&folder, "");
        answer(&mut loglens(&[
            "generate",
            "cloudtrail_logs",
            "--rows",
            "10",
            "--layout",
            layout,
            "--to",
            &to,
        ]));
        let objects = objects(folder.path());
        let [(key, bytes)] = &objects[..] else {
            panic!("{objects:?}");
        };
        assert!(
            key.contains("_CloudTrail_us-east-1_20260105T0005Z_") && key.ends_with(".json"),
            "{key}"
        );
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(text.starts_with(beginning), "{text}");
        assert!(lines == 0 || text.lines().count() == lines, "{text}");
    }
}
