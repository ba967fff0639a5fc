//! Charts: `-o chart`, `--to FILE.svg` and `--to FILE.html`.

use std::fs;
use std::process::Command;

use crate::assert_command_snapshot;
use crate::command::{answer, below, folder, loglens, names, run};

/// Only what is drawn, where nothing else can be said.
fn chart(sql: &str) -> String {
    answer(&mut loglens(&["query", "-o", "chart", sql]))
}

fn svg(sql: &str) -> String {
    answer(&mut loglens(&["query", "-o", "svg", sql]))
}

/// Parses a picture, and gives the text of its elements of one name.
fn elements(svg: &str, name: &str) -> Vec<String> {
    let folder = folder(&[("a.svg", svg.as_bytes())]);
    let script = "import sys, xml.etree.ElementTree as tree\n\
                  for one in tree.parse(sys.argv[1]).iter('{http://www.w3.org/2000/svg}' + sys.argv[2]):\n\
                  \x20   print(repr(one.text or ''))";
    let path = below(&folder, "a.svg");
    let text = answer(Command::new("python3").args(["-c", script, &path, name]));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bars() {
    let sql = "SELECT action, count(*) AS flows, sum(bytes) AS bytes FROM vpc_flow_logs \
               GROUP BY action ORDER BY flows DESC, action";
    assert_command_snapshot!(loglens(&["query", "-o", "chart", sql, "testdata/vpcflow"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    flows by action
    ACCEPT  █████████████████████████████████████████████████████████████████████ 19
    NULL    █████████████████████▊ 6
    REJECT  ██████████████████▏ 5

    bytes by action
    ACCEPT  █████████████████████████████████████████████████████████████ 23,505,953
    NULL    ▏ 8,090
    REJECT  ▏ 14,763

    ----- stderr -----
    "#);
}

#[test]
fn bars_of_what_logs_hold() {
    insta::assert_snapshot!(chart(
        "SELECT * FROM (VALUES
            ('10.0.0.1', 'a', 12345.5),
            ('a label that is much longer than there is room for it', 'b', 0),
            (chr(27) || '[31m' || chr(10), 'c', -2500),
            ('日本語', NULL, NULL),
            ('nan', 'e', 'NaN'::double),
            (NULL, 'f', 30)) AS t(label, part, value)"
    ), @r#"
    value by label, part
    10.0.0.1 · a                            ██████████████████████████████▊ 12,345.5
    a label that is much longer tha…        0.0
    \x1b[31m\n · c                    ██████ -2,500.0
    日本語 · NULL                           NULL
    nan · e                                 NaN
    NULL · f                                ▏ 30.0
    "#);
}

#[test]
fn bars_of_integers_and_of_nothing_but_a_number() {
    insta::assert_snapshot!(
        chart("SELECT * FROM (VALUES (443, 10), (22, 5), (NULL, 1)) AS t(dstport, flows)")
            + &chart("SELECT * FROM (VALUES (0), (0)) AS t(n)")
            + &chart("SELECT 1000000 AS n"), @r#"
            flows by dstport
            443   ███████████████████████████████████████████████████████████████████████ 10
            22    ███████████████████████████████████▌ 5
            NULL  ███████▏ 1
            n
            1  0
            2  0
            n
            1  ███████████████████████████████████████████████████████████████████ 1,000,000
            "#);
}

#[test]
fn a_line_over_time() {
    insta::assert_snapshot!(chart(
        "SELECT CAST(t AS timestamp) AS hour, flows, avg_bytes FROM (VALUES
            ('2026-01-31T20:00:00', 4000, 10.5),
            ('2026-01-31T18:00:00', 1000, 3.25),
            ('2026-01-31T19:00:00', 2500, NULL),
            ('2026-02-01T00:00:00', 1500, 2.0),
            ('2026-02-01T06:00:00', 3000, 7.0),
            ('2026-02-01T07:00:00', 3500, 7.5)) AS v(t, flows, avg_bytes)"
    ), @r#"
    flows by hour
    4,000 ┤         ⢀⠔⢣
          │        ⡠⠊ ⠈⡆                                                        ⣀⠤⠒⠉
    3,000 ┤      ⢀⠎    ⢸                                                     ⢀⠖⠉
          │    ⢀⠔⠁      ⢇                                                   ⢀⠎
    2,000 ┤   ⡠⠃        ⠘⡄                                                  ⡜
          │ ⢠⠊           ⢱                  ⡠⡀                             ⡸
    1,000 ┤⠔⠁             ⡇               ⢀⠎ ⠈⢆                           ⡰⠁
          │               ⠸⡀            ⢀⠔⠁    ⠑⢄                        ⢠⠃
        0 ┤                ⢣⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⡠⠊       ⠈⠢⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣠⠃
          └┬───────────────┬────────────────┬────────────────┬────────────────┬─────
         18:00           21:00            02-01            03:00            06:00

    avg_bytes by hour
       15 ┤
          │
          │           ⡀
       10 ┤
          │                                                                   ⣀⣀⣀⠤⠤⠤
        5 ┤
          │⡀
          │                                 ⠠
        0 ┤
          └┬───────────────┬────────────────┬────────────────┬────────────────┬─────
         18:00           21:00            02-01            03:00            06:00
    2026-01-31 18:00 to 2026-02-01 07:00, each point is 1 hour

    points without a row, drawn as 0, or as gaps where the measure is no count or sum: 8 of 14
    "#);
}

#[test]
fn a_line_for_each_value_of_a_dimension() {
    insta::assert_snapshot!(chart(
        "SELECT action, CAST(d AS date) AS day, flows FROM (VALUES
            ('ACCEPT', '2026-01-01', 9), ('ACCEPT', '2026-01-02', 8), ('ACCEPT', '2026-01-04', 9),
            ('REJECT', '2026-01-02', 3), (NULL, '2026-01-03', 1)) AS v(action, d, flows)"
    ), @r#"
    flows by day, action: ACCEPT
       │⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀⣀⡀                                                             ⣀⠤
     8 ┤            ⠈⠉⠉⠉⠉⠉⠉⠉⠉⠒⠒⠒⠒⠒⠤⢄⣀                                        ⣀⡠⠔⠒⠉
       │                             ⠉⠒⠢⠤⣀⡀                             ⢀⡠⠤⠒⠉
     4 ┤                                  ⠈⠉⠒⠢⢄⣀                   ⢀⣀⠤⠒⠊⠁
       │                                        ⠉⠑⠒⠤⢄⣀         ⣀⠤⠔⠊⠁
     0 ┤                                              ⠉⠒⠢⠤⣀⡠⠔⠊⠉
       └┬────────────────────────┬────────────────────────┬────────────────────────┬
    2026-01-01              2026-01-02               2026-01-03           2026-01-04

    flows by day, action: REJECT
       │
     8 ┤
       │
     4 ┤
       │             ⣀⣀⣀⡠⠤⠤⠤⠒⠒⠒⠊⠉⠉⠉⠒⠒⠒⠢⠤⠤⠤⢄⣀⣀⣀
     0 ┤⣀⣀⠤⠤⠤⠔⠒⠒⠒⠉⠉⠉⠉                         ⠉⠉⠉⠑⠒⠒⠒⠢⠤⠤⠤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀
       └┬────────────────────────┬────────────────────────┬────────────────────────┬
    2026-01-01              2026-01-02               2026-01-03           2026-01-04

    flows by day, action: NULL
       │
     8 ┤
       │
     4 ┤
       │
     0 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⡠⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠔⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀
       └┬────────────────────────┬────────────────────────┬────────────────────────┬
    2026-01-01              2026-01-02               2026-01-03           2026-01-04
    2026-01-01 00:00 to 2026-01-04 00:00, each point is 1 day
    "#);
}

#[test]
fn many_series_are_one() {
    let sql = "SELECT to_timestamp(i / 20 * 60) AS minute, CAST(i % 10 AS varchar) AS k,
               i % 10 AS n, i AS max_n FROM (SELECT unnest(range(0, 60)) AS i)";
    let legend = elements(&svg(sql), "text");
    for expected in [
        "'9'",
        "'4'",
        "'other (4)'",
        "'max_n: 4 more series not drawn'",
    ] {
        assert!(
            legend.iter().any(|text| text == expected),
            "{expected}: {legend:?}"
        );
    }
    assert!(!legend.contains(&"'3'".to_owned()), "{legend:?}");
    // Each minute has two rows of each value: n is added up, and of max_n the last one counts.
    let points = elements(&svg(sql), "title");
    for expected in [
        "'9, 1970-01-01 00:00: 18'",
        "'9, 1970-01-01 00:02: 59'",
        "'other (4), 1970-01-01 00:01: 12'",
    ] {
        assert!(
            points.iter().any(|point| point == expected),
            "{expected}: {points:?}"
        );
    }
}

/// The only value of a dimension is named too.
#[test]
fn a_single_series_has_its_name() {
    let sql = "SELECT to_timestamp(i) AS t, 'ACCEPT' AS action, i AS n
               FROM (SELECT unnest([0, 60]) AS i)";
    assert!(chart(sql).starts_with("n by t, action: ACCEPT\n"));
    assert!(elements(&svg(sql), "text").contains(&"'ACCEPT'".to_owned()));
}

/// A time that is known of each row is no axis.
#[test]
fn a_time_beside_a_dimension() {
    insta::assert_snapshot!(chart(
        "SELECT k, to_timestamp(t) AS first_seen, n
         FROM (VALUES ('a', 0, 3), ('b', 60, 2)) AS v(k, t, n)"
    ), @r#"
    n by k
    a  ███████████████████████████████████████████████████████████████████████████ 3
    b  ██████████████████████████████████████████████████ 2

    columns not drawn: first_seen
    "#);
}

#[test]
fn columns_and_rows_beyond_what_is_drawn() {
    let sql = "SELECT CAST(i AS varchar) AS k, i AS a, i AS b, i AS c, i AS d, i AS e, i AS f
               FROM (SELECT unnest(range(1, 13)) AS i)";
    let chart = chart(sql);
    let panels: Vec<_> = chart
        .split("\n\n")
        .map(|panel| panel.lines().count())
        .collect();
    // Four titles with ten bars each, and the notes.
    assert_eq!(panels, [11, 11, 11, 11, 2]);
    assert!(
        chart.ends_with("2 more rows not drawn\ncolumns not drawn: e, f\n"),
        "{chart}"
    );
}

#[test]
fn no_rows() {
    let sql = "SELECT 'a' AS k, 1 AS n WHERE false";
    assert_eq!(chart(sql), "no rows\n");
    assert_eq!(elements(&svg(sql), "text"), ["'no rows'"]);
    assert_eq!(
        chart("SELECT CAST(NULL AS timestamp) AS t, 1 AS n"),
        "no row has a time\n\n1 row without a time not drawn\n"
    );
}

#[test]
fn no_measure() {
    assert_command_snapshot!(loglens(&["query", "-o", "chart", "SELECT 'a' AS k"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: a chart needs a column of numbers, and this result has none
    hint: SELECT a dimension and a number: SELECT srcaddr, count(*) AS flows FROM vpc_flow_logs GROUP BY srcaddr
    "#);
    let folder = folder(&[]);
    for name in ["a.svg", "a.html"] {
        let to = below(&folder, name);
        let (output, _, _) = run(&mut loglens(&["query", "SELECT 'a' AS k", "--to", &to]));
        assert_eq!(output.status.code(), Some(2));
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_picture_holds_one_result() {
    assert_command_snapshot!(loglens(&["query", "-o", "svg", "SELECT 1; SELECT 2"]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    error: this format holds the result of one statement
    hint: run the statements one by one
    "#);
    insta::assert_snapshot!(chart("SELECT 1 AS a; SELECT 2 AS b"), @r#"
    a
    1  ███████████████████████████████████████████████████████████████████████████ 1

    b
    1  ███████████████████████████████████████████████████████████████████████████ 2
    "#);
}

#[test]
fn as_svg() {
    insta::assert_snapshot!(
        svg("SELECT * FROM (VALUES ('a', 1500), ('b', -20), ('c', NULL)) AS t(k, n)"), @r#"
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 157" role="img" aria-labelledby="chart-title chart-caption">
        <title id="chart-title">n by k</title>
        <desc id="chart-caption">SELECT * FROM (VALUES (&#39;a&#39;, 1500), (&#39;b&#39;, -20), (&#39;c&#39;, NULL)) AS t(k, n)</desc>
        <style>
        :root{color-scheme:light dark;--paper:#ffffff;--ink:#1f2328;--dim:#59636e;--rule:#d8dee4}
        @media(prefers-color-scheme:dark){:root{--paper:#14171c;--ink:#e6e9ed;--dim:#9aa4af;--rule:#343b44}}
        text{font:12px system-ui,sans-serif;fill:var(--ink)}
        .head{font-size:14px;font-weight:600}
        .dim{fill:var(--dim)}
        .end{text-anchor:end}
        .mid{text-anchor:middle}
        .rule{stroke:var(--rule);fill:none}
        .zero{stroke:var(--dim);fill:none}
        .line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
        .dots{fill:none;stroke-width:4;stroke-linecap:round}
        .s0{fill:#0072b2} .l0{stroke:#0072b2}
        .s1{fill:#d55e00} .l1{stroke:#d55e00}
        .s2{fill:#009e73} .l2{stroke:#009e73}
        .s3{fill:#cc79a7} .l3{stroke:#cc79a7}
        .s4{fill:#e69f00} .l4{stroke:#e69f00}
        .s5{fill:#56b4e9} .l5{stroke:#56b4e9}
        .s6{fill:#808080} .l6{stroke:#808080}
        </style>
        <rect width="100%" height="100%" style="fill:var(--paper)"/>
        <text x="20.0" y="32.0" class="head">n by k</text>
        <path class="rule" d="M46.2 47.0L46.2 110.0"/>
        <text x="46.2" y="128.0" class="mid dim">0</text>
        <path class="rule" d="M330.1 47.0L330.1 110.0"/>
        <text x="330.1" y="128.0" class="mid dim">500</text>
        <path class="rule" d="M614.1 47.0L614.1 110.0"/>
        <text x="614.1" y="128.0" class="mid dim">1,000</text>
        <path class="rule" d="M898.0 47.0L898.0 110.0"/>
        <text x="898.0" y="128.0" class="mid dim">1,500</text>
        <text x="26.8" y="59.0" class="end">a</text>
        <rect class="s0" x="46.2" y="47.0" width="851.8" height="15"><title>a: 1,500</title></rect>
        <text x="904.0" y="59.0" class="">1,500</text>
        <text x="26.8" y="80.0" class="end">b</text>
        <rect class="s1" x="34.8" y="68.0" width="11.4" height="15"><title>b: -20</title></rect>
        <text x="52.2" y="80.0" class="">-20</text>
        <text x="26.8" y="101.0" class="end">c</text>
        <text x="52.2" y="101.0" class="dim">NULL</text>
        <path class="zero" d="M46.2 47.0L46.2 110.0"/>
        </svg>
        "#);
}

#[test]
fn a_line_as_svg() {
    let sql =
        "SELECT to_timestamp(t) AS minute, n FROM (VALUES (0, 1), (60, 3), (180, 2)) AS v(t, n)";
    let picture = svg(sql);
    let body = picture.split_once("</style>\n").unwrap().1;
    insta::assert_snapshot!(body, @r#"
    <rect width="100%" height="100%" style="fill:var(--paper)"/>
    <text x="20.0" y="32.0" class="head">n by minute</text>
    <path class="zero" d="M34.8 327.0L940.0 327.0"/>
    <text x="26.8" y="331.0" class="end dim">0</text>
    <path class="rule" d="M34.8 233.7L940.0 233.7"/>
    <text x="26.8" y="237.7" class="end dim">1</text>
    <path class="rule" d="M34.8 140.3L940.0 140.3"/>
    <text x="26.8" y="144.3" class="end dim">2</text>
    <path class="rule" d="M34.8 47.0L940.0 47.0"/>
    <text x="26.8" y="51.0" class="end dim">3</text>
    <path class="rule" d="M34.8 327.0L34.8 332.0"/>
    <text x="34.8" y="345.0" class="mid dim">01-01</text>
    <path class="rule" d="M185.7 327.0L185.7 332.0"/>
    <text x="185.7" y="345.0" class="mid dim">00:00:30</text>
    <path class="rule" d="M336.5 327.0L336.5 332.0"/>
    <text x="336.5" y="345.0" class="mid dim">00:01</text>
    <path class="rule" d="M487.4 327.0L487.4 332.0"/>
    <text x="487.4" y="345.0" class="mid dim">00:01:30</text>
    <path class="rule" d="M638.3 327.0L638.3 332.0"/>
    <text x="638.3" y="345.0" class="mid dim">00:02</text>
    <path class="rule" d="M789.1 327.0L789.1 332.0"/>
    <text x="789.1" y="345.0" class="mid dim">00:02:30</text>
    <path class="rule" d="M940.0 327.0L940.0 332.0"/>
    <text x="939.0" y="345.0" class="mid dim">00:03</text>
    <path class="line l0" d="M34.8 233.7h0L336.5 47.0L638.3 327.0L940.0 140.3"/>
    <circle class="s0" cx="34.8" cy="233.7" r="2.5"><title>1970-01-01 00:00: 1</title></circle>
    <circle class="s0" cx="336.5" cy="47.0" r="2.5"><title>1970-01-01 00:01: 3</title></circle>
    <circle class="s0" cx="638.3" cy="327.0" r="2.5"><title>1970-01-01 00:02: 0</title></circle>
    <circle class="s0" cx="940.0" cy="140.3" r="2.5"><title>1970-01-01 00:03: 2</title></circle>
    <text x="20.0" y="375.0" class="dim">1970-01-01 00:00 to 1970-01-01 00:03 UTC, each point is 1 minute</text>
    <text x="20.0" y="393.0" class="dim">points without a row, drawn as 0: 1 of 4</text>
    </svg>
    "#);
}

#[test]
fn as_html() {
    let folder = folder(&[]);
    let to = below(&folder, "a.html");
    let sql = "SELECT k, n\nFROM (VALUES ('<b>', 1), (NULL, NULL)) AS t(k, n)\nWHERE 1 < 2";
    answer(&mut loglens(&["query", sql, "--to", &to]));
    let page = fs::read_to_string(&to).unwrap();
    let (head, rest) = page.split_once("<style>").unwrap();
    let body = rest.split_once("</head>").unwrap().1;
    let (before, rest) = body.split_once("<svg").unwrap();
    let after = rest.split_once("</svg>").unwrap().1;
    insta::assert_snapshot!(format!("{head}[style]{before}[picture]{after}"), @r#"
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>n by k</title>
    [style]
    <body>
    <h1>n by k</h1>
    <pre>SELECT k, n
    FROM (VALUES (&#39;&lt;b&gt;&#39;, 1), (NULL, NULL)) AS t(k, n)
    WHERE 1 &lt; 2</pre>
    [picture]
    <div class="table">
    <table>
    <thead><tr><th>k</th><th class="number">n</th></tr></thead>
    <tbody>
    <tr><td>&lt;b&gt;</td><td class="number">1</td></tr>
    <tr><td><span class="note">NULL</span></td><td class="number"><span class="note">NULL</span></td></tr>
    </tbody>
    </table>
    </div>
    </body>
    </html>
    "#);
}

/// What comes from logs is text in a picture, whatever it says.
#[test]
fn hostile_labels_are_text() {
    let hostile = "'<script>alert(1)</script>' || chr(38) || 'amp; \"''><img src=x onerror=y>' \
                   || chr(27) || ']0;x' || chr(7) || chr(0) || chr(65535) || chr(8238)";
    for sql in [
        format!("SELECT {hostile} AS \"<i>&\"\"'\", 1 AS \"</title><script>\""),
        format!(
            "SELECT to_timestamp(i) AS \"</svg>\", {hostile} || i AS k, 1 AS \"]]>\" FROM (SELECT unnest([0, 60]) AS i)"
        ),
        format!("SELECT repeat({hostile}, 20000) AS k, 1 AS n"),
    ] {
        let picture = svg(&sql);
        elements(&picture, "text");
        let page = answer(&mut loglens(&["query", "-o", "html", &sql]));
        for text in [&picture, &page] {
            assert!(text.len() < 30_000, "{} bytes", text.len());
            for active in ["<script", "<img", "<i>", "\x1b", "\x07", "\0", "\u{202e}"] {
                assert!(!text.contains(active), "{active:?} in {text}");
            }
        }
        let shown = chart(&sql);
        assert!(
            !shown.contains(['\x1b', '\x07', '\0', '\u{202e}']),
            "{shown}"
        );
        assert!(shown.len() < 10_000);
    }
}

/// Nothing is fetched, and nothing runs.
#[test]
fn a_page_is_whole_in_itself() {
    let sql = "SELECT to_timestamp(i) AS t, i AS n FROM (SELECT unnest([0, 60]) AS i)";
    let page = answer(&mut loglens(&["query", "-o", "html", sql]));
    for foreign in ["src=", "href=", "@import", "url(", "<link", "<script"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let addresses = page.matches("://").count();
    assert_eq!(
        addresses,
        page.matches("http://www.w3.org/2000/svg").count()
    );
}

#[test]
fn the_same_result_gives_the_same_picture() {
    let sql = "SELECT date_trunc('hour', event_time) AS hour, srcaddr, count(*) AS flows \
               FROM vpc_flow_logs GROUP BY 1, 2";
    let picture = || {
        answer(&mut loglens(&[
            "query",
            "-o",
            "svg",
            sql,
            "testdata/vpcflow",
        ]))
    };
    let first = picture();
    elements(&first, "path");
    assert_eq!(first, picture());
}
