//! Ours: Standard Webhooks 1.0.

use countersign_model::Timestamp;
use serde_json::json;

use super::Notice;
use crate::secret::EndpointSecrets;
use crate::sign::{self, WebhookId};

/// `{"type":…,"timestamp":…,"data":…}`.
pub(super) fn body(notice: &Notice) -> String {
    json!({ "type": notice.event.as_str(), "timestamp": notice.at.to_string(), "data": notice.data }).to_string()
}

/// Signed by every secret that is good at `now`.
pub(super) fn headers(id: &WebhookId, now: Timestamp, body: &str, secrets: &EndpointSecrets) -> [(&'static str, String); 3] {
    sign::headers(id, now, body, secrets)
}

#[cfg(test)]
mod tests {
    use countersign_model::WebhookEvent;

    use super::*;

    #[test]
    fn a_body_says_what_when_and_about_which_thing() {
        let notice = Notice {
            id: "evt_1_2".to_owned(),
            event: WebhookEvent::SessionVerified,
            at: Timestamp::from_millis(1_768_473_900_007),
            data: json!({ "session_id": "ses_1", "metadata": { "z": 1, "a": "é" } }),
        };
        let expected = r#"{"type":"session.verified","timestamp":"2026-01-15T10:45:00.007Z","data":{"session_id":"ses_1","metadata":{"z":1,"a":"é"}}}"#;
        assert_eq!(body(&notice), expected);
    }
}
