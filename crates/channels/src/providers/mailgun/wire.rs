//! The messages API, version 3, as Mailgun spells it.

use serde::Deserialize;

use crate::http::Reply;
use crate::ids::sound_id;
use crate::mail::{ECHO, Letter, Mailbox, TAG};
use crate::provider::TryOutcome;

/// The form of a request. Nothing of the vendor's tracking: it would rewrite what we wrote and tell when people read.
pub(super) fn body(letter: &Letter<'_>, reply_to: Option<&Mailbox>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("from", &letter.from.header())
        .append_pair("to", letter.to)
        .append_pair("subject", letter.subject)
        .append_pair("text", letter.text)
        .append_pair("html", letter.html)
        .append_pair("o:tag", TAG)
        .append_pair("o:tracking", "no")
        .append_pair("o:tracking-clicks", "no")
        .append_pair("o:tracking-opens", "no")
        .append_pair(&format!("v:{ECHO}"), &letter.reference);
    for (name, value) in letter.headers() {
        form.append_pair(&format!("h:{name}"), value);
    }
    if let Some(mailbox) = reply_to {
        form.append_pair("h:Reply-To", &mailbox.header());
    }
    form.finish()
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id: String,
    #[serde(default)]
    message: String,
}

/// What the vendor answers with 200 at every address where it takes no mail.
const GREETING: &[u8] = b"Mailgun Magnificent API";

/// There are no codes of errors: what a 400 is about stands in its words alone.
pub(super) fn outcome(reply: &Reply, letter: &Letter<'_>) -> TryOutcome {
    let said = reply.diagnostic();
    match reply.status {
        200..=299 if reply.body.bytes.starts_with(GREETING) => TryOutcome::Misconfigured(said),
        200..=299 => {
            let id = reply.json::<Answer>().map(|answer| answer.id).unwrap_or_default();
            TryOutcome::Accepted { provider_id: sound_id(id.trim_start_matches('<').trim_end_matches('>')) }
        }
        400 => {
            let message = reply.json::<Answer>().map(|answer| answer.message).unwrap_or_default();
            match about(&message) {
                About::Recipient => letter.refused(said),
                About::SetUp => TryOutcome::Misconfigured(said),
                About::Other => TryOutcome::Unknown(said),
            }
        }
        // Not paid for; and a domain that the account, or this region, does not have.
        402 | 404 => TryOutcome::Misconfigured(said),
        _ => reply.outcome(),
    }
}

enum About {
    Recipient,
    SetUp,
    Other,
}

fn about(message: &str) -> About {
    if message.starts_with("'to' parameter is not a valid address") {
        return About::Recipient;
    }
    let is_set_up = ["'from' parameter is not a valid address", "Sandbox subdomains are for test purposes only"]
        .iter()
        .any(|start| message.starts_with(start))
        || (message.starts_with("Domain ") && message.contains(" is not allowed to send"));
    if is_set_up { About::SetUp } else { About::Other }
}
