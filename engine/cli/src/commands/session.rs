//! What every command that reads logs shares: the engine from its options, and running statements.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use loglens_engine::archive::Given;
use loglens_engine::cost::Limits;
use loglens_engine::ledger::Totals;
use loglens_engine::object::ObjectSource;
use loglens_engine::{Engine, EngineOptions, Error, Query, Receipt, Statement};
use loglens_io::cache::{CachedSource, Disk};
use loglens_io::places::WritablePlaces;
use loglens_io::s3::SCHEME;
use loglens_io::s3::access::Access;
use loglens_io::s3::customer_key::CustomerKey;
use loglens_parsers::format::{Format as LogFormat, Formats};
use loglens_parsers::layout::field_list;

use crate::arguments::{CacheOptions, LogOptions, ResultOptions, S3Options};
use crate::config::{self, Role};
use crate::descriptions;
use crate::failure::Failure;
use crate::output::{Format, OutputError, Style, visible, writer};
use crate::progress::Progress;
use crate::receipt;
use crate::result_file::{self, Destination};
use crate::time_range::{check_zone, time_range};
use crate::units::{parse_bytes, parse_duration};

/// The bound of the cache where none is named.
const CACHE_BYTES: u64 = 10_000_000_000;

/// A command's engine and where its answers go.
pub(crate) struct Session {
    pub(crate) engine: Engine,
    pub(crate) places: Vec<String>,
    /// The words that name the same logs in another command: places, and how they are read.
    pub(crate) logs: Vec<String>,
    /// Time zone of times without one.
    pub(crate) zone: String,
    pub(crate) result: ResultOptions,
    pub(crate) started: Instant,
}

impl Session {
    /// Completes the options with the configuration and builds the engine.
    pub(crate) fn new(
        places: Vec<String>,
        logs: LogOptions,
        result: ResultOptions,
    ) -> Result<Self, Failure> {
        Self::with(places, logs, result, |_, _| Ok(()))
    }

    /// The same; `adapt` changes what the options and the configuration say.
    pub(crate) fn with(
        places: Vec<String>,
        logs: LogOptions,
        result: ResultOptions,
        adapt: impl FnOnce(&mut Vec<String>, &mut LogOptions) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        Self::over(places, logs, result, adapt, |_| Ok(None))
    }

    /// The same, where some places have sources of their own.
    pub(crate) fn over(
        mut places: Vec<String>,
        mut logs: LogOptions,
        mut result: ResultOptions,
        adapt: impl FnOnce(&mut Vec<String>, &mut LogOptions) -> Result<(), Failure>,
        mut own: impl FnMut(&str) -> Result<Option<Arc<dyn ObjectSource>>, Error>,
    ) -> Result<Self, Failure> {
        let started = Instant::now();
        let settings = config::complete(&mut places, &mut logs, &mut result)?;
        adapt(&mut places, &mut logs)?;
        let zone = logs.tz.clone().unwrap_or_else(|| "UTC".to_owned());
        check_zone(&zone)?;
        let range = time_range(
            logs.last.as_deref(),
            logs.since.as_deref(),
            logs.until.as_deref(),
            &zone,
        )?;
        let cache = cache(&logs.cache)?;
        let sources = places
            .iter()
            .map(|place| {
                if let Some(own) = own(place)? {
                    return Ok(own);
                }
                let source =
                    loglens_io::source_with(place, access(&logs.s3, settings.roles.get(place))?)?;
                Ok::<Arc<dyn ObjectSource>, Error>(match &cache {
                    Some(disk) if place.starts_with(SCHEME) => {
                        let disk = Arc::clone(disk);
                        Arc::new(CachedSource::new(source, disk, logs.cache.offline))
                    }
                    _ => source,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let engine = Engine::new(EngineOptions {
            sources,
            given: given(&logs.format, logs.table.as_deref(), logs.fields.as_deref())?,
            since: range.since,
            until: range.until,
            strict: logs.strict,
            max_expansion: logs.max_expansion,
            zone: Some(zone.clone()),
            memory_limit: memory_limit(&logs)?,
            threads: logs.threads,
            limits: Limits {
                bytes: max_bytes(&logs)?,
                dollars: logs.max_cost,
            },
            prices: settings.prices,
            places: Some(Arc::new(WritablePlaces {
                access: access(&logs.s3, None)?,
                offline: logs.cache.offline,
            })),
        })?;
        Ok(Self {
            engine,
            logs: named(&places, &logs),
            places,
            zone,
            result,
            started,
        })
    }

    /// Runs statements one after the other and writes their results.
    pub(crate) async fn run(&self, statements: Vec<Statement>) -> Result<(), Failure> {
        let mut destination = Destination::open(self.result.to.as_deref())?;
        let format = result_file::format(&self.result, &destination)?;
        if statements.len() > 1 && format.is_of_one_result() {
            return Err(Failure::usage(
                "this format holds the result of one statement",
                "run the statements one by one",
            ));
        }
        for (index, statement) in statements.into_iter().enumerate() {
            let query = self.engine.plan(statement).await?;
            if index > 0 && matches!(format, Format::Table | Format::Chart) {
                destination.write_all(b"\n").map_err(OutputError::from)?;
            }
            let style = destination.style();
            self.answer(&query, format, style, &mut destination).await?;
            if let Some(line) = rejects(&query, &receipt::rejects_command(&self.logs)) {
                note(&line);
            }
            if let Some(line) = receipt::without_time(query.ledger().totals().without_time) {
                note(&line);
            }
            if self.result.stats {
                say_stats(&query, self.started.elapsed());
            }
        }
        destination.complete()
    }

    /// Says which objects nothing recognised.
    pub(crate) fn report_unrecognised(&self) {
        if let Some(line) = self.engine.listed().and_then(receipt::unrecognised) {
            note(&line);
        }
    }

    /// Writes the rows of a query.
    pub(crate) async fn answer(
        &self,
        query: &Query,
        format: Format,
        style: Style,
        mut out: impl Write + Send,
    ) -> Result<(), Failure> {
        let schema = query.schema();
        let mut progress = Some(Progress::of(query.ledger()));
        let mut rows = query.execute()?;
        let is_plan = format == Format::Table
            && schema.fields().len() == 2
            && schema.field(0).name() == "plan_type";
        if is_plan {
            while let Some(batch) = rows.next().await {
                let batch = batch.map_err(|error| query.explain(&error))?;
                write_plan(&batch, &mut out).map_err(OutputError::from)?;
            }
            return Ok(());
        }
        let mut writer = writer(format, query.sql(), &schema, out, style)?;
        while let Some(batch) = rows.next().await {
            match batch {
                Ok(batch) => {
                    // A bar between rows would be noise.
                    progress.take();
                    writer.write(&batch)?;
                }
                Err(error) => {
                    progress.take();
                    writer.flush()?;
                    return Err(query.explain(&error).into());
                }
            }
        }
        progress.take();
        Ok(writer.finish()?)
    }
}

/// One line about the rejects of a query that was answered, if there are any; `all` shows them.
pub(crate) fn rejects(query: &Query, all: &str) -> Option<String> {
    receipt::rejects(&query.ledger().totals().rejects, all)
}

/// Says what a query that was answered read, and what it took.
pub(crate) fn say_stats(query: &Query, took: Duration) {
    say_totals(&query.ledger().totals(), query.receipt(), took);
}

/// Says what was read, and what it took.
pub(crate) fn say_totals(totals: &Totals, paid: Option<Receipt>, took: Duration) {
    say(receipt::stats(totals, took).trim_end());
    if let Some(paid) = paid {
        say(receipt::paid(&paid).trim_end());
    }
}

/// Says a line beside the answer. Names in it come from others.
pub(crate) fn note(line: &str) {
    say(&visible(line));
}

/// Writes to standard error; dim on a terminal.
fn say(text: &str) {
    // Standard error may be closed: the answer stands all the same.
    let mut stderr = io::stderr();
    let _ = if stderr.is_terminal() && crate::failure::colour(&stderr) {
        writeln!(stderr, "\x1b[2m{text}\x1b[0m")
    } else {
        writeln!(stderr, "{text}")
    };
}

/// A plan is text of many lines, which no table shows well.
fn write_plan(batch: &RecordBatch, out: &mut impl Write) -> io::Result<()> {
    let (names, plans) = (batch.column(0), batch.column(1));
    let (Some(names), Some(plans)) = (names.as_string_opt::<i32>(), plans.as_string_opt::<i32>())
    else {
        return Ok(());
    };
    for row in 0..batch.num_rows() {
        if names.is_valid(row) && plans.is_valid(row) {
            writeln!(
                out,
                "{}\n{}\n",
                names.value(row),
                plans.value(row).trim_end()
            )?;
        }
    }
    Ok(())
}

/// How S3 is reached for a place, of which the configuration may say the role.
pub(super) fn access(options: &S3Options, role: Option<&Role>) -> Result<Access, Error> {
    let options = options.clone();
    let key = options.sse_c_key.as_deref().map(CustomerKey::read);
    Ok(Access {
        profile: options.profile,
        region: options.region,
        endpoint_url: options.endpoint_url,
        path_style: options.path_style,
        anonymous: options.anonymous,
        requester_pays: options.requester_pays,
        fips: options.fips,
        dual_stack: options.dual_stack,
        role_arn: role.map(|role| role.arn.clone()),
        external_id: role.and_then(|role| role.external_id.clone()),
        customer_key: key.transpose()?,
    })
}

/// The cache of what S3 gives, if one is wanted.
fn cache(options: &CacheOptions) -> Result<Option<Arc<Disk>>, Failure> {
    let Some(folder) = &options.cache else {
        if options.offline {
            return Err(Failure::usage(
                "--offline answers from a cache, and none is named",
                "name the one of earlier queries: --cache DIR, or `cache` in loglens.toml",
            ));
        }
        return Ok(None);
    };
    let size = options.cache_size.as_deref();
    let size = size.map_or(Ok(CACHE_BYTES), |text| bytes_of("--cache-size", text))?;
    Ok(Some(Arc::new(Disk::open(folder, size)?)))
}

/// The words that say how S3 is reached, if any of the places lies there.
fn on_s3(places: &[String], options: &S3Options, cache: &CacheOptions) -> Vec<String> {
    if !places.iter().any(|place| place.starts_with(SCHEME)) {
        return Vec::new();
    }
    let named = |path: &Option<PathBuf>| Some(path.as_ref()?.display().to_string());
    let (key, folder) = (named(&options.sse_c_key), named(&cache.cache));
    let values = [
        ("--profile", &options.profile),
        ("--region", &options.region),
        ("--endpoint-url", &options.endpoint_url),
        ("--sse-c-key", &key),
        ("--cache", &folder),
        ("--cache-size", &cache.cache_size),
    ];
    let flags = [
        ("--path-style", options.path_style),
        ("--anonymous", options.anonymous),
        ("--requester-pays", options.requester_pays),
        ("--fips", options.fips),
        ("--dual-stack", options.dual_stack),
        ("--offline", cache.offline),
    ];
    let values = values.into_iter().filter_map(|(option, value)| {
        let value = value.clone()?;
        Some([option.to_owned(), value])
    });
    let flags = flags.into_iter().filter(|(_, is_set)| *is_set);
    values
        .flatten()
        .chain(flags.map(|(option, _)| option.to_owned()))
        .collect()
}

/// The words that name logs: what says how they are read, then the places.
fn named(places: &[String], logs: &LogOptions) -> Vec<String> {
    let formats = logs.format.iter().map(|file| file.display().to_string());
    let options = formats
        .map(|file| ("--format", file))
        .chain(logs.table.clone().map(|table| ("--table", table)))
        .chain(logs.fields.clone().map(|fields| ("--fields", fields)));
    let options = options.flat_map(|(option, value)| [option.to_owned(), value]);
    let options = options.chain(on_s3(places, &logs.s3, &logs.cache));
    options.chain(places.iter().cloned()).collect()
}

/// What `--format`, `--table` and `--fields` say of all records.
pub(super) fn given(
    formats: &[PathBuf],
    table: Option<&str>,
    fields: Option<&str>,
) -> Result<Given, Failure> {
    let formats = descriptions::formats(formats)?;
    let format = table.map(|name| format_of(&formats, name)).transpose()?;
    let fields = fields.map(fields_of).transpose()?;
    Ok(Given {
        format,
        formats,
        fields,
    })
}

/// The names of `--fields`.
pub(super) fn fields_of(text: &str) -> Result<Vec<String>, Failure> {
    let Some(names) = field_list(text) else {
        return Err(Failure::usage(
            format!("--fields \"{text}\": not a list of names"),
            "separate them with spaces",
        ));
    };
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// The format of `--table`.
pub(super) fn format_of(formats: &Formats, name: &str) -> Result<Arc<LogFormat>, Failure> {
    formats.by_name(name).cloned().ok_or_else(|| {
        let names: Vec<_> = formats
            .all()
            .iter()
            .map(|format| format.table.as_str())
            .collect();
        Failure::usage(
            format!("--table {name}: no such table"),
            format!("there are {}", names.join(", ")),
        )
    })
}

fn memory_limit(logs: &LogOptions) -> Result<Option<usize>, Failure> {
    let text = logs.memory_limit.as_deref();
    let bytes = text.map(|text| bytes_of("--memory-limit", text));
    let bytes = bytes.transpose()?;
    // More than can be addressed is no limit.
    Ok(bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)))
}

fn max_bytes(logs: &LogOptions) -> Result<Option<u64>, Failure> {
    let text = logs.max_bytes.as_deref();
    text.map(|text| bytes_of("--max-bytes", text)).transpose()
}

/// The duration that an option says.
pub(super) fn duration_of(option: &str, text: &str) -> Result<Duration, Failure> {
    parse_duration(text).ok_or_else(|| {
        Failure::usage(
            format!("{option} {text}: not a duration"),
            "write one like 30s, 15m, 1h, 7d",
        )
    })
}

/// The bytes that an option says.
pub(super) fn bytes_of(option: &str, text: &str) -> Result<u64, Failure> {
    let bytes = parse_bytes(text).filter(|&bytes| bytes > 0);
    bytes.ok_or_else(|| {
        Failure::usage(
            format!("{option} {text}: not a size"),
            "write one like 512MB or 2GiB",
        )
    })
}
