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
    if let Some(sql) = session.engine.overview_sql().await? {
        session.run(session.engine.parse(&sql)?).await?;
    }
    for object in archive.unrecognised() {
        note(&format!(
            "not recognised: {}: {}",
            object.key, object.reason
        ));
    }
    Ok(())
}
