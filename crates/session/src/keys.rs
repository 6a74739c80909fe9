//! The secrets of an installation, as kept in its key file.

use std::fmt;
use std::str::FromStr;

use countersign_model::{Rng, Timestamp};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Names a key of a set: four random bytes, shown as eight hex digits. Says nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kid([u8; 4]);

impl Kid {
    /// The four bytes, for packed values.
    #[must_use]
    pub const fn bytes(self) -> [u8; 4] {
        self.0
    }

    /// From the four bytes of a packed value.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Kid {
    type Err = InvalidKeys;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| InvalidKeys::Kid)?;
        bytes.try_into().map(Self).map_err(|_| InvalidKeys::Kid)
    }
}

impl TryFrom<String> for Kid {
    type Error = InvalidKeys;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Kid> for String {
    fn from(kid: Kid) -> Self {
        kid.to_string()
    }
}

/// The key file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// A kid is not eight hex digits.
    #[error("a kid is eight lower-case hex digits")]
    Kid,
    /// A secret is not base64url of its length.
    #[error("a secret of the set `{0}` is not base64url of the right length")]
    Secret(&'static str),
    /// A set has no key that signs.
    #[error("the set `{0}` needs exactly one current key")]
    NoCurrent(&'static str),
    /// Two keys of a set share a kid.
    #[error("the set `{0}` names one kid twice")]
    DuplicateKid(&'static str),
}

/// What a key of a set is for. All verify; only the current one signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyRole {
    /// Published, so that others learn it before it signs.
    Next,
    /// Signs.
    Current,
    /// Signed until the last rotation.
    Previous,
}

/// One key of a set, as written in the key file.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    /// Its name.
    #[zeroize(skip)]
    pub kid: Kid,
    /// What it is for.
    #[zeroize(skip)]
    pub role: KeyRole,
    /// When it was made.
    #[zeroize(skip)]
    pub created_at: Timestamp,
    /// base64url without padding: 32 random bytes, or the PKCS #8 form of an Ed25519 key.
    pub secret: String,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredKey({}, {:?})", self.kid, self.role)
    }
}

/// Every secret of an installation. Written once to the key file and read at each start.
///
/// The sets rotate; `subjects` and `sandbox` do not, since limits, budgets and replays of sandbox codes must find what they stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyMaterial {
    /// Digest codes.
    pub codes: Vec<StoredKey>,
    /// Sign session tokens (HS256).
    pub tokens: Vec<StoredKey>,
    /// Sign proofs of live sessions (Ed25519).
    pub proofs: Vec<StoredKey>,
    /// Sign proofs of sandbox sessions (Ed25519).
    pub sandbox_proofs: Vec<StoredKey>,
    /// Turns recipients, users and idempotency keys into store keys.
    pub subjects: StoredKey,
    /// Derives sandbox codes.
    pub sandbox: StoredKey,
}

impl KeyMaterial {
    /// A new installation's secrets.
    #[must_use]
    pub fn generate(rng: &dyn Rng, now: Timestamp) -> Self {
        let shared = || random_secret(rng);
        let signing = || ed25519_secret(rng);
        let key = |secret: Zeroizing<Vec<u8>>| stored(rng, now, &secret);
        Self {
            codes: vec![key(shared())],
            tokens: vec![key(shared())],
            proofs: vec![key(signing())],
            sandbox_proofs: vec![key(signing())],
            subjects: key(shared()),
            sandbox: key(shared()),
        }
    }
}

fn stored(rng: &dyn Rng, now: Timestamp, secret: &[u8]) -> StoredKey {
    let mut kid = [0; 4];
    rng.fill(&mut kid);
    StoredKey { kid: Kid(kid), role: KeyRole::Current, created_at: now, secret: BASE64URL_NOPAD.encode(secret) }
}

fn random_secret(rng: &dyn Rng) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; 32]);
    rng.fill(&mut bytes);
    bytes
}

#[expect(clippy::expect_used, reason = "an Ed25519 key of 32 bytes always has a PKCS #8 form")]
fn ed25519_secret(rng: &dyn Rng) -> Zeroizing<Vec<u8>> {
    let mut seed = Zeroizing::new([0; 32]);
    rng.fill(&mut *seed);
    let document = SigningKey::from_bytes(&seed).to_pkcs8_der().expect("32 bytes encode");
    Zeroizing::new(document.as_bytes().to_vec())
}

/// The 32 bytes of a shared secret.
pub(crate) fn shared_secret(set: &'static str, key: &StoredKey) -> Result<Zeroizing<[u8; 32]>, InvalidKeys> {
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(key.secret.as_bytes()).map_err(|_| InvalidKeys::Secret(set))?);
    let array: [u8; 32] = bytes.as_slice().try_into().map_err(|_| InvalidKeys::Secret(set))?;
    Ok(Zeroizing::new(array))
}

/// The bytes of a secret of any length.
pub(crate) fn secret_bytes(set: &'static str, key: &StoredKey) -> Result<Zeroizing<Vec<u8>>, InvalidKeys> {
    BASE64URL_NOPAD.decode(key.secret.as_bytes()).map(Zeroizing::new).map_err(|_| InvalidKeys::Secret(set))
}

/// The keys of one set, by kid, ready for use.
#[derive(Clone)]
pub(crate) struct KeyRing<K> {
    current: Kid,
    keys: Vec<(Kid, K)>,
}

impl<K> KeyRing<K> {
    /// Reads a set; `open` turns a stored key into what signs or verifies.
    pub(crate) fn open(
        set: &'static str,
        stored: &[StoredKey],
        open: impl Fn(&StoredKey) -> Result<K, InvalidKeys>,
    ) -> Result<Self, InvalidKeys> {
        let mut signing = stored.iter().filter(|key| key.role == KeyRole::Current);
        let (Some(current), None) = (signing.next(), signing.next()) else {
            return Err(InvalidKeys::NoCurrent(set));
        };
        let mut keys: Vec<(Kid, K)> = Vec::with_capacity(stored.len());
        for key in stored {
            if keys.iter().any(|(kid, _)| *kid == key.kid) {
                return Err(InvalidKeys::DuplicateKid(set));
            }
            keys.push((key.kid, open(key)?));
        }
        Ok(Self { current: current.kid, keys })
    }

    /// The kid and key that sign.
    pub(crate) fn current(&self) -> (Kid, &K) {
        let at = self.keys.iter().position(|(kid, _)| *kid == self.current).unwrap_or_default();
        (self.current, &self.keys[at].1)
    }

    /// The key of that name.
    pub(crate) fn get(&self, kid: Kid) -> Option<&K> {
        self.keys.iter().find(|(known, _)| *known == kid).map(|(_, key)| key)
    }

    /// All of them, for publishing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Kid, &K)> {
        self.keys.iter().map(|(kid, key)| (*kid, key))
    }
}
