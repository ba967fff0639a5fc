//! `loglens generate`.

mod stream;

use std::io;
use std::path::Path;

use loglens_engine::{Error, Owner};
use loglens_generate::{AlbLogs, CloudTrailLogs, FlowLogs, LogRecord, Summary};
use loglens_io::kinesis::SCHEME;
use loglens_parsers::layout::field_list;

use super::session::note;
use crate::arguments::{
    CloudTrailLayout, Generate, GenerateCloudTrailLogs, GenerateFlowLogs, GenerateOptions,
};
use crate::failure::Failure;
use crate::units::{bytes, things};

pub(crate) fn run(arguments: Generate) -> Result<(), Failure> {
    match arguments {
        Generate::VpcFlow(arguments) => {
            let logs = flow_logs(&arguments)?;
            write(arguments.options, logs)
        }
        Generate::AlbAccess(options) => {
            let logs = alb_logs(&options);
            write(options, logs)
        }
        Generate::CloudTrail(arguments) => {
            let logs = cloudtrail_logs(&arguments);
            write(arguments.options, logs)
        }
    }
}

/// Logs of one family, and where CloudWatch Logs would have them from.
trait Logs: Send + 'static {
    const LOG_GROUP: &str;

    fn write_objects(&self, folder: &Path, objects: usize, gzip: bool) -> io::Result<Summary>;

    fn each_record(&self, give: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()>;
}

/// They all have the same methods.
macro_rules! logs {
    ($logs:ty, $group:literal) => {
        impl Logs for $logs {
            const LOG_GROUP: &str = $group;

            fn write_objects(&self, to: &Path, objects: usize, gzip: bool) -> io::Result<Summary> {
                self.write_objects(to, objects, gzip)
            }

            fn each_record(
                &self,
                give: &mut dyn FnMut(LogRecord) -> io::Result<()>,
            ) -> io::Result<()> {
                self.each_record(give)
            }
        }
    };
}
logs!(FlowLogs, "vpc-flow-logs");
logs!(AlbLogs, "alb-access-logs");
logs!(CloudTrailLogs, "aws-cloudtrail-logs");

fn flow_logs(arguments: &GenerateFlowLogs) -> Result<FlowLogs, Failure> {
    let options = &arguments.options;
    let logs = FlowLogs::new(options.rows, options.seed)
        .with_accounts(options.accounts)
        .with_regions(options.regions);
    let Some(fields) = &arguments.fields else {
        return Ok(logs);
    };
    let names = field_list(fields).ok_or_else(|| {
        Failure::usage(
            format!("--fields \"{fields}\": not a list of names"),
            "separate them with spaces",
        )
    })?;
    logs.with_fields(names).map_err(|error| {
        Failure::usage(
            error.to_string(),
            "`loglens schema vpc_flow_logs` lists the names",
        )
    })
}

fn alb_logs(options: &GenerateOptions) -> AlbLogs {
    AlbLogs::new(options.rows, options.seed)
        .with_accounts(options.accounts)
        .with_regions(options.regions)
}

fn cloudtrail_logs(arguments: &GenerateCloudTrailLogs) -> CloudTrailLogs {
    let options = &arguments.options;
    CloudTrailLogs::new(options.rows, options.seed)
        .with_accounts(options.accounts)
        .with_regions(options.regions)
        .with_layout(match arguments.layout {
            CloudTrailLayout::Records => loglens_generate::CloudTrailLayout::Records,
            CloudTrailLayout::Pretty => loglens_generate::CloudTrailLayout::Pretty,
            CloudTrailLayout::Ndjson => loglens_generate::CloudTrailLayout::Ndjson,
        })
}

/// Writes the logs where they are wanted, and says what was written.
fn write(options: GenerateOptions, logs: impl Logs) -> Result<(), Failure> {
    let only = |option: &str, of: &str| {
        let message = format!("{option} is for {of}, and --to is {}", options.to);
        Err(Failure::usage(message, "leave it out"))
    };
    if options.to.starts_with(SCHEME) {
        return match (options.objects, options.gzip) {
            (Some(_), _) => only("--objects", "a folder"),
            (_, true) => only("--gzip", "a folder"),
            _ => stream::send(options, logs),
        };
    }
    match (options.rate, options.envelope) {
        (Some(_), _) => only("--rate", "a stream"),
        (_, Some(_)) => only("--envelope", "a stream"),
        _ => write_objects(&options, &logs),
    }
}

fn write_objects(options: &GenerateOptions, logs: &impl Logs) -> Result<(), Failure> {
    let to = &options.to;
    let objects = options.objects.unwrap_or(1);
    let written = logs
        .write_objects(Path::new(to), objects, options.gzip)
        .map_err(|error| Failure::from(Error::new(Owner::External, format!("{to}: {error}"))))?;
    note(&format!(
        "wrote {}, {} of text, in {} to {to}",
        things(written.rows, "record"),
        bytes(written.bytes),
        things(written.objects, "object"),
    ));
    Ok(())
}
