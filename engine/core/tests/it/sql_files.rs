//! The SQL files in `tests/sql`, run over the repository's `testdata`.
//!
//! Each file has an engine of its own, so what it creates stays its own. `LOGLENS_COMPLETE=1`
//! writes the answers into the files: read the difference before you keep it.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use loglens_engine::{Engine, EngineOptions, Error};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::ask::{Answer, ask};

/// Relative to the package, where tests run, so that `"$path"` is the same in every checkout.
const TESTDATA: &str = "../../testdata";

struct Database(Engine);

impl Database {
    fn open() -> Result<Self, Error> {
        Engine::new(EngineOptions {
            sources: vec![loglens_io::source(TESTDATA)?],
            threads: Some(2),
            ..EngineOptions::default()
        })
        .map(Self)
    }
}

#[async_trait]
impl AsyncDB for Database {
    type Error = Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Error> {
        let Answer { columns, rows, .. } = ask(&self.0, sql).await?;
        if columns.is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        // Types are asked for with arrow_typeof, which says more than these letters.
        let types = vec![DefaultColumnType::Text; columns.len()];
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &'static str {
        "loglens"
    }
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir("tests/sql")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    files.sort();
    files
}

async fn check(file: &Path) -> Result<(), String> {
    let mut runner = Runner::new(|| async { Database::open() });
    if std::env::var_os("LOGLENS_COMPLETE").is_some() {
        runner
            .update_test_file(
                file,
                " ",
                sqllogictest::default_validator,
                sqllogictest::default_normalizer,
                sqllogictest::default_column_validator,
            )
            .await
            .map_err(|error| error.to_string())
    } else {
        let checked = runner.run_file_async(file).await;
        checked.map_err(|error| error.display(false).to_string())
    }
}

#[tokio::test]
async fn every_file_gives_what_it_says() {
    let files = files();
    assert!(files.len() >= 6, "{files:?}");
    let mut failed = Vec::new();
    for file in &files {
        if let Err(error) = check(file).await {
            failed.push(error);
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
