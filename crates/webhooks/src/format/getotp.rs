//! GetOTP's: delivery reports.

use data_encoding::BASE64;
use serde_json::json;

use super::Notice;
use crate::secret::EndpointSecrets;
use crate::sign;

/// `{"data":…}`. What happened, and when, is part of the report.
pub(super) fn body(notice: &Notice) -> String {
    json!({ "data": notice.data }).to_string()
}

/// One signature: there is no room for that of a secret that was rotated out. No time is signed, so a report can be played back to its
/// receiver; it then says what it said before.
pub(super) fn headers(body: &str, secrets: &EndpointSecrets) -> [(&'static str, String); 1] {
    [("x-otp-signature", BASE64.encode(&sign::hmac(secrets.current.key(), &[body.as_bytes()])))]
}

#[cfg(test)]
mod tests {
    use countersign_model::{Timestamp, WebhookEvent, WebhookFormat};

    use super::*;
    use crate::secret::WebhookSecret;

    #[test]
    fn a_body_is_the_report_alone() {
        let (at, data) = (Timestamp::from_millis(0), json!({ "status": "delivered" }));
        let notice = Notice { id: "evt_1".to_owned(), event: WebhookEvent::MessageDelivered, at, data };
        assert_eq!(body(&notice), r#"{"data":{"status":"delivered"}}"#);
    }

    /// The text is that of `printf '{"a":1}' | openssl dgst -sha256 -hmac s3cret -binary | base64`.
    #[test]
    fn the_secret_signs_the_body_in_base64() {
        let secrets = EndpointSecrets::new(WebhookSecret::read(WebhookFormat::GetOtp, "s3cret").unwrap());
        assert_eq!(
            headers(r#"{"a":1}"#, &secrets),
            [("x-otp-signature", "WRDmIBbvUDQnLJJsJwcZkqRlwjNc7PQYUb2gcVd/T20=".to_owned())]
        );
    }
}
