//! The threads that plan and run statements.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{self, Failure};

/// Stack of a thread that plans: what DataFusion and its parser do goes as deep as an expression,
/// and a list of conditions that a program wrote can have thousands. Pages that nobody touches
/// cost nothing.
const STACK: usize = 32 << 20;

/// How long a cancelled query may take to remove its temporary files.
const CLEAN_UP: Duration = Duration::from_secs(2);

/// Starts the threads: one more than cores, since every core may be busy with a step that does not
/// pause, and somebody must still see Ctrl-C. What plans must be spawned on them: the main thread's
/// stack is small.
pub(crate) fn start() -> Result<Runtime, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores + 1)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(Failure::runtime)
}

/// Ends the threads, and lets what was cancelled tidy up.
pub(crate) fn end(runtime: Runtime) {
    runtime.shutdown_timeout(CLEAN_UP);
}

/// Runs something long until it is done or Ctrl-C ends it. Cancelling drops it, so that its
/// temporary files go too; a second Ctrl-C does not wait for that.
pub(crate) fn interruptible(
    work: impl Future<Output = Result<(), Failure>> + Send + 'static,
) -> Result<(), Failure> {
    let runtime = start()?;
    let result = runtime.block_on(async {
        let mut work = tokio::spawn(work);
        tokio::select! {
            done = &mut work => done.unwrap_or_else(|error| Err(Failure::panicked(&error))),
            _ = tokio::signal::ctrl_c() => {
                work.abort();
                tokio::spawn(async {
                    if tokio::signal::ctrl_c().await.is_ok() {
                        std::process::exit(failure::INTERRUPTED.into());
                    }
                });
                Err(Failure::Interrupted)
            }
        }
    });
    end(runtime);
    result
}

/// The wish that a command which goes on ends: Ctrl-C, or SIGTERM.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(crate) fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::runtime);
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits until it is asked for.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }

    /// Whether it is asked for within some time.
    pub(crate) async fn within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.asked()).await.is_ok()
    }
}
