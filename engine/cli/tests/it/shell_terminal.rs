//! The shell in a terminal: prompt, editing, Tab, history, Ctrl-C, pager.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::command::{below, folder, loglens, names, run};

/// Runs for hours: every flow with every other, seven times over.
const ENDLESS: &str = "SELECT count(*) FROM vpc_flow_logs a, vpc_flow_logs b, vpc_flow_logs c, vpc_flow_logs d, \
                       vpc_flow_logs e, vpc_flow_logs f, vpc_flow_logs g WHERE a.bytes + b.bytes + c.bytes + \
                       d.bytes + e.bytes + f.bytes + g.bytes = 1;";

/// A shell over flow logs of `testdata` in a terminal of 30 lines, whose home is a folder.
struct Terminal {
    home: TempDir,
    command: Command,
}

impl Terminal {
    fn new(arguments: &[&str]) -> Self {
        let home = folder(&[("tmp/keep", b"")]);
        let shell = loglens(&[]);
        let mut command = Command::new("python3");
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/terminal.py"))
            .args(["30", "100", env!("CARGO_BIN_EXE_loglens")])
            .args(arguments)
            .args(["testdata/tgw", "testdata/vpcflow"])
            .current_dir(crate::command::root())
            .env("XDG_STATE_HOME", home.path())
            .env("TMPDIR", home.path().join("tmp"))
            .env("TERM", "xterm")
            .env("LOGLENS_PAGER", "cat");
        for (name, value) in shell.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self { home, command }
    }

    /// Has a dialogue that must end well, and gives all that was shown.
    fn talk(&mut self, dialogue: &str) -> String {
        let path = self.home.path().join("dialogue");
        std::fs::write(&path, dialogue).unwrap();
        let input = std::fs::File::open(&path).unwrap();
        let (output, out, err) = run(self.command.stdin(Stdio::from(input)));
        assert_eq!(output.status.code(), Some(0), "{err}\n{out}");
        out
    }
}

#[test]
fn a_statement_of_two_lines() {
    let mut terminal = Terminal::new(&[]);
    let out = terminal.talk(
        r"expect tgw_flow_logs (1 object), vpc_flow_logs (8 objects)
expect \\? for help
expect loglens> 
send SELECT count(*) AS flows\r
expect ; ends the statement
send FROM vpc_flow_logs;\r
expect flows\n-----\n   30\n\n1 row\ntime 
expect loglens> 
send \\timing\r
expect timing: off
send quit\r",
    );
    assert!(!out.contains("error"), "{out}");
    let history = std::fs::read_to_string(below(&terminal.home, "loglens/history")).unwrap();
    assert!(
        history.contains("SELECT count(*) AS flows\\nFROM vpc_flow_logs;\n"),
        "one entry: {history}"
    );
}

#[test]
fn tab() {
    Terminal::new(&[]).talk(
        r"expect loglens> 
send sel\t count(*) AS flows fr\t vpc\t;\r
expect select
expect flows\n-----\n   30
expect loglens> 
send CREATE VIEW mine AS SELECT 77 AS answer;\r
expect loglens> 
send SELECT ans\t FROM mi\t;\r
expect answer\n------\n    77
expect loglens> 
send \\ru\t top-t\t\r
expect 52.213.180.42
expect loglens> 
send \x04",
    );
}

/// Ctrl-C ends the query and nothing else; its temporary files go.
#[test]
fn an_interrupt() {
    let mut terminal = Terminal::new(&[]);
    terminal.talk(&format!(
        r"expect loglens> 
send {ENDLESS}\r
pause 1.5
send \x03
expect cancelled
expect loglens> 
send SELECT 6 * 7 AS answer;\r
expect answer\n------\n    42
expect loglens> 
send \x04"
    ));
    assert_eq!(names(&terminal.home.path().join("tmp")), ["keep"]);
}

/// At the prompt Ctrl-C drops what was typed; the history brings back what ran.
#[test]
fn editing() {
    Terminal::new(&[]).talk(
        r"expect loglens> 
send SELECT 40 + 2 AS answer;\r
expect answer\n------\n    42
expect loglens> 
send SELECT abandoned\r
expect ; ends the statement
send \x03
expect loglens> 
send \x1b[A\r
expect answer\n------\n    42
expect loglens> 
send SELECT\r
expect ; ends the statement
send \\d rejects\r
expect excerpt
expect loglens> SELECT
send 4141 AS back;\r
expect 4141\n\n1 row
expect loglens> 
send \x04",
    );
}

/// A statement that fails is no reason to leave.
#[test]
fn a_statement_that_fails() {
    Terminal::new(&[]).talk(
        r#"expect loglens> 
send SELECT nothing FROM vpc_flow_logs; SELECT 'not run';\r
expect error: no column "nothing"
expect loglens> 
send \\tming\r
expect error: no command \\tming
expect did you mean \\timing?
expect loglens> 
send SELECT 6 * 7 AS answer;\r
expect answer\n------\n    42
expect loglens> 
send \x04"#,
    );
}

/// What is taller than the screen goes through the pager, which may be quit at any time.
#[test]
fn pager() {
    let mut terminal = Terminal::new(&[]);
    terminal.command.env("LOGLENS_PAGER", "sed s/^/paged:/");
    let out = terminal.talk(
        r"expect loglens> 
send SELECT 1 AS short;\r
expect 1 row
expect loglens> 
send SELECT bytes FROM vpc_flow_logs;\r
expect paged:   bytes
expect paged:30 rows
expect loglens> 
send \\pager off\r
expect the pager: off
send SELECT bytes FROM vpc_flow_logs;\r
expect \n30 rows
expect loglens> 
send \x04",
    );
    assert!(!out.contains("paged:short"), "{out}");

    let mut terminal = Terminal::new(&["-o", "csv"]);
    terminal.command.env("LOGLENS_PAGER", "head -n 2");
    let out = terminal.talk(
        r"expect loglens> 
send SELECT 'row' AS seen FROM vpc_flow_logs a, vpc_flow_logs b, vpc_flow_logs c, vpc_flow_logs d;\r
expect seen\nrow
expect loglens> 
send SELECT 6 * 7 AS answer;\r
expect answer\n42
expect loglens> 
send \x04",
    );
    assert!(!out.contains("error"), "{out}");
}

/// A history that cannot be kept is not mentioned.
#[test]
fn no_history() {
    let mut terminal = Terminal::new(&[]);
    terminal.command.env("XDG_STATE_HOME", "/dev/null");
    let out = terminal
        .talk("expect loglens> \nsend SELECT 42;\\r\nexpect 42\nexpect loglens> \nsend \\x04");
    assert!(!out.contains("error"), "{out}");
}
