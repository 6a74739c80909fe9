//! Who calls, and how often.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use countersign_model::{
    ApiKey, KeyId, KeyKind, KeyScope, Limit, Mode, Origin, Quota, Rng, Scope, SecretHash, TenantId, Timestamp,
};
use countersign_session::store::{Answer, Guard, Heard};
use countersign_session::{SubjectKind, Window};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use tracing::warn;
use zeroize::Zeroizing;

use crate::directory::TenantConfig;
use crate::platform::Platform;

/// A caller who was let in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose key, and of which kind: what the caller may see.
    pub scope: Scope,
    /// The key.
    pub key: KeyId,
    /// What the key may do.
    pub may: KeyScope,
    /// The pages that may show it, if it is for browsers.
    pub origins: Vec<Origin>,
    /// Its tenant's records, as this node has them.
    pub(crate) config: Arc<TenantConfig>,
    /// The newest revision of those records that is known of.
    pub(crate) revision: u64,
    standing: Arc<OnceLock<Quota>>,
}

impl Caller {
    /// How many calls its key has left; none before this call was counted.
    #[must_use]
    pub fn quota(&self) -> Option<&Quota> {
        self.standing.get()
    }

    /// In which mode its calls are, unless they ask for the sandbox.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        match self.scope.keys {
            KeyKind::Live => Mode::Live,
            KeyKind::Test => Mode::Sandbox,
        }
    }

    /// Notes what is left. A call is counted once.
    pub(crate) fn stands(&self, quota: Option<Quota>) {
        if let Some(quota) = quota {
            // Of two counts of one call the first is what its reply tells.
            let _told = self.standing.set(quota);
        }
    }
}

/// Why a caller was not let in. Deliberately does not say what was wrong with the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Missing, malformed, unknown, revoked, expired, or not allowed from that address.
    #[error("invalid API key")]
    Refused,
    /// The same, once too often from this address.
    #[error("too many failed authentications")]
    TooMany {
        /// How long until another failure would be heard.
        wait: Duration,
    },
    /// The key is not known here, and the records cannot be asked.
    #[error("keys cannot be looked up")]
    Unavailable,
}

/// What is kept of a secret.
#[must_use]
pub fn secret_hash(secret: &str) -> SecretHash {
    SecretHash(Sha256::digest(secret.as_bytes()).into())
}

/// A new secret: the prefix of its kind and 256 random bits.
#[must_use]
pub fn mint_secret(kind: KeyKind, scope: KeyScope, rng: &dyn Rng) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill(&mut *bytes);
    let prefix = match scope {
        KeyScope::Full | KeyScope::ReadOnly => kind.secret_prefix(),
        KeyScope::Browser => kind.page_prefix(),
    };
    Zeroizing::new(format!("{prefix}{}", BASE64URL_NOPAD.encode(&*bytes)))
}

/// Whether a key's secret stays with whoever calls, and is not read by whoever looks at a page.
fn is_kept_secret(key: &ApiKey) -> bool {
    match key.scope {
        KeyScope::Full | KeyScope::ReadOnly => true,
        KeyScope::Browser => false,
    }
}

/// Letters of 256 random bits in base64 without padding.
const LETTERS: usize = 43;

/// Whether it could be a key's secret at all: what could not is refused without a look into the records.
fn could_be(secret: &str) -> bool {
    let prefixes = [KeyKind::Live, KeyKind::Test].map(|kind| [kind.secret_prefix(), kind.page_prefix()]);
    let rest = prefixes.as_flattened().iter().find_map(|prefix| secret.strip_prefix(prefix));
    rest.is_some_and(|rest| rest.len() == LETTERS)
}

/// Counts by name in this process: for what is only worth an estimate.
pub(crate) struct Meter<K> {
    windows: Mutex<HashMap<K, Window>>,
}

impl<K: Eq + Hash> Meter<K> {
    /// Above so many names, those that count nothing any more are dropped.
    const TIDY_ABOVE: usize = 10_000;

    pub(crate) fn new() -> Self {
        Self { windows: Mutex::new(HashMap::new()) }
    }

    /// Counts one more, unless it does not fit: then how long until it does.
    pub(crate) fn count(&self, name: K, limit: Limit, now: Timestamp) -> Result<Quota, Quota> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() > Self::TIDY_ABOVE {
            windows.retain(|_, window| window.count(limit, now) > 0);
        }
        let window = windows.entry(name).or_default();
        let wait = window.wait(limit, 1, now);
        if wait.is_none() {
            window.add(limit, 1, now);
        }
        let remaining = limit.max.saturating_sub(window.count(limit, now));
        let resets_in = wait.unwrap_or_else(|| window.wait(limit, remaining + 1, now).unwrap_or(limit.window));
        let quota = Quota { limit, remaining, resets_in, resets_at: now.plus(resets_in) };
        if wait.is_none() { Ok(quota) } else { Err(quota) }
    }
}

impl<K> fmt::Debug for Meter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter(…)")
    }
}

impl Platform {
    /// Lets a caller in. A missing key takes the same way as a wrong one; a right one is never held up by others' failures.
    ///
    /// A key that is not known here may have been made a moment ago by another node: the records are asked before it is refused.
    ///
    /// Keys for browsers open nothing here.
    pub async fn authenticate(&self, secret: Option<&str>, peer: IpAddr) -> Result<Caller, AuthError> {
        self.let_in(secret, is_kept_secret, peer).await
    }

    /// The same for callers who may also be pages: what the caller may do, and from where, is looked at by whoever asks.
    pub async fn authenticate_any(&self, secret: Option<&str>, peer: IpAddr) -> Result<Caller, AuthError> {
        self.let_in(secret, |_| true, peer).await
    }

    /// The same by both halves of a key. Halves of two keys are a wrong key.
    pub async fn authenticate_pair(
        &self,
        access_key: Option<&str>,
        secret: Option<&str>,
        peer: IpAddr,
    ) -> Result<Caller, AuthError> {
        self.let_in(secret, |key| is_kept_secret(key) && access_key == Some(key.access_key.0.as_str()), peer).await
    }

    /// `belongs`: whether what else was shown goes with the key of that secret.
    async fn let_in(&self, secret: Option<&str>, belongs: impl Fn(&ApiKey) -> bool, peer: IpAddr) -> Result<Caller, AuthError> {
        let hash = secret_hash(secret.unwrap_or_default());
        if let Some(caller) = self.known(&hash, &belongs, peer) {
            return Ok(caller);
        }
        let now = self.clock.now();
        let refused = match self.failures.count(bucket(peer), self.settings.limits.failed_authentication, now) {
            Ok(_) => self.count_stranger(peer).await,
            Err(quota) => AuthError::TooMany { wait: quota.resets_in },
        };
        if matches!(refused, AuthError::TooMany { .. }) {
            self.metrics.authentication_failed();
            return Err(refused);
        }
        if !secret.is_some_and(could_be) {
            self.metrics.authentication_failed();
            return Err(refused);
        }
        if let Err(failure) = self.refresh_for_call().await {
            warn!(%failure, "an unknown key cannot be looked up: the records are away");
            return Err(AuthError::Unavailable);
        }
        if let Some(caller) = self.known(&hash, &belongs, peer) {
            return Ok(caller);
        }
        self.metrics.authentication_failed();
        Err(refused)
    }

    /// Counts a failure where the other nodes count theirs: under a tenant that nobody is, so that strangers of one address are counted in one
    /// place. While that is away this node's own count has to do.
    async fn count_stranger(&self, peer: IpAddr) -> AuthError {
        let name = self.keys.fingerprint(&[b"stranger", bucket(peer).to_string().as_bytes()]);
        let nobody = TenantId::from_bits(u128::from_be_bytes(name.0));
        let guard = Guard {
            tenant: nobody,
            keys: KeyKind::Live,
            key: KeyId::from_bits(0),
            revision: 0,
            calls: self.keys.subject(nobody, Mode::Live, SubjectKind::Ip, "", ""),
            limit: self.settings.limits.failed_authentication,
        };
        match self.store.admit(guard).await {
            Ok(Heard { quota: Some(quota), answer: Answer::TooManyCalls }) => AuthError::TooMany { wait: quota.resets_in },
            Ok(_) | Err(_) => AuthError::Refused,
        }
    }

    fn known(&self, hash: &SecretHash, belongs: impl Fn(&ApiKey) -> bool, peer: IpAddr) -> Option<Caller> {
        let (key, config) = self.directory.key(hash)?;
        (key.is_usable(self.clock.now()) && key.admits(peer) && belongs(&key)).then(|| caller(&key, config, Arc::default()))
    }

    /// The same caller by newer records; none when its key is no longer good.
    pub(crate) fn again(&self, before: &Caller, revision: u64) -> Option<Caller> {
        let (key, config) = self.directory.key_by_id(before.key)?;
        let again = caller(&key, config, Arc::clone(&before.standing));
        key.is_usable(self.clock.now()).then(|| Caller { revision: again.revision.max(revision), ..again })
    }

    /// How many calls a key has, for replies to callers who were not let in.
    #[must_use]
    pub const fn calls_per_key(&self) -> Limit {
        self.settings.limits.calls_per_key
    }

    /// What stands before a caller's step.
    pub(crate) fn guard(&self, caller: &Caller) -> Guard {
        let scope = caller.scope;
        let own = caller.config.tenant.settings.limits.calls_per_key;
        let limit = own.map_or(self.settings.limits.calls_per_key, Limit::from);
        // Of one kind of key there is one mode that its calls are counted in.
        let calls = self.keys.subject(scope.tenant, Mode::Live, SubjectKind::Key, "", &caller.key.to_string());
        Guard { tenant: scope.tenant, keys: scope.keys, key: caller.key, revision: caller.revision, calls, limit }
    }
}

fn caller(key: &ApiKey, config: Arc<TenantConfig>, standing: Arc<OnceLock<Quota>>) -> Caller {
    let scope = Scope { tenant: key.tenant, keys: key.kind };
    let origins = key.origins.clone();
    Caller { scope, key: key.id, may: key.scope, origins, revision: config.tenant.revision, config, standing }
}

/// An address as it is counted: an IPv6 host has its whole /64 to change within.
pub(crate) fn bucket(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(network.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_are_counted_as_one() {
        let bucket_of = |text: &str| bucket(text.parse().unwrap());
        assert_eq!(bucket_of("2001:db8:1:2:aaaa::1"), bucket_of("2001:db8:1:2:bbbb::2"));
        assert_ne!(bucket_of("2001:db8:1:2::1"), bucket_of("2001:db8:1:3::1"));
        assert_eq!(bucket_of("::ffff:192.0.2.1"), bucket_of("192.0.2.1"));
    }

    #[test]
    fn what_is_no_secret_of_ours_is_told_by_its_form() {
        let secret = mint_secret(KeyKind::Live, KeyScope::Full, &countersign_model::SeededRng::new(1));
        assert!(could_be(&secret));
        for wrong in
            ["", "sk_live_", &secret[1..], &secret[..secret.len() - 1], "cs_admin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
        {
            assert!(!could_be(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_meter_tells_what_is_left_and_when_there_is_more() {
        let meter = Meter::new();
        let limit = Limit { max: 2, window: Duration::from_secs(60) };
        let now = Timestamp::from_millis(0);
        let first = meter.count("key", limit, now).unwrap();
        assert_eq!((first.remaining, first.resets_in), (1, Duration::from_secs(60)));
        let later = now.plus(Duration::from_secs(10));
        assert_eq!(meter.count("key", limit, later).unwrap().remaining, 0);
        let refused = meter.count("key", limit, later).unwrap_err();
        assert_eq!((refused.remaining, refused.resets_in), (0, Duration::from_secs(50)));
    }
}
