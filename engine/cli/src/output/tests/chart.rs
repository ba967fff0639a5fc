use super::*;

const NARROW: Style = Style {
    expanded: false,
    width: Some(12),
    colour: false,
};
const COLOUR: Style = Style {
    expanded: false,
    width: Some(40),
    colour: true,
};

fn times(zone: &str, times: &[&str]) -> ArrayRef {
    let zone: timezone::Tz = zone.parse().unwrap();
    let parse = arrow::compute::kernels::cast_utils::string_to_datetime;
    let micros = times
        .iter()
        .map(|time| parse(&zone, time).unwrap().timestamp_micros());
    Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone(zone.to_string()))
}

fn counts<const N: usize>(values: [i64; N]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// What stands below the plot of a chart.
fn below(zone: &str, instants: &[&str]) -> String {
    let counts = Int64Array::from(vec![1; instants.len()]);
    let rows = batch([("t", times(zone, instants)), ("n", Arc::new(counts))]);
    let chart = text(Format::Chart, PLAIN, &[rows]);
    let lines: Vec<_> = chart
        .lines()
        .skip(15)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("; ")
}

#[test]
fn bins_are_those_of_the_clock_and_the_calendar() {
    for (zone, instants, expected) in [
        (
            "UTC",
            &[
                "2026-01-01T00:00:00",
                "2026-01-01T00:05:00",
                "2026-01-01T00:15:00",
            ][..],
            "2026-01-01 00:00 to 2026-01-01 00:15 UTC, each point is 5 minutes; \
             points without a row, drawn as 0: 1 of 4",
        ),
        // The clock is put forward on the 29th: a day of 23 hours.
        (
            "Europe/Berlin",
            &["2026-03-28", "2026-03-29", "2026-03-31"],
            "2026-03-28 00:00 to 2026-03-31 00:00 Europe/Berlin, each point is 1 day; \
             points without a row, drawn as 0: 1 of 4",
        ),
        // Put back on the 25th: 02:00 is there twice.
        (
            "Europe/Berlin",
            &[
                "2026-10-25T01:00:00",
                "2026-10-25T00:00:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T04:00:00",
            ],
            "2026-10-25 01:00 to 2026-10-25 04:00 Europe/Berlin, each point is 1 hour; \
             points without a row, drawn as 0: 1 of 5",
        ),
        (
            "America/New_York",
            &["2026-05-01", "2026-01-01", "2026-02-01"],
            "2026-01-01 00:00 to 2026-05-01 00:00 America/New_York, each point is 1 month; \
             points without a row, drawn as 0: 2 of 5",
        ),
        (
            "UTC",
            &["2020-01-01", "2022-01-01", "2023-01-01"],
            "2020-01-01 00:00 to 2023-01-01 00:00 UTC, each point is 1 year; \
             points without a row, drawn as 0: 1 of 4",
        ),
        (
            "+05:30",
            &["2026-01-05", "2026-01-12", "2026-01-26"],
            "2026-01-05 00:00 to 2026-01-26 00:00 +05:30, each point is 1 week; \
             points without a row, drawn as 0: 1 of 4",
        ),
        (
            "UTC",
            &["2026-01-01T00:00:00.250", "2026-01-01T00:00:00.500"],
            "2026-01-01 00:00:00.250 to 2026-01-01 00:00:00.500 UTC, each point is 250 milliseconds",
        ),
        ("UTC", &["2026-01-01T07:30:01"], "2026-01-01 07:30:01 UTC"),
        // A second apart, but too many seconds.
        (
            "UTC",
            &[
                "2026-01-01T00:00:00",
                "2026-01-01T00:00:01",
                "2026-01-01T02:46:40",
            ],
            "2026-01-01 00:00 to 2026-01-01 02:46:40 UTC; \
             more than 10,000 points from the first time to the last: only the rows are drawn",
        ),
    ] {
        assert_eq!(below(zone, instants), expected, "{zone} {instants:?}");
    }
}

#[test]
fn marks_stand_where_a_clock_or_a_calendar_has_its_own() {
    for (zone, instants, expected) in [
        (
            "UTC",
            ["2026-01-01T00:00:00", "2026-01-01T01:00:00"],
            "01-01 00:15 00:30 00:45 01:00",
        ),
        (
            "UTC",
            ["2026-01-01T00:00:00", "2026-01-01T00:00:02"],
            "01-01 00:00:00.500 00:00:01 00:00:01.500 00:00:02",
        ),
        (
            "Europe/Berlin",
            ["2026-03-28T18:00:00", "2026-03-29T09:00:00"],
            "18:00 21:00 03-29 04:00 07:00",
        ),
        (
            "UTC",
            ["2026-01-01", "2026-01-20"],
            "2026-01-05 2026-01-12 2026-01-19",
        ),
        (
            "UTC",
            ["2025-11-01", "2026-06-01"],
            "2025-11 2026-01 2026-03 2026-05",
        ),
        ("UTC", ["1990-01-01", "2026-01-01"], "1990 2000 2010 2020"),
    ] {
        let rows = batch([("t", times(zone, &instants)), ("n", counts([1, 2]))]);
        let chart = text(Format::Chart, PLAIN, &[rows]);
        let marks: Vec<_> = chart.lines().nth(14).unwrap().split_whitespace().collect();
        assert_eq!(marks.join(" "), expected, "{instants:?}");
    }
}

#[test]
fn colours_tell_series_apart() {
    let rows = batch([
        (
            "t",
            times(
                "UTC",
                &["2026-01-01", "2026-01-02", "2026-01-01", "2026-01-02"],
            ),
        ),
        (
            "action",
            strings([Some("ACCEPT"), Some("ACCEPT"), Some("REJECT"), None]),
        ),
        ("n", counts([4, 4, 2, 3])),
    ]);
    let chart = text(Format::Chart, COLOUR, &[rows]);
    let legend = chart.lines().nth(1).unwrap();
    assert_eq!(
        legend,
        "\x1b[36m●\x1b[0m ACCEPT  \x1b[31m●\x1b[0m NULL  \x1b[32m●\x1b[0m REJECT"
    );
    for colour in ["\x1b[36m⠉", "\x1b[31m", "\x1b[32m"] {
        assert!(
            chart.lines().skip(2).any(|line| line.contains(colour)),
            "{chart}"
        );
    }
}

#[test]
fn bars_fit_into_the_terminal() {
    let rows = batch([
        (
            "k",
            strings([
                Some("a"),
                Some("x̂👩\u{200d}💻 wide 日本語 and much longer than that"),
                None,
            ]),
        ),
        ("n", counts([1_000_000, -250_000, 3])),
    ]);
    for width in [0, 1, 10, 20, 40, 79, 200] {
        let style = Style {
            expanded: false,
            width: Some(width),
            colour: false,
        };
        let chart = text(Format::Chart, style, std::slice::from_ref(&rows));
        let most = chart
            .lines()
            .map(unicode_width::UnicodeWidthStr::width)
            .max()
            .unwrap();
        assert!(most <= width.max(30), "{width}:\n{chart}");
    }
}

/// No values and no types of theirs bring a chart down.
#[test]
fn anything_can_be_drawn_or_is_refused() {
    let extremes = [
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        -5e-324,
        f64::NAN,
        f64::INFINITY,
        -0.0,
        1e21,
    ];
    let floats = |values: Vec<f64>| Arc::new(Float64Array::from(values)) as ArrayRef;
    let seconds = |values: Vec<i64>| Arc::new(TimestampSecondArray::from(values)) as ArrayRef;
    let all = [
        kinds(),
        flows(),
        numbered(0..0),
        numbered(0..500),
        batch([("x", floats(extremes.to_vec()))]),
        batch([
            ("x", floats(vec![f64::MAX, f64::MAX])),
            ("t", seconds(vec![0, 0])),
        ]),
        batch([("x", floats(vec![-5e-324])), ("k", strings([Some("k")]))]),
        batch([
            ("x", floats(vec![1.0, 2.0, 3.0])),
            ("t", seconds(vec![i64::MIN, 0, i64::MAX])),
        ]),
        batch([("x", floats(vec![1.0])), ("t", seconds(vec![i64::MAX]))]),
        batch([
            ("x", floats(vec![1.0, 2.0])),
            ("t", seconds(vec![-62_135_596_800, 253_402_300_799])),
        ]),
        batch([
            ("x", counts([i64::MAX, i64::MIN])),
            ("d", Arc::new(Date32Array::from(vec![i32::MAX, 1]))),
        ]),
    ];
    for rows in all {
        for format in [Format::Chart, Format::Svg, Format::Html] {
            for style in [PLAIN, NARROW, COLOUR] {
                let shown = text(format, style, &[rows.clone(), rows.clone()]);
                assert!(!shown.is_empty());
                for wrong in ["\"NaN", "\"inf", "\"-inf", "MNaN", "LNaN", " NaN\""] {
                    assert!(!shown.contains(wrong), "{shown}");
                }
            }
        }
    }
    for refused in [hostile(), out_of_range(), batch([])] {
        let made = writer(Format::Chart, "", &refused.schema(), Vec::new(), PLAIN);
        assert!(matches!(made, Err(OutputError::NothingToDraw(_))));
    }
}

#[test]
fn a_chart_of_a_long_result_says_what_it_is_made_of() {
    let batches: Vec<_> = (0..11)
        .map(|i| numbered(i * 10_000..i * 10_000 + 10_000))
        .collect();
    let chart = text(Format::Chart, PLAIN, &batches);
    assert!(
        chart.ends_with(
            "\n\n99,960 more rows not drawn\nmade of the first 100,000 of 110,000 rows\n"
        ),
        "{chart}"
    );
    let page = text(Format::Html, PLAIN, &batches);
    assert!(page.contains("<p class=\"note\">109,000 more rows not in the table</p>"));
    assert_eq!(page.matches("<tr>").count(), 1 + 1_000);
}
