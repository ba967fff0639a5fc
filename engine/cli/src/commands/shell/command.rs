//! The commands that begin with a backslash.

use loglens_engine::nearest;

use crate::failure::Failure;

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Describe,
    Expanded,
    Format,
    Help,
    Include,
    Output,
    Pager,
    Quit,
    Refresh,
    Rejects,
    Run,
    Stats,
    Timing,
}

/// A command as it is typed, and what it is for.
pub(super) struct Command {
    pub(super) name: &'static str,
    /// What may follow its name.
    pub(super) arguments: &'static str,
    pub(super) help: &'static str,
    pub(super) action: Action,
}

/// Every command, in the order of `\?`.
pub(super) const COMMANDS: &[Command] = &[
    command("?", "", "show this", Action::Help),
    command("q", "", "quit; quit, exit and Ctrl-D do too", Action::Quit),
    command(
        "d",
        "[TABLE]",
        "list the tables, or the columns of one",
        Action::Describe,
    ),
    command(
        "run",
        "[NAME [k=v ...]]",
        "list the named queries, or answer one",
        Action::Run,
    ),
    command(
        "rejects",
        "",
        "show 20 records that were rejected, and why",
        Action::Rejects,
    ),
    command("i", "FILE", "run statements from a file", Action::Include),
    command(
        "o",
        "[FILE]",
        "write results to a file, until \\o alone completes it",
        Action::Output,
    ),
    command(
        "format",
        "[FORMAT]",
        "output format of the results that follow",
        Action::Format,
    ),
    command(
        "x",
        "[on|off]",
        "show each row of a table as a record",
        Action::Expanded,
    ),
    command(
        "pager",
        "[on|off]",
        "page what is taller than the screen",
        Action::Pager,
    ),
    command(
        "timing",
        "[on|off]",
        "say how long statements take",
        Action::Timing,
    ),
    command("stats", "[on|off]", "say what was read", Action::Stats),
    command(
        "refresh",
        "",
        "list the places again; forgets views and tables of this session",
        Action::Refresh,
    ),
];

const fn command(
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
    action: Action,
) -> Command {
    Command {
        name,
        arguments,
        help,
        action,
    }
}

/// What a line that begins with a backslash asks for, and what follows the command's name. The
/// words that end a shell have no backslash.
pub(super) fn parse(line: &str) -> Result<(Action, &str), Failure> {
    let Some(line) = line.strip_prefix('\\') else {
        return Ok((Action::Quit, ""));
    };
    // Who writes SQL all day ends everything with one.
    let line = line.trim_end_matches(';').trim_end();
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let near = nearest(name, COMMANDS.iter().map(|command| command.name));
        return Err(Failure::usage(
            format!("no command \\{name}"),
            match near {
                Some(near) => format!("did you mean \\{near}? \\? lists the commands"),
                None => "\\? lists the commands".to_owned(),
            },
        ));
    };
    if command.arguments.is_empty() && !argument.is_empty() {
        return Err(Failure::usage(
            format!("\\{name} takes nothing after it, and there is {argument}"),
            "\\? shows how commands are written",
        ));
    }
    Ok((command.action, argument))
}

/// What a toggle becomes: what is said, or else the other of the two.
pub(super) fn toggled(value: bool, argument: &str) -> Result<bool, Failure> {
    match argument {
        "" => Ok(!value),
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Failure::usage(
            format!("{argument}: neither on nor off"),
            "say on or off, or nothing to toggle",
        )),
    }
}

/// The list of all commands.
pub(super) fn help() -> String {
    let usage = |command: &Command| format!("\\{} {}", command.name, command.arguments);
    let width = COMMANDS.iter().map(|command| usage(command).len()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for command in COMMANDS {
        text.push_str(&format!("{:<width$}  {}\n", usage(command), command.help));
    }
    text + "\nEverything else is SQL and ends with ;\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        let rows = [
            ("\\q", Some((Action::Quit, ""))),
            ("quit", Some((Action::Quit, ""))),
            ("\\d", Some((Action::Describe, ""))),
            (
                "\\d  vpc_flow_logs ;",
                Some((Action::Describe, "vpc_flow_logs")),
            ),
            ("\\i a b.sql", Some((Action::Include, "a b.sql"))),
            ("\\q now", None),
            ("\\dt", None),
            ("\\", None),
        ];
        for (line, expected) in rows {
            assert_eq!(parse(line).ok(), expected, "{line}");
        }
    }
}
