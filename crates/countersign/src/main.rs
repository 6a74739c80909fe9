//! The one binary: see `countersign --help`.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use countersign::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            // Where even standard error is gone, the exit code tells.
            let _ = report(&error);
            ExitCode::FAILURE
        }
    }
}

/// The error and what is behind it, a line each.
fn report(error: &dyn Error) -> io::Result<()> {
    let mut out = io::stderr().lock();
    writeln!(out, "error: {error}")?;
    let mut cause = error.source();
    while let Some(source) = cause {
        writeln!(out, "  because: {source}")?;
        cause = source.source();
    }
    Ok(())
}
