//! Where the rows of standing windows go, beside Parquet in the lake.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use loglens_engine::arrow::array::RecordBatch;
use loglens_engine::{Error, Owner};
use loglens_io::webhook::Webhook;
use loglens_stream::lake::maker::Lake;
use loglens_stream::windows;
use loglens_stream::windows::notices::Notified;

use super::windows::{StandingWindow, WindowOutput};
use crate::failure::Failure;
use crate::output;

/// The window at a place among the lake's, with all that its rows go to.
pub(super) async fn standing(
    lake: &Lake,
    place: usize,
    window: &StandingWindow,
) -> Result<windows::StandingWindow, Failure> {
    let outputs = &window.outputs;
    Ok(windows::StandingWindow {
        name: Arc::from(window.name.as_str()),
        sql: Arc::from(window.sql.as_str()),
        open: lake.opens(place),
        files: outputs.contains(&WindowOutput::Parquet),
        is_alert: lake.is_alert(place).await?,
        notified: outputs.iter().filter_map(notified).collect(),
        as_json,
    })
}

/// Who is told; None for Parquet.
fn notified(output: &WindowOutput) -> Option<Arc<dyn Notified>> {
    Some(match output {
        WindowOutput::Parquet => return None,
        WindowOutput::Stdout => Arc::new(Stdout),
        WindowOutput::File(path) => Arc::new(File {
            name: path.display().to_string(),
            path: path.clone(),
        }),
        WindowOutput::Webhook(url) => Arc::new(Server(Webhook::new(url))),
    })
}

fn as_json(rows: &RecordBatch) -> Result<Vec<String>, Error> {
    output::json_rows(rows).map_err(|error| Error::new(Owner::Internal, error.to_string()))
}

/// Standard output.
#[derive(Debug)]
struct Stdout;

#[async_trait]
impl Notified for Stdout {
    fn name(&self) -> &'static str {
        "stdout"
    }

    async fn give(&self, notices: &[String]) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        let written = out.write_all(&lines(notices)).and_then(|()| out.flush());
        written.map_err(|error| failed("standard output", &error))
    }
}

/// A file that lines are added to.
#[derive(Debug)]
struct File {
    name: String,
    path: PathBuf,
}

#[async_trait]
impl Notified for File {
    fn name(&self) -> &str {
        &self.name
    }

    async fn give(&self, notices: &[String]) -> Result<(), Error> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        let written = file.and_then(|mut file| file.write_all(&lines(notices)));
        written.map_err(|error| failed(&self.name, &error))
    }
}

fn lines(notices: &[String]) -> Vec<u8> {
    let lines = notices.iter();
    lines
        .flat_map(|notice| [notice.as_bytes(), b"\n"].concat())
        .collect()
}

fn failed(place: &str, error: &io::Error) -> Error {
    let message = format!("{place}: cannot be written: {error}");
    Error::new(Owner::External, message)
}

/// A server.
#[derive(Debug)]
struct Server(Webhook);

#[async_trait]
impl Notified for Server {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn give(&self, notices: &[String]) -> Result<(), Error> {
        for notice in notices {
            self.0.post(notice.clone()).await?;
        }
        Ok(())
    }

    fn at_once(&self) -> usize {
        1
    }
}
