use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::HeaderValue;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::language::Languages;
use crate::config::{ConfigError, ConfigProblem};
use crate::{secret, section};

/// `kind = "meta"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Meta's id of the sending number: digits, and not the number itself.
    pub phone_number_id: String,
    /// A system user's token that may send. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub access_token: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub access_token_file: Option<PathBuf>,
    /// What Meta signs callbacks with. A secret; without it no receipt is listened to.
    #[serde(default, serialize_with = "secret::hide")]
    pub app_secret: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub app_secret_file: Option<PathBuf>,
    /// What Meta shows when the callback's address is set up. A secret of the operator's choice.
    #[serde(default, serialize_with = "secret::hide")]
    pub verify_token: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub verify_token_file: Option<PathBuf>,
    /// Name of an approved template of the category authentication.
    pub template: String,
    /// The template's language for everybody whose own is not in `languages`, as Meta spells it: `en_US`.
    pub language: String,
    /// BCP 47 tag = Meta's code, for the other languages that the template has.
    #[serde(default)]
    pub languages: BTreeMap<String, String>,
    /// Version of the Graph API.
    #[serde(default = "default_version")]
    pub graph_version: String,
    /// Another address than Meta's.
    #[serde(default)]
    pub endpoint: Option<String>,
}

fn default_version() -> String {
    "v25.0".to_owned()
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) number: String,
    /// What stands for the number.
    pub(super) number_url: Url,
    /// Where messages are posted to.
    pub(super) messages_url: Url,
    /// Carries the token.
    pub(super) authorization: HeaderValue,
    pub(super) template: String,
    pub(super) languages: Languages,
    pub(super) signing: Option<hmac::Key>,
    pub(super) verify_token: Option<SecretString>,
}

impl Config {
    pub(super) fn settle(&self, at: &str) -> Result<Settings, ConfigError> {
        let wrong = |key: &str, form| Err(ConfigError::new(format!("{at}.{key}"), ConfigProblem::Form(form)));
        let number = &self.phone_number_id;
        if !(1..=32).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong("phone_number_id", "the digits of Meta's id of the number");
        }
        let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if !(1..=512).contains(&self.template.len()) || !self.template.bytes().all(is_name) {
            return wrong("template", "a template's name: a-z, 0-9 and `_`");
        }
        let version = self.graph_version.strip_prefix('v').and_then(|version| version.split_once('.'));
        let is_number = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !version.is_some_and(|(major, minor)| is_number(major) && is_number(minor)) {
            return wrong("graph_version", "a version such as v25.0");
        }
        let token = section::needed(at, "access_token", self.access_token.as_ref(), self.access_token_file.as_deref())?;
        let app_secret = secret::filled(at, "app_secret", self.app_secret.as_ref(), self.app_secret_file.as_deref())?;
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), "https://graph.facebook.com")?;
        let number_url = section::under(&endpoint, &format!("/{}/{number}", self.graph_version));
        Ok(Settings {
            number: number.clone(),
            messages_url: section::under(&number_url, "/messages"),
            number_url,
            authorization: section::hidden_header(at, "access_token", &format!("Bearer {}", token.expose_secret()))?,
            template: self.template.clone(),
            languages: Languages::read(at, &self.language, &self.languages)?,
            signing: app_secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes())),
            verify_token: secret::filled(at, "verify_token", self.verify_token.as_ref(), self.verify_token_file.as_deref())?,
        })
    }
}
