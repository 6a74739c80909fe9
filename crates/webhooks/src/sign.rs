//! Signatures of Standard Webhooks 1.0, `v1`.

use std::fmt;
use std::str::FromStr;

use countersign_model::{EventId, Timestamp};
use data_encoding::BASE64;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::secret::{EndpointSecrets, WebhookSecret};

/// What a receiver knows an event by, through every retry and replay: `webhook-id`.
///
/// 1 to 64 of `A-Z a-z 0-9 _ -`. A dot is not among them: it would let one signed text be cut in two ways.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookId(String);

/// The text cannot stand in `webhook-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook id is 1 to 64 letters, digits, `_` and `-`")]
pub struct InvalidWebhookId;

impl WebhookId {
    /// As it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for WebhookId {
    type Err = InvalidWebhookId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if is_plain && (1..=64).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(InvalidWebhookId) }
    }
}

impl From<EventId> for WebhookId {
    fn from(event: EventId) -> Self {
        Self(event.to_string())
    }
}

/// The three headers of an attempt at `now`. The body must go out byte for byte as it stands here.
pub(crate) fn headers(id: &WebhookId, now: Timestamp, body: &str, secrets: &EndpointSecrets) -> [(&'static str, String); 3] {
    let timestamp = now.seconds();
    let signatures: Vec<_> = secrets.signing(now).map(|secret| signature(secret, id, timestamp, body)).collect();
    [("webhook-id", id.0.clone()), ("webhook-timestamp", timestamp.to_string()), ("webhook-signature", signatures.join(" "))]
}

fn signature(secret: &WebhookSecret, id: &WebhookId, timestamp: i64, body: &str) -> String {
    let head = format!("{id}.{timestamp}.");
    format!("v1,{}", BASE64.encode(&hmac(secret.key(), &[head.as_bytes(), body.as_bytes()])))
}

/// HMAC-SHA-256 of these parts, one behind the other.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use countersign_model::{Aggregate, SeededRng, SessionId, WebhookFormat};
    use secrecy::ExposeSecret as _;
    use standardwebhooks::Webhook;

    use super::*;

    const BODY: &str = r#"{"email":"test@example.com","username":"test_user"}"#;

    fn verifier(secret: &WebhookSecret) -> Webhook {
        Webhook::new(secret.expose().expose_secret()).unwrap()
    }

    #[test]
    fn a_signature_is_the_one_other_implementations_make() {
        let secrets =
            EndpointSecrets::new(WebhookSecret::read(WebhookFormat::Native, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap());
        let id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".parse().unwrap();
        let [name, timestamp, signature] = headers(&id, Timestamp::from_millis(1_649_367_553_999), BODY, &secrets);
        assert_eq!(name, ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".to_owned()));
        assert_eq!(timestamp, ("webhook-timestamp", "1649367553".to_owned()));
        assert_eq!(signature, ("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=".to_owned()));
    }

    #[test]
    fn after_a_rotation_both_secrets_sign_the_new_one_first() {
        let (rng, now) = (SeededRng::new(1), Timestamp::from_millis(1_768_473_900_000));
        let (old, new) = (WebhookSecret::mint(WebhookFormat::Native, &rng), WebhookSecret::mint(WebhookFormat::Native, &rng));
        let secrets = EndpointSecrets::new(old.clone()).rotate(new.clone(), now);
        let [_, _, (_, signatures)] = headers(&"evt_1".parse().unwrap(), now, BODY, &secrets);
        let expected = [&new, &old].map(|secret| verifier(secret).sign("evt_1", now.seconds(), BODY.as_bytes()).unwrap());
        assert_eq!(signatures, expected.join(" "));
    }

    #[test]
    fn an_event_is_known_by_its_own_id() {
        let event = EventId { of: Aggregate::Session(SessionId::from_bits(1 << 90)), number: 3 };
        let id = WebhookId::from(event);
        assert_eq!(id.as_str().parse(), Ok(id.clone()), "{id}");
        assert!(id.as_str().starts_with("evt_") && id.as_str().ends_with("_3"), "{id}");
    }

    #[test]
    fn an_id_with_which_a_signed_text_could_be_cut_otherwise_is_refused() {
        for text in ["", "evt.1", "evt 1", "evt_1\r\nx: y", "é", &"a".repeat(65)] {
            assert_eq!(text.parse::<WebhookId>(), Err(InvalidWebhookId), "{text:?}");
        }
    }
}
