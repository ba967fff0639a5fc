//! `loglens.toml`: where it is found, and what it says.

use std::process::Command;

use tempfile::TempDir;

use crate::assert_command_snapshot;
use crate::command::{HEADER, RECORD, answer, below, folder, loglens, run};

const COUNT: &str = "SELECT count(*) AS flows FROM vpc_flow_logs";

/// A folder with a configuration and a log of two records in `logs`.
fn configured(text: &str) -> TempDir {
    let log = format!("{HEADER}{RECORD}{RECORD}");
    folder(&[
        ("loglens.toml", text.as_bytes()),
        ("logs/a.log", log.as_bytes()),
    ])
}

/// The command in a folder.
fn within(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = loglens(arguments);
    command.current_dir(folder.path());
    command
}

/// With `from` there, SQL is all that has to be said.
#[test]
fn the_one_here() {
    let folder = configured("from = [\"logs\"]\noutput = \"csv\"\n");
    assert_command_snapshot!(within(&folder, &["query", COUNT]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    flows
    2

    ----- stderr -----
    "#);
    assert_command_snapshot!(within(&folder, &["run", "top-talkers"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    srcaddr,flows,bytes
    10.0.0.1,2,8498

    ----- stderr -----
    "#);
    assert_command_snapshot!(within(&folder, &["tables"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    table,objects,bytes,records,accounts,regions,first,last
    vpc_flow_logs,1,295,2,123456789012,,2014-12-14T04:06:50Z,2014-12-14T04:06:50Z

    ----- stderr -----
    "#);
}

#[test]
fn arguments_win() {
    let folder = configured(
        "from = [\"nowhere\"]\noutput = \"csv\"\ntz = \"Asia/Tokyo\"\nsince = \"2030-01-01\"\n",
    );
    let sql = "SELECT max(event_time) AS t, count(*) AS flows FROM vpc_flow_logs";
    let out = answer(&mut within(
        &folder,
        &[
            "query",
            "-o",
            "ndjson",
            "--tz",
            "UTC",
            "--until",
            "2020-01-01",
            sql,
            "logs",
        ],
    ));
    assert_eq!(out, "{\"t\":\"2014-12-14T04:06:50Z\",\"flows\":2}\n");
    let out = answer(&mut within(&folder, &["query", COUNT, "logs"]));
    assert_eq!(
        out, "flows\n0\n",
        "the configuration's since holds where no time is given"
    );
}

/// A name for the result says its format; the configuration's is for standard output.
#[test]
fn the_extension_of_to_wins() {
    let folder = configured("from = [\"logs\"]\noutput = \"csv\"\n");
    answer(&mut within(&folder, &["query", COUNT, "--to", "a.ndjson"]));
    let text = std::fs::read_to_string(folder.path().join("a.ndjson")).unwrap();
    assert_eq!(text, "{\"flows\":2}\n");
}

/// Relative places start at the configuration's folder, wherever the command runs.
#[test]
fn a_named_one() {
    let folder = configured("from = [\"logs\"]\noutput = \"csv\"\n");
    let file = below(&folder, "loglens.toml");
    assert_eq!(
        answer(&mut loglens(&["query", "--config", &file, COUNT])),
        "flows\n2\n"
    );
    let mut by_variable = loglens(&["query", COUNT]);
    by_variable.env("LOGLENS_CONFIG", &file);
    assert_eq!(answer(&mut by_variable), "flows\n2\n");
}

#[test]
fn a_named_one_that_is_missing() {
    assert_command_snapshot!(loglens(&["query", "--config", "no/such.toml", COUNT]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: no/such.toml: No such file or directory (os error 2)
    "#);
}

#[test]
fn the_user_s() {
    let log = format!("{HEADER}{RECORD}");
    let user = folder(&[
        (
            "loglens/loglens.toml",
            b"from = [\"../logs\"]\noutput = \"csv\"\n",
        ),
        ("logs/a.log", log.as_bytes()),
    ]);
    let mut command = loglens(&["query", COUNT]);
    command.env("XDG_CONFIG_HOME", user.path());
    assert_eq!(answer(&mut command), "flows\n1\n");

    // The one in the current folder is meant for what lies there.
    let here = configured("from = [\"logs\"]\noutput = \"ndjson\"\n");
    let mut command = within(&here, &["query", COUNT]);
    command.env("XDG_CONFIG_HOME", user.path());
    assert_eq!(answer(&mut command), "{\"flows\":2}\n");
}

#[test]
fn a_user_without_xdg_config_home() {
    let log = format!("{HEADER}{RECORD}");
    let home = folder(&[
        (".config/loglens/loglens.toml", b"output = \"csv\"\n"),
        ("a.log", log.as_bytes()),
    ]);
    let mut command = loglens(&["query", COUNT, &below(&home, "a.log")]);
    command.env("XDG_CONFIG_HOME", "").env("HOME", home.path());
    assert_eq!(answer(&mut command), "flows\n1\n");
}

#[test]
fn unknown_key() {
    let folder = configured("# logs\nfrom = [\"logs\"]\n\noutputs = \"csv\"\n");
    assert_command_snapshot!(within(&folder, &["query", COUNT]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: loglens.toml:4: unknown field `outputs`, expected one of `from`, `queries`, `last`, `since`, `until`, `tz`, `table`, `format`, `fields`, `strict`, `max_expansion`, `memory_limit`, `max_bytes`, `max_cost`, `prices`, `threads`, `profile`, `region`, `endpoint_url`, `path_style`, `anonymous`, `requester_pays`, `fips`, `dual_stack`, `sse_c_key`, `cache`, `cache_size`, `offline`, `output`, `stats`, `consume`
    hint: every option of `loglens query --help` can stand there, with underscores; `from` lists places
    "#);
}

#[test]
fn wrong_type() {
    let folder = configured("from = [\"logs\"]\nthreads = \"two\"\n");
    assert_command_snapshot!(within(&folder, &["query", COUNT]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: loglens.toml:2: threads: invalid type: string "two", expected usize
    hint: every option of `loglens query --help` can stand there, with underscores; `from` lists places
    "#);
}

#[test]
fn unknown_output() {
    let folder = configured("output = \"xlsx\"\n");
    assert_command_snapshot!(within(&folder, &["query", COUNT]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: loglens.toml:1: output: no output format "xlsx": there are table, csv, tsv, json, ndjson, markdown, arrow, parquet, chart, svg, html
    hint: every option of `loglens query --help` can stand there, with underscores; `from` lists places
    "#);
}

#[test]
fn no_toml() {
    let folder = configured("from = [\"logs\"]\n\n\nfrom: logs\n");
    assert_command_snapshot!(within(&folder, &["query", COUNT]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: loglens.toml:4: key with no value, expected `=`
    hint: every option of `loglens query --help` can stand there, with underscores; `from` lists places
    "#);
}

/// What only arguments check, they check here too.
#[test]
fn wrong_values() {
    for text in [
        "tz = \"Europe/Atlantis\"",
        "last = \"week\"",
        "memory_limit = \"lots\"",
        "table = \"elbs\"",
        "last = \"1h\"\nsince = \"2h\"",
    ] {
        let folder = configured(text);
        let (output, _, err) = run(&mut within(&folder, &["query", COUNT, "logs"]));
        assert_eq!(output.status.code(), Some(2), "{text}: {err}");
    }
}
