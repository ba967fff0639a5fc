//! Errors: whose fault, what, where, and what to do next.

use std::error::Error as StdError;
use std::fmt;

use datafusion::error::DataFusionError;

/// Who can do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The person who typed the command.
    Usage,
    /// The person who wrote the statement.
    Query,
    /// Whoever wrote the configuration file.
    Config,
    /// The data: only with `--strict`, or where there is none.
    Data,
    /// The world: files, permissions, memory, disks.
    External,
    /// This program.
    Internal,
}

/// Where in some text an error is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The text: a statement.
    pub text: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// How many characters are meant.
    pub length: u64,
}

/// An error that is shown to people.
#[derive(Debug)]
pub struct Error {
    /// Who can do something about it.
    pub owner: Owner,
    /// What is wrong: lower case, no full stop, what was expected and what was found.
    pub message: String,
    /// Where in the statement.
    pub place: Option<Place>,
    /// The next step.
    pub hint: Option<String>,
}

impl Error {
    /// An error with neither place nor hint.
    pub fn new(owner: Owner, message: impl Into<String>) -> Self {
        Self {
            owner,
            message: message.into(),
            place: None,
            hint: None,
        }
    }

    /// The same with the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with its place in the statement.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}

/// The error of ours that DataFusion carries, if it carries one.
pub(crate) fn carried(error: &DataFusionError) -> Option<Error> {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = source {
        if let Some(ours) = current.downcast_ref::<Error>() {
            return Some(Error {
                owner: ours.owner,
                message: ours.message.clone(),
                place: ours.place.clone(),
                hint: ours.hint.clone(),
            });
        }
        // A shared error hides its cause from `source`.
        source = match current.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            _ => current.source(),
        };
    }
    None
}
