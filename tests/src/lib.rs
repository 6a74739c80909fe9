//! What the suite is made with: a whole server on a free port, people's mailboxes, gateways that look at what they are sent, the real
//! binary as a process, and replies that show themselves when they are not what was expected.
//!
//! Nothing here sleeps or leaves the loopback. Whoever waits, waits for what it is about, [`PATIENCE`] at most.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "what goes wrong in a test ends it")]
#![expect(clippy::missing_panics_doc, reason = "every helper of a test panics where something is not as expected")]
#![expect(clippy::must_use_candidate, reason = "a look that nobody uses does no harm here")]

mod app;
mod ask;
mod audit;
mod client;
mod events;
mod load;
mod mail_sink;
pub mod planes;
mod process;
mod provider_double;
mod receiver;
mod reply;
pub mod scenario;
mod setup;
mod site;
mod smtp;
mod vacant;
mod wire;

use std::time::Duration;

pub use app::{Builder, KeyWish, NOW, TestApp};
pub use ask::{Ask, Sent, email, sms, wrong_code};
pub use audit::{Audit, Lost};
pub use client::Client;
pub use events::{Happened, happened};
pub use load::{Callers, Fact, Load, Refused, Told};
pub use mail_sink::{Act, Mail, MailSink};
pub use process::{Output, Process, binary, refused, run};
pub use provider_double::{Answer, Expected, Gate, ProviderDouble, Request};
pub use receiver::{Post, Reaction, Receiver};
pub use reply::Reply;
pub use setup::Setup;
pub use site::{Site, poll, subscribe};
pub use vacant::Vacant;

/// How long anything is waited for, so that a test that would hang fails instead. Far more than anything takes: a busy machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for `what`, not longer than [`PATIENCE`].
pub async fn within_patience<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
