//! What a receiver checks signatures with.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use countersign_model::{Rng, Timestamp};
use data_encoding::BASE64;
use secrecy::SecretString;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";

/// How long the secret before a rotation goes on signing.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// The key an endpoint's events are signed with, shared with its tenant. Wiped when dropped; Debug shows nothing of it.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

/// The text is no secret of the form of Standard Webhooks. Does not repeat the text.
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
}

impl WebhookSecret {
    /// A new one of 32 bytes.
    #[must_use]
    pub fn mint(rng: &dyn Rng) -> Self {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        rng.fill(&mut bytes);
        Self(bytes)
    }

    /// The written form, for the tenant and for the records: `whsec_…`. Parsing it gives the same secret.
    #[must_use]
    pub fn expose(&self) -> SecretString {
        SecretString::from(format!("{PREFIX}{}", *Zeroizing::new(BASE64.encode(&self.0))))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for WebhookSecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidSecret::Prefix)?;
        let bytes = Zeroizing::new(BASE64.decode(encoded.as_bytes()).map_err(|_| InvalidSecret::Base64)?);
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidSecret::Length) }
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(hidden)")
    }
}

/// The secrets of one endpoint. After a rotation two of them sign for a day, so that a receiver may change over whenever it likes in that time.
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

    #[test]
    fn a_new_secret_has_32_bytes_and_can_be_read_back() {
        let written = WebhookSecret::mint(&SeededRng::new(1)).expose();
        let read: WebhookSecret = written.expose_secret().parse().unwrap();
        assert_eq!(read.bytes().len(), 32);
        assert_eq!(read.expose().expose_secret(), written.expose_secret());
    }

    #[test]
    fn a_secret_of_the_wrong_form_is_told_what_is_wrong() {
        let refusal = |text: &str| text.parse::<WebhookSecret>().unwrap_err();
        assert_eq!(refusal("C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), InvalidSecret::Prefix);
        assert_eq!(refusal("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7o"), InvalidSecret::Base64);
        assert_eq!(refusal(&of(23)), InvalidSecret::Length);
        assert_eq!(refusal(&of(65)), InvalidSecret::Length);
        for length in [24, 64] {
            assert!(of(length).parse::<WebhookSecret>().is_ok(), "{length}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_secret() {
        let secrets = EndpointSecrets::new(of(24).parse().unwrap()).rotate(of(25).parse().unwrap(), Timestamp::from_millis(0));
        let shown = format!("{secrets:?}");
        assert!(shown.contains("hidden") && !shown.contains("BwcH") && !shown.contains("7, 7"), "{shown}");
    }

    #[test]
    fn the_secret_before_a_rotation_signs_for_a_day() {
        let now = Timestamp::from_millis(1_768_473_900_000);
        let secrets = EndpointSecrets::new(of(24).parse().unwrap()).rotate(of(25).parse().unwrap(), now);
        let lengths = |at| secrets.signing(at).map(|secret| secret.bytes().len()).collect::<Vec<_>>();
        assert_eq!(lengths(now), [25, 24]);
        assert_eq!(lengths(now.plus(OVERLAP).minus(Duration::from_millis(1))), [25, 24]);
        assert_eq!(lengths(now.plus(OVERLAP)), [25]);
        let again = secrets.clone().rotate(of(26).parse().unwrap(), now);
        assert_eq!(again.signing(now).map(|secret| secret.bytes().len()).collect::<Vec<_>>(), [26, 25]);
    }
}
