//! Threads for requests to AWS, and work on them.

use std::sync::OnceLock;

use loglens_engine::{Error, Owner};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Threads that do nothing but wait for the network: those that parse look after it too seldom.
pub(crate) fn network() -> Result<&'static Runtime, Error> {
    static NETWORK: OnceLock<Result<Runtime, std::io::Error>> = OnceLock::new();
    let start = || {
        Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("loglens-aws")
            .enable_all()
            .build()
    };
    NETWORK
        .get_or_init(start)
        .as_ref()
        .map_err(|error| Error::new(Owner::External, format!("cannot start: {error}")))
}

/// Work on those threads, which ends when nobody waits for it any more.
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T: Send + 'static> Task<T> {
    pub(crate) fn start(work: impl Future<Output = T> + Send + 'static) -> Result<Self, Error> {
        Ok(Self(network()?.spawn(work)))
    }

    /// Work that goes on when nobody waits for it.
    pub(crate) fn detach(work: impl Future<Output = T> + Send + 'static) -> Result<(), Error> {
        network()?.spawn(work);
        Ok(())
    }

    pub(crate) async fn done(mut self) -> Result<T, Error> {
        (&mut self.0)
            .await
            .map_err(|error| Error::new(Owner::Internal, format!("a request to AWS: {error}")))
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
