//! What the daemon does, by its options and the configuration. Options go before.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use loglens_engine::archive::Given;
use loglens_engine::shard::Start;
use loglens_stream::lake::maker::Partitioning;

use super::windows::{StandingWindow, windows};
use crate::arguments::{Consume, LogForm, S3Options};
use crate::commands::session::{bytes_of, duration_of, fields_of, format_of};
use crate::config::{self, Daemon, Part, Role, Said, key_of};
use crate::descriptions;
use crate::failure::Failure;
use crate::time_range::parse_instant;

/// What the daemon does.
#[derive(Debug)]
pub(super) struct Settings {
    /// The configuration file, if there is one.
    pub(super) file: Option<String>,
    pub(super) stream: Said,
    /// The place of the lake.
    pub(super) to: Said,
    pub(super) leases: Said,
    pub(super) application: String,
    /// Where shards begin of which nothing was read yet.
    pub(super) first: Start,
    pub(super) failover: Duration,
    pub(super) fan_out: bool,
    /// Records in aggregates that belong to another shard become rows.
    pub(super) keep_resent: bool,
    pub(super) given: Given,
    pub(super) partitioned_by: Partitioning,
    pub(super) cut_bytes: usize,
    pub(super) cut_age: Duration,
    pub(super) memory_limit: usize,
    pub(super) windows: Vec<StandingWindow>,
    /// Where health and metrics are told.
    pub(super) listen: Option<SocketAddr>,
    /// For how long what was read is written once it is asked to end.
    pub(super) drain: Duration,
    pub(super) log: LogForm,
    /// How AWS is reached.
    pub(super) s3: S3Options,
    /// The role that writes the lake.
    pub(super) role: Option<Role>,
}

impl Settings {
    /// Reads all of it; what is missing or cannot be read is an error that names the option, or the
    /// file, the line and the key.
    pub(super) fn new(mut arguments: Consume) -> Result<Self, Failure> {
        let mut daemon = config::complete_daemon(&mut arguments.s3, arguments.config.as_deref())?;
        let [stream, to, leases] = places(&mut arguments, &daemon)?;
        let section = &daemon.section;
        let said = |option, by_option, by_file, default| {
            let said = daemon.said(option, by_option, by_file);
            said.unwrap_or_else(|| Said::by_option(option, default))
        };
        let (application, from, failover, cut_size, cut_age) = (
            said(
                "--application",
                arguments.application,
                section.application.as_ref(),
                "loglens",
            ),
            said("--from", arguments.from, section.from.as_ref(), "oldest"),
            said(
                "--failover",
                arguments.failover,
                section.failover.as_ref(),
                "10s",
            ),
            said(
                "--cut-size",
                arguments.cut_size,
                section.cut_size.as_ref(),
                "64MiB",
            ),
            said(
                "--cut-age",
                arguments.cut_age,
                section.cut_age.as_ref(),
                "5m",
            ),
        );
        let drain = said("--drain", arguments.drain, section.drain.as_ref(), "10s");
        let listen = daemon.said("--listen", arguments.listen, section.listen.as_ref());
        let memory_limit = said(
            "--memory-limit",
            arguments.memory_limit,
            section.memory_limit.as_ref(),
            "1GiB",
        );
        let table = daemon.said("--table", arguments.records.table, section.table.as_ref());
        let fields = daemon.said(
            "--fields",
            arguments.records.fields,
            section.fields.as_ref(),
        );
        let given = given(
            &daemon,
            arguments.records.format,
            table.as_ref(),
            fields.as_ref(),
        )?;
        Ok(Self {
            file: daemon.name(),
            application: application.read(name_of_application)?,
            first: from.read(start)?,
            failover: failover.read(duration_of)?,
            fan_out: arguments.fan_out || section.fan_out,
            keep_resent: arguments.keep_resent || section.keep_resent,
            partitioned_by: section
                .partition_by
                .as_deref()
                .map_or_else(Partitioning::default, partitioning),
            cut_bytes: cut_size.read(size)?,
            cut_age: cut_age.read(duration_of)?,
            memory_limit: memory_limit.read(size)?,
            listen: listen.map(|said| said.read(address)).transpose()?,
            drain: drain.read(duration_of)?,
            log: arguments.log.or(section.log).unwrap_or_default(),
            windows: windows(&daemon, &given.formats)?,
            given,
            s3: arguments.s3,
            role: daemon.roles.remove(&to.text),
            stream,
            to,
            leases,
        })
    }
}

/// Stream, lake and leases, without which nothing can be done.
fn places(arguments: &mut Consume, daemon: &Daemon) -> Result<[Said; 3], Failure> {
    let section = &daemon.section;
    let stream = daemon.said("STREAM", arguments.stream.take(), section.stream.as_ref());
    let to = daemon.said_place("--to", arguments.to.take(), section.to.as_ref());
    let leases = daemon.said_place("--leases", arguments.leases.take(), section.leases.as_ref());
    let missing = [("STREAM", &stream), ("--to", &to), ("--leases", &leases)];
    let missing = missing.into_iter().filter(|(_, said)| said.is_none());
    let missing: Vec<_> = missing
        .map(|(option, _)| format!("{option} (or `{}` in [consume])", key_of(option)))
        .collect();
    let [Some(stream), Some(to), Some(leases)] = [stream, to, leases] else {
        return Err(Failure::usage(
            format!("not said: {}", missing.join(", ")),
            "loglens consume kinesis://STREAM --to PLACE --leases PLACE, or --config FILE with a section [consume] that says them",
        ));
    };
    Ok([stream, to, leases])
}

/// What records may be, and what is said of all of them.
fn given(
    daemon: &Daemon,
    mut files: Vec<PathBuf>,
    table: Option<&Said>,
    fields: Option<&Said>,
) -> Result<Given, Failure> {
    for file in &daemon.section.format {
        if let Some(said) = daemon.said_place("--format", None, Some(file)) {
            let path = PathBuf::from(&said.text);
            said.read(|_, _| descriptions::formats(std::slice::from_ref(&path)))?;
            files.push(path);
        }
    }
    let formats = descriptions::formats(&files)?;
    let format = table.map(|said| said.read(|_, name| format_of(&formats, name)));
    let fields = fields.map(|said| said.read(|_, text| fields_of(text)));
    Ok(Given {
        format: format.transpose()?,
        fields: fields.transpose()?,
        formats,
    })
}

/// It is a part of the keys of objects, and the name of a consumer.
fn name_of_application(option: &str, text: &str) -> Result<String, Failure> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_name = !text.is_empty() && text.len() <= 128 && text.bytes().all(sound);
    match is_name && !text.starts_with('.') {
        true => Ok(text.to_owned()),
        false => Err(Failure::usage(
            format!("{option} {text}: not a name"),
            "write up to 128 letters, digits and _.-, not a dot first",
        )),
    }
}

fn start(option: &str, text: &str) -> Result<Start, Failure> {
    match text {
        "oldest" => Ok(Start::Oldest),
        "latest" => Ok(Start::Latest),
        _ => parse_instant(text).map(Start::Time).ok_or_else(|| {
            Failure::usage(
                format!("{option} {text}: neither a place in a stream nor a time"),
                "write oldest, latest, or a time with its zone, such as 2026-01-31T10:00:00Z",
            )
        }),
    }
}

fn address(option: &str, text: &str) -> Result<SocketAddr, Failure> {
    text.parse().map_err(|_| {
        Failure::usage(
            format!("{option} {text}: not an address and a port"),
            "write one like 127.0.0.1:9400; 0.0.0.0:9400 is seen by all who reach this machine",
        )
    })
}

fn partitioning(parts: &[Part]) -> Partitioning {
    Partitioning {
        account: parts.contains(&Part::Account),
        region: parts.contains(&Part::Region),
        day: parts.contains(&Part::Day),
    }
}

fn size(option: &str, text: &str) -> Result<usize, Failure> {
    let bytes = bytes_of(option, text)?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}
