//! What a call says after a key was pressed, handed to the vendor so that nothing has to be kept here.
//!
//! A call that asks for a key first holds its own second half in the address that the key press is posted to. That half has the code in it, so
//! it is sealed: the vendor, its logs and whoever sees the address can neither read nor alter it, nor hand it over for another message, and it dies
//! with the code.

use std::sync::Arc;

use countersign_model::{Reference, Rng, Timestamp};
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

    /// Letters, digits, `-` and `_`; none: the words are too long for the cipher. They open for the message `about` only, and not after `until`.
    pub(crate) fn close(&self, words: &str, about: Reference, until: Timestamp) -> Option<String> {
        let mut nonce = [0_u8; NONCE_LEN];
        self.rng.fill(&mut nonce);
        let mut text = until.millis().to_be_bytes().to_vec();
        text.extend_from_slice(words.as_bytes());
        self.cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(about.to_string()), &mut text)
            .ok()?;
        Some(BASE64URL_NOPAD.encode(&[&nonce[..], &text].concat()))
    }

    /// The words; none: not sealed here, altered, about another message, or past their time.
    pub(crate) fn open(&self, sealed: &str, about: Reference, now: Timestamp) -> Option<String> {
        let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN)?;
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.cipher()?.open_in_place(nonce, Aad::from(about.to_string()), &mut text).ok()?;
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
    use std::time::Duration;

    use countersign_model::{MessageId, Partition, SeededRng};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{NOW, errand};

    const LIFE: Duration = Duration::from_secs(600);

    fn seal(secret: &str) -> Seal {
        Seal::new(&SecretString::from(secret), Arc::new(SeededRng::new(1)))
    }

    fn message(seed: u64) -> Reference {
        errand().reference(MessageId::mint(NOW, &SeededRng::new(seed), Partition::of(3)))
    }

    fn sealed(words: &str) -> String {
        seal("s").close(words, message(1), NOW.plus(LIFE)).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_until_its_time_is_over_and_not_a_moment_longer() {
        let sealed = sealed("4, 8, 2");
        let last = NOW.plus(LIFE);
        for now in [NOW, last] {
            assert_eq!(seal("s").open(&sealed, message(1), now).as_deref(), Some("4, 8, 2"));
        }
        assert_eq!(seal("s").open(&sealed, message(1), last.plus(Duration::from_millis(1))), None);
    }

    #[test]
    fn what_was_sealed_for_one_message_does_not_open_for_another() {
        assert_eq!(seal("s").open(&sealed("4, 8, 2"), message(2), NOW), None);
    }

    #[test]
    fn it_shows_nothing_and_fits_an_address_as_it_is() {
        let sealed = sealed("482913 <Say>");
        assert!(!sealed.contains("482913"), "{sealed}");
        assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{sealed}");
    }

    #[test]
    fn the_same_words_are_never_sealed_alike() {
        let seal = seal("s");
        assert_ne!(seal.close("4", message(1), NOW), seal.close("4", message(1), NOW));
    }

    #[test]
    fn a_connection_opens_only_what_was_sealed_with_its_own_secret() {
        assert_eq!(seal("other").open(&sealed("4, 8, 2"), message(1), NOW), None);
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let sealed = BASE64URL_NOPAD.decode(sealed("4, 8, 2").as_bytes()).unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(seal("s").open(&BASE64URL_NOPAD.encode(&altered), message(1), NOW), None, "byte {at}");
            assert_eq!(seal("s").open(&BASE64URL_NOPAD.encode(&sealed[..at]), message(1), NOW), None, "cut at {at}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_refused_without_harm(text in ".{0,200}") {
            prop_assert_eq!(seal("s").open(&text, message(1), NOW), None);
        }
    }
}
