//! Sessions as a store gives them back, without a store.

use std::collections::BTreeMap;

use countersign_core::{Sent, Session};
use countersign_model::{Attempt, Channel, Code, FailureReason, ProviderName};
use serde_json::{Value, json};

/// A session over e-mail (taken by a provider) and SMS (`sms`), opened at 2026-01-15T10:35:00Z. `changes` are laid over its stored form.
pub(crate) fn session(mode: &str, sms: &Attempt, changes: &Value) -> Session {
    let challenge = |channel: &str, recipient: Value, id: u64, attempt: &Attempt| {
        let failed = matches!(attempt, Attempt::Failed(_));
        json!({
            "channel": channel, "recipient": recipient, "verified_at": null, "digests": [], "budget": vec![0; 16],
            "message": {
                "id": id, "generation": 0, "attempt": serde_json::to_value(attempt).unwrap(),
                "status": if failed { "failed" } else { "sent" },
                "sent_at": if failed { Value::Null } else { json!(1_768_473_300_250_i64) },
                "delivered_at": null, "cost": "0.0375", "lease_until": 0,
            },
        })
    };
    let mail = challenge("email", json!({"Email": {"address": "ann@example.com"}}), 1, &accepted("mail"));
    let text = challenge("sms", json!({"Phone": {"e164": "+12025550143"}}), 2, sms);
    let mut stored = json!({
        "id": 16, "scope": {"tenant": 0, "keys": "test"}, "mode": mode, "dialect": "native", "service": null, "purpose": "verification",
        "app_name": "Acme", "locale": "en", "autofill": {"domain": null, "app_hash": null}, "metadata": "{\"b\":1.50,\"a\":[]}",
        "add_contact": false,
        "policy": {
            "code_length": 6, "life": {"secs": 600, "nanos": 0}, "max_attempts": 3, "verification_mode": "any", "shared_code": false,
            "resend_after": {"secs": 30, "nanos": 0}, "resend": "rotate", "resend_unlocks": true, "all_failed": "error",
        },
        "created_at": 1_768_473_300_000_i64, "expires_at": 1_768_473_900_000_i64, "resend_after": 1_768_473_330_000_i64,
        "generation": 0, "challenges": [mail, text], "fallback": [], "wrong": 0, "before_resend": null, "end": null,
        "expiry_told": false, "bill": null, "users": [], "events": 1, "steps": [],
    });
    for (name, value) in changes.as_object().unwrap() {
        stored[name] = value.clone();
    }
    serde_json::from_value(stored).unwrap()
}

/// A provider took it.
pub(crate) fn accepted(provider: &str) -> Attempt {
    Attempt::Accepted { provider: ProviderName::new(provider), provider_id: None }
}

/// No provider took it.
pub(crate) fn unavailable() -> Attempt {
    Attempt::Failed(FailureReason::ProviderUnavailable)
}

/// A send of `session` on both channels.
pub(crate) fn sent(session: Session, codes: &[(Channel, &str)]) -> Sent {
    let codes: BTreeMap<Channel, Code> = codes.iter().map(|(channel, code)| (*channel, Code::parse(*code).unwrap())).collect();
    Sent {
        session,
        channels: vec![Channel::Email, Channel::Sms],
        token: "the.session.token".to_owned(),
        codes: (!codes.is_empty()).then_some(codes),
        replayed: false,
    }
}

/// What was printed, as a client reads it.
pub(crate) fn read(printed: Result<Vec<u8>, serde_json::Error>) -> Value {
    serde_json::from_slice(&printed.unwrap()).unwrap()
}
