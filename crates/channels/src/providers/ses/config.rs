use std::path::PathBuf;
use std::sync::Arc;

use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::aws::{Fetch, Keys, Signer, Topic, host_of};
use crate::config::{ConfigError, ConfigProblem};
use crate::mail::{self, Mailbox};
use crate::{secret, section};

/// `kind = "ses"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the service is used: `eu-central-1`.
    pub region: String,
    /// The public half of an access key.
    pub access_key_id: String,
    /// Its secret half.
    #[serde(default, serialize_with = "secret::hide")]
    pub secret_access_key: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub secret_access_key_file: Option<PathBuf>,
    /// For temporary keys. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub session_token: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub session_token_file: Option<PathBuf>,
    /// Sender, as in a header. A verified identity: `Example <no-reply@example.com>`.
    pub from: String,
    /// The configuration set that mail is sent with. Without it: the identity's own, if it has one.
    #[serde(default)]
    pub configuration_set: Option<String>,
    /// The notification topic that the configuration set publishes events to; without it no receipt is listened to.
    #[serde(default)]
    pub topic_arn: Option<String>,
    /// Another address than the region's.
    #[serde(default)]
    pub endpoint: Option<String>,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) signer: Signer,
    /// Where mail is posted to.
    pub(super) mail_url: Url,
    /// What can be asked without doing anything.
    pub(super) account_url: Url,
    pub(super) from: Mailbox,
    pub(super) configuration_set: Option<String>,
    pub(super) topic: Option<Topic>,
}

impl Config {
    pub(super) fn settle(&self, at: &str, fetch: Arc<dyn Fetch>) -> Result<Settings, ConfigError> {
        let keys = Keys {
            region: &self.region,
            access_key_id: &self.access_key_id,
            secret_access_key: self.secret_access_key.as_ref(),
            secret_access_key_file: self.secret_access_key_file.as_deref(),
            session_token: self.session_token.as_ref(),
            session_token_file: self.session_token_file.as_deref(),
        };
        let signer = keys.settle(at, "ses")?;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if self.configuration_set.as_ref().is_some_and(|name| !(1..=64).contains(&name.len()) || !name.bytes().all(is_word)) {
            let form = ConfigProblem::Form("1 to 64 letters, digits, `_` and `-`");
            return Err(ConfigError::new(format!("{at}.configuration_set"), form));
        }
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), &host_of("email", &self.region))?;
        Ok(Settings {
            signer,
            mail_url: section::under(&endpoint, "/v2/email/outbound-emails"),
            account_url: section::under(&endpoint, "/v2/email/account"),
            from: mail::mailbox(at, "from", &self.from)?,
            configuration_set: self.configuration_set.clone(),
            topic: self.topic_arn.as_deref().map(|arn| Topic::read(at, arn, fetch)).transpose()?,
        })
    }
}
