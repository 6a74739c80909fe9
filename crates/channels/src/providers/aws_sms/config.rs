use std::path::PathBuf;
use std::sync::Arc;

use countersign_model::PhoneNumber;
use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::aws::{Fetch, Keys, Signer, Topic, host_of};
use crate::config::{ConfigError, ConfigProblem};
use crate::{secret, section};

/// `kind = "aws-sms"`.
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
    /// Whom text messages come from: a number, a sender id, a pool, or an ARN of one. Without it the service chooses.
    #[serde(default)]
    pub from: Option<String>,
    /// The number that calls, as `+12025550100` or by its id or ARN. Without it no calls are made.
    #[serde(default)]
    pub voice_from: Option<String>,
    /// The configuration set that messages are sent with.
    #[serde(default)]
    pub configuration_set: Option<String>,
    /// The notification topic that the configuration set publishes events to; without it no receipt is listened to.
    #[serde(default)]
    pub topic_arn: Option<String>,
    /// For text messages to India: the principal entity's id in the register there.
    #[serde(default)]
    pub dlt_entity_id: Option<String>,
    /// The registered template's id; with `dlt_entity_id`.
    #[serde(default)]
    pub dlt_template_id: Option<String>,
    /// Another address than the region's.
    #[serde(default)]
    pub endpoint: Option<String>,
}

/// The section, checked and ready for use.
pub(super) struct Settings {
    pub(super) signer: Signer,
    pub(super) url: Url,
    pub(super) from: Option<String>,
    pub(super) voice_from: Option<String>,
    pub(super) configuration_set: Option<String>,
    pub(super) topic: Option<Topic>,
    /// Entity and template, for India.
    pub(super) dlt: Option<(String, String)>,
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
        let signer = keys.settle(at, "sms-voice")?;
        // Letters, digits and what ARNs are made of: the form that the service gives for both.
        let is_id = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:/+-".contains(&byte));
        let named = |key: &str, name: &Option<String>| match name {
            Some(name) if !(1..=256).contains(&name.len()) || !is_id(name) => {
                let form = ConfigProblem::Form("1 to 256 letters, digits and `_:/+-`");
                Err(ConfigError::new(format!("{at}.{key}"), form))
            }
            name => Ok(name.clone()),
        };
        let endpoint = section::endpoint(at, self.endpoint.as_deref(), &host_of("sms-voice", &self.region))?;
        Ok(Settings {
            signer,
            url: section::under(&endpoint, "/"),
            from: named("from", &self.from)?,
            voice_from: named("voice_from", &self.voice_from)?,
            configuration_set: named("configuration_set", &self.configuration_set)?,
            topic: self.topic_arn.as_deref().map(|arn| Topic::read(at, arn, fetch)).transpose()?,
            dlt: self.dlt(at)?,
        })
    }

    fn dlt(&self, at: &str) -> Result<Option<(String, String)>, ConfigError> {
        let (entity, template) = match (&self.dlt_entity_id, &self.dlt_template_id) {
            (None, None) => return Ok(None),
            (Some(_), None) => {
                return Err(ConfigError::new(format!("{at}.dlt_entity_id"), ConfigProblem::Needs("dlt_template_id")));
            }
            (None, Some(_)) => {
                return Err(ConfigError::new(format!("{at}.dlt_template_id"), ConfigProblem::Needs("dlt_entity_id")));
            }
            (Some(entity), Some(template)) => (entity, template),
        };
        for (key, id) in [("dlt_entity_id", entity), ("dlt_template_id", template)] {
            if !(1..=50).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let form = ConfigProblem::Form("1 to 50 letters and digits");
                return Err(ConfigError::new(format!("{at}.{key}"), form));
            }
        }
        Ok(Some((entity.clone(), template.clone())))
    }
}

impl Settings {
    /// Who calls: the number that the message names, if it names one. A name cannot call.
    pub(super) fn caller<'a>(&'a self, sender: Option<&'a str>) -> Option<&'a str> {
        let number = sender.filter(|sender| PhoneNumber::parse(sender).is_ok());
        number.or(self.voice_from.as_deref())
    }
}
