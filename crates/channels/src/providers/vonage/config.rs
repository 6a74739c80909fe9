use std::collections::BTreeMap;
use std::path::PathBuf;

use countersign_model::PhoneNumber;
use reqwest::Url;
use ring::rsa::KeyPair;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::signature::Method;
use crate::config::{ConfigError, ConfigProblem};
use crate::{secret, section};

const VENDORS_REST: &str = "https://rest.nexmo.com";
const VENDORS_API: &str = "https://api.nexmo.com";

/// `kind = "vonage"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The account's key; needed for text messages.
    #[serde(default)]
    pub api_key: Option<String>,
    /// The key's secret. Without one, text messages are signed with `signature_secret`.
    #[serde(default, serialize_with = "secret::hide")]
    pub api_secret: Option<SecretString>,
    /// The same in a file.
    #[serde(default)]
    pub api_secret_file: Option<PathBuf>,
    /// What Vonage signs its callbacks with.
    #[serde(default, serialize_with = "secret::hide")]
    pub signature_secret: Option<SecretString>,
    /// The same in a file.
    #[serde(default)]
    pub signature_secret_file: Option<PathBuf>,
    /// How text messages and their receipts are signed, as the account's settings have it.
    #[serde(default)]
    pub signature_method: Method,
    /// The last part of the address that receipts are posted to, where they are not signed.
    #[serde(default, serialize_with = "secret::hide")]
    pub receipts_secret: Option<SecretString>,
    /// The same in a file.
    #[serde(default)]
    pub receipts_secret_file: Option<PathBuf>,
    /// Another address than Vonage's for text messages.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Another address than Vonage's for everything else.
    #[serde(default)]
    pub api_endpoint: Option<String>,
    /// Text messages; none: it does not serve them.
    #[serde(default)]
    pub sms: Option<Sms>,
    /// Calls; none: it does not serve them.
    #[serde(default)]
    pub voice: Option<Voice>,
}

/// `sms`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// A number of the account, or a name.
    pub from: String,
}

/// `voice`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// The application that calls are made by.
    pub application_id: String,
    /// Its private key, in PEM.
    #[serde(default, serialize_with = "secret::hide")]
    pub private_key: Option<SecretString>,
    /// The same in a file.
    #[serde(default)]
    pub private_key_file: Option<PathBuf>,
    /// The number that people see.
    pub from: String,
    /// How long it rings, in seconds; 5 to 120.
    #[serde(default = "ring_seconds")]
    pub ring_seconds: u32,
    /// Says the code only after a key was pressed.
    #[serde(default)]
    pub press_key: bool,
    /// Voices by language, before the built-in ones.
    #[serde(default)]
    pub voices: BTreeMap<String, Speaker>,
}

/// A voice of Vonage's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speaker {
    /// The language as Vonage writes it: `el-GR`.
    pub language: String,
    /// Which of the language's voices.
    #[serde(default)]
    pub style: u32,
}

const fn ring_seconds() -> u32 {
    45
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) rest: Url,
    pub(super) api: Url,
    pub(super) sms: Option<SmsSettings>,
    pub(super) voice: Option<VoiceSettings>,
    pub(super) proofs: Proofs,
}

pub(super) struct SmsSettings {
    pub(super) key: String,
    pub(super) password: Password,
    pub(super) from: String,
}

/// How a text message shows whose it is.
pub(super) enum Password {
    Secret(SecretString),
    Signature(SecretString, Method),
}

pub(super) struct VoiceSettings {
    pub(super) application: String,
    pub(super) pair: KeyPair,
    /// The key as it was given, for what is derived from it.
    pub(super) key: SecretString,
    pub(super) from: String,
    pub(super) ring_seconds: u32,
    pub(super) press_key: bool,
    pub(super) voices: BTreeMap<String, Speaker>,
}

/// What receipts are checked with.
pub(super) struct Proofs {
    pub(super) signature: Option<(SecretString, Method)>,
    pub(super) path: Option<SecretString>,
}

impl Proofs {
    pub(super) const fn are_there(&self) -> bool {
        self.signature.is_some() || self.path.is_some()
    }
}

impl Config {
    /// `can_be_called`: the house has a public address, so that Vonage can post to it.
    pub(super) fn settle(&self, at: &str, can_be_called: bool) -> Result<Settings, ConfigError> {
        let signing =
            secret::filled(at, "signature_secret", self.signature_secret.as_ref(), self.signature_secret_file.as_deref())?;
        let file = self.receipts_secret_file.as_deref();
        let path = secret::path_segment(at, "receipts_secret", self.receipts_secret.as_ref(), file)?;
        if self.sms.is_none() && self.voice.is_none() {
            return Err(ConfigError::new(at, ConfigProblem::Form("a section with at least one of the tables `sms` and `voice`")));
        }
        let proofs = Proofs { signature: signing.map(|secret| (secret, self.signature_method)), path };
        let sms = self.sms.as_ref().map(|sms| self.settle_sms(at, sms, &proofs)).transpose()?;
        let lacks = if proofs.are_there() { (!can_be_called).then_some("public_url") } else { Some("signature_secret") };
        let voice = self.voice.as_ref().map(|voice| voice.settle(&format!("{at}.voice"), lacks)).transpose()?;
        let rest = section::endpoint(at, self.endpoint.as_deref(), VENDORS_REST)?;
        let api = section::endpoint(at, self.api_endpoint.as_deref(), VENDORS_API)
            .map_err(|error| ConfigError::new(format!("{at}.api_endpoint"), error.problem))?;
        Ok(Settings { rest, api, sms, voice, proofs })
    }

    fn settle_sms(&self, at: &str, sms: &Sms, proofs: &Proofs) -> Result<SmsSettings, ConfigError> {
        let empty = |key: &str| ConfigError::new(format!("{at}.{key}"), ConfigProblem::Empty);
        let key = self.api_key.clone().filter(|key| !key.trim().is_empty()).ok_or_else(|| empty("api_key"))?;
        let given = secret::read(at, "api_secret", self.api_secret.as_ref(), self.api_secret_file.as_deref())?;
        let password = match (given, &proofs.signature) {
            (Some(secret), _) => Password::Secret(secret),
            (None, Some((secret, method))) => Password::Signature(secret.clone(), *method),
            (None, None) => return Err(ConfigError::new(format!("{at}.api_key"), ConfigProblem::Needs("api_secret"))),
        };
        if sms.from.trim().is_empty() {
            return Err(empty("sms.from"));
        }
        Ok(SmsSettings { key, password, from: sms.from.clone() })
    }
}

impl Voice {
    /// `lacks`: what stands in the way of key presses.
    fn settle(&self, at: &str, lacks: Option<&'static str>) -> Result<VoiceSettings, ConfigError> {
        let wrong = |key: &str, form| ConfigError::new(format!("{at}.{key}"), ConfigProblem::Form(form));
        let is_id = !self.application_id.is_empty()
            && self.application_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_id {
            return Err(wrong("application_id", "an application's id"));
        }
        let key = section::needed(at, "private_key", self.private_key.as_ref(), self.private_key_file.as_deref())?;
        let pair = pair(key.expose_secret()).ok_or_else(|| wrong("private_key", "an RSA key of at least 2048 bits in PEM"))?;
        let from = PhoneNumber::parse(&self.from).map_err(|_| wrong("from", "a number such as +12025550143"))?;
        if !(5..=120).contains(&self.ring_seconds) {
            return Err(ConfigError::new(format!("{at}.ring_seconds"), ConfigProblem::Range { least: 5, most: 120 }));
        }
        if let (true, Some(lacks)) = (self.press_key, lacks) {
            return Err(ConfigError::new(format!("{at}.press_key"), ConfigProblem::Needs(lacks)));
        }
        Ok(VoiceSettings {
            application: self.application_id.clone(),
            pair,
            key,
            from: from.as_str().to_owned(),
            ring_seconds: self.ring_seconds,
            press_key: self.press_key,
            voices: self.voices.clone(),
        })
    }
}

fn pair(pem: &str) -> Option<KeyPair> {
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()).ok(),
        _ => None,
    }
}
