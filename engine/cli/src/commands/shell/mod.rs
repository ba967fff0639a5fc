//! `loglens FROM...`: the SQL shell.

mod actions;
mod catalog;
mod command;
mod completion;
mod editor;
mod lexer;
mod named;
mod output;
mod prompt;
mod screen;
mod script;

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::CommandFactory;
use loglens_engine::{Error, Owner, Query, Statement, nearest};
use loglens_queries::Library;
use tokio::sync::mpsc;

use self::catalog::Catalog;
use self::output::OutputFile;
use self::screen::Screen;
use self::script::{Item, Script};
use super::run;
use super::session::{Session, note, rejects, say_stats};
use crate::arguments;
use crate::failure::Failure;
use crate::output::{Format, Style};
use crate::result_file::{self, Destination};
use crate::runtime::interruptible;

/// What shows all rejects, and what `\rejects` runs of it.
const ALL_REJECTS: &str = "SELECT * FROM rejects;";
const SOME_REJECTS: &str = "SELECT * FROM rejects LIMIT 20;";

pub(crate) fn run(arguments: arguments::Shell) -> Result<(), Failure> {
    if let Some(place) = arguments.places.first() {
        check_first(place)?;
    }
    let shell = Shell::new(arguments)?;
    if io::stdin().is_terminal() {
        prompt::interact(shell)
    } else {
        interruptible(shell.run_lines(lines_of_stdin()))
    }
}

/// A first word that is no place is often a command, or SQL that belongs after `query`.
fn check_first(place: &str) -> Result<(), Failure> {
    let first = place.split_whitespace().next().unwrap_or_default();
    if Path::new(place).exists() {
        return Ok(());
    }
    if first != place
        && completion::STARTERS
            .iter()
            .any(|word| first.eq_ignore_ascii_case(word))
    {
        return Err(Failure::usage(
            "SQL goes after the command query",
            format!("loglens query \"{first} ...\" FROM..."),
        ));
    }
    if place == "-" || place.contains(|c: char| "*?[{/.:".contains(c)) {
        return Ok(());
    }
    let command = arguments::Arguments::command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    Err(Failure::usage(
        format!("{place}: no such command, file or folder"),
        match nearest(place, names) {
            Some(near) => format!("did you mean `loglens {near}`?"),
            None => "`loglens --help` lists the commands".to_owned(),
        },
    ))
}

/// Lines of standard input, as they come. A thread of its own reads them, since nothing can
/// interrupt that.
fn lines_of_stdin() -> mpsc::Receiver<io::Result<String>> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Whether the shell goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Quit,
}

/// Runs statements and commands, and holds what lasts from one to the next.
struct Shell {
    arguments: arguments::Shell,
    session: Session,
    script: Script,
    /// Files that are being run, each by the one before it.
    files: Vec<PathBuf>,
    output: Option<OutputFile>,
    format: Format,
    is_expanded: bool,
    is_paging: bool,
    is_timing: bool,
    has_stats: bool,
    catalog: Arc<Catalog>,
    library: Library,
}

impl Shell {
    fn new(arguments: arguments::Shell) -> Result<Self, Failure> {
        let session = open(&arguments)?;
        let result = &session.result;
        let target = Destination::open(result.to.as_deref())?;
        let format = result_file::format(result, &target)?;
        let output = result.to.clone();
        let output = output.map(|path| OutputFile::new(target, path, format));
        let is_interactive = io::stdin().is_terminal();
        Ok(Self {
            script: Script::default(),
            files: Vec::new(),
            format: if output.is_some() {
                Format::Table
            } else {
                format
            },
            output,
            is_expanded: false,
            is_paging: is_interactive,
            is_timing: is_interactive,
            has_stats: result.stats,
            catalog: Arc::default(),
            library: run::library(&[], arguments.logs.config.as_deref())?,
            arguments,
            session,
        })
    }

    /// Runs all lines until one fails, and a last statement without its end too.
    async fn run_lines(
        mut self,
        mut lines: mpsc::Receiver<io::Result<String>>,
    ) -> Result<(), Failure> {
        // A place that is not there is an error even if no statement reads it.
        self.session.engine.archive().await?;
        while let Some(line) = lines.recv().await {
            let line =
                line.map_err(|error| Error::new(Owner::Usage, format!("standard input: {error}")))?;
            if self.take(&line).await? == Next::Quit {
                return self.close();
            }
        }
        self.take_rest().await?;
        self.session.report_unrecognised();
        self.close()
    }

    /// Takes lines and does what they complete.
    async fn take(&mut self, text: &str) -> Result<Next, Failure> {
        // Not `lines`: an empty one counts inside quotes.
        for line in text.split('\n') {
            for item in self.script.push(line) {
                let next = match item {
                    Item::Statement(sql) => self.statement(&sql).await?,
                    Item::Command(line) => self.command(&line).await?,
                };
                if next == Next::Quit {
                    return Ok(next);
                }
            }
        }
        Ok(Next::GoOn)
    }

    /// Runs a last statement that has no end.
    async fn take_rest(&mut self) -> Result<(), Failure> {
        if let Some(sql) = self.script.take_unfinished() {
            self.statement(&sql).await?;
        }
        Ok(())
    }

    /// After a failure or Ctrl-C nothing goes on that was begun.
    fn forget(&mut self) {
        self.script = Script::default();
        self.files.clear();
    }

    /// Completes the file that results go to.
    fn close(&mut self) -> Result<(), Failure> {
        let Some(file) = self.output.take() else {
            return Ok(());
        };
        let wrote = format!("wrote {}", file.path.display());
        file.complete()?;
        note(&wrote);
        Ok(())
    }

    async fn statement(&mut self, sql: &str) -> Result<Next, Failure> {
        let statements = self.session.engine.parse(sql)?;
        self.answer(statements).await?;
        let word = sql.split_whitespace().next().unwrap_or_default();
        if ["CREATE", "DROP"]
            .iter()
            .any(|ddl| word.eq_ignore_ascii_case(ddl))
        {
            self.learn().await;
        }
        Ok(Next::GoOn)
    }

    /// Answers statements one after the other.
    async fn answer(&mut self, statements: Vec<Statement>) -> Result<(), Failure> {
        for statement in statements {
            let started = Instant::now();
            let query = self.session.engine.plan(statement).await?;
            if query.schema().fields().is_empty() {
                // It made or dropped something: there is nothing to see.
                continue;
            }
            let took = self.write(&query, started).await?;
            if let Some(line) = rejects(&query, ALL_REJECTS) {
                note(&line);
            }
            if self.has_stats {
                say_stats(&query, took);
            } else if self.is_timing {
                note(&format!("time {:.3} s", took.as_secs_f64()));
            }
        }
        Ok(())
    }

    /// Writes the rows of a query to where results go. Gives the time from `started` to the last
    /// row: waiting until the pager is quit does not count.
    async fn write(&mut self, query: &Query, started: Instant) -> Result<Duration, Failure> {
        let style = self.style()?;
        if let Some(file) = &mut self.output {
            file.begin()?;
            let (format, style) = (file.format, file.style(style));
            let out = &mut file.destination;
            self.session.answer(query, format, style, out).await?;
            file.end()?;
            return Ok(started.elapsed());
        }
        let mut screen = Screen::new(self.is_paging);
        let answered = self.session.answer(query, self.format, style, &mut screen);
        let answered = answered.await;
        let took = started.elapsed();
        screen.conclude(answered)?;
        Ok(took)
    }

    /// How results look on the screen.
    fn style(&self) -> Result<Style, Failure> {
        Ok(Style {
            expanded: self.is_expanded,
            ..Destination::open(None)?.style()
        })
    }

    /// Keeps what Tab knows up to date; only who types needs it.
    async fn learn(&mut self) {
        if io::stdin().is_terminal() {
            // Tab that knows nothing is no reason to stop.
            let catalog = Catalog::of(&self.session.engine, &self.library).await;
            self.catalog = Arc::new(catalog.unwrap_or_default());
        }
    }
}

/// A session over the places that were named or are configured.
fn open(arguments: &arguments::Shell) -> Result<Session, Failure> {
    let arguments::Shell {
        places,
        logs,
        result,
    } = arguments;
    let session = Session::new(places.clone(), logs.clone(), result.clone())?;
    if session.places.is_empty() {
        return Err(Failure::usage(
            "no logs were named",
            "loglens FOLDER opens the shell; or list places as `from` in loglens.toml",
        ));
    }
    if session.places.iter().any(|place| place == "-") {
        return Err(Failure::usage(
            "-: the shell reads its statements from standard input, not logs",
            "loglens query \"SELECT ...\" -",
        ));
    }
    Ok(session)
}
