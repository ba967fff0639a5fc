//! A walk through the folders of a place, to find the logs that have a folder for each day.
//!
//! Those are not listed before a question says which days it is about. Everything else is.

use futures::future::{BoxFuture, try_join_all};
use futures::{FutureExt, StreamExt, TryStreamExt};
use loglens_parsers::format::Formats;
use loglens_parsers::key::dated::{DatedFolder, Place, place};

use super::Given;
use crate::error::Error;
use crate::object::{Object, ObjectFolders};

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
                }
            }
            let Some(level) = self.folders.level(&folder, MOST_FOLDERS).await? else {
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
}
