//! `--cache` and `--offline` over a server on loopback.

use std::process::Output;

use loglens_test_server::{Bucket, Server};
use tempfile::TempDir;

use crate::command::below;
use crate::s3::{COUNT, KEYS, LOG, bucket, loglens, stderr, stdout};

/// Asks with a cache.
fn ask(server: &Server, cache: &TempDir, arguments: &[&str]) -> Output {
    let cache = cache.path().to_str().unwrap();
    let arguments = [&["query", "-o", "csv", "--cache", cache], arguments].concat();
    loglens(server, &KEYS, &arguments)
}

#[test]
fn a_second_query_makes_no_get_and_without_a_network_there_is_the_same_answer() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket());
    let cache = tempfile::tempdir().unwrap();
    let arguments = [COUNT, "s3://org-logs/org/"];
    let first = stdout(&ask(&server, &cache, &arguments));
    assert_eq!(first.lines().count(), 3);
    assert!(server.count("GetObject") > 0);
    server.forget();
    assert_eq!(stdout(&ask(&server, &cache, &arguments)), first);
    assert_eq!(server.count("GetObject"), 0);
    assert!(server.count("ListObjectsV2") > 0);

    server.forget();
    let offline = [&arguments[..], &["--offline"]].concat();
    assert_eq!(stdout(&ask(&server, &cache, &offline)), first);
    assert_eq!(server.log(), []);
    let stopped = Server::start().unwrap();
    drop(server);
    assert_eq!(stdout(&ask(&stopped, &cache, &offline)), first);
    assert_eq!(stopped.log(), []);
}

#[test]
fn a_changed_object_is_fetched_again() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket());
    let cache = tempfile::tempdir().unwrap();
    let arguments = [COUNT, "s3://org-logs/org/"];
    let first = stdout(&ask(&server, &cache, &arguments));
    let changed = server.with("org-logs", |bucket| {
        let key = bucket.keys().remove(0);
        bucket.put(&key, [LOG, LOG.lines().nth(1).unwrap(), "\n"].concat());
        key
    });
    server.forget();
    let second = stdout(&ask(&server, &cache, &arguments));
    assert_ne!(second, first);
    let log = server.log();
    let mut gets = log.iter().filter(|asked| asked.operation == "GetObject");
    assert!(gets.all(|asked| asked.key == changed));
}

#[test]
fn processes_share_a_cache() {
    let server = Server::start().unwrap();
    let mut bucket = Bucket::new();
    for number in 0..200 {
        bucket.put(&format!("{number}.log"), LOG);
    }
    server.add("org-logs", bucket);
    let cache = tempfile::tempdir().unwrap();
    let sql = "SELECT count(*), sum(bytes) FROM vpc_flow_logs";
    let place = "s3://org-logs/";
    // So little space that they remove what the others keep.
    let sizes = ["1GB", "20KB", "20KB"];
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asking = sizes.map(|size| {
            let (server, cache) = (&server, &cache);
            scope.spawn(move || ask(server, cache, &[sql, place, "--cache-size", size]))
        });
        asking.map(|one| one.join().unwrap()).into()
    });
    for answer in &answers {
        assert_eq!(stdout(answer).lines().last(), Some("400,504000"));
    }
    let answer = ask(&server, &cache, &[sql, place]);
    assert_eq!(stdout(&answer).lines().last(), Some("400,504000"));
    server.forget();
    let answer = ask(&server, &cache, &[sql, place]);
    assert_eq!(stdout(&answer).lines().last(), Some("400,504000"));
    assert_eq!(server.count("GetObject"), 0);
}

/// Large plain objects are read by ranges from the cache, and in order from the network.
#[test]
fn large_objects_are_kept_too() {
    let server = Server::start().unwrap();
    let (header, records) = LOG.split_once('\n').unwrap();
    let mut bucket = Bucket::new();
    let lines = [header, "\n", &records.repeat(60_000)].concat();
    assert!(lines.len() > 8 << 20);
    bucket.put("x.log", lines);
    server.add("org-logs", bucket);
    let cache = tempfile::tempdir().unwrap();
    let sql = "SELECT count(*), sum(bytes), max(\"$line\") FROM vpc_flow_logs";
    for arguments in [
        &[sql, "s3://org-logs/"][..],
        &[sql, "s3://org-logs/", "--offline"],
    ] {
        let answer = stdout(&ask(&server, &cache, arguments));
        assert_eq!(answer.lines().last(), Some("120000,151200000,120001"));
        server.forget();
    }
    // An answer that needs only the beginning keeps nothing of the rest, and takes no harm.
    let first = "SELECT srcaddr FROM vpc_flow_logs LIMIT 1";
    let cache = tempfile::tempdir().unwrap();
    let answer = stdout(&ask(&server, &cache, &[first, "s3://org-logs/"]));
    assert_eq!(answer, "srcaddr\n10.0.0.1\n");
    let answer = stdout(&ask(&server, &cache, &[sql, "s3://org-logs/"]));
    assert_eq!(answer.lines().last(), Some("120000,151200000,120001"));
}

#[test]
fn parquet_is_kept_too() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket());
    server.add("written", Bucket::new());
    let cache = tempfile::tempdir().unwrap();
    let unload = "UNLOAD (SELECT srcaddr, bytes, dstaddr FROM vpc_flow_logs) TO 's3://written/flows/' WITH (format = 'PARQUET')";
    let output = ask(&server, &cache, &[unload, "s3://org-logs/org/"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let arguments = [
        "SELECT count(*), sum(bytes) FROM flows",
        "s3://written/flows/",
    ];
    server.forget();
    let first = stdout(&ask(&server, &cache, &arguments));
    assert_eq!(first.lines().last(), Some("4,5040"));
    assert!(server.count("GetObject") > 0);
    server.forget();
    assert_eq!(stdout(&ask(&server, &cache, &arguments)), first);
    assert_eq!(server.count("GetObject") + server.count("HeadObject"), 0);
    server.forget();
    let offline = [&arguments[..], &["--offline"]].concat();
    assert_eq!(stdout(&ask(&server, &cache, &offline)), first);
    assert_eq!(server.log(), []);
}

#[test]
fn what_is_not_there_without_a_network_is_named() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket());
    let cache = tempfile::tempdir().unwrap();
    let arguments = [COUNT, "s3://org-logs/org/", "--offline"];
    let output = ask(&server, &cache, &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "error: s3://org-logs/org/: its listing is not in the cache, and --offline asks for nothing\n\
         hint: ask once without --offline, with the same --cache; or name a time range that was asked for before\n"
    );
    // Listed, recognised, and never read.
    let explain = ["EXPLAIN SELECT * FROM vpc_flow_logs", "s3://org-logs/org/"];
    stdout(&ask(&server, &cache, &explain));
    let wide: String = (0..2000)
        .map(|_| LOG.lines().nth(1).unwrap().to_owned() + "\n")
        .collect();
    server.with("org-logs", |bucket| {
        bucket.put("large/x.log", [LOG, &wide].concat());
    });
    let explain = [
        "EXPLAIN SELECT * FROM vpc_flow_logs",
        "s3://org-logs/large/",
    ];
    stdout(&ask(&server, &cache, &explain));
    let arguments = [COUNT, "s3://org-logs/large/", "--offline"];
    assert_eq!(
        stderr(&ask(&server, &cache, &arguments)),
        "error: s3://org-logs/large/x.log: not in the cache, and --offline asks for nothing\n\
         hint: ask once without --offline; if it was fetched before, the cache is too small: --cache-size\n"
    );
    let unload = "UNLOAD (SELECT 1 AS a) TO 's3://org-logs/written/' WITH (format = 'PARQUET')";
    let output = ask(&server, &cache, &[unload, "testdata/nginx", "--offline"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr(&output),
        "error: s3://org-logs/written/: --offline asks nothing of S3, so nothing is written there\n\
         hint: write to a local folder, or leave --offline out\n"
    );
}

#[test]
fn options_that_make_no_sense() {
    let server = Server::start().unwrap();
    let ask = |arguments: &[&str]| {
        let arguments = [&["query", "SELECT 1", "s3://org-logs/"], arguments].concat();
        let output = loglens(&server, &KEYS, &arguments);
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    assert_eq!(
        ask(&["--offline"]),
        "error: --offline answers from a cache, and none is named\n\
         hint: name the one of earlier queries: --cache DIR, or `cache` in loglens.toml\n"
    );
    assert_eq!(
        ask(&["--cache", "x", "--cache-size", "large"]),
        "error: --cache-size large: not a size\nhint: write one like 512MB or 2GiB\n"
    );
}

#[test]
fn the_configuration_names_a_cache_beside_it() {
    let server = Server::start().unwrap();
    server.add("org-logs", bucket());
    let folder = tempfile::tempdir().unwrap();
    let file = below(&folder, "loglens.toml");
    let text = "from = [\"s3://org-logs/org/\"]\ncache = \"kept\"\ncache_size = \"1GB\"\n";
    std::fs::write(&file, text).unwrap();
    let arguments = ["query", "-o", "csv", "--config", &file, COUNT];
    let first = stdout(&loglens(&server, &KEYS, &arguments));
    assert!(folder.path().join("kept/loglens-1").is_dir());
    std::fs::write(&file, format!("{text}offline = true\n")).unwrap();
    server.forget();
    assert_eq!(stdout(&loglens(&server, &KEYS, &arguments)), first);
    assert_eq!(server.log(), []);
}
