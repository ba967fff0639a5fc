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
pub(crate) trait LogFilter: Sync {
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

/// A folder whose objects are wanted, all of them.
#[derive(Debug)]
struct Folder {
    key: String,
    /// The folders of its days, if it is one of a month.
    days: Vec<String>,
}

/// Where all that is wanted of a log lies.
#[derive(Debug, Default)]
struct Places {
    /// Folders, of which none lies within another.
    folders: Vec<Folder>,
    /// Objects beside the folders of years or months.
    objects: Vec<Object>,
}

impl Listings {
    /// Lists what is wanted of the logs.
    pub(crate) async fn find(
        &self,
        sources: &[Arc<dyn ObjectSource>],
        logs: &[Arc<DatedLog>],
        wanted: &dyn LogFilter,
    ) -> Result<Found, Error> {
        let of_logs = logs.iter().filter_map(|log| {
            let folders = sources[log.source].folders()?;
            wanted.wants(&log.dated.facts).then_some((log, folders))
        });
        let of_logs = of_logs.map(|(log, folders)| async move {
            let places = log.wanted(&*folders, wanted).await?;
            Ok::<_, Error>((log.source, folders, places))
        });
        let mut found = Found::default();
        let mut listings: Vec<BoxFuture<'_, _>> = Vec::new();
        for (source, folders, places) in try_join_all(of_logs).await? {
            found.logs += 1;
            found.folders += places.folders.len();
            let objects = places.objects.into_iter();
            found.objects.extend(objects.map(|object| (source, object)));
            for folder in places.folders {
                let objects = self.list(Arc::clone(&folders), folder);
                listings.push(async move { Ok((source, objects.await?)) }.boxed());
            }
        }
        let mut listed = stream::iter(listings).buffered(AT_ONCE);
        while let Some((source, objects)) = listed.try_next().await? {
            let objects = objects.iter().map(|object| (source, object.clone()));
            found.objects.extend(objects);
        }
        Ok(found)
    }

    /// What lies in a folder.
    async fn list(
        &self,
        folders: Arc<dyn ObjectFolders>,
        folder: Folder,
    ) -> Result<Arc<[Object]>, Error> {
        let listing = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(folder.key.clone()).or_default())
        };
        let list = || async {
            let objects = folders.below_by_marks(&folder.key, &folder.days);
            Ok::<Arc<[Object]>, Error>(objects.try_collect::<Vec<_>>().await?.into())
        };
        listing.get_or_try_init(list).await.cloned()
    }
}

impl Folder {
    fn of_no_days(key: String) -> Self {
        let days = Vec::new();
        Self { key, days }
    }
}

impl DatedLog {
    /// Where all that is wanted lies.
    async fn wanted(
        &self,
        folders: &dyn ObjectFolders,
        wanted: &dyn LogFilter,
    ) -> Result<Places, Error> {
        let days = wanted.days();
        let mut places = Places::default();
        if i64::from(*days.end()) - i64::from(*days.start()) < BY_NAME {
            let days = self.days(days, wanted).into_iter();
            places.folders.extend(days.map(Folder::of_no_days));
            return Ok(places);
        }
        let years = self.inner(folders, &self.folder, Level::Year, &self.dated.facts);
        let years = years.await?.wanted(wanted, &mut places);
        let months = years.iter();
        let months = months.map(|(year, facts)| self.inner(folders, year, Level::Month, facts));
        for months in try_join_all(months).await? {
            for (month, facts) in months.wanted(wanted, &mut places) {
                let Some(all) = days_of_month(&facts) else {
                    places.folders.push(Folder::of_no_days(month));
                    continue;
                };
                let some = *all.start().max(days.start())..=*all.end().min(days.end());
                let days = self.days(some, wanted);
                // A month that is wanted as a whole is one listing.
                if days.len() == all.count() {
                    places.folders.push(Folder { key: month, days });
                } else {
                    places
                        .folders
                        .extend(days.into_iter().map(Folder::of_no_days));
                }
            }
        }
        Ok(places)
    }

    /// The folders of those days that are wanted.
    fn days(&self, days: RangeInclusive<i32>, wanted: &dyn LogFilter) -> Vec<String> {
        days.filter(|&day| wanted.wants_day(day) && wanted.wants(&self.dated.on(day)))
            .map(|day| format!("{}{}", self.folder, self.dated.days.folder(day)))
            .collect()
    }

    /// What lies directly in the log's folder, or in that of a year.
    async fn inner(
        &self,
        folders: &dyn ObjectFolders,
        folder: &str,
        level: Level,
        facts: &KeyFacts,
    ) -> Result<Inner, Error> {
        let mut inner = Inner::default();
        let Some(found) = folders.level(folder, MOST_FOLDERS).await? else {
            let all = Folder::of_no_days(folder.to_owned());
            inner.others.folders.push(all);
            return Ok(inner);
        };
        inner.others.objects = found.objects;
        for key in found.folders {
            let name = key.strip_prefix(folder).unwrap_or(&key);
            match self.dated.days.number(level, name) {
                Some(number) => {
                    let facts = self.dated.within(facts, level, number);
                    inner.dates.push((key, facts));
                }
                None => inner.others.folders.push(Folder::of_no_days(key)),
            }
        }
        Ok(inner)
    }
}

/// What lies directly in a folder.
#[derive(Debug, Default)]
struct Inner {
    /// Folders of dates, each with what its key says.
    dates: Vec<(String, KeyFacts)>,
    /// All else, which may be of any time.
    others: Places,
}

impl Inner {
    /// The folders of dates that may be wanted; all else goes to `places`.
    fn wanted(self, wanted: &dyn LogFilter, places: &mut Places) -> Vec<(String, KeyFacts)> {
        places.folders.extend(self.others.folders);
        places.objects.extend(self.others.objects);
        let dates = self.dates.into_iter();
        dates.filter(|(_, facts)| wanted.wants(facts)).collect()
    }
}
