//! The shell with a person before it.

use futures::future::BoxFuture;
use tokio::runtime::Runtime;

use super::super::session::note;
use super::editor::{Input, LineEditor};
use super::{Next, Shell};
use crate::failure::Failure;
use crate::runtime;

/// Prompts for lines until there are no more.
pub(super) fn interact(shell: Shell) -> Result<(), Failure> {
    let runtime = runtime::start()?;
    let result = prompt(&runtime, shell);
    runtime::end(runtime);
    result
}

fn prompt(runtime: &Runtime, shell: Shell) -> Result<(), Failure> {
    let (mut shell, welcomed) = work(runtime, shell, |shell| Box::pin(shell.welcome()))?;
    welcomed?;
    let mut editor = LineEditor::new()?;
    let mut begun = String::new();
    loop {
        editor.know(&shell.catalog);
        let text = match editor.read(&begun)? {
            Input::Text(text) => text,
            Input::Dropped => {
                begun.clear();
                continue;
            }
            Input::End => break,
        };
        let done;
        (shell, done) = work(runtime, shell, move |shell| {
            Box::pin(async move { shell.take(&text).await })
        })?;
        begun = shell.script.take_unfinished().unwrap_or_default();
        match done {
            Ok(Next::GoOn) => {}
            Ok(Next::Quit) => break,
            Err(failure) => {
                if matches!(failure, Failure::Interrupted) {
                    note("cancelled");
                }
                failure.report();
                shell.forget();
                begun.clear();
            }
        }
    }
    shell.close()
}

/// Does something on the runtime's threads until it is done or Ctrl-C drops it.
fn work<T: Send + 'static>(
    runtime: &Runtime,
    mut shell: Shell,
    what: impl FnOnce(&mut Shell) -> BoxFuture<'_, Result<T, Failure>> + Send + 'static,
) -> Result<(Shell, Result<T, Failure>), Failure> {
    let task = runtime.spawn(async move {
        let done = tokio::select! {
            done = what(&mut shell) => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        };
        (shell, done)
    });
    runtime
        .block_on(task)
        .map_err(|error| Failure::panicked(&error))
}

impl Shell {
    /// Says what this is and what was found.
    async fn welcome(&mut self) -> Result<(), Failure> {
        let found = self.found().await?;
        note(&format!("loglens {}: {found}", env!("CARGO_PKG_VERSION")));
        note("\\? for help, \\q to quit; SQL ends with ;");
        self.session.report_unrecognised();
        self.learn().await;
        Ok(())
    }
}
