//! The messaging API, version 2, as Telnyx spells it.

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::Settings;
use super::receipt::ECHO;
use crate::http::Reply;
use crate::ids::sound_id;
use crate::provider::{CheckError, Rendered, TryOutcome};

/// The body of a request. Events come to our address alone, with the reference in it, and not to the profile's as well.
pub(super) fn body(message: &Rendered, settings: &Settings, receipts_url: Option<&str>) -> String {
    let mut body = json!({
        "to": message.recipient.address(),
        "text": message.text(),
        "type": "SMS",
    });
    if let Some(from) = message.sender.as_ref().or(settings.from.as_ref()) {
        body["from"] = from.as_str().into();
    }
    if let Some(profile) = &settings.messaging_profile_id {
        body["messaging_profile_id"] = profile.as_str().into();
    }
    if let Some(mut url) = receipts_url.and_then(|url| Url::parse(url).ok()) {
        url.query_pairs_mut().append_pair(ECHO, &message.reference().to_string());
        body["webhook_url"] = url.as_str().into();
        body["use_profile_webhooks"] = Value::Bool(false);
    }
    body.to_string()
}

#[derive(Deserialize)]
struct Taken {
    data: Message,
}

#[derive(Deserialize)]
struct Message {
    id: String,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<Flaw>,
}

#[derive(Deserialize)]
struct Flaw {
    /// Numbers, written as text.
    code: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    source: Option<Source>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(default)]
    pointer: String,
}

impl Flaw {
    fn is_about_the_recipient(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.pointer == "/to")
    }

    /// The code alone does not say it: it is also given to numbers without a profile.
    fn is_opt_out(&self) -> bool {
        [&self.title, &self.detail].iter().any(|words| words.contains("STOP"))
    }
}

/// The vendor's own code decides where there is one.
pub(super) fn outcome(reply: &Reply) -> TryOutcome {
    let said = reply.diagnostic();
    if (200..300).contains(&reply.status) {
        let id = reply.json::<Taken>().and_then(|taken| sound_id(&taken.data.id));
        return TryOutcome::Accepted { provider_id: id };
    }
    let errors = reply.json::<Errors>().map(|errors| errors.errors).unwrap_or_default();
    let Some(flaw) = errors.first() else {
        return if reply.status == 402 { TryOutcome::Misconfigured(said) } else { reply.outcome() };
    };
    match flaw.code.as_str() {
        // Not to be routed to, no such destination, no number.
        "40001" | "40012" | "40310" => TryOutcome::Refused(said),
        "40300" if flaw.is_opt_out() => TryOutcome::Refused(said),
        "10002" | "10016" if flaw.is_about_the_recipient() => TryOutcome::Refused(said),
        "10011" | "40011" => TryOutcome::Throttled(said),
        // Key; right; account kept to verified numbers, or out of money; sender not registered, not valid, not ours; profile disabled.
        "10009" | "10010" | "10039" | "20100" | "40010" | "40013" | "40305" | "40312" => TryOutcome::Misconfigured(said),
        _ if reply.status == 402 => TryOutcome::Misconfigured(said),
        _ => reply.outcome(),
    }
}

/// What the answer to "how much money is left" says.
pub(super) fn check(reply: &Reply, address: String) -> Result<(), CheckError> {
    match reply.status {
        200 => Ok(()),
        401 => Err(CheckError::Credentials { address }),
        _ => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
    }
}
