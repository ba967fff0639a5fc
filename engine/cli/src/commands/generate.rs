//! `loglens generate`.

use loglens_engine::{Error, Owner};
use loglens_generate::FlowLogs;
use loglens_parsers::layout::field_list;

use super::session::note;
use crate::arguments::{Generate, GenerateFlowLogs};
use crate::failure::Failure;
use crate::units::{bytes, things};

pub(crate) fn run(arguments: &Generate) -> Result<(), Failure> {
    match arguments {
        Generate::VpcFlowLogs(flow_logs) => generate_flow_logs(flow_logs),
    }
}

fn generate_flow_logs(arguments: &GenerateFlowLogs) -> Result<(), Failure> {
    let mut logs = FlowLogs::new(arguments.rows, arguments.seed)
        .with_accounts(arguments.accounts)
        .with_regions(arguments.regions);
    if let Some(fields) = &arguments.fields {
        let names = field_list(fields).ok_or_else(|| {
            Failure::usage(
                format!("--fields \"{fields}\": not a list of names"),
                "separate them with spaces",
            )
        })?;
        logs = logs.with_fields(names).map_err(|error| {
            Failure::usage(
                error.to_string(),
                "`loglens schema vpc_flow_logs` lists the names",
            )
        })?;
    }
    let to = &arguments.to;
    let written = logs
        .write_objects(to, arguments.objects, arguments.gzip)
        .map_err(|error| {
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
