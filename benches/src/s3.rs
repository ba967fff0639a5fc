//! Thousands of small objects from S3: loglens against clients that do nothing else.
//!
//! The server is the one of the tests, in a thread of this process. With latency every answer
//! begins so much later, and what counts is how many requests are kept under way; without, what a
//! request costs. Two clients ask for the same objects, as many at a time, and inflate them: one
//! with AWS's SDK, as loglens does, and one that writes requests to a socket, which is a floor.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use aws_sdk_s3::config::Region;
use aws_sdk_s3::{Client, Config};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use loglens_test_server::{Bucket, Content, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::arguments::S3;
use crate::error::{Error, Result};
use crate::loglens::Loglens;

const BUCKET: &str = "bench";

/// Requests that loglens has under way at a time when it reads small objects.
const UNDER_WAY: usize = 128;

/// Objects of a day: one for each five minutes.
const OF_A_DAY: usize = 288;

/// Lines of an object: some 20 KB of gzip.
const LINES: usize = 800;

/// Runs both and prints what they took.
pub(crate) fn run(arguments: &S3) -> Result<bool> {
    let fail = |error: std::io::Error| Error::new(error.to_string());
    let loglens = Loglens::find(arguments.loglens.as_deref())?;
    let object = object();
    let server = Server::start().map_err(fail)?;
    server.add(BUCKET, bucket(arguments.objects, &object));
    println!(
        "{} objects of {} bytes; medians of {} runs in turn",
        arguments.objects,
        object.len(),
        arguments.runs
    );
    let mut is_right = true;
    for latency in [0, arguments.latency_ms] {
        server.delay(Duration::from_millis(latency));
        let (mut ours, mut peaks) = (Vec::new(), Vec::new());
        let (mut bare, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..arguments.runs {
            server.forget();
            let (seconds, peak, rows) = ask(&loglens, &server)?;
            is_right &= rows == arguments.objects * LINES;
            ours.push(seconds);
            peaks.push(peak);
            for (kind, seconds) in [(Kind::Sdk, &mut bare), (Kind::Socket, &mut floor)] {
                let begun = Instant::now();
                let rows = fetch(&server, arguments.objects, kind)?;
                is_right &= rows == arguments.objects * LINES;
                seconds.push(begun.elapsed().as_secs_f64());
            }
        }
        let (ours, bare, floor) = (median(&mut ours), median(&mut bare), median(&mut floor));
        let rate = arguments.objects as f64 / ours;
        println!(
            "{latency} ms: loglens {ours:.2} s, {rate:.0} objects a second, {:.0} MB at most; \
             SDK alone {bare:.2} s: {:.0} % of its pace; socket {floor:.2} s",
            peaks.iter().max().copied().unwrap_or(0) as f64 / 1e6,
            bare / ours * 100.0
        );
        if latency > 0 {
            let bound = UNDER_WAY as f64 / (latency as f64 / 1e3);
            println!(
                "        {:.0} % of {bound:.0}: {UNDER_WAY} requests under way",
                rate / bound * 100.0
            );
        }
    }
    Ok(is_right)
}

/// A client that does nothing else.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// With AWS's SDK.
    Sdk,
    /// With requests written to a socket.
    Socket,
}

/// Flow logs, compressed.
fn object() -> Vec<u8> {
    let mut text = String::from(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n",
    );
    let mut state = 1_u64;
    let mut number = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..LINES {
        text.push_str(&format!(
            "2 123456789010 eni-0a1b2c3d4e5f6a7b8 10.0.{}.{} 10.1.{}.{} {} 443 6 {} {} 17678{}{:04} 1767890000 ACCEPT OK\n",
            number(8), number(256), number(8), number(256), 1024 + number(60_000),
            number(100), number(100_000), number(10), number(10_000),
        ));
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = std::io::Write::write_all(&mut encoder, text.as_bytes());
    // Writing to memory does not fail.
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

fn bucket(objects: usize, object: &[u8]) -> Bucket {
    let bytes = bytes::Bytes::copy_from_slice(object);
    let mut bucket = Bucket::new();
    for number in 0..objects {
        let content = bytes.clone();
        bucket.put_content(
            &key(number),
            Content::Made {
                size: object.len() as u64,
                make: Arc::new(move |_| content.clone()),
            },
        );
    }
    bucket
}

fn key(number: usize) -> String {
    let (day, of_day) = (number / OF_A_DAY, number % OF_A_DAY);
    let (month, day) = (day / 28 + 1, day % 28 + 1);
    let (hour, minute) = (of_day / 12, of_day % 12 * 5);
    format!(
        "AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/{month:02}/{day:02}/123456789010_vpcflowlogs_us-east-1_fl-1_2026{month:02}{day:02}T{hour:02}{minute:02}Z_{number:08}.log.gz"
    )
}

/// Seconds, peak of memory in bytes, rows.
fn ask(loglens: &Loglens, server: &Server) -> Result<(f64, u64, usize)> {
    let endpoint = server.endpoint();
    let options = ["--endpoint-url", &endpoint, "--path-style", "--anonymous"];
    let sql = "SELECT count(srcaddr) AS rows FROM vpc_flow_logs";
    let place = format!("s3://{BUCKET}/");
    let (measured, answer) = loglens.run(2, &options, sql, Some(Path::new(&place)))?;
    let digits = format!("{answer:?}")
        .chars()
        .filter(char::is_ascii_digit)
        .collect::<String>();
    let rows = digits.parse().unwrap_or(0);
    Ok((measured.seconds, measured.peak_bytes, rows))
}

/// Lines of all objects.
fn fetch(server: &Server, objects: usize, kind: Kind) -> Result<usize> {
    let fail = |error: std::io::Error| Error::new(error.to_string());
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(fail)?;
    let numbers = Arc::new(Numbers {
        next: AtomicUsize::new(0),
        end: objects,
    });
    let endpoint = server.endpoint();
    let sdk = sdk(&endpoint);
    let lines = runtime.block_on(async {
        let clients: Vec<_> = (0..UNDER_WAY)
            .map(|_| {
                let numbers = Arc::clone(&numbers);
                match kind {
                    Kind::Sdk => tokio::spawn(with_sdk(sdk.clone(), numbers)),
                    Kind::Socket => tokio::spawn(with_socket(endpoint.clone(), numbers)),
                }
            })
            .collect();
        let mut lines = 0;
        for client in clients {
            lines += client.await.map_err(std::io::Error::other)??;
        }
        Ok::<usize, std::io::Error>(lines)
    });
    lines.map_err(fail)
}

/// The numbers of the objects, each given once.
struct Numbers {
    next: AtomicUsize,
    end: usize,
}

impl Numbers {
    fn next(&self) -> Option<usize> {
        let next = self.next.fetch_add(1, Relaxed);
        (next < self.end).then_some(next)
    }
}

fn sdk(endpoint: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = Config::builder()
        .behavior_version_latest()
        .endpoint_url(endpoint)
        .force_path_style(true)
        .region(Region::new("us-east-1"))
        .http_client(http)
        .allow_no_auth()
        .build();
    Client::from_conf(config)
}

async fn with_sdk(client: Client, numbers: Arc<Numbers>) -> std::io::Result<usize> {
    let mut lines = 0;
    while let Some(number) = numbers.next() {
        let request = client.get_object().bucket(BUCKET).key(key(number));
        let answer = request.send().await.map_err(std::io::Error::other)?;
        let body = answer.body.collect().await.map_err(std::io::Error::other)?;
        lines += lines_of(&body.into_bytes())?;
    }
    Ok(lines)
}

async fn with_socket(endpoint: String, numbers: Arc<Numbers>) -> std::io::Result<usize> {
    let host = endpoint.trim_start_matches("http://");
    let mut stream = BufReader::new(TcpStream::connect(host).await?);
    stream.get_ref().set_nodelay(true)?;
    let (mut lines, mut body) = (0, Vec::new());
    while let Some(number) = numbers.next() {
        let request = format!(
            "GET /{BUCKET}/{} HTTP/1.1\r\nhost: {host}\r\n\r\n",
            key(number)
        );
        stream.get_mut().write_all(request.as_bytes()).await?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
        lines += lines_of(&body)?;
    }
    Ok(lines)
}

/// Records of an object.
fn lines_of(compressed: &[u8]) -> std::io::Result<usize> {
    let mut text = Vec::new();
    MultiGzDecoder::new(compressed).read_to_end(&mut text)?;
    Ok(memchr::memchr_iter(b'\n', &text).count() - 1)
}

fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
