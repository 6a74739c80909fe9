use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::receipt::Events;
use crate::config::{ConfigError, ConfigProblem};
use crate::mail::{self, Mailbox};
use crate::{secret, section};

/// `kind = "postmark"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The token of a server. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub server_token: Option<SecretString>,
    /// The file that holds the token.
    #[serde(default)]
    pub server_token_file: Option<PathBuf>,
    /// Where the API is. Without it: `https://api.postmarkapp.com`.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Sender, as in a header: `Example <no-reply@example.com>`.
    pub from: String,
    /// Whom answers go to. Without it: the sender.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The stream of the server that mails go through: one for transactional mail.
    #[serde(default = "default_stream")]
    pub message_stream: String,
    /// The user in the webhook's Basic authentication; with `receipts_password`.
    #[serde(default)]
    pub receipts_username: Option<String>,
    /// A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub receipts_password: Option<SecretString>,
    /// The file that holds the password.
    #[serde(default)]
    pub receipts_password_file: Option<PathBuf>,
    /// What stands behind the connection's name in the webhook's address. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub receipts_secret: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub receipts_secret_file: Option<PathBuf>,
}

fn default_stream() -> String {
    "outbound".to_owned()
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) token: HeaderValue,
    pub(super) send: Url,
    pub(super) server: Url,
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
    pub(super) message_stream: String,
    pub(super) events: Events,
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), "https://api.postmarkapp.com")?;
        let token = section::needed(at, "server_token", self.server_token.as_ref(), self.server_token_file.as_deref())?;
        if self.message_stream.is_empty() {
            return Err(ConfigError::new(format!("{at}.message_stream"), ConfigProblem::Empty));
        }
        Ok(Settings {
            token: section::hidden_header(at, "server_token", token.expose_secret())?,
            send: section::under(&endpoint, "/email"),
            server: section::under(&endpoint, "/server"),
            from: mail::mailbox(at, "from", &self.from)?,
            reply_to: self.reply_to.as_deref().map(|text| mail::mailbox(at, "reply_to", text)).transpose()?,
            message_stream: self.message_stream.clone(),
            events: Events::new(self.login(at)?, self.path_secret(at)?),
        })
    }

    /// `user:password`, as Basic authentication carries it.
    fn login(&self, at: &str) -> Result<Option<SecretString>, ConfigError> {
        let file = self.receipts_password_file.as_deref();
        let password = secret::filled(at, "receipts_password", self.receipts_password.as_ref(), file)?;
        let wrong = |key: &str, problem| Err(ConfigError::new(format!("{at}.{key}"), problem));
        match (&self.receipts_username, password) {
            (None, None) => Ok(None),
            (Some(_), None) => wrong("receipts_username", ConfigProblem::Needs("receipts_password")),
            (None, Some(_)) => wrong("receipts_password", ConfigProblem::Needs("receipts_username")),
            (Some(user), Some(_)) if user.contains(':') => wrong("receipts_username", ConfigProblem::Form("without a colon")),
            (Some(user), Some(password)) => Ok(Some(format!("{user}:{}", password.expose_secret()).into())),
        }
    }

    fn path_secret(&self, at: &str) -> Result<Option<SecretString>, ConfigError> {
        let file = self.receipts_secret_file.as_deref();
        secret::path_segment(at, "receipts_secret", self.receipts_secret.as_ref(), file)
    }
}
