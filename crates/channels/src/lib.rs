//! Getting a code out to a person: words for every channel, providers in order, and one certain answer for each message.
//!
//! [`Router`] is the door. It renders ([`Router::prepare`]), then hands messages to the providers that [`Routes::build`] made
//! from configuration ([`Router::deliver`]). What a provider must keep to stands at [`Provider`].

mod config;
mod http;
mod provider;
mod providers;
mod registry;
mod render;
mod router;
mod routes;
mod secret;
mod segments;
#[cfg(test)]
mod testing;
mod tls;
mod wording;
mod words;

pub use config::{
    ChannelConfig, ChannelsConfig, ConfigError, ConfigProblem, DeliveryConfig, OnUnclear, ProvidersConfig, SmsConfig,
};
pub use provider::{CheckError, Content, Diagnostic, EnhancedCode, Provider, Rendered, TryOutcome};
pub use registry::ProviderConfig;
pub use render::{RenderError, preview_wording};
pub use router::{Observer, Prepared, Router};
pub use routes::{Routes, WayOut};
pub use segments::{Encoding, Segments};
pub use wording::{Part, WordingError, check_wording};
