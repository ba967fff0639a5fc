//! From a request to its answer.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use futures::{StreamExt, TryStreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue};
use hyper::{Request, Response};
use loglens_test_server::Wrong;
use serde_json::{Value, json};
use tower_service::Service;

use crate::records::{self, shard_of};
use crate::{State, lock};

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What a request that is not signed says to be.
const SIGNED: HeaderValue = HeaderValue::from_static(
    "AWS4-HMAC-SHA256 Credential=sample/20260101/us-east-1/kinesis/aws4_request, \
     SignedHeaders=host, Signature=0",
);

/// Its date.
const DATE: HeaderValue = HeaderValue::from_static("20260101T000000Z");

/// What separates stream and shard in a token.
const OF: char = '|';

/// Answers a request: `streams` does, with what goes wrong on the way there and back.
pub(crate) async fn answer<S, B>(
    state: Arc<State>,
    streams: S,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let target = head.headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok()).unwrap_or("");
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    *lock(&state.counts).entry(operation.clone()).or_default() += 1;
    head.headers.entry(AUTHORIZATION).or_insert(SIGNED);
    head.headers.entry("x-amz-date").or_insert(DATE);

    let wrong = lock(&state.faults)
        .iter_mut()
        .find_map(|fault| fault.strikes(&operation, &String::from_utf8_lossy(&body)));
    if let Some(Wrong::Status {
        status,
        code,
        message,
    }) = wrong
    {
        return refused(status, code, message);
    }
    let mut asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let shard = asked["ShardIterator"].as_str().and_then(shard_of);
    if let Some((stream, shard)) = &shard
        && let Some(limits) = &mut *lock(&state.limits)
        && !limits.allow(&format!("{stream}{OF}{shard}"))
    {
        let message = format!("Rate exceeded for shard {shard} in stream {stream}.");
        return refused(400, "ProvisionedThroughputExceededException", &message);
    }
    let refused = before(&state, &operation, &mut asked);
    let body = Bytes::from(serde_json::to_vec(&asked)?);
    head.headers.insert(CONTENT_LENGTH, body.len().into());
    let request = Request::from_parts(head, Full::new(body));

    let answered = if operation.starts_with("Put") {
        let _writing = state.writing.write().await;
        call(streams, request).await?
    } else {
        let _reading = state.writing.read().await;
        call(streams, request).await?
    };
    let (mut head, body) = answered.into_parts();
    if operation == "SubscribeToShard" || !head.status.is_success() {
        let body = body.map_err(|error| io::Error::other(error.into()));
        let body = BodyStream::new(body);
        return Ok(Response::from_parts(head, broken(body, wrong.as_ref())?));
    }
    let body = body.collect().await;
    let body = body
        .map_err(|error| io::Error::other(error.into()))?
        .to_bytes();
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(mut answer) => {
            if let Some((stream, shard)) = &shard {
                if let Some(limits) = &mut *lock(&state.limits) {
                    limits.gave(&format!("{stream}{OF}{shard}"), records::bytes(&answer));
                }
                records::complete(&state, stream, shard, &mut answer).await;
            }
            after(&operation, &asked, refused, &mut answer);
            Bytes::from(serde_json::to_vec(&answer)?)
        }
        // Some answers are empty.
        Err(_) => body,
    };
    head.headers.insert(CONTENT_LENGTH, body.len().into());
    let body = stream::iter([Ok::<_, io::Error>(Frame::data(body))]);
    Ok(Response::from_parts(head, broken(body, wrong.as_ref())?))
}

async fn call<S, B>(mut streams: S, request: Request<Full<Bytes>>) -> io::Result<Response<B>>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // A router is always ready.
    let answered = streams.call(request).await;
    answered.map_err(|error| io::Error::other(error.into()))
}

/// Changes what is asked: pages, times, and records that are refused; how many were.
fn before(state: &State, operation: &str, asked: &mut Value) -> usize {
    let mut switches = lock(&state.switches);
    if operation == "ListShards" {
        let token = asked["NextToken"].as_str().map(str::to_owned);
        if let Some((stream, shard)) = token.as_deref().and_then(|token| token.split_once(OF)) {
            // With both, ferrokinesis refuses it as Kinesis does.
            if asked["StreamName"].is_null() {
                *asked = json!({ "StreamName": stream, "ExclusiveStartShardId": shard });
            }
        }
        if let Some(page) = switches.page {
            asked["MaxResults"] = json!(page);
        }
    }
    // Times of arrival have whole seconds here, so that a place within one would pass over records.
    if let Some(time) = asked["Timestamp"].as_f64() {
        asked["Timestamp"] = json!(time.floor());
    }
    if operation == "PutRecords" && switches.refused > 0 {
        switches.refused -= 1;
        if let Some(records) = asked["Records"].as_array_mut()
            && records.len() > 1
        {
            let mut number = 0;
            records.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            return number / 2;
        }
    }
    0
}

/// Changes the answer in the same sense.
fn after(operation: &str, asked: &Value, refused: usize, answer: &mut Value) {
    if operation == "ListShards"
        && let Some(shard) = answer["NextToken"].as_str()
    {
        let stream = asked["StreamName"].as_str().unwrap_or_default();
        answer["NextToken"] = json!(format!("{stream}{OF}{shard}"));
    }
    if refused > 0
        && let Some(records) = answer["Records"].as_array_mut()
    {
        for (number, record) in std::mem::take(records).into_iter().enumerate() {
            records.push(record);
            if number < refused {
                records.push(json!({
                    "ErrorCode": "ProvisionedThroughputExceededException",
                    "ErrorMessage": "Rate exceeded for shard",
                }));
            }
        }
        answer["FailedRecordCount"] = json!(refused);
    }
}

/// A body over which the connection breaks, if it is to.
fn broken<E>(
    body: impl futures::Stream<Item = Result<Frame<Bytes>, E>> + Send + 'static,
    wrong: Option<&Wrong>,
) -> io::Result<Body>
where
    E: Into<io::Error> + Send + 'static,
{
    let body = body.map_err(Into::into);
    match wrong {
        Some(Wrong::LoseAnswer) => Err(io::Error::other("a fault loses the answer")),
        Some(Wrong::BreakAfter(bytes)) => {
            let mut left = *bytes;
            let some = body.map(move |frame| {
                let data = frame?.into_data().unwrap_or_default();
                if left == 0 {
                    return Err(io::Error::other("a fault breaks the connection"));
                }
                let data = data.slice(..data.len().min(left));
                left -= data.len();
                Ok(Frame::data(data))
            });
            let end = stream::iter([Err(io::Error::other("a fault breaks the connection"))]);
            Ok(BodyExt::boxed_unsync(StreamBody::new(some.chain(end))))
        }
        _ => Ok(BodyExt::boxed_unsync(StreamBody::new(body))),
    }
}

fn refused(status: u16, code: &str, message: &str) -> Result<Response<Body>, io::Error> {
    let body = json!({ "__type": code, "message": message }).to_string();
    let mut headers = HeaderMap::new();
    headers.insert("x-amzn-requestid", HeaderValue::from_static("TESTREQUEST"));
    headers.insert(
        "content-type",
        HeaderValue::from_static("application/x-amz-json-1.1"),
    );
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status.try_into().map_err(io::Error::other)?;
    *response.headers_mut() = headers;
    Ok(response)
}
