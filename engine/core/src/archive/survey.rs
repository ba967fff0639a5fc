//! A walk through the folders of a place, to find the logs that have a folder for each day.
//!
//! Those are not listed before a question says which days it is about. Everything else is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, try_join_all};
use futures::{FutureExt, StreamExt, TryStreamExt};
use loglens_parsers::format::Formats;
use loglens_parsers::key::dated::{DatedFolder, Place, place};
use tokio::sync::OnceCell;

use super::Given;
use crate::error::Error;
use crate::object::{Level, Object, ObjectFolders};

/// A folder with fewer objects than these, in it and below, is listed at once: a page of S3.
const FEW: usize = 1000;

/// A folder of more folders than these is listed object by object.
const MOST_FOLDERS: usize = 1000;

/// What lies in a place.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Folders of logs that have a folder for each day: key, formats by index, how it is built.
    pub(super) dated: Vec<(String, Vec<usize>, DatedFolder)>,
    /// Folders below `AWSLogs/` where no format has its logs. They were not listed.
    pub(super) foreign: Vec<String>,
    /// All other objects.
    pub(super) objects: Vec<Object>,
}

impl Survey {
    /// Walks through a place.
    pub(super) async fn of(folders: &dyn ObjectFolders, given: &Given) -> Result<Self, Error> {
        let root = folders.root();
        let walk = Walk {
            folders,
            formats: &given.formats,
            // The user says what lies there, or to look there.
            passes_over_nothing: given.format.is_some()
                || place(&given.formats, root) == Place::Foreign,
            levels: Mutex::default(),
        };
        walk.through(root.to_owned()).await
    }

    fn add(&mut self, other: Self) {
        self.dated.extend(other.dated);
        self.foreign.extend(other.foreign);
        self.objects.extend(other.objects);
    }
}

struct Walk<'a> {
    folders: &'a dyn ObjectFolders,
    formats: &'a Formats,
    /// Folders where no format has its logs are listed too.
    passes_over_nothing: bool,
    /// What was asked for so far.
    levels: Mutex<HashMap<String, Arc<OnceCell<Option<Level>>>>>,
}

impl Walk<'_> {
    fn through(&self, folder: String) -> BoxFuture<'_, Result<Survey, Error>> {
        async move {
            let mut survey = Survey::default();
            match place(self.formats, &folder) {
                Place::Dated(formats, dated) => {
                    survey.dated.push((folder, formats, *dated));
                    return Ok(survey);
                }
                Place::Foreign if !self.passes_over_nothing => {
                    survey.foreign.push(folder);
                    return Ok(survey);
                }
                Place::Within => {}
                Place::Open | Place::Foreign => {
                    let first = self.folders.below(&folder, None).take(FEW);
                    survey.objects = first.try_collect().await?;
                    if survey.objects.len() < FEW {
                        return Ok(survey);
                    }
                    self.ask_ahead(&folder, &survey.objects[0].key).await?;
                }
            }
            let Some(level) = self.level(&folder).await? else {
                survey.objects = self.folders.below(&folder, None).try_collect().await?;
                return Ok(survey);
            };
            survey.objects = level.objects;
            let inner = level.folders.into_iter();
            let inner = inner.map(|folder| self.through(folder));
            for found in try_join_all(inner).await? {
                survey.add(found);
            }
            Ok(survey)
        }
        .boxed()
    }

    /// Asks at once, not one after the other, for a folder and for those that lead from it to a key,
    /// as far as the walk comes through them.
    async fn ask_ahead(&self, folder: &str, key: &str) -> Result<(), Error> {
        let below = key.get(folder.len()..).unwrap_or_default();
        let inner = below.match_indices('/');
        let inner = inner.map(|(slash, _)| &key[..=folder.len() + slash]);
        let inner = inner.take_while(|inner| place(self.formats, inner) == Place::Within);
        let all = std::iter::once(folder).chain(inner);
        try_join_all(all.map(|folder| self.level(folder))).await?;
        Ok(())
    }

    /// What lies directly in a folder; None if it is too much. Each is asked for once.
    async fn level(&self, folder: &str) -> Result<Option<Level>, Error> {
        let level = {
            let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(levels.entry(folder.to_owned()).or_default())
        };
        let ask = || self.folders.level(folder, MOST_FOLDERS);
        level.get_or_try_init(ask).await.cloned()
    }
}
