//! Thousands of small objects from S3: loglens against a client that does nothing else.
//!
//! The server is the one of the tests, in a thread of this process. With latency every answer
//! begins so much later, and what counts is how many requests are kept under way; without, what a
//! request costs. The bare client asks for the same objects over as many connections and inflates
//! them.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

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
        let (mut ours, mut bare, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..arguments.runs {
            server.forget();
            let (seconds, peak, rows) = ask(&loglens, &server)?;
            is_right &= rows == arguments.objects * LINES;
            ours.push(seconds);
            peaks.push(peak);
            let begun = Instant::now();
            is_right &= fetch(&server, arguments.objects)? == arguments.objects * LINES;
            bare.push(begun.elapsed().as_secs_f64());
        }
        let (ours, bare) = (median(&mut ours), median(&mut bare));
        let rate = arguments.objects as f64 / ours;
        println!(
            "{latency} ms: loglens {ours:.2} s, {rate:.0} objects a second, {:.0} MB at most; bare {bare:.2} s: {:.0} % of its pace",
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

/// Lines of all objects, asked for over as many connections.
fn fetch(server: &Server, objects: usize) -> Result<usize> {
    let fail = |error: std::io::Error| Error::new(error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(fail)?;
    let address = server.endpoint().trim_start_matches("http://").to_owned();
    let next = Arc::new(AtomicUsize::new(0));
    let lines = runtime.block_on(async {
        let clients = (0..UNDER_WAY)
            .map(|_| tokio::spawn(client(address.clone(), Arc::clone(&next), objects)));
        let mut lines = 0;
        for client in clients.collect::<Vec<_>>() {
            lines += client.await.map_err(std::io::Error::other)??;
        }
        Ok::<usize, std::io::Error>(lines)
    });
    lines.map_err(fail)
}

async fn client(address: String, next: Arc<AtomicUsize>, objects: usize) -> std::io::Result<usize> {
    let mut stream = BufReader::new(TcpStream::connect(&address).await?);
    stream.get_ref().set_nodelay(true)?;
    let (mut lines, mut body, mut text) = (0, Vec::new(), Vec::new());
    loop {
        let number = next.fetch_add(1, Relaxed);
        if number >= objects {
            return Ok(lines);
        }
        let request = format!(
            "GET /{BUCKET}/{} HTTP/1.1\r\nhost: {address}\r\n\r\n",
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
        text.clear();
        MultiGzDecoder::new(&body[..]).read_to_end(&mut text)?;
        lines += memchr::memchr_iter(b'\n', &text).count() - 1;
    }
}

fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
