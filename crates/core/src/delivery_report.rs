//! What became of a message, as GetOTP reports it. There is no word for a right or a wrong code in it.

use countersign_model::{Dialect, FailureReason, MessageStatus, Mode, Recipient, TenantId, Timestamp, Uuid, WebhookEvent};
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
        WebhookEvent::MessageFailed if message.reason.as_deref() == Some(FailureReason::Refused.as_str()) => Some("rejected"),
        WebhookEvent::MessageFailed => Some("failed"),
        WebhookEvent::SessionExpired if matches!(message.status, MessageStatus::Pending | MessageStatus::Sent) => Some("expired"),
        _ => None,
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
