use std::num::NonZeroUsize;
use std::time::Duration;

use countersign_webhooks::WebhookSettings;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Problem;

/// `[webhooks]`: how events are posted to the addresses that tenants give.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Take `http` addresses too.
    pub allow_http: bool,
    /// Networks that may be posted to although they are not public.
    pub allowed_networks: Vec<IpNet>,
    /// Ports beside 443.
    pub allowed_ports: Vec<u16>,
    /// Seconds that one post may take.
    pub timeout_seconds: u64,
    /// Posts to one endpoint at a time, in each process.
    pub per_endpoint: usize,
    /// Posts at a time, in each process.
    pub at_once: usize,
    /// Endpoints that a tenant may have.
    pub endpoints_per_tenant: usize,
}

impl Default for Webhooks {
    fn default() -> Self {
        let WebhookSettings { timeout, concurrency_per_endpoint, concurrency, endpoints_per_tenant, .. } =
            WebhookSettings::default();
        Self {
            allow_http: false,
            allowed_networks: Vec::new(),
            allowed_ports: Vec::new(),
            timeout_seconds: timeout.as_secs(),
            per_endpoint: concurrency_per_endpoint.get(),
            at_once: concurrency.get(),
            endpoints_per_tenant: endpoints_per_tenant.get(),
        }
    }
}

impl Webhooks {
    /// For the poster.
    pub(super) fn settings(&self) -> WebhookSettings {
        let usual = WebhookSettings::default();
        WebhookSettings {
            allow_http: self.allow_http,
            allowed_networks: self.allowed_networks.clone(),
            allowed_ports: self.allowed_ports.clone(),
            timeout: Duration::from_secs(self.timeout_seconds),
            connect_timeout: usual.connect_timeout.min(Duration::from_secs(self.timeout_seconds)),
            concurrency_per_endpoint: NonZeroUsize::new(self.per_endpoint).unwrap_or(usual.concurrency_per_endpoint),
            concurrency: NonZeroUsize::new(self.at_once).unwrap_or(usual.concurrency),
            endpoints_per_tenant: NonZeroUsize::new(self.endpoints_per_tenant).unwrap_or(usual.endpoints_per_tenant),
        }
    }

    pub(super) fn problems(&self, found: &mut Vec<Problem>) {
        for (key, value, most) in [
            ("webhooks.timeout_seconds", self.timeout_seconds, 25),
            ("webhooks.per_endpoint", self.per_endpoint as u64, 64),
            ("webhooks.at_once", self.at_once as u64, 1_024),
            ("webhooks.endpoints_per_tenant", self.endpoints_per_tenant as u64, 1_000),
        ] {
            if !(1..=most).contains(&value) {
                found.push(Problem::new(key, format!("must be 1 to {most}")));
            }
        }
    }
}
