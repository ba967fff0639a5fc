//! Where a result goes: standard output, or a file that appears when it is complete.

use std::fs::File;
use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use loglens_engine::{Error, Owner};

use crate::arguments::ResultOptions;
use crate::failure::Failure;
use crate::output::{Format, Style};

/// Where a result goes.
pub(crate) enum Destination {
    /// Standard output.
    Stdout(io::Stdout),
    /// A file, under another name until it is complete.
    File(ResultFile),
}

/// A file that is renamed into place when it is complete, and removed when it never is.
pub(crate) struct ResultFile {
    file: File,
    part: PathBuf,
    path: PathBuf,
    complete: bool,
}

impl Destination {
    /// Opens it; `to` None is standard output.
    pub(crate) fn open(to: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = to else {
            return Ok(Self::Stdout(io::stdout()));
        };
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let file = File::create(&part).map_err(|error| cannot_write(path, &error))?;
        Ok(Self::File(ResultFile {
            file,
            part,
            path: path.to_owned(),
            complete: false,
        }))
    }

    /// Gives the file its name.
    pub(crate) fn complete(self) -> Result<(), Failure> {
        let Self::File(mut file) = self else {
            return Ok(());
        };
        std::fs::rename(&file.part, &file.path)
            .map_err(|error| cannot_write(&file.path, &error))?;
        file.complete = true;
        Ok(())
    }

    /// Cuts a file to its first `length` bytes, and goes on from there.
    pub(crate) fn cut(&mut self, length: u64) -> io::Result<()> {
        if let Self::File(file) = self {
            file.file.set_len(length)?;
            file.file.seek(SeekFrom::Start(length))?;
        }
        Ok(())
    }

    /// How many bytes a file has so far.
    pub(crate) fn length(&mut self) -> io::Result<u64> {
        match self {
            Self::File(file) => file.file.stream_position(),
            Self::Stdout(_) => Ok(0),
        }
    }

    /// How results look there.
    pub(crate) fn style(&self) -> Style {
        match self {
            Self::Stdout(stdout) if stdout.is_terminal() => Style {
                width: terminal_width(),
                colour: crate::failure::colour(stdout),
                expanded: false,
            },
            _ => Style::default(),
        }
    }

    fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout(stdout) if stdout.is_terminal())
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(file) => file.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file) => file.file.flush(),
        }
    }
}

impl Drop for ResultFile {
    fn drop(&mut self) {
        if !self.complete {
            // Nothing partial stays behind; there is nobody to tell if it cannot be removed.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// The format that the options mean for a destination.
pub(crate) fn format(
    options: &ResultOptions,
    destination: &Destination,
) -> Result<Format, Failure> {
    let format = match (options.output, &options.to) {
        (Some(format), _) => format,
        (None, Some(path)) => {
            let extension = path
                .extension()
                .and_then(|extension| extension.to_str())
                .unwrap_or_default();
            match extension {
                "txt" | "" => Format::Table,
                _ => Format::from_str(extension, true).map_err(|_| {
                    Failure::usage(
                        format!("{}: no output format is called {extension}", path.display()),
                        "say it with -o",
                    )
                })?,
            }
        }
        (None, None) => Format::Table,
    };
    if format.is_binary() && destination.is_terminal() {
        return Err(Failure::usage(
            "this format is binary, and standard output is a terminal",
            "write it with --to FILE, or into a pipe",
        ));
    }
    Ok(format)
}

fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size()?;
    Some(width.0.into())
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Error::new(Owner::External, format!("{}: {error}", path.display())).into()
}
