//! The mail send API, version 3, as `SendGrid` spells it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::http::Reply;
use crate::ids::sound_id;
use crate::mail::{ECHO, Letter, Mailbox, TAG};
use crate::provider::{CheckError, TryOutcome};

/// The body of a request. Nothing of the vendor's tracking: it would rewrite what we wrote and tell when people read.
pub(super) fn body(letter: &Letter<'_>, reply_to: Option<&Mailbox>) -> String {
    let headers: Map<String, Value> = letter.headers().map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
    let mut body = json!({
        "personalizations": [{"to": [{"email": letter.to}]}],
        "from": person(&letter.from),
        "subject": letter.subject,
        "content": [
            {"type": "text/plain", "value": letter.text},
            {"type": "text/html", "value": letter.html},
        ],
        "headers": headers,
        "categories": [TAG],
        "custom_args": {ECHO: letter.reference},
        "tracking_settings": {
            "click_tracking": {"enable": false, "enable_text": false},
            "open_tracking": {"enable": false},
            "subscription_tracking": {"enable": false},
            "ganalytics": {"enable": false},
        },
    });
    if let Some(mailbox) = reply_to {
        body["reply_to"] = person(mailbox);
    }
    body.to_string()
}

fn person(mailbox: &Mailbox) -> Value {
    match &mailbox.name {
        Some(name) => json!({"email": mailbox.address, "name": name}),
        None => json!({"email": mailbox.address}),
    }
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<Flaw>,
}

#[derive(Deserialize)]
struct Flaw {
    /// Which part of the request is wrong; none: none in particular.
    field: Option<String>,
}

/// A mail that is taken is answered with 202, an empty body, and its id in a header.
pub(super) fn outcome(reply: &Reply, letter: &Letter<'_>) -> TryOutcome {
    let said = reply.diagnostic();
    match reply.status {
        200..=299 => {
            let id = reply.headers.get("x-message-id").and_then(|id| id.to_str().ok());
            TryOutcome::Accepted { provider_id: id.and_then(sound_id) }
        }
        400 => match flawed(reply).as_deref() {
            Some(field) if field.starts_with("personalizations.0.to") => letter.refused(said),
            Some(field) if field.starts_with("from") || field.starts_with("reply_to") => TryOutcome::Misconfigured(said),
            _ => TryOutcome::Unknown(said),
        },
        // An account that is kept to a region, asked at another's address.
        451 => TryOutcome::Misconfigured(said),
        _ => reply.outcome(),
    }
}

/// The one part of the request that is complained of; none: there are several, and the recipient may be the least of it.
fn flawed(reply: &Reply) -> Option<String> {
    match &mut reply.json::<Errors>()?.errors[..] {
        [only] => only.field.take(),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Scopes {
    scopes: Vec<String>,
}

/// What the answer to "what may this key do" says.
pub(super) fn check(reply: &Reply, address: String) -> Result<(), CheckError> {
    match reply.status {
        200 => match reply.json::<Scopes>() {
            Some(known) if known.scopes.iter().any(|scope| scope == "mail.send") => Ok(()),
            Some(_) => Err(CheckError::Unsupported { address, what: "a key with the scope mail.send" }),
            None => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
        },
        401 => Err(CheckError::Credentials { address }),
        _ => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
    }
}
