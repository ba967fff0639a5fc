//! `loglens ddl TABLE`.

use std::io::Write;

use loglens_io::s3::SCHEME;

use super::session::Session;
use crate::arguments::Ddl;
use crate::failure::Failure;
use crate::output::OutputError;
use crate::result_file::Destination;

pub(crate) async fn run(arguments: Ddl) -> Result<(), Failure> {
    let location = arguments.location;
    if !location.starts_with(SCHEME) {
        return Err(Failure::usage(
            format!("--location {location}: Athena reads from S3 only"),
            "write s3://BUCKET/FOLDER/",
        ));
    }
    let session = Session::new(arguments.places, arguments.logs, arguments.result)?;
    let sql = session.engine.ddl(&arguments.name, &location).await?;
    let mut destination = Destination::open(session.result.to.as_deref())?;
    destination
        .write_all(sql.as_bytes())
        .map_err(OutputError::from)?;
    destination.complete()
}
