//! `countersign config`: what is set, by whom, and whether it can be used.

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

use countersign_model::{OsRng, SystemClock};
use serde::Serialize;

use super::{CliError, Context, Output};
use crate::config::{Loaded, Setting};

/// `countersign config <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum ConfigCommand {
    /// Print every value in force and where it was set; secrets are hidden
    Print,
    /// Check the configuration without starting anything
    Check,
}

impl ConfigCommand {
    /// Runs it.
    pub(super) fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let loaded = context.load()?;
        match self {
            Self::Print => output.print(&Printed::of(loaded))?,
            Self::Check => {
                loaded.config.routes(&(Arc::new(SystemClock) as _), &(Arc::new(OsRng) as _))?;
                output.print(&Checked { ok: true, file: file_of(&loaded) })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn file_of(loaded: &Loaded) -> Option<String> {
    loaded.file.as_ref().map(|file| file.display().to_string())
}

#[derive(Serialize)]
struct Printed {
    file: Option<String>,
    settings: Vec<Setting>,
}

impl Printed {
    fn of(loaded: Loaded) -> Self {
        Self { file: file_of(&loaded), settings: loaded.settings }
    }
}

impl fmt::Display for Printed {
    /// Lines that are TOML themselves: what is printed could be a configuration file. What each call decides is a comment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# file: {}", self.file.as_deref().unwrap_or("none"))?;
        let line = |set: &Setting| match &set.value {
            Some(value) => format!("{} = {value}", set.key),
            None => format!("# {}", set.key),
        };
        let lines: Vec<_> = self.settings.iter().map(|set| (line(set), set.origin)).collect();
        let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width <= 60).max().unwrap_or(0);
        for (position, (line, origin)) in lines.iter().enumerate() {
            let end = if position + 1 == lines.len() { "" } else { "\n" };
            write!(f, "{line:width$}  # {origin}{end}")?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Checked {
    ok: bool,
    file: Option<String>,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "ok: {file} can be used"),
            None => f.write_str("ok: no file; defaults and environment can be used"),
        }
    }
}
