//! Running a program and measuring it as a whole.
//!
//! `loglens-bench measure` is a process of its own for each measurement: the system adds up the CPU
//! time of all children of a process, and of their peaks of memory it keeps the highest only.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a whole process took, from its start to its exit, and what it printed.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_bytes: u64,
    pub(crate) succeeded: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command and prints what it took.
pub(crate) fn measure(arguments: &crate::arguments::Measure) -> Result<Measured> {
    if let Some(cores) = arguments.cores {
        keep_to_cores(cores)?;
    }
    let (program, rest) = arguments
        .command
        .split_first()
        .ok_or_else(|| Error::new("nothing to run"))?;
    let start = Instant::now();
    let output = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .output()
        .map_err(Error::at(Path::new(program)))?;
    let seconds = start.elapsed().as_secs_f64();
    let (cpu_seconds, peak_bytes) = usage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(Measured {
        seconds,
        cpu_seconds,
        peak_bytes,
        succeeded: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs a command in a measuring process of its own; it has to succeed.
pub(crate) fn run(cores: usize, program: &Path, arguments: &[&OsStr]) -> Result<Measured> {
    let measured = run_whatever_comes(cores, program, arguments)?;
    if measured.succeeded {
        Ok(measured)
    } else {
        Err(Error::new(measured.stderr.trim()))
    }
}

/// The same for a command that may fail.
pub(crate) fn run_whatever_comes(
    cores: usize,
    program: &Path,
    arguments: &[&OsStr],
) -> Result<Measured> {
    let this = std::env::current_exe().map_err(|error| Error::new(error.to_string()))?;
    let output = Command::new(&this)
        .args(["measure", "--cores", &cores.to_string(), "--"])
        .arg(program)
        .args(arguments)
        .output()
        .map_err(Error::at(&this))?;
    if !output.status.success() {
        return Err(Error::new(String::from_utf8_lossy(&output.stderr)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Seconds of CPU, user and system, and the peak of resident memory in bytes.
pub(crate) fn usage(who: UsageWho) -> Result<(f64, u64)> {
    let usage = getrusage(who).map_err(|error| Error::new(format!("getrusage: {error}")))?;
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    let cpu_seconds = seconds(usage.user_time()) + seconds(usage.system_time());
    let peak_kib = u64::try_from(usage.max_rss()).unwrap_or(0);
    Ok((cpu_seconds, peak_kib * 1024))
}

/// Keeps this process, and those that it starts from now on, to the first cores that it may use.
pub(crate) fn keep_to_cores(count: usize) -> Result<()> {
    let fail = |error| Error::new(format!("affinity: {error}"));
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).map_err(fail)?;
    let mut chosen = CpuSet::new();
    let cores = (0..CpuSet::count()).filter(|&core| allowed.is_set(core).unwrap_or(false));
    for core in cores.take(count) {
        chosen.set(core).map_err(fail)?;
    }
    sched_setaffinity(this, &chosen).map_err(fail)
}
