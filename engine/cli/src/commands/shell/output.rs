//! `\o`: results that go to a file.

use std::io::Write;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::output::{Format, OutputError, Style};
use crate::result_file::Destination;

/// A file that gathers the results of statements. It gets its name when it is complete.
pub(super) struct OutputFile {
    pub(super) destination: Destination,
    pub(super) path: PathBuf,
    pub(super) format: Format,
    /// How far whole results go. What a statement left behind that failed or was cancelled is
    /// beyond it.
    whole: u64,
}

impl OutputFile {
    pub(super) fn new(destination: Destination, path: PathBuf, format: Format) -> Self {
        Self {
            destination,
            path,
            format,
            whole: 0,
        }
    }

    /// How results look in it, given how they do on the screen.
    pub(super) fn style(&self, screen: Style) -> Style {
        Style {
            expanded: screen.expanded,
            ..self.destination.style()
        }
    }

    /// Makes room for a result after the whole ones.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        self.cut()?;
        if self.whole == 0 {
            return Ok(());
        }
        if self.format.is_of_one_result() {
            return Err(Failure::usage(
                "this format holds the result of one statement",
                "\\o completes the file, and \\o FILE begins another",
            ));
        }
        if matches!(self.format, Format::Table | Format::Chart) {
            let blank = self.destination.write_all(b"\n");
            blank.map_err(OutputError::from)?;
        }
        Ok(())
    }

    /// The result is whole.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.whole = self.destination.length().map_err(OutputError::from)?;
        Ok(())
    }

    /// Gives the file its name.
    pub(super) fn complete(mut self) -> Result<(), Failure> {
        self.cut()?;
        self.destination.complete()
    }

    fn cut(&mut self) -> Result<(), Failure> {
        let cut = self.destination.cut(self.whole).map_err(OutputError::from);
        Ok(cut?)
    }
}
