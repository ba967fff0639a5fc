//! Where the rows of a stream go.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use loglens_engine::stream::{Output, Stream};
use loglens_engine::{Error, Owner};

use super::super::session::note;
use super::live::LiveTable;
use crate::arguments::ResultOptions;
use crate::failure::Failure;
use crate::output::{Format, OutputError, ResultWriter, Style, writer};
use crate::result_file::{self, Destination};

/// The column that says how often the windows of a row were given before.
const REVISION: &str = "revision";

/// Writes rows as they come.
pub(super) struct Rows {
    schema: SchemaRef,
    /// Rows say how often their windows were given before.
    revisions: bool,
    way: Way,
    /// The result, where it is a file.
    file: Option<File>,
    late: Late,
}

enum Way {
    Writer(Box<dyn ResultWriter>),
    /// Redrawn in place.
    Live(LiveTable),
}

/// Records that came too late for their windows.
struct Late {
    count: u64,
    to: Option<PathBuf>,
    writer: Option<Box<dyn ResultWriter>>,
}

impl Rows {
    /// Opens what the options say. A file goes on behind its first `written` bytes.
    pub(super) fn open(
        options: &ResultOptions,
        stream: &Stream,
        revisions: bool,
        is_live: bool,
        late_to: Option<&Path>,
        written: Option<u64>,
    ) -> Result<Self, Failure> {
        let revisions = revisions && stream.has_windows();
        let schema = match revisions {
            true => with_revision(&stream.schema()),
            false => stream.schema(),
        };
        let format = format(options, is_live)?;
        let mut file = None;
        let way = match &options.to {
            _ if format == Format::Table && is_live && stream.has_windows() => {
                Way::Live(LiveTable::new(&schema))
            }
            None => {
                let style = Destination::Stdout(io::stdout()).style();
                Way::Writer(writer(format, "", &schema, io::stdout(), style)?)
            }
            Some(path) => {
                let (opened, writer) = to_file(path, format, &schema, written)?;
                file = Some(opened);
                Way::Writer(writer)
            }
        };
        Ok(Self {
            schema,
            revisions,
            way,
            file,
            late: Late {
                count: 0,
                to: late_to.map(Path::to_owned),
                writer: None,
            },
        })
    }

    pub(super) fn write(&mut self, output: Output) -> Result<(), Failure> {
        let (rows, watermark) = match output {
            Output::Rows(rows) => (rows, i64::MAX),
            Output::Windows {
                revision,
                watermark,
                rows,
            } => match self.revisions {
                true => {
                    let rows = with_revisions(&rows, revision, &self.schema);
                    (rows.map_err(OutputError::from)?, watermark)
                }
                false => (rows, watermark),
            },
            Output::Late(rows) => return self.late.write(&rows),
        };
        match &mut self.way {
            Way::Writer(writer) => writer.write(&rows)?,
            Way::Live(table) => table.show(&rows, watermark)?,
        }
        Ok(())
    }

    /// Makes visible what was written.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        if let Way::Writer(writer) = &mut self.way {
            writer.flush()?;
        }
        Ok(())
    }

    /// Bytes of the result so far, if it is a file, all of them on the disk.
    pub(super) fn written(&mut self) -> Result<Option<u64>, Failure> {
        let Some(file) = &mut self.file else {
            return Ok(None);
        };
        let written = file.sync_data().and_then(|()| file.stream_position());
        Ok(Some(written.map_err(OutputError::from)?))
    }

    /// Writes what must come last.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        match &mut self.way {
            Way::Writer(writer) => writer.flush()?,
            Way::Live(table) => table.end()?,
        }
        if let Some(writer) = &mut self.late.writer {
            writer.flush()?;
        }
        Ok(())
    }

    /// Says how many records came too late.
    pub(super) fn say_late(&self) {
        if self.late.count > 0 {
            let s = if self.late.count == 1 { "" } else { "s" };
            let hint = match self.late.to {
                Some(_) => "",
                None => {
                    "; --late-to FILE keeps them, a longer --watermark or --lateness takes them in"
                }
            };
            note(&format!(
                "{} record{s} came too late for any window{hint}",
                self.late.count
            ));
        }
    }
}

impl Late {
    fn write(&mut self, rows: &RecordBatch) -> Result<(), Failure> {
        self.count += rows.num_rows() as u64;
        let Some(path) = &self.to else {
            return Ok(());
        };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let file = OpenOptions::new().create(true).append(true).open(path);
                let file = file.map_err(|error| failed(path, &error))?;
                let schema = rows.schema();
                none.insert(writer(Format::Ndjson, "", &schema, file, Style::default())?)
            }
        };
        writer.write(rows)?;
        Ok(writer.flush()?)
    }
}

/// The format; of what comes in pieces, that is one line by line.
fn format(options: &ResultOptions, is_live: bool) -> Result<Format, Failure> {
    let format = match (options.output, &options.to) {
        (None, None) if is_live => Format::Table,
        (None, None) => Format::Ndjson,
        _ => result_file::format(options, &Destination::Stdout(io::stdout()))?,
    };
    match format {
        Format::Table | Format::Csv | Format::Tsv | Format::Ndjson => Ok(format),
        _ => Err(Failure::usage(
            "this format is of a result that is complete, and this one never is",
            "-o ndjson, csv, tsv or table",
        )),
    }
}

fn to_file(
    path: &Path,
    format: Format,
    schema: &Schema,
    written: Option<u64>,
) -> Result<(File, Box<dyn ResultWriter>), Failure> {
    let open = || {
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)?;
        // What was written after the state was kept comes again.
        let written = written.unwrap_or(0);
        file.set_len(written.min(file.metadata()?.len()))?;
        file.seek(SeekFrom::End(0))?;
        let out = file.try_clone()?;
        Ok::<_, io::Error>((file, out))
    };
    let (file, out) = open().map_err(|error| failed(path, &error))?;
    let silent = Arc::new(AtomicBool::new(written.is_some_and(|written| written > 0)));
    let out = AfterHead {
        out,
        silent: Arc::clone(&silent),
    };
    let mut writer = writer(format, "", schema, out, Style::default())?;
    if silent.load(Relaxed) {
        // The head is there already.
        writer.flush()?;
        silent.store(false, Relaxed);
    }
    Ok((file, writer))
}

/// Takes in nothing as long as it is silent.
struct AfterHead {
    out: File,
    silent: Arc<AtomicBool>,
}

impl Write for AfterHead {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.silent.load(Relaxed) {
            true => Ok(bytes.len()),
            false => self.out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn with_revision(schema: &Schema) -> SchemaRef {
    let mut fields = schema.fields().to_vec();
    fields.push(Arc::new(Field::new(REVISION, DataType::Int64, false)));
    Arc::new(Schema::new(fields))
}

fn with_revisions(
    rows: &RecordBatch,
    revision: u32,
    schema: &SchemaRef,
) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(Int64Array::from_value(
        i64::from(revision),
        rows.num_rows(),
    )));
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::new(Owner::External, format!("{}: {error}", path.display()))
}
