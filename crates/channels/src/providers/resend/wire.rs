//! The emails API, as Resend spells it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::mailbox::unquoted;
use crate::http::Reply;
use crate::ids::sound_id;
use crate::mail::{ECHO, Letter, Mailbox, TAG};
use crate::provider::{CheckError, TryOutcome};

/// The body of a request. Names of mailboxes stand without quotes, which this vendor does not take.
pub(super) fn body(letter: &Letter<'_>, reply_to: Option<&Mailbox>) -> String {
    let headers: Map<String, Value> = letter.headers().map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
    let mut body = json!({
        "from": unquoted(&letter.from),
        "to": [letter.to],
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "headers": headers,
        "tags": [{"name": "category", "value": TAG}, {"name": ECHO, "value": letter.reference}],
    });
    if let Some(mailbox) = reply_to {
        body["reply_to"] = unquoted(mailbox).into();
    }
    body.to_string()
}

#[derive(Deserialize)]
struct Taken {
    id: String,
}

#[derive(Deserialize)]
struct Flaw {
    name: String,
    #[serde(default)]
    message: String,
}

/// The vendor's own word for an error decides where there is one.
pub(super) fn outcome(reply: &Reply, letter: &Letter<'_>) -> TryOutcome {
    let said = reply.diagnostic();
    if (200..300).contains(&reply.status) {
        let id = reply.json::<Taken>().and_then(|taken| sound_id(&taken.id));
        return TryOutcome::Accepted { provider_id: id };
    }
    let Some(flaw) = reply.json::<Flaw>() else { return reply.outcome() };
    match flaw.name.as_str() {
        "validation_error" if flaw.message.starts_with("Invalid `to` field. The email address needs to follow") => {
            letter.refused(said)
        }
        "missing_api_key"
        | "invalid_api_key"
        | "restricted_api_key"
        | "invalid_access"
        | "invalid_from_address"
        | "daily_quota_exceeded"
        | "monthly_quota_exceeded" => TryOutcome::Misconfigured(said),
        "rate_limit_exceeded" => TryOutcome::Throttled(said),
        // A request with the same key, which is of the same mail, is still at work.
        "concurrent_idempotent_requests" => TryOutcome::Unclear(said),
        _ => reply.outcome(),
    }
}

/// What the answer to "which domains are there" says.
pub(super) fn check(reply: &Reply, address: String) -> Result<(), CheckError> {
    let name = reply.json::<Flaw>().map(|flaw| flaw.name).unwrap_or_default();
    match reply.status {
        200 => Ok(()),
        401 if name == "restricted_api_key" => Ok(()),
        400 | 401 | 403 => Err(CheckError::Credentials { address }),
        _ => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
    }
}
