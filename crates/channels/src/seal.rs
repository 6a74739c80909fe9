//! What a call says after a key was pressed, handed to the vendor so that nothing has to be kept here.
//!
//! A call that asks for a key first holds its own second half in the address that the key press is posted to. That half has the code in it, so
//! it is sealed: the vendor, its logs and whoever sees the address can neither read nor alter it, and it dies with the code.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Rng, Timestamp};
use data_encoding::BASE64URL_NOPAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

/// Keeps this key apart from everything else that a connection's secret is used for.
const LABEL: &[u8] = b"countersign: the second half of a call, 1";
/// The moment of death, in milliseconds, in front of the words.
const UNTIL_LEN: usize = 8;

/// Seals and opens under a key that is derived from a connection's secret: each node of an installation opens what another has sealed.
pub(crate) struct Seal {
    key: hmac::Tag,
    rng: Arc<dyn Rng>,
}

impl Seal {
    /// `secret` is one that this connection is set up with. `rng` gives nonces.
    pub(crate) fn new(secret: &SecretString, rng: Arc<dyn Rng>) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        Self { key: hmac::sign(&secret, LABEL), rng }
    }

    /// Letters, digits, `-` and `_`; none: the words are too long for the cipher. They open for `life` and no longer.
    pub(crate) fn close(&self, words: &str, now: Timestamp, life: Duration) -> Option<String> {
        let mut nonce = [0_u8; NONCE_LEN];
        self.rng.fill(&mut nonce);
        let mut text = now.plus(life).millis().to_be_bytes().to_vec();
        text.extend_from_slice(words.as_bytes());
        self.cipher()?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text).ok()?;
        Some(BASE64URL_NOPAD.encode(&[&nonce[..], &text].concat()))
    }

    /// The words; none: not sealed here, altered, or past their time.
    pub(crate) fn open(&self, sealed: &str, now: Timestamp) -> Option<String> {
        let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN)?;
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.cipher()?.open_in_place(nonce, Aad::empty(), &mut text).ok()?;
        let (until, words) = opened.split_first_chunk::<UNTIL_LEN>()?;
        if now > Timestamp::from_millis(i64::from_be_bytes(*until)) {
            return None;
        }
        String::from_utf8(words.to_vec()).ok()
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, self.key.as_ref()).ok().map(LessSafeKey::new)
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::SeededRng;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::NOW;

    const LIFE: Duration = Duration::from_secs(600);

    fn seal(secret: &str) -> Seal {
        Seal::new(&SecretString::from(secret), Arc::new(SeededRng::new(1)))
    }

    #[test]
    fn what_was_sealed_opens_until_its_time_is_over_and_not_a_moment_longer() {
        let sealed = seal("s").close("4, 8, 2", NOW, LIFE).unwrap();
        let last = NOW.plus(LIFE);
        for now in [NOW, last] {
            assert_eq!(seal("s").open(&sealed, now).as_deref(), Some("4, 8, 2"));
        }
        assert_eq!(seal("s").open(&sealed, last.plus(Duration::from_millis(1))), None);
    }

    #[test]
    fn it_shows_nothing_and_fits_an_address_as_it_is() {
        let sealed = seal("s").close("482913 <Say>", NOW, LIFE).unwrap();
        assert!(!sealed.contains("482913"), "{sealed}");
        assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{sealed}");
    }

    #[test]
    fn the_same_words_are_never_sealed_alike() {
        let seal = seal("s");
        assert_ne!(seal.close("4", NOW, LIFE), seal.close("4", NOW, LIFE));
    }

    #[test]
    fn a_connection_opens_only_what_was_sealed_with_its_own_secret() {
        let sealed = seal("one").close("4, 8, 2", NOW, LIFE).unwrap();
        assert_eq!(seal("other").open(&sealed, NOW), None);
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let sealed = BASE64URL_NOPAD.decode(seal("s").close("4, 8, 2", NOW, LIFE).unwrap().as_bytes()).unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(seal("s").open(&BASE64URL_NOPAD.encode(&altered), NOW), None, "byte {at}");
            assert_eq!(seal("s").open(&BASE64URL_NOPAD.encode(&sealed[..at]), NOW), None, "cut at {at}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_refused_without_harm(text in ".{0,200}") {
            prop_assert_eq!(seal("s").open(&text, NOW), None);
        }
    }
}
