use std::path::PathBuf;

use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, ConfigProblem};
use crate::{secret, section};

const VENDORS: &str = "https://api.plivo.com";

/// `kind = "plivo"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `MA…` or, of a subaccount, `SA…`.
    pub auth_id: String,
    /// The account's token; what Plivo posts back is signed with it.
    #[serde(default, serialize_with = "secret::hide")]
    pub auth_token: Option<SecretString>,
    /// The same in a file.
    #[serde(default)]
    pub auth_token_file: Option<PathBuf>,
    /// Another address than Plivo's.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// A number or name of the account; this or `powerpack_uuid`.
    #[serde(default)]
    pub from: Option<String>,
    /// A pool of numbers that Plivo chooses from.
    #[serde(default)]
    pub powerpack_uuid: Option<String>,
    /// Lets Plivo keep the text, which holds the code, and the whole number in its own logs.
    #[serde(default)]
    pub log: bool,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) account: String,
    pub(super) token: SecretString,
    pub(super) endpoint: Url,
    pub(super) origin: Origin,
    pub(super) log: bool,
}

/// Whom a message comes from.
pub(super) enum Origin {
    From(String),
    Powerpack(String),
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let wrong = |key: &str, problem| ConfigError::new(format!("{at}.{key}"), problem);
        if self.auth_id.is_empty() || !self.auth_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(wrong("auth_id", ConfigProblem::Form("an account's id: letters and digits")));
        }
        let token = section::needed(at, "auth_token", self.auth_token.as_ref(), self.auth_token_file.as_deref())?;
        let filled = |key, text: &String| {
            if text.trim().is_empty() { Err(wrong(key, ConfigProblem::Empty)) } else { Ok(text.clone()) }
        };
        let origin = match (&self.from, &self.powerpack_uuid) {
            (Some(from), None) => Origin::From(filled("from", from)?),
            (None, Some(pool)) => Origin::Powerpack(filled("powerpack_uuid", pool)?),
            (None, None) | (Some(_), Some(_)) => {
                return Err(ConfigError::new(at, ConfigProblem::ExactlyOne("from", "powerpack_uuid")));
            }
        };
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), VENDORS)?;
        Ok(Settings { account: self.auth_id.clone(), token, endpoint, origin, log: self.log })
    }
}
