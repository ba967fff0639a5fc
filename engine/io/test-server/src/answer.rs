//! From a request to its answer.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request, Response};

use crate::bucket::{Bucket, Content};
use crate::checksum::crc32;
use crate::fault::Wrong;
use crate::list::{Listing, escaped, of_token, page};
use crate::{Logged, State, lock, multipart};

type Body = BoxBody<Bytes, io::Error>;

/// Headers that the log keeps.
const LOGGED: [&str; 12] = [
    "range",
    "if-match",
    "if-none-match",
    "x-amz-request-payer",
    "authorization",
    "host",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
];

/// Who asks, whatever the credentials.
const CALLER: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/auditor</Arn>\
    <UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
    </GetCallerIdentityResponse>";

/// An answer before it is sent.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Answer {
    fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn error(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{}</Message>\
             <RequestId>TESTREQUEST</RequestId></Error>",
            escaped(message)
        );
        Self::new(status, body)
    }

    /// An error as STS has it.
    fn of_sts(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error>\
             <RequestId>TESTREQUEST</RequestId></ErrorResponse>",
            escaped(message)
        );
        Self::new(status, body)
    }
}

/// What is asked for, read from a request.
struct Asked {
    operation: &'static str,
    bucket: String,
    key: String,
    parameters: BTreeMap<String, String>,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

/// Answers a request.
pub(crate) async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let asked = read(request).await?;
    let latency = {
        let mut busy = lock(&state.busy);
        busy.now += 1;
        busy.most = busy.most.max(busy.now);
        *lock(&state.latency)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let wrong = lock(&state.faults)
        .iter_mut()
        .find_map(|fault| fault.strikes(asked.operation, &asked.key));
    let mut answer = match &wrong {
        Some(Wrong::Status {
            status,
            code,
            message,
        }) if asked.operation == "GetCallerIdentity" => Answer::of_sts(*status, code, message),
        Some(Wrong::Status {
            status,
            code,
            message,
        }) => Answer::error(*status, code, message),
        _ => carry_out(&state, &asked),
    };
    lock(&state.busy).now -= 1;
    if let Some(date) = &*lock(&state.date) {
        answer.headers.push(("date", date.clone()));
    }
    let mut details: BTreeMap<&'static str, String> = LOGGED
        .iter()
        .filter_map(|name| Some((*name, asked.header(name)?.to_owned())))
        .collect();
    if let Some(after) = asked.parameter("start-after") {
        details.insert("start-after", after.to_owned());
    }
    lock(&state.log).push(Logged {
        operation: asked.operation,
        bucket: asked.bucket.clone(),
        key: asked.key.clone(),
        details,
        status: answer.status,
    });
    send(answer, wrong.as_ref(), asked.operation == "HeadObject")
}

fn send(
    mut answer: Answer,
    wrong: Option<&Wrong>,
    head: bool,
) -> Result<Response<Body>, io::Error> {
    let broken = || io::Error::other("a fault breaks the connection");
    let length = answer.body.len();
    let body = match wrong {
        Some(Wrong::LoseAnswer) => return Err(broken()),
        Some(Wrong::BreakAfter(bytes)) => {
            let start = answer.body.slice(..(*bytes).min(length));
            let frames = [Ok(Frame::data(start)), Err(broken())];
            BodyExt::boxed(StreamBody::new(stream::iter(frames)))
        }
        Some(Wrong::Corrupt) => {
            let mut bytes = BytesMut::from(&answer.body[..]);
            bytes[length / 2] ^= 1;
            full(bytes.freeze())
        }
        _ if head => full(Bytes::new()),
        _ => full(answer.body),
    };
    answer
        .headers
        .push(("x-amz-request-id", "TESTREQUEST".to_owned()));
    answer.headers.push(("content-length", length.to_string()));
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(
            name,
            HeaderValue::from_str(&value).map_err(io::Error::other)?,
        );
    }
    response.body(body).map_err(io::Error::other)
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never: Infallible| match never {})
        .boxed()
}

async fn read(request: Request<Incoming>) -> Result<Asked, io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = decoded(parts.uri.path());
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let parameters: BTreeMap<String, String> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let has = |name: &str| parameters.contains_key(name);
    let copies = parts.headers.contains_key("x-amz-copy-source");
    let operation = match parts.method {
        Method::GET if key.is_empty() && has("uploads") => "ListMultipartUploads",
        Method::GET if key.is_empty() => "ListObjectsV2",
        Method::GET => "GetObject",
        Method::HEAD if key.is_empty() => "HeadBucket",
        Method::HEAD => "HeadObject",
        Method::PUT if key.is_empty() => "CreateBucket",
        Method::PUT if has("partNumber") => "UploadPart",
        Method::PUT if copies => "CopyObject",
        Method::PUT => "PutObject",
        Method::POST if body.starts_with(b"Action=GetCallerIdentity") => "GetCallerIdentity",
        Method::POST if has("uploads") => "CreateMultipartUpload",
        Method::POST if has("uploadId") => "CompleteMultipartUpload",
        Method::DELETE if has("uploadId") => "AbortMultipartUpload",
        Method::DELETE => "DeleteObject",
        _ => "unknown",
    };
    let chunked = parts
        .headers
        .get("x-amz-content-sha256")
        .is_some_and(|value| value.as_bytes().starts_with(b"STREAMING-"));
    let key = match operation {
        "ListObjectsV2" => parameters.get("prefix").cloned().unwrap_or_default(),
        _ => key.to_owned(),
    };
    Ok(Asked {
        operation,
        bucket: bucket.to_owned(),
        key,
        parameters,
        headers: parts.headers,
        body: if chunked { unchunked(&body) } else { body },
    })
}

fn carry_out(state: &State, asked: &Asked) -> Answer {
    if asked.operation == "GetCallerIdentity" {
        return Answer::new(200, CALLER);
    }
    let mut buckets = lock(&state.buckets);
    if asked.operation == "CreateBucket" {
        buckets.entry(asked.bucket.clone()).or_default();
        return Answer::new(200, "");
    }
    let Some(bucket) = buckets.get_mut(&asked.bucket) else {
        return Answer::error(404, "NoSuchBucket", "The specified bucket does not exist");
    };
    if let Some(refused) = refuse(bucket, asked) {
        return refused;
    }
    match asked.operation {
        "ListObjectsV2" => list(bucket, asked),
        "HeadBucket" => Answer::new(200, ""),
        "GetObject" | "HeadObject" => get(bucket, asked),
        "PutObject" => put(bucket, asked),
        "CopyObject" => copy(bucket, asked),
        "DeleteObject" => {
            bucket.objects.remove(&asked.key);
            Answer::new(204, "")
        }
        "CreateMultipartUpload" => {
            let id = multipart::begin(bucket, &asked.key);
            Answer::new(
                200,
                format!(
                    "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key>\
                     <UploadId>{id}</UploadId></InitiateMultipartUploadResult>",
                    asked.bucket,
                    escaped(&asked.key)
                ),
            )
        }
        "UploadPart" | "AbortMultipartUpload" | "CompleteMultipartUpload" => upload(bucket, asked),
        "ListMultipartUploads" => Answer::new(200, multipart::open(bucket)),
        _ => Answer::error(501, "NotImplemented", "this server does not do that"),
    }
}

fn refuse(bucket: &Bucket, asked: &Asked) -> Option<Answer> {
    if let (Some(region), Some(signed)) = (&bucket.region, asked.header("authorization"))
        && !signed.contains(&format!("/{region}/s3/"))
    {
        let error = Answer::error(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint.",
        );
        return Some(error.with("x-amz-bucket-region", region));
    }
    let pays = asked.header("x-amz-request-payer") == Some("requester");
    (bucket.requester_pays && !pays).then(|| Answer::error(403, "AccessDenied", "Access Denied"))
}

fn list(bucket: &Bucket, asked: &Asked) -> Answer {
    let after = match asked.parameter("continuation-token") {
        Some(token) => of_token(token),
        None => Some(
            asked
                .parameter("start-after")
                .unwrap_or_default()
                .to_owned(),
        ),
    };
    let Some(after) = after else {
        return Answer::error(
            400,
            "InvalidArgument",
            "The continuation token provided is incorrect",
        );
    };
    let listing = Listing {
        prefix: asked.key.clone(),
        delimiter: asked.parameter("delimiter").map(str::to_owned),
        after,
        most: asked
            .parameter("max-keys")
            .and_then(|most| most.parse().ok()),
        encoded: asked.parameter("encoding-type") == Some("url"),
    };
    Answer::new(200, page(&asked.bucket, bucket, &listing))
}

fn get(bucket: &Bucket, asked: &Asked) -> Answer {
    let Some(stored) = bucket.objects.get(&asked.key) else {
        return match asked.operation {
            "HeadObject" => Answer::new(404, ""),
            _ => Answer::error(404, "NoSuchKey", "The specified key does not exist."),
        };
    };
    if asked
        .header("if-match")
        .is_some_and(|etag| etag != stored.etag)
    {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Answer::error(412, "PreconditionFailed", message);
    }
    if asked.header("if-none-match") == Some(&stored.etag) {
        return Answer::new(304, "");
    }
    let all = stored.content.bytes(&asked.key);
    let size = all.len();
    let answer = match asked.header("range").map(|range| span(range, size)) {
        None => {
            let sum = asked.header("x-amz-checksum-mode").map(|_| crc32(&all));
            let answer = Answer::new(200, all);
            match sum {
                Some(sum) => answer.with("x-amz-checksum-crc32", sum),
                None => answer,
            }
        }
        Some(Some((first, end))) => Answer::new(206, all.slice(first..end))
            .with("content-range", format!("bytes {first}-{}/{size}", end - 1)),
        Some(None) => {
            return Answer::error(
                416,
                "InvalidRange",
                "The requested range is not satisfiable",
            );
        }
    };
    answer
        .with("etag", stored.etag.clone())
        .with("accept-ranges", "bytes")
}

/// The bytes that a range means.
fn span(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, end) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, (last + 1).min(size)),
        (Ok(first), Err(_)) => (first, size),
        (Err(_), Ok(last)) => (size.saturating_sub(last), size),
        _ => return None,
    };
    (first < end).then_some((first, end))
}

/// Whether the conditions of a write hold.
fn conditions(bucket: &Bucket, asked: &Asked) -> Option<Answer> {
    let there = bucket.objects.get(&asked.key);
    let message = "At least one of the pre-conditions you specified did not hold";
    if asked.header("if-none-match") == Some("*") && there.is_some() {
        return Some(Answer::error(412, "PreconditionFailed", message));
    }
    let etag = asked.header("if-match")?;
    match there {
        None => Some(Answer::error(
            404,
            "NoSuchKey",
            "The specified key does not exist.",
        )),
        Some(stored) if stored.etag != etag => {
            Some(Answer::error(412, "PreconditionFailed", message))
        }
        Some(_) => None,
    }
}

fn put(bucket: &mut Bucket, asked: &Asked) -> Answer {
    if let Some(refused) = conditions(bucket, asked) {
        return refused;
    }
    bucket.put(&asked.key, asked.body.clone());
    etag_of(bucket, &asked.key, Answer::new(200, ""))
}

fn copy(bucket: &mut Bucket, asked: &Asked) -> Answer {
    let from = decoded(asked.header("x-amz-copy-source").unwrap_or_default());
    let key = from.split_once('/').map_or("", |(_, key)| key);
    let Some(bytes) = bucket.get(key) else {
        return Answer::error(404, "NoSuchKey", "The specified key does not exist.");
    };
    bucket.put_content(&asked.key, Content::Bytes(bytes));
    let etag = &bucket.objects[&asked.key].etag;
    let body = format!(
        "<CopyObjectResult><ETag>{}</ETag></CopyObjectResult>",
        escaped(etag)
    );
    Answer::new(200, body)
}

fn upload(bucket: &mut Bucket, asked: &Asked) -> Answer {
    let id = asked.parameter("uploadId").unwrap_or_default();
    let gone = |code| Answer::error(if code == "NoSuchUpload" { 404 } else { 400 }, code, "");
    match asked.operation {
        "UploadPart" => {
            let number = asked
                .parameter("partNumber")
                .and_then(|number| number.parse().ok());
            match multipart::part(bucket, id, number.unwrap_or(0), asked.body.clone()) {
                Some(etag) => Answer::new(200, "").with("etag", etag),
                None => gone("NoSuchUpload"),
            }
        }
        "AbortMultipartUpload" => match bucket.uploads.remove(id) {
            Some(_) => Answer::new(204, ""),
            None => gone("NoSuchUpload"),
        },
        _ => {
            if let Some(refused) = conditions(bucket, asked) {
                return refused;
            }
            match multipart::complete(bucket, id) {
                Ok(etag) => Answer::new(
                    200,
                    format!(
                        "<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>",
                        escaped(&etag)
                    ),
                ),
                Err(code) => gone(code),
            }
        }
    }
}

fn etag_of(bucket: &Bucket, key: &str, answer: Answer) -> Answer {
    match bucket.objects.get(key) {
        Some(stored) => answer.with("etag", stored.etag.clone()),
        None => answer,
    }
}

/// A body out of AWS's chunks: a size in hexadecimal, a line end, the bytes, a line end.
fn unchunked(body: &Bytes) -> Bytes {
    let mut bytes = BytesMut::new();
    let mut rest = &body[..];
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let size = std::str::from_utf8(&rest[..at]).unwrap_or("0");
        let size = size.split(';').next().unwrap_or("0");
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 || rest.len() < at + 2 + size {
            break;
        }
        bytes.extend_from_slice(&rest[at + 2..at + 2 + size]);
        rest = rest.get(at + 4 + size..).unwrap_or_default();
    }
    bytes.freeze()
}

/// Text without its percent encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
