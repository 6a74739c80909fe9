//! What `send` and `verify` share: they are callers of a running server like any other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::Url;
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{CliError, Context};

/// Longer than the server tries to deliver by default.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which server, and who asks.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// The server's address; by default the one that the configuration names
    #[arg(long, env = "COUNTERSIGN_URL")]
    url: Option<Url>,
    /// An API key of the server, `sk_live_…` or `sk_test_…`
    #[arg(long, env = "COUNTERSIGN_API_KEY", hide_env_values = true)]
    api_key: SecretString,
}

impl Target {
    /// Posts `body` to a path below the server's address and returns the reply's body, or the refusal.
    pub(super) async fn post(&self, context: &Context, path: &str, body: &Value) -> Result<Value, CliError> {
        let base = match &self.url {
            Some(url) => url.to_string(),
            None => context.load()?.config.public_url(),
        };
        let url = format!("{}{path}", base.trim_end_matches('/'));
        let client = plain(PATIENCE)?;
        let unreachable = |source: reqwest::Error| CliError::Unreachable { url: url.clone(), source: source.without_url() };
        let reply = client
            .post(&url)
            .header("X-API-Key", self.api_key.expose_secret())
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .map_err(unreachable)?;
        let status = reply.status();
        let bytes = reply.bytes().await.map_err(unreachable)?;
        let body: Value =
            serde_json::from_slice(&bytes).map_err(|_| CliError::NotOurs { url: url.clone(), status: status.as_u16() })?;
        if status.is_success() { Ok(body) } else { Err(CliError::Refused { status: status.as_u16(), body }) }
    }
}

/// Where a listener of this machine is reached from this machine.
pub(super) fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(all) if all.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(all) if all.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        one => one,
    };
    SocketAddr::new(ip, listen.port())
}

/// A client that follows nobody elsewhere.
pub(super) fn plain(patience: Duration) -> Result<reqwest::Client, CliError> {
    // A provider installed before stays: both serve.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(patience).redirect(Policy::none()).build();
    client.map_err(|source| CliError::Client { source })
}

/// The text under `key`, or nothing.
pub(super) fn text<'a>(body: &'a Value, key: &str) -> &'a str {
    body.get(key).and_then(Value::as_str).unwrap_or_default()
}
