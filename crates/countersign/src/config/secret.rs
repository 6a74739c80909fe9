//! Secrets of the configuration: from the value or from a file, never shown.

use std::path::{Path, PathBuf};

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

/// Both ways at once, or a file that cannot be read.
pub(super) fn problems(key: &str, value: Option<&SecretString>, file: Option<&PathBuf>, found: &mut Vec<Problem>) {
    if value.is_some() && file.is_some() {
        found.push(Problem::new(key, format!("must not stand beside {key}_file")));
    } else if let Err(problem) = read(key, value, file) {
        found.push(problem);
    }
}

/// The secret, from its own value or from the file that `<key>_file` names. A file's last line end is not part of it.
pub(super) fn read(key: &str, value: Option<&SecretString>, file: Option<&PathBuf>) -> Result<Option<SecretString>, Problem> {
    match (value, file) {
        (Some(value), _) => Ok(Some(value.clone())),
        (None, Some(file)) => from_file(key, file).map(Some),
        (None, None) => Ok(None),
    }
}

fn from_file(key: &str, file: &Path) -> Result<SecretString, Problem> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(SecretString::from(text.trim_end_matches(['\r', '\n']))),
        Err(error) => Err(Problem::new(format!("{key}_file"), format!("{} cannot be read: {error}", file.display()))),
    }
}
