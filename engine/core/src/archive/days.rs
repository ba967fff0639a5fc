//! Logs that have a folder for each day: what of them a statement is about, and what lies there.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use futures::stream::{self, StreamExt, TryStreamExt};
use loglens_parsers::key::KeyFacts;
use loglens_parsers::key::dated::{DatedFolder, Level, days_of_month};
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::object::{Object, ObjectFolders, ObjectSource};

/// So many days are asked for by their names. Of more, it is asked first which there are.
const BY_NAME: i64 = 62;

/// Listings that are made side by side; the source has a pace of its own.
const AT_ONCE: usize = 64;

/// Folders of years in a log, or of months in a year, at most: there are not so many.
const MOST_FOLDERS: usize = 10_000;

/// A folder of logs that has a folder for each day.
#[derive(Debug, Clone)]
pub(crate) struct DatedLog {
    /// Its source, by index.
    pub(crate) source: usize,
    /// Its key, which ends in a slash.
    pub(crate) folder: String,
    /// What its key says, and how the days are called.
    pub(crate) dated: DatedFolder,
}

/// What a statement wants of logs, as far as keys tell.
pub(crate) trait Wanted: Sync {
    /// The days, since 1970-01-01, that are wanted at most.
    fn days(&self) -> RangeInclusive<i32>;

    /// Whether records of a day may be wanted.
    fn wants_day(&self, day: i32) -> bool;

    /// Whether objects whose keys say this much, and perhaps more, may be wanted.
    fn wants(&self, facts: &KeyFacts) -> bool;
}

/// What was listed for a statement.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The objects, with the index of their source.
    pub(crate) objects: Vec<(usize, Object)>,
    /// Logs that may hold what is wanted.
    pub(crate) logs: usize,
    /// Folders of days or months in them that were listed.
    pub(crate) folders: usize,
}

/// Folders that were listed, each once.
#[derive(Debug, Default)]
pub(crate) struct Listings(Mutex<HashMap<String, Listing>>);

/// What lies in a folder, when it was listed.
type Listing = Arc<OnceCell<Arc<[Object]>>>;

/// A folder to be listed: the index of its source, the source, the key.
type Folder = (usize, Arc<dyn ObjectFolders>, String);

impl Listings {
    /// Lists what is wanted of the logs.
    pub(crate) async fn find(
        &self,
        sources: &[Arc<dyn ObjectSource>],
        logs: &[Arc<DatedLog>],
        wanted: &dyn Wanted,
    ) -> Result<Found, Error> {
        let of_logs = logs.iter().filter_map(|log| {
            let folders = sources[log.source].folders()?;
            wanted.wants(&log.dated.facts).then_some((log, folders))
        });
        let of_logs = of_logs.map(|(log, folders)| async move {
            let keys = log.wanted(&*folders, wanted).await?;
            let keys = keys.into_iter();
            let keys = keys.map(|key| (log.source, Arc::clone(&folders), key));
            Ok::<Vec<Folder>, Error>(keys.collect())
        });
        let of_logs = try_join_all(of_logs).await?;
        let mut found = Found {
            logs: of_logs.len(),
            folders: of_logs.iter().map(Vec::len).sum(),
            objects: Vec::new(),
        };
        let listings: Vec<BoxFuture<'_, _>> = of_logs
            .into_iter()
            .flatten()
            .map(|folder| self.list(folder).boxed())
            .collect();
        let mut listed = stream::iter(listings).buffered(AT_ONCE);
        while let Some((source, objects)) = listed.try_next().await? {
            let objects = objects.iter().map(|object| (source, object.clone()));
            found.objects.extend(objects);
        }
        Ok(found)
    }

    /// What lies in a folder, with the index of its source.
    async fn list(&self, (source, folders, key): Folder) -> Result<(usize, Arc<[Object]>), Error> {
        let listing = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(key.clone()).or_default())
        };
        let list = || async {
            let objects: Vec<_> = folders.below(&key, None).try_collect().await?;
            Ok::<Arc<[Object]>, Error>(objects.into())
        };
        let objects = listing.get_or_try_init(list).await?;
        Ok((source, Arc::clone(objects)))
    }
}

impl DatedLog {
    /// The folders in which all that is wanted lies.
    async fn wanted(
        &self,
        folders: &dyn ObjectFolders,
        wanted: &dyn Wanted,
    ) -> Result<Vec<String>, Error> {
        let days = wanted.days();
        if i64::from(*days.end()) - i64::from(*days.start()) < BY_NAME {
            return Ok(self.days(days, wanted));
        }
        let mut keys = Vec::new();
        let mut months = Vec::new();
        let years = self.inner(folders, &self.folder, Level::Year, &self.dated.facts);
        for (year, facts) in years.await? {
            match facts {
                None => keys.push(year),
                Some(facts) if wanted.wants(&facts) => months.push((year, facts)),
                Some(_) => {}
            }
        }
        let months = months.iter();
        let months = months.map(|(year, facts)| self.inner(folders, year, Level::Month, facts));
        for (month, facts) in try_join_all(months).await?.into_iter().flatten() {
            match facts.map(|facts| (days_of_month(&facts), facts)) {
                Some((_, facts)) if !wanted.wants(&facts) => {}
                Some((Some(all), _)) => {
                    let some = *all.start().max(days.start())..=*all.end().min(days.end());
                    let some = self.days(some, wanted);
                    // A month that is wanted as a whole is one listing.
                    if some.len() == all.count() {
                        keys.push(month);
                    } else {
                        keys.extend(some);
                    }
                }
                _ => keys.push(month),
            }
        }
        Ok(keys)
    }

    /// The folders of those days that are wanted.
    fn days(&self, days: RangeInclusive<i32>, wanted: &dyn Wanted) -> Vec<String> {
        days.filter(|&day| wanted.wants_day(day) && wanted.wants(&self.dated.on(day)))
            .map(|day| format!("{}{}", self.folder, self.dated.days.folder(day)))
            .collect()
    }

    /// What lies directly in a folder, each with what its key says if it is of a date.
    async fn inner(
        &self,
        folders: &dyn ObjectFolders,
        folder: &str,
        level: Level,
        facts: &KeyFacts,
    ) -> Result<Vec<(String, Option<KeyFacts>)>, Error> {
        let Some(found) = folders.level(folder, MOST_FOLDERS).await? else {
            return Ok(vec![(folder.to_owned(), None)]);
        };
        let inner = found.folders.into_iter().map(|key| {
            let name = key.strip_prefix(folder).unwrap_or(&key);
            let number = self.dated.days.number(level, name);
            let facts = number.map(|number| self.dated.within(facts, level, number));
            (key, facts)
        });
        let objects = found.objects.into_iter();
        let objects = objects.map(|object| (object.key.to_string(), None));
        Ok(inner.chain(objects).collect())
    }
}
