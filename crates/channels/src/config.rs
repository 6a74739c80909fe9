//! The sections `[providers.*]`, `[channels.*]` and `[delivery]` of the configuration, and how a mistake in them is told.

mod routing;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use countersign_model::Channel;
use serde::{Deserialize, Serialize};

use crate::registry::ProviderConfig;

pub use routing::{BreakerConfig, ProviderRef, RouteConfig, Weighted};

/// `[providers.<name>]`: the name is the operator's.
pub type ProvidersConfig = BTreeMap<String, ProviderConfig>;

/// `[channels.<channel>]`: who carries what, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelsConfig {
    /// Mail.
    pub email: ChannelConfig,
    /// Text messages.
    pub sms: SmsConfig,
    /// WhatsApp messages.
    pub whatsapp: ChannelConfig,
    /// Calls.
    pub voice: ChannelConfig,
}

/// What a channel's section says of its ways out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section<'a> {
    pub(crate) providers: &'a [ProviderRef],
    pub(crate) routes: &'a [RouteConfig],
    pub(crate) on_unclear: Option<OnUnclear>,
}

impl ChannelsConfig {
    pub(crate) fn section(&self, channel: Channel) -> Section<'_> {
        match channel {
            Channel::Email => self.email.section(),
            Channel::Whatsapp => self.whatsapp.section(),
            Channel::Voice => self.voice.section(),
            Channel::Sms => {
                let SmsConfig { providers, routes, on_unclear, max_segments: _ } = &self.sms;
                Section { providers, routes, on_unclear: *on_unclear }
            }
        }
    }
}

impl ChannelConfig {
    fn section(&self) -> Section<'_> {
        Section { providers: &self.providers, routes: &self.routes, on_unclear: self.on_unclear }
    }
}

/// A channel's way out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelConfig {
    /// Who is tried, in order or drawn by weights. Empty: messages that no route fits have no way out.
    pub providers: Vec<ProviderRef>,
    /// Other lists for some messages.
    pub routes: Vec<RouteConfig>,
    /// What follows an unclear try; none: what `[delivery]` says.
    pub on_unclear: Option<OnUnclear>,
}

/// The SMS channel's way out, and what a message may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmsConfig {
    /// Who is tried, in order or drawn by weights. Empty: messages that no route fits have no way out.
    pub providers: Vec<ProviderRef>,
    /// Other lists for some messages.
    pub routes: Vec<RouteConfig>,
    /// What follows an unclear try; none: what `[delivery]` says.
    pub on_unclear: Option<OnUnclear>,
    /// Parts a message may be cut into before shorter words are chosen; 1 to 10.
    pub max_segments: usize,
}

impl Default for SmsConfig {
    fn default() -> Self {
        Self { providers: Vec::new(), routes: Vec::new(), on_unclear: None, max_segments: 2 }
    }
}

/// `[delivery]`: how long a message is tried, how fast, and when a provider is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// For one try at one provider; 1 to 120.
    pub try_timeout_seconds: u64,
    /// For all tries of one message; not below the time of one try, at most 300.
    pub deadline_seconds: u64,
    /// What follows a try that may or may not have gone out.
    pub on_unclear: OnUnclear,
    /// Seconds for one try, by names of providers that have another time than the rest; within the same bounds.
    pub try_timeouts: BTreeMap<String, u64>,
    /// Messages a second that a provider is handed at most, by its name, 1 to 10000. Who is not named is not slowed down.
    pub limits: BTreeMap<String, u32>,
    /// When a provider is passed over.
    pub breaker: BreakerConfig,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            try_timeout_seconds: 8,
            deadline_seconds: 20,
            on_unclear: OnUnclear::Next,
            try_timeouts: BTreeMap::new(),
            limits: BTreeMap::new(),
            breaker: BreakerConfig::default(),
        }
    }
}

impl DeliveryConfig {
    /// For one try at a provider without a time of its own.
    pub(crate) const fn try_timeout(&self) -> Duration {
        Duration::from_secs(self.try_timeout_seconds)
    }

    /// For one try at that provider.
    pub(crate) fn try_timeout_of(&self, provider: &str) -> Duration {
        self.try_timeouts.get(provider).map_or_else(|| self.try_timeout(), |seconds| Duration::from_secs(*seconds))
    }

    pub(crate) const fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds)
    }
}

/// After a try that may have gone out: risk a second message, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnclear {
    /// The next provider is tried; the person may get the same code twice.
    Next,
    /// Nothing more is tried; the person may get nothing.
    Stop,
}

/// A mistake in the configuration, by the key to change. Holds no secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct ConfigError {
    /// Dotted, as an operator would look for it: `providers.sms.url`.
    pub key: String,
    /// What is wrong there.
    pub problem: ConfigProblem,
}

impl ConfigError {
    pub(crate) fn new(key: impl Into<String>, problem: ConfigProblem) -> Self {
        Self { key: key.into(), problem }
    }
}

/// What can be wrong with a value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigProblem {
    /// Provider names become metric labels and parts of environment variables.
    #[error("a provider's name is 1 to 32 of a-z, 0-9, `-` and `_`")]
    Name,
    /// `sandbox` is built in, and so is `test_recipient`, which is nobody.
    #[error("this name is taken by the built-in provider")]
    NameTaken,
    /// A channel names a provider that is not there.
    #[error("unknown provider {0:?}")]
    UnknownProvider(String),
    /// A channel names a provider twice.
    #[error("provider {0:?} is named twice")]
    NamedTwice(String),
    /// A channel names a provider that cannot reach it.
    #[error("provider {provider:?} does not serve {channel}")]
    DoesNotServe {
        /// Which provider.
        provider: String,
        /// Which channel.
        channel: Channel,
    },
    /// A route that every message fits.
    #[error("needs one of `countries`, `tenants` and `services`; who serves the rest stands in the channel's own `providers`")]
    FitsAll,
    /// Nothing where something is needed.
    #[error("is empty")]
    Empty,
    /// One key needs another.
    #[error("needs `{0}` beside it")]
    Needs(&'static str),
    /// Keys that exclude each other, or of which one is needed.
    #[error("give exactly one of `{0}` and `{1}`")]
    ExactlyOne(&'static str, &'static str),
    /// A secret twice.
    #[error("give the value or the file, not both")]
    ValueAndFile,
    /// A secret that is needed.
    #[error("is empty or missing: give it, or name a file that holds it as `{0}_file`")]
    Secret(&'static str),
    /// A file that cannot be read.
    #[error("cannot read {path}: {}", unreadable(*kind))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        kind: io::ErrorKind,
    },
    /// A number out of its bounds.
    #[error("must be {least} to {most}")]
    Range {
        /// The lowest that is taken.
        least: u64,
        /// The highest that is taken.
        most: u64,
    },
    /// A value that is not of its form.
    #[error("must be {0}")]
    Form(&'static str),
    /// A template that names a value that there is not.
    #[error("there is no `{name}`; a template may name {known}")]
    Variable {
        /// What it names.
        name: String,
        /// What it may name.
        known: String,
    },
    /// A template that does not compile or cannot be filled.
    #[error("template: {0}")]
    Template(String),
    /// A `json` template whose result cannot be parsed.
    #[error("does not give valid JSON for every text: write variables as {{{{ text|tojson }}}}, without quotes around them")]
    NotJson,
    /// A file with certificates that are none.
    #[error("holds no PEM certificate")]
    Certificate,
    /// The TLS library refused to start.
    #[error(
        "TLS cannot be set up: the system has no usable certificates; install them (ca-certificates), or for smtp and smpp give `ca_file`"
    )]
    Tls,
}

/// Why a file cannot be read, for whoever named it.
fn unreadable(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "there is no such file".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::PermissionDenied => "the user of this process may not".to_owned(),
        io::ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
        other => other.to_string(),
    }
}
