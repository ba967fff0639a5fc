//! `loglens convert`.

use std::path::{Path, absolute};

use arrow::record_batch::RecordBatch;
use loglens_engine::convert::{Conversion, Convert, Converted};
use loglens_engine::{Error, Owner};

use super::session::{Session, bytes_of, note, say_totals};
use crate::arguments::{self, LogOptions, ResultOptions};
use crate::failure::Failure;
use crate::output::writer;
use crate::progress::Progress;
use crate::receipt;
use crate::result_file::{self, Destination};
use crate::runtime::interruptible;
use crate::units::things;

/// What is sorted in memory where nothing is said: a chunk of compressed objects has ten times as
/// many bytes.
const MEMORY: &str = "1GiB";

pub(crate) fn run(arguments: arguments::Convert) -> Result<(), Failure> {
    let is_dry = arguments.dry_run;
    let result = interruptible(convert(arguments));
    if matches!(result, Err(Failure::Interrupted)) && !is_dry {
        note("note: interrupted; what is converted stays, and the same command goes on from there");
    }
    result
}

async fn convert(arguments: arguments::Convert) -> Result<(), Failure> {
    let mut places = arguments.from_and_to;
    let to = places.pop().unwrap_or_default();
    let size = |option, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| bytes_of(option, text)).transpose()
    };
    let file_bytes = size("--file-size", &arguments.file_size)?;
    let convert = Convert {
        table: arguments.only,
        partitioned_by: arguments.partitioned_by.as_deref().map(columns),
        file_bytes: file_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        chunk_bytes: size("--chunk-size", &arguments.chunk_size)?,
        to,
    };
    let result = ResultOptions {
        output: arguments.output,
        to: None,
        stats: arguments.stats,
    };
    let session = Session::with(places, arguments.logs, result, adapt)?;
    if session.places.is_empty() {
        return Err(Failure::usage(
            format!("{}: only one place is named", convert.to),
            "say from where and to where: loglens convert FROM... TO",
        ));
    }
    let mut conversion = session.engine.conversion(convert).await?;
    if arguments.dry_run {
        print(&session, &conversion.converted.to_be_done()?)?;
    } else {
        let total = conversion.converted.bytes_to_do;
        let progress = Progress::of_bytes(conversion.ledger(), Some(total));
        let run = conversion.run().await;
        drop(progress);
        run?;
        let rejects = conversion.ledger().totals().rejects.records;
        print(&session, &conversion.converted.done(rejects)?)?;
    }
    report(&session, &conversion);
    Ok(())
}

/// Names of columns with commas between them.
fn columns(text: &str) -> Vec<String> {
    let names = text.split(',').map(str::trim);
    let names = names.filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// A later run must know the objects again, wherever it is started: paths are absolute.
fn adapt(places: &mut Vec<String>, logs: &mut LogOptions) -> Result<(), Failure> {
    for place in places {
        if place == "-" {
            return Err(Failure::usage(
                "-: what comes from standard input cannot be told from what came before",
                "write it to a file, or query it with `loglens query \"UNLOAD (...) TO ...\" -`",
            ));
        }
        if !place.contains("://") {
            *place = absolute_path(place)?;
        }
    }
    logs.memory_limit.get_or_insert_with(|| MEMORY.to_owned());
    Ok(())
}

/// The path of a place, without links and dots as far as it is there; a glob is not.
fn absolute_path(place: &str) -> Result<String, Error> {
    let path = Path::new(place);
    let found = path.canonicalize().or_else(|_| absolute(path));
    let found = found.map_err(|error| Error::new(Owner::External, format!("{place}: {error}")))?;
    match found.into_os_string().into_string() {
        Ok(found) => Ok(found),
        Err(_) => Err(Error::new(
            Owner::Usage,
            format!("{place}: its folder's name is not UTF-8"),
        )),
    }
}

fn print(session: &Session, row: &RecordBatch) -> Result<(), Failure> {
    let mut destination = Destination::open(None)?;
    let format = result_file::format(&session.result, &destination)?;
    let style = destination.style();
    let mut writer = writer(format, "", &row.schema(), &mut destination, style)?;
    writer.write(row)?;
    writer.finish()?;
    destination.complete()
}

/// Says what is to be known beside the summary.
fn report(session: &Session, conversion: &Conversion<'_>) {
    if let Some(line) = changed(&conversion.converted) {
        note(&line);
    }
    let totals = conversion.ledger().totals();
    let command = receipt::rejects_command(&session.logs);
    if let Some(line) = receipt::rejects(&totals.rejects, &command) {
        note(&line);
    }
    if session.result.stats {
        say_totals(&totals, conversion.receipt(), session.started.elapsed());
    }
    session.report_unrecognised();
}

/// One line about objects that are others now than those that were converted.
fn changed(converted: &Converted) -> Option<String> {
    let first = converted.changed.first()?;
    let objects = things(converted.changed.len() as u64, "object");
    Some(format!(
        "note: {objects} changed after being converted, and not converted again: {first}{}",
        if converted.changed.len() > 1 {
            ", ..."
        } else {
            ""
        }
    ))
}
