//! Input that was made to do harm, or that came to it: no panic, little memory, and the truth
//! about what was left out.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use crate::command::{HEADER, RECORD, folder, loglens, run, shell};

/// Peak memory that any of these may take, as `--stats` says it.
const MEMORY: f64 = 500e6;

/// Asks everything of a folder and checks what must hold of every input. Gives the answer of
/// `count(*)` and what was said beside it.
fn survive(folder: &TempDir) -> (String, String) {
    let place = folder.path().to_str().unwrap();
    let mut counted = (String::new(), String::new());
    for sql in [
        "SELECT * FROM vpc_flow_logs",
        "SELECT * FROM rejects",
        "SELECT count(*) FROM vpc_flow_logs",
    ] {
        let (output, out, err) = run(&mut loglens(&["query", "-o", "csv", "--stats", sql, place]));
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{:?}: {err}",
            output.status
        );
        assert!(!err.contains("panicked"), "{err}");
        assert!(!err.contains("this is a bug"), "{err}");
        if let Some(peak) = peak_memory(&err) {
            assert!(peak < MEMORY, "{sql}: {err}");
        }
        counted = (
            out.trim_start_matches("count(*)\n").trim_end().to_owned(),
            err,
        );
    }
    counted
}

fn peak_memory(err: &str) -> Option<f64> {
    let line = err.lines().find_map(|line| line.strip_prefix("memory"))?;
    let mut words = line.split_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let unit = match words.next()? {
        "B" => 1.0,
        "KB" => 1e3,
        "MB" => 1e6,
        _ => 1e9,
    };
    Some(number * unit)
}

/// A folder with one log of these bytes.
fn log(bytes: &[u8]) -> TempDir {
    folder(&[("a.log", bytes)])
}

/// A log of a record, something else, and another record.
fn around(middle: &[u8]) -> TempDir {
    log(&[
        HEADER.as_bytes(),
        RECORD.as_bytes(),
        middle,
        b"\n",
        RECORD.as_bytes(),
    ]
    .concat())
}

/// The note without what differs between runs.
fn note(folder: &TempDir, err: &str) -> String {
    let note = err
        .lines()
        .find(|line| line.starts_with("note: "))
        .unwrap_or_default();
    note.replace(folder.path().to_str().unwrap(), "[folder]")
}

#[test]
fn a_line_of_a_million_bytes() {
    let folder = around(&vec![b'x'; 1_000_000]);
    let (count, err) = survive(&folder);
    assert_eq!(count, "2");
    insta::assert_snapshot!(note(&folder, &err), @r#"note: 1 record rejected, first [folder]/a.log:3: expected 14 fields, found 1; all of them: loglens query "SELECT * FROM rejects" [folder]"#);
}

#[test]
fn a_line_of_six_megabytes() {
    let folder = around(&vec![b'x'; 6_000_000]);
    let (count, err) = survive(&folder);
    assert_eq!(count, "2");
    insta::assert_snapshot!(note(&folder, &err), @r#"note: 1 record rejected, first [folder]/a.log:3: record longer than 4194304 bytes; all of them: loglens query "SELECT * FROM rejects" [folder]"#);
}

#[test]
fn a_first_line_of_six_megabytes() {
    let folder = log(&vec![b'x'; 6_000_000]);
    survive(&folder);
}

#[test]
fn a_line_of_separators() {
    let folder = around(&vec![b' '; 2_000_000]);
    let (count, err) = survive(&folder);
    assert_eq!(count, "2");
    insta::assert_snapshot!(note(&folder, &err), @r#"note: 1 record rejected, first [folder]/a.log:3: expected 14 fields, found 2000001; all of them: loglens query "SELECT * FROM rejects" [folder]"#);
}

#[test]
fn binary_garbage() {
    let mut state: u32 = 1;
    let garbage: Vec<u8> = (0..500_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect();
    let (_, err) = survive(&log(&garbage));
    assert!(err.contains("nothing was recognised"), "{err}");
    let (_, err) = survive(&around(&garbage));
    assert!(err.contains("records rejected"), "{err}");
}

#[test]
fn nul_bytes() {
    let folder = around(&[0; 3]);
    let (count, err) = survive(&folder);
    assert_eq!(count, "2");
    insta::assert_snapshot!(note(&folder, &err), @r#"note: 1 record rejected, first [folder]/a.log:3: expected 14 fields, found 1; all of them: loglens query "SELECT * FROM rejects" [folder]"#);
    survive(&log(&[0; 100_000]));
}

#[test]
fn invalid_utf_8() {
    let record = RECORD.replace("eni-1", "eni-\u{1}").into_bytes();
    let record: Vec<u8> = record
        .iter()
        .map(|&byte| if byte == 1 { 0xff } else { byte })
        .collect();
    let folder = log(&[HEADER.as_bytes(), &record].concat());
    let place = folder.path().to_str().unwrap();
    let (_, out, err) = run(&mut loglens(&[
        "query",
        "-o",
        "csv",
        "SELECT interface_id FROM vpc_flow_logs",
        place,
    ]));
    assert_eq!(out, "interface_id\neni-\u{fffd}\n");
    insta::assert_snapshot!(note(&folder, &err), @r#"note: 1 value set aside, first [folder]/a.log:2: interface_id not UTF-8; all of them: loglens query "SELECT * FROM rejects" [folder]"#);
    survive(&folder);
}

/// The leading records are answered, and the object is named.
#[test]
fn a_truncated_gzip() {
    let folder = log((HEADER.to_owned() + &RECORD.repeat(50_000)).as_bytes());
    let path = folder.path().to_str().unwrap().to_owned();
    assert!(
        shell(&format!(
            "cd '{path}' && gzip a.log && head -c 4000 a.log.gz > b && mv b a.log.gz"
        ))
        .status()
        .unwrap()
        .success()
    );
    let (count, err) = survive(&folder);
    let count: u64 = count.parse().unwrap();
    assert!(count > 0 && count < 50_000, "{count}");
    assert!(err.contains("1 object not read to the end"), "{err}");
}

#[test]
fn a_gzip_bomb() {
    let folder = folder(&[]);
    let path = folder.path().to_str().unwrap();
    let bomb = format!(
        "cd '{path}' && (printf '%s' \"$0\"; head -c 300000000 /dev/zero) | gzip -9 > bomb.log.gz"
    );
    let mut command = shell(&bomb);
    command.arg(HEADER);
    assert!(command.status().unwrap().success());
    let (_, err) = survive(&folder);
    insta::assert_snapshot!(note(&folder, &err), @r#"note: 1 record rejected, 1 object not read to the end, first [folder]/bomb.log.gz:2: record longer than 4194304 bytes; all of them: loglens query "SELECT * FROM rejects" [folder]"#);
}

#[test]
fn an_empty_file() {
    let folder = log(b"");
    let (_, err) = survive(&folder);
    insta::assert_snapshot!(err.replace(folder.path().to_str().unwrap(), "[folder]"), @r#"
    error: [folder]: no vpc_flow_logs
    hint: nothing was recognised: [folder]/a.log (empty); --table vpc_flow_logs says what it is
    "#);
}

#[test]
fn an_empty_file_beside_a_log() {
    let folder = folder(&[
        ("a.log", RECORD.as_bytes()),
        ("b.log", b""),
        ("c.log.gz", b""),
    ]);
    let (count, _) = survive(&folder);
    assert_eq!(count, "1");
}

#[test]
fn a_lone_header() {
    let (count, err) = survive(&log(HEADER.as_bytes()));
    assert_eq!(count, "0", "{err}");
    let (count, err) = survive(&log(HEADER.trim_end().as_bytes()));
    assert_eq!(count, "0", "{err}");
}

#[test]
fn a_header_with_a_name_twice() {
    let text = HEADER.replace("dstaddr", "srcaddr") + RECORD;
    let folder = log(text.as_bytes());
    let (_, err) = survive(&folder);
    insta::assert_snapshot!(note(&folder, &err), @r#"note: 1 record rejected, first [folder]/a.log:1: the header names "srcaddr" twice; all of them: loglens query "SELECT * FROM rejects" [folder]"#);
}

#[test]
fn links() {
    let folder = folder(&[("logs/a.log", RECORD.as_bytes())]);
    symlink(folder.path(), folder.path().join("logs/loop")).unwrap();
    symlink("nothing", folder.path().join("logs/broken.log")).unwrap();
    let (count, err) = survive(&folder);
    assert_eq!(count, "1");
    insta::assert_snapshot!(note(&folder, &err), @"note: 2 objects left out: [folder]/logs/broken.log (a broken link), [folder]/logs/loop (a link to a folder that it lies in)");
}

/// Names are shown so that they cannot move the cursor, and quoted so that a shell takes them.
#[test]
fn names_of_files() {
    let names = [
        "a b.log",
        "\u{fc}\u{4e2d}.log",
        "new\nline.log",
        "esc\x1b[31m.log",
        "quote'.log",
        "[x]*.log",
    ];
    for name in names {
        let text = format!("{RECORD}short\n");
        let folder = folder(&[(name, text.as_bytes())]);
        let (count, err) = survive(&folder);
        assert_eq!(count, "1", "{name:?}: {err}");
        assert!(err.contains("1 record rejected"), "{name:?}: {err}");
        assert!(!err.contains('\x1b'), "{name:?}: {err:?}");
        assert!(
            err.lines().all(|line| !line.starts_with("line.log")),
            "{name:?}: {err:?}"
        );
        let file = folder.path().join(name);
        let file = file.to_str().unwrap();
        let sql = "SELECT \"$path\" FROM vpc_flow_logs";
        let (output, out, err) = run(&mut loglens(&["query", sql, file]));
        assert!(output.status.success(), "{name:?}: {err}");
        assert!(
            !out.contains('\x1b') && !err.contains('\x1b'),
            "{name:?}: {out:?} {err:?}"
        );
    }
}

#[test]
fn a_name_that_is_not_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = folder(&[("a.log", RECORD.as_bytes())]);
    fs::write(folder.path().join(OsStr::from_bytes(b"\xff.log")), RECORD).unwrap();
    let (count, err) = survive(&folder);
    assert_eq!(count, "1");
    assert!(err.contains("its name is not UTF-8"), "{err}");
}

#[test]
fn a_fifo_in_a_folder() {
    let folder = folder(&[("a.log", RECORD.as_bytes())]);
    let fifo = folder.path().join("b.log");
    assert!(
        shell(&format!("mkfifo '{}'", fifo.display()))
            .status()
            .unwrap()
            .success()
    );
    let (count, err) = survive(&folder);
    assert_eq!(count, "1");
    assert!(err.contains("not a regular file"), "{err}");
}

/// Parentheses are refused beyond a depth. A chain of operators is as deep as it is long, and the
/// stack must do.
#[test]
fn deeply_nested_sql() {
    let sql = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    let (output, _, err) = run(&mut loglens(&["query", &sql]));
    assert_eq!(output.status.code(), Some(1), "{err}");
    let sql = format!("SELECT 1{}", " + 1".repeat(500));
    let (output, _, err) = run(&mut loglens(&["query", &sql]));
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{:?} {err}",
        output.status
    );
}
