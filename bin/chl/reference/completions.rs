//! `chl completions`: what a shell needs to complete our options.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
};
use clap::CommandFactory;
use std::io::Write;

/// Prints the completion script of a shell.
///
/// For bash: `chl completions bash > ~/.local/share/bash-completion/completions/chl`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints it for the program's own arguments.
    pub(crate) fn print<Program: CommandFactory>(&self) -> Outcome<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Program::command(), "chl", &mut script);
        std::io::stdout().write_all(&script).map_err(Failure::output)?;
        Ok(Exit::Success)
    }
}
