//! `loglens generate`.

use std::io;
use std::path::Path;

use loglens_engine::{Error, Owner};
use loglens_generate::{AlbLogs, CloudTrailLogs, FlowLogs, Summary};
use loglens_parsers::layout::field_list;

use super::session::note;
use crate::arguments::{
    CloudTrailLayout, Generate, GenerateCloudTrailLogs, GenerateFlowLogs, GenerateOptions,
};
use crate::failure::Failure;
use crate::units::{bytes, things};

pub(crate) fn run(arguments: &Generate) -> Result<(), Failure> {
    match arguments {
        Generate::VpcFlow(arguments) => {
            let logs = flow_logs(arguments)?;
            write(&arguments.options, |to, objects, gzip| {
                logs.write_objects(to, objects, gzip)
            })
        }
        Generate::AlbAccess(options) => {
            let logs = alb_logs(options);
            write(options, |to, objects, gzip| {
                logs.write_objects(to, objects, gzip)
            })
        }
        Generate::CloudTrail(arguments) => {
            let logs = cloudtrail_logs(arguments);
            write(&arguments.options, |to, objects, gzip| {
                logs.write_objects(to, objects, gzip)
            })
        }
    }
}

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

/// Writes the objects, and says what was written.
fn write(
    options: &GenerateOptions,
    write_objects: impl FnOnce(&Path, usize, bool) -> io::Result<Summary>,
) -> Result<(), Failure> {
    let to = options.to.as_path();
    let written = write_objects(to, options.objects, options.gzip).map_err(|error| {
        Failure::from(Error::new(
            Owner::External,
            format!("{}: {error}", to.display()),
        ))
    })?;
    note(&format!(
        "wrote {}, {} of text, in {} to {}",
        things(written.rows, "record"),
        bytes(written.bytes),
        things(written.objects, "object"),
        to.display()
    ));
    Ok(())
}
