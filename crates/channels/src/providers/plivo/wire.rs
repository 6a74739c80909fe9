//! Requests and replies as Plivo spells them.

use std::ops::RangeInclusive;

use countersign_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::config::{Origin, Settings};
use crate::http::Reply;
use crate::ids::sound_id;
use crate::provider::{Rendered, TryOutcome};

/// For how long Plivo can be told to keep a message before it sends it, in seconds.
const EXPIRY: RangeInclusive<u64> = 5..=10_799;

#[derive(Serialize)]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    powerpack_uuid: Option<&'a str>,
    dst: &'a str,
    text: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    log: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_expiry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
}

/// The body of a request; none: it cannot be written, a defect. `back` is where receipts go.
pub(super) fn body(message: &Rendered, settings: &Settings, back: Option<String>, now: Timestamp) -> Option<String> {
    let (src, powerpack_uuid) = match (&message.sender, &settings.origin) {
        (Some(from), _) | (None, Origin::From(from)) => (Some(from.as_str()), None),
        (None, Origin::Powerpack(pool)) => (None, Some(pool.as_str())),
    };
    let request = Request {
        src,
        powerpack_uuid,
        dst: message.recipient.address(),
        text: message.text(),
        kind: "sms",
        log: settings.log,
        message_expiry: message.seconds_left(now, EXPIRY),
        method: back.is_some().then_some("POST"),
        url: back,
    };
    serde_json::to_string(&request).ok()
}

#[derive(Deserialize)]
struct Taken {
    #[serde(default)]
    message_uuid: Vec<String>,
    #[serde(default)]
    invalid_number: Vec<String>,
}

/// What a reply means. Of a no, Plivo tells the reason in words only, so nothing but a number that it lists as invalid is final.
pub(super) fn outcome(reply: &Reply) -> TryOutcome {
    let said = reply.diagnostic();
    match (reply.status, reply.json::<Taken>()) {
        (200..300, Some(taken)) if taken.message_uuid.is_empty() && !taken.invalid_number.is_empty() => TryOutcome::Refused(said),
        (200..300, taken) => {
            let id = taken.and_then(|taken| taken.message_uuid.into_iter().next());
            TryOutcome::Accepted { provider_id: id.as_deref().and_then(sound_id) }
        }
        // No such account.
        (404, _) => TryOutcome::Misconfigured(said),
        _ => reply.outcome(),
    }
}
