//! A server before another one that others wrote, so that things go wrong on the way there and back.

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fault::{Fault, Wrong};
use crate::listening::Listening;
use crate::lock;

/// Headers of one connection, which are not those of the next.
const OF_CONNECTION: [&str; 4] = [
    "connection",
    "content-length",
    "transfer-encoding",
    "keep-alive",
];

/// Gives requests to another server on loopback. It is for services whose requests name their
/// operation in `x-amz-target`, as DynamoDB's do. It ends when it is dropped.
#[derive(Debug)]
pub struct Forward {
    listening: Listening,
    faults: Arc<Mutex<Vec<Fault>>>,
}

impl Forward {
    /// Starts before the server on this port.
    pub fn start(port: u16) -> io::Result<Self> {
        let faults = Arc::<Mutex<Vec<Fault>>>::default();
        let serving = Arc::clone(&faults);
        let answer = move |request| answer(Arc::clone(&serving), port, request);
        Ok(Self {
            listening: Listening::start(0, answer)?,
            faults,
        })
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        self.listening.endpoint()
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        lock(&self.faults).clear();
    }

    /// Something goes wrong from now on. The key of a fault is looked for in the request's text.
    pub fn fail(&self, fault: Fault) {
        lock(&self.faults).push(fault);
    }
}

async fn answer(
    faults: Arc<Mutex<Vec<Fault>>>,
    port: u16,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, io::Error>>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let target = head.headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok()).unwrap_or("");
    let operation = target.rsplit('.').next().unwrap_or_default();
    let wrong = lock(&faults)
        .iter_mut()
        .find_map(|fault| fault.strikes(operation, &String::from_utf8_lossy(&body)));
    if let Some(Wrong::Status {
        status,
        code,
        message,
    }) = wrong
    {
        let body = format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}");
        return Response::builder()
            .status(status)
            .header("x-amzn-requestid", "TESTREQUEST")
            .body(
                Full::new(body.into())
                    .map_err(|never| match never {})
                    .boxed(),
            )
            .map_err(io::Error::other);
    }
    let mut text = format!("{} {} HTTP/1.0\r\n", head.method, head.uri);
    for (name, value) in &head.headers {
        if !OF_CONNECTION.contains(&name.as_str()) {
            text += &format!("{name}: {}\r\n", value.to_str().map_err(io::Error::other)?);
        }
    }
    text += &format!("content-length: {}\r\n\r\n", body.len());
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.write_all(&body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = b"\r\n\r\n";
    let at = answer.windows(end.len()).position(|bytes| bytes == end);
    let at = at.ok_or_else(|| io::Error::other("an answer without an end of its head"))?;
    let head = String::from_utf8_lossy(&answer[..at]).into_owned();
    let body = Bytes::from(answer).slice(at + end.len()..);

    let broken = || io::Error::other("a fault breaks the connection");
    let frames = match wrong {
        Some(Wrong::LoseAnswer) => return Err(broken()),
        Some(Wrong::BreakAfter(bytes)) => {
            let start = body.slice(..bytes.min(body.len()));
            vec![Ok(Frame::data(start)), Err(broken())]
        }
        _ => vec![Ok(Frame::data(body.clone()))],
    };
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or_default();
    let mut response = Response::builder()
        .status(status)
        .header("content-length", body.len());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if !OF_CONNECTION.contains(&name.to_ascii_lowercase().as_str()) {
            response = response.header(name, value);
        }
    }
    let body = BodyExt::boxed(StreamBody::new(stream::iter(frames)));
    response.body(body).map_err(io::Error::other)
}
