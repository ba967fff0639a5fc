//! Standard output, through a pager where a result is taller than the screen.

use std::io::{self, IsTerminal, Stdout, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::failure::Failure;
use crate::output::OutputError;

/// Bytes that a column of the screen may take: letters of other scripts, and colours.
const BYTES_PER_COLUMN: usize = 4;

/// Takes a result. What fits on the screen is written when it is complete; as soon as it does not
/// fit, all of it goes to the pager. [`Screen::conclude`] waits until that is quit.
pub(super) struct Screen {
    stdout: Stdout,
    way: Way,
}

enum Way {
    /// Straight to standard output.
    Direct,
    /// It may still fit into so many lines, and does not if it is so long.
    Held {
        bytes: Vec<u8>,
        max_lines: usize,
        max_bytes: usize,
    },
    Paged(Child, ChildStdin),
}

impl Screen {
    pub(super) fn new(paging: bool) -> Self {
        let stdout = io::stdout();
        let size = terminal_size::terminal_size().filter(|_| paging && stdout.is_terminal());
        let way = match size {
            Some((width, height)) => {
                // The prompt needs a line too.
                let max_lines = usize::from(height.0).saturating_sub(1);
                Way::Held {
                    bytes: Vec::new(),
                    max_lines,
                    max_bytes: max_lines * usize::from(width.0) * BYTES_PER_COLUMN,
                }
            }
            None => Way::Direct,
        };
        Self { stdout, way }
    }

    /// Ends a result that was `written` like this. Who quits the pager has seen enough: that is no
    /// failure.
    pub(super) fn conclude(mut self, written: Result<(), Failure>) -> Result<(), Failure> {
        let is_paged = matches!(self.way, Way::Paged(..));
        let finished = self.finish().map_err(OutputError::from);
        match written {
            Err(Failure::ClosedPipe) if is_paged => Ok(()),
            Err(failure) => Err(failure),
            Ok(()) => Ok(finished?),
        }
    }

    /// Shows what was held back, or waits for the pager.
    fn finish(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.way, Way::Direct) {
            Way::Direct => {}
            Way::Held { bytes, .. } => self.stdout.write_all(&bytes)?,
            Way::Paged(mut pager, input) => {
                drop(input);
                pager.wait()?;
            }
        }
        self.stdout.flush()
    }
}

impl Write for Screen {
    fn write(&mut self, new: &[u8]) -> io::Result<usize> {
        match &mut self.way {
            Way::Direct => self.stdout.write(new),
            Way::Paged(_, input) => input.write(new),
            Way::Held {
                bytes,
                max_lines,
                max_bytes,
            } => {
                bytes.extend_from_slice(new);
                if line_ends(bytes) > *max_lines || bytes.len() > *max_bytes {
                    let bytes = std::mem::take(bytes);
                    self.way = start_pager()
                        .map_or(Way::Direct, |(pager, input)| Way::Paged(pager, input));
                    self.write_all(&bytes)?;
                }
                Ok(new.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.way {
            Way::Direct => self.stdout.flush(),
            Way::Held { .. } => Ok(()),
            Way::Paged(_, input) => input.flush(),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A result that failed or was cancelled shows what it had; a terminal that is gone is no
        // reason to say more.
        let _ = self.finish();
    }
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

/// Starts what `LOGLENS_PAGER` or else `PAGER` names, or `less`. None where there is none.
fn start_pager() -> Option<(Child, ChildStdin)> {
    let named = ["LOGLENS_PAGER", "PAGER"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    let line = named.unwrap_or_else(|| "less -S".to_owned());
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let mut pager = command.spawn().ok()?;
    let input = pager.stdin.take()?;
    Some((pager, input))
}
