use std::collections::BTreeMap;
use std::path::PathBuf;

use countersign_model::PhoneNumber;
use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, ConfigProblem};
use crate::{secret, section};

const VENDORS: &str = "https://api.twilio.com";

/// `kind = "twilio"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `AC…`: the account, or the subaccount, that sends.
    pub account_sid: String,
    /// The account's token. What Twilio posts back is signed with it, so without one no receipts are asked for.
    #[serde(default, serialize_with = "secret::hide")]
    pub auth_token: Option<SecretString>,
    /// The same in a file.
    #[serde(default)]
    pub auth_token_file: Option<PathBuf>,
    /// `SK…`: a key to send with in place of the token.
    #[serde(default)]
    pub api_key_sid: Option<String>,
    /// The key's secret.
    #[serde(default, serialize_with = "secret::hide")]
    pub api_key_secret: Option<SecretString>,
    /// The same in a file.
    #[serde(default)]
    pub api_key_secret_file: Option<PathBuf>,
    /// Another address than Twilio's: a regional one, or a double.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Text messages; none: it does not serve them.
    #[serde(default)]
    pub sms: Option<Sms>,
    /// `WhatsApp` messages; none: it does not serve them.
    #[serde(default)]
    pub whatsapp: Option<Whatsapp>,
    /// Calls; none: it does not serve them.
    #[serde(default)]
    pub voice: Option<Voice>,
}

/// `sms`: one of the two.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// A number, short code or name of the account.
    #[serde(default)]
    pub from: Option<String>,
    /// `MG…`: a service that chooses the sender.
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
}

/// `whatsapp`: one of the two senders, and templates.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whatsapp {
    /// The sender's number.
    #[serde(default)]
    pub from: Option<String>,
    /// `MG…`: a service that chooses the sender.
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
    /// `HX…`: the template for codes in languages that `content_sids` does not name. Its first variable is the code.
    #[serde(default)]
    pub content_sid: Option<String>,
    /// Templates by language: a template of Twilio's has one.
    #[serde(default)]
    pub content_sids: BTreeMap<String, String>,
}

/// `voice`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// The number that people see.
    pub from: String,
    /// How long it rings, in seconds; 5 to 120.
    #[serde(default = "ring_seconds")]
    pub ring_seconds: u32,
    /// Lets Twilio tell people from answering machines, which costs extra.
    #[serde(default)]
    pub machine_detection: bool,
    /// Says the code only after a key was pressed.
    #[serde(default)]
    pub press_key: bool,
    /// Voices by language, before the built-in ones.
    #[serde(default)]
    pub voices: BTreeMap<String, Speaker>,
}

/// A voice of Twilio's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speaker {
    /// `Polly.Joanna`, `Google.el-GR-Wavenet-B`: one that reads SSML.
    pub voice: String,
    /// The language as Twilio writes it for this voice: `en-US`.
    pub language: String,
}

const fn ring_seconds() -> u32 {
    45
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) account: String,
    pub(super) user: String,
    pub(super) password: SecretString,
    /// What receipts are signed with.
    pub(super) token: Option<SecretString>,
    pub(super) endpoint: Url,
    pub(super) sms: Option<Origin>,
    pub(super) whatsapp: Option<WhatsappSettings>,
    pub(super) voice: Option<Voice>,
}

/// Whom a message comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    From(String),
    Service(String),
}

pub(super) struct WhatsappSettings {
    pub(super) origin: Origin,
    pub(super) templates: BTreeMap<String, String>,
    pub(super) template: Option<String>,
}

impl Config {
    /// `can_be_called`: the house has a public address, so that Twilio can post to it.
    pub(super) fn settle(&self, at: &str, can_be_called: bool) -> Result<Settings, ConfigError> {
        let account = sid(&format!("{at}.account_sid"), &self.account_sid, "AC")?;
        let token = secret::filled(at, "auth_token", self.auth_token.as_ref(), self.auth_token_file.as_deref())?;
        let key = secret::filled(at, "api_key_secret", self.api_key_secret.as_ref(), self.api_key_secret_file.as_deref())?;
        let (user, password) = match (&self.api_key_sid, key) {
            (Some(user), Some(secret)) => (sid(&format!("{at}.api_key_sid"), user, "SK")?, secret),
            (Some(_), None) => {
                return Err(ConfigError::new(format!("{at}.api_key_sid"), ConfigProblem::Needs("api_key_secret")));
            }
            (None, Some(_)) => {
                return Err(ConfigError::new(format!("{at}.api_key_secret"), ConfigProblem::Needs("api_key_sid")));
            }
            (None, None) => {
                let token = section::needed(at, "auth_token", self.auth_token.as_ref(), self.auth_token_file.as_deref())?;
                (account.clone(), token)
            }
        };
        if self.sms.is_none() && self.whatsapp.is_none() && self.voice.is_none() {
            return Err(ConfigError::new(
                at,
                ConfigProblem::Form("a section with at least one of the tables `sms`, `whatsapp` and `voice`"),
            ));
        }
        let sms = self.sms.as_ref().map(|sms| sms.settle(&format!("{at}.sms"))).transpose()?;
        let whatsapp = self.whatsapp.as_ref().map(|whatsapp| whatsapp.settle(&format!("{at}.whatsapp"))).transpose()?;
        if let Some(voice) = &self.voice {
            voice.check(&format!("{at}.voice"), token.is_some(), can_be_called)?;
        }
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), VENDORS)?;
        Ok(Settings { account, user, password, token, endpoint, sms, whatsapp, voice: self.voice.clone() })
    }
}

impl Sms {
    fn settle(&self, at: &str) -> Result<Origin, ConfigError> {
        match origin(at, self.from.as_ref(), self.messaging_service_sid.as_ref())? {
            Origin::From(from) if from.trim().is_empty() => Err(ConfigError::new(format!("{at}.from"), ConfigProblem::Empty)),
            origin => Ok(origin),
        }
    }
}

impl Whatsapp {
    fn settle(&self, at: &str) -> Result<WhatsappSettings, ConfigError> {
        let origin = match origin(at, self.from.as_ref(), self.messaging_service_sid.as_ref())? {
            Origin::From(from) => Origin::From(number(&format!("{at}.from"), &from)?),
            service @ Origin::Service(_) => service,
        };
        let template = self.content_sid.as_deref().map(|it| sid(&format!("{at}.content_sid"), it, "HX")).transpose()?;
        for (tag, template) in &self.content_sids {
            sid(&format!("{at}.content_sids.{tag}"), template, "HX")?;
        }
        Ok(WhatsappSettings { origin, templates: self.content_sids.clone(), template })
    }
}

impl Voice {
    fn check(&self, at: &str, has_token: bool, can_be_called: bool) -> Result<(), ConfigError> {
        number(&format!("{at}.from"), &self.from)?;
        if !(5..=120).contains(&self.ring_seconds) {
            return Err(ConfigError::new(format!("{at}.ring_seconds"), ConfigProblem::Range { least: 5, most: 120 }));
        }
        let lacks = |what| Err(ConfigError::new(format!("{at}.press_key"), ConfigProblem::Needs(what)));
        match (self.press_key, has_token, can_be_called) {
            (true, false, _) => return lacks("auth_token"),
            (true, _, false) => return lacks("public_url"),
            _ => {}
        }
        for (tag, speaker) in &self.voices {
            for (key, value) in [("voice", &speaker.voice), ("language", &speaker.language)] {
                if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')) || value.is_empty() {
                    let form = ConfigProblem::Form("a name of letters, digits, dots and dashes");
                    return Err(ConfigError::new(format!("{at}.voices.{tag}.{key}"), form));
                }
            }
        }
        Ok(())
    }
}

fn origin(at: &str, from: Option<&String>, service: Option<&String>) -> Result<Origin, ConfigError> {
    match (from, service) {
        (Some(from), None) => Ok(Origin::From(from.clone())),
        (None, Some(service)) => Ok(Origin::Service(sid(&format!("{at}.messaging_service_sid"), service, "MG")?)),
        (None, None) | (Some(_), Some(_)) => {
            Err(ConfigError::new(at, ConfigProblem::ExactlyOne("from", "messaging_service_sid")))
        }
    }
}

/// One of Twilio's names of things: two letters that say of what kind, then letters and digits.
fn sid(key: &str, text: &str, prefix: &'static str) -> Result<String, ConfigError> {
    let form = match prefix {
        "AC" => "an account's sid, `AC…`",
        "SK" => "an API key's sid, `SK…`",
        "MG" => "a messaging service's sid, `MG…`",
        _ => "a content template's sid, `HX…`",
    };
    let is_one =
        text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if is_one { Ok(text.to_owned()) } else { Err(ConfigError::new(key, ConfigProblem::Form(form))) }
}

fn number(key: &str, text: &str) -> Result<String, ConfigError> {
    let number =
        PhoneNumber::parse(text).map_err(|_| ConfigError::new(key, ConfigProblem::Form("a number such as +12025550143")))?;
    Ok(number.as_str().to_owned())
}
