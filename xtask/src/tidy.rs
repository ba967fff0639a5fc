//! `tidy`: nothing in the tracked files that belongs to one machine or one account.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use crate::error::{Error, no_arguments, no_problems};
use crate::workspace::{self, Workspace};

// Written in two parts, so that this file passes its own check.
const ROOT_HOME: &str = concat!("/ro", "ot/");
const HOMES: &str = concat!("/ho", "me/");
const PRIVATE_KEY: &str = concat!("PRIVATE ", "KEY-----");

/// Runs [`check`].
pub(crate) fn task(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    no_arguments("tidy", arguments)?;
    check(workspace)
}

/// Checks every line of every tracked text file.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Error> {
    let root = workspace.root();
    if !root.join(".git").exists() {
        eprintln!("tidy: not a git checkout, so no file is tracked: nothing to check");
        return Ok(());
    }
    let checkout = root.to_string_lossy();
    let mut files = 0;
    let mut problems = Vec::new();
    for path in tracked_files(root)? {
        let Some(text) = read_text(&root.join(&path))? else {
            continue;
        };
        files += 1;
        for (index, line) in text.lines().enumerate() {
            if let Some(problem) = problem_of(line, &checkout) {
                problems.push(format!("{path}:{}: {problem}", index + 1));
            }
        }
    }
    no_problems("tidy", &problems)?;
    println!("tidy: {files} text files");
    Ok(())
}

fn tracked_files(root: &Path) -> Result<Vec<String>, Error> {
    let mut git = Command::new("git");
    // A CI runner's checkout often belongs to another user, which git refuses unless told.
    git.current_dir(root)
        .args(["-c", "safe.directory=*", "ls-files", "-z"]);
    let listing = workspace::read(git)?;
    Ok(listing.split_terminator('\0').map(str::to_owned).collect())
}

/// A file's text; nothing if it is binary, or tracked but gone from the working tree.
fn read_text(path: &Path) -> Result<Option<String>, Error> {
    match fs::read(path) {
        Ok(bytes) if bytes.contains(&0) => Ok(None),
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            Ok(None)
        }
        Err(error) => Err(Error::Failed(format!("{}: {error}", path.display()))),
    }
}

/// What is wrong with a line.
fn problem_of(line: &str, checkout: &str) -> Option<&'static str> {
    if paths_after(line, ROOT_HOME).next().is_some() {
        return Some("a path in the superuser's home folder");
    }
    if paths_after(line, HOMES).any(|rest| rest.starts_with(is_word)) {
        return Some("a path in somebody's home folder");
    }
    // A checkout right below the root, such as `/src`, is too common a word to look for.
    let is_specific = checkout.matches('/').count() >= 2;
    if is_specific && paths_after(line, checkout).any(|rest| !rest.starts_with(is_word)) {
        return Some("the path of this checkout");
    }
    if line.contains(PRIVATE_KEY) {
        return Some("a private key");
    }
    if words(line).any(is_access_key) {
        return Some("an AWS access key");
    }
    if names_secret_key(line) && words(line).any(is_secret_key) {
        return Some("an AWS secret key");
    }
    None
}

/// What follows each absolute path in a line that starts with `prefix`.
fn paths_after<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(prefix).filter_map(move |(start, _)| {
        let before = line[..start].chars().next_back();
        // After any of these it is the tail of a longer path: `example.com/...`, `${DIR}/...`.
        let is_tail = before.is_some_and(|c| is_word(c) || ".~})]*".contains(c));
        (!is_tail).then(|| &line[start + prefix.len()..])
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// The runs of characters that keys are made of.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '/' || c == '+'))
}

/// Whether a word could be the identifier of a real key. AWS's own documented ones say EXAMPLE.
fn is_access_key(word: &str) -> bool {
    let identifier = word
        .strip_prefix("AKIA")
        .or_else(|| word.strip_prefix("ASIA"));
    identifier.is_some_and(|identifier| {
        identifier.len() == 16
            && identifier
                .chars()
                .all(|c| matches!(c, 'A'..='Z' | '2'..='7'))
            && !identifier.contains("EXAMPLE")
    })
}

fn names_secret_key(line: &str) -> bool {
    let name: String = line.chars().filter(|c| *c != '_').collect();
    name.to_ascii_lowercase().contains("secretaccesskey")
}

fn is_secret_key(word: &str) -> bool {
    word.len() == 40 && !word.contains("EXAMPLE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_machine_are_found() {
        for (parts, expected) in [
            (["see /ro", "ot/.cargo"], true),
            (["file:///ro", "ot/x"], true),
            (["/ho", "me/someone/loglens"], true),
            (["cd /builds/", "loglens && ls"], true),
            (["cd /builds/", "loglens/parsers"], true),
            (["cd /builds/", "loglens-old"], false),
            (["https://example.com/ho", "me/index.html"], false),
            (["$TMP/ro", "ot/x and ${TMP}/ro"], false),
            (["homes are below /ho", "me/*"], false),
        ] {
            let line = parts.concat();
            let problem = problem_of(&line, "/builds/loglens");
            assert_eq!(problem.is_some(), expected, "{line}: {problem:?}");
        }
    }

    #[test]
    fn keys_are_found_but_not_the_documented_examples() {
        for (parts, expected) in [
            (["key = AKIAABCD", "EFGH2345IJKL"], true),
            (["\"accessKeyId\":\"ASIAABCD", "EFGH2345IJKL\""], true),
            (["AKIAIOSFODNN7", "EXAMPLE"], false),
            (["AKIA0000", "000000000000"], false),
            (["XAKIAABCD", "EFGH2345IJKL"], false),
            (
                [
                    "aws_secret_access_key = abcdefghij",
                    "ABCDEFGHIJ0123456789/+abcdefgh",
                ],
                true,
            ),
            (
                [
                    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/",
                    "bPxRfiCYEXAMPLEKEY",
                ],
                false,
            ),
            (["abcdefghij", "ABCDEFGHIJ0123456789/+abcdefgh"], false),
            (["-----BEGIN PRIVATE ", "KEY-----"], true),
        ] {
            let line = parts.concat();
            let problem = problem_of(&line, "/builds/loglens");
            assert_eq!(problem.is_some(), expected, "{line}: {problem:?}");
        }
    }
}
