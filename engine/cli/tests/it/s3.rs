//! `s3://` places over a server on loopback.

use std::process::{Command, Output};

use loglens_test_server::{Bucket, Content, Fault, Server};

pub(crate) const LOG: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n\
                   2 123456789010 eni-1 10.0.0.1 10.0.0.2 1000 443 6 10 840 1769817600 1769817660 ACCEPT OK\n\
                   2 123456789010 eni-1 10.0.0.3 10.0.0.2 1001 443 6 20 1680 1769817601 1769817661 REJECT OK\n";

pub(crate) fn bucket() -> Bucket {
    let mut bucket = Bucket::new();
    for (account, minute) in [("123456789010", "05"), ("210987654321", "10")] {
        bucket.put(
            &format!("org//AWSLogs/{account}/vpcflowlogs/us-east-1/2026/01/31/{account}_vpcflowlogs_us-east-1_fl-1_20260131T00{minute}Z_x.log"),
            LOG,
        );
    }
    bucket
}

/// Runs loglens without any configuration of AWS but this.
pub(crate) fn loglens(server: &Server, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    command(server, environment, arguments).output().unwrap()
}

/// The same, not started yet.
pub(crate) fn command(
    server: &Server,
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> Command {
    let mut command = crate::command::loglens(arguments);
    for name in [
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_SESSION_TOKEN",
    ] {
        command.env_remove(name);
    }
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", server.endpoint())
        .envs(environment.iter().copied());
    command
}

pub(crate) const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];
pub(crate) const COUNT: &str =
    "SELECT accid, count(*), sum(bytes) FROM vpc_flow_logs GROUP BY 1 ORDER BY 1";

pub(crate) fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_bucket_answers_and_its_region_is_found() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket().in_region("eu-central-1"));
    let arguments = ["query", "-o", "csv", COUNT, "s3://org-logs/org/"];
    let output = loglens(&server, &KEYS, &arguments);
    assert_eq!(
        stdout(&output).lines().skip(1).collect::<Vec<_>>(),
        ["123456789010,2,2520", "210987654321,2,2520"]
    );
    let log = server.log();
    assert_eq!(
        (log[0].status, log[1].status),
        (301, 200),
        "asked once in another Region"
    );
    assert!(log[1..].iter().all(|asked| asked.status < 300), "{log:?}");
    assert!(log[1].details["authorization"].contains("/eu-central-1/s3/"));

    let path = [
        "query",
        "-o",
        "csv",
        "SELECT DISTINCT \"$path\" FROM vpc_flow_logs ORDER BY 1 LIMIT 1",
        "s3://org-logs/",
    ];
    assert!(
        stdout(&loglens(&server, &KEYS, &path))
            .contains("s3://org-logs/org//AWSLogs/123456789010/")
    );
}

#[test]
fn options_go_before_the_environment_and_the_configuration() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket().requester_pays());
    let endpoint = server.endpoint();
    let elsewhere = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    let mut arguments = vec!["query", "-o", "csv", COUNT, "s3://org-logs/org/"];
    arguments.extend([
        "--endpoint-url",
        &endpoint,
        "--path-style",
        "--anonymous",
        "--requester-pays",
    ]);
    assert_eq!(
        stdout(&loglens(&server, &elsewhere, &arguments))
            .lines()
            .count(),
        3
    );
    for asked in server.log() {
        assert!(!asked.details.contains_key("authorization"), "{asked:?}");
        assert_eq!(asked.details["x-amz-request-payer"], "requester");
    }

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("loglens.toml");
    let text = format!(
        "from = [\"s3://org-logs/org/\"]\nendpoint_url = \"{endpoint}\"\nanonymous = true\nrequester_pays = true\n"
    );
    std::fs::write(&file, text).unwrap();
    let arguments = [
        "query",
        "-o",
        "csv",
        "--config",
        file.to_str().unwrap(),
        COUNT,
    ];
    assert_eq!(
        stdout(&loglens(&server, &elsewhere, &arguments))
            .lines()
            .count(),
        3
    );
}

#[test]
fn refusals_say_what_to_do() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket());
    let arguments = ["query", COUNT, "s3://org-logs/org/"];
    let output = loglens(&server, &[], &arguments);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("no credentials were found (ListObjectsV2 in us-east-1)"),
        "{said}"
    );
    assert!(said.contains("hint: name a profile (--profile)"), "{said}");

    server.fail(
        Fault::status(
            "GetObject",
            403,
            "AccessDenied",
            "not authorized to perform: kms:Decrypt",
        )
        .times(9),
    );
    let output = loglens(&server, &KEYS, &arguments);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("the KMS key of the object may not be used"),
        "{said}"
    );
}

/// Of each flow log the first object is looked at beforehand; of what the name says all about, none.
#[test]
fn objects_are_read_once() {
    let server = Server::start().unwrap();
    let mut bucket = Bucket::new();
    for number in 0..300 {
        let (hour, minute) = (number / 12, number % 12 * 5);
        bucket.put(
            &format!("AWSLogs/1/vpcflowlogs/us-east-1/2026/01/31/1_vpcflowlogs_us-east-1_fl-{}_20260131T{:02}{minute:02}Z_x{number}.log", number % 2, hour % 24),
            LOG,
        );
        bucket.put(
            &format!("AWSLogs/1/CloudTrail/us-east-1/2026/01/31/1_CloudTrail_us-east-1_20260131T{:02}{minute:02}Z_{number:016}.json", hour % 24),
            "{\"Records\":[{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-01-31T00:00:00Z\",\"eventName\":\"GetObject\"}]}",
        );
    }
    server.add("org-logs", bucket);
    for (sql, answer, gets) in [
        ("SELECT count(*) FROM vpc_flow_logs", "600", 302),
        ("SELECT count(*) FROM cloudtrail_logs", "300", 302),
    ] {
        server.forget();
        let output = loglens(
            &server,
            &KEYS,
            &["query", "-o", "csv", sql, "s3://org-logs/"],
        );
        assert_eq!(stdout(&output).lines().last(), Some(answer));
        assert_eq!(server.count("GetObject"), gets, "{sql}");
        assert_eq!(server.count("ListObjectsV2"), 1, "600 keys are one page");
    }
}

/// Thirty days of objects of five minutes, of three accounts in two Regions.
pub(crate) fn month() -> Bucket {
    let mut bucket = Bucket::new();
    for account in ["111111111111", "222222222222", "333333333333"] {
        for region in ["us-east-1", "eu-west-1"] {
            for number in 0..30 * 288 {
                let (day, hour, minute) = (number / 288 + 1, number % 288 / 12, number % 12 * 5);
                let key = format!(
                    "AWSLogs/{account}/vpcflowlogs/{region}/2026/01/{day:02}/{account}_vpcflowlogs_{region}_fl-1_202601{day:02}T{hour:02}{minute:02}Z_x.log"
                );
                bucket.put_content(&key, made());
            }
        }
    }
    bucket.put(
        "AWSLogs/111111111111/Config/us-east-1/2026/1/1/x.json",
        "{}",
    );
    bucket
}

/// One flow, at the time in the name of the object.
fn flow(key: &str) -> Vec<u8> {
    let name = key.rsplit('/').next().unwrap();
    let mut parts = name.split('_');
    let (account, time) = (parts.next().unwrap(), parts.nth(3).unwrap());
    let number = |range: std::ops::Range<usize>| time[range].parse::<i64>().unwrap();
    let start =
        1_767_225_600 + (number(6..8) - 1) * 86_400 + number(9..11) * 3600 + number(11..13) * 60;
    let header = LOG.lines().next().unwrap();
    format!("{header}\n2 {account} eni-1 10.0.0.1 10.0.0.2 1000 443 6 10 840 {start} {start} ACCEPT OK\n").into_bytes()
}

fn made() -> Content {
    let size = flow("111111111111_vpcflowlogs_us-east-1_fl-1_20260101T0000Z_x.log").len();
    Content::Made {
        size: size as u64,
        make: std::sync::Arc::new(|key| flow(key).into()),
    }
}

#[test]
fn an_hour_of_a_month_reads_the_objects_of_that_hour() {
    let server = Server::start().unwrap();
    server.add("org-logs", month());
    let hour = "SELECT count(*), count(DISTINCT account_id) FROM vpc_flow_logs \
                WHERE event_time >= TIMESTAMP '2026-01-20 10:00:00' AND event_time < TIMESTAMP '2026-01-20 11:00:00'";
    let arguments = ["query", "-o", "csv", hour, "s3://org-logs/"];
    let output = loglens(&server, &KEYS, &arguments);
    assert_eq!(stdout(&output).lines().last(), Some("72,3"));
    let gets = server.count("GetObject");
    assert!(gets * 1000 <= 4 * 51_840, "{gets} GETs");
    // The bucket, a level each for AWSLogs, accounts and services, a sample of each of six logs,
    // and the one day of each.
    let listed: Vec<_> = server
        .log()
        .into_iter()
        .filter(|asked| asked.operation == "ListObjectsV2")
        .collect();
    let keys: Vec<_> = listed.iter().map(|asked| asked.key.as_str()).collect();
    assert_eq!(listed.len(), 2 + 1 + 3 + 3 + 6 + 6, "{keys:?}");
    let days = keys.iter().filter(|key| key.contains("/2026/"));
    assert_eq!(days.clone().count(), 6);
    assert!(
        days.clone().all(|key| key.ends_with("/2026/01/20/")),
        "{keys:?}"
    );
}

/// The amounts of an `EXPLAIN COST`, by item; of what is to be paid, the dollars.
fn amounts(csv: &str) -> std::collections::BTreeMap<String, f64> {
    let lines = csv.lines().skip(1).map(|line| {
        let cells: Vec<_> = line.split(',').collect();
        let amount = [cells[1], cells[3]]
            .into_iter()
            .find(|cell| !cell.is_empty());
        let item = cells[..cells.len() - 3].join(",");
        (item, amount.unwrap().parse().unwrap())
    });
    lines.collect()
}

#[test]
fn the_cost_is_said_before_it_is_spent() {
    let server = Server::start().unwrap();
    server.add("org-logs", month());
    for condition in [
        "event_time >= TIMESTAMP '2026-01-20 10:00:00' AND event_time < TIMESTAMP '2026-01-20 11:00:00'",
        "accid = '111111111111' AND day = '2026/01/07'",
        "region = 'eu-west-1' AND \"date\" BETWEEN DATE '2026-01-03' AND DATE '2026-01-04'",
    ] {
        let sql = format!("SELECT sum(bytes) FROM vpc_flow_logs WHERE {condition}");
        server.forget();
        let dry = ["query", "--dry-run", "-o", "csv", &sql, "s3://org-logs/"];
        let estimate = amounts(&stdout(&loglens(&server, &KEYS, &dry)));
        assert_eq!(server.count("GetObject"), 6, "nothing but samples is read");
        server.forget();
        let arguments = ["query", "--stats", "-o", "csv", &sql, "s3://org-logs/"];
        let output = loglens(&server, &KEYS, &arguments);
        stdout(&output);
        let (lists, gets) = (server.count("ListObjectsV2"), server.count("GetObject"));
        assert_eq!(estimate["LIST requests"], lists as f64, "{condition}");
        assert_eq!(estimate["GET requests"], gets as f64, "{condition}");
        let said = stderr(&output);
        assert!(said.contains(&format!("requests {lists} LIST, ")), "{said}");
        // What came in all, and what Athena's least is.
        let bytes =
            flow("111111111111_vpcflowlogs_us-east-1_fl-1_20260101T0000Z_x.log").len() * (gets - 6);
        assert_eq!(estimate["bytes in them"], bytes as f64, "{condition}");
        assert_eq!(estimate["Athena for the same objects"], 5e-5);
        let at_s3 = lists as f64 * 5e-6 + gets as f64 * 4e-7;
        assert!((estimate["S3 within the Region"] - at_s3).abs() < 1e-9);
    }

    let explain = "EXPLAIN COST SELECT count(*) FROM vpc_flow_logs; SELECT 1 AS one";
    let arguments = ["query", "-o", "ndjson", explain, "s3://org-logs/"];
    let output = stdout(&loglens(&server, &KEYS, &arguments));
    assert!(
        output.contains(r#"{"item":"objects","amount":51840.0,"unit":"objects","usd":null}"#),
        "{output}"
    );
    assert!(output.ends_with("{\"one\":1}\n"), "{output}");
}

#[test]
fn what_would_cost_more_than_allowed_is_refused() {
    let server = Server::start().unwrap();
    server.add("org-logs", month());
    let sql = "SELECT count(*) FROM vpc_flow_logs";
    for (option, limit, said) in [
        (
            "--max-bytes",
            "1MB",
            "the statement would read 10575360 bytes of 51840 objects; the limit is 1000000 bytes",
        ),
        (
            "--max-cost",
            "0.01",
            "the statement would read what costs $0.0",
        ),
    ] {
        server.forget();
        let arguments = ["query", option, limit, sql, "s3://org-logs/"];
        let output = loglens(&server, &KEYS, &arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert_eq!(server.count("GetObject"), 6, "nothing but samples is read");
        let explained = format!("EXPLAIN {sql}");
        let arguments = ["query", option, limit, &explained, "s3://org-logs/"];
        assert!(
            stdout(&loglens(&server, &KEYS, &arguments)).contains("objects=51840 of 51840 found")
        );
    }
}

/// Accounts and Regions are in the keys: folders of others are not listed.
#[test]
fn accounts_and_regions_prune() {
    let server = Server::start().unwrap();
    server.add("org-logs", month());
    let sql = "EXPLAIN SELECT count(*) FROM vpc_flow_logs WHERE accid <> '111111111111' \
               AND region LIKE 'eu-%' AND event_time >= TIMESTAMP '2026-01-30 23:00:00'";
    let output = stdout(&loglens(&server, &KEYS, &["query", sql, "s3://org-logs/"]));
    assert!(
        output.contains("objects=30 of 576 found, logs=2 of 6, folders=4"),
        "{output}"
    );
    let listed = server
        .log()
        .into_iter()
        .filter(|asked| asked.operation == "ListObjectsV2" && asked.key.contains("/2026/"));
    let listed: Vec<_> = listed.map(|asked| asked.key).collect();
    assert!(
        listed
            .iter()
            .all(|key| key.contains("/eu-west-1/") && !key.contains("111111111111")),
        "{listed:?}"
    );
}

#[test]
fn what_is_written_to_a_bucket_is_read_from_it() {
    let server = Server::start().unwrap();
    server.add("org-logs", month());
    let unload = "UNLOAD (SELECT account_id, srcaddr, bytes, event_time, day FROM vpc_flow_logs \
                  WHERE day IN ('2026/01/01', '2026/01/02')) TO 's3://org-logs/lake/' WITH (partitioned_by = ARRAY['day'])";
    let arguments = ["query", "-o", "csv", unload, "s3://org-logs/AWSLogs/"];
    let output = stdout(&loglens(&server, &KEYS, &arguments));
    assert!(
        output.lines().last().unwrap().starts_with("3456,2,"),
        "{output}"
    );

    let sql = "SELECT count(*), count(DISTINCT event_time) FROM lake WHERE day = '2026/01/02'";
    server.forget();
    let dry = [
        "query",
        "--dry-run",
        "-o",
        "csv",
        sql,
        "s3://org-logs/lake/",
    ];
    let estimate = amounts(&stdout(&loglens(&server, &KEYS, &dry)));
    server.forget();
    let output = loglens(
        &server,
        &KEYS,
        &["query", "--stats", "-o", "csv", sql, "s3://org-logs/lake/"],
    );
    assert_eq!(stdout(&output).lines().last(), Some("1728,288"));
    let (lists, gets) = (server.count("ListObjectsV2"), server.count("GetObject"));
    assert_eq!(estimate["LIST requests"], lists as f64);
    assert_eq!(estimate["GET requests"], gets as f64);
}

#[test]
fn a_key_of_ones_own_goes_with_what_is_read_and_written() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket());
    let folder = tempfile::tempdir().unwrap();
    let file = crate::command::below(&folder, "key");
    std::fs::write(&file, "0123456789abcdef0123456789abcdef").unwrap();
    let sql = "UNLOAD (SELECT * FROM vpc_flow_logs) TO 's3://org-logs/written/' WITH (format = 'PARQUET')";
    let arguments = ["query", sql, "s3://org-logs/org/", "--sse-c-key", &file];
    let output = loglens(&server, &KEYS, &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let name = |end: &str| format!("x-amz-server-side-encryption-customer-{end}");
    for asked in server.log() {
        let header = |end| asked.details.get(&*name(end)).map(String::as_str);
        let expected = match asked.operation {
            "ListObjectsV2" => [None; 3],
            _ => [
                Some("AES256"),
                Some("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
                Some("hRasmdxgYDKV3nvbahU1MA=="),
            ],
        };
        let found = ["algorithm", "key", "key-md5"].map(header);
        assert_eq!(found, expected, "{asked:?}");
    }
    for operation in ["ListObjectsV2", "GetObject", "UploadPart"] {
        assert!(server.count(operation) > 0, "{operation}");
    }

    std::fs::write(&file, "short").unwrap();
    let output = loglens(&server, &KEYS, &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("expected 32 bytes, or these in base64, found 5 bytes"));

    let message = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided";
    server.fail(Fault::status("GetObject", 400, "InvalidRequest", message));
    let output = loglens(&server, &KEYS, &["query", COUNT, "s3://org-logs/org/"]);
    let said = stderr(&output);
    assert!(
        said.contains("encrypted with a key that S3 does not keep (SSE-C)"),
        "{said}"
    );
    assert!(
        said.ends_with("hint: say with which: --sse-c-key FILE\n"),
        "{said}"
    );
}

/// Flows of 300 sources in one object.
pub(crate) fn many_sources() -> Bucket {
    let header = LOG.lines().next().unwrap();
    let mut log = format!("{header}\n");
    for number in 0..3000 {
        let source = number % 300;
        log.push_str(&format!(
            "2 1 eni-1 10.0.{}.{} 10.0.0.2 1 443 6 1 {number} 1769817600 1769817660 ACCEPT OK\n",
            source / 100,
            source % 100
        ));
    }
    let mut bucket = Bucket::new();
    bucket.put(
        "AWSLogs/1/vpcflowlogs/us-east-1/2026/01/31/1_vpcflowlogs_us-east-1_fl-1_20260131T0005Z_x.log",
        log,
    );
    bucket
}

pub(crate) const UNLOAD: &str = "UNLOAD (SELECT srcaddr, bytes, event_time FROM vpc_flow_logs) \
                      TO 's3://lake/flows/' WITH (partitioned_by = ARRAY['srcaddr'])";

#[test]
fn many_files_are_written_side_by_side_and_appear_together() {
    let server = Server::start().unwrap();
    server.add("org-logs", many_sources());
    server.add("lake", Bucket::new());
    server.delay(std::time::Duration::from_millis(20));
    let unload = ["query", "-o", "csv", UNLOAD, "s3://org-logs/"];
    let output = loglens(&server, &KEYS, &unload);
    assert!(stdout(&output).contains("\n3000,300,"), "{output:?}");
    let log = server.log();
    let of = |operation| {
        let positions = log.iter().enumerate();
        let positions = positions.filter(move |(_, asked)| asked.operation == operation);
        positions.map(|(at, _)| at).collect::<Vec<_>>()
    };
    let (parts, completed) = (of("UploadPart"), of("CompleteMultipartUpload"));
    assert_eq!((parts.len(), completed.len()), (300, 300));
    assert!(parts.last() < completed.first(), "none before all are sent");
    // That they are of one piece is written down before, and struck out after.
    let (claimed, ended) = (of("PutObject"), of("DeleteObject"));
    assert_eq!((claimed.len(), ended.len()), (2, 1));
    assert!(parts.last() < claimed.first() && claimed.first() < completed.first());
    assert!(completed.last() < claimed.last() && claimed.last() < ended.last());
    assert!(
        server.most_under_way() > 8,
        "{} at a time",
        server.most_under_way()
    );
    assert_eq!(server.with("lake", |bucket| bucket.open_uploads()), 0);

    server.delay(std::time::Duration::ZERO);
    let read = "SELECT count(*), sum(bytes), count(DISTINCT srcaddr) FROM flows";
    let output = loglens(&server, &KEYS, &["query", "-o", "csv", read, "s3://lake/"]);
    assert_eq!(stdout(&output).lines().last(), Some("3000,4498500,300"));

    let output = loglens(&server, &KEYS, &unload);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("s3://lake/flows/: there is something already"),
        "{output:?}"
    );
}

#[test]
fn what_fails_leaves_neither_objects_nor_uploads() {
    for (operation, after) in [
        ("CreateMultipartUpload", 100),
        ("UploadPart", 100),
        ("CompleteMultipartUpload", 150),
    ] {
        let server = Server::start().unwrap();
        server.add("org-logs", many_sources());
        server.add("lake", Bucket::new());
        server.delay(std::time::Duration::from_millis(5));
        let fault = Fault::status(operation, 403, "AccessDenied", "Access Denied");
        server.fail(fault.after(after));
        let output = loglens(&server, &KEYS, &["query", UNLOAD, "s3://org-logs/"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(stderr(&output).contains(operation), "{output:?}");
        let left = server.with("lake", |bucket| (bucket.keys(), bucket.open_uploads()));
        assert_eq!(left, (Vec::new(), 0), "{operation}");
    }
}

#[test]
fn a_table_in_a_bucket_is_created_filled_and_read() {
    let server = Server::start().unwrap();
    server.add("org-logs", many_sources());
    server.add("lake", Bucket::new());
    let select = "SELECT bytes, event_time, srcaddr FROM vpc_flow_logs";
    let sql = format!(
        "CREATE TABLE flows WITH (external_location = 's3://lake/flows/', \
         partitioned_by = ARRAY['srcaddr']) AS {select} WHERE bytes < 30; \
         INSERT INTO flows {select} WHERE bytes >= 30 AND bytes < 60; \
         CREATE VIEW counted AS SELECT count(*), count(DISTINCT srcaddr) FROM flows; \
         SELECT * FROM counted"
    );
    let arguments = ["query", "-o", "csv", &sql, "s3://org-logs/"];
    let output = loglens(&server, &KEYS, &arguments);
    assert_eq!(stdout(&output).lines().last(), Some("60,60"));
}

/// Objects beside the folders of years: the key of one begins that of another.
#[test]
fn objects_beside_the_folders_of_days_count_once() {
    let server = Server::start().unwrap();
    let mut objects = bucket();
    for name in ["a.log", "a.log.1", "2026", "notes/b.log"] {
        objects.put(
            &format!("org//AWSLogs/210987654321/vpcflowlogs/us-east-1/{name}"),
            LOG,
        );
    }
    server.add("org-logs", objects);
    let sql = "SELECT count(*) FROM vpc_flow_logs";
    let arguments = ["query", "-o", "csv", sql, "s3://org-logs/org//AWSLogs/"];
    assert_eq!(
        stdout(&loglens(&server, &KEYS, &arguments)).lines().last(),
        Some("12")
    );
}

/// Folders of other services are passed over, but not where the user says that logs lie there.
#[test]
fn folders_of_other_services() {
    let server = Server::start().unwrap();
    let mut objects = Bucket::new();
    objects.put("AWSLogs/1/Config/us-east-1/flow.log", LOG);
    let nginx = std::fs::read(crate::command::root().join("testdata/nginx/access.log")).unwrap();
    objects.put("AWSLogs/1/WAFLogs/access.log", nginx);
    server.add("org-logs", objects);
    let flows = "SELECT count(*) FROM vpc_flow_logs";
    let output = loglens(&server, &KEYS, &["query", flows, "s3://org-logs/AWSLogs/"]);
    assert!(
        stderr(&output).contains(
            "s3://org-logs/AWSLogs/1/Config/ (a folder of logs of another kind, not listed)"
        ),
        "{output:?}"
    );
    for (place, table) in [
        ("s3://org-logs/AWSLogs/1/Config/", None),
        ("s3://org-logs/AWSLogs/1/Config/us-east-1/", None),
        ("s3://org-logs/AWSLogs/", Some("vpc_flow_logs")),
    ] {
        let mut arguments = vec![
            "query",
            "-o",
            "csv",
            "SELECT count(*) FROM vpc_flow_logs WHERE action = 'REJECT'",
            place,
        ];
        arguments.extend(table.iter().flat_map(|table| ["--table", *table]));
        assert_eq!(
            stdout(&loglens(&server, &KEYS, &arguments)).lines().last(),
            Some("1"),
            "{place}"
        );
    }
    // Whoever describes a format of their own does not say in which folders it lies.
    let own = [
        "query",
        "-o",
        "csv",
        "--format",
        "testdata/nginx/nginx.toml",
        "SELECT count(*) > 0 FROM nginx_access_logs",
        "s3://org-logs/AWSLogs/",
    ];
    assert_eq!(
        stdout(&loglens(&server, &KEYS, &own)).lines().last(),
        Some("true")
    );
}

/// What folders say of accounts and Regions is said to Athena, although no day was listed.
#[test]
fn accounts_and_regions_in_ddl() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket());
    let arguments = [
        "ddl",
        "vpc_flow_logs",
        "s3://org-logs/org//AWSLogs/",
        "--location",
        "s3://org-logs/org//AWSLogs/",
    ];
    let printed = stdout(&loglens(&server, &KEYS, &arguments));
    assert!(
        printed.contains("'projection.accid.values' = '123456789010,210987654321'"),
        "{printed}"
    );
    assert!(
        printed.contains("'projection.region.values' = 'us-east-1'"),
        "{printed}"
    );
}
