//! Webhooks out: a tenant's events, signed and posted to the addresses the tenant named.
//!
//! Three parts that know nothing of each other: [`EndpointSecrets`] and [`Notice`] say what is posted, [`Poster`] posts it once, [`next`] and
//! [`Lanes`] say when. What is due and what came of it is kept by whoever calls; nothing here remembers a delivery or reads a clock.
//!
//! The addresses come from tenants, so every one is a stranger's: see [`Guard`].

mod circuit;
mod format;
mod guard;
mod lanes;
mod networks;
mod outcome;
mod post;
mod reply;
mod resolve;
mod retry_after;
mod schedule;
mod secret;
mod settings;
mod sign;

#[cfg(test)]
mod testing;

pub use format::Notice;
pub use guard::{Forbidden, Guard};
pub use lanes::{Lane, Lanes, Permit};
pub use networks::Network;
pub use outcome::{Outcome, Report, Unreachable};
pub use post::{Post, Poster};
pub use resolve::{Resolver, SystemResolver};
pub use retry_after::RetryAfter;
pub use schedule::{ATTEMPTS, DELIVERY_LIFE, Next, next};
pub use secret::{EndpointSecrets, InvalidSecret, PreviousSecret, WebhookSecret};
pub use settings::WebhookSettings;
pub use sign::{InvalidWebhookId, WebhookId};
