//! `loglens ddl`: what Athena is told.

use crate::command::{answer, loglens, run};

#[test]
fn logs_of_every_format() {
    for table in [
        "alb_access_logs",
        "alb_connection_logs",
        "alb_health_check_logs",
        "clb_access_logs",
        "cloudtrail_logs",
        "nlb_access_logs",
        "tgw_flow_logs",
        "vpc_flow_logs",
    ] {
        let arguments = ["ddl", table, "--location", "s3://org-logs/org"];
        insta::assert_snapshot!(table, answer(&mut loglens(&arguments)));
    }
}

#[test]
fn accounts_and_regions_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let generate = [
        "generate",
        "vpc_flow_logs",
        "--rows",
        "100",
        "--accounts",
        "2",
        "--to",
        place,
    ];
    answer(&mut loglens(&[&generate[..], &["--objects", "4"]].concat()));
    let arguments = [
        "ddl",
        "vpc_flow_logs",
        place,
        "--location",
        "s3://org-logs/",
    ];
    let ddl = answer(&mut loglens(&arguments));
    assert!(ddl.contains("'projection.accid.type' = 'enum'"), "{ddl}");
    assert!(!ddl.contains("eu-north-1"), "{ddl}");
}

#[test]
fn tables_that_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("lake");
    let unload = |columns: &str, by: &str, name: &str| {
        let sql = format!(
            "UNLOAD (SELECT srcaddr, bytes, event_time, {columns} FROM vpc_flow_logs \
             WHERE protocol IS NOT NULL) TO '{}/{name}' WITH (partitioned_by = ARRAY[{by}])",
            place.display()
        );
        answer(&mut loglens(&[
            "query",
            "-o",
            "csv",
            &sql,
            "testdata/vpcflow",
        ]));
        let from = place.join(name);
        let location = format!("s3://lake/{name}/");
        let arguments = ["ddl", name, from.to_str().unwrap(), "--location", &location];
        answer(&mut loglens(&arguments))
    };
    let day = "CAST(event_time AS date) AS day, protocol, action";
    let projected = unload(day, "'protocol', 'day'", "flows");
    insta::assert_snapshot!("parquet_projected", projected);
    let odd = unload("'a b' AS odd", "'odd'", "odd_flows");
    insta::assert_snapshot!("parquet_plain", odd);
}

#[test]
fn what_is_refused() {
    let (output, _, said) = run(&mut loglens(&[
        "ddl",
        "vpc_flow_logs",
        "--location",
        "/logs",
    ]));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("--location /logs: Athena reads from S3 only"),
        "{said}"
    );
    let (_, _, said) = run(&mut loglens(&[
        "ddl",
        "vpc_flow_lgs",
        "--location",
        "s3://logs/",
    ]));
    assert!(said.contains("did you mean"), "{said}");
}
