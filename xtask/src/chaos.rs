//! `chaos`: the daemon under kills, faults and reshards, for long.

use crate::error::Error;
use crate::test;
use crate::workspace::Workspace;

/// The test, of which this is the long form.
const TEST: &str = "chaos::every_record_once_through_kills_faults_and_reshards";

/// What can be said, the variable that tells the test, and what holds if it is not said.
const OPTIONS: &[(&str, &str, u64)] = &[
    ("--kills", "LOGLENS_CHAOS_KILLS", 100),
    ("--reshards", "LOGLENS_CHAOS_RESHARDS", 10),
    ("--seed", "LOGLENS_CHAOS_SEED", 1),
];

/// Runs the test with what the arguments say.
pub(crate) fn task(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    test::run_one(workspace, TEST, &settings(arguments)?)
}

/// The variables that say it.
fn settings(arguments: &[String]) -> Result<Vec<(&'static str, u64)>, Error> {
    let mut settings: Vec<_> = OPTIONS
        .iter()
        .map(|(_, name, number)| (*name, *number))
        .collect();
    for pair in arguments.chunks(2) {
        let at = OPTIONS.iter().position(|(option, ..)| *option == pair[0]);
        let number = pair.get(1).and_then(|number| number.parse().ok());
        let (Some(at), Some(number)) = (at, number) else {
            return Err(Error::Usage(
                "write `cargo xtask chaos --kills N --reshards N --seed N`, or some of these"
                    .to_owned(),
            ));
        };
        settings[at].1 = number;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_the_table_has_it() {
        for (arguments, expected) in [
            (&[][..], Some([100, 10, 1])),
            (&["--seed", "7"], Some([100, 10, 7])),
            (&["--reshards", "2", "--kills", "5"], Some([5, 2, 1])),
            (&["--kills"], None),
            (&["--kills", "many"], None),
            (&["--kill", "5"], None),
        ] {
            let arguments: Vec<_> = arguments
                .iter()
                .map(|&text: &&str| text.to_owned())
                .collect();
            let settings = settings(&arguments).ok();
            let numbers = settings.map(|settings| {
                settings
                    .iter()
                    .map(|(_, number)| *number)
                    .collect::<Vec<_>>()
            });
            assert_eq!(numbers, expected.map(Vec::from), "{arguments:?}");
        }
    }
}
