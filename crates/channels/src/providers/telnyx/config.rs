use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::receipt::{Events, PublicKey};
use crate::config::{ConfigError, ConfigProblem};
use crate::{secret, section};

/// `kind = "telnyx"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// An API key of version 2. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub api_key: Option<SecretString>,
    /// The file that holds the key.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
    /// Where the API is. Without it: `https://api.telnyx.com`.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Sender: a number with its `+`, a short code, or letters and digits. Without it: the profile chooses from its pool.
    #[serde(default)]
    pub from: Option<String>,
    /// The messaging profile, which a sender of letters and a number pool need.
    #[serde(default)]
    pub messaging_profile_id: Option<String>,
    /// The account's public key, base64. Without it no receipt is asked for and none is believed.
    #[serde(default)]
    pub public_key: Option<String>,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) key: HeaderValue,
    pub(super) send: Url,
    pub(super) balance: Url,
    pub(super) from: Option<String>,
    pub(super) messaging_profile_id: Option<String>,
    pub(super) events: Events,
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let wrong = |key: &str, problem| Err(ConfigError::new(format!("{at}.{key}"), problem));
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), "https://api.telnyx.com")?;
        let key = section::needed(at, "api_key", self.api_key.as_ref(), self.api_key_file.as_deref())?;
        let is_blank = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
        if is_blank(&self.from) {
            return wrong("from", ConfigProblem::Empty);
        }
        if is_blank(&self.messaging_profile_id) {
            return wrong("messaging_profile_id", ConfigProblem::Empty);
        }
        match (&self.from, &self.messaging_profile_id) {
            (None, None) => {
                return wrong("from", ConfigProblem::Form("given, or `messaging_profile_id` of a profile with a number pool"));
            }
            (Some(from), None) if from.contains(|c: char| c.is_ascii_alphabetic()) => {
                return wrong("from", ConfigProblem::Needs("messaging_profile_id"));
            }
            _ => {}
        }
        let public_key = self.public_key.as_deref().map(|text| {
            let form = ConfigProblem::Form("the base64 text of an Ed25519 public key of 32 bytes");
            PublicKey::parse(text).ok_or_else(|| ConfigError::new(format!("{at}.public_key"), form))
        });
        Ok(Settings {
            key: section::hidden_header(at, "api_key", &format!("Bearer {}", key.expose_secret()))?,
            send: section::under(&endpoint, "/v2/messages"),
            balance: section::under(&endpoint, "/v2/balance"),
            from: self.from.clone(),
            messaging_profile_id: self.messaging_profile_id.clone(),
            events: Events::new(public_key.transpose()?),
        })
    }
}
