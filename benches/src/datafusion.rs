//! DataFusion's own readers as a peer, in a process of its own: tasks and measurements are those of
//! `benches/peers/runner.py`.

use std::fs;
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::options::JsonReadOptions;
use datafusion::prelude::{CsvReadOptions, ParquetReadOptions, SessionConfig, SessionContext};
use nix::sys::resource::UsageWho;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::error::{Error, Result};
use crate::measure;
use crate::peers::{FieldType, Log, LogKind, Reply, Task};

/// Answers until standard input ends.
pub(crate) fn serve() -> Result<()> {
    let mut lines = io::stdin().lock().lines();
    let Some(Ok(task)) = lines.next() else {
        return Err(Error::new("no task"));
    };
    let task: Task = serde_json::from_str(&task)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(task.threads)
        .enable_all()
        .build()
        .map_err(|error| Error::new(error.to_string()))?;
    reply(&Reply::Ready {
        version: datafusion::DATAFUSION_VERSION.to_owned(),
    })?;
    for _ in lines {
        reply(&run(&runtime, &task).unwrap_or_else(|error| Reply::Failed {
            error: error.to_string(),
        }))?;
    }
    Ok(())
}

fn reply(reply: &Reply) -> Result<()> {
    println!("{}", serde_json::to_string(reply)?);
    io::stdout()
        .flush()
        .map_err(|error| Error::new(error.to_string()))
}

fn run(runtime: &Runtime, task: &Task) -> Result<Reply> {
    let failed = |error: io::Error| Error::new(format!("/proc: {error}"));
    fs::write("/proc/self/clear_refs", "5").map_err(failed)?;
    let (cpu_before, _) = measure::usage(UsageWho::RUSAGE_SELF)?;
    let start = Instant::now();
    let (columns, rows) = runtime
        .block_on(answer(task))
        .map_err(|error| Error::new(error.to_string()))?;
    let seconds = start.elapsed().as_secs_f64();
    let (cpu_after, _) = measure::usage(UsageWho::RUSAGE_SELF)?;
    Ok(Reply::Ran {
        seconds,
        cpu_seconds: cpu_after - cpu_before,
        peak_bytes: peak_bytes().map_err(failed)?,
        columns,
        rows,
    })
}

/// The highest resident memory since it was reset.
fn peak_bytes() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.unwrap_or(0) * 1024)
}

type Rows = (Vec<String>, Vec<Vec<Value>>);

async fn answer(task: &Task) -> std::result::Result<Rows, DataFusionError> {
    let config = SessionConfig::new().with_target_partitions(task.threads);
    let context = SessionContext::new_with_config(config);
    register(&context, &task.log).await?;
    let frame = context.sql(&task.query.replace("{t}", "t")).await?;
    let columns = frame
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mut rows = Vec::new();
    for batch in frame.collect().await? {
        rows.extend(rows_of(&batch)?);
    }
    Ok((columns, rows))
}

async fn register(context: &SessionContext, log: &Log) -> std::result::Result<(), DataFusionError> {
    let file = log.files.first().map_or("", String::as_str);
    match log.kind {
        LogKind::Parquet => {
            context
                .register_parquet("t", file, ParquetReadOptions::default())
                .await
        }
        LogKind::Json => {
            let record = json_type(&log.members, "");
            let records = DataType::List(Arc::new(Field::new("item", record, true)));
            let schema = Schema::new(vec![Field::new("Records", records, true)]);
            let options = JsonReadOptions::default()
                .schema(&schema)
                .file_extension(".json");
            context.register_json("objects", file, options).await?;
            let view = context
                .sql(r#"SELECT unnest("Records") AS r FROM objects"#)
                .await?;
            context.register_table("t", view.into_view()).map(drop)
        }
        LogKind::Lines => {
            let field = |(name, _): &(String, FieldType)| Field::new(name, DataType::Utf8, true);
            let schema = Schema::new(log.fields.iter().map(field).collect::<Vec<_>>());
            let mut options = CsvReadOptions::new()
                .schema(&schema)
                .delimiter(log.separator as u8)
                .has_header(log.header)
                .file_extension(".log");
            if log.quote.is_some() {
                options = options.escape(b'\\');
            }
            context.register_csv("lines", file, options).await?;
            let typed = log.fields.iter().map(typed).collect::<Vec<_>>().join(", ");
            let view = context.sql(&format!("SELECT {typed} FROM lines")).await?;
            context.register_table("t", view.into_view()).map(drop)
        }
    }
}

/// A column of the text of a field: the reader has an expression for NULL, but uses it only to
/// find out types, and fails at `-` where there should be a number.
fn typed((name, kind): &(String, FieldType)) -> String {
    match kind {
        FieldType::Int => format!("TRY_CAST(\"{name}\" AS BIGINT) AS \"{name}\""),
        FieldType::Float => format!("TRY_CAST(\"{name}\" AS DOUBLE) AS \"{name}\""),
        FieldType::Text => format!("NULLIF(\"{name}\", '-') AS \"{name}\""),
    }
}

/// The members below a path as a struct of texts.
fn json_type(members: &[String], below: &str) -> DataType {
    let mut fields: Vec<Field> = Vec::new();
    for member in members
        .iter()
        .filter_map(|member| member.strip_prefix(below))
    {
        let (name, rest) = member
            .split_once('.')
            .map_or((member, None), |(name, rest)| (name, Some(rest)));
        if fields.iter().any(|field| field.name() == name) {
            continue;
        }
        let data_type = match rest {
            None => DataType::Utf8,
            Some(_) => json_type(members, &format!("{below}{name}.")),
        };
        fields.push(Field::new(name, data_type, true));
    }
    DataType::Struct(fields.into())
}

fn rows_of(batch: &RecordBatch) -> std::result::Result<Vec<Vec<Value>>, DataFusionError> {
    let mut rows = vec![Vec::new(); batch.num_rows()];
    for column in batch.columns() {
        let values: Vec<Value> = match column.data_type() {
            data_type if data_type.is_integer() => cast(column, &DataType::Int64)?
                .as_primitive::<Int64Type>()
                .iter()
                .map(Value::from)
                .collect(),
            data_type if data_type.is_floating() => cast(column, &DataType::Float64)?
                .as_primitive::<Float64Type>()
                .iter()
                .map(Value::from)
                .collect(),
            _ => cast(column, &DataType::Utf8)?
                .as_string::<i32>()
                .iter()
                .map(Value::from)
                .collect(),
        };
        for (row, value) in rows.iter_mut().zip(values) {
            row.push(value);
        }
    }
    Ok(rows)
}
