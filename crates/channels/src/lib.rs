//! Getting a code out to a person: words for every channel, providers in order, and one certain answer for each message.
//!
//! [`Router`] is the door. It renders ([`Router::prepare`]), then hands messages to the providers that [`Routes::build`] made
//! from configuration ([`Router::deliver`]). What a provider must keep to stands at [`Provider`].

#[cfg(feature = "aws")]
mod aws;
mod circuit;
mod config;
#[cfg(feature = "web")]
mod http;
#[cfg(feature = "ids")]
mod ids;
mod lists;
mod looks;
#[cfg(feature = "mail")]
mod mail;
mod outlet;
mod pace;
mod provider;
mod providers;
mod receipts;
#[cfg(feature = "recent")]
mod recent;
mod registry;
mod render;
mod router;
mod routes;
#[cfg(feature = "seal")]
mod seal;
#[cfg(feature = "secret")]
mod secret;
#[cfg(feature = "section")]
mod section;
mod segments;
#[cfg(feature = "signed")]
mod signed;
#[cfg(test)]
mod testing;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tongue")]
mod tongue;
mod voice;
mod wording;
mod words;

pub use circuit::CircuitState;
pub use config::{
    BreakerConfig, ChannelConfig, ChannelsConfig, ConfigError, ConfigProblem, DeliveryConfig, OnUnclear, ProviderRef,
    ProvidersConfig, RouteConfig, SmsConfig, Weighted,
};
pub use lists::{ListView, ListedProvider};
pub use outlet::{Health, LastFailure, Recent};
pub use pace::{OwnPace, Pace, Turn};
pub use provider::{CheckError, Content, Diagnostic, EnhancedCode, Provider, Rendered, Tells, TryOutcome};
pub use receipts::{Callback, CallbackRefusal, Pushed, Reading, Receipts};
pub use registry::{ProviderConfig, ProviderKind};
pub use render::{RenderError, Sample, sample};
pub use router::{Observer, Prepared, Router, TestError};
pub use routes::{House, Routes, WayOut};
pub use segments::{Encoding, Segments};
pub use voice::{VoicePart, VoiceScript};
pub use wording::{Part, WordingError, check_wording};
pub use words::{built_in_language, built_in_languages};
