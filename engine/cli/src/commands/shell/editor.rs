//! Editing lines: history, Tab, and when Enter ends them.

use std::borrow::Cow;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use loglens_engine::{Error, Owner};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, CompletionType, Config, Context, Editor, Helper};

use super::catalog::Catalog;
use super::completion::complete;
use super::script::is_complete;
use crate::failure::{Failure, colour};

const PROMPT: &str = "loglens> ";
/// What stands in the empty line that a statement without its end goes on in.
const GOES_ON: &str = "... ; ends the statement";
const REMEMBERED: usize = 10_000;

/// What a person did at the prompt.
pub(super) enum Input {
    Text(String),
    /// Ctrl-C.
    Dropped,
    /// Ctrl-D.
    End,
}

/// The prompt and its history.
pub(super) struct LineEditor {
    editor: Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
}

impl LineEditor {
    pub(super) fn new() -> Result<Self, Failure> {
        // The prompt must not get into a file that results go to.
        let behavior = if io::stdout().is_terminal() {
            Behavior::Stdio
        } else {
            Behavior::PreferTerm
        };
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .behavior(behavior)
            .max_history_size(REMEMBERED)
            .map_err(failed)?
            .build();
        let mut editor = Editor::with_config(config).map_err(failed)?;
        editor.set_helper(Some(Assistant {
            catalog: Arc::default(),
            colour: colour(&io::stdout()),
        }));
        let history = history_file();
        if let Some(path) = &history {
            // There is none the first time.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// What Tab knows from now on.
    pub(super) fn know(&mut self, catalog: &Arc<Catalog>) {
        if let Some(assistant) = self.editor.helper_mut() {
            assistant.catalog = Arc::clone(catalog);
        }
    }

    /// Waits for statements or a command; `begun` is there to be edited further.
    pub(super) fn read(&mut self, begun: &str) -> Result<Input, Failure> {
        match self.editor.readline_with_initial(PROMPT, (begun, "")) {
            Ok(text) => {
                self.remember(text.trim());
                Ok(Input::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Input::Dropped),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(error) => Err(failed(error)),
        }
    }

    /// Without a file, or when it cannot be written, the history lasts as long as the shell.
    fn remember(&mut self, text: &str) {
        if text.is_empty() || self.editor.add_history_entry(text).is_err() {
            return;
        }
        if let Some(path) = &self.history {
            let _ = self.editor.append_history(path);
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "map_err gives it by value")]
fn failed(error: ReadlineError) -> Failure {
    Error::new(
        Owner::External,
        format!("cannot read the terminal: {error}"),
    )
    .into()
}

/// The history's file, in a folder that exists.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(std::env::home_dir()?.join(".local/state")))?;
    let folder = state.join("loglens");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// What rustyline asks while a line is edited.
struct Assistant {
    catalog: Arc<Catalog>,
    colour: bool,
}

impl Helper for Assistant {}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(complete(&self.catalog, line, pos))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// A hint that no key inserts.
struct GoesOn;

impl Hint for GoesOn {
    fn display(&self) -> &str {
        GOES_ON
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Assistant {
    type Hint = GoesOn;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<GoesOn> {
        let waits = pos == line.len() && line.ends_with('\n') && !is_complete(line);
        waits.then_some(GoesOn)
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colour {
            format!("\x1b[2m{hint}\x1b[0m").into()
        } else {
            hint.into()
        }
    }
}
