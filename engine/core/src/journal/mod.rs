//! The journal of a place that is written to: which files are of one piece.
//!
//! A folder and a bucket have no commit over several files. So whoever writes more than one file
//! first writes down which: an entry below `_loglens/` in the place, made when all files are sent
//! and before any is visible. Its state says what the files are ([`State`]), and it changes under
//! the condition that nobody else has changed it. Thus whoever finds an entry of a writer that was
//! killed can take its files back, and a writer that was only slow sees that this happened.
//!
//! - The entry of a statement ends with it: when there is none, all files are of the table.
//! - The entries of a conversion have numbers and stay: they say which objects were converted.
//!   Only the newest can be undecided, for each run decides those that it finds before it adds one.
//!
//! Readers of ours leave out the files of undecided entries ([`mod@uncommitted`]). Other readers know
//! nothing of the journal, but pass over names that begin with `_`.

mod claim;
mod entry;
mod uncommitted;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::{StreamExt, TryStreamExt, stream};

pub(crate) use self::claim::Claim;
pub(crate) use self::entry::{
    Chunk, ConvertedObject, Entry, Settings, State, name_of_number, name_of_statement,
};
pub(crate) use self::uncommitted::{Uncommitted, uncommitted};
use crate::error::{Error, Owner};
use crate::object::{Listed, Object};
use crate::sink::{Condition, ObjectSink, Written};
use crate::write::Places;
use crate::write::uploads::delete_all;

/// The folder of the journal, in the place that it is of.
pub const FOLDER: &str = "_loglens/";

/// Entries that are read side by side.
const AT_ONCE: usize = 32;

/// A statement completes its files within minutes: an entry of this age is of one that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Whether a key lies in a journal.
pub(crate) fn holds(key: &str) -> bool {
    key.starts_with(FOLDER) || key.contains("/_loglens/")
}

/// The journal of one place.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    /// The place, with a slash at its end.
    place: String,
    sink: Arc<dyn ObjectSink>,
}

/// An entry as it was read.
#[derive(Debug)]
pub(crate) struct Found {
    key: String,
    etag: String,
    /// Its number, if it is one of a conversion.
    pub(crate) number: Option<u32>,
    pub(crate) entry: Entry,
}

/// Whether whoever wrote an entry cannot be at work any more.
fn is_abandoned(entry: &Object) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.ok().and_then(|now| i64::try_from(now.as_micros()).ok());
    let age = now
        .zip(entry.modified)
        .map(|(now, modified)| now - modified);
    let age = age.and_then(|age| u64::try_from(age).ok());
    age.is_some_and(|age| Duration::from_micros(age) > ABANDONED)
}

/// The objects in a folder.
async fn objects(places: &dyn Places, folder: &str) -> Result<Vec<Object>, Error> {
    if places.is_empty(folder).await? {
        return Ok(Vec::new());
    }
    let listed: Vec<Listed> = places.source(folder)?.list().try_collect().await?;
    let objects = listed.into_iter().filter_map(|listed| match listed {
        Listed::Object(object) => Some(object),
        Listed::Ignored { .. } => None,
    });
    Ok(objects.collect())
}

impl Journal {
    pub(crate) fn new(place: &str, sink: Arc<dyn ObjectSink>) -> Self {
        Self {
            place: format!("{}/", place.trim_end_matches('/')),
            sink,
        }
    }

    /// Keys of files of the place, within it.
    pub(crate) fn within(&self, keys: &[String]) -> Vec<String> {
        let within = keys.iter().map(|key| key.strip_prefix(&self.place));
        let within = within.zip(keys).map(|(within, key)| within.unwrap_or(key));
        within.map(str::to_owned).collect()
    }

    fn folder(&self) -> String {
        format!("{}{FOLDER}", self.place)
    }

    /// The key of an entry.
    fn key(&self, name: &str) -> String {
        format!("{}{FOLDER}{name}.json", self.place)
    }

    /// Writes an entry that is not there yet; None if it is.
    pub(crate) async fn claim(&self, name: &str, entry: Entry) -> Result<Option<Claim>, Error> {
        let key = self.key(name);
        let written = self.sink.put(&key, entry.bytes()?, Condition::Absent);
        Ok(match written.await? {
            Written::Done { etag } => Some(Claim {
                sink: Arc::clone(&self.sink),
                etag: known(&key, etag)?,
                key,
                entry,
            }),
            Written::Refused => None,
        })
    }

    /// The entries of conversions, in their order.
    pub(crate) async fn conversions(&self, places: &dyn Places) -> Result<Vec<Found>, Error> {
        let mut found = self.entries(places, |number, _| number.is_some()).await?;
        found.sort_by_key(|found| found.number);
        Ok(found)
    }

    /// The entries that are wanted, by their number, if they have one, and by what was listed.
    async fn entries(
        &self,
        places: &dyn Places,
        is_wanted: impl Fn(Option<u32>, &Object) -> bool,
    ) -> Result<Vec<Found>, Error> {
        let objects = objects(places, &self.folder()).await?.into_iter();
        let wanted = objects.filter_map(|object| {
            let number = entry::number(entry::name(&object.key)?);
            is_wanted(number, &object).then_some((number, object.key))
        });
        let read = stream::iter(wanted).map(|(number, key)| self.read(number, key));
        let found: Vec<_> = read.buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Reads an entry; None if it has gone.
    async fn read(&self, number: Option<u32>, key: Arc<str>) -> Result<Option<Found>, Error> {
        let Some(content) = self.sink.get(&key).await? else {
            return Ok(None);
        };
        Ok(Some(Found {
            entry: Entry::read(&key, &content.bytes)?,
            etag: known(&key, content.etag)?,
            key: key.to_string(),
            number,
        }))
    }

    /// Takes back what statements left that were killed long ago.
    pub(crate) async fn tidy(&self, places: &dyn Places) -> Result<(), Error> {
        let is_left =
            |number: Option<u32>, object: &Object| number.is_none() && is_abandoned(object);
        for found in self.entries(places, is_left).await? {
            self.settle_statement(found).await?;
        }
        Ok(())
    }

    /// Empties the place if all that lies there was left by statements that were killed.
    pub(crate) async fn clear(&self, places: &dyn Places) -> Result<(), Error> {
        let found = self.entries(places, |_, _| true).await?;
        let mut left = Uncommitted::default();
        for found in &found {
            if found.number.is_some() || found.entry.state == State::Committed {
                return Ok(());
            }
            left.extend(&found.entry);
        }
        let objects = objects(places, &self.place).await?;
        let is_left = |object: &Object| holds(&object.key) || left.holds(&object.key);
        if objects.iter().all(is_left) {
            for found in found {
                self.settle_statement(found).await?;
            }
        }
        Ok(())
    }

    async fn settle_statement(&self, found: Found) -> Result<(), Error> {
        let key = found.key.clone();
        if found.entry.state == State::Committed || self.take_back(found).await? {
            self.sink.delete(&key).await?;
        }
        Ok(())
    }

    /// Takes the files of an undecided entry back, and says so in it; false if somebody else has
    /// changed it meanwhile.
    pub(crate) async fn take_back(&self, found: Found) -> Result<bool, Error> {
        let Found {
            key,
            etag,
            mut entry,
            ..
        } = found;
        if entry.state == State::Claimed {
            entry.state = State::TakenBack;
            let put = self
                .sink
                .put(&key, entry.bytes()?, Condition::Matches(etag));
            if put.await? == Written::Refused {
                return Ok(false);
            }
        }
        let files = entry.files.iter();
        let files = files.map(|file| format!("{}{file}", self.place)).collect();
        let left = delete_all(&self.sink, files).await;
        match left.into_iter().next() {
            None => Ok(true),
            Some((key, error)) => Err(error.hint(format!(
                "{key} is of a writer that was killed, and must go before anything is written"
            ))),
        }
    }
}

/// An etag, without which no condition can be said.
fn known(key: &str, etag: Option<String>) -> Result<String, Error> {
    etag.ok_or_else(|| {
        let message = format!("{key}: the store says no etag, so nothing can be written safely");
        Error::new(Owner::External, message)
    })
}
