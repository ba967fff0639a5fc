//! A client of a service, which makes requests again that failed for a passing reason.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use loglens_engine::Error;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use super::backoff::pause;
use super::network::{Task, network};
use super::refusal::{Passing, Refusal};
use crate::s3::access::{Access, DEFAULT_REGION};

/// How long an answer may take. A connection that is dead says nothing.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);

/// How often a request is made where nothing ever answered: an address that is wrong should be said
/// soon.
const TRIES_UNHEARD: u32 = 3;

/// How often a request is made, at most, that fails for a passing reason.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    /// Once: the caller has a pace of its own.
    Once,
    /// So often: somebody waits for the answer.
    Tries(u32),
    /// Until there is an answer: what is read will still be there.
    Forever,
}

/// A service, and how it is reached.
pub(crate) struct Service<C> {
    access: Access,
    build: fn(&Access, &SdkConfig, Region) -> C,
    client: OnceCell<(C, Arc<str>)>,
    /// Somebody answered, if only to refuse.
    answered: AtomicBool,
    retries: AtomicU64,
    throttles: AtomicU64,
}

impl<C: Clone + Send + Sync + 'static> Service<C> {
    /// A service whose client is made by `build` when the first request is.
    pub(crate) fn new(access: Access, build: fn(&Access, &SdkConfig, Region) -> C) -> Self {
        Self {
            access,
            build,
            client: OnceCell::new(),
            answered: AtomicBool::new(false),
            retries: AtomicU64::new(0),
            throttles: AtomicU64::new(0),
        }
    }

    /// Requests made again, and answers that asked to slow down.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.retries.load(Relaxed), self.throttles.load(Relaxed))
    }

    /// Takes down that a request is made again.
    pub(crate) fn count_retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// The Region of requests; none is known before the first.
    pub(crate) fn region(&self) -> &str {
        self.client.get().map_or("no Region", |(_, region)| region)
    }

    /// Makes a request on the threads of the network, and again while that may help.
    pub(crate) async fn ask<T, F>(
        self: &Arc<Self>,
        patience: Patience,
        request: impl Fn(C) -> F + Send + Sync + 'static,
    ) -> Result<Result<T, Refusal>, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        let service = Arc::clone(self);
        let work = async move { service.run(patience, request).await };
        let network = network()?;
        if Handle::try_current().is_ok_and(|here| here.id() == network.handle().id()) {
            return Ok(work.await);
        }
        Task::start(work)?.done().await
    }

    async fn run<T, F>(
        &self,
        patience: Patience,
        request: impl Fn(C) -> F + Send + Sync,
    ) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        let client = self.client().await;
        let mut tries = 0;
        loop {
            let answer = request(client.clone()).await;
            tries += 1;
            let refusal = match answer {
                Ok(answer) => {
                    self.answered.store(true, Relaxed);
                    return Ok(answer);
                }
                Err(refusal) => refusal.after(tries),
            };
            if refusal.status.is_some() {
                self.answered.store(true, Relaxed);
            }
            let most = match patience {
                Patience::Once => 1,
                _ if !self.answered.load(Relaxed) => TRIES_UNHEARD,
                Patience::Tries(most) => most,
                Patience::Forever => u32::MAX,
            };
            let passing = refusal.passing();
            if passing == Passing::SlowDown {
                self.throttles.fetch_add(1, Relaxed);
            }
            if passing == Passing::No || tries >= most {
                return Err(refusal);
            }
            self.count_retry();
            tokio::time::sleep(pause(tries)).await;
        }
    }

    async fn client(&self) -> C {
        let make = || async {
            let loaded = self.access.load().await;
            let region = loaded.region().map_or(DEFAULT_REGION, AsRef::as_ref);
            let region = Region::new(region.to_owned());
            let name = Arc::from(region.as_ref());
            ((self.build)(&self.access, &loaded, region), name)
        };
        let (client, _) = self.client.get_or_init(make).await;
        client.clone()
    }
}

impl<C> Debug for Service<C> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Service");
        shown.field("access", &self.access).finish_non_exhaustive()
    }
}

/// A function that makes the client of a service from the one configuration. Requests are made again
/// by [`Service`] and not by the SDK, so that all of them are counted.
macro_rules! build_client {
    ($sdk:ident) => {
        |access, loaded, region| {
            let timeouts = $sdk::config::timeout::TimeoutConfig::builder()
                .operation_attempt_timeout($crate::aws::service::ATTEMPT)
                .build();
            let mut builder = $sdk::config::Builder::from(loaded)
                .region(region)
                .retry_config($sdk::config::retry::RetryConfig::disabled())
                .timeout_config(timeouts);
            if let Some(url) = &access.endpoint_url {
                builder = builder.endpoint_url(url);
            }
            if access.anonymous {
                builder = builder.allow_no_auth();
            }
            $sdk::Client::from_conf(builder.build())
        }
    };
}
pub(crate) use build_client;
