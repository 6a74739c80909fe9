//! Secrets of the configuration: read from the value or from a file, never shown.

use std::path::Path;

use secrecy::SecretString;
use serde::{Serialize as _, Serializer};

use crate::config::{ConfigError, ConfigProblem};

/// What is shown in a secret's place.
pub(crate) const SHOWN: &str = "(hidden)";

/// The secret `key`, from its own value or from the file that `<key>_file` names. A file's last line end is not part of it.
pub(crate) fn read(
    at: &str,
    key: &'static str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, ConfigError> {
    match (value, file) {
        (Some(_), Some(_)) => Err(ConfigError::new(format!("{at}.{key}"), ConfigProblem::ValueAndFile)),
        (Some(value), None) => Ok(Some(value.clone())),
        (None, Some(path)) => from_file(format!("{at}.{key}_file"), path).map(Some),
        (None, None) => Ok(None),
    }
}

/// The same, where an empty secret would open to everybody.
#[cfg(any(feature = "aws", feature = "http", feature = "meta", feature = "postmark", feature = "twilio", feature = "vonage"))]
pub(crate) fn filled(
    at: &str,
    key: &'static str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, ConfigError> {
    use secrecy::ExposeSecret as _;

    match read(at, key, value, file)? {
        Some(secret) if secret.expose_secret().trim().is_empty() => {
            Err(ConfigError::new(format!("{at}.{key}"), ConfigProblem::Empty))
        }
        secret => Ok(secret),
    }
}

/// What stands behind a connection's name in the address of its receipts. It alone keeps strangers out there, so one that could be guessed is not
/// taken.
#[cfg(any(feature = "http", feature = "postmark", feature = "vonage"))]
pub(crate) fn path_segment(
    at: &str,
    key: &'static str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, ConfigError> {
    use secrecy::ExposeSecret as _;

    let is_segment = |text: &str| {
        (32..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    match read(at, key, value, file)? {
        Some(secret) if !is_segment(secret.expose_secret()) => {
            let form = ConfigProblem::Form("32 to 128 letters, digits, dashes and underscores: it stands in an address");
            Err(ConfigError::new(format!("{at}.{key}"), form))
        }
        secret => Ok(secret),
    }
}

/// What the file holds, without its last line end. `key` is what an error names.
pub(crate) fn from_file(key: String, path: &Path) -> Result<SecretString, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let secret = SecretString::from(text.trim_end_matches(['\r', '\n']));
            Ok(secret)
        }
        Err(source) => Err(ConfigError::new(key, ConfigProblem::Unreadable { path: path.to_owned(), kind: source.kind() })),
    }
}

/// For `serialize_with`: says that a value is set, not what it is.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(crate) fn hide<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| SHOWN).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_is_read_from_its_file_without_the_last_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from the file\r\n").unwrap();
        let read = read("providers.mail", "password", None, Some(file.path())).unwrap().unwrap();
        assert_eq!(read.expose_secret(), "from the file");
    }
}
