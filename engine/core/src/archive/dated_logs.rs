//! The logs of an archive that have a folder for each day.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::days::{DatedLog, Found, Listings, LogFilter};
use super::recognition::{KnownLogs, Recognition};
use super::{Given, LogObject, Unrecognised};
use crate::error::Error;
use crate::object::{Listed, ObjectSource};

/// Lists and recognises what statements ask for.
#[derive(Debug, Default)]
pub(crate) struct DatedLogs {
    given: Given,
    sources: Arc<[Arc<dyn ObjectSource>]>,
    listings: Listings,
    known: Mutex<KnownLogs>,
    unrecognised: Mutex<BTreeMap<String, String>>,
}

impl DatedLogs {
    pub(super) fn new(
        given: Given,
        sources: Arc<[Arc<dyn ObjectSource>]>,
        known: KnownLogs,
    ) -> Self {
        Self {
            given,
            sources,
            known: Mutex::new(known),
            ..Self::default()
        }
    }

    /// The objects of a table that may be wanted, by key, and what was listed for them.
    pub(crate) async fn objects(
        &self,
        table: &str,
        logs: &[Arc<DatedLog>],
        wanted: &dyn LogFilter,
    ) -> Result<(Vec<LogObject>, Found), Error> {
        let mut found = self.listings.find(&self.sources, logs, wanted).await?;
        let mut by_source: BTreeMap<usize, Vec<Listed>> = BTreeMap::new();
        for (source, object) in found.objects.drain(..) {
            by_source
                .entry(source)
                .or_default()
                .push(Listed::Object(object));
        }
        let known = lock(&self.known).clone();
        let mut recognition = Recognition::of_known_columns(&self.given, known);
        for (source, listed) in by_source {
            recognition
                .take(source, &self.sources[source], listed)
                .await?;
        }
        let (mut objects, unrecognised, mut known) = recognition.into_objects(table);
        objects.sort_by(|a, b| (a.source, &a.object.key).cmp(&(b.source, &b.object.key)));
        lock(&self.known).append(&mut known);
        let unrecognised = unrecognised.into_iter();
        lock(&self.unrecognised).extend(unrecognised.map(|left| (left.key, left.reason)));
        Ok((objects, found))
    }

    /// What nothing recognised so far.
    pub(super) fn unrecognised(&self) -> Vec<Unrecognised> {
        let all = lock(&self.unrecognised);
        let all = all.iter().map(|(key, reason)| Unrecognised {
            key: key.clone(),
            reason: reason.clone(),
        });
        all.collect()
    }
}

/// A panic elsewhere does not make what is known wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
