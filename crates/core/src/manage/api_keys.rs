//! What lets callers in.

use std::fmt;

use countersign_model::{
    AccessKey, ApiKey, Flaw, IpNet, KeyId, KeyKind, KeyScope, NAME, Origin, Rng, TenantId, Timestamp, is_name,
};
use countersign_records::Transaction;
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use super::error::ManageError;
use super::order::{Acted, Done, Order, owner, seen};
use super::views::KeyView;
use crate::callers::{mint_secret, secret_hash};
use crate::platform::Platform;

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
    /// The pages that may show it: one at least where it is for browsers, else none.
    pub origins: Vec<Origin>,
    /// When it dies by itself.
    pub expires_at: Option<Timestamp>,
}

impl KeyOrder {
    fn check(&self, now: Timestamp) -> Vec<Flaw> {
        let mut found = Vec::new();
        if !is_name(&self.name) {
            found.push(Flaw::new("name", format!("must {NAME}")));
        }
        if self.allowed_ips.len() > Self::MOST_NETWORKS {
            found.push(Flaw::new("allowed_ips", format!("must be at most {} networks", Self::MOST_NETWORKS)));
        }
        match self.scope {
            KeyScope::Browser if !(1..=Self::MOST_ORIGINS).contains(&self.origins.len()) => {
                found.push(Flaw::new("origins", format!("must be 1 to {} origins for a browser key", Self::MOST_ORIGINS)));
            }
            KeyScope::Full | KeyScope::ReadOnly if !self.origins.is_empty() => {
                found.push(Flaw::new("origins", "must be left out unless the scope is browser"));
            }
            KeyScope::Full | KeyScope::ReadOnly | KeyScope::Browser => {}
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            found.push(Flaw::new("expires_at", "must lie ahead"));
        }
        found
    }

    /// Each call looks through them.
    const MOST_NETWORKS: usize = 64;
    /// And through these.
    const MOST_ORIGINS: usize = 32;
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
        let secret = mint_secret(order.kind, order.scope, rng);
        let mut public = [0; ACCESS_KEY_BYTES];
        rng.fill(&mut public);
        let key = ApiKey {
            id: KeyId::mint(now, rng, order.tenant.partition()),
            tenant: order.tenant,
            kind: order.kind,
            name: order.name,
            access_key: AccessKey(format!("ak_{}", BASE32_NOPAD.encode(&public).to_ascii_lowercase())),
            secret_hash: secret_hash(&secret),
            scope: order.scope,
            allowed_ips: order.allowed_ips,
            origins: order.origins,
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

/// A record just made and the secret that belongs to it.
pub struct Secretive<T> {
    /// What is kept.
    pub record: T,
    /// To show it once; none where an earlier call with the same idempotency key showed it.
    pub secret: Option<Zeroizing<String>>,
}

impl<T> Secretive<T> {
    /// A secret is shown by the call that made it, and by none after it.
    pub(super) fn of(done: Done<T>, secret: Zeroizing<String>) -> Self {
        Self { record: done.record, secret: (!done.replayed).then_some(secret) }
    }
}

impl<T: fmt::Debug> fmt::Debug for Secretive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secretive({:?})", self.record)
    }
}

impl Platform {
    /// Makes a key.
    pub async fn create_key(&self, order: &Order, wish: KeyOrder) -> Result<Secretive<ApiKey>, ManageError> {
        let now = self.clock.now();
        ManageError::unless_sound(wish.check(now))?;
        let tenant = wish.tenant;
        let NewKey { key, secret } = NewKey::mint(wish, now, &*self.rng);
        let done = self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            owner(transaction, tenant).await?;
            transaction.api_keys().insert(&key).await.map_err(ManageError::of("key"))?;
            Ok(Acted {
                record: key.clone(),
                what: "key.create",
                target: key.id.to_string(),
                before: None,
                after: seen(&KeyView::of(&key, now))?,
            })
        });
        Ok(Secretive::of(done.await?, secret))
    }

    /// The keys of a tenant, revoked and expired ones too, oldest first.
    pub async fn list_keys(&self, tenant: TenantId) -> Result<Vec<ApiKey>, ManageError> {
        Ok(self.records.api_keys().list(tenant).await?)
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::{Partition, SeededRng};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);

    fn order(rng: &SeededRng) -> KeyOrder {
        KeyOrder {
            tenant: TenantId::mint(NOW, rng, Partition::of(7)),
            kind: KeyKind::Test,
            name: "demo".to_owned(),
            scope: KeyScope::Full,
            allowed_ips: Vec::new(),
            origins: Vec::new(),
            expires_at: None,
        }
    }

    fn mint(seed: u64) -> NewKey {
        let rng = SeededRng::new(seed);
        NewKey::mint(order(&rng), NOW, &rng)
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

    #[test]
    fn a_key_for_browsers_names_its_pages_and_no_other_key_does() {
        let of = |scope, origins: Vec<Origin>| KeyOrder { scope, origins, ..order(&SeededRng::new(1)) };
        let page: Origin = "https://app.example.com".parse().unwrap();
        assert_eq!(of(KeyScope::Browser, vec![page.clone()]).check(NOW), Vec::new());
        for wrong in [of(KeyScope::Browser, Vec::new()), of(KeyScope::Full, vec![page])] {
            assert_eq!(wrong.check(NOW).len(), 1);
        }
        let made = NewKey::mint(of(KeyScope::Browser, Vec::new()), NOW, &SeededRng::new(1));
        assert!(made.secret().starts_with("pk_test_"), "{}", made.secret());
    }

    #[test]
    fn a_key_that_is_over_before_it_begins_is_refused() {
        let wish = KeyOrder { expires_at: Some(NOW), name: "a\nb".to_owned(), ..order(&SeededRng::new(1)) };
        let fields: Vec<_> = wish.check(NOW).into_iter().map(|flaw| flaw.field).collect();
        assert_eq!(fields, ["name", "expires_at"]);
    }
}
