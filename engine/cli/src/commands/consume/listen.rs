//! `--listen`: `/healthz`, `/readyz` and `/metrics` over HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use loglens_engine::{Error, Owner};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::health::Health;
use super::metrics::Metrics;
use super::page;

/// Connections at a time: whoever asks waits for one.
const CONNECTIONS: usize = 64;

/// A connection lasts no longer.
const LONGEST: Duration = Duration::from_secs(60);

/// What answers tell of.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) health: Arc<Health>,
    pub(super) metrics: Arc<Metrics>,
}

/// A socket that listens.
#[derive(Debug)]
pub(super) struct Listener {
    listener: TcpListener,
    /// Where it listens; the port is one that is free if 0 was asked for.
    pub(super) address: SocketAddr,
}

impl Listener {
    pub(super) async fn bind(address: SocketAddr) -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            Error::new(Owner::External, format!("--listen {address}: {error}"))
                .hint("name an address of this machine and a port that is free")
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Answers until it is dropped.
    pub(super) async fn serve(self, told: Told) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = self.listener.accept().await else {
                // There may be too many open files for now.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let told = told.clone();
            tokio::spawn(async move {
                let _ = tokio::time::timeout(LONGEST, connection(stream, told)).await;
                drop(place);
            });
        }
    }
}

async fn connection(stream: TcpStream, told: Told) {
    let answer = service_fn(|request: Request<Incoming>| {
        let response = told.answer(request.method(), request.uri().path());
        async move { Ok::<_, Infallible>(response) }
    });
    // Whoever asked may be gone before the answer is there.
    let _ = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

impl Told {
    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        if ![Method::GET, Method::HEAD].contains(method) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n");
        }
        match path {
            "/healthz" => state(self.health.lives()),
            "/readyz" => state(self.health.is_ready()),
            "/metrics" => {
                let mut response = text(StatusCode::OK, self.metrics.page());
                let kind = HeaderValue::from_static(page::CONTENT_TYPE);
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            _ => text(
                StatusCode::NOT_FOUND,
                "there are /healthz, /readyz and /metrics\n",
            ),
        }
    }
}

fn state(state: Result<(), String>) -> Response<Full<Bytes>> {
    match state {
        Ok(()) => text(StatusCode::OK, "ok\n"),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
}
