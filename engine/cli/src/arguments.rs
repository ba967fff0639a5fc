//! Arguments: what can be typed.
#![allow(
    clippy::doc_markdown,
    reason = "documentation here is the help text, which would show backticks"
)]

use std::path::PathBuf;

use clap::{Arg, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell as CompletionShell;
use serde::Deserialize;

use crate::output::Format;
use crate::parameters::{Assignment, assignment};

/// Ask SQL of AWS network and security logs: no tables to declare, nothing to load.
#[derive(Debug, Parser)]
#[command(
    name = "loglens",
    version,
    about,
    args_conflicts_with_subcommands = true,
    mut_args = in_long_help_only,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) shell: Shell,
}

/// The shell's options: `--help` shows them, `-h` and a bare `loglens` show the commands.
fn in_long_help_only(argument: Arg) -> Arg {
    let is_option = !argument.is_positional();
    argument.hide_short_help(is_option)
}

/// The SQL shell: places and no command.
#[derive(Debug, Args)]
pub(crate) struct Shell {
    /// Without a command: an SQL shell over these files, folders, globs and s3:// places. \? in it shows what it
    /// can do
    #[arg(value_name = "FROM", value_hint = ValueHint::AnyPath)]
    pub(crate) places: Vec<String>,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
    #[command(flatten)]
    pub(crate) result: ResultOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer SQL from logs
    Query(Box<Query>),
    /// Answer SQL from logs as they arrive: rows as they come, windows as they close
    Tail(Box<Tail>),
    /// Show what lies in places: tables, objects, accounts, Regions, times
    Tables(Box<Tables>),
    /// Show the columns of a table: types, units, meaning
    Schema(Schema),
    /// Show the log formats that are recognised
    Formats(Formats),
    /// Print Athena's CREATE EXTERNAL TABLE for logs, or for Parquet that was written
    Ddl(Box<Ddl>),
    /// Answer a named query; --list shows them
    Run(Box<Run>),
    /// Make a table of Parquet from logs, each object once; goes on where it was interrupted
    Convert(Box<Convert>),
    /// Read a Kinesis stream and write Parquet, each record once, until it is asked to end
    Consume(Box<Consume>),
    /// Try rejected records of consume again: those that fit now become rows, each once
    Replay(Box<Replay>),
    /// Check step by step whether S3 answers, and say what to mend
    Doctor(Box<Doctor>),
    /// Write seeded logs that look real
    #[command(subcommand)]
    Generate(Generate),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: CompletionShell,
    },
}

const EXAMPLES: &str = "\
Examples:
  loglens query \"SELECT srcaddr, count(*) AS flows FROM vpc_flow_logs GROUP BY 1 ORDER BY 2 DESC LIMIT 10\" logs/
  loglens query --last 1h -o csv \"SELECT * FROM vpc_flow_logs WHERE action = 'REJECT'\" 'logs/**/*.gz'
  zcat flow.log.gz | loglens query \"SELECT sum(bytes) FROM vpc_flow_logs\" -
  loglens query \"SELECT * FROM rejects\" logs/

Exit codes: 0 answered, 1 data or query error, 2 usage error, 130 interrupted.";

const CONSUME_EXAMPLES: &str = "\
Examples:
  loglens consume kinesis://flow-logs --to s3://lake/logs/ --leases dynamodb://loglens
  loglens consume kinesis://flow-logs --to lake --leases leases --from latest
  loglens consume --config daemon.toml --check

Workers of one application share the shards: start as many as you like, with leases in DynamoDB.
Ctrl-C or SIGTERM: what was read is written, and leases are given up. A second one ends at once;
nothing is lost or doubled by that, nor by kill -9.

Exit codes: 0 asked to end, and all that was read is written; 1 stream, leases or lake failed, or not
all could be written in time: the next one goes on at the last commit; 2 usage or configuration error;
130 asked twice.";

/// Read a Kinesis stream and write Parquet, each record once, until it is asked to end.
#[derive(Debug, Args)]
#[command(after_help = CONSUME_EXAMPLES)]
pub(crate) struct Consume {
    /// kinesis://NAME
    #[arg(value_name = "STREAM")]
    pub(crate) stream: Option<String>,
    /// Where Parquet is written, by table, account, Region and day: s3://BUCKET/PREFIX/ or a folder.
    /// What fits no table goes to errors/ there
    #[arg(long, value_name = "PLACE", value_hint = ValueHint::AnyPath)]
    pub(crate) to: Option<String>,
    /// Where it is kept who reads which shard: dynamodb://TABLE (as the Kinesis Client Library has it),
    /// or a folder, for workers on one machine
    #[arg(long, value_name = "PLACE", value_hint = ValueHint::DirPath)]
    pub(crate) leases: Option<String>,
    /// The name that the position in the stream is kept under [default: loglens]
    #[arg(long, value_name = "NAME")]
    pub(crate) application: Option<String>,
    /// Where shards begin of which nothing was read yet: oldest, latest, or a time such as
    /// 2026-01-31T10:00:00Z [default: oldest]
    #[arg(long, value_name = "WHERE")]
    pub(crate) from: Option<String>,
    /// Files are written when a shard has given so many bytes [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) cut_size: Option<String>,
    /// Files are written when the first record in them is so old [default: 5m]
    #[arg(long, value_name = "DURATION")]
    pub(crate) cut_age: Option<String>,
    /// A worker that is silent for so long has lost its shards to others [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) failover: Option<String>,
    /// Make rows of records in aggregates of the Kinesis Producer Library that belong to another shard:
    /// for producers that do not send them again. Without it they go to errors/
    #[arg(long)]
    pub(crate) keep_resent: bool,
    /// Memory for the records of all shards and what is made of them. Where it is full, shards write
    /// what they have, and wait to read more [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<String>,
    /// Read with enhanced fan-out: 2 MB a second of each shard for this application alone, which is
    /// registered as a consumer of its name and costs extra
    #[arg(long)]
    pub(crate) fan_out: bool,
    #[command(flatten)]
    pub(crate) records: RecordOptions,
    /// Tell of health at /healthz and /readyz, and of metrics for Prometheus at /metrics, on this
    /// address, such as 127.0.0.1:9400 [default: on none]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// Once it is asked to end, write what was read for so long; then end at the last commit
    /// [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) drain: Option<String>,
    /// The form of lines on standard error: text, or an object of JSON each [default: text]
    #[arg(long, value_enum, value_name = "FORM", hide_possible_values = true)]
    pub(crate) log: Option<LogForm>,
    /// Say what it would do and whether it could, write nothing, and end
    #[arg(long)]
    pub(crate) check: bool,
    /// Read this configuration instead of ./loglens.toml or the one in your configuration folder. Its
    /// section "consume" says what no option does, partition_by and windows too; the rest how S3,
    /// Kinesis and DynamoDB are reached
    #[arg(long, value_name = "FILE", env = "LOGLENS_CONFIG", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) s3: S3Options,
}

/// What records of a stream are.
#[derive(Debug, Args)]
pub(crate) struct RecordOptions {
    /// Take every record as one of this table
    #[arg(long)]
    pub(crate) table: Option<String>,
    /// Read records of a format of your own too, as described in this file; may be repeated
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    pub(crate) format: Vec<PathBuf>,
    /// Field order of records without a header line: "version account-id ..." or "${version} ..."
    #[arg(long, value_name = "NAMES")]
    pub(crate) fields: Option<String>,
}

/// The form of lines on standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogForm {
    #[default]
    Text,
    /// An object a line.
    Json,
}

const REPLAY_EXAMPLES: &str = "\
Examples:
  loglens replay s3://lake/logs/errors/ --to s3://lake/logs/
  loglens replay lake/errors/ --to lake --format nginx.toml

Run it as often as you like, also after it was killed: what was replayed is passed over.";

/// Try rejected records of consume again: those that fit now become rows, each once.
#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(crate) struct Replay {
    /// Where the rejected records lie: errors/ below the place that consume writes to
    #[arg(value_name = "ERRORS", value_hint = ValueHint::AnyPath)]
    pub(crate) errors: String,
    /// Where rows go to: s3://BUCKET/PREFIX/ or a folder. What is rejected again goes to errors/ there
    #[arg(long, value_name = "PLACE", value_hint = ValueHint::AnyPath)]
    pub(crate) to: String,
    /// Memory for sorting [default: no limit]
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<String>,
    #[command(flatten)]
    pub(crate) records: RecordOptions,
    /// Read this configuration instead of ./loglens.toml or the one in your configuration folder. It
    /// says how S3 is reached, where no option does
    #[arg(long, value_name = "FILE", env = "LOGLENS_CONFIG", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) s3: S3Options,
}

/// Answer SQL from logs.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Query {
    /// The SQL (one or more statements), then the places: files, folders, globs,
    /// s3://BUCKET/PREFIX, or - for standard input. With --file all are places
    #[arg(value_name = "SQL] [FROM", value_hint = ValueHint::AnyPath)]
    pub(crate) sql_and_places: Vec<String>,
    /// Read the SQL from a file
    #[arg(short, long, value_name = "FILE.sql", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// Value of $NAME in the SQL: a whole number, a number, or else text
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) param: Vec<Assignment>,
    /// Say what it would read and cost, as EXPLAIN COST does, and do not run it
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
    #[command(flatten)]
    pub(crate) result: ResultOptions,
}

const TAIL_EXAMPLES: &str = "\
Examples:
  loglens tail \"SELECT * FROM vpc_flow_logs WHERE action = 'REJECT'\" /var/log/flow.log
  loglens tail \"SELECT window_end, srcaddr, count(*) AS flows FROM vpc_flow_logs
    GROUP BY hop(event_time, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE), srcaddr
    QUALIFY row_number() OVER (PARTITION BY window_end ORDER BY flows DESC) <= 10\" logs/
  nc -lk 9000 | loglens tail -o csv \"SELECT srcaddr, bytes FROM vpc_flow_logs\" -

A window is given when the watermark passes its end: the latest time that was seen, less what records
may be out of order by. Exit codes: 0 the input ended or it was interrupted, 1 data or query error,
2 usage error.";

/// Answer SQL from logs as they arrive.
///
/// The same SQL as for query, with the same rows. What must see everything first (ORDER BY, LIMIT,
/// GROUP BY without a window) has no answer here, and the message says what to write instead.
#[derive(Debug, Args)]
#[command(after_help = TAIL_EXAMPLES)]
pub(crate) struct Tail {
    /// The SQL (one statement), then the places: files as they grow and rotate, folders and globs in
    /// which files appear, or - for standard input. With --file all are places
    #[arg(value_name = "SQL] [FROM", value_hint = ValueHint::AnyPath)]
    pub(crate) sql_and_places: Vec<String>,
    /// Read the SQL from a file
    #[arg(short, long, value_name = "FILE.sql", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// Value of $NAME in the SQL: a whole number, a number, or else text
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) param: Vec<Assignment>,
    /// How much earlier than the latest record before it a record may be [default: what the format
    /// says; 15m for flow logs and CloudTrail, 10m for load balancers]
    #[arg(long, value_name = "DURATION")]
    pub(crate) watermark: Option<String>,
    /// How long after its end a window is given again when records come late, with its revision in a
    /// column of that name
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    pub(crate) lateness: String,
    /// A place from which nothing came for so long does not hold up the others; if that is all of
    /// them, time goes on by the clock
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub(crate) idle: String,
    /// Replay what is there already at so many times the speed at which it happened [default: as fast
    /// as possible]
    #[arg(long, value_name = "TIMES")]
    pub(crate) speed: Option<f64>,
    /// End when what is there now has been read, and give all windows; with --state, the next run gives
    /// those again that more came to
    #[arg(long)]
    pub(crate) once: bool,
    /// Keep in this folder how far it came, and go on from there the next time
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) state: Option<PathBuf>,
    /// Write records that came too late for their windows to this file, as NDJSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) late_to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
    #[command(flatten)]
    pub(crate) result: ResultOptions,
}

/// Show what lies in places.
#[derive(Debug, Args)]
pub(crate) struct Tables {
    /// Files, folders, globs, s3://BUCKET/PREFIX, or - for standard input
    #[arg(value_name = "FROM", value_hint = ValueHint::AnyPath)]
    pub(crate) places: Vec<String>,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
    #[command(flatten)]
    pub(crate) result: ResultOptions,
}

/// Show the columns of a table.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// The table, by name or alias
    pub(crate) table: String,
    /// Know a format of your own too, as described in this file; may be repeated
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    pub(crate) format: Vec<PathBuf>,
    /// Output format
    #[arg(short, long, value_enum, default_value = "table")]
    pub(crate) output: Format,
}

/// Show the log formats that are recognised.
#[derive(Debug, Args)]
pub(crate) struct Formats {
    /// Know a format of your own too, as described in this file; may be repeated
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    pub(crate) format: Vec<PathBuf>,
    /// Output format
    #[arg(short, long, value_enum, default_value = "table")]
    pub(crate) output: Format,
}

/// Print Athena's CREATE EXTERNAL TABLE for logs, or for Parquet that was written.
///
/// Partitions are projected from the keys: account, Region and day of logs, and the folders of
/// Parquet. With places, the accounts and Regions are those found there.
#[derive(Debug, Args)]
pub(crate) struct Ddl {
    /// The table, by name or alias
    #[arg(value_name = "TABLE")]
    pub(crate) name: String,
    /// Where it lies; a table of Parquet is read there, or from a copy of it
    #[arg(value_name = "FROM", value_hint = ValueHint::AnyPath)]
    pub(crate) places: Vec<String>,
    /// Where Athena finds it: s3://BUCKET/FOLDER/; of logs, the folder that AWSLogs/ is in
    #[arg(long, value_name = "PLACE")]
    pub(crate) location: String,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
    #[command(flatten)]
    pub(crate) result: ResultOptions,
}

/// Answer a named query.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Show the named queries
    #[arg(long)]
    pub(crate) list: bool,
    /// Print the query's file: what it answers, its parameters and its SQL
    #[arg(long)]
    pub(crate) show: bool,
    /// Value of a parameter of the query; --list shows them
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) param: Vec<Assignment>,
    /// Say what it would read and cost, as EXPLAIN COST does, and do not run it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// A folder with queries of your own: *.sql [default: `queries` in loglens.toml]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) queries: Vec<PathBuf>,
    /// The query
    #[arg(required_unless_present = "list")]
    pub(crate) name: Option<String>,
    /// Files, folders, globs, s3://BUCKET/PREFIX, or - for standard input
    #[arg(value_name = "FROM", value_hint = ValueHint::AnyPath)]
    pub(crate) places: Vec<String>,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
    #[command(flatten)]
    pub(crate) result: ResultOptions,
}

const CONVERSION: &str = "\
TO is a folder or s3://BUCKET/FOLDER/. It becomes Parquet in folders as Hive names them, which loglens,
Athena, DuckDB and Spark read; TO/_loglens/ holds the journal: which objects are converted. Run it
again, after an interruption or when there are new objects: only what is missing is converted. One
loglens converts into a place at a time; a second one stops.

An object is converted as a whole. --last, --since and --until choose objects, by the times in their
names, and do not cut them. Sorting takes up to --memory-limit [default: 1GiB], then it spills to disk.

Examples:
  loglens convert logs/ lake/flows/
  loglens convert --last 2d s3://org-logs/AWSLogs/ s3://org-lake/trail/ --only cloudtrail_logs

Exit codes: 0 converted, 1 data or store error, 2 usage error, 130 interrupted.";

/// Make a table of Parquet from logs, each object once.
#[derive(Debug, Args)]
#[command(after_help = CONVERSION, override_usage = "loglens convert [OPTIONS] [FROM]... <TO>")]
pub(crate) struct Convert {
    /// The logs: files, folders, globs, s3://BUCKET/PREFIX; last, the place of the table
    #[arg(required = true, value_name = "FROM>... <TO", value_hint = ValueHint::AnyPath)]
    pub(crate) from_and_to: Vec<String>,
    /// The table to convert, where logs of several lie
    #[arg(long, value_name = "TABLE")]
    pub(crate) only: Option<String>,
    /// Columns that name the folders, such as region,date; "" for none [default: account, Region
    /// and day, as far as keys say them; or what TO is partitioned by]
    #[arg(long, value_name = "COLUMNS")]
    pub(crate) partitioned_by: Option<String>,
    /// About how large a file may become [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) file_size: Option<String>,
    /// Bytes of objects that are converted together: what an interruption loses [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) chunk_size: Option<String>,
    /// Say what is to be converted, and do not
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Output format of the summary [default: table]
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Format>,
    /// Say on standard error what was read, what became of it, and what it took
    #[arg(long)]
    pub(crate) stats: bool,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
}

const STEPS: &str = "\
It looks at the configuration, the Region, the credentials and whose they are; then, of each place, at
the bucket, this machine's clock, whether it may be listed and read (with its KMS key), and what lies
there.

Exit codes: 0 all is well, 1 something is wrong.";

/// Check step by step whether S3 answers, and say what to mend.
#[derive(Debug, Args)]
#[command(after_help = STEPS)]
pub(crate) struct Doctor {
    /// s3://BUCKET/PREFIX [default: those of loglens.toml]
    #[arg(value_name = "FROM")]
    pub(crate) places: Vec<String>,
    /// Read this configuration instead of ./loglens.toml or the one in your configuration folder
    #[arg(long, value_name = "FILE", env = "LOGLENS_CONFIG", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) s3: S3Options,
}

/// How logs are read. Each of these can stand in loglens.toml too, with underscores.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub(crate) struct LogOptions {
    /// Only records of this long until now: 90s, 30m, 1h, 7d, 2w
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["since", "until"])]
    pub(crate) last: Option<String>,
    /// Only records from this time on: 2026-01-31, 2026-01-31T10:00, with Z or an offset, or 2h (ago)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only records before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Time zone of event_time and of times without a zone [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,
    /// Read every object as this table
    #[arg(long)]
    pub(crate) table: Option<String>,
    /// Read objects of a format of your own too, as described in this file; may be repeated
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    pub(crate) format: Vec<PathBuf>,
    /// Field order of records without a header line: "version account-id ..." or "${version} ..."
    #[arg(long, value_name = "NAMES")]
    pub(crate) fields: Option<String>,
    /// Fail on the first reject; examines every value
    #[arg(long)]
    pub(crate) strict: bool,
    /// How far an object may expand: inflated bytes for each byte [default: 250]
    #[arg(long, value_name = "TIMES")]
    pub(crate) max_expansion: Option<u64>,
    /// Memory for sorting, grouping and joining; beyond it they spill to disk: 512MB, 2GiB
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<String>,
    /// Refuse a statement that would read more bytes of objects than this: 10GB, 512MiB
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_bytes: Option<String>,
    /// Refuse a statement that would cost more than this at S3, its bytes carried out of AWS
    #[arg(long, value_name = "USD")]
    pub(crate) max_cost: Option<f64>,
    /// Cores to use [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Read this configuration instead of ./loglens.toml or the one in your configuration folder
    #[arg(long, value_name = "FILE", env = "LOGLENS_CONFIG", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) s3: S3Options,
    #[command(flatten)]
    pub(crate) cache: CacheOptions,
}

/// How S3 is reached. Each of these can stand in loglens.toml too; what none says comes from where
/// the AWS CLI takes it: AWS_* variables, profiles, single sign-on, roles of containers and instances.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "S3")]
pub(crate) struct S3Options {
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Region of requests; a bucket's own is found by itself
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Ask this server instead of AWS's
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Name the bucket in the path, as most other servers want it
    #[arg(long)]
    pub(crate) path_style: bool,
    /// Ask without credentials: public buckets
    #[arg(long)]
    pub(crate) anonymous: bool,
    /// Pay for requests and traffic where the bucket's owner does not
    #[arg(long)]
    pub(crate) requester_pays: bool,
    /// Ask FIPS endpoints
    #[arg(long)]
    pub(crate) fips: bool,
    /// Ask endpoints that have IPv6 too
    #[arg(long)]
    pub(crate) dual_stack: bool,
    /// Read and write objects with the key in this file (SSE-C): 32 bytes, or these in base64
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) sse_c_key: Option<PathBuf>,
}

/// What is kept of S3. Each of these can stand in loglens.toml too, with underscores.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cache")]
pub(crate) struct CacheOptions {
    /// Keep fetched objects in this folder: what did not change is not fetched again
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) cache: Option<PathBuf>,
    /// Bound of the cache; what was not of use for the longest time goes first [default: 10GB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) cache_size: Option<String>,
    /// Answer from the cache alone, listings too, and ask S3 for nothing
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Where the result goes. Each of these but --to can stand in loglens.toml too.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Result")]
pub(crate) struct ResultOptions {
    /// Output format [default: table, or what the name of --to says]
    ///
    /// chart, svg and html draw the columns of numbers, each in a panel of its own. With a column of
    /// times: a line over time, one for each value of the other columns; times without a row are 0,
    /// or a gap where the number is an average, an extreme or a percentile by its name. Otherwise
    /// bars, one for each row, in the order of the rows.
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Format>,
    /// Write the result to a file instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) to: Option<PathBuf>,
    /// Say on standard error what was read, what became of it, and what it took
    #[arg(long)]
    pub(crate) stats: bool,
}

/// Write seeded logs that look real.
#[derive(Debug, Subcommand)]
pub(crate) enum Generate {
    /// VPC flow logs, in the key layout of AWSLogs
    #[command(name = "vpc_flow_logs")]
    VpcFlow(GenerateFlowLogs),
    /// Access logs of Application Load Balancers, in the key layout of AWSLogs
    #[command(name = "alb_access_logs")]
    AlbAccess(GenerateOptions),
    /// CloudTrail logs, in the key layout of AWSLogs
    #[command(name = "cloudtrail_logs")]
    CloudTrail(GenerateCloudTrailLogs),
}

/// What the flow logs are to be.
#[derive(Debug, Args)]
pub(crate) struct GenerateFlowLogs {
    /// Fields and their order: "version account-id ..." [default: version 2]
    #[arg(long, value_name = "NAMES")]
    pub(crate) fields: Option<String>,
    #[command(flatten)]
    pub(crate) options: GenerateOptions,
}

/// What the CloudTrail logs are to be.
#[derive(Debug, Args)]
pub(crate) struct GenerateCloudTrailLogs {
    /// One object with all records on one line or over many, or a record on each line
    #[arg(long, value_enum, default_value = "records")]
    pub(crate) layout: CloudTrailLayout,
    #[command(flatten)]
    pub(crate) options: GenerateOptions,
}

/// How CloudTrail's records stand in an object.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum CloudTrailLayout {
    Records,
    Pretty,
    Ndjson,
}

/// How much is written, and where to: the same for every log.
#[derive(Debug, Args)]
pub(crate) struct GenerateOptions {
    /// How many records
    #[arg(long)]
    pub(crate) rows: u64,
    /// The same seed gives the same logs
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Folder to write to, or a stream: kinesis://NAME
    #[arg(long, value_name = "PLACE", value_hint = ValueHint::DirPath)]
    pub(crate) to: String,
    /// How many objects, each of five minutes [default: 1]
    #[arg(long)]
    pub(crate) objects: Option<usize>,
    /// Compress the objects
    #[arg(long)]
    pub(crate) gzip: bool,
    /// Into a stream: so many records a second [default: as many as it takes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// Into a stream: many records in one, as CloudWatch Logs or the Kinesis Producer Library does
    #[arg(long, value_enum)]
    pub(crate) envelope: Option<Envelope>,
    /// How many accounts
    #[arg(long, default_value_t = 1)]
    pub(crate) accounts: u32,
    /// How many Regions
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(loglens_generate::MAX_REGIONS)))]
    pub(crate) regions: u32,
    /// Read this configuration instead of ./loglens.toml or the one in your configuration folder. It
    /// says how a stream is reached, where no option does
    #[arg(long, value_name = "FILE", env = "LOGLENS_CONFIG", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) s3: S3Options,
}

/// What records are put into on their way through a stream.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Envelope {
    Cloudwatch,
    Kpl,
}
