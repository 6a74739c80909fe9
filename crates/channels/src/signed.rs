//! What vendors' HMACs are checked with.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// Whether one of `tags` is the HMAC-SHA-256 of these parts, one behind the other. In constant time for each; the parts are hashed once, since
/// whoever posts chooses how many tags there are.
pub(crate) fn is_hmac_sha256(key: &[u8], parts: &[&[u8]], mut tags: impl Iterator<Item = Vec<u8>>) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    for part in parts {
        mac.update(part);
    }
    tags.any(|tag| mac.clone().verify_slice(&tag).is_ok())
}
