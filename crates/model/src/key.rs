use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{KeyId, KeyKind, Origin, TenantId, Timestamp};

/// SHA-256 of a key's secret. The secret has 256 random bits, so a plain hash cannot be turned back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SecretHash(pub [u8; 32]);

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// The public half of a key, `ak_…`: names it where a wire asks for a pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccessKey(pub String);

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Everything its tenant may.
    Full,
    /// Look-ups only.
    ReadOnly,
    /// Issue codes and verify them, from pages of certain origins and in the dialect that has such keys. Anybody can read its secret there.
    Browser,
}

/// What lets a caller in. The secret itself is shown once and never kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its name in lists and logs.
    pub id: KeyId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Live or test.
    pub kind: KeyKind,
    /// What people call it.
    pub name: String,
    /// The public half.
    pub access_key: AccessKey,
    /// What is kept of the secret.
    pub secret_hash: SecretHash,
    /// What it may do.
    pub scope: KeyScope,
    /// Addresses it may be used from; empty: any.
    pub allowed_ips: Vec<IpNet>,
    /// The pages it may be shown from: of a key for browsers, which has one at least, and of no other.
    #[serde(default)]
    pub origins: Vec<Origin>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it dies by itself.
    pub expires_at: Option<Timestamp>,
    /// When somebody ended it.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it opens the door at `now`. The caller's address is checked apart.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether a page of `origin` may show it.
    #[must_use]
    pub fn admits_page(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known.as_str() == origin)
    }

    /// Whether it may be used from `address`.
    #[must_use]
    pub fn admits(&self, address: std::net::IpAddr) -> bool {
        self.allowed_ips.is_empty() || self.allowed_ips.iter().any(|net| net.contains(&address))
    }
}
