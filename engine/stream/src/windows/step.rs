//! A step of an owner: commits are merged, and windows that ended are closed.

use std::sync::Arc;

use loglens_engine::error::Error;
use loglens_engine::lease::Lease;
use loglens_engine::stream::{ClosedWindows, Merged, Stream};

use super::cut_state;
use super::episodes;
use super::kept::{Closing, Used};
use super::notices;
use super::owner::{Open, WindowOwner};
use crate::event::Event;
use crate::leases::cover;
use crate::shard_log::Commit;

/// Commits that are merged in one step, at most.
const COMMITS_OF_A_STEP: usize = 64;

/// Windows that are given in one step, at most.
const WINDOWS_OF_A_STEP: usize = 256;

/// What a step did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) commits: usize,
    pub(super) merged: Merged,
    pub(super) windows: u64,
    pub(super) rows: u64,
    pub(super) revisions: u64,
    /// There is more to do at once.
    pub(super) more: bool,
    pub(super) changed: bool,
}

impl WindowOwner {
    /// Makes inputs of shards that are new. Shards get leases together, before any of them is read; but
    /// those that follow on one get theirs after its last commit ([`follow`]).
    pub(super) async fn find_shards(&self, open: &mut Open, leases: &[Lease]) -> Result<(), Error> {
        for lease in leases {
            let mut used = open.kept.used.iter();
            if used.any(|used| used.shard == lease.shard) {
                continue;
            }
            let next = self.application.log(&lease.shard).first().await?;
            open.stream.add_input();
            open.kept.used.push(Used {
                shard: Arc::clone(&lease.shard),
                next,
                ended: false,
                followed: false,
                begun: false,
            });
        }
        Ok(())
    }

    /// Merges what came, and closes what ended.
    pub(super) async fn step(&self, open: &mut Open) -> Result<Done, Error> {
        let mut done = Done::default();
        for input in 0..open.kept.used.len() {
            self.merge_shard(open, input, &mut done).await?;
        }
        while !done.more
            && let Some(closed) = open.stream.next_closed().await?
        {
            self.close(open, closed, &mut done)?;
            done.more = done.windows as usize >= WINDOWS_OF_A_STEP;
        }
        if let Some(condition) = self.condition(&open.stream) {
            let ended = open
                .kept
                .episodes
                .passed(condition, open.stream.watermark())?;
            done.changed |= !ended.is_empty();
            self.wait_for(open, &ended);
        }
        done.changed |= done.commits > 0 || done.windows > 0;
        Ok(done)
    }

    /// Merges what the log of a shard holds that was not used yet.
    async fn merge_shard(
        &self,
        open: &mut Open,
        input: usize,
        done: &mut Done,
    ) -> Result<(), Error> {
        let log = self.application.log(&open.kept.used[input].shard);
        while !open.kept.used[input].ended {
            if done.commits >= COMMITS_OF_A_STEP {
                done.more = true;
                return Ok(());
            }
            let Some(commit) = log.committed(open.kept.used[input].next).await? else {
                return self.check_floor(open, input).await;
            };
            self.merge(open, input, &commit.says, done)?;
            let used = &mut open.kept.used[input];
            used.next += 1;
            used.ended = commit.says.ended;
            done.commits += 1;
        }
        Ok(())
    }

    /// Goes on behind entries that were deleted, and says so.
    async fn check_floor(&self, open: &mut Open, input: usize) -> Result<(), Error> {
        let Used { shard, next, .. } = &open.kept.used[input];
        let first = self.application.log(shard).first().await?;
        if first > *next {
            let cuts = first - next;
            let why = format!("{cuts} cuts were deleted before they were used");
            self.lacks(shard, *next, &why);
            open.kept.used[input].next = first;
        }
        Ok(())
    }

    fn merge(
        &self,
        open: &mut Open,
        input: usize,
        commit: &Commit,
        done: &mut Done,
    ) -> Result<(), Error> {
        let used = &mut open.kept.used[input];
        let parts = cut_state::read(&commit.state)?;
        let mut parts = parts.into_iter();
        let part = parts.find(|part| part.name == self.window.name && part.sql == self.window.sql);
        let Some(part) = part else {
            if used.begun && commit.range.records.is_some() {
                let why = "it was made by a worker that did not know the statement";
                self.lacks(&used.shard, used.next, why);
            }
            return Ok(());
        };
        used.begun = true;
        for grouped in &part.grouped {
            let merged = open.stream.merge(input, grouped)?;
            done.merged.rows += merged.rows;
            done.merged.late += merged.late;
            done.merged.without_time += merged.without_time;
        }
        Ok(())
    }

    fn lacks(&self, shard: &Arc<str>, cut: u64, why: &str) {
        self.application.observer.observe(&Event::WindowLacks {
            window: &self.window.name,
            shard,
            cut,
            why,
        });
    }

    fn close(&self, open: &mut Open, closed: ClosedWindows, done: &mut Done) -> Result<(), Error> {
        let closing = Closing {
            end: closed.end,
            revision: closed.revision,
            rows: closed.rows,
        };
        done.windows += 1;
        done.revisions += u64::from(closing.revision > 0);
        done.rows += closing
            .rows
            .iter()
            .map(|rows| rows.num_rows() as u64)
            .sum::<u64>();
        if !self.window.notified.is_empty() {
            let told = match self.condition(&open.stream) {
                Some(condition) => open.kept.episodes.closed(condition, &closing)?,
                None => notices::of_rows(&self.window.name, &closing, self.window.as_json)?,
            };
            self.wait_for(open, &told);
        }
        open.closings.push(closing);
        Ok(())
    }

    /// The condition whose episodes are told, if that is what is told.
    fn condition<'a>(&'a self, stream: &'a Stream) -> Option<episodes::Condition<'a>> {
        let slide = stream.slide().filter(|_| self.window.is_alert)?;
        (!self.window.notified.is_empty()).then_some(episodes::Condition {
            name: &self.window.name,
            slide,
            keys: &stream.columns().keys,
            as_json: self.window.as_json,
        })
    }
}

/// Lets time go on where a shard was read to its end and those that follow on it are inputs: those have
/// leases. Says whether there are such.
pub(super) fn follow(open: &mut Open, leases: &[Lease]) -> bool {
    let mut some = false;
    for (input, used) in open.kept.used.iter_mut().enumerate() {
        if used.ended && !used.followed && are_leased(&used.shard, leases) {
            used.followed = true;
            open.stream.ended(input);
            some = true;
        }
    }
    some
}

/// Whether those that follow on a shard all have leases: they take all of its hash keys.
fn are_leased(shard: &str, leases: &[Lease]) -> bool {
    let mut own = leases.iter().filter(|lease| *lease.shard == *shard);
    let Some(own) = own.next() else {
        // It is long gone.
        return true;
    };
    let of_own = |lease: &&Lease| lease.parents.iter().any(|parent| **parent == *shard);
    let children: Vec<_> = leases.iter().filter(of_own).collect();
    let Some(all) = &own.hash_keys else {
        return !children.is_empty();
    };
    let keys = children.iter().filter_map(|child| child.hash_keys.as_ref());
    cover(all, keys)
}
