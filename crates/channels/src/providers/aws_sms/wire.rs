//! Messages, calls and replies as version 2 of the API spells them.

use std::ops::RangeInclusive;

use countersign_model::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::Settings;
use super::speech::Speech;
use crate::aws;
use crate::http::Reply;
use crate::ids::sound_id;
use crate::provider::{Diagnostic, Rendered, TryOutcome};

/// The name under which the reference comes back in events.
pub(super) const ECHO: &str = "countersign_ref";
const INDIA: &str = "+91";
/// For how long the service can be told to try, in seconds.
const TIME_TO_LIVE: RangeInclusive<u64> = 5..=259_200;

/// What texts and calls share.
fn message(settings: &Settings, message: &Rendered, now: Timestamp) -> Value {
    let mut body = json!({
        "DestinationPhoneNumber": message.recipient.address(),
        "Context": {ECHO: message.reference().to_string()},
    });
    if let Some(name) = &settings.configuration_set {
        body["ConfigurationSetName"] = name.as_str().into();
    }
    if let Some(seconds) = message.seconds_left(now, TIME_TO_LIVE) {
        body["TimeToLive"] = seconds.into();
    }
    body
}

/// The body of `SendTextMessage`.
pub(super) fn text(settings: &Settings, rendered: &Rendered, now: Timestamp) -> Value {
    let mut body = message(settings, rendered, now);
    body["MessageBody"] = rendered.text().into();
    body["MessageType"] = "TRANSACTIONAL".into();
    if let Some(from) = rendered.sender.as_ref().or(settings.from.as_ref()) {
        body["OriginationIdentity"] = from.as_str().into();
    }
    if let Some((entity, template)) = &settings.dlt
        && rendered.recipient.address().starts_with(INDIA)
    {
        body["DestinationCountryParameters"] = json!({"IN_ENTITY_ID": entity, "IN_TEMPLATE_ID": template});
    }
    body
}

/// The body of `SendVoiceMessage`.
pub(super) fn call(settings: &Settings, rendered: &Rendered, caller: &str, speech: &Speech, now: Timestamp) -> Value {
    let mut body = message(settings, rendered, now);
    body["OriginationIdentity"] = caller.into();
    body["MessageBody"] = speech.ssml.as_str().into();
    body["MessageBodyTextType"] = "SSML".into();
    body["VoiceId"] = speech.voice.into();
    body
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    message_id: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Refusal {
    reason: String,
    fields: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Field {
    name: String,
}

/// What a reply to a message means.
pub(super) fn outcome(reply: &Reply) -> TryOutcome {
    if (200..300).contains(&reply.status) {
        let id = reply.json::<Taken>().and_then(|taken| sound_id(&taken.message_id));
        return TryOutcome::Accepted { provider_id: id };
    }
    let Some(kind) = aws::kind(reply) else { return reply.outcome() };
    let Refusal { reason, fields } = reply.json().unwrap_or_default();
    match kind.as_str() {
        "ConflictException" => match reason.as_str() {
            "DESTINATION_PHONE_NUMBER_OPTED_OUT" => TryOutcome::Refused(Diagnostic::Note("the number has opted out")),
            "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE" => {
                TryOutcome::Refused(Diagnostic::Note("the account blocks the number"))
            }
            "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION" => {
                TryOutcome::Misconfigured(Diagnostic::Note("the account blocks the country"))
            }
            "DESTINATION_PHONE_NUMBER_NOT_VERIFIED" => {
                TryOutcome::Misconfigured(Diagnostic::Note("an account in the sandbox reaches only verified numbers"))
            }
            _ => TryOutcome::Misconfigured(Diagnostic::Note("ConflictException: sender, message type or opt-out list")),
        },
        // A reason weighs more than the field that it is told of: one about a country may name the number's field as well.
        "ValidationException" => match reason.as_str() {
            "DESTINATION_COUNTRY_BLOCKED" => TryOutcome::Misconfigured(Diagnostic::Note("the account blocks the country")),
            "COUNTRY_CODE_MISMATCH"
            | "INTERNATIONAL_SENDING_NOT_SUPPORTED"
            | "INVALID_ARN"
            | "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY"
            | "PRICE_OVER_THRESHOLD"
            | "RESOURCE_NOT_ACCESSIBLE"
            | "SENDER_ID_NOT_REGISTERED"
            | "SENDER_ID_NOT_SUPPORTED"
            | "SENDER_ID_REQUIRES_REGISTRATION"
            | "VOICE_CAPABILITY_NOT_AVAILABLE" => TryOutcome::Misconfigured(Diagnostic::Note("ValidationException: the sender")),
            _ if fields.iter().any(|field| field.name == "DestinationPhoneNumber") => {
                TryOutcome::Refused(Diagnostic::Note("the number is not valid"))
            }
            _ => reply.outcome(),
        },
        "ResourceNotFoundException" => TryOutcome::Misconfigured(Diagnostic::Note("the sender or the configuration set")),
        "ServiceQuotaExceededException" if reason.starts_with("MONTHLY_SPEND_LIMIT_REACHED") => {
            TryOutcome::Misconfigured(Diagnostic::Note("the account's spending limit is reached"))
        }
        "ServiceQuotaExceededException" => TryOutcome::Throttled(Diagnostic::Note("a quota is used up")),
        kind => aws::common(kind).unwrap_or_else(|| reply.outcome()),
    }
}
