//! What Kinesis says of a stream as a whole.

use std::time::Duration;

use aws_sdk_kinesis::types::StreamDescriptionSummary;
use loglens_engine::{Error, Owner};

use super::connection::Connection;
use super::refused::Ask;
use crate::aws::refusal::Refusal;
use crate::aws::service::Patience;

/// What Kinesis says of the stream.
pub(super) async fn of(connection: &Connection) -> Result<StreamDescriptionSummary, Error> {
    let stream = connection.stream.clone();
    let ask = Ask::new("DescribeStreamSummary");
    let answer = connection.ask(ask, Patience::Forever, move |client| {
        let request = client.describe_stream_summary().stream_name(&stream);
        async move { request.send().await.map_err(Refusal::from) }
    });
    answer.await?.stream_description_summary.ok_or_else(|| {
        let message = format!("{}: an answer without a summary", connection.stream);
        Error::new(Owner::External, message)
    })
}

/// How long the stream keeps records.
pub(super) async fn retention(connection: &Connection) -> Result<Duration, Error> {
    let hours = of(connection).await?.retention_period_hours;
    let hours = u64::try_from(hours).unwrap_or(0);
    Ok(Duration::from_secs(hours * 60 * 60))
}
