//! Formats of one's own, and archives in which formats are mixed.

use crate::assert_command_snapshot;
use crate::command::{answer, below, folder, loglens, run};

const NGINX: &str = "testdata/nginx/nginx.toml";

#[test]
fn a_description_makes_a_table() {
    let sql = "SELECT remote_addr, request_method, request_url, status, event_time FROM nginx_access_logs ORDER BY event_time LIMIT 4";
    assert_command_snapshot!(loglens(&["query", "--format", NGINX, sql, "testdata/nginx/access.log"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    remote_addr   request_method  request_url             status  event_time
    ------------  --------------  ----------------------  ------  --------------------
    192.0.2.10    GET             /static/site.css           304  2026-11-12T05:25:24Z
    192.0.2.10    GET             /                          200  2026-11-12T05:25:24Z
    192.0.2.10    POST            /login?next=%2Freports     302  2026-11-12T05:25:29Z
    2001:db8::77  NULL            NULL                       400  2026-11-12T05:25:31Z

    4 rows

    ----- stderr -----
    note: 1 record rejected, first testdata/nginx/access.log:7: expected at least 9 fields, found 6; all of them: loglens query "SELECT * FROM rejects" --format testdata/nginx/nginx.toml testdata/nginx/access.log
    "#);
}

#[test]
fn its_columns_and_its_name() {
    let schema = answer(&mut loglens(&[
        "schema", "nginx", "--format", NGINX, "-o", "csv",
    ]));
    assert!(schema.contains("body_bytes_sent,bigint,bytes,"), "{schema}");
    assert!(
        schema.contains("\"time of the record, UTC: time_local\"")
            || schema.contains("UTC: time_local"),
        "{schema}"
    );
    let formats = answer(&mut loglens(&["formats", "--format", NGINX, "-o", "csv"]));
    assert!(formats.contains("nginx_access_logs,"), "{formats}");
    let (output, _, _) = run(&mut loglens(&["schema", "nginx"]));
    assert_eq!(output.status.code(), Some(2), "only where it is given");
}

#[test]
fn it_may_stand_in_the_configuration() {
    let description = std::fs::read(crate::command::root().join(NGINX)).unwrap();
    let log = std::fs::read(crate::command::root().join("testdata/nginx/access.log")).unwrap();
    let folder = folder(&[
        (
            "loglens.toml",
            b"from = [\"logs\"]\nformat = [\"formats/nginx.toml\"]\n",
        ),
        ("formats/nginx.toml", &description),
        ("logs/access.log", &log),
    ]);
    let mut command = loglens(&["query", "-o", "csv", "SELECT count(*) AS n FROM nginx"]);
    assert_eq!(answer(command.current_dir(folder.path())), "n\n11\n");
}

#[test]
fn mistakes_in_a_description() {
    let cases: &[(&str, &str)] = &[
        ("table = ", "my.toml:1: "),
        (
            "table = \"t\"\nnonsense = 1\n",
            "my.toml:2: unknown field `nonsense`",
        ),
        (
            "table=\"t\"\ntitle=\"t\"\nabout=\"t\"\nsource=\"t\"\nshape={kind=\"quoted\",separator=\" \",quote='\"',null=\"-\"}\n\
             default_order=[\"a\"]\ncolumns=[{name=\"b\",kind=\"text\",doc=\"b\"}]\n",
            "my.toml: no field \"b\" in default_order",
        ),
        (
            "table=\"t\"\ntitle=\"t\"\nabout=\"t\"\nsource=\"t\"\nshape={kind=\"json\"}\nevent_time=[\"a\"]\n\
             columns=[{name=\"a\",kind=\"text\",doc=\"a\"}]\n",
            "my.toml: event_time names \"a\", which is no time",
        ),
    ];
    for (text, expected) in cases {
        let folder = folder(&[("my.toml", text.as_bytes())]);
        let path = below(&folder, "my.toml");
        let (output, _, err) = run(&mut loglens(&["formats", "--format", &path]));
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(expected), "{err}");
    }
    let (output, _, err) = run(&mut loglens(&["formats", "--format", "nowhere.toml"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("nowhere.toml: No such file"), "{err}");
}

/// All kinds of load balancers' logs in one folder, as AWS delivers them, with what is no log
/// among them: each lands in its table.
#[test]
fn one_folder_of_all_kinds() {
    let read =
        |file: &str| std::fs::read(crate::command::root().join("testdata").join(file)).unwrap();
    let gzip = |bytes: Vec<u8>| {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&bytes).unwrap();
        encoder.finish().unwrap()
    };
    let day = "AWSLogs/123456789012/elasticloadbalancing/eu-central-1/2026/11/23";
    let name = "123456789012_elasticloadbalancing_eu-central-1";
    let files = [
        (
            format!("{day}/{name}_app.web.50dc6c495c0c9188_20261123T0005Z_192.0.2.9_1a2b.log.gz"),
            gzip(read("alb/vrl-basic.log")),
        ),
        (
            format!(
                "{day}/conn_log_{name}_app.web.50dc6c495c0c9188_20261123T0005Z_192.0.2.9_1a2b.log.gz"
            ),
            gzip(read("alb_conn/aws-docs.log")),
        ),
        (
            format!(
                "{day}/health_check_log_{name}_app.web.50dc6c495c0c9188_20261123T0005Z_192.0.2.9_1a2b.log.gz"
            ),
            gzip(read("alb_health/aws-docs.log")),
        ),
        (
            format!("{day}/{name}_net.tls.50dc6c495c0c9188_20261123T0005Z_1a2b.log.gz"),
            gzip(read("nlb/otel-valid.log")),
        ),
        (
            format!("{day}/{name}_old_20261123T0005Z_192.0.2.9_1a2b.log"),
            read("clb/logstash-15f.log"),
        ),
        // Nothing but a name to tell what it is.
        (
            format!("{day}/{name}_app.web.50dc6c495c0c9188_20261123T0010Z_192.0.2.9_9z.log.gz"),
            gzip(b"torn off\n".to_vec()),
        ),
        (
            "AWSLogs/123456789012/ELBAccessLogTestFile".to_owned(),
            b"Enable AccessLog for ELB: web at 2026-11-23T00:00:00.000Z".to_vec(),
        ),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let folder = folder(&files);
    let place = folder.path().to_str().unwrap();
    let tables = answer(&mut loglens(&[
        "query",
        "-o",
        "csv",
        r#"
        SELECT 'alb' AS kind, count(*) AS records, min(day) AS day, min(account) AS account, min(region) AS region FROM alb_access_logs
        UNION ALL SELECT 'connection', count(*), min(day), min(account), min(region) FROM alb_connection_logs
        UNION ALL SELECT 'health', count(*), min(day), min(account), min(region) FROM alb_health_check_logs
        UNION ALL SELECT 'nlb', count(*), min(day), min(account), min(region) FROM nlb_access_logs
        UNION ALL SELECT 'clb', count(*), min(day), min(account), min(region) FROM clb_access_logs
        ORDER BY 1"#,
        place,
    ]));
    insta::assert_snapshot!(tables, @r#"
    kind,records,day,account,region
    alb,9,2026/11/23,123456789012,eu-central-1
    clb,2,2026/11/23,123456789012,eu-central-1
    connection,2,2026/11/23,123456789012,eu-central-1
    health,2,2026/11/23,123456789012,eu-central-1
    nlb,1,2026/11/23,123456789012,eu-central-1
    "#);
    let (_, _, err) = run(&mut loglens(&[
        "query",
        "SELECT count(*) FROM alb_logs",
        place,
    ]));
    assert!(err.contains("1 record rejected"), "{err}");
}

/// Frames are told by their content, whatever the name says.
#[test]
fn frames_under_any_name() {
    use std::io::Write;
    let log = std::fs::read(crate::command::root().join("testdata/alb/vrl-basic.log")).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&log).unwrap();
    let mut snappy = snap::write::FrameEncoder::new(Vec::new());
    snappy.write_all(&log).unwrap();
    let folder = folder(&[
        ("a.log", &bzip2.finish().unwrap()),
        ("b.gz", &snappy.into_inner().unwrap()),
        ("c.bz2", &log),
        ("d.log.gz", b"PK\x03\x04\x14\x00\x00\x00"),
    ]);
    let place = folder.path().to_str().unwrap();
    let (_, out, err) = run(&mut loglens(&[
        "query",
        "-o",
        "csv",
        "SELECT count(*) AS n FROM alb_logs",
        place,
    ]));
    assert_eq!(out, "n\n27\n");
    assert!(err.contains("d.log.gz (zip is not read)"), "{err}");
}
