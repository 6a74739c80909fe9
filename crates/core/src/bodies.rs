//! What webhooks tell, in the words of the native API.

use countersign_model::{MessageId, MessageStatus, Mode, Money, Tenant, Timestamp};
use countersign_records::{MessageRecord, RecordedChannel, SessionRecord};
use serde_json::{Map, Value, json};

/// A session as it stands: what a status reply says.
pub(crate) fn session<'a>(
    session: &SessionRecord,
    message: impl Fn(MessageId) -> Option<&'a MessageRecord>,
    currency: &str,
) -> Value {
    let asked = session.channels.iter().filter_map(|asked| {
        let newest = message(*asked.messages.last()?)?;
        Some((asked.channel.as_str().to_owned(), channel(asked, newest)))
    });
    let channels: Map<String, Value> = asked.collect();
    let mut body = json!({
        "session_id": session.id.to_string(),
        "status": session.status.as_str(),
        "verification_mode": session.verification_mode.as_str(),
        "channels": channels,
        "attempts_remaining": session.attempts_remaining,
        "created_at": session.created_at.to_string(),
        "expires_at": session.expires_at.to_string(),
        "verified_at": moment(session.verified_at),
        "metadata": serde_json::from_str::<Value>(&session.metadata).unwrap_or_default(),
        "cost": { "amount": amount(session.cost), "currency": currency },
    });
    if session.realm.mode == Mode::Sandbox {
        body["sandbox"] = Value::Bool(true);
    }
    body
}

fn channel(asked: &RecordedChannel, message: &MessageRecord) -> Value {
    let attempt = match (message.status, message.reason.as_deref()) {
        // Whatever a receipt says later, a provider took it.
        (MessageStatus::Sent | MessageStatus::Delivered, _) => "accepted",
        (MessageStatus::Failed, _) if message.sent_at.is_some() => "accepted",
        (MessageStatus::Pending, None) => "sending",
        (MessageStatus::Pending | MessageStatus::Failed, Some(reason)) => reason,
        (MessageStatus::Failed, None) => "failed",
    };
    json!({
        "recipient": asked.recipient.masked(),
        "status": message.status.as_str(),
        "attempt": attempt,
        "message_id": message_id(message),
        "provider": message.provider,
        "verified": asked.verified,
        "sent_at": moment(message.sent_at),
        "delivered_at": moment(message.delivered_at),
    })
}

/// A session, and which of its messages the event is about. `status` is the session's, as everywhere.
pub(crate) fn message(mut session: Value, message: &MessageRecord) -> Value {
    session["message_id"] = message_id(message).into();
    session["channel"] = message.channel.as_str().into();
    session["message_status"] = message.status.as_str().into();
    session
}

/// What is told of a notice, from what would be told of a session: nothing of a proof that nobody asked for.
pub(crate) fn notice(mut session: Value) -> Value {
    if let Some(fields) = session.as_object_mut() {
        for field in ["session_id", "status", "verification_mode", "attempts_remaining", "expires_at", "verified_at"] {
            fields.remove(field);
        }
    }
    session
}

/// As callers know it.
fn message_id(message: &MessageRecord) -> String {
    message.id.shown(message.realm.mode).to_string()
}

/// A tenant's account with what is left in it.
pub(crate) fn account(tenant: &Tenant, available: Money, currency: &str) -> Value {
    json!({
        "id": tenant.id.to_string(),
        "email": tenant.email,
        "plan": tenant.plan,
        "credits_remaining": amount(available),
        "currency": currency,
    })
}

/// An amount as a JSON number: whole where it is, else with the fewest decimals that mean it. Whoever reads it gets a double, so beyond a few
/// thousand million the last decimals are rounded.
#[must_use]
pub fn amount(money: Money) -> Value {
    const UNIT: i64 = 1_000_000;
    let micros = money.micros();
    if micros % UNIT == 0 {
        return (micros / UNIT).into();
    }
    money.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

fn moment(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_number_with_the_decimals_it_needs() {
        for (written, shown) in
            [("0", "0"), ("12", "12"), ("0.0475", "0.0475"), ("-1.5", "-1.5"), ("123456789.987654", "123456789.987654")]
        {
            assert_eq!(amount(written.parse().unwrap()).to_string(), shown);
        }
    }
}
