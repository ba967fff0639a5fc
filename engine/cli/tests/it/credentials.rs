//! Where credentials come from: each provider of the AWS chain, with a fake of it on loopback.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Output;

use loglens_test_server::{Bucket, Server};
use tempfile::TempDir;

const LOG: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n\
                   2 123456789010 eni-1 10.0.0.1 10.0.0.2 1000 443 6 10 840 1769817600 1769817660 ACCEPT OK\n";
const SQL: &str = "SELECT count(*) AS flows FROM vpc_flow_logs";

/// A server that gives one answer to each path, and any path not known an empty 404.
fn fake(answers: &[(&'static str, String)]) -> String {
    let answers: BTreeMap<_, _> = answers.iter().cloned().collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut first = String::new();
            let mut length = 0;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if first.is_empty() {
                    first.clone_from(&line);
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            // STS has one path, and says in the body what it is asked for.
            let action = body
                .split('&')
                .find_map(|pair| pair.strip_prefix("Action="));
            let path = first
                .split(' ')
                .nth(1)
                .unwrap_or_default()
                .split('?')
                .next()
                .unwrap();
            let answer = answers.get(action.unwrap_or(path));
            let (status, text) =
                answer.map_or(("404 Not Found", ""), |text| ("200 OK", text.as_str()));
            // The metadata service wants to be told how long its token holds.
            let more = if path.ends_with("/api/token") {
                "x-aws-ec2-metadata-token-ttl-seconds: 60\r\n"
            } else {
                ""
            };
            let _ = write!(
                stream.get_mut(),
                "HTTP/1.1 {status}\r\n{more}connection: close\r\ncontent-length: {}\r\n\r\n{text}",
                text.len()
            );
        }
    });
    format!("http://{address}")
}

/// Credentials as JSON, under the names that a provider gives them.
fn json(id: &str, token: &str) -> String {
    format!(
        r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"{id}","SecretAccessKey":"secret","{token}":"token","Expiration":"2099-01-01T00:00:00Z"}}"#
    )
}

/// Credentials as STS gives them.
fn sts(action: &str, id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/loglens</Arn><AssumedRoleId>A:loglens</AssumedRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         </{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// A home folder with AWS's files in it.
fn home(files: &[(&str, &str)]) -> TempDir {
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    crate::command::folder(&files)
}

/// Asks a bucket, and gives the access key id that the requests were signed with.
fn signed_by(home: &TempDir, environment: &[(&str, String)], options: &[&str]) -> String {
    let server = Server::start().unwrap();
    let mut bucket = Bucket::new();
    bucket.put("flow.log", LOG);
    server.add("org-logs", bucket);
    let mut arguments = vec!["query", "-o", "csv"];
    arguments.extend(options);
    let endpoint = server.endpoint();
    arguments.extend(["--endpoint-url", &endpoint, SQL]);
    if !options.contains(&"--config") {
        arguments.push("s3://org-logs/");
    }
    let output = run(home, environment, &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "flows\n1\n",
        "{said}"
    );
    let signature = server.log()[0].details["authorization"].clone();
    let credential = signature.split("Credential=").nth(1).unwrap();
    credential.split('/').next().unwrap().to_owned()
}

fn run(home: &TempDir, environment: &[(&str, String)], arguments: &[&str]) -> Output {
    let mut command = crate::command::loglens(arguments);
    for (name, _) in std::env::vars() {
        if name.starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", home.path())
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap()
}

#[test]
fn the_environment() {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ];
    assert_eq!(signed_by(&home(&[]), &keys, &[]), "AKIAENV");
}

#[test]
fn profiles_and_processes() {
    let home = home(&[
        (
            ".aws/credentials",
            "[audit]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = secret\n",
        ),
        (
            ".aws/config",
            "[profile tool]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"AKIAPROCESS\",\"SecretAccessKey\":\"secret\"}'\n",
        ),
    ]);
    assert_eq!(
        signed_by(&home, &[], &["--profile", "audit"]),
        "AKIAPROFILE"
    );
    let named = [("AWS_PROFILE", "tool".to_owned())];
    assert_eq!(signed_by(&home, &named, &[]), "AKIAPROCESS");
}

#[test]
fn roles() {
    let service = fake(&[
        ("AssumeRole", sts("AssumeRole", "ASIAROLE")),
        (
            "AssumeRoleWithWebIdentity",
            sts("AssumeRoleWithWebIdentity", "ASIAWEB"),
        ),
    ]);
    let at = |service: &str| ("AWS_ENDPOINT_URL_STS", service.to_owned());
    let home = home(&[
        (
            ".aws/credentials",
            "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = secret\n",
        ),
        (
            ".aws/config",
            "[profile reader]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n",
        ),
        ("token", "web-token"),
        (
            "loglens.toml",
            "from = [{ place = \"s3://org-logs/\", role_arn = \"arn:aws:iam::1:role/r\", external_id = \"42\" }]\n",
        ),
    ]);
    assert_eq!(
        signed_by(&home, &[at(&service)], &["--profile", "reader"]),
        "ASIAROLE"
    );

    let path = |name: &str| home.path().join(name).display().to_string();
    let web = [
        at(&service),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r".to_owned()),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path("token")),
    ];
    assert_eq!(signed_by(&home, &web, &[]), "ASIAWEB");

    // The role of a place in loglens.toml.
    let base = [at(&service), ("AWS_PROFILE", "base".to_owned())];
    let config = path("loglens.toml");
    assert_eq!(signed_by(&home, &base, &["--config", &config]), "ASIAROLE");
}

#[test]
fn containers_and_instances() {
    let service = fake(&[
        ("/credentials", json("ASIATASK", "Token")),
        ("/latest/api/token", "metadata-token".to_owned()),
        (
            "/latest/meta-data/iam/security-credentials/",
            "role".to_owned(),
        ),
        (
            "/latest/meta-data/iam/security-credentials/role",
            json("ASIAINSTANCE", "Token"),
        ),
        (
            "/latest/meta-data/iam/security-credentials-extended/",
            "role".to_owned(),
        ),
        (
            "/latest/meta-data/iam/security-credentials-extended/role",
            json("ASIAINSTANCE", "Token"),
        ),
    ]);
    let container = [(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        format!("{service}/credentials"),
    )];
    assert_eq!(signed_by(&home(&[]), &container, &[]), "ASIATASK");
    let instance = [
        ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", service),
    ];
    assert_eq!(signed_by(&home(&[]), &instance, &[]), "ASIAINSTANCE");
}

#[test]
fn single_sign_on() {
    let credentials = r#"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"secret","sessionToken":"token","expiration":4070908800000}}"#;
    let service = fake(&[("/federation/credentials", credentials.to_owned())]);
    // The name of the file is the SHA-1 of the start URL.
    let token = r#"{"accessToken":"t","expiresAt":"2099-01-01T00:00:00Z","region":"us-east-1","startUrl":"https://start"}"#;
    let home = home(&[
        (
            ".aws/config",
            "[profile people]\nsso_start_url = https://start\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = r\n",
        ),
        (
            ".aws/sso/cache/6ad0e7e61d1f47e491ea32c2031add41ef92e07d.json",
            token,
        ),
    ]);
    let at = [("AWS_ENDPOINT_URL_SSO", service)];
    assert_eq!(signed_by(&home, &at, &["--profile", "people"]), "ASIASSO");
}
