//! What the terminal, if there is one, allows.

use std::io;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// How text output may look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// Columns of the terminal that is written to; `None` when it is not a terminal.
    pub(crate) width: Option<usize>,
    /// Whether escape sequences for colour are wanted.
    pub(crate) colour: bool,
    /// Whether a table is to show each row as a record, however wide the terminal is.
    pub(crate) expanded: bool,
}

impl Style {
    pub(super) fn is_terminal(self) -> bool {
        self.width.is_some()
    }

    pub(super) fn bold(self, out: &mut impl io::Write, text: &str) -> io::Result<()> {
        self.painted(out, BOLD, text)
    }

    pub(super) fn dim(self, out: &mut impl io::Write, text: &str) -> io::Result<()> {
        self.painted(out, DIM, text)
    }

    /// Writes `text` in the colour of an escape sequence.
    pub(super) fn coloured(
        self,
        out: &mut impl io::Write,
        code: &str,
        text: &str,
    ) -> io::Result<()> {
        self.painted(out, code, text)
    }

    fn painted(self, out: &mut impl io::Write, code: &str, text: &str) -> io::Result<()> {
        if self.colour {
            write!(out, "{code}{text}{RESET}")
        } else {
            out.write_all(text.as_bytes())
        }
    }
}
