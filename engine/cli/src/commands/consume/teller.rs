//! What people are told of what happens, on standard error: lines of text, or of JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::AddAssign;

use loglens_engine::Error;
use loglens_stream::event::{Event, Observer, WindowsGiven};
use loglens_stream::lake::cut::REJECTED;
use loglens_stream::shard_log::Commit;
use serde::Serialize;

use super::time::{now, rfc3339};
use crate::arguments::LogForm;
use crate::commands::session::note;
use crate::failure::Failure;
use crate::units::things;

/// Tells people what happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Teller(pub(super) LogForm);

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// It goes as it should.
    Info,
    /// Somebody should look, not at once.
    Warning,
    /// It is over.
    Error,
}

/// Something to be told.
#[derive(Debug)]
pub(super) struct Line<'a> {
    level: Level,
    shard: Option<&'a str>,
    window: Option<&'a str>,
    /// One word for what happened, for programs.
    what: &'static str,
    /// The same for people.
    text: String,
    counts: BTreeMap<&'static str, u64>,
    hint: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// A line about nothing in particular.
    pub(super) fn new(level: Level, what: &'static str, text: impl Into<String>) -> Self {
        Self {
            level,
            shard: None,
            window: None,
            what,
            text: text.into(),
            counts: BTreeMap::new(),
            hint: None,
        }
    }

    /// A line about an error.
    pub(super) fn failed(level: Level, error: &'a Error, text: String) -> Self {
        Self {
            hint: error.hint.as_deref(),
            ..Self::new(level, "failed", text)
        }
    }

    /// The same about a shard.
    pub(super) fn of(mut self, shard: &'a str) -> Self {
        self.shard = Some(shard);
        self
    }

    /// The same about a standing window.
    pub(super) fn of_window(mut self, window: &'a str) -> Self {
        self.window = Some(window);
        self
    }

    /// The same with a number.
    pub(super) fn count(mut self, name: &'static str, number: u64) -> Self {
        self.counts.insert(name, number);
        self
    }

    /// What an event says; None if it happens all the time.
    fn about(event: &'a Event<'a>) -> Option<Self> {
        use Level::{Info, Warning};
        Some(match event {
            Event::Looked | Event::Renewed | Event::Fetched { .. } => return None,
            Event::Found(shard) => Line::new(Info, "found", "found").of(shard),
            Event::Deleted { shard, ended: true } => Line::new(Info, "done", "done with").of(shard),
            Event::Deleted { shard, .. } => {
                Line::new(Warning, "gone", "gone before it was read to its end").of(shard)
            }
            Event::Taken(shard) => Line::new(Info, "taken", "taken").of(shard),
            Event::Finishing { shard, records } => {
                let some = things(*records, "record");
                let text = format!("finishing a cut of {some} that another worker began");
                let line = Line::new(Info, "finishing", text);
                line.of(shard).count("records", *records)
            }
            Event::Committed { shard, commit, .. } => committed(commit).of(shard),
            Event::Ended(shard) => Line::new(Info, "ended", "read to its end").of(shard),
            Event::GivenUp(shard) => Line::new(Info, "given_up", "given up").of(shard),
            Event::LeftBehind(shard) => {
                Line::new(Warning, "left_behind", "given up at the last commit").of(shard)
            }
            Event::Lost(shard) => {
                Line::new(Info, "lost", "another worker goes on with it").of(shard)
            }
            Event::WindowsGiven(given) => windows_given(given)?.of_window(given.window),
            Event::WindowLacks {
                window,
                shard,
                cut,
                why,
            } => {
                let text = format!("lacks the records of cut {cut}: {why}");
                let line = Line::new(Warning, "window_lacks", text);
                line.of_window(window).of(shard).count("cut", *cut)
            }
            Event::NoticesDropped {
                window,
                notified,
                notices,
            } => {
                let some = things(*notices, "notice");
                let text = format!("{some} dropped, the oldest that wait for {notified}");
                let line = Line::new(Warning, "notices_dropped", text);
                line.of_window(window).count("notices", *notices)
            }
            Event::WindowFailed { window, error } => {
                let text = format!("{error}; it is tried again");
                Line::failed(Warning, error, text).of_window(window)
            }
            Event::Failed { shard, error } => {
                let text = format!("{error}; it is tried again");
                let line = Line::failed(Warning, error, text);
                match shard {
                    Some(shard) => line.of(shard),
                    None => line,
                }
            }
        })
    }

    fn text(&self) -> String {
        let warning = match self.level {
            Level::Info => "",
            Level::Warning => "warning: ",
            Level::Error => "error: ",
        };
        let about = [self.window, self.shard].into_iter().flatten();
        let about: String = about.map(|about| format!("{about}: ")).collect();
        format!("{warning}{about}{}", self.text)
    }

    fn json(&self, time: i64) -> String {
        let line = Json {
            time: rfc3339(time),
            level: match self.level {
                Level::Info => "info",
                Level::Warning => "warning",
                Level::Error => "error",
            },
            what: self.what,
            shard: self.shard,
            window: self.window,
            counts: &self.counts,
            message: &self.text,
            hint: self.hint,
        };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

/// A line as JSON, in the order of its members.
#[derive(Serialize)]
struct Json<'a> {
    time: String,
    level: &'static str,
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<&'a str>,
    #[serde(flatten)]
    counts: &'a BTreeMap<&'static str, u64>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// What a cut wrote.
fn committed<'a>(commit: &Commit) -> Line<'a> {
    let Written {
        rows,
        rejected,
        bytes,
    } = Written::by(commit);
    let files = commit.outputs.len() as u64;
    let mut text = things(rows, "row");
    if rejected > 0 {
        text += &format!(" and {}", things(rejected, "rejected record"));
    }
    text += &format!(" in {}", things(files, "file"));
    let mut level = Level::Info;
    if commit.missing > 0 {
        level = Level::Warning;
        let missing = things(commit.missing, "record");
        text += &format!("; the stream dropped {missing} before they were written");
    }
    Line::new(level, "committed", text)
        .count("rows", rows)
        .count("rejected", rejected)
        .count("files", files)
        .count("bytes", bytes)
        .count("missing", commit.missing)
}

/// What was given of a window; None if nothing was.
fn windows_given<'a>(given: &WindowsGiven<'a>) -> Option<Line<'a>> {
    let late = given.merged.late;
    if given.windows == 0 && late == 0 {
        return None;
    }
    let (windows, rows) = (things(given.windows, "window"), things(given.rows, "row"));
    let mut text = format!("{windows} with {rows}");
    if given.revisions > 0 {
        text += &format!(", {} of them again", given.revisions);
    }
    let mut level = Level::Info;
    if late > 0 {
        level = Level::Warning;
        text += &format!("; {} came too late", things(late, "record"));
    }
    Some(
        Line::new(level, "windows", text)
            .count("windows", given.windows)
            .count("rows", given.rows)
            .count("revisions", given.revisions)
            .count("late", late),
    )
}

/// What a cut wrote, in numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) rejected: u64,
    /// Of what this worker wrote.
    pub(super) bytes: u64,
}

impl Written {
    pub(super) fn by(commit: &Commit) -> Self {
        let mut written = Self::default();
        for output in &commit.outputs {
            match output.name.starts_with(REJECTED) {
                true => written.rejected += output.rows,
                false => written.rows += output.rows,
            }
            written.bytes += output.bytes.unwrap_or(0);
        }
        written
    }
}

impl AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.rejected += other.rejected;
        self.bytes += other.bytes;
    }
}

impl Teller {
    pub(super) fn tell(self, line: &Line<'_>) {
        match self.0 {
            LogForm::Text => {
                note(&line.text());
                if let Some(hint) = line.hint {
                    note(&format!("hint: {hint}"));
                }
            }
            // Standard error may be closed: the work goes on all the same.
            LogForm::Json => _ = writeln!(io::stderr(), "{}", line.json(now())),
        }
    }

    /// Tells why it is over, where that is not told as text by whoever is given it.
    pub(super) fn over(self, failure: Failure) -> Failure {
        match failure {
            Failure::Error(error) if self.0 == LogForm::Json => {
                self.tell(&Line::failed(Level::Error, &error, error.to_string()));
                Failure::Told(error.owner)
            }
            other => other,
        }
    }
}

impl Observer for Teller {
    fn observe(&self, event: &Event<'_>) {
        if let Some(line) = Line::about(event) {
            self.tell(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use loglens_engine::Owner;

    use super::*;

    #[test]
    fn an_event_is_a_line_of_either_form() {
        let shard: Arc<str> = Arc::from("shard-0");
        let error = Error::new(Owner::External, "no \"answer\"").hint("wait");
        let event = Event::Failed {
            shard: Some(&shard),
            error: &error,
        };
        let Some(line) = Line::about(&event) else {
            panic!("nothing is told");
        };
        assert_eq!(
            line.text(),
            "warning: shard-0: no \"answer\"; it is tried again"
        );
        assert_eq!(
            line.json(1_769_853_600_123_456),
            r#"{"time":"2026-01-31T10:00:00.123Z","level":"warning","what":"failed","shard":"shard-0","message":"no \"answer\"; it is tried again","hint":"wait"}"#
        );
        assert!(Line::about(&Event::Looked).is_none());
    }
}
