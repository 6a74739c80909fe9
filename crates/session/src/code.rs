//! Codes: how they are made, what is kept of them, and how a guess is held against it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use countersign_model::{Channel, Code, Mode, PerChannel, Rng, SessionId, TenantId, Timestamp};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::guess::Guess;
use crate::keys::{InvalidKeys, KeyMaterial, KeyRing, Kid, shared_secret};

type HmacSha256 = Hmac<Sha256>;

/// What is kept of a code: HMAC-SHA-256(key `kid`, session ‖ channel ‖ generation ‖ code).
///
/// The key is not in the store, so a stolen store does not give the codes away, few as there are of them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeDigest {
    kid: [u8; 4],
    mac: [u8; 32],
    /// Which send of the session made the code: 0 the first, one more for each resend or fallback.
    pub generation: u32,
    /// When this code dies.
    pub expires_at: Timestamp,
    /// Replaced by a newer code that no provider has accepted yet; still opens the door until one has.
    pub retiring: bool,
}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeDigest(generation {}, until {})", self.generation, self.expires_at)
    }
}

impl CodeDigest {
    /// The name of its key, and the HMAC: for an engine that keeps and compares digests by itself.
    pub(crate) const fn parts(&self) -> ([u8; 4], [u8; 32]) {
        (self.kid, self.mac)
    }

    /// A digest as an engine has kept it.
    pub(crate) const fn from_parts(kid: [u8; 4], mac: [u8; 32], generation: u32, expires_at: Timestamp, retiring: bool) -> Self {
        Self { kid, mac, generation, expires_at, retiring }
    }
}

/// 32 bytes from which the codes of one send are derived, uniformly, for whatever channels and length the session turns out to have.
///
/// A live send takes fresh bytes from the operating system and forgets them; a sandbox send takes the sandbox key, so that its codes can
/// be shown again without having been kept. A send to test recipients takes the codes that are known of them.
#[derive(Clone)]
pub struct Seed {
    bytes: Zeroizing<[u8; 32]>,
    known: Option<Arc<PerChannel<Code>>>,
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl Seed {
    /// Fresh randomness for one send.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill(&mut *bytes);
        Self { bytes, known: None }
    }

    /// No chance at all: these codes, whatever the session, the generation and the length.
    #[must_use]
    pub fn known(codes: PerChannel<Code>) -> Self {
        Self { bytes: Zeroizing::new([0; 32]), known: Some(Arc::new(codes)) }
    }

    /// The code of one channel (or of all, when `channel` is none) in one generation: `length` digits, every number equally likely.
    ///
    /// # Panics
    /// Never for the lengths that a policy allows (4 to 10).
    #[must_use]
    #[expect(clippy::expect_used, reason = "digits of the asked length are a code; a length beyond 10 is a bug of the caller")]
    pub fn code(&self, session: SessionId, channel: Option<Channel>, generation: u32, length: u8) -> Code {
        if let Some(known) = &self.known {
            return known.get(channel.unwrap_or(Channel::Sms)).clone();
        }
        let bound = 10_u64.pow(u32::from(length));
        // The largest multiple of `bound`: numbers beyond it would make small codes likelier.
        let fair = u64::MAX - u64::MAX % bound;
        let mut draw = 0_u32;
        loop {
            let mut mac = hmac(&self.bytes);
            mac.update(&session.bits().to_be_bytes());
            mac.update(&[channel.map_or(0, Channel::tag)]);
            mac.update(&generation.to_be_bytes());
            mac.update(&draw.to_be_bytes());
            let block = mac.finalize().into_bytes();
            for chunk in block.chunks_exact(8) {
                let number = chunk.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
                if number < fair {
                    let digits = format!("{:0width$}", number % bound, width = usize::from(length));
                    return Code::parse(digits).expect("the policy bounds the length");
                }
            }
            draw += 1;
        }
    }
}

/// Where the codes of a send come from.
#[derive(Debug, Clone)]
pub enum CodeSource {
    /// Minted, or derived in the sandbox.
    Seed(Seed),
    /// Chosen by the caller.
    Given(BTreeMap<Channel, Code>),
    /// There is none: what is opened is a notice, a message that nobody is to answer. Its session is closed as it opens, and is in no list.
    Notice,
}

impl CodeSource {
    /// The code of `channel`; none when the caller gave codes but not this one, or there are none.
    #[must_use]
    pub fn code(&self, session: SessionId, channel: Channel, shared: bool, generation: u32, length: u8) -> Option<Code> {
        match self {
            Self::Seed(seed) => Some(seed.code(session, (!shared).then_some(channel), generation, length)),
            Self::Given(codes) => codes.get(&channel).cloned(),
            Self::Notice => None,
        }
    }
}

/// The name of a user, recipient or address in a store: an HMAC, so that the store's keys tell nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubjectKey(pub [u8; 16]);

/// What is counted under a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// A caller's `user_id`.
    User,
    /// An address that stands in for a user.
    Address,
    /// An end user's IP address (IPv6 by its /64).
    Ip,
    /// The failure budget of a recipient under one purpose.
    Budget,
    /// Calls of one API key.
    Key,
    /// Guesses of a tenant's callers that name nobody and open nothing.
    Misses,
    /// Sends to a recipient, where they are counted by recipients and not by users.
    Recipient,
    /// Messages handed to a provider, by all nodes.
    Provider,
}

impl SubjectKind {
    const fn tag(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Address => 2,
            Self::Ip => 3,
            Self::Budget => 4,
            Self::Key => 5,
            Self::Misses => 6,
            Self::Recipient => 7,
            Self::Provider => 8,
        }
    }
}

/// A keyed hash: of a request, kept to tell a repetition from another request under the same idempotency key; or of what a session is found
/// by, as its name in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 16]);

/// The keys around codes: digests, sandbox derivation, names in the store.
#[derive(Clone)]
pub struct CodeKeys {
    digests: KeyRing<HmacSha256>,
    /// Under each of them a code that is looked for by itself has a name of its own: they rotate with the keys of the digests.
    lookups: KeyRing<HmacSha256>,
    sandbox: Seed,
    names: HmacSha256,
}

impl fmt::Debug for CodeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKeys(…)")
    }
}

/// An HMAC that has taken in its key.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn hmac(key: &[u8; 32]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("any length will do")
}

/// The key under which codes are looked for, made from the one under which they are digested: a digest tells nothing about a name.
fn lookup_secret(key: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut mac = hmac(key);
    mac.update(b"countersign code lookup");
    Zeroizing::new(mac.finalize().into_bytes().into())
}

impl CodeKeys {
    /// Reads the sets `codes`, `sandbox` and `subjects`.
    pub fn open(material: &KeyMaterial) -> Result<Self, InvalidKeys> {
        Ok(Self {
            digests: KeyRing::open("codes", &material.codes, |key| Ok(hmac(&*shared_secret("codes", key)?)))?,
            lookups: KeyRing::open("codes", &material.codes, |key| Ok(hmac(&lookup_secret(&*shared_secret("codes", key)?))))?,
            sandbox: Seed { bytes: shared_secret("sandbox", &material.sandbox)?, known: None },
            names: hmac(&*shared_secret("subjects", &material.subjects)?),
        })
    }

    /// From what the codes of every sandbox send are derived.
    #[must_use]
    pub fn sandbox_seed(&self) -> Seed {
        self.sandbox.clone()
    }

    /// What is kept of `code`, under the current key.
    #[must_use]
    pub fn digest(
        &self,
        session: SessionId,
        channel: Channel,
        generation: u32,
        code: &Code,
        expires_at: Timestamp,
    ) -> CodeDigest {
        let (kid, key) = self.digests.current();
        let mac = code_mac(key, session, channel, generation, code.expose());
        CodeDigest { kid: kid.bytes(), mac, generation, expires_at, retiring: false }
    }

    /// Whether `guess` is the code behind `digest`, in constant time. A digest under a key that is gone matches nothing.
    #[must_use]
    pub fn matches(&self, session: SessionId, channel: Channel, guess: &Guess, digest: &CodeDigest) -> bool {
        let Some(key) = self.digests.get(Kid::from_bytes(digest.kid)) else {
            return false;
        };
        let mac = code_mac(key, session, channel, digest.generation, guess.expose());
        mac.ct_eq(&digest.mac).into()
    }

    /// The names of all keys under which a digest may stand.
    pub(crate) fn kids(&self) -> impl Iterator<Item = Kid> {
        self.digests.iter().map(|(kid, _)| kid)
    }

    /// What `guess` comes to under one of the keys: for an engine that compares by itself. None for a key that is gone.
    pub(crate) fn guess_mac(
        &self,
        kid: Kid,
        session: SessionId,
        channel: Channel,
        generation: u32,
        guess: &Guess,
    ) -> Option<[u8; 32]> {
        self.digests.get(kid).map(|key| code_mac(key, session, channel, generation, guess.expose()))
    }

    /// Under what a session is found by this code alone, apart for each tenant and mode: one name for each living key, the current one's
    /// first. Sessions are written down under that one, and looked for under all.
    pub(crate) fn code_names(&self, tenant: TenantId, mode: Mode, code: &str) -> Vec<Fingerprint> {
        let name = |key: &HmacSha256| {
            let mut mac = key.clone();
            mac.update(&tenant.bits().to_be_bytes());
            mac.update(&[u8::from(mode == Mode::Sandbox)]);
            mac.update(code.as_bytes());
            let whole = mac.finalize().into_bytes();
            Fingerprint(std::array::from_fn(|at| whole[at]))
        };
        let (current, key) = self.lookups.current();
        let others = self.lookups.iter().filter(|(kid, _)| *kid != current).map(|(_, key)| key);
        std::iter::once(key).chain(others).map(name).collect()
    }

    /// The store's name for something counted, apart for each tenant, mode, kind and purpose.
    #[must_use]
    pub fn subject(&self, tenant: TenantId, mode: Mode, kind: SubjectKind, purpose: &str, value: &str) -> SubjectKey {
        let head = [kind.tag(), u8::from(mode == Mode::Sandbox)];
        SubjectKey(self.name(&[b"subject", &head, &tenant.bits().to_be_bytes(), purpose.as_bytes(), value.as_bytes()]))
    }

    /// A keyed hash over `parts`, each bounded, so that no two lists of parts give the same bytes.
    #[must_use]
    pub fn fingerprint(&self, parts: &[&[u8]]) -> Fingerprint {
        Fingerprint(self.name(parts))
    }

    fn name(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.names.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let whole = mac.finalize().into_bytes();
        std::array::from_fn(|at| whole[at])
    }
}

fn code_mac(key: &HmacSha256, session: SessionId, channel: Channel, generation: u32, code: &str) -> [u8; 32] {
    let mut mac = key.clone();
    mac.update(&session.bits().to_be_bytes());
    mac.update(&[channel.tag()]);
    mac.update(&generation.to_be_bytes());
    mac.update(code.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use countersign_model::{Partition, SeededRng};

    use super::*;
    use crate::keys::{KeyRole, StoredKey};

    /// An installation's keys before and after a rotation.
    fn rotated() -> (CodeKeys, CodeKeys) {
        let rng = SeededRng::new(3);
        let now = Timestamp::from_millis(0);
        let mut material = KeyMaterial::generate(&rng, now);
        let as_role = |key: &StoredKey, role| {
            let mut key = key.clone();
            key.role = role;
            key
        };
        let next = as_role(&KeyMaterial::generate(&rng, now).codes[0], KeyRole::Next);
        material.codes.push(next);
        let before = CodeKeys::open(&material).unwrap();
        material.codes = vec![
            as_role(&material.codes[0], KeyRole::Previous),
            as_role(&material.codes[1], KeyRole::Current),
            as_role(&KeyMaterial::generate(&rng, now).codes[0], KeyRole::Next),
        ];
        (before, CodeKeys::open(&material).unwrap())
    }

    fn tenant(seed: u64) -> TenantId {
        TenantId::mint(Timestamp::from_millis(0), &SeededRng::new(seed), Partition::of(0))
    }

    #[test]
    fn a_code_is_found_after_a_rotation_by_the_name_it_had_before() {
        let (before, after) = rotated();
        let old = before.code_names(tenant(1), Mode::Live, "482913");
        let new = after.code_names(tenant(1), Mode::Live, "482913");
        assert_ne!(old[0], new[0], "written under the key that is current now");
        assert!(new.contains(&old[0]), "a node that has rotated finds what one that has not has written");
        assert!(old.contains(&new[0]), "and the other way round");
    }

    #[test]
    fn a_code_has_another_name_for_each_tenant_mode_and_code() {
        let (keys, _) = rotated();
        let names = [
            keys.code_names(tenant(1), Mode::Live, "482913"),
            keys.code_names(tenant(2), Mode::Live, "482913"),
            keys.code_names(tenant(1), Mode::Sandbox, "482913"),
            keys.code_names(tenant(1), Mode::Live, "0482913"),
        ];
        for (at, one) in names.iter().enumerate() {
            assert!(names[at + 1..].iter().all(|other| one.iter().all(|name| !other.contains(name))));
        }
    }
}
