//! Each named query with its answer over testdata.

use crate::assert_command_snapshot;
use crate::command::loglens;

/// Queries whose answers stand below.
const ANSWERED: [&str; 3] = ["rejected-by-source", "top-ports", "top-talkers"];

#[test]
fn every_query_has_an_answer() {
    let names: Vec<_> = loglens_queries::all()
        .iter()
        .map(|query| query.name.as_str())
        .collect();
    assert_eq!(names, ANSWERED, "write down the answer of a new query here");
}

#[test]
fn rejected_by_source() {
    assert_command_snapshot!(loglens(&["run", "rejected-by-source", "testdata"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    srcaddr        rejected  ports  destinations
    -------------  --------  -----  ------------
    172.31.9.69           3      1             1
    172.31.16.139         1      1             1
    192.0.2.1             1      1             1

    3 rows

    ----- stderr -----
    note: 1 object left out: testdata/ORIGINS.md (no known log format)
    "#);
}

#[test]
fn top_ports() {
    assert_command_snapshot!(loglens(&["run", "top-ports", "testdata"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    protocol  dstport  flows     bytes
    --------  -------  -----  --------
           6     5001      4  23397117
           6    43418      2     64020
           6       22      4     21602
           6    34210      1     15044
           6     3389      3     12747
           6      443      4      8558
           6    47460      1      6392
           6    43638      1       967
           6    49152      1       840
           1        0      2       672

    10 rows

    ----- stderr -----
    note: 1 object left out: testdata/ORIGINS.md (no known log format)
    "#);
}

#[test]
fn top_talkers() {
    assert_command_snapshot!(loglens(&["run", "top-talkers", "testdata"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    srcaddr        flows     bytes
    -------------  -----  --------
    10.0.0.62          4     65363
    172.31.16.139      4     13083
    52.213.180.42      4  23397117
    172.31.9.69        3     12747
    10.0.0.71          2       471
    192.0.2.1          2      3360
    10.0.1.5           1      3500
    172.18.160.68      1      6392
    172.18.160.93      1      1698
    198.51.100.1       1       840

    10 rows

    ----- stderr -----
    note: 1 object left out: testdata/ORIGINS.md (no known log format)
    "#);
}
