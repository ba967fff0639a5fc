//! The owner of a statement: from the commits of all shards to windows.
//!
//! ```text
//! merge   ->  what the commits hold that came since the last step, of each shard in their order
//! close   ->  the windows that ended
//! keep    ->  all of it in one object, if that is still the one that was read
//! give    ->  what closed
//! ```
//!
//! Whoever finds the object changed when it would keep something has lost the statement to another
//! worker, and stands by: it looks at the object from time to time, and takes over when nothing
//! happens to it. Two that own it for a moment do no harm, since only one of them keeps its step.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use loglens_engine::error::{Error, Owner};
use loglens_engine::sink::{Condition, Written};
use loglens_engine::stream::Stream;

use super::files::WindowFiles;
use super::kept::{Closing, Kept};
use super::notices::Notified;
use super::standing::StandingWindow;
use super::step::{Done, follow};
use crate::application::Application;
use crate::event::{Event, WindowsGiven};
use crate::stop::Stop;

/// How often it is looked for commits of other workers, and whether windows ended.
const LOOK: Duration = Duration::from_secs(5);

/// The first pause after something failed; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause after something failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Who stands by takes over when nothing was kept for so many looks.
const SILENT_LOOKS: usize = 6;

/// Notices that wait for one who is notified, at most. The oldest are dropped, and counted.
const MOST_WAITING: usize = 10_000;

/// The owner of a statement, or who would be.
pub(super) struct WindowOwner {
    pub(super) application: Arc<Application>,
    pub(super) window: StandingWindow,
    worker: Arc<str>,
    key: String,
}

/// Why an owner is none any more.
enum Left {
    Stopped,
    Deposed,
}

/// What an owner holds.
pub(super) struct Open {
    pub(super) kept: Kept,
    /// What tells the object that was read, or written last.
    condition: Condition,
    pub(super) stream: Stream,
    /// What is kept, and may not be given yet.
    pub(super) closings: Vec<Closing>,
    /// Who did not take notices is not asked again before a time: that, and how long it waits then.
    pauses: HashMap<String, (Duration, Duration)>,
}

impl WindowOwner {
    pub(super) fn new(
        application: Arc<Application>,
        window: StandingWindow,
        worker: Arc<str>,
    ) -> Self {
        let name = format!("{}/windows/{}", application.name, window.name);
        Self {
            key: application.control.key(&name),
            application,
            window,
            worker,
        }
    }

    /// Owns the statement, or stands by, until it is asked to stop.
    pub(super) async fn run(&self, mut stop: Stop) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = self.now();
            let left = match self.own(&mut stop).await {
                Ok(Left::Stopped) => return,
                Ok(Left::Deposed) => self.stand_by(&mut stop).await,
                Err(error) => Err(error),
            };
            let Err(error) = left else {
                continue;
            };
            if self.now().saturating_sub(begun) > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            let wait = self.failed(&error, &mut pause);
            tokio::select! {
                biased;
                () = stop.asked() => return,
                () = self.application.clock.sleep(wait) => (),
            }
        }
    }

    fn failed(&self, error: &Error, pause: &mut Duration) -> Duration {
        let window = &self.window.name;
        self.application
            .observer
            .observe(&Event::WindowFailed { window, error });
        let wait = *pause;
        *pause = LONGEST_PAUSE.min(*pause * 2);
        wait
    }

    /// Waits until nothing was kept for some time, or it is asked to stop.
    async fn stand_by(&self, stop: &mut Stop) -> Result<(), Error> {
        let mut seen: Option<String> = None;
        let mut silent = 0;
        while silent < SILENT_LOOKS && !stop.is_asked() {
            tokio::select! {
                biased;
                () = stop.asked() => return Ok(()),
                () = self.application.clock.sleep(LOOK) => (),
            }
            let sink = &self.application.control.sink;
            let now = match &seen {
                None => sink.get(&self.key).await?,
                Some(etag) => sink.get_if_changed(&self.key, etag).await?,
            };
            silent += 1;
            if let Some(content) = now {
                let (kept, _, _) = Kept::read(&self.key, &content.bytes)?;
                self.application.windows.used(&self.window.name, kept.used);
                seen = content.etag;
                silent = 0;
            }
        }
        Ok(())
    }

    async fn own(&self, stop: &mut Stop) -> Result<Left, Error> {
        let mut open = self.open().await?;
        loop {
            // Asked before the work, so that all that was committed until then is used.
            let last = stop.is_asked();
            // So is who is told of commits: none is missed while this is at work.
            let committed = self.application.windows.committed.notified();
            let leases = self.application.leases.list().await?;
            self.find_shards(&mut open, &leases).await?;
            let mut done = self.step(&mut open).await?;
            done.changed |= follow(&mut open, &leases);
            if done.changed {
                let notices = !open.kept.waiting.is_empty();
                if !self.keep(&mut open).await? {
                    return Ok(Left::Deposed);
                }
                self.give_files(&mut open).await?;
                self.observe(&open, &done);
                self.notify(&mut open).await;
                // What was told is not told again by the next owner.
                if last && notices && !self.keep(&mut open).await? {
                    return Ok(Left::Deposed);
                }
            } else {
                self.notify(&mut open).await;
            }
            if done.more {
                continue;
            }
            if last {
                return Ok(Left::Stopped);
            }
            tokio::select! {
                biased;
                () = stop.asked() => (),
                () = committed => (),
                () = self.application.clock.sleep(LOOK) => (),
            }
        }
    }

    fn now(&self) -> Duration {
        self.application.clock.now()
    }

    /// Goes on from what is kept, and gives once more what was to be given.
    async fn open(&self) -> Result<Open, Error> {
        let mut stream = (self.window.open)().await?.of_added_inputs();
        let content = self.application.control.sink.get(&self.key).await?;
        let (kept, condition, closings) = match content {
            None => (
                Kept::new(&self.window.sql, &self.worker),
                Condition::Absent,
                Vec::new(),
            ),
            Some(content) => {
                let (kept, state, closings) = Kept::read(&self.key, &content.bytes)?;
                self.check(&kept)?;
                for used in &kept.used {
                    let input = stream.add_input();
                    if used.followed {
                        stream.ended(input);
                    }
                }
                stream.restore(&state)?;
                let etag = content.etag.unwrap_or_default();
                (kept, Condition::Matches(etag), closings)
            }
        };
        self.application
            .windows
            .used(&self.window.name, kept.used.clone());
        let mut open = Open {
            kept,
            condition,
            stream,
            closings,
            pauses: HashMap::new(),
        };
        self.give_files(&mut open).await?;
        Ok(open)
    }

    /// Fails unless what is kept is of this statement.
    fn check(&self, kept: &Kept) -> Result<(), Error> {
        if kept.sql == self.window.sql {
            return Ok(());
        }
        let message = format!(
            "{}: what is kept of the window {} is of another statement: {}",
            self.key, self.window.name, kept.sql
        );
        Err(Error::new(Owner::Config, message)
            .hint("give the new statement a name of its own, or delete that object to begin anew"))
    }

    /// Lets notices wait for all who are notified.
    pub(super) fn wait_for(&self, open: &mut Open, told: &[String]) {
        if told.is_empty() {
            return;
        }
        for notified in &self.window.notified {
            let waiting = open.kept.waiting.entry(notified.name().to_owned());
            let waiting = waiting.or_default();
            waiting.extend_from_slice(told);
            let over = waiting.len().saturating_sub(MOST_WAITING);
            if over > 0 {
                waiting.drain(..over);
                self.application.observer.observe(&Event::NoticesDropped {
                    window: &self.window.name,
                    notified: notified.name(),
                    notices: over as u64,
                });
            }
        }
    }

    /// Keeps what was done; false if another worker has kept something meanwhile.
    async fn keep(&self, open: &mut Open) -> Result<bool, Error> {
        open.kept.step += 1;
        open.kept.worker = Arc::clone(&self.worker);
        let state = open.stream.save("")?;
        let object = open
            .kept
            .write(&state, &open.closings, &open.stream.schema())?;
        let sink = &self.application.control.sink;
        let written = sink.put(&self.key, object, open.condition.clone()).await?;
        let Written::Done { etag } = written else {
            return Ok(false);
        };
        open.condition = Condition::Matches(etag.unwrap_or_default());
        let used = open.kept.used.clone();
        self.application.windows.used(&self.window.name, used);
        Ok(true)
    }

    /// Writes the files of windows that closed.
    async fn give_files(&self, open: &mut Open) -> Result<(), Error> {
        let files = WindowFiles {
            lake: &self.application.lake,
            name: &self.window.name,
            schema: open.stream.schema(),
            sessions: open.stream.slide().is_none(),
        };
        for closing in open.closings.iter().filter(|_| self.window.files) {
            files.give(open.kept.step, closing).await?;
        }
        open.closings.clear();
        Ok(())
    }

    /// Tells those who are notified what waits for them. What was told is taken off at the next step
    /// that is kept.
    async fn notify(&self, open: &mut Open) {
        for notified in &self.window.notified {
            let name = notified.name();
            let Some(waiting) = open.kept.waiting.get_mut(name) else {
                continue;
            };
            let pause = open.pauses.remove(name);
            if let Some((until, _)) = pause
                && self.now() < until
            {
                open.pauses
                    .extend(pause.map(|pause| (name.to_owned(), pause)));
                continue;
            }
            if let Err(error) = give_all(&**notified, waiting).await {
                let mut next = pause.map_or(FIRST_PAUSE, |(_, next)| next);
                let wait = self.failed(&error, &mut next);
                open.pauses
                    .insert(name.to_owned(), (self.now() + wait, next));
            } else {
                open.kept.waiting.remove(name);
            }
        }
    }

    fn observe(&self, open: &Open, done: &Done) {
        let watermark = open.stream.watermark();
        self.application
            .observer
            .observe(&Event::WindowsGiven(WindowsGiven {
                window: &self.window.name,
                windows: done.windows,
                revisions: done.revisions,
                rows: done.rows,
                merged: done.merged,
                watermark: (watermark > i64::MIN).then_some(watermark),
                state_bytes: open.stream.size() as u64,
                episodes: open.kept.episodes.len() as u64,
                waiting: open.kept.waiting.values().map(Vec::len).sum::<usize>() as u64,
            }));
    }
}

/// Gives all notices that wait, or as many as are taken.
async fn give_all(notified: &dyn Notified, waiting: &mut Vec<String>) -> Result<(), Error> {
    while !waiting.is_empty() {
        let some = waiting.len().min(notified.at_once());
        notified.give(&waiting[..some]).await?;
        waiting.drain(..some);
    }
    Ok(())
}
