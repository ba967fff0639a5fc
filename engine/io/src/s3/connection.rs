//! The connection to one bucket: all requests go through it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::RequestPayer;
use loglens_engine::Error;
use loglens_engine::object::Requests;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use super::access::{Access, region_of};
use super::failure::Ask;
use super::pace::Pace;
use crate::aws::network::{Task, network};
use crate::aws::refusal::Refusal;

/// A bucket and how it is reached.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) bucket: String,
    pub(super) access: Access,
    loaded: OnceCell<SdkConfig>,
    /// The client of the Region that the bucket is known to lie in, and that Region.
    client: Mutex<Option<(Client, Arc<str>)>>,
    pace: Pace,
    lists: AtomicU64,
    gets: AtomicU64,
    bytes: AtomicU64,
}

impl Connection {
    pub(super) fn new(bucket: String, access: Access) -> Self {
        Self {
            bucket,
            access,
            loaded: OnceCell::new(),
            client: Mutex::new(None),
            pace: Pace::new(),
            lists: AtomicU64::new(0),
            gets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// The configuration that requests are made with.
    pub(super) async fn loaded(&self) -> &SdkConfig {
        self.loaded.get_or_init(|| self.access.load()).await
    }

    /// Who pays for the requests, where it is not the bucket's owner.
    pub(super) fn payer(&self) -> Option<RequestPayer> {
        self.access
            .requester_pays
            .then_some(RequestPayer::Requester)
    }

    /// Requests made so far.
    pub(super) fn requests(&self) -> Requests {
        let (retries, slow_downs) = self.pace.counts();
        Requests {
            list: self.lists.load(Relaxed),
            get: self.gets.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            retries,
            slow_downs,
        }
    }

    /// Takes down bytes of objects that came.
    pub(super) fn came(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Asks for something; what is refused is an error for people.
    pub(super) async fn ask<T, F>(
        self: &Arc<Self>,
        ask: Ask,
        request: impl Fn(Client) -> F + Send + Sync + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        match self.try_ask(&ask, request).await? {
            Ok(answer) => Ok(answer),
            Err(refusal) => Err(self.error(&ask, &refusal)),
        }
    }

    /// The same, where the caller may know what to do about a refusal.
    pub(super) async fn try_ask<T, F>(
        self: &Arc<Self>,
        ask: &Ask,
        request: impl Fn(Client) -> F + Send + Sync + 'static,
    ) -> Result<Result<T, Refusal>, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        let counter = match ask.operation {
            "ListObjectsV2" => Some(&self.lists),
            "GetObject" | "HeadObject" => Some(&self.gets),
            _ => None,
        };
        if let Some(counter) = counter {
            counter.fetch_add(1, Relaxed);
        }
        let connection = Arc::clone(self);
        let work = async move {
            let once = || connection.once(&request);
            connection.pace.run(once).await
        };
        let network = network()?;
        let here = Handle::try_current();
        if here.is_ok_and(|here| here.id() == network.handle().id()) {
            return Ok(work.await);
        }
        Task::start(work)?.done().await
    }

    /// Makes a request, in the Region that the bucket turns out to lie in.
    async fn once<T, F>(&self, request: &(impl Fn(Client) -> F + Sync)) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let (client, region) = self.client().await;
        let refusal = match request(client).await {
            Ok(answer) => return Ok(answer),
            Err(refusal) => refusal,
        };
        match &refusal.region {
            Some(found)
                if **found != *region && matches!(refusal.status, Some(301 | 307 | 400)) =>
            {
                let client = self.access.client(self.loaded().await, Some(found));
                *self.slot() = Some((client.clone(), Arc::from(found.as_str())));
                request(client).await
            }
            _ => Err(refusal),
        }
    }

    async fn client(&self) -> (Client, Arc<str>) {
        if let Some(client) = self.slot().clone() {
            return client;
        }
        let loaded = self.loaded().await;
        let mut slot = self.slot();
        let client =
            slot.get_or_insert_with(|| (self.access.client(loaded, None), region_of(loaded)));
        client.clone()
    }

    /// The Region that requests go to.
    pub(super) fn region(&self) -> Arc<str> {
        match &*self.slot() {
            Some((_, region)) => Arc::clone(region),
            None => Arc::from("no Region"),
        }
    }

    pub(super) fn error(&self, ask: &Ask, refusal: &Refusal) -> Error {
        ask.error(refusal, &self.bucket, &self.region())
    }

    /// A panic elsewhere does not make the client wrong.
    fn slot(&self) -> std::sync::MutexGuard<'_, Option<(Client, Arc<str>)>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
