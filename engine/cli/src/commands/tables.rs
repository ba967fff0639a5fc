//! `loglens tables`.

use super::session::{Session, note};
use crate::arguments::Tables;
use crate::failure::Failure;

pub(crate) async fn run(arguments: Tables) -> Result<(), Failure> {
    let session = Session::new(arguments.places, arguments.logs, arguments.result)?;
    let archive = session.engine.archive().await?;
    if archive.is_empty() {
        return Err(session.engine.nothing_found().into());
    }
    if archive.present().next().is_some() {
        let statements = session.engine.parse(&session.engine.overview_sql())?;
        session.run(statements).await?;
    }
    for object in &archive.unrecognised {
        note(&format!(
            "not recognised: {}: {}",
            object.key, object.reason
        ));
    }
    Ok(())
}
