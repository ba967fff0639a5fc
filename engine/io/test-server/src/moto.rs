//! moto, which others wrote: S3 and DynamoDB.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Names the Python that has moto.
const PYTHON: &str = "LOGLENS_MOTO_PYTHON";

/// A running server of moto, with an empty bucket. It ends when it is dropped.
#[derive(Debug)]
pub struct Moto {
    server: Child,
    /// Where it listens, on loopback.
    pub port: u16,
}

impl Moto {
    /// Starts moto; None where it is not installed. `cargo xtask test` installs it and names its Python.
    ///
    /// # Panics
    ///
    /// If it does not start, and where `CI` is set if it is not installed: nobody would see that tests
    /// were passed over.
    #[expect(
        clippy::print_stderr,
        reason = "who runs tests should know what is passed over"
    )]
    pub fn start() -> Option<Self> {
        let Some(python) = std::env::var_os(PYTHON) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "{PYTHON} is not set: `cargo xtask ci` installs moto and sets it"
            );
            eprintln!("passed over: {PYTHON} is not set; `cargo xtask test` installs moto");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/moto/server.py");
        let started = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .and_then(listening);
        Some(started.unwrap_or_else(|error| panic!("moto: {error}")))
    }
}

/// Waits until it says its port.
fn listening(mut server: Child) -> io::Result<Moto> {
    let mut line = String::new();
    if let Some(said) = server.stdout.take() {
        BufReader::new(said).read_line(&mut line)?;
    }
    let port = line.trim().parse().map_err(io::Error::other)?;
    Ok(Moto { server, port })
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
