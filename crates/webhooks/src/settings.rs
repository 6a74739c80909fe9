use std::num::NonZeroUsize;
use std::time::Duration;

use countersign_model::IpNet;

/// What the operator decides about posting to tenants' addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Take `http` addresses too, and port 80. What is posted can then be read on the way; signatures still hold. Default: no.
    pub allow_http: bool,
    /// Networks that may be posted to although they are not public: for receivers in the operator's own network. Every tenant can then
    /// reach every machine in them. An IPv6 form that carries an IPv4 address (mapped, 6to4, NAT64) must be listed, and what it carries must be
    /// public or listed too. Default: none.
    pub allowed_networks: Vec<IpNet>,
    /// Ports beside 443. Default: none.
    pub allowed_ports: Vec<u16>,
    /// For looking the host up, connecting to it and the TLS handshake. Default: 5 s.
    pub connect_timeout: Duration,
    /// For one whole attempt, from the look-up to the end of the reply. Default: 15 s.
    pub timeout: Duration,
    /// Most posts to one endpoint at a time, per process. Default: 4.
    pub concurrency_per_endpoint: NonZeroUsize,
    /// Most posts at a time, per process. A tenant gets a quarter of them for sure, and more only while half of them are free. Default: 64.
    pub concurrency: NonZeroUsize,
    /// Endpoints that a tenant may have. Default: 50.
    pub endpoints_per_tenant: NonZeroUsize,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            allow_http: false,
            allowed_networks: Vec::new(),
            allowed_ports: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            concurrency_per_endpoint: const { NonZeroUsize::new(4).unwrap() },
            concurrency: const { NonZeroUsize::new(64).unwrap() },
            endpoints_per_tenant: const { NonZeroUsize::new(50).unwrap() },
        }
    }
}
