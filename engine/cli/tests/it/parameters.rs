//! `loglens query --param`: plain SQL with parameters.

use crate::command::{answer, loglens, run};

fn query(sql: &str, params: &[&str]) -> std::process::Command {
    let mut command = loglens(&["query", "-o", "csv", sql]);
    for param in params {
        command.args(["--param", param]);
    }
    command
}

/// Wherever a value can stand, and whatever it holds.
#[test]
fn values_stand_where_their_names_do() {
    let rows: &[(&str, &[&str], &str)] = &[
        ("SELECT $a + 1 AS n", &["a=2"], "3"),
        ("SELECT - $a AS n", &["a=-2"], "2"),
        ("SELECT $a / 2 AS n", &["a=3"], "1"),
        ("SELECT $a / 2 AS n", &["a=3.0"], "1.5"),
        ("SELECT $1 || $2 AS n", &["1=a", "2=b"], "ab"),
        ("SELECT $text AS n", &["text=1' OR '1'='1"], "1' OR '1'='1"),
        ("SELECT $text AS n", &["text=$other"], "$other"),
        ("SELECT $text AS n", &["$text='10'"], "10"),
        ("SELECT '$a' AS n, $a AS m", &["a=1"], "$a,1"),
        (
            "SELECT count(*) AS n FROM (VALUES (1), (2), (3)) AS t(x) WHERE x IN ($a, $b)",
            &["a=1", "b=3"],
            "2",
        ),
        (
            "SELECT x FROM (VALUES (1), (2), (3)) AS t(x) ORDER BY x LIMIT $n OFFSET $m",
            &["n=1", "m=1"],
            "2",
        ),
        (
            "SELECT timestamp '2026-01-01 00:00:00' + INTERVAL $n day AS n",
            &["n=2"],
            "2026-01-03T00:00:00",
        ),
        (
            "SELECT timestamp '2026-01-01 00:00:00' + INTERVAL $n AS n",
            &["n=90 minutes"],
            "2026-01-01T01:30:00",
        ),
        (
            "WITH t AS (SELECT $a AS x) SELECT (SELECT max(x) FROM t WHERE x = $a) AS n",
            &["a=7"],
            "7",
        ),
        (
            "SELECT a.x AS n FROM (VALUES (1)) AS a(x) JOIN (VALUES (1)) AS b(x) ON a.x = b.x + $d",
            &["d=0"],
            "1",
        ),
        (
            "SELECT CASE WHEN $a = 1 THEN 'one' ELSE 'other' END AS n",
            &["a=1"],
            "one",
        ),
        (
            "SELECT max(x) OVER (ORDER BY x ROWS BETWEEN $n PRECEDING AND CURRENT ROW) AS n FROM (VALUES (1)) AS t(x)",
            &["n=1"],
            "1",
        ),
    ];
    for (sql, params, expected) in rows {
        let out = answer(&mut query(sql, params));
        let row = out.lines().nth(1).unwrap();
        assert_eq!(row.trim_matches('"'), *expected, "{sql} {params:?}");
    }
}

#[test]
fn every_statement_of_several_gets_them() {
    let out = answer(&mut query(
        "SELECT $a AS a; SELECT $b AS b, $a AS a",
        &["a=1", "b=2"],
    ));
    assert_eq!(out, "a\n1\nb,a\n2,1\n");
}

/// `PREPARE` has parameters of its own, which `EXECUTE` gives their values.
#[test]
fn prepared_statements_keep_theirs() {
    let sql = "PREPARE twice(INT) AS SELECT $1 * 2 AS n; EXECUTE twice(4)";
    assert!(answer(&mut query(sql, &[])).ends_with("n\n8\n"));
}

#[test]
fn what_does_not_fit() {
    let mut told = String::new();
    let rows: &[(&str, &[&str])] = &[
        ("SELECT $a AS x,\n  $b AS y", &["a=1"]),
        ("EXPLAIN SELECT $a", &[]),
        ("COPY (SELECT $a) TO 'x.csv'", &[]),
        ("SELECT $a", &["b=1"]),
        ("SELECT 1", &["b=1"]),
        ("SELECT 1", &["b"]),
        ("SELECT 1 LIMIT $n", &["n=ten"]),
        ("SELECT ?", &[]),
    ];
    for (sql, params) in rows {
        let (output, _, err) = run(&mut query(sql, params));
        let code = output.status.code().unwrap();
        told.push_str(&format!("{sql} {params:?}: {code}\n{err}\n"));
    }
    insta::assert_snapshot!(told, @r#"
    SELECT $a AS x,
      $b AS y ["a=1"]: 1
    error: no value for the parameter $b
      line 2, column 3:
        $b AS y
        ^^
    hint: give it one: --param b=VALUE

    EXPLAIN SELECT $a []: 1
    error: no value for the parameter $a
      EXPLAIN SELECT $a
                     ^^
    hint: give it one: --param a=VALUE

    COPY (SELECT $a) TO 'x.csv' []: 1
    error: no value for the parameter $a
      COPY (SELECT $a) TO 'x.csv'
                   ^^
    hint: give it one: --param a=VALUE

    SELECT $a ["b=1"]: 2
    error: --param b: the SQL has no $b
    hint: its parameters are $a

    SELECT 1 ["b=1"]: 2
    error: --param b: the SQL has no $b
    hint: write $b where the value is to stand

    SELECT 1 ["b"]: 2
    error: invalid value 'b' for '--param <NAME=VALUE>': write the parameter's name, = and its value

    For more information, try '--help'.

    SELECT 1 LIMIT $n ["n=ten"]: 1
    error: expected LIMIT to be an integer or null, but got Utf8

    SELECT ? []: 1
    error: no value for the parameter $?
      SELECT ?
             ^
    hint: give it one: --param ?=VALUE
    "#);
}
