//! What people are told of what happens.

use loglens_stream::event::{Event, Observer};
use loglens_stream::lake::cut::REJECTED;
use loglens_stream::shard_log::Output;

use crate::commands::session::note;
use crate::units::things;

/// Tells people what happens, on standard error.
#[derive(Debug)]
pub(super) struct Teller;

impl Observer for Teller {
    fn observe(&self, event: &Event<'_>) {
        match event {
            // These come all the time.
            Event::Looked | Event::Renewed | Event::Fetched { .. } => (),
            Event::Found(shard) => note(&format!("{shard}: found")),
            Event::Deleted { shard, ended: true } => note(&format!("{shard}: done with")),
            Event::Deleted { shard, .. } => {
                note(&format!(
                    "warning: {shard}: gone before it was read to its end"
                ));
            }
            Event::Taken(shard) => note(&format!("{shard}: taken")),
            Event::Finishing { shard, records } => {
                let records = things(*records, "record");
                note(&format!(
                    "{shard}: finishing a cut of {records} that another worker began"
                ));
            }
            Event::Committed { shard, commit, .. } => {
                note(&format!("{shard}: {}", written(&commit.outputs)));
                if commit.missing > 0 {
                    let missing = things(commit.missing, "record");
                    note(&format!(
                        "warning: {shard}: the stream dropped {missing} before they were written"
                    ));
                }
            }
            Event::Ended(shard) => note(&format!("{shard}: read to its end")),
            Event::GivenUp(shard) => note(&format!("{shard}: given up")),
            Event::Lost(shard) => note(&format!("{shard}: another worker goes on with it")),
            Event::Failed { shard, error } => {
                let shard = shard.map(|shard| format!("{shard}: ")).unwrap_or_default();
                let hint = error.hint.as_ref();
                let hint = hint
                    .map(|hint| format!("\nhint: {hint}"))
                    .unwrap_or_default();
                note(&format!("warning: {shard}{error}; it is tried again{hint}"));
            }
        }
    }
}

/// What a cut wrote, for people.
fn written(outputs: &[Output]) -> String {
    let rows = |rejected: bool| {
        let outputs = outputs.iter();
        let outputs = outputs.filter(|output| output.name.starts_with(REJECTED) == rejected);
        outputs.map(|output| output.rows).sum::<u64>()
    };
    let files = things(outputs.len() as u64, "file");
    match rows(true) {
        0 => format!("{} in {files}", things(rows(false), "row")),
        rejected => format!(
            "{} and {} in {files}",
            things(rows(false), "row"),
            things(rejected, "rejected record"),
        ),
    }
}
