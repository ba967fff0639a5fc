//! Rows of a lot, grouped for windows as its files are made.

use std::time::Duration;

use loglens_engine::Engine;
use loglens_engine::engine::Lot;
use loglens_engine::stream::StreamOptions;

use crate::ask::{ask_new, cells};
use crate::lots::{flows, lot_over};
use crate::memory::{MemoryObject, over};

/// Less memory than the rows of these lots take.
const SHORT_OF_FLOWS: usize = 8_000_000;
const SHORT_OF_EVENTS: usize = 24_000_000;

/// The rows of the files of a lot, and of the windows that its rows make.
async fn windows(engine: &Engine, lot: &Lot, is_short: bool, sql: &str) -> (usize, Vec<String>) {
    let options = StreamOptions {
        disorder: Some(Duration::from_secs(3600)),
        lateness: Duration::ZERO,
        idle: Duration::from_secs(3600),
    };
    let statement = engine.parse(sql).unwrap().remove(0);
    let mut stream = engine.stream(statement, options).await.unwrap();
    let grouping = stream.grouping().unwrap();
    let (mut files, grouped) = engine.files_of(lot, &[&grouping, &grouping]).await.unwrap();
    // Only rows that are in memory were counted before the first file.
    assert_eq!(files.rejected().is_none(), is_short);
    let mut of_files = 0;
    while let Some(file) = files.next().await.unwrap() {
        of_files += file.rows;
    }
    // Of two windows, both have all rows.
    assert_eq!(grouped.len(), 2);
    stream.merge(0, &grouped[1]).unwrap();
    stream.ended(0);
    let mut rows = Vec::new();
    while let Some(closed) = stream.next_closed().await.unwrap() {
        rows.extend(closed.rows.iter().flat_map(cells));
    }
    let mut rows: Vec<_> = rows.iter().map(|row| row.join(" ")).collect();
    rows.sort();
    (of_files, rows)
}

/// Whether the rows are in memory or are read again, and as a query over the objects has them.
async fn are_those_of_a_query(table: &str, objects: &[MemoryObject], short: usize, sql: &str) {
    let expected = ask_new(over(objects.to_vec()), sql).await.unwrap().sorted();
    assert!(!expected.is_empty(), "{sql}");
    for memory_limit in [None, Some(short)] {
        let (engine, lot) = lot_over(table, objects.to_vec(), memory_limit, &["date"]);
        let (of_files, rows) = windows(&engine, &lot, memory_limit.is_some(), sql).await;
        assert!(of_files > 0);
        assert!(rows == expected, "{memory_limit:?}: {sql}");
    }
}

#[tokio::test]
async fn windows_of_a_lot_are_those_of_a_query() {
    let objects = flows(3, 10_000, "");
    for sql in [
        "SELECT window_end, srcaddr, count(*), sum(bytes) FROM vpc_flow_logs \
         GROUP BY hop(event_time, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE), srcaddr",
        // Time goes on with the rows that are left out, too.
        "SELECT window_end, max(bytes), count(DISTINCT dstport) FROM vpc_flow_logs \
         WHERE bytes % 7 = 3 AND action = 'ACCEPT' AND dstport BETWEEN 400 AND 500 \
         GROUP BY tumble(event_time, INTERVAL '10' MINUTE)",
        // Columns that the files do not have.
        "SELECT window_end, \"$path\", max(\"$line\"), count(*) FROM vpc_flow_logs \
         WHERE \"$line\" > 5000 GROUP BY tumble(event_time, INTERVAL '10' MINUTE), \"$path\"",
        "SELECT window_end, count(*), sum(bytes) FROM (SELECT event_time, bytes FROM vpc_flow_logs \
         UNION ALL SELECT event_time, packets FROM vpc_flow_logs WHERE bytes < 50) \
         GROUP BY tumble(event_time, INTERVAL '10' MINUTE)",
        "SELECT window_end, count(*) FROM vpc_flow_logs WHERE srcaddr = 'nobody' OR bytes < 100 \
         GROUP BY tumble(event_time, INTERVAL '10' MINUTE) HAVING count(*) > 1",
    ] {
        are_those_of_a_query("vpc_flow_logs", &objects, SHORT_OF_FLOWS, sql).await;
    }
}

#[tokio::test]
async fn members_of_structs_are_columns_of_windows_too() {
    let event = |number: usize| {
        let (name, minute) = (["GetObject", "PutObject"][number % 2], number / 200);
        let who = number % 3;
        format!(
            r#"{{"eventVersion":"1.08","eventTime":"2026-01-01T00:{minute:02}:00Z","eventSource":"s3.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","eventID":"{number}","eventType":"AwsApiCall","userIdentity":{{"type":"Root","arn":"arn:{who}"}},"requestID":"{number:02400}"}}"#
        )
    };
    let text = |first: usize| {
        let events: Vec<_> = (first..first + 5000).map(event).collect();
        format!("{{\"Records\":[{}]}}", events.join(","))
    };
    let objects = [0, 5000].map(|first| MemoryObject::new(&format!("{first}.json"), text(first)));
    let sql = "SELECT window_end, useridentity.arn, count(*) FROM cloudtrail_logs \
               WHERE useridentity.type = 'Root' AND eventname = 'GetObject' \
               GROUP BY tumble(event_time, INTERVAL '10' MINUTE), useridentity.arn";
    are_those_of_a_query("cloudtrail_logs", &objects, SHORT_OF_EVENTS, sql).await;
}

/// A record that is no row of the files is none of a window; one of which a value does not fit is both.
#[tokio::test]
async fn windows_have_the_rows_of_the_files() {
    let damaged = "2 short\n2 123456789010 eni-1 10.0.0.1 10.0.0.2 http 443 6 1 7 1767225600 1767225600 ACCEPT OK\n";
    let sql = "SELECT window_end, count(*) FROM vpc_flow_logs \
               GROUP BY tumble(event_time, INTERVAL '1' DAY)";
    for memory_limit in [None, Some(SHORT_OF_FLOWS)] {
        let objects = flows(3, 10_000, damaged);
        let (engine, lot) = lot_over("vpc_flow_logs", objects, memory_limit, &["date"]);
        let (of_files, rows) = windows(&engine, &lot, memory_limit.is_some(), sql).await;
        let rows = rows.iter().filter_map(|row| row.rsplit(' ').next());
        let of_windows = rows.map(|count| count.parse::<usize>().unwrap());
        assert_eq!((of_files, of_windows.sum()), (30_003, 30_003));
    }
}

/// So much that the scan has more than one partition.
#[tokio::test]
async fn a_lot_of_nothing_but_rejected_records_makes_neither_files_nor_windows() {
    let short = format!("2 {}\n", "short".repeat(40));
    let objects = vec![MemoryObject::new("shard-0/0", short.repeat(50_000))];
    let (engine, lot) = lot_over("vpc_flow_logs", objects, None, &["date"]);
    let sql = "SELECT window_end, count(*) FROM vpc_flow_logs WHERE bytes > 1 \
               GROUP BY tumble(event_time, INTERVAL '1' DAY)";
    assert_eq!(windows(&engine, &lot, false, sql).await, (0, Vec::new()));
}
