//! What a receiver checks signatures with.

use std::fmt;
use std::time::Duration;

use countersign_model::{Rng, Timestamp, WebhookFormat};
use data_encoding::BASE64;
use secrecy::SecretString;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";

/// Characters that a secret of a tenant's own may have.
const LONGEST_TEXT: usize = 256;

/// How long the secret before a rotation goes on signing.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// What an endpoint's events are signed with, shared with its tenant. Wiped when dropped; Debug shows nothing of it.
#[derive(Clone)]
pub struct WebhookSecret {
    text: Zeroizing<String>,
    key: Zeroizing<Vec<u8>>,
}

/// The text is no secret that a format can sign with. Does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// It starts otherwise.
    #[error("a webhook secret starts with `whsec_`")]
    Prefix,
    /// What follows cannot be decoded.
    #[error("after `whsec_`, a webhook secret is base64 with padding")]
    Base64,
    /// What follows decodes to too little or too much.
    #[error("a webhook secret is 24 to 64 bytes in base64")]
    Length,
    /// Nothing, or too much, or what cannot be typed.
    #[error("a webhook secret is 1 to {LONGEST_TEXT} characters, none of them a control character")]
    Text,
}

impl WebhookSecret {
    /// A new one of 32 bytes, which every format can sign with.
    #[must_use]
    pub fn mint(format: WebhookFormat, rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        rng.fill(&mut bytes);
        let text = Zeroizing::new(format!("{PREFIX}{}", *Zeroizing::new(BASE64.encode(&bytes))));
        let key = match format {
            WebhookFormat::Native => bytes,
            WebhookFormat::Kotp | WebhookFormat::GetOtp => Zeroizing::new(text.as_bytes().to_vec()),
        };
        Self { text, key }
    }

    /// From its written form. Native is the form of Standard Webhooks, whose key is what is decoded; in the other formats any text is a
    /// secret, and the key is the text as it stands.
    pub fn read(format: WebhookFormat, text: &str) -> Result<Self, InvalidSecret> {
        let key = match format {
            WebhookFormat::Native => {
                let encoded = text.strip_prefix(PREFIX).ok_or(InvalidSecret::Prefix)?;
                let key = Zeroizing::new(BASE64.decode(encoded.as_bytes()).map_err(|_| InvalidSecret::Base64)?);
                if !(24..=64).contains(&key.len()) {
                    return Err(InvalidSecret::Length);
                }
                key
            }
            WebhookFormat::Kotp | WebhookFormat::GetOtp => {
                let is_short = (1..=LONGEST_TEXT).contains(&text.chars().count());
                if !is_short || text.chars().any(char::is_control) {
                    return Err(InvalidSecret::Text);
                }
                Zeroizing::new(text.as_bytes().to_vec())
            }
        };
        Ok(Self { text: Zeroizing::new(text.to_owned()), key })
    }

    /// The written form, for the tenant and for the records. Reading it in the same format gives the same secret.
    #[must_use]
    pub fn expose(&self) -> SecretString {
        SecretString::from(self.text.as_str())
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(hidden)")
    }
}

/// The secrets of one endpoint. After a rotation two of them sign for a day, where the format has room for two signatures, so that a receiver may
/// change over whenever it likes in that time.
#[derive(Debug, Clone)]
pub struct EndpointSecrets {
    /// Signs always.
    pub current: WebhookSecret,
    /// The one before; absent when never rotated. May be left in place after its end: it does not sign then.
    pub previous: Option<PreviousSecret>,
}

/// A secret that was rotated out.
#[derive(Debug, Clone)]
pub struct PreviousSecret {
    /// Which.
    pub secret: WebhookSecret,
    /// From then on it signs no more.
    pub until: Timestamp,
}

impl EndpointSecrets {
    /// Of an endpoint that was never rotated.
    #[must_use]
    pub const fn new(current: WebhookSecret) -> Self {
        Self { current, previous: None }
    }

    /// Puts `fresh` in the place of the current secret, which goes on signing for 24 h. One that was rotated out earlier stops at once.
    #[must_use]
    pub fn rotate(self, fresh: WebhookSecret, now: Timestamp) -> Self {
        Self { current: fresh, previous: Some(PreviousSecret { secret: self.current, until: now.plus(OVERLAP) }) }
    }

    /// Whatever signs at `now`, the current one first.
    pub(crate) fn signing(&self, now: Timestamp) -> impl Iterator<Item = &WebhookSecret> {
        let previous = self.previous.as_ref().filter(|previous| now < previous.until).map(|previous| &previous.secret);
        std::iter::once(&self.current).chain(previous)
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::SeededRng;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn of(length: usize) -> String {
        format!("whsec_{}", BASE64.encode(&vec![7; length]))
    }

    fn standard(text: &str) -> Result<WebhookSecret, InvalidSecret> {
        WebhookSecret::read(WebhookFormat::Native, text)
    }

    #[test]
    fn a_new_secret_has_32_bytes_and_can_be_read_back_in_every_format() {
        for format in WebhookFormat::ALL {
            let made = WebhookSecret::mint(format, &SeededRng::new(1));
            let written = made.expose();
            let read = WebhookSecret::read(format, written.expose_secret()).unwrap();
            assert_eq!((read.key(), read.expose().expose_secret()), (made.key(), written.expose_secret()), "{format}");
            assert_eq!(standard(written.expose_secret()).unwrap().key().len(), 32, "{format}");
        }
    }

    #[test]
    fn a_secret_of_the_wrong_form_is_told_what_is_wrong() {
        let refusal = |text: &str| standard(text).unwrap_err();
        assert_eq!(refusal("C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), InvalidSecret::Prefix);
        assert_eq!(refusal("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7o"), InvalidSecret::Base64);
        assert_eq!(refusal(&of(23)), InvalidSecret::Length);
        assert_eq!(refusal(&of(65)), InvalidSecret::Length);
        for length in [24, 64] {
            assert!(standard(&of(length)).is_ok(), "{length}");
        }
    }

    #[test]
    fn where_the_text_is_the_key_any_short_text_will_do() {
        let long = "é".repeat(256);
        for text in ["s", "s3cret with spaces", &long] {
            assert_eq!(WebhookSecret::read(WebhookFormat::GetOtp, text).unwrap().key(), text.as_bytes());
        }
        for text in ["", "a\nb", &"é".repeat(257)] {
            assert_eq!(WebhookSecret::read(WebhookFormat::GetOtp, text).unwrap_err(), InvalidSecret::Text, "{text:?}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_secret() {
        let secrets =
            EndpointSecrets::new(standard(&of(24)).unwrap()).rotate(standard(&of(25)).unwrap(), Timestamp::from_millis(0));
        let shown = format!("{secrets:?}");
        assert!(shown.contains("hidden") && !shown.contains("BwcH") && !shown.contains("7, 7"), "{shown}");
    }

    #[test]
    fn the_secret_before_a_rotation_signs_for_a_day() {
        let now = Timestamp::from_millis(1_768_473_900_000);
        let secrets = EndpointSecrets::new(standard(&of(24)).unwrap()).rotate(standard(&of(25)).unwrap(), now);
        let lengths = |at| secrets.signing(at).map(|secret| secret.key().len()).collect::<Vec<_>>();
        assert_eq!(lengths(now), [25, 24]);
        assert_eq!(lengths(now.plus(OVERLAP).minus(Duration::from_millis(1))), [25, 24]);
        assert_eq!(lengths(now.plus(OVERLAP)), [25]);
        let again = secrets.clone().rotate(standard(&of(26)).unwrap(), now);
        assert_eq!(again.signing(now).map(|secret| secret.key().len()).collect::<Vec<_>>(), [26, 25]);
    }
}
