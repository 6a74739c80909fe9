use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use countersign_model::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::recent::is_recent;

/// Most tokens that are remembered. The oldest goes first, which is the one that runs out first.
const MOST: usize = 65_536;

/// Remembers which body came under which signature, since the signature does not say it.
///
/// The same body may come again, as it does when the vendor has missed our answer. Another body under a signature that was seen is a forgery.
/// Kept for as long as the signed time is taken for recent, in this process.
#[derive(Default)]
pub(super) struct Once(Mutex<BTreeMap<Key, [u8; 32]>>);

/// The signed time, as its digits, and a digest of the token.
type Key = (String, [u8; 32]);

impl Once {
    /// Whether `body` may come under this signed time and token.
    pub(super) fn admits(&self, timestamp: &str, token: &str, body: &[u8], now: Timestamp) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while seen.first_key_value().is_some_and(|((oldest, _), _)| !is_recent(oldest, now)) {
            seen.pop_first();
        }
        let digest: [u8; 32] = Sha256::digest(body).into();
        let admitted = *seen.entry((timestamp.to_owned(), Sha256::digest(token).into())).or_insert(digest) == digest;
        if seen.len() > MOST {
            seen.pop_first();
        }
        admitted
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);

    #[test]
    fn a_body_may_come_again_and_another_may_not() {
        let once = Once::default();
        assert!(once.admits("1768473900", "a", b"delivered", NOW));
        assert!(once.admits("1768473900", "a", b"delivered", NOW));
        assert!(!once.admits("1768473900", "a", b"failed", NOW));
        assert!(once.admits("1768473900", "b", b"failed", NOW));
        assert!(once.admits("1768473901", "a", b"failed", NOW));
    }

    #[test]
    fn what_has_run_out_is_forgotten() {
        let once = Once::default();
        for second in 0..10 {
            assert!(once.admits(&(NOW.seconds() + second).to_string(), "a", b"", NOW));
        }
        assert!(once.admits("1768474205", "b", b"", NOW.plus(Duration::from_secs(305))));
        assert_eq!(once.len(), 6);
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let once = Once::default();
        for number in 0..MOST + 10 {
            assert!(once.admits("1768473900", &number.to_string(), b"", NOW));
        }
        assert_eq!(once.len(), MOST);
    }
}
