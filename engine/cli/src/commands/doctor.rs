//! `loglens doctor`.

use std::io::{self, Write};

use loglens_engine::Owner;
use loglens_io::s3::SCHEME;
use loglens_io::s3::access::Access;
use loglens_io::s3::checks::{self, Found, Step};

use super::session::access;
use crate::arguments::Doctor;
use crate::config::{self, Roles};
use crate::failure::Failure;
use crate::output::{OutputError, visible};

pub(crate) async fn run(arguments: Doctor) -> Result<(), Failure> {
    let Doctor {
        mut places,
        config,
        mut s3,
    } = arguments;
    if let Some(place) = places.iter().find(|place| !place.starts_with(SCHEME)) {
        return Err(Failure::usage(
            format!("{place}: not a place on S3"),
            "write s3://BUCKET/PREFIX, or nothing to look at the places of loglens.toml",
        ));
    }
    let completed = config::complete_places(&mut places, &mut s3, config.as_deref());
    let (configuration, roles) = configuration(completed)?;
    let mut all_well = say(&[configuration])?;
    let mut accesses: Vec<Access> = Vec::new();
    places.retain(|place| place.starts_with(SCHEME));
    if places.is_empty() {
        all_well &= say(&checks::account(&access(&s3, None)?).await)?;
    }
    for place in &places {
        let access = access(&s3, roles.get(place))?;
        // Places that are reached in the same way share what is said of it.
        if !accesses.contains(&access) {
            all_well &= say(&checks::account(&access).await)?;
            accesses.push(access.clone());
        }
        all_well &= say(&checks::place(place, &access).await?)?;
    }
    match all_well {
        true => Ok(()),
        false => Err(Failure::Told(Owner::External)),
    }
}

/// What the configuration is, and the roles that it names.
fn configuration(
    completed: Result<Option<(String, Roles)>, Failure>,
) -> Result<(Step, Roles), Failure> {
    let (found, roles) = match completed {
        Ok(Some((path, roles))) => (Found::Well(path), roles),
        Ok(None) => {
            let none = "there is none, neither here nor in your configuration folder";
            (Found::Passed(none.to_owned()), Roles::new())
        }
        // The other steps are taken all the same.
        Err(Failure::Error(error)) => (Found::Wrong(*error), Roles::new()),
        Err(other) => return Err(other),
    };
    let name = "configuration";
    Ok((Step { name, found }, roles))
}

/// Says what was found; whether all is well.
pub(super) fn say(steps: &[Step]) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    for step in steps {
        write(&mut out, step).map_err(OutputError::from)?;
    }
    Ok(steps.iter().all(|step| step.found.is_well()))
}

/// A line for a step, and one for the way to mend it. Names in them come from others.
fn write(out: &mut impl Write, Step { name, found }: &Step) -> io::Result<()> {
    let (mark, text) = match found {
        Found::Well(text) => ("ok", text),
        Found::Wrong(error) => ("WRONG", &error.message),
        Found::Passed(text) => ("-", text),
    };
    writeln!(out, "{mark:<6}{name:<14}{}", visible(text))?;
    if let Found::Wrong(error) = found
        && let Some(hint) = &error.hint
    {
        writeln!(out, "{:<20}hint: {}", "", visible(hint))?;
    }
    Ok(())
}
