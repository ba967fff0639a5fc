//! Finishing the claim of another owner.

use std::collections::BTreeSet;
use std::time::Duration;

use loglens_engine::error::{Error, Owner};

use super::maker::{Beginning, Making};
use super::owner::{Made, ShardOwner};
use crate::event::Event;
use crate::shard_log::{Claim, Commit, CutRange, Entry, Records};

/// So many times in a row a shard must say that it has nothing newer, before records that it does
/// not give count as gone.
const SILENT: usize = 10;

impl ShardOwner {
    /// Reads the records of a claim again, writes the same objects and commits the cut; None if
    /// somebody else has.
    pub(super) async fn finish(
        &self,
        cut: u64,
        claim: Claim,
        before: Option<Entry<Commit>>,
    ) -> Result<Option<Entry<Commit>>, Error> {
        let records = claim.range.records.as_ref();
        self.application.observer.observe(&Event::Finishing {
            shard: self.shard(),
            records: records.map_or(0, |records| records.count),
        });
        let beginning = Beginning {
            shard: self.shard(),
            after: &claim.range.after,
            hash_keys: claim.hash_keys.clone(),
            state: before.map(|commit| commit.says.state),
            configuration: &claim.configuration,
        };
        let mut making = self.application.maker.begin(beginning).await?;
        let missing = match records {
            Some(records) => match self.read_again(records, &mut *making).await? {
                Some(missing) => missing,
                None => return Ok(None),
            },
            None => 0,
        };
        let names = making.names(&claim.range).await?;
        self.check(&claim, &names, missing)?;
        let made = Made {
            names,
            making: &mut *making,
            missing,
        };
        self.fulfil(cut, claim, made).await
    }

    /// Reads exactly these records. Gives how many of them the stream no longer has; None if the lease
    /// is lost.
    async fn read_again(
        &self,
        records: &Records,
        making: &mut dyn Making,
    ) -> Result<Option<u64>, Error> {
        let Self { application, .. } = self;
        let mut reader = application
            .source
            .open(self.shard(), &records.start())
            .await?;
        let mut found = CutRange::new(records.start());
        let mut silent = 0;
        loop {
            if self.lease.is_lost() {
                return Ok(None);
            }
            let mut fetched = reader.fetch().await?;
            let is_silent = fetched.records.is_empty() && fetched.behind == Duration::ZERO;
            silent = if is_silent { silent + 1 } else { 0 };
            let last = fetched.records.last();
            let is_past = last.is_some_and(|last| last.sequence >= records.last);
            let is_over = is_past || fetched.ended || silent >= SILENT;
            fetched
                .records
                .retain(|record| records.hold(&record.sequence) && found.add(&record.sequence));
            self.tell(&fetched);
            making.take(fetched, application.clock.now()).await?;
            if is_over {
                let count = found.records.map_or(0, |found| found.count);
                return Ok(Some(records.count.saturating_sub(count)));
            }
        }
    }

    /// Fails unless the objects that are made now are those that were claimed: rows could be in two of
    /// them, or in none.
    fn check(&self, claim: &Claim, names: &[String], missing: u64) -> Result<(), Error> {
        let claimed: BTreeSet<&String> = claim.objects.iter().collect();
        let now: BTreeSet<&String> = names.iter().collect();
        let is_same = match missing {
            0 => now == claimed,
            _ => now.is_subset(&claimed),
        };
        if is_same {
            return Ok(());
        }
        let other = now.symmetric_difference(&claimed).next();
        let message = format!(
            "{}: a cut was claimed whose records now make other objects, such as {}",
            self.shard(),
            other.map_or("", |name| name.as_str()),
        );
        Err(Error::new(Owner::Config, message).hint(
            "it was claimed by another version of loglens or of the configuration: start that one \
             until the cut is committed",
        ))
    }
}
