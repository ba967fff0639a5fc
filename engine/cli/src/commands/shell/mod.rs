//! `loglens FROM...`: the SQL shell.

mod catalog;
mod command;
mod completion;
mod editor;
mod lexer;
mod named;
mod output;
mod screen;
mod script;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::builder::PossibleValue;
use clap::{CommandFactory, ValueEnum};
use futures::future::BoxFuture;
use loglens_engine::{Error, Owner, Query, Statement, nearest};
use rustyline::completion::unescape;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use self::catalog::{Catalog, Table};
use self::command::Action;
use self::editor::{Input, LineEditor};
use self::output::OutputFile;
use self::screen::Screen;
use self::script::{Item, Script};
use super::query::read;
use super::session::{Session, note, rejects, say_stats};
use super::{schema, text_table};
use crate::arguments;
use crate::failure::Failure;
use crate::output::{Format, OutputError, Style};
use crate::result_file::{self, Destination};
use crate::runtime::{self, interruptible};
use crate::units::{bytes, count, things};

/// What shows all rejects, and what `\rejects` runs of it.
const ALL_REJECTS: &str = "SELECT * FROM rejects;";
const SOME_REJECTS: &str = "SELECT * FROM rejects LIMIT 20;";

pub(crate) fn run(arguments: arguments::Shell) -> Result<(), Failure> {
    if let Some(place) = arguments.places.first() {
        check_first(place)?;
    }
    let shell = Shell::new(arguments)?;
    if io::stdin().is_terminal() {
        interact(shell)
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
        for line in text.lines() {
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
    /// row: reading them in a pager does not count.
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

    /// Shows a table that no query gave.
    fn show<const N: usize>(
        &self,
        names: [&str; N],
        rows: Vec<[Option<String>; N]>,
    ) -> Result<(), Failure> {
        let mut screen = Screen::new(self.is_paging);
        let style = self.style()?;
        let shown = text_table::write(Format::Table, style, &mut screen, names, rows);
        screen.conclude(shown)
    }

    async fn command(&mut self, line: &str) -> Result<Next, Failure> {
        let (action, argument) = command::parse(line)?;
        match action {
            Action::Describe if argument.is_empty() => self.list_tables().await?,
            Action::Describe => return self.describe(argument).await,
            Action::Expanded => toggle("expanded rows", &mut self.is_expanded, argument)?,
            Action::Format => self.set_format(argument)?,
            Action::Help => {
                let mut screen = Screen::new(self.is_paging);
                let shown = screen.write_all(command::help().as_bytes());
                screen.conclude(shown.map_err(|error| OutputError::from(error).into()))?;
            }
            Action::Include => return self.include(argument).await,
            Action::Output => self.set_output(argument)?,
            Action::Pager => toggle("the pager", &mut self.is_paging, argument)?,
            Action::Quit => return Ok(Next::Quit),
            Action::Refresh => self.refresh().await?,
            Action::Rejects => return self.statement(SOME_REJECTS).await,
            Action::Run => self.run_named(argument).await?,
            Action::Stats => toggle("what was read", &mut self.has_stats, argument)?,
            Action::Timing => toggle("timing", &mut self.is_timing, argument)?,
        }
        Ok(Next::GoOn)
    }

    async fn list_tables(&self) -> Result<(), Failure> {
        let engine = &self.session.engine;
        let archive = engine.archive().await?;
        let names = archive.tables.iter().map(|found| {
            let size: Option<u64> = found.objects.iter().map(|object| object.object.size).sum();
            [
                Some(found.table.format.table.clone()),
                Some(count(found.objects.len() as u64)),
                size.map(bytes),
            ]
        });
        let made = catalog::made(engine).await?;
        let made = made.into_iter().map(|name| [Some(name), None, None]);
        self.show(["table", "objects", "bytes"], names.chain(made).collect())
    }

    async fn describe(&mut self, name: &str) -> Result<Next, Failure> {
        let name = name.trim_matches('"');
        let Ok(mut rows) = schema::rows(name) else {
            let name = name.replace('"', "\"\"");
            return self.statement(&format!("DESCRIBE \"{name}\"")).await;
        };
        // A table that is not present has the format's columns only.
        if let Ok(table) = Table::of(&self.session.engine, name.to_owned()).await {
            for column in &table.columns {
                if rows
                    .iter()
                    .all(|row| row[0].as_ref() != Some(column.name()))
                {
                    let doc = "named by these logs only: in their header lines or keys";
                    let name = Some(column.name().clone());
                    rows.push([
                        name,
                        Some("varchar".to_owned()),
                        None,
                        None,
                        Some(doc.to_owned()),
                    ]);
                }
            }
        }
        self.show(schema::NAMES, rows)?;
        Ok(Next::GoOn)
    }

    async fn run_named(&mut self, argument: &str) -> Result<(), Failure> {
        let words: Vec<_> = argument.split_whitespace().collect();
        match words.split_first() {
            None => self.show(["name", "question"], named::list()),
            Some((name, parameters)) => {
                let statements = named::statements(&self.session.engine, name, parameters)?;
                self.answer(statements).await
            }
        }
    }

    fn set_format(&mut self, argument: &str) -> Result<(), Failure> {
        let formats: Vec<_> = Format::value_variants()
            .iter()
            .filter_map(Format::to_possible_value)
            .collect();
        let name = |format: &PossibleValue| format.get_name().to_owned();
        if argument.is_empty() {
            let current = self.format.to_possible_value();
            note(&format!(
                "the output format is {}",
                current.as_ref().map_or_else(String::new, name)
            ));
            return Ok(());
        }
        let Ok(format) = Format::from_str(argument, true) else {
            let names: Vec<_> = formats.iter().map(name).collect();
            return Err(Failure::usage(
                format!("no output format \"{argument}\""),
                format!("there are {}", names.join(", ")),
            ));
        };
        if format.is_binary() && io::stdout().is_terminal() {
            return Err(Failure::usage(
                "this format is binary, and results go to a terminal",
                format!("\\o FILE.{argument} writes them to a file"),
            ));
        }
        self.format = format;
        Ok(())
    }

    fn set_output(&mut self, argument: &str) -> Result<(), Failure> {
        self.close()?;
        if argument.is_empty() {
            return Ok(());
        }
        let path = path(argument);
        let named = path.extension().and_then(|extension| extension.to_str());
        let format = named.and_then(|name| Format::from_str(name, true).ok());
        let target = Destination::open(Some(&path))?;
        self.output = Some(OutputFile::new(target, path, format.unwrap_or(self.format)));
        Ok(())
    }

    /// Runs a file, which may run others.
    fn include<'a>(&'a mut self, argument: &'a str) -> BoxFuture<'a, Result<Next, Failure>> {
        Box::pin(async move {
            let path = path(argument);
            let text = read(&path)?;
            let file = path.canonicalize().unwrap_or(path);
            if self.files.contains(&file) {
                return Err(Failure::usage(
                    format!("{}: it runs itself", file.display()),
                    "take that \\i out of it",
                ));
            }
            self.files.push(file);
            let outer = std::mem::take(&mut self.script);
            let next = self.take(&text).await?;
            if next == Next::GoOn {
                self.take_rest().await?;
            }
            self.script = outer;
            self.files.pop();
            Ok(next)
        })
    }

    /// Lists the places again. The engine keeps what it listed, so there is a new one.
    async fn refresh(&mut self) -> Result<(), Failure> {
        let made = catalog::made(&self.session.engine).await?;
        self.session = open(&self.arguments)?;
        if !made.is_empty() {
            note(&format!("forgotten: {}", made.join(", ")));
        }
        note(&self.found().await?);
        self.learn().await;
        Ok(())
    }

    /// Says what this is and what was found.
    async fn welcome(&mut self) -> Result<(), Failure> {
        let found = self.found().await?;
        note(&format!("loglens {}: {found}", env!("CARGO_PKG_VERSION")));
        note("\\? for help, \\q to quit; SQL ends with ;");
        self.session.report_unrecognised();
        self.learn().await;
        Ok(())
    }

    /// The tables that are present, with how many objects they have.
    async fn found(&self) -> Result<String, Failure> {
        let archive = self.session.engine.archive().await?;
        if archive.tables.is_empty() && archive.unrecognised.is_empty() {
            return Err(self.session.engine.nothing_found().into());
        }
        let tables = archive.tables.iter().map(|found| {
            let objects = things(found.objects.len() as u64, "object");
            format!("{} ({objects})", found.table.format.table)
        });
        let tables: Vec<_> = tables.collect();
        Ok(if tables.is_empty() {
            "no known logs".to_owned()
        } else {
            tables.join(", ")
        })
    }

    /// Keeps what Tab knows up to date; only who types needs it.
    async fn learn(&mut self) {
        if io::stdin().is_terminal() {
            // Tab that knows nothing is no reason to stop.
            let catalog = Catalog::of(&self.session.engine).await;
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

/// Switches something on or off, and says so.
fn toggle(name: &str, value: &mut bool, argument: &str) -> Result<(), Failure> {
    *value = command::toggled(*value, argument)?;
    note(&format!("{name}: {}", if *value { "on" } else { "off" }));
    Ok(())
}

/// A path as it is typed or completed: in quotes, or with backslashes before spaces.
fn path(argument: &str) -> PathBuf {
    let quoted = ['"', '\'']
        .iter()
        .find_map(|&quote| argument.strip_prefix(quote)?.strip_suffix(quote));
    match quoted {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(unescape(argument, Some('\\')).as_ref()),
    }
}

/// Prompts for lines until there are no more.
fn interact(shell: Shell) -> Result<(), Failure> {
    let runtime = runtime::start()?;
    let result = prompt(&runtime, shell);
    runtime::end(runtime);
    result
}

fn prompt(runtime: &Runtime, shell: Shell) -> Result<(), Failure> {
    let (mut shell, welcomed) = work(runtime, shell, |shell| Box::pin(shell.welcome()))?;
    welcomed?;
    let mut editor = LineEditor::new()?;
    let mut begun = String::new();
    loop {
        editor.know(&shell.catalog);
        let text = match editor.read(&begun)? {
            Input::Text(text) => text,
            Input::Dropped => {
                begun.clear();
                continue;
            }
            Input::End => break,
        };
        let done;
        (shell, done) = work(runtime, shell, move |shell| {
            Box::pin(async move { shell.take(&text).await })
        })?;
        begun = shell.script.take_unfinished().unwrap_or_default();
        match done {
            Ok(Next::GoOn) => {}
            Ok(Next::Quit) => break,
            Err(failure) => {
                if matches!(failure, Failure::Interrupted) {
                    note("cancelled");
                }
                failure.report();
                shell.forget();
                begun.clear();
            }
        }
    }
    shell.close()
}

/// Does something on the runtime's threads until it is done or Ctrl-C drops it.
fn work<T: Send + 'static>(
    runtime: &Runtime,
    mut shell: Shell,
    what: impl FnOnce(&mut Shell) -> BoxFuture<'_, Result<T, Failure>> + Send + 'static,
) -> Result<(Shell, Result<T, Failure>), Failure> {
    let task = runtime.spawn(async move {
        let done = tokio::select! {
            done = what(&mut shell) => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        };
        (shell, done)
    });
    runtime
        .block_on(task)
        .map_err(|error| Failure::panicked(&error))
}
