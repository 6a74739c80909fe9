//! Requests and replies as Vonage spells them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::code;
use crate::http::Reply;
use crate::ids::sound_id;
use crate::provider::TryOutcome;

/// Fields of a form as they go out.
pub(super) fn encode(fields: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Numbers go without their plus.
pub(super) fn digits(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

/// The request for a call.
pub(super) fn call(to: &str, from: &str, ring_seconds: u32, actions: &[Value], event_url: Option<&str>) -> String {
    let phone = |number: &str| json!({ "type": "phone", "number": digits(number) });
    let mut call = json!({ "to": [phone(to)], "from": phone(from), "ncco": actions, "ringing_timer": ring_seconds });
    if let Some(url) = event_url {
        call["event_url"] = json!([url]);
        call["event_method"] = json!("POST");
    }
    call.to_string()
}

#[derive(Deserialize)]
struct Answer {
    messages: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    status: String,
    #[serde(rename = "message-id")]
    id: Option<String>,
}

/// What the reply to a text message means. Its HTTP status is 200 whatever became of the message, each part of which has a status of its own.
pub(super) fn text_outcome(reply: &Reply) -> TryOutcome {
    if reply.status != 200 {
        return reply.outcome();
    }
    let said = reply.diagnostic();
    let parts = reply.json::<Answer>().map(|answer| answer.messages).unwrap_or_default();
    let Some(first) = parts.first() else { return TryOutcome::Unclear(said) };
    match parts.iter().find(|part| part.status != "0") {
        None => TryOutcome::Accepted { provider_id: first.id.as_deref().and_then(sound_id) },
        Some(_) if parts.iter().any(|part| part.status == "0") => TryOutcome::Unclear(said),
        Some(part) => code::outcome(&part.status, said),
    }
}

#[derive(Deserialize)]
struct Started {
    uuid: String,
}

/// What the reply to a call means: only the HTTP status says why one was not made.
pub(super) fn call_outcome(reply: &Reply) -> TryOutcome {
    match reply.status {
        200..300 => TryOutcome::Accepted { provider_id: reply.json::<Started>().and_then(|started| sound_id(&started.uuid)) },
        _ => reply.outcome(),
    }
}
