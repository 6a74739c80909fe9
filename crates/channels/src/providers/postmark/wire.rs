//! The email API, as Postmark spells it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::Reply;
use crate::ids::sound_id;
use crate::mail::{ECHO, Letter, Mailbox, TAG};
use crate::provider::{CheckError, TryOutcome};

/// The body of a request. Nothing of the vendor's tracking: it would rewrite what we wrote and tell when people read.
pub(super) fn body(letter: &Letter<'_>, reply_to: Option<&Mailbox>, stream: &str) -> String {
    let headers: Vec<Value> = letter.headers().iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
    let mut body = json!({
        "From": letter.from.header(),
        "To": letter.to,
        "Subject": letter.subject,
        "Tag": TAG,
        "TextBody": letter.text,
        "HtmlBody": letter.html,
        "TrackOpens": false,
        "TrackLinks": "None",
        "Headers": headers,
        "Metadata": {ECHO: letter.reference},
        "MessageStream": stream,
    });
    if let Some(mailbox) = reply_to {
        body["ReplyTo"] = mailbox.header().into();
    }
    body.to_string()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    /// Left out where a mail is taken that will be late.
    #[serde(default)]
    error_code: i64,
    #[serde(default)]
    message: String,
    #[serde(default, rename = "MessageID")]
    message_id: String,
}

/// The vendor's own code decides where there is one; it also stands beside a yes.
pub(super) fn outcome(reply: &Reply, letter: &Letter<'_>) -> TryOutcome {
    let said = reply.diagnostic();
    match reply.json::<Answer>() {
        Some(Answer { error_code: 0, message_id, .. }) if (200..300).contains(&reply.status) => {
            TryOutcome::Accepted { provider_id: sound_id(&message_id) }
        }
        None if (200..300).contains(&reply.status) => TryOutcome::Accepted { provider_id: None },
        None => reply.outcome(),
        Some(answer) => match answer.error_code {
            // The mailbox bounced or complained before.
            406 => TryOutcome::Refused(said),
            300 if complains_of("To", &answer.message) => letter.refused(said),
            300 if complains_of("From", &answer.message) => TryOutcome::Misconfigured(said),
            // Token; sender not set up, not confirmed; nothing left to send with; account pending, or closed; no such stream.
            10 | 400 | 401 | 405 | 412 | 413 | 1235 | 1236 => TryOutcome::Misconfigured(said),
            429 => TryOutcome::Throttled(said),
            _ => reply.outcome(),
        },
    }
}

/// Whether what is wrong with the form of a request is the address in this field.
fn complains_of(field: &str, message: &str) -> bool {
    ["Invalid ", "Error parsing "].iter().any(|start| {
        let rest = message.strip_prefix(start).and_then(|rest| rest.strip_prefix('\'')?.strip_prefix(field));
        rest.is_some_and(|rest| rest.starts_with('\''))
    })
}

/// What the answer to "which server is this" says.
pub(super) fn check(reply: &Reply, address: String) -> Result<(), CheckError> {
    match reply.status {
        200 => Ok(()),
        401 => Err(CheckError::Credentials { address }),
        _ => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
    }
}
