//! The log of one shard: what was claimed, and what was committed.
//!
//! Entries are objects `<control>/<app>/<shard>/<n>`. Of cut *c*, the claim is number 2*c* and the
//! commit 2*c* + 1. An entry is only ever written if there is none of its number, and only by who
//! has seen the one before: so of all who want to go on with the shard, one does, and the others see
//! that their entry is taken.
//!
//! Old entries can be deleted ([`ShardLog::prune`]), and then somebody who slept for long could write
//! one of them again. So the floor, an object beside the entries, first says below which cut nothing
//! counts, and whoever has written an entry looks at it afterwards. The floor also is where the
//! search for the end begins: nothing is ever listed. It stays when the shard is gone.

mod entry;
mod floor;
mod hash_keys;
mod range;

use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use loglens_engine::error::{Error, Owner};
use loglens_engine::sink::{Condition, ObjectSink, Written};

use self::entry::Says;
pub use self::entry::{Claim, Commit, Entry, Output, Writer};
use self::floor::Floor;
pub use self::hash_keys::HashKeys;
pub use self::range::{CutRange, Records};

/// Entries that are deleted side by side.
const DELETED_AT_ONCE: usize = 16;

/// How often the end is looked for again, where others add and delete entries meanwhile.
const TRIES: usize = 16;

/// The log of one shard.
#[derive(Debug, Clone)]
pub struct ShardLog {
    sink: Arc<dyn ObjectSink>,
    /// Its folder, with a slash at its end.
    folder: String,
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The cut that is to be committed next.
    pub cut: u64,
    /// Its claim, if somebody has made it.
    pub claim: Option<Entry<Claim>>,
    /// The cut before it, if there is one.
    pub committed: Option<Entry<Commit>>,
}

impl ShardLog {
    /// The log of a shard that an application reads; `control` is where all logs lie.
    pub fn new(sink: Arc<dyn ObjectSink>, control: &str, app: &str, shard: &str) -> Self {
        let control = control.trim_end_matches('/');
        Self {
            sink,
            folder: format!("{control}/{app}/{shard}/"),
        }
    }

    /// Finds the end, in as many steps as the number of entries that are kept has digits (binary).
    ///
    /// # Errors
    ///
    /// The sink's; entries that are none, or of a newer version.
    pub async fn tail(&self) -> Result<Tail, Error> {
        for _ in 0..TRIES {
            let (floor, _) = Floor::read(&*self.sink, &self.folder).await?;
            if let Some(tail) = self.tail_above(floor.cut).await? {
                return Ok(tail);
            }
        }
        let message = format!("{}: entries are gone that must be there", self.folder);
        Err(Error::new(Owner::External, message)
            .hint("nothing but loglens may delete what lies there"))
    }

    /// The end, if the floor is `floor`; None if it is no longer.
    async fn tail_above(&self, floor: u64) -> Result<Option<Tail>, Error> {
        let Some((cut, claim)) = self.last_claim(floor).await? else {
            let empty = Tail {
                cut: 0,
                claim: None,
                committed: None,
            };
            return Ok((floor == 0).then_some(empty));
        };
        if let Some(commit) = self.committed(cut).await? {
            return Ok(Some(Tail {
                cut: cut + 1,
                claim: None,
                committed: Some(commit),
            }));
        }
        let committed = match cut {
            0 => None,
            _ => match self.committed(cut - 1).await? {
                Some(commit) => Some(commit),
                None => return Ok(None),
            },
        };
        Ok(Some(Tail {
            cut,
            claim: Some(claim),
            committed,
        }))
    }

    /// The last claim that there is. Claims have no gaps: steps are doubled until one misses, and
    /// then halved.
    async fn last_claim(&self, floor: u64) -> Result<Option<(u64, Entry<Claim>)>, Error> {
        let Some(claim) = self.claimed(floor).await? else {
            return Ok(None);
        };
        let mut last = (floor, claim);
        let mut step = 1;
        while let Some(claim) = self.claimed(last.0 + step).await? {
            last = (last.0 + step, claim);
            step *= 2;
        }
        let mut missing = last.0 + step;
        while last.0 + 1 < missing {
            let middle = last.0.midpoint(missing);
            match self.claimed(middle).await? {
                Some(claim) => last = (middle, claim),
                None => missing = middle,
            }
        }
        Ok(Some(last))
    }

    /// The first cut whose entries are kept.
    ///
    /// # Errors
    ///
    /// The sink's.
    pub async fn first(&self) -> Result<u64, Error> {
        let (floor, _) = Floor::read(&*self.sink, &self.folder).await?;
        Ok(floor.cut)
    }

    /// The claim of a cut; None if there is none, or no longer.
    ///
    /// # Errors
    ///
    /// The sink's; an entry that is none, or of a newer version.
    pub async fn claimed(&self, cut: u64) -> Result<Option<Entry<Claim>>, Error> {
        self.read(number_of_claim(cut)).await
    }

    /// The commit of a cut; None if there is none, or no longer.
    ///
    /// # Errors
    ///
    /// The sink's; an entry that is none, or of a newer version.
    pub async fn committed(&self, cut: u64) -> Result<Option<Entry<Commit>>, Error> {
        self.read(number_of_commit(cut)).await
    }

    /// Claims a cut, after the one before it was seen committed; false if somebody else has.
    ///
    /// # Errors
    ///
    /// The sink's. Whether the cut is claimed then is not known: only [`ShardLog::tail`] says.
    pub async fn claim(&self, cut: u64, claim: &Entry<Claim>) -> Result<bool, Error> {
        self.add(cut, number_of_claim(cut), claim).await
    }

    /// Commits a cut, after all objects of its claim were seen; false if somebody else has.
    ///
    /// # Errors
    ///
    /// The sink's. Whether the cut is committed then is not known: only [`ShardLog::tail`] says.
    pub async fn commit(&self, cut: u64, commit: &Entry<Commit>) -> Result<bool, Error> {
        self.add(cut, number_of_commit(cut), commit).await
    }

    /// Deletes all entries of cuts before `cut`, which is committed.
    ///
    /// # Errors
    ///
    /// The sink's. Entries that are left then stay, and mean nothing.
    pub async fn prune(&self, cut: u64) -> Result<(), Error> {
        let Some(below) = Floor::raise(&*self.sink, &self.folder, cut).await? else {
            return Ok(());
        };
        let numbers = stream::iter(number_of_claim(below)..number_of_claim(cut));
        let deleted = numbers.map(|number| self.delete(number));
        deleted.buffered(DELETED_AT_ONCE).try_collect().await
    }

    async fn add<T: Says>(&self, cut: u64, number: u64, entry: &Entry<T>) -> Result<bool, Error> {
        let key = self.key(number);
        let written = self.sink.put(&key, entry.bytes()?, Condition::Absent);
        if written.await? == Written::Refused {
            return Ok(false);
        }
        let (floor, _) = Floor::read(&*self.sink, &self.folder).await?;
        if cut < floor.cut {
            // There was such an entry, and it was deleted.
            self.sink.delete(&key).await?;
            return Ok(false);
        }
        Ok(true)
    }

    async fn read<T: Says>(&self, number: u64) -> Result<Option<Entry<T>>, Error> {
        let key = self.key(number);
        let content = self.sink.get(&key).await?;
        let entry = content.map(|content| Entry::read(&key, &content.bytes));
        entry.transpose()
    }

    async fn delete(&self, number: u64) -> Result<(), Error> {
        self.sink.delete(&self.key(number)).await
    }

    fn key(&self, number: u64) -> String {
        format!("{}{number:020}", self.folder)
    }
}

fn number_of_claim(cut: u64) -> u64 {
    2 * cut
}

fn number_of_commit(cut: u64) -> u64 {
    2 * cut + 1
}
