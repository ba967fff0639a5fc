//! Objects that are at hand made files, one for each partition.

use std::sync::Arc;

use bytes::Bytes;
use loglens_engine::arrow::array::{AsArray, RecordBatch};
use loglens_engine::arrow::compute::{
    SortColumn, concat_batches, lexsort_to_indices, take_record_batch,
};
use loglens_engine::arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType};
use loglens_engine::engine::Lot;
use loglens_engine::object::Object;
use loglens_engine::write::MadeFile;
use loglens_engine::{Engine, EngineOptions, ScanObject};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::memory::{MemoryObject, over};

/// A time of two days, and times between which they turn.
const MIDNIGHT: i64 = 1_767_225_600;

/// Records of which each has its own number of bytes, without a header, out of order.
fn lot(partitioned_by: &[&str]) -> (Engine, Lot) {
    lot_of(4, 50, "", None, partitioned_by)
}

/// As many objects of as many records, and what stands behind those.
fn lot_of(
    objects: i64,
    records: i64,
    behind: &str,
    memory_limit: Option<usize>,
    partitioned_by: &[&str],
) -> (Engine, Lot) {
    let objects = flows(objects, records, behind);
    lot_over("vpc_flow_logs", objects, memory_limit, partitioned_by)
}

/// As many objects of as many flow records, and what stands behind those.
pub(crate) fn flows(objects: i64, records: i64, behind: &str) -> Vec<MemoryObject> {
    let row = |number: i64| {
        let start = MIDNIGHT + (number * 7919) % 7200 - 3600;
        format!(
            "2 123456789010 eni-1 10.0.0.1 10.0.0.2 1 443 6 1 {number} {start} {start} ACCEPT OK\n"
        )
    };
    let objects = (0..objects).map(|object| {
        let text: String = (0..records)
            .map(|number| row(object * records + number))
            .collect();
        MemoryObject::new(&format!("shard-0/{object}"), text + behind)
    });
    objects.collect()
}

/// Objects of a table.
pub(crate) fn lot_over(
    table: &str,
    objects: Vec<MemoryObject>,
    memory_limit: Option<usize>,
    partitioned_by: &[&str],
) -> (Engine, Lot) {
    let scanned = objects.iter().map(|object| ScanObject {
        source: 0,
        object: Object {
            key: Arc::from(object.key.as_str()),
            size: object.listed_size,
            modified: None,
            etag: None,
        },
        facts: Arc::default(),
    });
    let lot = Lot {
        table: Arc::from(table),
        objects: scanned.collect(),
        partitioned_by: partitioned_by.iter().map(|&name| name.to_owned()).collect(),
    };
    let engine = Engine::new(EngineOptions {
        memory_limit,
        ..over(objects)
    });
    let engine = engine.unwrap();
    engine.expect_objects();
    (engine, lot)
}

async fn files(engine: &Engine, lot: &Lot) -> Vec<MadeFile> {
    let (mut files, _) = engine.files_of(lot, &[]).await.unwrap();
    let folders = files.folders().to_vec();
    let mut made = Vec::new();
    while let Some(file) = files.next().await.unwrap() {
        made.push(file);
    }
    let of_files: Vec<_> = made.iter().map(|file| file.folder.clone()).collect();
    assert_eq!(of_files, folders);
    made
}

fn rows(bytes: &Bytes) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn days_are_those_of_the_events() {
    let (engine, lot) = lot(&["date"]);
    let made = files(&engine, &lot).await;
    let folders: Vec<_> = made.iter().map(|file| file.folder.as_str()).collect();
    assert_eq!(folders, ["date=2025-12-31/", "date=2026-01-01/"]);
    let mut numbers: Vec<i64> = Vec::new();
    for file in &made {
        let mut times: Vec<i64> = Vec::new();
        for batch in rows(&file.bytes) {
            let column = |name| batch.column_by_name(name).unwrap();
            times.extend(
                column("event_time")
                    .as_primitive::<TimestampMicrosecondType>()
                    .values(),
            );
            numbers.extend(column("bytes").as_primitive::<Int64Type>().values());
            let day = &file.folder["date=".len()..]
                .trim_end_matches('/')
                .replace('-', "/");
            let days = column("day").as_string::<i32>();
            assert!(days.iter().all(|said| said == Some(day)));
            assert!(batch.column_by_name("date").is_none());
        }
        assert_eq!(times.len(), file.rows);
        assert!(times.is_sorted());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_partitions_there_is_one_file() {
    let (engine, lot) = lot(&[]);
    let made = files(&engine, &lot).await;
    assert_eq!(made.len(), 1);
    assert_eq!((made[0].folder.as_str(), made[0].rows), ("", 200));
    let rows = rows(&made[0].bytes);
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 200);
    let dates = rows[0].column_by_name("date").unwrap();
    assert!(dates.as_primitive::<Date32Type>().value(0) > 20_000);
}

/// What is gathered in memory and what is sorted on disk are the same files.
#[tokio::test]
async fn files_are_the_same_where_memory_is_short() {
    let by = ["account_id", "date", "action"];
    let (engine, lot) = lot_of(3, 10_000, "", None, &by);
    let gathered = files(&engine, &lot).await;
    let (engine, lot) = lot_of(3, 10_000, "", Some(8_000_000), &by);
    let sorted = files(&engine, &lot).await;
    assert_eq!(gathered.len(), 2);
    let told = |file: &MadeFile| {
        let batches = rows(&file.bytes);
        let schema = batches[0].schema();
        let all = concat_batches(&schema, &batches).unwrap();
        let keys = ["event_time", "bytes"].map(|name| SortColumn {
            values: Arc::clone(all.column_by_name(name).unwrap()),
            options: None,
        });
        let times = keys[0].values.as_primitive::<TimestampMicrosecondType>();
        assert!(times.values().is_sorted());
        let order = lexsort_to_indices(&keys, None).unwrap();
        (
            file.folder.clone(),
            file.rows,
            take_record_batch(&all, &order).unwrap(),
        )
    };
    for (gathered, sorted) in gathered.iter().zip(&sorted) {
        assert!(told(gathered) == told(sorted), "{}", gathered.folder);
    }
    assert_eq!(gathered.len(), sorted.len());
}

#[tokio::test]
async fn records_that_are_no_rows_are_counted_before_the_first_file() {
    for (behind, memory_limit, expected) in [
        ("", None, Some(0)),
        ("2 short\n\nlong 2\n", None, Some(6)),
        ("2 short\n", Some(8_000_000), None),
    ] {
        let (engine, lot) = lot_of(3, 10_000, behind, memory_limit, &["date"]);
        let (files, _) = engine.files_of(&lot, &[]).await.unwrap();
        assert_eq!(files.rejected(), expected, "{behind:?}");
    }
}

#[tokio::test]
async fn a_column_that_is_not_there_partitions_nothing() {
    let (engine, lot) = lot(&["colour"]);
    let error = engine.files_of(&lot, &[]).await.err().unwrap();
    assert!(error.to_string().contains("no column colour"), "{error}");
}
