use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use countersign_model::Channel;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::hide;
use super::receipt::Reader;
use super::receipts_config::Receipts;
use super::reply::{Judge, Rule};
use super::request::Body;
use crate::config::{ConfigError, ConfigProblem};
use crate::secret;

/// `kind = "http"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What it carries: any of `sms`, `whatsapp`, `voice`.
    pub channels: Vec<Channel>,
    /// Where to post to.
    pub url: Address,
    /// `POST` or `PUT`.
    #[serde(default)]
    pub method: Verb,
    /// Sent with every message. Values are secrets.
    #[serde(default, serialize_with = "hide::values")]
    pub headers: BTreeMap<String, SecretString>,
    /// Like `headers`, with the value in a file.
    #[serde(default)]
    pub header_files: BTreeMap<String, PathBuf>,
    /// Template of a JSON body. Gateways that want a key in the body make it a secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub json: Option<SecretString>,
    /// Templates of a form's fields, secrets for the same reason.
    #[serde(default, serialize_with = "hide::some_values")]
    pub form: Option<BTreeMap<String, SecretString>>,
    /// What a reply must show to count as accepted.
    #[serde(default)]
    pub accept: Accept,
    /// What in a reply is final for the recipient.
    #[serde(default)]
    pub refuse: Refuse,
    /// How the gateway tells what became of messages.
    #[serde(default)]
    pub receipts: Option<Receipts>,
}

/// An address that is shown without its path and query, where some gateways want a key.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    fn shown(&self) -> &str {
        let rest = self.0.find("://").map_or(0, |at| at + 3);
        let end = self.0[rest..].find(['/', '?', '#']).map_or(self.0.len(), |at| rest + at);
        &self.0[..end]
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

/// A code never stands in an address, so only methods with a body are taken.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// What nearly all gateways want.
    #[default]
    Post,
    /// For those that let the caller choose the id.
    Put,
}

/// `accept`: all that is given must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accept {
    /// HTTP statuses. Empty: any 2xx.
    pub status: Vec<u16>,
    /// JSON pointer to a value of the reply.
    pub pointer: Option<String>,
    /// What stands there: one of these, written as text.
    pub equals: Vec<String>,
    /// JSON pointer to the gateway's id of the message.
    pub id: Option<String>,
}

/// `refuse`: all that is given must hold; nothing given: no reply is final.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refuse {
    /// HTTP statuses.
    pub status: Vec<u16>,
    /// JSON pointer to a value of the reply.
    pub pointer: Option<String>,
    /// What stands there: one of these, written as text.
    pub equals: Vec<String>,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) channels: Vec<Channel>,
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) judge: Judge,
    pub(super) reader: Option<Reader>,
}

impl Config {
    /// `receipts_url` is where receipts may be posted to, without a secret; none: the house has no public address.
    pub(super) fn settle(&self, at: &str, receipts_url: Option<&str>) -> Result<Settings, ConfigError> {
        let wrong = |key: &str, problem| Err(ConfigError::new(format!("{at}.{key}"), problem));
        if self.channels.is_empty() {
            return wrong("channels", ConfigProblem::Empty);
        }
        if self.channels.contains(&Channel::Email) {
            return wrong("channels", ConfigProblem::Form("sms, whatsapp or voice: mail goes through kind = \"smtp\""));
        }
        let url = match Url::parse(&self.url.0) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            Ok(_) | Err(_) => return wrong("url", ConfigProblem::Form("an http or https address")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("url", ConfigProblem::Form("without credentials: put them into an Authorization header"));
        }
        let receipts_url = self.receipts_url(at, receipts_url)?;
        let body = match (&self.json, &self.form) {
            (Some(json), None) => Body::json(&format!("{at}.json"), json.expose_secret(), &self.channels, receipts_url)?,
            (None, Some(form)) => Body::form(&format!("{at}.form"), form, &self.channels, receipts_url)?,
            (None, None) | (Some(_), Some(_)) => return Err(ConfigError::new(at, ConfigProblem::ExactlyOne("json", "form"))),
        };
        let accept = rule(&format!("{at}.accept"), &self.accept.status, self.accept.pointer.as_ref(), &self.accept.equals)?;
        let refuse = rule(&format!("{at}.refuse"), &self.refuse.status, self.refuse.pointer.as_ref(), &self.refuse.equals)?;
        if let Some(id) = &self.accept.id {
            check_pointer(&format!("{at}.accept.id"), id)?;
        }
        let reader = self.reader(&format!("{at}.receipts"), &body)?;
        let headers = self.read_headers(at, body.media_type())?;
        let method = match self.method {
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
        };
        let judge = Judge { accept, refuse, id: self.accept.id.clone() };
        Ok(Settings { channels: self.channels.clone(), url, method, headers, body, judge, reader })
    }

    /// What requests may name, where receipts are read at all.
    fn receipts_url(&self, at: &str, url: Option<&str>) -> Result<Option<SecretString>, ConfigError> {
        let (Some(receipts), Some(url)) = (&self.receipts, url) else { return Ok(None) };
        let secret = receipts.path_secret(&format!("{at}.receipts"))?;
        let url = secret.map_or_else(|| url.to_owned(), |secret| format!("{url}/{}", secret.expose_secret()));
        Ok(Some(url.into()))
    }

    /// A receipt can only name what the gateway was told, or what was kept of its reply.
    fn reader(&self, at: &str, body: &Body) -> Result<Option<Reader>, ConfigError> {
        let Some(receipts) = &self.receipts else { return Ok(None) };
        let reader = receipts.settle(at)?;
        if receipts.reference.is_some() && !body.names("reference") {
            let problem = ConfigProblem::Form("left out, or `reference` named in the request for the gateway to repeat");
            return Err(ConfigError::new(format!("{at}.reference"), problem));
        }
        if receipts.id.is_some() && self.accept.id.is_none() {
            return Err(ConfigError::new(format!("{at}.id"), ConfigProblem::Needs("accept.id")));
        }
        Ok(Some(reader))
    }

    /// The operator's headers over our own `Content-Type`.
    fn read_headers(&self, at: &str, media_type: &'static str) -> Result<HeaderMap, ConfigError> {
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        for (name, value) in &self.headers {
            let key = format!("{at}.headers.{name}");
            if self.header_files.keys().any(|other| other.eq_ignore_ascii_case(name)) {
                return Err(ConfigError::new(key, ConfigProblem::ValueAndFile));
            }
            insert(&mut headers, key, name, value)?;
        }
        for (name, path) in &self.header_files {
            let key = format!("{at}.header_files.{name}");
            let value = secret::from_file(key.clone(), path)?;
            insert(&mut headers, key, name, &value)?;
        }
        Ok(headers)
    }
}

fn insert(headers: &mut HeaderMap, key: String, name: &str, value: &SecretString) -> Result<(), ConfigError> {
    let name = HeaderName::try_from(name);
    let value = HeaderValue::from_str(value.expose_secret());
    let (Ok(name), Ok(mut value)) = (name, value) else {
        return Err(ConfigError::new(key, ConfigProblem::Form("a header name and one line of visible text")));
    };
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn rule(at: &str, status: &[u16], pointer: Option<&String>, equals: &[String]) -> Result<Rule, ConfigError> {
    if let Some(pointer) = pointer {
        check_pointer(&format!("{at}.pointer"), pointer)?;
    }
    match (pointer, equals) {
        (Some(_), []) => Err(ConfigError::new(format!("{at}.pointer"), ConfigProblem::Needs("equals"))),
        (None, [_, ..]) => Err(ConfigError::new(format!("{at}.equals"), ConfigProblem::Needs("pointer"))),
        _ => Ok(Rule { status: status.to_vec(), value: pointer.map(|pointer| (pointer.clone(), equals.to_vec())) }),
    }
}

pub(super) fn check_pointer(key: &str, pointer: &str) -> Result<(), ConfigError> {
    if pointer.starts_with('/') {
        Ok(())
    } else {
        Err(ConfigError::new(key, ConfigProblem::Form("a JSON pointer such as /messages/0/id")))
    }
}
