//! Secrets of the configuration: from the value or from a file, never shown.

use std::io;
use std::path::{Path, PathBuf};

use countersign_channels::ConfigProblem;
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize as _, Serializer};

use super::Problem;
use super::print::without_credentials;

const SHOWN: &str = "(hidden)";

/// For `serialize_with`: says that a value is set, not what it is.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(super) fn hide<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| SHOWN).serialize(serializer)
}

/// For `serialize_with`: an address without user, password and query.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(super) fn hide_credentials<S: Serializer>(url: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_ref().map(|url| without_credentials(url.expose_secret())).serialize(serializer)
}

/// The secret, from its own value or from the file that `<key>_file` names. A file's last line end is not part of it.
pub(super) fn read(key: &str, value: Option<&SecretString>, file: Option<&PathBuf>) -> Result<Option<SecretString>, Problem> {
    match (value, file) {
        (Some(_), Some(_)) => Err(Problem::new(key, format!("must not stand beside {key}_file"))),
        (Some(value), None) => Ok(Some(value.clone())),
        (None, Some(file)) => from_file(key, file).map(Some),
        (None, None) => Ok(None),
    }
}

fn from_file(key: &str, file: &Path) -> Result<SecretString, Problem> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(SecretString::from(text.trim_end_matches(['\r', '\n']))),
        Err(error) => Err(unreadable(format!("{key}_file"), file, &error)),
    }
}

/// Whether the file that `key` names can be read.
pub(super) fn readable(key: &str, file: &Path) -> Result<(), Problem> {
    std::fs::read(file).map(drop).map_err(|error| unreadable(key, file, &error))
}

fn unreadable(key: impl Into<String>, file: &Path, error: &io::Error) -> Problem {
    // In the words that providers' files are told with.
    let problem = ConfigProblem::Unreadable { path: file.to_owned(), kind: error.kind() };
    Problem::new(key, problem.to_string())
}
