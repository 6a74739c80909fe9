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
        write!(f, "{} {}", self.key, self.what)
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

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        Self::Invalid(error.into_iter().map(|error| problem(&error)).collect())
    }
}

/// Says what serde found, without the value it found.
fn problem(error: &figment::Error) -> Problem {
    use figment::error::Kind;

    let at = error.path.join(".");
    match &error.kind {
        Kind::UnknownField(field, known) => {
            let key = if error.path.last() == Some(field) { at } else { join(&at, field) };
            Problem::new(key, unknown(field, known))
        }
        Kind::UnknownVariant(_, known) => Problem::new(at, format!("must be one of: {}", known.join(", "))),
        Kind::InvalidType(_, wanted) | Kind::InvalidValue(_, wanted) => Problem::new(at, format!("must be {}", plain(wanted))),
        Kind::InvalidLength(_, wanted) => Problem::new(at, format!("must have {wanted}")),
        Kind::MissingField(field) => Problem::new(join(&at, field), "is missing"),
        Kind::DuplicateField(field) => Problem::new(join(&at, field), "stands twice"),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => Problem::new(at, "is too large"),
        Kind::Message(message) => Problem::new(at, format!("cannot be used: {message}")),
        Kind::Unsupported(_) | Kind::UnsupportedKey(..) => Problem::new(at, "has a form that is not supported here"),
    }
}

/// What the words for types of Rust mean to whoever writes a configuration.
fn plain(wanted: &str) -> &str {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "a text in quotes",
        "a sequence" | "sequence" => "a list in brackets",
        "a map" | "map" => "a section",
        other if other.starts_with("struct ") => "a section",
        other => other,
    }
}

/// `section.key`, or `key` at the top.
fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

fn unknown(field: &str, known: &[&str]) -> String {
    match known.iter().min_by_key(|name| distance(field, name)).filter(|name| distance(field, name) <= 2) {
        Some(near) => format!("does not exist; did you mean {near}?"),
        None => format!("does not exist; known here: {}", known.join(", ")),
    }
}

/// Levenshtein distance: how many letters differ.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, to) in right.chars().enumerate() {
            let change = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
