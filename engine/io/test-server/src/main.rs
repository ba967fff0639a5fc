//! The server as a program, for trying things out: `loglens-test-server PORT BUCKET KEY=FILE...`.
#![allow(clippy::print_stderr, reason = "it says why it did not start")]

use std::process::ExitCode;

use loglens_test_server::{Bucket, Server};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match start(&arguments) {
        // It runs until somebody ends it.
        Ok(_server) => loop {
            std::thread::park();
        },
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &[String]) -> Result<Server, String> {
    let [port, name, objects @ ..] = arguments else {
        return Err("usage: loglens-test-server PORT BUCKET KEY=FILE...".to_owned());
    };
    let port = port.parse().map_err(|_| format!("{port}: not a port"))?;
    let mut bucket = Bucket::new();
    for object in objects {
        let (key, file) = object
            .split_once('=')
            .ok_or_else(|| format!("{object}: not KEY=FILE"))?;
        let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        bucket.put(key, bytes);
    }
    let server = Server::start_at(port).map_err(|error| format!("port {port}: {error}"))?;
    server.add(name, bucket);
    Ok(server)
}
