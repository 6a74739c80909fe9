//! K-OTP's: the OTP object, and what happened to it.

use countersign_model::{Timestamp, WebhookEvent};
use data_encoding::HEXLOWER;
use serde_json::json;

use super::Notice;
use crate::secret::EndpointSecrets;
use crate::sign;

/// `{"type":…,"data":…,"id":…,"created_at":…}`; none for what the format has no word for.
pub(super) fn body(notice: &Notice) -> Option<String> {
    let body = json!({
        "type": word(notice.event)?, "data": notice.data, "id": notice.id, "created_at": notice.at.whole_seconds(),
    });
    Some(body.to_string())
}

/// `otp.test` is ours: the vendor's pages do not say what a test send looks like.
const fn word(event: WebhookEvent) -> Option<&'static str> {
    match event {
        WebhookEvent::MessageSent => Some("otp.sent"),
        WebhookEvent::MessageDelivered => Some("otp.delivered"),
        WebhookEvent::MessageFailed => Some("otp.failed"),
        WebhookEvent::SessionVerified => Some("otp.verified"),
        WebhookEvent::SessionExpired => Some("otp.expired"),
        WebhookEvent::SessionLocked => Some("otp.max_attempts"),
        WebhookEvent::Test => Some("otp.test"),
        WebhookEvent::SessionCreated | WebhookEvent::SessionCanceled | WebhookEvent::ContactCreated | WebhookEvent::WalletLow => {
            None
        }
    }
}

/// One signature: there is no room for that of a secret that was rotated out.
pub(super) fn headers(now: Timestamp, body: &str, secrets: &EndpointSecrets) -> [(&'static str, String); 2] {
    let timestamp = now.seconds().to_string();
    let signed = [timestamp.as_bytes(), b".", body.as_bytes()];
    let signature = HEXLOWER.encode(&sign::hmac(secrets.current.key(), &signed));
    [("x-kotp-timestamp", timestamp), ("x-kotp-signature", signature)]
}

#[cfg(test)]
mod tests {
    use countersign_model::WebhookFormat;
    use serde_json::Value;

    use super::*;
    use crate::secret::WebhookSecret;

    const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_999);

    fn secrets(text: &str) -> EndpointSecrets {
        EndpointSecrets::new(WebhookSecret::read(WebhookFormat::Kotp, text).unwrap())
    }

    #[test]
    fn a_body_says_what_happened_to_which_otp() {
        let data = json!({ "id": "otp_1", "status": "sent" });
        let notice = Notice { id: "evt_1_2".to_owned(), event: WebhookEvent::SessionLocked, at: NOW, data: data.clone() };
        let read: Value = serde_json::from_str(&body(&notice).unwrap()).unwrap();
        let expected = json!({ "type": "otp.max_attempts", "data": data, "id": "evt_1_2", "created_at": "2026-01-15T10:45:00Z" });
        assert_eq!(read, expected);
    }

    /// The numbers are those of `printf '1768473900.{"a":1}' | openssl dgst -sha256 -hmac whsec_a+b=`.
    #[test]
    fn the_whole_secret_signs_time_and_body_in_hex() {
        let [(time, at), (name, signature)] = headers(NOW, r#"{"a":1}"#, &secrets("whsec_a+b="));
        assert_eq!((time, at.as_str(), name), ("x-kotp-timestamp", "1768473900", "x-kotp-signature"));
        assert_eq!(signature, "98d8e2f21c1ac3e1586120e8b3314b38f18e9196d133703e95b6f9e995c042eb");
    }

    #[test]
    fn after_a_rotation_the_new_secret_signs_alone() {
        let (old, new) = (secrets("old"), secrets("new"));
        let rotated = old.rotate(new.current.clone(), NOW);
        assert_eq!(headers(NOW, "{}", &rotated), headers(NOW, "{}", &new));
    }
}
