//! The overview of what lies in places: one SQL statement, of which each table gives a row.

use loglens_parsers::format::{Format, PartitionValue};

use crate::tables::parquet_table::ParquetTable;

/// The part of a log table, with its objects and their bytes.
pub(crate) fn of_logs(format: &Format, objects: usize, bytes: u64) -> String {
    let text = |index: Option<usize>, from| {
        let record = index.map(|index| format!("\"{}\"", format.columns[index].name));
        let key = format
            .partitions
            .iter()
            .find(|partition| partition.from == from);
        let key = key.map(|partition| format!("\"{}\"", partition.name));
        let both: Vec<_> = record.into_iter().chain(key).collect();
        if both.is_empty() {
            "CAST(NULL AS varchar)".to_owned()
        } else {
            format!("coalesce({})", both.join(", "))
        }
    };
    let list = |what: &str| {
        format!(
            "CASE WHEN count(DISTINCT {what}) > {LISTED} THEN CAST(count(DISTINCT {what}) AS varchar) || ' different' \
             ELSE nullif(array_to_string(array_sort(array_agg(DISTINCT {what}) FILTER (WHERE {what} IS NOT NULL)), ', '), '') END"
        )
    };
    format!(
        "SELECT '{table}' AS \"table\", {objects} AS objects, {bytes} AS bytes, count(*) AS records, {accounts} AS accounts, \
         {regions} AS regions, min(event_time) AS \"first\", max(event_time) AS \"last\" FROM \"{table}\"",
        table = format.table,
        accounts = list(&text(format.account, PartitionValue::Account)),
        regions = list(&text(format.region, PartitionValue::Region)),
    )
}

/// That of a table of Parquet, of which no column is known.
pub(crate) fn of_parquet(table: &ParquetTable) -> String {
    let ParquetTable {
        name,
        objects,
        bytes,
        ..
    } = table;
    format!(
        "SELECT '{name}' AS \"table\", {objects} AS objects, {bytes} AS bytes, count(*) AS records, \
         CAST(NULL AS varchar) AS accounts, CAST(NULL AS varchar) AS regions, \
         CAST(NULL AS timestamp) AS \"first\", CAST(NULL AS timestamp) AS \"last\" FROM \"{name}\""
    )
}

/// Accounts and Regions that an overview names; more are counted.
const LISTED: usize = 3;
