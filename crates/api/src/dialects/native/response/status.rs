//! A session as it stands: the reply to status, show and cancel, and the rows of a list.

use countersign_core::{Challenge, Session, amount_json};
use countersign_model::{SessionId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{ByChannel, Shown, message_id, metadata, sandbox, test_recipient};

/// A session as it stands.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "session_id": "ses_01J9ZQ3V8MTRX4N6D5B7C9E0FG", "status": "pending", "verification_mode": "any",
    "channels": {"sms": {
        "recipient": "+1202•••0143", "status": "sent", "attempt": "accepted", "message_id": "msg_01J9ZQ3V8MTRX4N6D5B7C9E0FG",
        "provider": "sms", "verified": false, "sent_at": "2026-01-15T10:35:00.250Z", "delivered_at": null
    }},
    "attempts_remaining": 3, "created_at": "2026-01-15T10:35:00.000Z", "expires_at": "2026-01-15T10:45:00.000Z",
    "verified_at": null, "metadata": {}, "cost": {"amount": 0, "currency": "USD"}
})))]
pub(crate) struct StatusReply<'a> {
    #[schema(value_type = String, examples("ses_01J9ZQ3V8MTRX4N6D5B7C9E0FG"))]
    session_id: Shown<SessionId>,
    /// `pending`, `verified`, `expired`, `locked`, `canceled` or `failed`.
    status: &'static str,
    /// `any` or `all`.
    verification_mode: &'static str,
    #[schema(value_type = std::collections::BTreeMap<String, ChannelStatus>)]
    channels: ByChannel<ChannelStatus<'a>>,
    /// Calls with a wrong code that will still be heard.
    attempts_remaining: u8,
    #[schema(value_type = String, format = DateTime)]
    created_at: Shown<Timestamp>,
    /// When the newest codes die.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Shown<Timestamp>,
    /// When the session was completed.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Shown<Timestamp>>,
    /// What the send was given.
    #[schema(value_type = Object)]
    metadata: Value,
    cost: Cost<'a>,
    /// Only in sandbox sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where all recipients are test recipients of the service: nothing was sent, and the code proves nothing about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
}

/// One channel of a session.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelStatus<'a> {
    /// Masked.
    #[schema(examples("+1202•••0143"))]
    recipient: String,
    /// `pending`, `sent`, `delivered` or `failed`.
    status: &'static str,
    /// How handing it over went: `sending`, `accepted`, `unclear` (it may have gone out and is not repeated by itself), or why it
    /// failed: `provider_unavailable`, `refused`, `throttled`, `unreachable`.
    attempt: &'static str,
    message_id: String,
    /// Who took it.
    provider: Option<&'a str>,
    verified: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Shown<Timestamp>>,
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Shown<Timestamp>>,
}

/// What was charged for the session so far.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cost<'a> {
    /// With at most six decimals; 0 where nobody is billed.
    #[schema(value_type = f64, examples(0.0475))]
    amount: Value,
    #[schema(examples("USD"))]
    currency: &'a str,
}

/// The session as it stands at `now`; amounts are in `currency`.
pub(crate) fn reply<'a>(session: &'a Session, now: Timestamp, currency: &'a str) -> StatusReply<'a> {
    StatusReply {
        session_id: Shown(session.id()),
        status: session.status(now).as_str(),
        verification_mode: session.policy().verification_mode.as_str(),
        channels: session.challenges().iter().map(|challenge| (challenge.channel, channel(session, challenge))).collect(),
        attempts_remaining: session.attempts_remaining(),
        created_at: Shown(session.created_at()),
        expires_at: Shown(session.expires_at()),
        verified_at: session.verified_at().map(Shown),
        metadata: metadata(session),
        cost: Cost { amount: amount_json(session.cost().unwrap_or_default()), currency },
        sandbox: sandbox(session),
        test_recipient: test_recipient(session),
    }
}

fn channel<'a>(session: &Session, challenge: &'a Challenge) -> ChannelStatus<'a> {
    ChannelStatus {
        recipient: challenge.recipient.masked(),
        status: challenge.status().as_str(),
        attempt: challenge.message.attempt.as_str(),
        message_id: message_id(session, challenge.message.id),
        provider: challenge.provider(),
        verified: challenge.verified_at.is_some(),
        sent_at: challenge.message.sent_at.map(Shown),
        delivered_at: challenge.message.delivered_at.map(Shown),
    }
}

/// Prints the reply.
pub(crate) fn body(session: &Session, now: Timestamp, currency: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&reply(session, now, currency))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{read, session, unavailable};
    use super::*;

    #[test]
    fn a_status_masks_recipients_and_tells_each_channel() {
        let session = session("sandbox", &unavailable(), &json!({"wrong": 1}));
        let reply = read(body(&session, session.created_at(), "USD"));
        let expected = json!({
            "session_id": "ses_0000000000000000000000000G", "status": "pending", "verification_mode": "any",
            "channels": {
                "email": {
                    "recipient": "a•••@example.com", "status": "sent", "attempt": "accepted", "provider": "mail", "verified": false,
                    "message_id": "msg_sandbox_00000000000000000000000001", "sent_at": "2026-01-15T10:35:00.250Z", "delivered_at": null,
                },
                "sms": {
                    "recipient": "+1202•••0143", "status": "failed", "attempt": "provider_unavailable", "provider": null, "verified": false,
                    "message_id": "msg_sandbox_00000000000000000000000002", "sent_at": null, "delivered_at": null,
                },
            },
            "attempts_remaining": 2, "created_at": "2026-01-15T10:35:00.000Z", "expires_at": "2026-01-15T10:45:00.000Z",
            "verified_at": null, "metadata": {"b": 1.5, "a": []}, "cost": {"amount": 0, "currency": "USD"}, "sandbox": true,
        });
        assert_eq!(reply, expected, "{reply:#}");
    }

    #[test]
    fn what_a_session_cost_is_told_to_the_last_digit() {
        let bill = json!({"terms": {"fee": "0.01", "low_at": null}, "state": "Captured", "captured": "0.0475"});
        let session = session("live", &unavailable(), &json!({"bill": bill}));
        let reply = read(body(&session, session.created_at(), "EUR"));
        assert_eq!(reply["cost"], json!({"amount": 0.0475, "currency": "EUR"}), "{reply:#}");
    }

    #[test]
    fn a_status_goes_by_the_moment_it_is_asked() {
        let session = session("live", &unavailable(), &json!({}));
        let reply = read(body(&session, session.expires_at(), "USD"));
        assert_eq!((&reply["status"], reply.get("sandbox")), (&json!("expired"), None), "{reply:#}");
    }
}
