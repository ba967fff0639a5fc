//! The progress bar: on standard error, when it is a terminal and the work is long.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use loglens_engine::Engine;
use loglens_engine::ledger::Ledger;
use tokio::task::JoinHandle;

/// Work that is done before this needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
const REFRESH: Duration = Duration::from_millis(150);

/// A bar that goes when it is dropped.
pub(crate) struct Progress(Option<(ProgressBar, JoinHandle<()>)>);

impl Progress {
    /// Follows a query's ledger.
    pub(crate) fn of(engine: &Engine, ledger: &Arc<Ledger>) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(total_bytes(engine), ProgressDrawTarget::hidden());
        let task = tokio::spawn(follow(bar.clone(), Arc::clone(ledger)));
        Self(Some((bar, task)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((bar, task)) = self.0.take() {
            task.abort();
            bar.finish_and_clear();
        }
    }
}

/// Bytes of the objects, where all of them are known.
fn total_bytes(engine: &Engine) -> Option<u64> {
    let archive = engine.listed()?;
    archive
        .tables
        .iter()
        .flat_map(|table| table.objects.iter())
        .map(|found| found.object.size)
        .sum()
}

async fn follow(bar: ProgressBar, ledger: Arc<Ledger>) {
    tokio::time::sleep(PATIENCE).await;
    let template = if bar.length().is_some() {
        "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"
    } else {
        "{spinner} {bytes}, {bytes_per_sec}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_draw_target(ProgressDrawTarget::stderr());
    loop {
        bar.set_position(ledger.bytes_read());
        tokio::time::sleep(REFRESH).await;
    }
}
