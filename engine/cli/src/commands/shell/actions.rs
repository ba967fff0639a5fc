//! What each command does.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use futures::future::BoxFuture;
use rustyline::completion::unescape;

use super::super::query::read;
use super::super::session::note;
use super::super::{schema, text_table};
use super::catalog::{self, Table};
use super::command::{self, Action};
use super::output::OutputFile;
use super::screen::Screen;
use super::{Next, SOME_REJECTS, Shell, named, open};
use crate::failure::Failure;
use crate::output::{Format, OutputError, Style};
use crate::result_file::Destination;
use crate::units::{bytes, count, things};

impl Shell {
    /// Does what a command says.
    pub(super) async fn command(&mut self, line: &str) -> Result<Next, Failure> {
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
            let size = found.objects.iter().map(|object| object.object.size).sum();
            // Of days that are listed only when they are asked for, nothing is known.
            let size: Option<u64> = if found.is_listed() { size } else { None };
            let objects = found.is_listed().then_some(found.objects.len() as u64);
            [
                Some(found.table.format.table.clone()),
                objects.map(count),
                size.map(bytes),
            ]
        });
        let made = catalog::made(engine).await?;
        let made = made.into_iter().map(|name| [Some(name), None, None]);
        self.show(["table", "objects", "bytes"], names.chain(made).collect())
    }

    async fn describe(&mut self, name: &str) -> Result<Next, Failure> {
        let name = name.trim_matches('"');
        let Ok(mut rows) = schema::rows(self.session.engine.formats(), name) else {
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
            None => self.show(
                ["name", "question", "parameters"],
                named::list(&self.library),
            ),
            Some((name, parameters)) => {
                let statements = named::statements(&self.session, &self.library, name, parameters)?;
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

    /// The tables that are present, with how many objects they have.
    pub(super) async fn found(&self) -> Result<String, Failure> {
        let archive = self.session.engine.archive().await?;
        if archive.is_empty() {
            return Err(self.session.engine.nothing_found().into());
        }
        let tables = archive.present().map(|(name, objects)| match objects {
            Some(objects) => format!("{name} ({})", things(objects as u64, "object")),
            None => name.to_owned(),
        });
        let tables: Vec<_> = tables.collect();
        Ok(if tables.is_empty() {
            "no known logs".to_owned()
        } else {
            tables.join(", ")
        })
    }

    /// Shows a table that no query gave.
    fn show<const N: usize>(
        &self,
        names: [&str; N],
        rows: Vec<[Option<String>; N]>,
    ) -> Result<(), Failure> {
        let mut screen = Screen::new(self.is_paging);
        // What is said of columns is read in a list, even if the lines are long.
        let style = Style {
            width: None,
            ..self.style()?
        };
        let shown = text_table::write(Format::Table, style, &mut screen, names, rows);
        screen.conclude(shown)
    }
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
