//! Arguments: what can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Compares loglens with others, and checks that all give the same answers.
#[derive(Debug, Parser)]
#[command(name = "loglens-bench", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every case over every layout of the data, ours and the peers' in turn
    Compare(Compare),
    /// Read thousands of small objects from an S3 server on loopback, with and without latency
    #[cfg(feature = "s3")]
    S3(S3),
    /// The daemon without a network: records in memory become windows and Parquet
    #[cfg(feature = "daemon")]
    Daemon(Daemon),
    /// Windows over an hour of flow logs, as text and as Parquet
    Windows(Windows),
    /// Write results.md and chart.svg again from a results.json
    Render {
        /// The folder of a results.json
        folder: PathBuf,
    },
    /// DataFusion as a peer: a task and requests on standard input, measurements on standard output
    #[cfg(feature = "datafusion")]
    #[command(hide = true)]
    Datafusion,
    /// Run a program, and print what it took and what it printed as JSON
    #[command(hide = true)]
    Measure(Measure),
}

#[cfg(feature = "s3")]
#[derive(Debug, Args)]
pub(crate) struct S3 {
    /// How many objects
    #[arg(long, default_value_t = 20_000)]
    pub(crate) objects: usize,
    /// How much later answers begin, in milliseconds
    #[arg(long, default_value_t = 30)]
    pub(crate) latency_ms: u64,
    /// Measured runs of each
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// The loglens to measure [default: the one beside this program]
    #[arg(long, value_name = "PATH")]
    pub(crate) loglens: Option<PathBuf>,
}

#[cfg(feature = "daemon")]
#[derive(Debug, Args)]
pub(crate) struct Daemon {
    /// Flow log records of a case
    #[arg(long, default_value_t = 2_000_000)]
    pub(crate) rows: u64,
    /// Measured runs of each case
    #[arg(long, default_value_t = 3)]
    pub(crate) runs: usize,
    /// Only this case, in this process
    #[arg(long, hide = true)]
    pub(crate) case: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct Windows {
    /// Records of the hour
    #[arg(long, default_value_t = 5_000_000)]
    pub(crate) rows: u64,
    /// Measured runs of each
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// Python with `duckdb`; without, it is not asked
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<PathBuf>,
    /// Python with `apache-flink` 2.3.0, and Java 17 on the path; without, it is not asked
    #[arg(long, value_name = "PATH")]
    pub(crate) flink: Option<PathBuf>,
    /// Where the data is kept
    #[arg(long, value_name = "DIR", default_value = "target/bench-data")]
    pub(crate) data: PathBuf,
    /// The loglens to measure [default: the one beside this program]
    #[arg(long, value_name = "PATH")]
    pub(crate) loglens: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// Flow log records; the other families are scaled with them
    #[arg(long, default_value_t = 5_000_000)]
    pub(crate) rows: u64,
    /// Measured runs of each case, after one that warms up
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// Only these cases, by name: count,top
    #[arg(long, value_delimiter = ',')]
    pub(crate) cases: Vec<String>,
    /// Only these peers, by name; `none` for loglens alone
    #[arg(long, value_delimiter = ',')]
    pub(crate) peers: Vec<String>,
    /// Only these layouts or families: flow-plain,alb
    #[arg(long, value_delimiter = ',')]
    pub(crate) layouts: Vec<String>,
    /// Cores for everybody [default: all]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Also the cases about memory, over ten times the data (some 7 GB of disk)
    #[arg(long)]
    pub(crate) memory: bool,
    /// Leave out the parsers' own speed
    #[arg(long)]
    pub(crate) no_parsers: bool,
    /// The results go into a folder of date and machine below this one
    #[arg(long, value_name = "DIR", default_value = "benches/results")]
    pub(crate) out: PathBuf,
    /// Where the data is kept
    #[arg(long, value_name = "DIR", default_value = "target/bench-data")]
    pub(crate) data: PathBuf,
    /// The loglens to measure [default: the one beside this program]
    #[arg(long, value_name = "PATH")]
    pub(crate) loglens: Option<PathBuf>,
    /// The Python that has the peers
    #[arg(
        long,
        value_name = "PATH",
        default_value = "target/bench-venv/bin/python"
    )]
    pub(crate) python: PathBuf,
    /// The scripts that run the peers
    #[arg(long, value_name = "DIR", default_value = "benches/peers")]
    pub(crate) scripts: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Measure {
    /// Run on the first so many cores
    #[arg(long)]
    pub(crate) cores: Option<usize>,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<std::ffi::OsString>,
}
