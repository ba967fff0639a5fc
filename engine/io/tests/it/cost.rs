//! `EXPLAIN COST` of Parquet in a bucket, and what reading it took.

use std::sync::Arc;

use futures::TryStreamExt;
use loglens_engine::arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use loglens_engine::arrow::datatypes::Float64Type;
use loglens_engine::object::ObjectSource;
use loglens_engine::{Engine, EngineOptions, Receipt};
use loglens_test_server::{Bucket, Server};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::world::{BUCKET, bytes, server, source};

const ROWS: usize = 40_000;
const GROUPS: usize = 6;

/// A file of several row groups. Between `id` and `bytes` lies a column that does not compress, of
/// more than a megabyte in each.
fn file() -> Vec<u8> {
    let noise = bytes(ROWS * 40);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROWS))
        .set_column_dictionary_enabled(ColumnPath::from("payload"), false)
        .set_column_bloom_filter_enabled(ColumnPath::from("srcaddr"), true);
    let mut file: Option<ArrowWriter<Vec<u8>>> = None;
    for group in 0..GROUPS {
        let ids = (0..ROWS).map(|row| i64::try_from(group * ROWS + row).unwrap());
        let ids = Int64Array::from_iter_values(ids);
        let payload = noise.chunks(40).enumerate().map(|(row, bytes)| {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{group}-{row}-{hex}")
        });
        let payload = StringArray::from_iter_values(payload);
        let sizes = (0..ROWS).map(|row| i64::from(noise[row]) * 1000 + i64::from(noise[row + 7]));
        let sizes = Int64Array::from_iter_values(sizes);
        let addresses = (0..ROWS).map(|row| format!("10.0.{}.{}", row % 40, row % 250));
        let addresses = StringArray::from_iter_values(addresses);
        let columns: [(&str, Arc<dyn loglens_engine::arrow::array::Array>); 4] = [
            ("id", Arc::new(ids)),
            ("payload", Arc::new(payload)),
            ("bytes", Arc::new(sizes)),
            ("srcaddr", Arc::new(addresses)),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let writer = file.get_or_insert_with(|| {
            let properties = properties.clone().build();
            ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap()
        });
        writer.write(&batch).unwrap();
        writer.flush().unwrap();
    }
    file.unwrap().into_inner().unwrap()
}

async fn engine(server: &Server) -> Engine {
    let source: Arc<dyn ObjectSource> = Arc::new(source(server, &format!("s3://{BUCKET}/lake/")));
    Engine::new(EngineOptions {
        sources: vec![source],
        threads: Some(4),
        ..EngineOptions::default()
    })
    .unwrap()
}

async fn ask(server: &Server, sql: &str) -> (Vec<RecordBatch>, Receipt) {
    let engine = engine(server).await;
    let statement = engine.parse(sql).unwrap().remove(0);
    let query = engine.plan(statement).await.unwrap();
    let rows = query.execute().unwrap().try_collect().await.unwrap();
    (rows, query.receipt().unwrap())
}

/// Requests, bytes of the objects and dollars.
async fn estimate(server: &Server, sql: &str) -> (f64, f64, f64) {
    let (rows, _) = ask(server, &format!("EXPLAIN COST {sql}")).await;
    let items = rows[0].column(0).as_string_view();
    let of = |item: &str, column: usize| {
        let row = items.iter().position(|found| found == Some(item)).unwrap();
        rows[0]
            .column(column)
            .as_primitive::<Float64Type>()
            .value(row)
    };
    (
        of("GET requests", 1),
        of("objects", 1),
        of("S3 over the internet", 3),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_parquet_costs_is_known_within_a_fifth() {
    let file = file();
    assert!(
        file.len() > 10 << 20,
        "it is divided among cores: {}",
        file.len()
    );
    let mut objects = Bucket::new();
    objects.put("lake/day=1/a.parquet", file.clone());
    objects.put("lake/day=2/b.parquet", file);
    let server = server(objects);
    for sql in [
        "SELECT sum(bytes) FROM lake",
        "SELECT sum(id), sum(bytes) FROM lake",
        "SELECT sum(id), max(payload), sum(bytes), min(srcaddr) FROM lake",
        "SELECT sum(id), sum(bytes) FROM lake WHERE day = '2'",
        "SELECT sum(bytes) FROM lake WHERE id < 40000",
        "SELECT sum(bytes) FROM lake WHERE id BETWEEN 50000 AND 90000 AND day = '1'",
        "SELECT sum(bytes) FROM lake WHERE srcaddr = '10.0.1.1'",
        "SELECT count(*) FROM lake",
    ] {
        let (gets, objects, dollars) = estimate(&server, sql).await;
        server.forget();
        let (_, receipt) = ask(&server, sql).await;
        assert_eq!(receipt.requests.get, server.count("GetObject") as u64);
        let found = (receipt.requests.get as f64, receipt.bill.internet());
        let said = format!("{sql}: estimated {gets} GETs, ${dollars}; found {found:?}");
        assert!((gets / found.0 - 1.0).abs() <= 0.2, "{said}");
        assert!((dollars / found.1 - 1.0).abs() <= 0.2, "{said}");
        let files = if sql.contains("day =") { 1.0 } else { 2.0 };
        assert!(
            objects == files || sql.contains("count(*)"),
            "{said}: {objects} objects"
        );
    }
}
