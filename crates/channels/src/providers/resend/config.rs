use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::receipt::{Events, SigningSecret};
use crate::config::{ConfigError, ConfigProblem};
use crate::mail::{self, Mailbox};
use crate::{secret, section};

/// `kind = "resend"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A key with sending access. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub api_key: Option<SecretString>,
    /// The file that holds the key.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
    /// Where the API is. Without it: `https://api.resend.com`.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Sender, as in a header: `Example <no-reply@example.com>`.
    pub from: String,
    /// Whom answers go to. Without it: the sender.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The signing secret of the webhook, `whsec_…`. Without it no receipt is believed.
    #[serde(default, serialize_with = "secret::hide")]
    pub signing_secret: Option<SecretString>,
    /// The file that holds the signing secret.
    #[serde(default)]
    pub signing_secret_file: Option<PathBuf>,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) key: HeaderValue,
    pub(super) send: Url,
    pub(super) domains: Url,
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
    pub(super) events: Events,
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), "https://api.resend.com")?;
        let key = section::needed(at, "api_key", self.api_key.as_ref(), self.api_key_file.as_deref())?;
        let secret = secret::read(at, "signing_secret", self.signing_secret.as_ref(), self.signing_secret_file.as_deref())?;
        let secret = secret.map(|secret| {
            let read = SigningSecret::parse(secret.expose_secret());
            read.ok_or_else(|| {
                ConfigError::new(format!("{at}.signing_secret"), ConfigProblem::Form("`whsec_` and base64 behind it"))
            })
        });
        Ok(Settings {
            key: section::hidden_header(at, "api_key", &format!("Bearer {}", key.expose_secret()))?,
            send: section::under(&endpoint, "/emails"),
            domains: section::under(&endpoint, "/domains"),
            from: mail::mailbox(at, "from", &self.from)?,
            reply_to: self.reply_to.as_deref().map(|text| mail::mailbox(at, "reply_to", text)).transpose()?,
            events: Events::new(secret.transpose()?),
        })
    }
}
