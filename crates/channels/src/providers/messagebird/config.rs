use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, ConfigProblem};
use crate::{secret, section};

const VENDORS: &str = "https://rest.messagebird.com";

/// `kind = "messagebird"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The key of the API. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub access_key: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub access_key_file: Option<PathBuf>,
    /// Another address than the vendor's.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Sender: a number with its country code, or a name of up to 11 characters.
    pub from: String,
    /// What calls with reports are signed with; not the access key. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub signing_key: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub signing_key_file: Option<PathBuf>,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) key: HeaderValue,
    pub(super) endpoint: Url,
    pub(super) from: String,
    pub(super) signing_key: Option<SecretString>,
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), VENDORS)?;
        let key = section::needed(at, "access_key", self.access_key.as_ref(), self.access_key_file.as_deref())?;
        let key = section::hidden_header(at, "access_key", &format!("AccessKey {}", key.expose_secret()))?;
        let signing_key = secret::read(at, "signing_key", self.signing_key.as_ref(), self.signing_key_file.as_deref())?;
        if signing_key.as_ref().is_some_and(|key| key.expose_secret().trim().is_empty()) {
            return Err(ConfigError::new(format!("{at}.signing_key"), ConfigProblem::Empty));
        }
        if self.from.trim().is_empty() {
            return Err(ConfigError::new(format!("{at}.from"), ConfigProblem::Empty));
        }
        Ok(Settings { key, endpoint, from: self.from.clone(), signing_key })
    }
}
