use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::receipt::{Events, VerificationKey};
use crate::config::{ConfigError, ConfigProblem};
use crate::mail::{self, Mailbox};
use crate::{secret, section};

/// `kind = "sendgrid"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A key with the scope `mail.send`. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub api_key: Option<SecretString>,
    /// The file that holds the key.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
    /// Where the API is. Without it: `https://api.sendgrid.com`.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Sender, as in a header: `Example <no-reply@example.com>`.
    pub from: String,
    /// Whom answers go to. Without it: the sender.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The public key of the signed event webhook, as the vendor shows it. Without it no receipt is believed.
    #[serde(default)]
    pub verification_key: Option<String>,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) key: HeaderValue,
    pub(super) send: Url,
    pub(super) scopes: Url,
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
    pub(super) events: Events,
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), "https://api.sendgrid.com")?;
        let key = section::needed(at, "api_key", self.api_key.as_ref(), self.api_key_file.as_deref())?;
        let form = ConfigProblem::Form("the base64 text of an ECDSA P-256 public key");
        let verification_key = match &self.verification_key {
            None => None,
            Some(text) => {
                let read = VerificationKey::parse(text);
                Some(read.ok_or_else(|| ConfigError::new(format!("{at}.verification_key"), form))?)
            }
        };
        Ok(Settings {
            key: section::hidden_header(at, "api_key", &format!("Bearer {}", key.expose_secret()))?,
            send: section::under(&endpoint, "/v3/mail/send"),
            scopes: section::under(&endpoint, "/v3/scopes"),
            from: mail::mailbox(at, "from", &self.from)?,
            reply_to: self.reply_to.as_deref().map(|text| mail::mailbox(at, "reply_to", text)).transpose()?,
            events: Events::new(verification_key),
        })
    }
}
