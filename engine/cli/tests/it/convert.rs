//! `loglens convert`: what lies in the place afterwards, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};

use loglens_test_server::{Bucket, Server};

use crate::assert_command_snapshot;
use crate::command::{answer, below, folder, loglens, root, run};
use crate::s3::{self, KEYS, LOG, stderr, stdout};

/// The columns that tell what became of each object: its flows begin at a second of their own.
const EACH: &str =
    "account_id, start, count(*) AS flows, sum(bytes) AS bytes, sum(packets) AS packets";

/// Logs of two accounts in two Regions, and the place that they are converted to.
fn generated() -> tempfile::TempDir {
    let folder = folder(&[]);
    answer(&mut loglens(&[
        "generate",
        "vpc_flow_logs",
        "--rows",
        "4000",
        "--objects",
        "8",
        "--accounts",
        "2",
        "--regions",
        "2",
        "--gzip",
        "--to",
        &below(&folder, "logs"),
    ]));
    folder
}

fn rows(place: &str, table: &str) -> String {
    let sql = format!("SELECT {EACH} FROM {table} GROUP BY 1, 2 ORDER BY 1, 2");
    answer(&mut loglens(&["query", "-o", "csv", &sql, place]))
}

#[test]
fn a_folder_of_logs_becomes_a_table() {
    let folder = generated();
    let (logs, lake) = (below(&folder, "logs"), below(&folder, "lake"));
    let dry = ["convert", "--dry-run", "-o", "csv", &logs, &lake];
    let said = answer(&mut loglens(&dry));
    assert!(
        said.starts_with("objects,bytes,already_done,changed\n8,"),
        "{said}"
    );
    assert!(!folder.path().join("lake").exists());

    let convert = ["convert", "-o", "csv", &logs, &lake];
    let done = answer(&mut loglens(&convert));
    let numbers: Vec<_> = done.lines().nth(1).unwrap().split(',').collect();
    assert!(
        done.starts_with("objects,rows,files,bytes,rejects,already_done,changed\n8,4000,"),
        "{done}"
    );
    assert_eq!(numbers[4..], ["0", "0", "0"]);
    assert!(rows(&logs, "vpc_flow_logs") == rows(&lake, "lake"));
    let partitions =
        "SELECT accid, region, \"date\", count(*) FROM t GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
    let [raw, read] = [(&logs, "vpc_flow_logs"), (&lake, "lake")].map(|(place, table)| {
        let sql = partitions.replace(" t ", &format!(" {table} "));
        answer(&mut loglens(&["query", "-o", "csv", &sql, place]))
    });
    assert_eq!(raw, read);
    assert!(read.lines().count() > 4, "{read}");

    // Again: nothing is done, and nothing changes.
    let again = answer(&mut loglens(&convert));
    assert_eq!(again.lines().nth(1), Some("0,0,0,0,0,8,0"));
    assert!(rows(&logs, "vpc_flow_logs") == rows(&lake, "lake"));
    let entries = fs::read_dir(folder.path().join("lake/_loglens")).unwrap();
    assert_eq!(
        entries
            .filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_str().unwrap().ends_with(".json")
            })
            .count(),
        1
    );
}

#[test]
fn what_comes_later_is_added_and_what_changed_is_named() {
    let server = Server::start().unwrap();
    let key = |minute: u32| {
        format!(
            "AWSLogs/1/vpcflowlogs/us-east-1/2026/01/31/1_vpcflowlogs_us-east-1_fl-1_20260131T00{minute:02}Z_x.log"
        )
    };
    let mut logs = Bucket::new();
    for minute in [5, 10] {
        logs.put(&key(minute), LOG);
    }
    server.add("org-logs", logs);
    server.add("lake", Bucket::new());
    let convert = ["convert", "-o", "csv", "s3://org-logs/", "s3://lake/flows"];
    let row = |said: &str| said.lines().nth(1).unwrap().to_owned();
    let said = row(&stdout(&s3::loglens(&server, &KEYS, &convert)));
    assert!(
        said.starts_with("2,4,1,") && said.ends_with(",0,0,0"),
        "{said}"
    );

    server.with("org-logs", |bucket| {
        bucket.put(&key(15), LOG);
        bucket.put(
            &key(5),
            format!("{LOG}2 1 eni-1 - - - - - - - 1769817600 1769817660 - NODATA\n"),
        );
    });
    let output = s3::loglens(&server, &KEYS, &convert);
    let said = row(&stdout(&output));
    assert!(
        said.starts_with("1,2,1,") && said.ends_with(",0,1,1"),
        "{said}"
    );
    assert!(
        stderr(&output).contains("note: 1 object changed after being converted, and not converted again: s3://org-logs/AWSLogs/1/vpcflowlogs/us-east-1/2026/01/31/1_vpcflowlogs_us-east-1_fl-1_20260131T0005Z_x.log\n"),
        "{output:?}"
    );
    server.forget();
    let read = [
        "query",
        "-o",
        "csv",
        "SELECT count(*) FROM flows",
        "s3://lake/",
    ];
    assert_eq!(
        stdout(&s3::loglens(&server, &KEYS, &read)).lines().last(),
        Some("6")
    );
    let journal = server
        .log()
        .into_iter()
        .filter(|asked| asked.key.contains("_loglens/"));
    assert_eq!(
        journal.count(),
        1,
        "of the journal only the newest entry is read"
    );
}

/// A time range chooses objects, and does not cut them: what was converted is whole.
#[test]
fn a_time_range_chooses_objects() {
    let server = Server::start().unwrap();
    server.add("org-logs", s3::month());
    server.add("lake", Bucket::new());
    let convert = [
        "convert",
        "-o",
        "csv",
        "--since",
        "2026-01-20T10:00",
        "--until",
        "2026-01-20T10:30",
        "s3://org-logs/",
        "s3://lake/flows/",
    ];
    let said = stdout(&s3::loglens(&server, &KEYS, &convert));
    let row = said.lines().nth(1).unwrap();
    let objects = row.split(',').next().unwrap().parse::<u32>().unwrap();
    assert!(
        row.starts_with(&format!("{objects},{objects},")),
        "each has one row: {row}"
    );
    assert!((36..=140).contains(&objects), "{row}");
    let limited = [&convert[..], &["--max-bytes", "1kB"]].concat();
    let limited = limited
        .iter()
        .map(|word| word.replace("10:30", "12:30"))
        .collect::<Vec<_>>();
    let limited: Vec<_> = limited.iter().map(String::as_str).collect();
    let output = s3::loglens(&server, &KEYS, &limited);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("the limit is 1000 bytes"),
        "{output:?}"
    );
}

#[test]
fn bad_input_is_counted_and_named() {
    let folder = folder(&[("logs/flow.log", format!("{LOG}2 short\n").as_bytes())]);
    let (logs, lake) = (below(&folder, "logs"), below(&folder, "lake"));
    assert_command_snapshot!(loglens(&["convert", &logs, &lake]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    objects  rows  files  bytes  rejects  already_done  changed
    -------  ----  -----  -----  -------  ------------  -------
          1     2      1  20909        1             0        0

    1 row

    ----- stderr -----
    note: 1 record rejected, first [folder]/logs/flow.log:4: expected 14 fields, found 2; all of them: loglens query "SELECT * FROM rejects" [folder]/logs
    "#);
    assert_command_snapshot!(loglens(&["convert", "--strict", &logs, &below(&folder, "strict")]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: [folder]/logs/flow.log:4: expected 14 fields, found 2
    hint: leave out --strict to go on without it
    "#);
}

#[test]
fn what_contradicts_the_journal_is_refused() {
    let folder = generated();
    let (logs, lake) = (below(&folder, "logs"), below(&folder, "lake"));
    answer(&mut loglens(&[
        "convert",
        "--partitioned-by",
        "region, date",
        &logs,
        &lake,
    ]));
    assert_command_snapshot!(loglens(&["convert", "--partitioned-by", "region", &logs, &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/lake: the table there is partitioned by region, date, and not region
    hint: a table is of one kind: say the same again, or name another place
    "#);
    assert_command_snapshot!(loglens(&["convert", "--partitioned-by", "", &logs, &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/lake: the table there is partitioned by region, date, and not nothing
    hint: a table is of one kind: say the same again, or name another place
    "#);
    assert_command_snapshot!(loglens(&["convert", "--tz", "Europe/Berlin", &logs, &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/lake: the table there has times of UTC, and not Europe/Berlin
    hint: a table is of one kind: say the same again, or name another place
    "#);
    assert_command_snapshot!(loglens(&["convert", "testdata/cloudtrail", &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/lake: the table there holds vpc_flow_logs, and not cloudtrail_logs
    hint: a table is of one kind: say the same again, or name another place
    "#);
    let again = answer(&mut loglens(&["convert", "-o", "csv", &logs, &lake]));
    assert_eq!(again.lines().nth(1), Some("0,0,0,0,0,8,0"));
}

#[test]
fn what_cannot_be_converted_says_why() {
    let trail = root().join("testdata/cloudtrail/aws-docs-network-activity.json");
    let trail = fs::read(trail).unwrap();
    let folder = folder(&[
        ("logs/flow.log", LOG.as_bytes()),
        ("full/notes.txt", b"mine"),
        ("mixed/flow.log", LOG.as_bytes()),
        ("mixed/trail.json", &trail),
    ]);
    let (logs, full) = (below(&folder, "logs"), below(&folder, "full"));
    let lake = below(&folder, "lake");
    assert_command_snapshot!(loglens(&["convert", &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/lake: only one place is named
    hint: say from where and to where: loglens convert FROM... TO
    "#);
    assert_command_snapshot!(loglens(&["convert", "-", &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: -: what comes from standard input cannot be told from what came before
    hint: write it to a file, or query it with `loglens query "UNLOAD (...) TO ..." -`
    "#);
    assert_command_snapshot!(loglens(&["convert", &logs, &full]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/full: there is something already that `loglens convert` has not written
    hint: name a place where nothing is, or one that logs were converted to
    "#);
    assert_command_snapshot!(loglens(&["convert", &below(&folder, "nowhere"), &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/nowhere: no such file or folder
    hint: loglens looked in [root]
    "#);
    assert_command_snapshot!(loglens(&["convert", &full, &lake]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: [folder]/full: no logs there, or none of this time
    hint: `loglens tables` shows what lies there; --table NAME says what it is
    "#);
    assert_command_snapshot!(loglens(&["convert", &below(&folder, "mixed"), &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: [folder]/mixed: expected logs of one table, found cloudtrail_logs, vpc_flow_logs
    hint: say which with --only TABLE, and convert each to a place of its own
    "#);
    assert_command_snapshot!(loglens(&["convert", "--only", "alb_acces_logs", &logs, &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no log table "alb_acces_logs"
    hint: did you mean "alb_access_logs"?
    "#);
    assert_command_snapshot!(loglens(&["convert", "--only", "alb_access_logs", &logs, &lake]), @r#"
    success: false
    exit_code: 1
    ----- stdout -----

    ----- stderr -----
    error: [folder]/logs: no alb_access_logs there, or none of this time
    hint: `loglens tables` shows what lies there; --table NAME says what it is
    "#);
    assert_command_snapshot!(loglens(&["convert", "--partitioned-by", "dates", &logs, &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: --partitioned-by: no column dates to partition by
    hint: did you mean date?
    "#);
    assert_command_snapshot!(loglens(&["convert", "--chunk-size", "much", &logs, &lake]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: --chunk-size much: not a size
    hint: write one like 512MB or 2GiB
    "#);
    assert!(!folder.path().join("lake").exists());
}

/// Every table of the samples, each with the rows that a query over the raw logs gives.
#[test]
fn each_table_of_the_samples() {
    let folder = folder(&[]);
    let raw: BTreeMap<String, String> = answer(&mut loglens(&["tables", "-o", "csv", "testdata"]))
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split(',');
            let name = cells.next().unwrap().to_owned();
            (name, cells.nth(2).unwrap().to_owned())
        })
        .collect();
    assert!(raw.len() > 5, "{raw:?}");
    for (table, records) in &raw {
        let to = below(&folder, table);
        answer(&mut loglens(&["convert", "--only", table, "testdata", &to]));
        let sql = format!("SELECT count(*) FROM {table}_parquet");
        // A folder of a log table's name has another one as a table.
        let place = below(&folder, table);
        let read = [(&sql, "-o"), (&sql.replace("_parquet", ""), "-o")]
            .map(|(sql, output)| run(&mut loglens(&["query", output, "csv", sql, &place])).1);
        let counts: Vec<_> = read.iter().filter_map(|out| out.lines().nth(1)).collect();
        assert_eq!(counts, [records], "{table}");
    }
}

/// A path that is written in another way is the same object.
#[test]
fn objects_are_known_again_wherever_it_is_started() {
    let folder = generated();
    let lake = below(&folder, "lake");
    answer(&mut loglens(&["convert", &below(&folder, "logs"), &lake]));
    let mut elsewhere = loglens(&["convert", "-o", "csv", "./x/../logs", &lake]);
    fs::create_dir(folder.path().join("x")).unwrap();
    let again = answer(elsewhere.current_dir(folder.path()));
    assert_eq!(again.lines().nth(1), Some("0,0,0,0,0,8,0"));
    assert!(root().join("testdata").exists());
}

/// Files whose writer has not said that they are all there are left out by readers, in folders and
/// in buckets, and go when the next one comes.
#[test]
fn files_of_a_claim_are_passed_over() {
    let folder = generated();
    let (logs, lake) = (below(&folder, "logs"), below(&folder, "lake"));
    answer(&mut loglens(&[
        "convert",
        "--partitioned-by",
        "region",
        &logs,
        &lake,
    ]));
    let all = rows(&lake, "lake");
    let journal = folder.path().join("lake/_loglens/00000.json");
    let entry = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, entry.replace("\"committed\"", "\"claimed\"")).unwrap();
    let sql = "SELECT count(*) FROM lake";
    let (output, _, err) = run(&mut loglens(&["query", sql, &lake]));
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("no table \"lake\""), "{err}");

    // Some of the files are of a statement that has not ended.
    fs::write(&journal, &entry).unwrap();
    let files: Vec<String> = entry
        .split('"')
        .filter(|part| part.ends_with(".parquet"))
        .map(str::to_owned)
        .collect();
    assert_eq!(files.len(), 2);
    let statement = folder.path().join("lake/_loglens/00000000000000ab.json");
    let claim = format!(
        "{{\"version\":1,\"state\":\"claimed\",\"files\":[\"{}\"]}}",
        files[0]
    );
    fs::write(&statement, claim).unwrap();
    let regions = "SELECT DISTINCT region FROM lake";
    let left = answer(&mut loglens(&["query", "-o", "csv", regions, &lake]));
    assert_eq!(left.lines().count(), 2, "{left}");
    assert!(files[1].contains(left.lines().nth(1).unwrap()), "{left}");
    let count = answer(&mut loglens(&["query", "-o", "csv", sql, &lake]));
    let counted = format!(
        "SELECT count(*) FROM lake WHERE region = '{}'",
        left.lines().nth(1).unwrap()
    );
    assert_eq!(
        count,
        answer(&mut loglens(&["query", "-o", "csv", &counted, &lake]))
    );

    // An INSERT leaves it alone, whose writer may be at work; after an hour it cannot be.
    let there =
        || [&statement, &folder.path().join("lake").join(&files[0])].map(|path| path.exists());
    let insert = [
        "query",
        "INSERT INTO lake SELECT * FROM lake LIMIT 1",
        &lake,
    ];
    answer(&mut loglens(&insert));
    assert_eq!(there(), [true, true]);
    let hours_ago = SystemTime::now() - Duration::from_secs(7200);
    fs::File::options()
        .write(true)
        .open(&statement)
        .unwrap()
        .set_modified(hours_ago)
        .unwrap();
    answer(&mut loglens(&insert));
    assert_eq!(there(), [false, false]);
    let left = rows(&lake, "lake");
    assert!(left.lines().count() < all.lines().count(), "{left}");
}
