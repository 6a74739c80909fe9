//! What became of a message, as GetOTP reports it. There is no word for a right or a wrong code in it.

use countersign_model::{
    Dialect, FailureReason, MessageStatus, Mode, Recipient, TenantId, Timestamp, Undelivered, Uuid, WebhookEvent,
};
use countersign_records::{MessageRecord, SessionRecord};
use serde_json::{Map, Value, json};

use crate::bodies::amount;

/// Where the dialect keeps the string that a caller wants handed back: under this name in the session's metadata.
pub const PAYLOAD: &str = "payload";

/// The report of an event at `at` on a message. None where there is nothing to report: the session was not opened in that dialect, or the end of
/// its life says nothing new of its message.
pub(crate) fn report(session: &SessionRecord, message: &MessageRecord, event: WebhookEvent, at: Timestamp) -> Option<Value> {
    if session.dialect != Dialect::GetOtp {
        return None;
    }
    let to = match &message.recipient {
        Recipient::Phone(number) => number.as_str().trim_start_matches('+'),
        Recipient::Email(_) => message.recipient.address(),
    };
    let mut data = json!({
        "account_id": Uuid::from_u128(session.realm.scope.tenant.bits()).to_string(),
        "message_id": Uuid::from_u128(session.id.bits()).to_string(),
        "event": "delivery",
        "status": status(message, event)?,
        "channel": message.channel.as_str().to_ascii_uppercase(),
        "to": to,
        "price": amount(message.cost),
        "timestamp": at.spaced_seconds(),
    });
    if session.realm.mode == Mode::Sandbox {
        data["sandbox"] = Value::Bool(true);
    }
    if let Some(payload) = payload(&session.metadata) {
        data[PAYLOAD] = Value::String(payload);
    }
    Some(data)
}

/// A report that anybody can tell from a true one.
pub(crate) fn sample(tenant: TenantId, at: Timestamp) -> Value {
    json!({
        "account_id": Uuid::from_u128(tenant.bits()).to_string(),
        "message_id": Uuid::nil().to_string(),
        "event": "test",
        "status": "delivered",
        "channel": "SMS",
        "to": "",
        "price": 0,
        "timestamp": at.spaced_seconds(),
    })
}

fn status(message: &MessageRecord, event: WebhookEvent) -> Option<&'static str> {
    match event {
        WebhookEvent::MessageDelivered => Some("delivered"),
        WebhookEvent::MessageFailed => Some(failure(message.reason.as_deref().unwrap_or_default())),
        WebhookEvent::SessionExpired if matches!(message.status, MessageStatus::Pending | MessageStatus::Sent) => Some("expired"),
        _ => None,
    }
}

/// What is said of a message that did not go out or did not arrive, by the word that the records have for why.
fn failure(reason: &str) -> &'static str {
    let rejected = [FailureReason::Refused.as_str(), Undelivered::NotThere.as_str(), Undelivered::Rejected.as_str()];
    if rejected.contains(&reason) {
        "rejected"
    } else if reason == Undelivered::Expired.as_str() {
        "expired"
    } else {
        "failed"
    }
}

/// Byte for byte what the caller gave.
fn payload(metadata: &str) -> Option<String> {
    let mut metadata: Map<String, Value> = serde_json::from_str(metadata).ok()?;
    match metadata.remove(PAYLOAD)? {
        Value::String(payload) => Some(payload),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_message_failed_is_said_in_one_of_three_words() {
        let words = [
            (FailureReason::Refused.as_str(), "rejected"),
            (FailureReason::Unreachable.as_str(), "failed"),
            (Undelivered::NotThere.as_str(), "rejected"),
            (Undelivered::Rejected.as_str(), "rejected"),
            (Undelivered::Expired.as_str(), "expired"),
            (Undelivered::Unreachable.as_str(), "failed"),
            (Undelivered::Unknown.as_str(), "failed"),
        ];
        for (reason, said) in words {
            assert_eq!(failure(reason), said, "{reason}");
        }
    }
}
