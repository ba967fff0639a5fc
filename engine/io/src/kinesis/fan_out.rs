//! Enhanced fan-out: a shard over a subscription of a consumer of its own.
//!
//! A subscription lasts five minutes, then the next one begins behind what came. For five seconds
//! after one began, Kinesis refuses the next one (`ResourceInUseException`): that is waited for.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::subscribe_to_shard::SubscribeToShardOutput;
use aws_sdk_kinesis::types::error::SubscribeToShardEventStreamError;
use aws_sdk_kinesis::types::{ConsumerStatus, SubscribeToShardEvent, SubscribeToShardEventStream};
use loglens_engine::shard::{Fetched, ShardReader, Start};
use loglens_engine::{Error, Owner};
use tokio::sync::{OnceCell, mpsc};

use super::connection::Connection;
use super::refused::Ask;
use super::resume::Resume;
use super::summary;
use crate::aws::backoff::pause;
use crate::aws::network::Task;
use crate::aws::refusal::{Passing, Refusal};
use crate::aws::service::{ATTEMPT, Patience};

/// How often a consumer is looked after until it is there.
const TRIES: u32 = 120;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Between two requests for a shard that another subscription still has.
const IN_USE: Duration = Duration::from_secs(1);

/// Events that came and were not asked for yet: the connection waits for more room.
const AHEAD: usize = 2;

/// A consumer of a stream.
#[derive(Debug)]
pub(super) struct FanOut {
    consumer: String,
    arn: OnceCell<String>,
}

impl FanOut {
    pub(super) fn new(consumer: &str) -> Self {
        Self {
            consumer: consumer.to_owned(),
            arn: OnceCell::new(),
        }
    }

    pub(super) async fn open(
        &self,
        connection: Arc<Connection>,
        shard: &str,
        start: &Start,
    ) -> Result<FanOutReader, Error> {
        let register = || self.register(&connection);
        let consumer = self.arn.get_or_try_init(register).await?.clone();
        let mut reader = FanOutReader {
            connection,
            consumer,
            shard: shard.to_owned(),
            resume: Resume::new(start),
            subscription: None,
            ended: false,
        };
        reader.subscribe().await?;
        Ok(reader)
    }

    /// The consumer's ARN, once it is there to be used.
    async fn register(&self, connection: &Connection) -> Result<String, Error> {
        let stream_arn = summary::of(connection).await?.stream_arn;
        for _ in 0..TRIES {
            let (arn, name) = (stream_arn.clone(), self.consumer.clone());
            let found = connection.try_ask(Patience::Forever, move |client| {
                let request = client.describe_stream_consumer();
                let request = request.stream_arn(&arn).consumer_name(&name);
                async move { request.send().await.map_err(Refusal::from) }
            });
            match found.await? {
                Ok(found) => {
                    let description = found.consumer_description;
                    let active =
                        description.filter(|found| found.consumer_status == ConsumerStatus::Active);
                    if let Some(found) = active {
                        return Ok(found.consumer_arn);
                    }
                }
                Err(refusal) if refusal.is("ResourceNotFoundException") => {
                    self.make(connection, &stream_arn).await?;
                }
                Err(refusal) => {
                    return Err(connection.error(Ask::new("DescribeStreamConsumer"), &refusal));
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        let message = format!("consumer {} does not become active", self.consumer);
        Err(Error::new(Owner::External, message)
            .hint("look at it: aws kinesis list-stream-consumers"))
    }

    async fn make(&self, connection: &Connection, stream_arn: &str) -> Result<(), Error> {
        let (arn, name) = (stream_arn.to_owned(), self.consumer.clone());
        let made = connection.try_ask(Patience::Tries(5), move |client| {
            let request = client.register_stream_consumer();
            let request = request.stream_arn(&arn).consumer_name(&name);
            async move { request.send().await.map_err(Refusal::from) }
        });
        match made.await? {
            // Another worker makes it at the same time.
            Err(refusal) if refusal.is("ResourceInUseException") => Ok(()),
            Err(refusal) => Err(connection.error(Ask::new("RegisterStreamConsumer"), &refusal)),
            Ok(_) => Ok(()),
        }
    }
}

/// Reads a shard from front to back over one subscription after the other.
pub(super) struct FanOutReader {
    connection: Arc<Connection>,
    consumer: String,
    shard: String,
    resume: Resume,
    subscription: Option<Subscription>,
    ended: bool,
}

/// A connection over which events come.
struct Subscription {
    events: mpsc::Receiver<Result<SubscribeToShardEvent, Refusal>>,
    /// Ends with this.
    _pump: Task<()>,
}

impl FanOutReader {
    async fn subscribe(&mut self) -> Result<&mut Subscription, Error> {
        while self.subscription.is_none() {
            let (consumer, shard) = (self.consumer.clone(), self.shard.clone());
            let position = self.resume.from().position();
            let answer = self.connection.try_ask(Patience::Forever, move |client| {
                let request = client
                    .subscribe_to_shard()
                    .consumer_arn(&consumer)
                    .shard_id(&shard)
                    .set_starting_position(position.clone());
                async move { request.send().await.map_err(Refusal::from) }
            });
            match answer.await? {
                Ok(answer) => {
                    self.connection.counters.subscriptions.fetch_add(1, Relaxed);
                    self.resume.begun();
                    let (sender, events) = mpsc::channel(AHEAD);
                    let pump = Task::start(pump(answer, sender))?;
                    self.subscription = Some(Subscription {
                        events,
                        _pump: pump,
                    });
                }
                Err(refusal) if refusal.is("ResourceInUseException") => {
                    self.connection.count_retry();
                    tokio::time::sleep(IN_USE).await;
                }
                Err(refusal) => {
                    return Err(self
                        .connection
                        .error(Ask::of("SubscribeToShard", &self.shard), &refusal));
                }
            }
        }
        let subscription = self.subscription.as_mut();
        subscription.ok_or_else(|| Error::new(Owner::Internal, "no subscription"))
    }

    fn take(&mut self, event: SubscribeToShardEvent) -> Fetched {
        let place = event.continuation_sequence_number.as_str();
        let children = event.child_shards.as_deref().unwrap_or_default();
        // Children are named at the end of a shard.
        self.ended = place.is_empty() || (!children.is_empty() && event.records.is_empty());
        self.resume.name(place);
        let behind = event.millis_behind_latest.try_into().unwrap_or(0);
        Fetched {
            behind: Duration::from_millis(behind),
            records: self.resume.take(event.records, &self.connection.counters),
            ended: self.ended,
        }
    }
}

#[async_trait]
impl ShardReader for FanOutReader {
    async fn fetch(&mut self) -> Result<Fetched, Error> {
        let mut tries = 0;
        while !self.ended {
            let came = self.subscribe().await?.events.recv().await;
            let refusal = match came {
                Some(Ok(event)) => return Ok(self.take(event)),
                Some(Err(refusal)) => refusal,
                None => Refusal::on_the_way("the subscription ended"),
            };
            self.subscription = None;
            if refusal.passing() == Passing::No && !refusal.is("ResourceInUseException") {
                return Err(self
                    .connection
                    .error(Ask::of("SubscribeToShard", &self.shard), &refusal));
            }
            tries += 1;
            tokio::time::sleep(pause(tries)).await;
        }
        Ok(Fetched {
            ended: true,
            ..Fetched::default()
        })
    }
}

/// Gives events on until the subscription ends, or nobody wants them any more. Events come every few
/// seconds, if only to say that there are no records: a connection that is silent is dead.
async fn pump(
    mut answer: SubscribeToShardOutput,
    events: mpsc::Sender<Result<SubscribeToShardEvent, Refusal>>,
) {
    while let Ok(came) = tokio::time::timeout(ATTEMPT, answer.event_stream.recv()).await {
        let event = match came {
            Ok(Some(SubscribeToShardEventStream::SubscribeToShardEvent(event))) => Ok(event),
            // What later versions may send.
            Ok(Some(_)) => continue,
            Ok(None) => return,
            Err(error) => Err(refused(&error)),
        };
        let over = event.is_err();
        if events.send(event).await.is_err() || over {
            return;
        }
    }
}

/// An error within a subscription.
fn refused<R>(error: &SdkError<SubscribeToShardEventStreamError, R>) -> Refusal {
    match error.as_service_error() {
        Some(service) => Refusal {
            status: Some(400),
            code: service.code().map(str::to_owned),
            message: service.message().unwrap_or_default().to_owned(),
            ..Refusal::default()
        },
        None => Refusal::on_the_way("the subscription broke"),
    }
}
