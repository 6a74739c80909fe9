use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Problem;

/// `[http]`: the listener of the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where the API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Threads that serve calls; none: one per core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<usize>,
    /// Proxies whose `X-Forwarded-For` is believed. Empty: nobody's, and the caller is who connects.
    pub trusted_proxies: Vec<IpNet>,
    /// How many proxies stand in front, where their addresses are not known; counted from the right of `X-Forwarded-For`.
    pub trusted_hops: u8,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            workers: None,
            trusted_proxies: Vec::new(),
            trusted_hops: 0,
        }
    }
}

impl Http {
    /// Most threads that make sense on one machine.
    const MAX_WORKERS: usize = 256;

    pub(super) fn problems(&self, found: &mut Vec<Problem>) {
        if self.workers.is_some_and(|workers| workers == 0 || workers > Self::MAX_WORKERS) {
            found.push(Problem::new("http.workers", "must be 1 to 256; leave it out for one per core"));
        }
        if self.trusted_hops > 0 && !self.trusted_proxies.is_empty() {
            found.push(Problem::new("http.trusted_hops", "cannot stand beside http.trusted_proxies; keep the one that you know"));
        }
    }
}
