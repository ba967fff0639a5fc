//! `up` and `down`: a bucket of sample logs on loopback, for whoever has no account at AWS.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::{Error, no_arguments};
use crate::workspace::{self, Workspace};

const PROGRAM: &str = "loglens-test-server";
/// Always the same, so that what was exported stays right.
const PORT: u16 = 9311;
const BUCKET: &str = "org-logs";

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

/// Starts the server, unless it runs, and says how to use it.
pub(crate) fn up(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    no_arguments("up", arguments)?;
    let target = workspace.target_folder()?;
    let running = Running::of(&target);
    if running.process().is_none() {
        workspace::run(workspace.cargo(&["build", "--locked", "--package", PROGRAM]))?;
        let objects = objects(&workspace.root().join("testdata"))?;
        let log = target.join("test-server.log");
        let server = start(&target.join("debug").join(PROGRAM), &objects, &log)?;
        running.write(server.id())?;
    }
    println!("export AWS_ENDPOINT_URL=http://127.0.0.1:{PORT}");
    println!("export AWS_ACCESS_KEY_ID=sample AWS_SECRET_ACCESS_KEY=sample AWS_REGION=us-east-1");
    eprintln!(
        "\nWith these, or after eval \"$(cargo xtask up)\":\n  \
         loglens tables s3://{BUCKET}/\n  \
         loglens query \"SELECT eventname, count(*) FROM cloudtrail_logs GROUP BY 1 ORDER BY 2 DESC LIMIT 5\" s3://{BUCKET}/\n\
         `cargo xtask down` ends the server."
    );
    Ok(())
}

/// Ends the server.
pub(crate) fn down(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    no_arguments("down", arguments)?;
    let running = Running::of(&workspace.target_folder()?);
    match running.process() {
        None => eprintln!("no server runs"),
        Some(process) => {
            let mut kill = Command::new("kill");
            kill.arg(&process);
            workspace::run(kill)?;
            eprintln!("ended process {process}");
        }
    }
    running.forget();
    Ok(())
}

/// The file that says which process is the server.
struct Running(PathBuf);

impl Running {
    fn of(target: &Path) -> Self {
        Self(target.join("test-server.process"))
    }

    /// The number of the process, if that is still the server: numbers are given again.
    fn process(&self) -> Option<String> {
        let process = fs::read_to_string(&self.0).ok()?;
        let mut ps = Command::new("ps");
        ps.args(["-o", "args=", "-p", &process]);
        let is_server = workspace::read(ps).ok()?.contains(PROGRAM);
        is_server.then_some(process)
    }

    fn write(&self, process: u32) -> Result<(), Error> {
        fs::write(&self.0, process.to_string())
            .map_err(|error| Error::Failed(format!("{}: {error}", self.0.display())))
    }

    fn forget(&self) {
        // There may be none.
        let _ = fs::remove_file(&self.0);
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

/// Starts the server, which goes on when this task is over, and waits until it answers.
fn start(program: &Path, objects: &[String], log: &Path) -> Result<Child, Error> {
    let failed = |what: &Path, error| Error::Failed(format!("{}: {error}", what.display()));
    let mut server = Command::new(program)
        .args([&PORT.to_string(), BUCKET])
        .args(objects)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log).map_err(|error| failed(log, error))?)
        // Ctrl-C in the terminal is not meant for it.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(program, error))?;
    let start = Instant::now();
    loop {
        if let Ok(Some(_)) = server.try_wait() {
            let why = fs::read_to_string(log).unwrap_or_default();
            return Err(Error::Failed(format!("{PROGRAM}: {}", why.trim_end())));
        }
        if TcpStream::connect(("127.0.0.1", PORT)).is_ok() {
            return Ok(server);
        }
        if start.elapsed() > PATIENCE {
            let _ = server.kill();
            return Err(Error::Failed(format!("{PROGRAM} does not answer")));
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
