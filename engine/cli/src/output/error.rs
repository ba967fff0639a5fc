//! What can go wrong while a result is written.

use std::error::Error;
use std::{fmt, io, iter};

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

use super::NothingToDraw;

/// Why a result could not be written.
#[derive(Debug)]
pub(crate) enum OutputError {
    /// The file or pipe did not take the bytes.
    Io(io::Error),
    /// A value or type could not be written in this format, or the IPC stream not be extended.
    Arrow(ArrowError),
    /// The Parquet file could not be written.
    Parquet(ParquetError),
    /// A chart was asked of a result without numbers.
    NothingToDraw(NothingToDraw),
}

impl OutputError {
    /// Whether the reader went away, as `head` does. That ends the output; it is not a failure.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        // Arrow and Parquet wrap the I/O error, sometimes each other.
        iter::successors(Some(self.inner()), |&error| error.source())
            .filter_map(|error| error.downcast_ref::<io::Error>())
            .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    fn inner(&self) -> &(dyn Error + 'static) {
        match self {
            Self::Io(error) => error,
            Self::Arrow(error) => error,
            Self::Parquet(error) => error,
            Self::NothingToDraw(error) => error,
        }
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.inner(), f)
    }
}

impl Error for OutputError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner().source()
    }
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ArrowError> for OutputError {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl From<ParquetError> for OutputError {
    fn from(error: ParquetError) -> Self {
        Self::Parquet(error)
    }
}

impl From<NothingToDraw> for OutputError {
    fn from(error: NothingToDraw) -> Self {
        Self::NothingToDraw(error)
    }
}
