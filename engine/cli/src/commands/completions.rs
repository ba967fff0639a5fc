//! `loglens completions`.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::Failure;

pub(crate) fn run(shell: Shell) -> Result<(), Failure> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    io::Write::write_all(&mut io::stdout(), &script)
        .map_err(|error| Failure::from(crate::output::OutputError::from(error)))
}
