//! Making API keys.

use std::fmt;

use countersign_model::{AccessKey, ApiKey, KeyId, KeyKind, KeyScope, Rng, TenantId, Timestamp};
use data_encoding::BASE32_NOPAD;
use ipnet::IpNet;
use zeroize::Zeroizing;

/// What somebody wants of a new key.
#[derive(Debug, Clone)]
pub struct KeyOrder {
    /// Whose it is.
    pub tenant: TenantId,
    /// Live or test.
    pub kind: KeyKind,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scope: KeyScope,
    /// Addresses it may be used from; empty: any.
    pub allowed_ips: Vec<IpNet>,
    /// When it dies by itself.
    pub expires_at: Option<Timestamp>,
}

/// A key just made, with the secret that is shown once.
pub struct NewKey {
    /// What is kept.
    pub key: ApiKey,
    secret: Zeroizing<String>,
}

/// Random bytes of the public half, which need only be unique.
const ACCESS_KEY_BYTES: usize = 15;

impl NewKey {
    /// Makes a key. It opens nothing until its records are written.
    #[must_use]
    pub fn mint(order: KeyOrder, now: Timestamp, rng: &dyn Rng) -> Self {
        let secret = countersign_core::mint_secret(order.kind, rng);
        let mut public = [0; ACCESS_KEY_BYTES];
        rng.fill(&mut public);
        let key = ApiKey {
            id: KeyId::mint(now, rng, order.tenant.partition()),
            tenant: order.tenant,
            kind: order.kind,
            name: order.name,
            access_key: AccessKey(format!("ak_{}", BASE32_NOPAD.encode(&public).to_ascii_lowercase())),
            secret_hash: countersign_core::secret_hash(&secret),
            scope: order.scope,
            allowed_ips: order.allowed_ips,
            created_at: now,
            expires_at: order.expires_at,
            revoked_at: None,
        };
        Self { key, secret }
    }

    /// The secret, to show it once.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({})", self.key.id)
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::{Partition, SeededRng};

    use super::*;

    fn mint(seed: u64) -> NewKey {
        let now = Timestamp::from_millis(1_768_473_900_000);
        let rng = SeededRng::new(seed);
        let order = KeyOrder {
            tenant: TenantId::mint(now, &rng, Partition::of(7)),
            kind: KeyKind::Test,
            name: "demo".to_owned(),
            scope: KeyScope::Full,
            allowed_ips: Vec::new(),
            expires_at: None,
        };
        NewKey::mint(order, now, &rng)
    }

    #[test]
    fn a_secret_says_its_kind_and_has_256_bits() {
        let made = mint(1);
        assert_eq!(made.secret().strip_prefix("sk_test_").map(str::len), Some(43), "{}", made.secret());
        assert_eq!(made.key.id.partition(), made.key.tenant.partition());
    }

    #[test]
    fn no_two_keys_share_anything_and_debug_output_shows_no_secret() {
        let (one, other) = (mint(1), mint(2));
        assert_ne!(one.secret(), other.secret());
        assert_ne!(one.key.access_key, other.key.access_key);
        assert!(!format!("{one:?}").contains(one.secret()));
    }
}
