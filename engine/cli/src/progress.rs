//! The progress bar: on standard error, when it is a terminal and the work is long.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use loglens_engine::ledger::Ledger;
use tokio::task::JoinHandle;

/// Work that is done before this needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
const REFRESH: Duration = Duration::from_millis(150);

/// A bar that goes when it is dropped.
pub(crate) struct Progress(Option<(ProgressBar, JoinHandle<()>)>);

impl Progress {
    /// Follows a query's ledger.
    pub(crate) fn of(ledger: &Arc<Ledger>) -> Self {
        Self::of_bytes(ledger, total_bytes(ledger))
    }

    /// Follows a ledger to so many bytes of objects.
    pub(crate) fn of_bytes(ledger: &Arc<Ledger>, total: Option<u64>) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
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
fn total_bytes(ledger: &Ledger) -> Option<u64> {
    let expected = ledger.expected();
    (expected.of_unknown_size == 0).then_some(expected.bytes)
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
