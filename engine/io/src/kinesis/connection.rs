//! All requests to one stream.

use std::sync::Arc;

use aws_sdk_kinesis::Client;
use loglens_engine::Error;

use super::counts::{Counters, Counts};
use super::refused::Ask;
use crate::aws::refusal::Refusal;
use crate::aws::service::{Patience, Service, build_client};
use crate::s3::access::Access;

/// A stream and how it is reached.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: String,
    pub(super) counters: Counters,
    service: Arc<Service<Client>>,
}

impl Connection {
    pub(super) fn new(stream: String, access: Access) -> Self {
        Self {
            stream,
            counters: Counters::default(),
            service: Arc::new(Service::new(access, build_client!(aws_sdk_kinesis))),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counters.counts(self.service.counts())
    }

    /// Asks for something; what is refused for good is an error for people.
    pub(super) async fn ask<T, F>(
        &self,
        ask: Ask<'_>,
        patience: Patience,
        request: impl Fn(Client) -> F + Send + Sync + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        let answer = self.try_ask(patience, request).await?;
        answer.map_err(|refusal| self.error(ask, &refusal))
    }

    /// The same, where the caller may know what to do about a refusal.
    pub(super) async fn try_ask<T, F>(
        &self,
        patience: Patience,
        request: impl Fn(Client) -> F + Send + Sync + 'static,
    ) -> Result<Result<T, Refusal>, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        self.service.ask(patience, request).await
    }

    /// Takes down that a request is made again.
    pub(super) fn count_retry(&self) {
        self.service.count_retry();
    }

    pub(super) fn error(&self, ask: Ask<'_>, refusal: &Refusal) -> Error {
        ask.error(refusal, &self.stream, self.service.region())
    }
}
