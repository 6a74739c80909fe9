//! The one way to standard output.

use std::fmt::Display;
use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For scripts: one JSON value.
    Json,
}

/// Prints results. A reader that went away is no error: what was asked for is done.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
}

impl Output {
    /// Prints in `format`.
    #[must_use]
    pub const fn new(format: Format) -> Self {
        Self { format }
    }

    /// Which form was asked for.
    #[must_use]
    pub const fn format(self) -> Format {
        self.format
    }

    /// One result: its words for people, or its fields for scripts.
    pub fn print(self, result: &(impl Display + Serialize)) -> io::Result<()> {
        match self.format {
            Format::Text => self.raw(format!("{result}\n").as_bytes()),
            Format::Json => self.raw(format!("{}\n", serde_json::to_string(result)?).as_bytes()),
        }
    }

    /// Bytes that have their form already, such as a completion script.
    pub fn raw(self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }
}
