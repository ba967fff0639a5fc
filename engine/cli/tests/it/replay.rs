//! `loglens replay`: what was rejected becomes rows once there is a format for it, and only once.

use std::fs;
use std::path::Path;

use crate::command::{answer, below, loglens, names, run};
use crate::consume::World;

/// The format that was missing.
const NGINX: &str = "testdata/nginx/nginx.toml";

fn line(number: u64) -> String {
    format!(
        "192.0.2.1 - - [12/Nov/2026:06:25:{number:02} +0000] \"GET /{number} HTTP/1.1\" 200 {number} \"-\" \"-\""
    )
}

/// A lake in which 200 flows are rows, and these records are rejected.
fn rejected(records: &[&str]) -> World {
    let world = World::new();
    world.put(0..200);
    for record in records {
        world.put_data("key", record);
    }
    let consumer = world.consume();
    world.wait_for(200);
    consumer.terminate();
    world
}

fn replay(world: &World, more: &[&str]) -> (Option<i32>, String) {
    let (errors, lake) = (
        below(&world.folder, "lake/errors"),
        below(&world.folder, "lake"),
    );
    let mut command = loglens(&["replay", &errors, "--to", &lake]);
    let (output, out, err) = run(command.args(more));
    assert_eq!(out, "");
    (output.status.code(), err)
}

fn requests(world: &World) -> String {
    let lake = below(&world.folder, "lake");
    let sql =
        "SELECT count(*) AS n, count(DISTINCT body_bytes_sent) AS numbers FROM nginx_access_logs";
    answer(&mut loglens(&[
        "query", "-o", "csv", sql, &lake, "--format", NGINX,
    ]))
}

/// All files below a folder but the marks of what is done.
fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path.to_str().unwrap().to_owned()),
        }
    }
    files.retain(|file| !file.contains("_loglens"));
    files
}

#[test]
fn what_has_a_format_now_becomes_rows_once() {
    let world = rejected(&[&line(1), &line(2), "nothing at all", &line(3)]);
    // Nothing has changed: the same are rejected again, which counts as a try.
    let (code, err) = replay(&world, &[]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.starts_with("replayed 4 records: 0 became 0 rows, 4 rejected again\n"),
        "{err}"
    );

    let (code, err) = replay(&world, &["--format", NGINX, "--table", "nginx"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.starts_with("replayed 4 records: 3 became 3 rows, 1 rejected again; "),
        "{err}"
    );
    assert_eq!(requests(&world), "n,numbers\n3,3\n");
    world.assert_each_once(200);

    let errors = below(&world.folder, "lake/errors");
    let tried: Vec<_> = names(Path::new(&errors))
        .into_iter()
        .filter(|name| name.contains("-attempt-3"))
        .collect();
    assert_eq!(tried.len(), 1, "{tried:?}");
    let left = fs::read_to_string(format!("{errors}/{}", tried[0])).unwrap();
    let left: serde_json::Value = serde_json::from_str(&left).unwrap();
    assert_eq!(
        (left["attempt"].as_u64(), left["cause"].as_str()),
        (Some(3), Some("expected at least 9 fields, found 3"))
    );

    // Once more, nothing becomes a row that is one.
    let (code, err) = replay(&world, &["--format", NGINX, "--table", "nginx"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.starts_with("replayed 1 record: 0 became 0 rows, 1 rejected again; "),
        "{err}"
    );
    assert_eq!(requests(&world), "n,numbers\n3,3\n");
}

/// It was killed before it could say that it was done: the same comes of it, and nothing twice.
#[test]
fn a_replay_that_was_not_finished_is_gone_on_with() {
    let world = rejected(&[&line(1), &line(2), "nothing at all"]);
    let mend = ["--format", NGINX, "--table", "nginx"];
    let lake = world.folder.path().join("lake");
    let (code, err) = replay(&world, &mend);
    assert_eq!(code, Some(0), "{err}");
    let whole = files(&lake);
    let written: Vec<_> = whole
        .iter()
        .filter(|file| file.contains("-attempt-2"))
        .collect();
    assert_eq!(written.len(), 2, "{whole:?}");
    for missing in [&written[..1], &written[1..], &written[..]] {
        forget_the_end(&lake);
        missing
            .iter()
            .for_each(|file| fs::remove_file(file).unwrap());
        let (code, err) = replay(&world, &mend);
        assert_eq!(code, Some(0), "{err}");
        assert_eq!(requests(&world), "n,numbers\n2,2\n");
        let now = files(&lake);
        assert!(whole.iter().all(|file| now.contains(file)), "{now:?}");
    }
    // With other formats other rows would come, beside those that are there.
    forget_the_end(&lake);
    written
        .iter()
        .filter(|file| file.contains("errors"))
        .for_each(|file| fs::remove_file(file).unwrap());
    let (code, err) = replay(&world, &[]);
    assert_eq!(code, Some(2), "{err}");
    assert!(
        err.contains("a replay was begun that makes other rows of it\nhint: "),
        "{err}"
    );
}

/// Makes it as if the first replay had been killed before its end.
fn forget_the_end(lake: &Path) {
    let (marks, errors) = (lake.join("_loglens/replayed"), lake.join("errors"));
    for mark in names(&marks) {
        if mark.ends_with(".done") || mark.contains("-attempt-") {
            fs::remove_file(marks.join(mark)).unwrap();
        }
    }
    for again in names(&errors)
        .into_iter()
        .filter(|name| name.contains("-attempt-3"))
    {
        fs::remove_file(errors.join(again)).unwrap();
    }
}

#[test]
fn where_nothing_was_rejected_is_said() {
    let world = World::new();
    fs::create_dir_all(below(&world.folder, "lake/errors")).unwrap();
    let (code, err) = replay(&world, &[]);
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("no rejected records lie there\nhint: "),
        "{err}"
    );
    fs::write(below(&world.folder, "lake/errors/a.ndjson"), "{}\n").unwrap();
    let (code, err) = replay(&world, &[]);
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("a.ndjson:1: no rejected record: missing field"),
        "{err}"
    );
}
