//! `up` and `down`: a bucket of sample logs and a stream on loopback, for whoever has no account at AWS.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::{Error, no_arguments};
use crate::workspace::{self, Workspace};

const BUCKET: &str = "org-logs";
const STREAM: &str = "flow-logs";
const SHARDS: usize = 2;

/// A server of the workspace. Its port is always the same, so that what was exported stays right.
struct Server {
    program: &'static str,
    port: u16,
}

const OF_OBJECTS: Server = Server {
    program: "loglens-test-server",
    port: 9311,
};
const OF_STREAMS: Server = Server {
    program: "loglens-kinesis-server",
    port: 9312,
};

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// Files of `testdata`, and their keys as AWS writes them.
const SAMPLES: &[(&str, &str)] = &[
    (
        "vpcflow/otel-v2-multi.log",
        "AWSLogs/123456789010/vpcflowlogs/us-east-1/2014/12/14/123456789010_vpcflowlogs_us-east-1_fl-0a1b2c3d4e5f60718_20141214T0405Z_1a2b3c4d.log",
    ),
    (
        "vpcflow/vrl-v5.log",
        "AWSLogs/123456789010/vpcflowlogs/us-east-1/2021/03/26/123456789010_vpcflowlogs_us-east-1_fl-0a1b2c3d4e5f60719_20210326T0325Z_2b3c4d5e.log",
    ),
    (
        "alb/crowdsec-nikto.log",
        "AWSLogs/123456789012/elasticloadbalancing/us-east-2/2023/04/26/123456789012_elasticloadbalancing_us-east-2_app.api.490d68edf04676fe_20230426T1225Z_192.0.2.1_3c4d5e6f.log",
    ),
    (
        "nlb/otel-valid.log",
        "AWSLogs/123456789012/elasticloadbalancing/us-east-2/2020/04/01/123456789012_elasticloadbalancing_us-east-2_net.my-network-loadbalancer.c6e77e28c25b2234_20200401T0855Z_4d5e6f70.log",
    ),
];

/// Files of CloudTrail have AWS's names; this is their folder.
const CLOUDTRAIL: &str = "AWSLogs/218007301253/CloudTrail/us-east-1/2023/07/10/";

/// Starts the servers, unless they run, and says how to use them.
pub(crate) fn up(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    no_arguments("up", arguments)?;
    let objects = objects(&workspace.root().join("testdata"))?;
    let bucket = [vec![BUCKET.to_owned()], objects].concat();
    start_unless_it_runs(workspace, &OF_OBJECTS, &bucket)?;
    start_unless_it_runs(workspace, &OF_STREAMS, &[format!("{STREAM}={SHARDS}")])?;
    println!(
        "export AWS_ENDPOINT_URL=http://127.0.0.1:{}",
        OF_OBJECTS.port
    );
    println!(
        "export AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:{}",
        OF_STREAMS.port
    );
    println!("export AWS_ACCESS_KEY_ID=sample AWS_SECRET_ACCESS_KEY=sample AWS_REGION=us-east-1");
    eprintln!(
        "\nWith these, or after eval \"$(cargo xtask up)\":\n  \
         loglens tables s3://{BUCKET}/\n  \
         loglens query \"SELECT eventname, count(*) FROM cloudtrail_logs GROUP BY 1 ORDER BY 2 DESC LIMIT 5\" s3://{BUCKET}/\n  \
         loglens generate vpc_flow_logs --rows 10000 --to kinesis://{STREAM}\n  \
         loglens consume kinesis://{STREAM} --to s3://{BUCKET}/lake/ --leases /tmp/leases --cut-age 5s\n\
         The stream has {SHARDS} shards, and goes with its server; so remove /tmp/leases then.\n\
         `cargo xtask down` ends the servers."
    );
    Ok(())
}

/// Ends the servers.
pub(crate) fn down(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    no_arguments("down", arguments)?;
    let target = workspace.target_folder()?;
    for server in [OF_OBJECTS, OF_STREAMS] {
        let running = Running::of(&target, &server);
        match running.process() {
            None => eprintln!("{} does not run", server.program),
            Some(process) => {
                let mut kill = Command::new("kill");
                kill.arg(&process);
                workspace::run(kill)?;
                eprintln!("ended {}, process {process}", server.program);
            }
        }
        running.forget();
    }
    Ok(())
}

fn start_unless_it_runs(
    workspace: &Workspace,
    server: &Server,
    arguments: &[String],
) -> Result<(), Error> {
    let target = workspace.target_folder()?;
    let running = Running::of(&target, server);
    if running.process().is_none() {
        workspace::run(workspace.cargo(&["build", "--locked", "--package", server.program]))?;
        let program = target.join("debug").join(server.program);
        let log = target.join(format!("{}.log", server.program));
        running.write(start(&program, server, arguments, &log)?.id())?;
    }
    Ok(())
}

/// The file that says which process is a server.
struct Running {
    file: PathBuf,
    program: &'static str,
}

impl Running {
    fn of(target: &Path, server: &Server) -> Self {
        Self {
            file: target.join(format!("{}.process", server.program)),
            program: server.program,
        }
    }

    /// The number of the process, if that is still the server: numbers are given again.
    fn process(&self) -> Option<String> {
        let process = fs::read_to_string(&self.file).ok()?;
        let mut ps = Command::new("ps");
        ps.args(["-o", "args=", "-p", &process]);
        let is_server = workspace::read(ps).ok()?.contains(self.program);
        is_server.then_some(process)
    }

    fn write(&self, process: u32) -> Result<(), Error> {
        fs::write(&self.file, process.to_string())
            .map_err(|error| Error::Failed(format!("{}: {error}", self.file.display())))
    }

    fn forget(&self) {
        // There may be none.
        let _ = fs::remove_file(&self.file);
    }
}

/// The keys and files of the samples, as the server takes them.
fn objects(testdata: &Path) -> Result<Vec<String>, Error> {
    let samples = SAMPLES.iter();
    let mut objects: Vec<_> = samples
        .map(|(file, key)| format!("{key}={}", testdata.join(file).display()))
        .collect();
    let folder = testdata.join("cloudtrail");
    let failed = |error| Error::Failed(format!("{}: {error}", folder.display()));
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains("_CloudTrail_") {
            let file = entry.path();
            objects.push(format!("{CLOUDTRAIL}{name}={}", file.display()));
        }
    }
    Ok(objects)
}

/// Starts a server, which goes on when this task is over, and waits until it answers.
fn start(
    program: &Path,
    server: &Server,
    arguments: &[String],
    log: &Path,
) -> Result<Child, Error> {
    let failed = |what: &Path, error| Error::Failed(format!("{}: {error}", what.display()));
    let mut process = Command::new(program)
        .arg(server.port.to_string())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log).map_err(|error| failed(log, error))?)
        // Ctrl-C in the terminal is not meant for it.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(program, error))?;
    let start = Instant::now();
    loop {
        if let Ok(Some(_)) = process.try_wait() {
            let why = fs::read_to_string(log).unwrap_or_default();
            return Err(Error::Failed(format!(
                "{}: {}",
                server.program,
                why.trim_end()
            )));
        }
        if TcpStream::connect(("127.0.0.1", server.port)).is_ok() {
            return Ok(process);
        }
        if start.elapsed() > PATIENCE {
            let _ = process.kill();
            return Err(Error::Failed(format!("{} does not answer", server.program)));
        }
        sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_there() {
        let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
        let objects = objects(&testdata).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(objects.len(), SAMPLES.len() + 8);
        for object in objects {
            let (key, file) = object.split_once('=').unwrap_or_else(|| panic!("{object}"));
            assert!(key.starts_with("AWSLogs/"), "{key}");
            assert!(Path::new(file).is_file(), "{file}");
        }
    }
}
