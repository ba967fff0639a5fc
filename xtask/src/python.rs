//! Python environments, each with what a requirements file says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::workspace::{self, Workspace};

/// Installs what a file below the root requires, unless that is done; gives the Python that has it.
pub(crate) fn with(
    workspace: &Workspace,
    requirements: &str,
    venv: &Path,
) -> Result<PathBuf, Error> {
    let python = venv.join("bin/python");
    let requirements = workspace.root().join(requirements);
    let installed = venv.join("requirements.txt");
    if is_same(&requirements, &installed) {
        return Ok(python);
    }
    eprintln!(
        "installing {} into {}",
        requirements.display(),
        venv.display()
    );
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(venv);
    workspace::run(make)?;
    let mut install = Command::new(&python);
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ])
        .arg(&requirements);
    workspace::run(install)?;
    // Last, so that a folder that has it is complete.
    fs::copy(&requirements, &installed)
        .map_err(|error| Error::Failed(format!("{}: {error}", installed.display())))?;
    Ok(python)
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::read(one), fs::read(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
