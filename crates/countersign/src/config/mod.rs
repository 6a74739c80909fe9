//! What an operator may set, and where it comes from.
//!
//! Defaults, under `countersign.toml`, under environment variables `COUNTERSIGN_SECTION__KEY`. One file per section. A key that does not
//! exist, a value of the wrong kind and a value out of range are errors that name the key and say what to do.

mod admin;
mod billing;
mod contacts;
mod convert;
mod database;
mod env;
mod error;
mod events;
mod http;
mod keys;
mod limits;
mod load;
mod log;
mod print;
mod profile;
mod rate;
mod read;
mod redis;
mod retention;
mod secret;
#[cfg(test)]
mod tests;
mod told;
mod webhooks;

use countersign_channels::{ChannelsConfig, DeliveryConfig, ProvidersConfig};
use countersign_model::ServiceProfile;
use serde::{Deserialize, Serialize};

pub use admin::Admin;
pub use billing::Billing;
pub use contacts::Contacts;
pub use database::Database;
pub use error::{ConfigError, Problem};
pub use events::Events;
pub use http::Http;
pub use keys::Keys;
pub use limits::Limits;
pub use load::{Loaded, Source, load};
pub use log::{Log, LogFormat};
pub use print::{Origin, Setting};
pub use profile::NamedProfile;
pub use rate::Rate;
pub(crate) use rate::parse_span;
pub use redis::{Barrier, Cluster, Redis, Sentinel};
pub use retention::Retention;
pub use webhooks::Webhooks;

/// Everything an operator set, of the right kinds. Values out of range are found by [`Config::problems`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address under which callers reach the API, for proofs and links; none: that of the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Short name of this installation's place; part of every session token.
    pub region: String,
    /// The API's listener.
    pub http: Http,
    /// The operators' listener.
    pub admin: Admin,
    /// What is logged, and how.
    pub log: Log,
    /// The profile of calls that name no service.
    pub session: ServiceProfile,
    /// Named profiles. What one leaves open, `[session]` decides.
    pub services: Vec<NamedProfile>,
    /// How much callers may do.
    pub limits: Limits,
    /// Where the secrets are.
    pub keys: Keys,
    /// Where sessions live when several nodes share them.
    pub redis: Redis,
    /// Where records live when several nodes share them.
    pub database: Database,
    /// The log of what happened to sessions.
    pub events: Events,
    /// What sends ask of the people whom tenants keep.
    pub contacts: Contacts,
    /// How long what happened is kept.
    pub retention: Retention,
    /// Whether tenants pay for what they send.
    pub billing: Billing,
    /// How events are posted to tenants' addresses.
    pub webhooks: Webhooks,
    /// The connections over which messages go out. [`load`] reads them by themselves, to name the keys that are wrong.
    pub providers: ProvidersConfig,
    /// Which providers serve a channel.
    pub channels: ChannelsConfig,
    /// How long and how often a message is tried.
    pub delivery: DeliveryConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: None,
            region: "local".to_owned(),
            http: Http::default(),
            admin: Admin::default(),
            log: Log::default(),
            session: ServiceProfile::default(),
            services: Vec::new(),
            limits: Limits::default(),
            keys: Keys::default(),
            redis: Redis::default(),
            database: Database::default(),
            events: Events::default(),
            contacts: Contacts::default(),
            retention: Retention::default(),
            billing: Billing::default(),
            webhooks: Webhooks::default(),
            providers: ProvidersConfig::default(),
            channels: ChannelsConfig::default(),
            delivery: DeliveryConfig::default(),
        }
    }
}
