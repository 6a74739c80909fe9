use std::path::PathBuf;

use data_encoding::BASE64;
use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::receipt::Events;
use crate::config::{ConfigError, ConfigProblem};
use crate::mail::{self, Mailbox};
use crate::{secret, section};

/// `kind = "mailgun"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The sending domain, as it is set up at the vendor: `mg.example.com`.
    pub domain: String,
    /// A sending key of the domain. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub api_key: Option<SecretString>,
    /// The file that holds the key.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
    /// Where the API is. Without it: `https://api.mailgun.net`.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Sender, as in a header: `Example <no-reply@mg.example.com>`.
    pub from: String,
    /// Whom answers go to. Without it: the sender.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The webhook signing key. A secret. Without it no receipt is believed.
    #[serde(default, serialize_with = "secret::hide")]
    pub signing_key: Option<SecretString>,
    /// The file that holds the webhook signing key.
    #[serde(default)]
    pub signing_key_file: Option<PathBuf>,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) login: HeaderValue,
    pub(super) send: Url,
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
    pub(super) events: Events,
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        if self.domain.is_empty() || !self.domain.chars().all(is_host) {
            return Err(ConfigError::new(format!("{at}.domain"), ConfigProblem::Form("a domain such as mg.example.com")));
        }
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), "https://api.mailgun.net")?;
        let key = section::needed(at, "api_key", self.api_key.as_ref(), self.api_key_file.as_deref())?;
        let login = BASE64.encode(format!("api:{}", key.expose_secret()).as_bytes());
        let signing_key = secret::read(at, "signing_key", self.signing_key.as_ref(), self.signing_key_file.as_deref())?;
        if signing_key.as_ref().is_some_and(|key| key.expose_secret().is_empty()) {
            return Err(ConfigError::new(format!("{at}.signing_key"), ConfigProblem::Empty));
        }
        Ok(Settings {
            login: section::hidden_header(at, "api_key", &format!("Basic {login}"))?,
            send: section::under(&endpoint, &format!("/v3/{}/messages", self.domain)),
            from: mail::mailbox(at, "from", &self.from)?,
            reply_to: self.reply_to.as_deref().map(|text| mail::mailbox(at, "reply_to", text)).transpose()?,
            events: Events::new(signing_key),
        })
    }
}
