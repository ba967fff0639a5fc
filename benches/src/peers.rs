//! The peers, each a process of its own that stays while a case is measured.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::Answer;
use crate::cases::{Family, Layout, Storage};
use crate::error::{Error, Result};

/// Who is compared with loglens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Duckdb,
    DuckdbReadJson,
    Polars,
    Chdb,
    Datafusion,
}

impl Peer {
    pub(crate) const ALL: [Self; 5] = [
        Self::Duckdb,
        Self::DuckdbReadJson,
        Self::Polars,
        Self::Chdb,
        Self::Datafusion,
    ];

    /// As in `--peers` and in the results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Duckdb => "duckdb",
            Self::DuckdbReadJson => "duckdb_read_json",
            Self::Polars => "polars",
            Self::Chdb => "chdb",
            Self::Datafusion => "datafusion",
        }
    }

    /// Whether there is anything for it to do in a layout.
    pub(crate) fn takes_part(self, layout: Layout) -> bool {
        self != Self::DuckdbReadJson || layout.family == Family::CloudTrail
    }

    /// Why it cannot read a layout at all.
    pub(crate) fn cannot_read(self, layout: Layout) -> Option<&'static str> {
        match (self, layout.storage) {
            (Self::Datafusion, _) if !cfg!(feature = "datafusion") => {
                Some("not in this build (feature `datafusion`)")
            }
            (Self::Datafusion, Storage::Gzip | Storage::Files) => {
                Some("built without its feature `compression`")
            }
            _ => None,
        }
    }

    /// Starts it; what it needs is loaded before a task's answer comes.
    fn command(self, python: &Path, scripts: &Path) -> Result<Command> {
        let script = match self {
            Self::Duckdb | Self::DuckdbReadJson => "duckdb_peer.py",
            Self::Polars => "polars_peer.py",
            Self::Chdb => "chdb_peer.py",
            Self::Datafusion => {
                let this =
                    std::env::current_exe().map_err(|error| Error::new(error.to_string()))?;
                let mut command = Command::new(this);
                command.arg("datafusion");
                return Ok(command);
            }
        };
        let mut command = Command::new(python);
        // Python leaves nothing in the checkout.
        command.arg("-B").arg(scripts.join(script));
        Ok(command)
    }
}

/// What a peer is told once.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Task {
    pub(crate) peer: String,
    pub(crate) threads: usize,
    pub(crate) log: Log,
    pub(crate) query: String,
}

/// A log, with all that a reader would otherwise have to find out.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Log {
    pub(crate) kind: LogKind,
    /// Paths, in the order of their names.
    pub(crate) files: Vec<String>,
    /// One pattern for the same files.
    pub(crate) glob: String,
    pub(crate) separator: char,
    pub(crate) quote: Option<char>,
    pub(crate) header: bool,
    /// Names and types of the fields of a line.
    pub(crate) fields: Vec<(String, FieldType)>,
    /// Paths of the members to read of a JSON record.
    pub(crate) members: Vec<String>,
    /// The bytes of the largest JSON object.
    pub(crate) largest: u64,
}

/// What a log is made of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogKind {
    Lines,
    Json,
    Parquet,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FieldType {
    Int,
    Float,
    Text,
}

/// One run of a peer.
#[derive(Debug)]
pub(crate) struct PeerRun {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_bytes: u64,
    pub(crate) answer: Answer,
}

/// What comes back on a line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Reply {
    Failed {
        error: String,
    },
    Ran {
        seconds: f64,
        cpu_seconds: f64,
        peak_bytes: u64,
        columns: Vec<String>,
        rows: Vec<Vec<Value>>,
    },
    Ready {
        version: String,
    },
}

/// A peer's process.
pub(crate) struct Running {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(crate) version: String,
}

impl Running {
    /// Starts a peer and waits until it is ready to run its query.
    pub(crate) fn start(peer: Peer, python: &Path, scripts: &Path, task: &Task) -> Result<Self> {
        let mut command = peer.command(python, scripts)?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::at(Path::new(command.get_program())))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::new("a peer has no pipes"));
        };
        let mut running = Self {
            child,
            input,
            output: BufReader::new(output),
            version: String::new(),
        };
        match running.ask(&serde_json::to_string(task)?)? {
            Reply::Ready { version } => running.version = version,
            reply => return Err(unexpected(&reply)),
        }
        Ok(running)
    }

    /// Runs the query once more.
    pub(crate) fn run(&mut self) -> Result<PeerRun> {
        match self.ask("run")? {
            Reply::Ran {
                seconds,
                cpu_seconds,
                peak_bytes,
                columns,
                rows,
            } => Ok(PeerRun {
                seconds,
                cpu_seconds,
                peak_bytes,
                answer: Answer::from_rows(&columns, rows)?,
            }),
            reply => Err(unexpected(&reply)),
        }
    }

    fn ask(&mut self, line: &str) -> Result<Reply> {
        let mut reply = String::new();
        writeln!(self.input, "{line}")
            .and_then(|()| self.input.flush())
            .and_then(|()| self.output.read_line(&mut reply))
            .map_err(|error| Error::new(format!("the process is gone: {error}")))?;
        if reply.is_empty() {
            return Err(Error::new("the process ended"));
        }
        Ok(serde_json::from_str(&reply)?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already, and if not, then it has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unexpected(reply: &Reply) -> Error {
    match reply {
        Reply::Failed { error } => Error::new(error.lines().next().unwrap_or_default()),
        other => Error::new(format!("an unexpected reply: {other:?}")),
    }
}
