use std::fmt::{self, Write as _};
use std::path::PathBuf;

/// Why the configuration cannot be used. Shows keys and places, never a value: the value may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named by `--config`, or the one in the data directory, cannot be read.
    #[error("{} cannot be read: {source}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}, line {line}: {message}", file.display())]
    Syntax {
        /// Which file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// Keys that do not exist, or values that cannot be used.
    #[error("{}", listed(.0))]
    Invalid(Vec<Problem>),
}

/// One thing to mend: the key, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key with its section, as written in the file.
    pub key: String,
    /// What is wrong and what would be right.
    pub what: String,
}

impl Problem {
    /// A setting of `[redis]` that its engine cannot use.
    pub(crate) fn of_redis(invalid: &countersign_session::store::InvalidSetting) -> Self {
        Self::new(super::redis::written(invalid.key), invalid.why.clone())
    }

    pub(super) fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { key: key.into(), what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.what)
    }
}

impl From<countersign_channels::ConfigError> for Problem {
    fn from(error: countersign_channels::ConfigError) -> Self {
        Self::new(error.key, error.problem.to_string())
    }
}

fn listed(problems: &[Problem]) -> String {
    let mut text = String::from("the configuration cannot be used:");
    for problem in problems {
        let _ = write!(text, "\n  {problem}");
    }
    text
}
