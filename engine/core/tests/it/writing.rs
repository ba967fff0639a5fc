//! `UNLOAD`: what lies in the folders afterwards.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use loglens_engine::arrow::array::AsArray;
use loglens_engine::arrow::compute::concat_batches;
use loglens_engine::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use loglens_engine::arrow::record_batch::RecordBatch;
use loglens_engine::{Engine, EngineOptions};
use loglens_io::places::WritablePlaces;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::ask::ask;
use crate::logs::{HEADER, records};
use crate::memory::{MemoryObject, over};

fn engine(text: &str) -> Engine {
    Engine::new(EngineOptions {
        places: Some(Arc::new(WritablePlaces::default())),
        threads: Some(2),
        ..over(vec![MemoryObject::new("flow.log", text)])
    })
    .unwrap()
}

/// Paths of all files below a folder, without it, sorted; hidden ones too.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(folder).unwrap();
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> RecordBatch {
    let file = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = Arc::clone(file.schema());
    let batches: Vec<_> = file.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_in_folders() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 20_000)));
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("lake");
    let sql = format!(
        "UNLOAD (SELECT srcaddr, bytes, event_time, packets FROM vpc_flow_logs) TO '{}/' \
         WITH (format = 'PARQUET', compression = 'ZSTD', partitioned_by = ARRAY['packets'])",
        place.display()
    );
    let summary = ask(&engine, &sql).await.unwrap();
    assert_eq!(summary.columns, ["rows", "files", "bytes"]);
    let files = files(&place);
    assert_eq!(summary.rows[0][..2], ["20000", "90"]);
    assert_eq!(files.len(), 90);
    let sizes = files
        .iter()
        .map(|file| fs::metadata(place.join(file)).unwrap().len());
    assert_eq!(summary.rows[0][2], sizes.sum::<u64>().to_string());
    let mut total = 0;
    for file in &files {
        let (partition, name) = file.split_once('/').unwrap();
        let packets: i64 = partition.strip_prefix("packets=").unwrap().parse().unwrap();
        assert!(name.ends_with(".parquet"), "{file}");
        let rows = read(&place.join(file));
        let names: Vec<_> = rows
            .schema_ref()
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect();
        assert_eq!(names, ["srcaddr", "bytes", "event_time"]);
        let bytes = rows.column(1).as_primitive::<Int64Type>().values();
        assert!(bytes.iter().all(|number| number % 90 == packets), "{file}");
        let times = rows
            .column(2)
            .as_primitive::<TimestampMicrosecondType>()
            .values();
        assert!(times.is_sorted(), "{file}");
        total += bytes.iter().sum::<i64>();
    }
    assert_eq!(total, (0..20_000).sum::<i64>());
    let metadata =
        ParquetRecordBatchReaderBuilder::try_new(File::open(place.join(&files[0])).unwrap())
            .unwrap()
            .metadata()
            .row_group(0)
            .clone();
    assert!(
        metadata.column(0).bloom_filter_offset().is_some(),
        "srcaddr has one"
    );
    assert!(metadata.column(1).bloom_filter_offset().is_none());
    assert!(
        metadata
            .columns()
            .iter()
            .all(|column| column.statistics().is_some())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_a_table() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 20_000)));
    let folder = tempfile::tempdir().unwrap();
    let sql = format!(
        "UNLOAD (SELECT srcaddr, bytes, packets FROM vpc_flow_logs) TO '{}/lake' \
         WITH (partitioned_by = ARRAY['packets'])",
        folder.path().display()
    );
    ask(&engine, &sql).await.unwrap();
    let place = folder.path().to_str().unwrap();
    let written = Engine::new(EngineOptions {
        sources: vec![loglens_io::source(place).unwrap()],
        ..EngineOptions::default()
    })
    .unwrap();
    for what in [
        "count(*), sum(bytes), count(DISTINCT srcaddr), count(DISTINCT CAST(packets AS int))",
        "max(bytes), min(srcaddr)",
    ] {
        let raw = ask(&engine, &format!("SELECT {what} FROM vpc_flow_logs"))
            .await
            .unwrap();
        let read = ask(&written, &format!("SELECT {what} FROM lake"))
            .await
            .unwrap();
        assert_eq!(raw.rows, read.rows, "{what}");
    }
    let one = "SELECT sum(bytes % 90) FROM lake WHERE packets = '7'";
    let rows = (0..20_000).filter(|number| number % 90 == 7).count();
    assert_eq!(
        ask(&written, one).await.unwrap().to_string(),
        (7 * rows).to_string()
    );
    let plan = ask(&written, &format!("EXPLAIN {one}"))
        .await
        .unwrap()
        .lines();
    let plan = plan.join("\n");
    assert!(
        plan.contains("packets=7/") && !plan.contains("packets=8/"),
        "{plan}"
    );
    let unknown = ask(&written, "SELECT 1 FROM vpc_flow_logs")
        .await
        .unwrap_err();
    assert!(unknown.hint.unwrap().contains("lake"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_partitions_in_the_order_of_the_statement() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 3000)));
    let folder = tempfile::tempdir().unwrap();
    let sql = format!(
        "UNLOAD (SELECT bytes FROM vpc_flow_logs ORDER BY bytes DESC) TO '{}'",
        folder.path().display()
    );
    let summary = ask(&engine, &sql).await.unwrap();
    assert_eq!(summary.rows[0][..2], ["3000", "1"]);
    let rows = read(&folder.path().join(&files(folder.path())[0]));
    let bytes = rows.column(0).as_primitive::<Int64Type>().values();
    assert!(bytes.iter().rev().is_sorted());
    assert_eq!(bytes.len(), 3000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_full_is_followed_by_another() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 120_000)));
    let folder = tempfile::tempdir().unwrap();
    let sql = format!(
        "UNLOAD (SELECT bytes, start, \"end\" FROM vpc_flow_logs) TO '{}' WITH (file_size_mb = 1)",
        folder.path().display()
    );
    let summary = ask(&engine, &sql).await.unwrap();
    let files = files(folder.path());
    assert!(files.len() > 1, "{files:?}");
    assert_eq!(
        summary.rows[0][..2],
        ["120000".to_owned(), files.len().to_string()]
    );
    let rows = files
        .iter()
        .map(|file| read(&folder.path().join(file)).num_rows());
    assert_eq!(rows.sum::<usize>(), 120_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_leaves_nothing() {
    let text = format!("{HEADER}\n{}", records(0, 30_000)).replace(" 29500 ", " many ");
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::new(EngineOptions {
        places: Some(Arc::new(WritablePlaces::default())),
        strict: true,
        ..over(vec![MemoryObject::new("flow.log", text)])
    })
    .unwrap();
    let sql = format!(
        "UNLOAD (SELECT bytes, srcaddr FROM vpc_flow_logs) TO '{}'",
        folder.path().display()
    );
    ask(&engine, &sql).await.unwrap_err();
    assert_eq!(files(folder.path()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 10)));
    let folder = tempfile::tempdir().unwrap();
    let full = tempfile::tempdir().unwrap();
    fs::write(full.path().join("a"), "a").unwrap();
    let (empty, full) = (folder.path().display(), full.path().display());
    for (sql, expected) in [
        (
            format!("UNLOAD (SELECT bytes FROM vpc_flow_logs) TO '{full}'"),
            "there is something already",
        ),
        (
            format!("UNLOAD (SELECT bytes FROM vpc_flow_logs) TO '{empty}' WITH (format = 'ORC')"),
            "UNLOAD: format = 'ORC': only 'PARQUET' is written",
        ),
        (
            format!("UNLOAD (SELECT bytes FROM vpc_flow_logs) TO '{empty}' WITH (sorted = 'x')"),
            "UNLOAD: sorted = 'x' is no option",
        ),
        (
            format!(
                "UNLOAD (SELECT bytes, action FROM vpc_flow_logs) TO '{empty}' \
                 WITH (partitioned_by = ARRAY['actoin'])"
            ),
            "UNLOAD: no column actoin to partition by",
        ),
        (
            format!(
                "UNLOAD (SELECT action FROM vpc_flow_logs) TO '{empty}' \
                 WITH (partitioned_by = ARRAY['action'])"
            ),
            "UNLOAD: no column is left for the files",
        ),
        (
            format!(
                "UNLOAD (SELECT action, bytes FROM vpc_flow_logs) TO '{empty}' \
                 WITH (partitioned_by = ARRAY['action', 'action'])"
            ),
            "UNLOAD: column action partitions twice",
        ),
        (
            format!(
                "UNLOAD (SELECT a.action, b.action, a.bytes FROM vpc_flow_logs a \
                 JOIN vpc_flow_logs b ON a.bytes = b.bytes) TO '{empty}' \
                 WITH (partitioned_by = ARRAY['action'])"
            ),
            "UNLOAD: two columns are called action, by which it is partitioned",
        ),
        (
            "UNLOAD (SELECT bytes FROM vpc_flow_logs) TO 'gs://logs/lake/'".to_owned(),
            "gs://logs/lake/: loglens does not write to gs:// yet",
        ),
        (
            format!("UNLOAD ('SELECT 1') TO '{empty}'"),
            "UNLOAD: a statement in brackets is expected, and not in quotes",
        ),
    ] {
        let error = ask(&engine, &sql).await.unwrap_err();
        assert!(error.message.contains(expected), "{sql}: {}", error.message);
        assert!(error.hint.is_some(), "{sql}");
    }
    assert_eq!(files(folder.path()), [""; 0]);
}

/// An engine that reads and writes folders.
fn over_folder(place: &str) -> Engine {
    Engine::new(EngineOptions {
        sources: vec![loglens_io::source(place).unwrap()],
        places: Some(Arc::new(WritablePlaces::default())),
        ..EngineOptions::default()
    })
    .unwrap()
}

/// The values of the one row of an answer.
async fn row(engine: &Engine, sql: &str) -> String {
    let answer = ask(engine, sql).await.unwrap();
    assert_eq!(answer.rows.len(), 1, "{sql}");
    answer.rows[0].join("|")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_created_and_filled() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 9000)));
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("lake");
    let create = format!(
        "CREATE TABLE flows WITH (external_location = '{}', format = 'PARQUET', \
         write_compression = 'ZSTD', partitioned_by = ARRAY['packets']) AS \
         SELECT srcaddr, bytes, event_time, packets FROM vpc_flow_logs WHERE bytes < 5000",
        place.display()
    );
    let summary = ask(&engine, &create).await.unwrap();
    assert_eq!(summary.rows[0][..2], ["5000", "90"]);
    let count = "SELECT count(*), sum(bytes), count(DISTINCT packets) FROM flows";
    let rows = |upto: i64| format!("{upto}|{}|90", (0..upto).sum::<i64>());
    assert_eq!(row(&engine, count).await, rows(5000));

    let insert = "INSERT INTO flows SELECT srcaddr, bytes, event_time, packets FROM vpc_flow_logs \
                  WHERE bytes BETWEEN 5000 AND 5999";
    assert_eq!(
        ask(&engine, insert).await.unwrap().rows[0][..2],
        ["1000", "90"]
    );
    assert_eq!(row(&engine, count).await, rows(6000));
    assert_eq!(files(&place).len(), 180);

    // A session of its own finds the table by its folder.
    let other = over_folder(folder.path().to_str().unwrap());
    let insert = "INSERT INTO lake (packets, bytes) SELECT '7', 1";
    assert_eq!(ask(&other, insert).await.unwrap().rows[0][..2], ["1", "1"]);
    let all = "SELECT count(*), count(srcaddr), count(event_time) FROM lake";
    assert_eq!(row(&other, all).await, "6001|6000|6000");
    let types = "SELECT arrow_typeof(bytes), arrow_typeof(event_time) FROM lake LIMIT 1";
    assert_eq!(
        row(&other, types).await,
        row(&engine, &types.replace("lake", "flows")).await
    );

    let again = create.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS");
    assert_eq!(row(&engine, &again).await, "0|0|0");
    let error = ask(&engine, &create).await.unwrap_err();
    assert_eq!(error.message, "there is a table flows already");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_rows_can_be_filled() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 10)));
    let folder = tempfile::tempdir().unwrap();
    let create = format!(
        "CREATE TABLE flows WITH (external_location = '{}/lake/') AS \
         SELECT srcaddr, bytes FROM vpc_flow_logs WHERE bytes < 0",
        folder.path().display()
    );
    assert_eq!(row(&engine, &create).await, "0|0|0");
    let count = "SELECT count(*), sum(bytes) FROM flows";
    assert_eq!(row(&engine, count).await, "0|NULL");
    let insert = "INSERT INTO flows SELECT srcaddr, bytes FROM vpc_flow_logs";
    ask(&engine, insert).await.unwrap();
    assert_eq!(row(&engine, count).await, "10|45");
    // What reads the table that it fills reads what was there.
    ask(&engine, "INSERT INTO flows SELECT * FROM flows")
        .await
        .unwrap();
    assert_eq!(row(&engine, count).await, "20|90");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_a_table() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 10)));
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("lake");
    let create = format!(
        "CREATE TABLE flows WITH (external_location = '{}', partitioned_by = ARRAY['packets']) AS \
         SELECT srcaddr, bytes, packets FROM vpc_flow_logs",
        place.display()
    );
    ask(&engine, &create).await.unwrap();
    let before = files(&place);
    for (sql, expected) in [
        (
            "INSERT INTO flows SELECT srcaddr, bytes FROM vpc_flow_logs",
            "INSERT INTO flows: 3 columns are expected, and the query gives 2",
        ),
        (
            "INSERT INTO flows SELECT bytes, bytes AS b, packets FROM vpc_flow_logs",
            "INSERT INTO flows: column srcaddr is Utf8View, and the query gives Int64",
        ),
        (
            "INSERT INTO flows (bytes, srcadr) SELECT bytes, srcaddr FROM vpc_flow_logs",
            "INSERT INTO flows: it has no column srcadr",
        ),
        (
            "INSERT INTO flows (bytes, bytes) SELECT bytes, bytes AS b FROM vpc_flow_logs",
            "INSERT INTO flows: column bytes is named twice",
        ),
        (
            "INSERT OVERWRITE flows SELECT srcaddr, bytes, packets FROM vpc_flow_logs",
            "INSERT INTO flows: files can only be added",
        ),
        (
            "CREATE TABLE other WITH (format = 'PARQUET') AS SELECT 1 AS a",
            "CREATE TABLE: no external_location is given",
        ),
        (
            "CREATE OR REPLACE TABLE flows WITH (external_location = 'x') AS SELECT 1 AS a",
            "CREATE TABLE: neither OR REPLACE nor a list of columns can be said with a place",
        ),
        (
            "CREATE TABLE other WITH (external_location = 'x', bucket_count = 3) AS SELECT 1 AS a",
            "CREATE TABLE: bucket_count = 3 is no option",
        ),
    ] {
        let error = ask(&engine, sql).await.unwrap_err();
        assert_eq!(error.message, expected, "{sql}");
        assert!(error.hint.is_some(), "{sql}");
    }
    assert_eq!(files(&place), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_name_a_column_twice_are_no_table() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 10)));
    let folder = tempfile::tempdir().unwrap();
    for below in ["one/day=1/day=2", "two/day=1/DAY=2", "three/day=1"] {
        let sql = format!(
            "UNLOAD (SELECT bytes FROM vpc_flow_logs) TO '{}/{below}'",
            folder.path().display()
        );
        ask(&engine, &sql).await.unwrap();
    }
    let read = over_folder(folder.path().to_str().unwrap());
    let archive = read.archive().await.unwrap();
    let names = archive.parquet.iter().map(|table| table.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["three"]);
    for found in archive.unrecognised() {
        let expected = "Parquet: its folders name the column day twice";
        assert_eq!(
            found.reason.to_ascii_lowercase(),
            expected.to_ascii_lowercase()
        );
    }
    assert_eq!(archive.unrecognised().len(), 2);
}

/// Hive's folders have a name for NULL, which is no text.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_stands_for_null() {
    let engine = engine(&format!("{HEADER}\n{}", records(0, 100)));
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display();
    let sql = format!(
        "UNLOAD (SELECT bytes, CASE WHEN bytes < 30 THEN 'few' END AS size FROM vpc_flow_logs) \
         TO '{place}/lake' WITH (partitioned_by = ARRAY['size'])"
    );
    ask(&engine, &sql).await.unwrap();
    let lake = Engine::new(EngineOptions {
        sources: vec![loglens_io::source(&place.to_string()).unwrap()],
        ..EngineOptions::default()
    })
    .unwrap();
    for (sql, rows) in [
        (
            "SELECT size, count(*) FROM lake GROUP BY 1 ORDER BY 1",
            [["few", "30"], ["NULL", "70"]].as_slice(),
        ),
        (
            "SELECT 'null', count(*) FROM lake WHERE size IS NULL",
            &[["null", "70"]],
        ),
        (
            "SELECT 'few', count(*) FROM lake WHERE size = 'few'",
            &[["few", "30"]],
        ),
        (
            "SELECT 'other', count(*) FROM lake WHERE size <> 'few'",
            &[["other", "0"]],
        ),
    ] {
        let answer = ask(&lake, sql).await.unwrap();
        assert_eq!(answer.rows, rows, "{sql}");
    }
    let plan = ask(&lake, "EXPLAIN SELECT bytes FROM lake WHERE size = 'few'")
        .await
        .unwrap();
    let plan = format!("{plan:?}");
    assert!(
        plan.contains("size=few/") && !plan.contains("__HIVE_DEFAULT_PARTITION__/"),
        "{plan}"
    );
}
