//! The server as a program, for trying things out: `loglens-kinesis-server PORT STREAM=SHARDS...`.
#![allow(clippy::print_stderr, reason = "it says why it did not start")]

use std::process::ExitCode;

use loglens_kinesis_server::{Options, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match start(&arguments).await {
        // It runs until somebody ends it.
        Ok(_server) => std::future::pending().await,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn start(arguments: &[String]) -> Result<Server, String> {
    let [port, streams @ ..] = arguments else {
        return Err("usage: loglens-kinesis-server PORT STREAM=SHARDS...".to_owned());
    };
    let port = port.parse().map_err(|_| format!("{port}: not a port"))?;
    let server = Server::start_with(port, Options::default());
    let server = server.map_err(|error| format!("port {port}: {error}"))?;
    server.limit_reads();
    for stream in streams {
        let shards = stream
            .split_once('=')
            .and_then(|(name, shards)| shards.parse().ok().map(|shards| (name, shards)));
        let (name, shards) = shards.ok_or_else(|| format!("{stream}: not STREAM=SHARDS"))?;
        server.create(name, shards).await?;
    }
    Ok(server)
}
