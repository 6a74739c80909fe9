//! The one HTTP client of the house's providers, and the bounds every call keeps.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::tls::install_crypto;

/// Most bytes of a reply that are read. What a provider says beyond is nothing we look for.
pub(crate) const MAX_REPLY: usize = 64 * 1024;

/// Idle lines are dropped before gateways commonly drop them: a send over a line that is just being closed ends as unclear.
const IDLE: Duration = Duration::from_secs(15);

/// A client that all providers share, made when the first one asks: reading the system's certificates takes a while.
#[derive(Clone)]
pub(crate) struct SharedClient {
    connect_timeout: Duration,
    client: Arc<OnceLock<Option<Client>>>,
}

impl SharedClient {
    /// What cannot be connected within `connect_timeout` is certainly not sent.
    pub(crate) fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, client: Arc::default() }
    }

    /// None: TLS cannot be set up on this machine.
    pub(crate) fn get(&self) -> Option<Client> {
        self.client.get_or_init(|| build(self.connect_timeout)).clone()
    }
}

/// No redirects: one would carry a code to where no operator sent it.
fn build(connect_timeout: Duration) -> Option<Client> {
    install_crypto();
    Client::builder()
        .redirect(Policy::none())
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE)
        .build()
        .ok()
}

/// The reply's body, or what came of it: at most [`MAX_REPLY`] bytes.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// The body ended by itself and within the bound.
    pub(crate) is_whole: bool,
}

/// Reads a reply without trusting its length.
pub(crate) async fn read(mut response: Response) -> Body {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= MAX_REPLY => bytes.extend_from_slice(&chunk),
            Ok(None) => return Body { bytes, is_whole: true },
            Ok(Some(_)) | Err(_) => return Body { bytes, is_whole: false },
        }
    }
}
