//! The idempotency key of a call, turned into a claim that a store can hold.

use std::fmt;

use countersign_model::Mode;
use countersign_session::CodeKeys;
use countersign_session::store::Claim;

use crate::callers::Caller;
use crate::settings::Settings;

/// A caller's key and the body it came with. Neither is kept: only keyed hashes of both.
#[derive(Clone)]
pub struct IdempotencyKey {
    /// What was called: keys of different paths do not meet.
    pub path: &'static str,
    /// The key, without quotes.
    pub key: String,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({})", self.path)
    }
}

impl IdempotencyKey {
    /// The claim of `caller`. The mode keeps the keys of live and sandbox sends apart; a call whose body names a session needs none.
    pub(crate) fn claim(&self, caller: &Caller, mode: Option<Mode>, keys: &CodeKeys, settings: &Settings) -> Claim {
        let tenant = caller.scope.tenant.bits().to_be_bytes();
        let kinds = [caller.scope.keys.as_str(), mode.map_or("", Mode::as_str)].concat().into_bytes();
        Claim {
            key: keys.fingerprint(&[b"key", &tenant, &kinds, self.path.as_bytes(), self.key.as_bytes()]),
            body: keys.fingerprint(&[b"body", &self.body]),
            lease: settings.lease,
        }
    }
}
