//! `countersign completions`: what a shell needs to complete commands.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, CliError, Output};

/// `countersign completions <shell>`
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell to complete for.
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub(super) fn run(&self, output: Output) -> Result<ExitCode, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "countersign", &mut script);
        output.raw(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
