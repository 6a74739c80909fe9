//! Requests and replies as the vendor spells them.

use std::ops::RangeInclusive;

use countersign_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::http::Reply;
use crate::ids::sound_id;
use crate::provider::{Rendered, TryOutcome};

/// For how long a message may be tried, in seconds. The vendor names no bounds; nothing is of use for no time, or after a month.
const VALIDITY: RangeInclusive<u64> = 1..=30 * 24 * 3600;

#[derive(Serialize)]
struct Message<'a> {
    originator: &'a str,
    recipients: [&'a str; 1],
    body: &'a str,
    /// GSM-7 where it fits.
    datacoding: &'static str,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    validity: Option<u64>,
    /// Without one there are no reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(rename = "reportUrl", skip_serializing_if = "Option::is_none")]
    report_url: Option<&'a str>,
}

/// The body of a request; none: it cannot be written, a defect. `back` is where reports go.
pub(super) fn body(message: &Rendered, from: &str, back: Option<&str>, now: Timestamp) -> Option<String> {
    let message = Message {
        originator: message.sender.as_deref().unwrap_or(from).trim_start_matches('+'),
        recipients: [message.recipient.address().trim_start_matches('+')],
        body: message.text(),
        datacoding: "auto",
        validity: message.seconds_left(now, VALIDITY),
        reference: back.map(|_| message.reference().to_string()),
        report_url: back,
    };
    serde_json::to_string(&message).ok()
}

#[derive(Deserialize)]
struct Taken {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: i64,
    parameter: Option<String>,
}

pub(super) fn outcome(reply: &Reply) -> TryOutcome {
    if (200..300).contains(&reply.status) {
        let taken: Option<Taken> = reply.json();
        return TryOutcome::Accepted { provider_id: taken.and_then(|taken| sound_id(&taken.id?)) };
    }
    let faults = reply.json::<Errors>().map(|told| told.errors).unwrap_or_default();
    faults.iter().find_map(|fault| of_fault(reply, fault)).unwrap_or_else(|| reply.outcome())
}

/// None: the code says no more than the status.
fn of_fault(reply: &Reply, fault: &Fault) -> Option<TryOutcome> {
    const NOT_ALLOWED: i64 = 2;
    const MISSING: i64 = 9;
    const INVALID: i64 = 10;
    const NO_CREDIT: i64 = 25;
    let said = reply.diagnostic();
    match (fault.code, fault.parameter.as_deref()) {
        (NOT_ALLOWED | NO_CREDIT, _) | (MISSING | INVALID, Some("originator")) => Some(TryOutcome::Misconfigured(said)),
        // "No (correct) recipients": the number is none.
        (MISSING | INVALID, Some("recipient" | "recipients")) => Some(TryOutcome::Refused(said)),
        _ => None,
    }
}
