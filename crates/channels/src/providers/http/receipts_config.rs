use std::path::PathBuf;

use countersign_model::{Report, Undelivered};
use data_encoding::BASE64;
use reqwest::header::HeaderName;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::config::check_pointer;
use super::proof::{Hmac, Proof};
use super::receipt::{Named, Reader, Shape};
use crate::config::{ConfigError, ConfigProblem};
use crate::secret;

/// `[providers.<name>.receipts]`: how the gateway tells what became of messages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    /// Where the fields below stand.
    #[serde(default)]
    pub fields: Fields,
    /// JSON pointer to a list, where one callback holds several receipts; the fields are then looked for in each.
    #[serde(default)]
    pub items: Option<String>,
    /// The field that repeats the `reference` of the request. This or `id`.
    #[serde(default)]
    pub reference: Option<String>,
    /// The field that names the gateway's own id, which `accept.id` found in the reply.
    #[serde(default)]
    pub id: Option<String>,
    /// The field that says what became of the message.
    pub status: String,
    /// What stands there when it arrived.
    pub delivered: Vec<String>,
    /// When it did not, for whatever reason.
    #[serde(default)]
    pub failed: Vec<String>,
    /// When there is no such number: no other provider is tried.
    #[serde(default)]
    pub not_there: Vec<String>,
    /// When a carrier, a filter or the person refused it.
    #[serde(default)]
    pub rejected: Vec<String>,
    /// When it was tried until its time was up.
    #[serde(default)]
    pub expired: Vec<String>,
    /// When the phone could not be reached.
    #[serde(default)]
    pub unreachable: Vec<String>,
    /// Stands behind the connection's name in the address. A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub secret: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// The user in Basic authentication; with `password`.
    #[serde(default)]
    pub username: Option<String>,
    /// A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub password: Option<SecretString>,
    /// The file that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// A keyed digest in a header.
    #[serde(default)]
    pub hmac: Option<HmacConfig>,
    /// The secret of Standard Webhooks: `whsec_…`.
    #[serde(default, serialize_with = "secret::hide")]
    pub webhook_secret: Option<SecretString>,
    /// The file that holds it.
    #[serde(default)]
    pub webhook_secret_file: Option<PathBuf>,
}

/// Where a callback's fields stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fields {
    /// In a JSON body: fields are JSON pointers.
    #[default]
    Json,
    /// In a form: fields are names.
    Form,
    /// In the address: fields are names.
    Query,
}

/// `hmac`: how the digest is made and written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HmacConfig {
    /// The header with the digest.
    pub header: String,
    /// A secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub key: Option<SecretString>,
    /// The file that holds the key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// `sha1`, `sha256` or `sha512`.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// `hex` or `base64`.
    #[serde(default)]
    pub encoding: Encoding,
    /// What stands before the digest, such as `sha256=`.
    #[serde(default)]
    pub prefix: String,
    /// What is signed.
    #[serde(default)]
    pub over: Over,
}

/// The digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    #[default]
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// How a digest is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// In hexadecimal, large or small.
    #[default]
    Hex,
    /// In Base64 with padding.
    Base64,
}

/// What a digest covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Over {
    /// The body's bytes.
    #[default]
    #[serde(rename = "body")]
    Body,
    /// The whole address, and the body behind it.
    #[serde(rename = "url+body")]
    UrlAndBody,
}

impl Receipts {
    /// What stands behind the connection's name in the address.
    pub(super) fn path_secret(&self, at: &str) -> Result<Option<SecretString>, ConfigError> {
        secret::path_segment(at, "secret", self.secret.as_ref(), self.secret_file.as_deref())
    }

    pub(super) fn settle(&self, at: &str) -> Result<Reader, ConfigError> {
        let named = match (&self.reference, &self.id) {
            (Some(field), None) => Named::Reference(self.field(at, "reference", field)?),
            (None, Some(field)) => Named::Id(self.field(at, "id", field)?),
            (None, None) | (Some(_), Some(_)) => {
                return Err(ConfigError::new(at, ConfigProblem::ExactlyOne("reference", "id")));
            }
        };
        if let Some(items) = &self.items {
            let key = format!("{at}.items");
            if self.fields != Fields::Json {
                return Err(ConfigError::new(key, ConfigProblem::Form("left out unless fields = \"json\"")));
            }
            check_pointer(&key, items)?;
        }
        let shape = match self.fields {
            Fields::Json => Shape::Json,
            Fields::Form => Shape::Form,
            Fields::Query => Shape::Query,
        };
        let status = self.field(at, "status", &self.status)?;
        Ok(Reader { proof: self.proof(at)?, shape, items: self.items.clone(), named, status, words: self.words(at)? })
    }

    fn field(&self, at: &str, key: &str, field: &str) -> Result<String, ConfigError> {
        let key = format!("{at}.{key}");
        match self.fields {
            Fields::Json => check_pointer(&key, field)?,
            Fields::Form | Fields::Query if field.is_empty() => return Err(ConfigError::new(key, ConfigProblem::Empty)),
            Fields::Form | Fields::Query => {}
        }
        Ok(field.to_owned())
    }

    fn words(&self, at: &str) -> Result<Vec<(String, Report)>, ConfigError> {
        if self.delivered.is_empty() {
            return Err(ConfigError::new(format!("{at}.delivered"), ConfigProblem::Empty));
        }
        let lists = [
            ("delivered", &self.delivered, Report::Delivered),
            ("failed", &self.failed, Report::Undelivered(Undelivered::Unknown)),
            ("not_there", &self.not_there, Report::Undelivered(Undelivered::NotThere)),
            ("rejected", &self.rejected, Report::Undelivered(Undelivered::Rejected)),
            ("expired", &self.expired, Report::Undelivered(Undelivered::Expired)),
            ("unreachable", &self.unreachable, Report::Undelivered(Undelivered::Unreachable)),
        ];
        let mut words: Vec<(String, Report)> = Vec::new();
        for (key, list, report) in lists {
            for word in list {
                if words.iter().any(|(known, _)| known == word) {
                    let problem = ConfigProblem::Form("words that stand in no other list");
                    return Err(ConfigError::new(format!("{at}.{key}"), problem));
                }
                words.push((word.clone(), report));
            }
        }
        Ok(words)
    }

    /// Exactly one: what is not signed would be believed of anybody.
    fn proof(&self, at: &str) -> Result<Proof, ConfigError> {
        let wrong = |key: &str, problem| ConfigError::new(format!("{at}.{key}"), problem);
        let webhook_file = self.webhook_secret_file.as_deref();
        let webhook = secret::read(at, "webhook_secret", self.webhook_secret.as_ref(), webhook_file)?;
        let password = secret::filled(at, "password", self.password.as_ref(), self.password_file.as_deref())?;
        let basic = match (&self.username, password) {
            (None, None) => None,
            (Some(_), None) => return Err(wrong("username", ConfigProblem::Needs("password"))),
            (None, Some(_)) => return Err(wrong("password", ConfigProblem::Needs("username"))),
            (Some(user), Some(_)) if user.contains(':') => {
                return Err(wrong("username", ConfigProblem::Form("without a colon")));
            }
            (Some(user), Some(password)) => Some(SecretString::from(format!("{user}:{}", password.expose_secret()))),
        };
        // The address is what a query's fields stand in, so something has to vouch for it.
        let leaves_query_open = |covers_url: bool| self.fields == Fields::Query && !covers_url;
        match (self.path_secret(at)?, basic, &self.hmac, webhook) {
            (Some(secret), None, None, None) => Ok(Proof::Path(secret)),
            (None, Some(login), None, None) => Ok(Proof::Basic(login)),
            (None, None, Some(hmac), None) if leaves_query_open(hmac.over == Over::UrlAndBody) => {
                Err(wrong("hmac.over", ConfigProblem::Form("\"url+body\" when the fields stand in the query")))
            }
            (None, None, Some(hmac), None) => hmac.settle(&format!("{at}.hmac")).map(Proof::Hmac),
            (None, None, None, Some(_)) if leaves_query_open(false) => {
                Err(wrong("webhook_secret", ConfigProblem::Form("left out when the fields stand in the query: it is not signed")))
            }
            (None, None, None, Some(secret)) => {
                let text = secret.expose_secret().trim();
                let key =
                    BASE64.decode(text.strip_prefix("whsec_").unwrap_or(text).as_bytes()).ok().filter(|key| !key.is_empty());
                let key = key.ok_or_else(|| wrong("webhook_secret", ConfigProblem::Form("whsec_ and Base64")))?;
                Ok(Proof::Webhook(hmac::Key::new(hmac::HMAC_SHA256, &key)))
            }
            _ => {
                let ways = "signed in exactly one way: by `secret`, `username`, `hmac` or `webhook_secret`";
                Err(ConfigError::new(at, ConfigProblem::Form(ways)))
            }
        }
    }
}

impl HmacConfig {
    fn settle(&self, at: &str) -> Result<Hmac, ConfigError> {
        let key = secret::filled(at, "key", self.key.as_ref(), self.key_file.as_deref())?;
        let key = key.ok_or_else(|| ConfigError::new(format!("{at}.key"), ConfigProblem::Empty))?;
        let header = HeaderName::try_from(self.header.as_str());
        let header = header.map_err(|_| ConfigError::new(format!("{at}.header"), ConfigProblem::Form("a header name")))?;
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::Sha256 => hmac::HMAC_SHA256,
            Algorithm::Sha512 => hmac::HMAC_SHA512,
        };
        Ok(Hmac {
            header: header.as_str().to_owned(),
            prefix: self.prefix.clone(),
            key: hmac::Key::new(algorithm, key.expose_secret().as_bytes()),
            is_base64: self.encoding == Encoding::Base64,
            covers_url: self.over == Over::UrlAndBody,
        })
    }
}
