//! The keys of a section that say who we are to Amazon, and where its services are.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::sigv4::Signer;
use crate::config::{ConfigError, ConfigProblem};
use crate::{secret, section};

/// As they stand in a section.
pub(crate) struct Keys<'a> {
    pub(crate) region: &'a str,
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: Option<&'a SecretString>,
    pub(crate) secret_access_key_file: Option<&'a Path>,
    pub(crate) session_token: Option<&'a SecretString>,
    pub(crate) session_token_file: Option<&'a Path>,
}

impl Keys<'_> {
    /// Reads them for requests to `service`, by the name that it has in signatures.
    pub(crate) fn settle(&self, at: &str, service: &'static str) -> Result<Signer, ConfigError> {
        let wrong = |key: &str, form| Err(ConfigError::new(format!("{at}.{key}"), ConfigProblem::Form(form)));
        let is_region = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if !(4..=32).contains(&self.region.len()) || !self.region.bytes().all(is_region) {
            return wrong("region", "a region such as eu-central-1");
        }
        let id = self.access_key_id;
        if !(16..=128).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return wrong("access_key_id", "16 to 128 letters and digits");
        }
        let key = section::needed(at, "secret_access_key", self.secret_access_key, self.secret_access_key_file)?;
        let token = secret::filled(at, "session_token", self.session_token, self.session_token_file)?;
        if token.as_ref().is_some_and(|token| !token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())) {
            return wrong("session_token", "one line of visible text");
        }
        Ok(Signer::new(id.to_owned(), &key, token, self.region.to_owned(), service))
    }
}

/// The address of a service in a region.
pub(crate) fn host_of(service: &str, region: &str) -> String {
    let china = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{service}.{region}.amazonaws.com{china}")
}
