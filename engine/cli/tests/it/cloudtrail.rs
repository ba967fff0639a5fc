//! CloudTrail from the command line: columns within others, large objects.

use std::io::Write;

use crate::assert_command_snapshot;
use crate::command::{answer, folder, loglens, run};

const EVENTS: &str = "testdata/cloudtrail/crowdsec-aws-cloudtrail-postexploit.ndjson";

#[test]
fn columns_within_others_have_their_last_name() {
    let sql = "SELECT eventname, useridentity.type, userIdentity.sessionContext.sessionIssuer.userName AS issuer, tlsdetails \
               FROM cloudtrail_logs ORDER BY eventtime LIMIT 2";
    assert_command_snapshot!(loglens(&["query", "-o", "csv", sql, EVENTS]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    eventname,type,issuer,tlsdetails
    ListSecrets,IAMUser,,"{""tlsversion"":""TLSv1.3"",""ciphersuite"":""TLS_AES_128_GCM_SHA256"",""clientprovidedhostheader"":""secretsmanager.eu-west-1.amazonaws.com"",""keyexchange"":null}"
    GetCallerIdentity,IAMUser,,"{""tlsversion"":""TLSv1.2"",""ciphersuite"":""ECDHE-RSA-AES128-GCM-SHA256"",""clientprovidedhostheader"":""sts.amazonaws.com"",""keyexchange"":null}"

    ----- stderr -----
    "#);
    assert_command_snapshot!(loglens(&["query", "-o", "ndjson", sql, EVENTS]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    {"eventname":"ListSecrets","type":"IAMUser","issuer":null,"tlsdetails":{"tlsversion":"TLSv1.3","ciphersuite":"TLS_AES_128_GCM_SHA256","clientprovidedhostheader":"secretsmanager.eu-west-1.amazonaws.com","keyexchange":null}}
    {"eventname":"GetCallerIdentity","type":"IAMUser","issuer":null,"tlsdetails":{"tlsversion":"TLSv1.2","ciphersuite":"ECDHE-RSA-AES128-GCM-SHA256","clientprovidedhostheader":"sts.amazonaws.com","keyexchange":null}}

    ----- stderr -----
    "#);
    let sql = "SELECT useridentity.arn, useridentity.sessioncontext.sessionissuer.arn FROM cloudtrail_logs LIMIT 1";
    let both = answer(&mut loglens(&["query", "-o", "csv", sql, EVENTS]));
    assert!(
        both.starts_with("cloudtrail_logs.useridentity[arn],"),
        "{both}"
    );
}

/// A name that the statement gives stays, whatever it looks like.
#[test]
fn a_given_name_stays() {
    let sql = "SELECT useridentity.type AS \"a[b]\" FROM cloudtrail_logs ORDER BY 1 LIMIT 1";
    let text = answer(&mut loglens(&["query", "-o", "csv", sql, EVENTS]));
    assert_eq!(text.lines().next(), Some("a[b]"), "{text}");
}

/// An object of 100 MB on one line is streamed.
#[test]
fn a_large_object_takes_little_memory() {
    let event = std::fs::read_to_string(crate::command::root().join(EVENTS)).unwrap();
    let event = event.lines().next().unwrap();
    let mut trail = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    trail.write_all(b"{\"Records\":[").unwrap();
    let events = 100_000_000 / event.len();
    for index in 0..events {
        trail
            .write_all(if index == 0 { b"" } else { b"," })
            .unwrap();
        trail.write_all(event.as_bytes()).unwrap();
    }
    trail.write_all(b"]}").unwrap();
    let folder = folder(&[("trail.json.gz", &trail.finish().unwrap())]);
    let place = folder.path().to_str().unwrap();
    let sql = "SELECT eventname, count(*) AS events FROM cloudtrail_logs GROUP BY 1";
    let (output, out, err) = run(&mut loglens(&["query", "--stats", "-o", "csv", sql, place]));
    assert!(output.status.success(), "{err}");
    assert!(out.ends_with(&format!(",{events}\n")), "{out}");
    let memory = err
        .lines()
        .find_map(|line| line.strip_prefix("memory   "))
        .unwrap();
    let (number, unit) = memory.split_once(' ').unwrap();
    let megabytes: f64 = number.parse().unwrap();
    assert!(
        unit.starts_with("MB") && megabytes < 200.0 * 1.048_576,
        "{memory}"
    );
}
