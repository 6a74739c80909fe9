//! Replies to send, resend and next.

use countersign_core::{Challenge, Sent, Session};
use countersign_model::{Attempt, Channel, SessionId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ByChannel, Shown, message_id, sandbox, test_recipient};

/// A session whose messages have been handed over.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "success": true, "session_token": "eyJ…", "session_id": "ses_01J9ZQ3V8MTRX4N6D5B7C9E0FG",
    "channels_sent": {"email": {"success": true, "message_id": "msg_sandbox_01J9ZQ3V8MTRX4N6D5B7C9E0FG"}},
    "expires_at": "2026-01-15T10:45:00.000Z", "resend_after": "2026-01-15T10:35:30.000Z", "verification_mode": "any",
    "attempts_remaining": 3, "message": "OTP sent", "config": {"otp_length": 6, "expiry_minutes": 10, "max_attempts": 3},
    "sandbox": true, "sandbox_otps": {"email": "482913"},
    "data": {
        "session_id": "ses_01J9ZQ3V8MTRX4N6D5B7C9E0FG", "expires_at": "2026-01-15T10:45:00.000Z", "channels": ["email"],
        "recipients": {"email": "a•••@example.com"}, "otps": {"email": "482913"}
    }
})))]
pub(crate) struct SendReply<'a> {
    /// Always true: what comes here has a session.
    success: bool,
    /// Names the session in every later call. Lives 24 hours, longer than the codes.
    session_token: &'a str,
    #[schema(value_type = String, examples("ses_01J9ZQ3V8MTRX4N6D5B7C9E0FG"))]
    session_id: Shown<SessionId>,
    /// How handing over went, for each channel of this call.
    #[schema(value_type = std::collections::BTreeMap<String, ChannelSent>)]
    channels_sent: ByChannel<ChannelSent>,
    /// When the codes die.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Shown<Timestamp>,
    /// Before this a resend is refused.
    #[schema(value_type = String, format = DateTime)]
    resend_after: Shown<Timestamp>,
    /// `any` or `all`.
    verification_mode: &'static str,
    /// Calls with a wrong code that will be heard.
    attempts_remaining: u8,
    message: &'static str,
    /// The rules that apply.
    config: SentConfig,
    /// Only in sandbox sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where all recipients are test recipients of the service: nothing was sent, and the code proves nothing about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
    /// The codes, only in sandbox sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    sandbox_otps: Option<&'a ByChannel<&'a str>>,
    /// The same once more, for clients that read `data`.
    data: SentData<'a>,
}

/// How handing one message over went.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ChannelSent {
    /// Whether a provider has it, or may have it.
    success: bool,
    #[schema(examples("msg_01J9ZQ3V8MTRX4N6D5B7C9E0FG"))]
    message_id: String,
    /// Only when it did not go out.
    #[serde(skip_serializing_if = "Option::is_none")]
    send_failed: Option<bool>,
    /// Why not: `provider_unavailable`, `refused`, `throttled`, `unreachable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// The rules of a session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SentConfig {
    otp_length: u8,
    expiry_minutes: u64,
    max_attempts: u8,
}

/// What SDKs of the vendor read.
#[derive(Serialize, ToSchema)]
pub(crate) struct SentData<'a> {
    #[schema(value_type = String)]
    session_id: Shown<SessionId>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Shown<Timestamp>,
    channels: Vec<&'static str>,
    /// Masked.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    recipients: ByChannel<String>,
    /// The codes, only in sandbox sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    otps: Option<&'a ByChannel<&'a str>>,
}

/// The challenges of a send, in the order asked.
fn challenges<'a>(session: &'a Session, channels: &'a [Channel]) -> impl Iterator<Item = &'a Challenge> {
    session.challenges().iter().filter(|challenge| channels.contains(&challenge.channel))
}

/// How handing over went, for each channel of a send.
pub(crate) fn channels_sent(sent: &Sent) -> ByChannel<ChannelSent> {
    challenges(&sent.session, &sent.channels)
        .map(|challenge| (challenge.channel, channel_sent(&sent.session, challenge)))
        .collect()
}

fn channel_sent(session: &Session, challenge: &Challenge) -> ChannelSent {
    let message_id = message_id(session, challenge.message.id);
    match challenge.message.attempt {
        Attempt::Sending | Attempt::Accepted { .. } | Attempt::Unclear { .. } => {
            ChannelSent { success: true, message_id, send_failed: None, error: None }
        }
        Attempt::Failed(reason) => {
            ChannelSent { success: false, message_id, send_failed: Some(true), error: Some(reason.as_str()) }
        }
    }
}

/// Prints the reply. `message` tells what was done.
pub(crate) fn body(sent: &Sent, message: &'static str) -> Result<Vec<u8>, serde_json::Error> {
    let session = &sent.session;
    let codes = sent.codes.as_ref().map(|codes| codes.iter().map(|(channel, code)| (*channel, code.expose())).collect());
    let policy = session.policy();
    let reply = SendReply {
        success: true,
        session_token: &sent.token,
        session_id: Shown(session.id()),
        channels_sent: channels_sent(sent),
        expires_at: Shown(session.expires_at()),
        resend_after: Shown(session.resend_after()),
        verification_mode: policy.verification_mode.as_str(),
        attempts_remaining: session.attempts_remaining(),
        message,
        config: SentConfig {
            otp_length: policy.code_length,
            expiry_minutes: policy.life.as_secs().div_ceil(60),
            max_attempts: policy.max_attempts,
        },
        sandbox: sandbox(session),
        test_recipient: test_recipient(session),
        sandbox_otps: codes.as_ref(),
        data: SentData {
            session_id: Shown(session.id()),
            expires_at: Shown(session.expires_at()),
            channels: challenges(session, &sent.channels).map(|challenge| challenge.channel.as_str()).collect(),
            recipients: challenges(session, &sent.channels)
                .map(|challenge| (challenge.channel, challenge.recipient.masked()))
                .collect(),
            otps: codes.as_ref(),
        },
    };
    serde_json::to_vec(&reply)
}

#[cfg(test)]
mod tests {
    use countersign_model::FailureReason;
    use serde_json::json;

    use super::super::testing::{accepted, read, sent, session, unavailable};
    use super::*;

    #[test]
    fn a_live_send_tells_everything_but_the_codes() {
        let reply = read(body(&sent(session("live", &unavailable(), &json!({})), &[]), "OTP sent"));
        let expected = json!({
            "success": true, "session_token": "the.session.token", "session_id": "ses_0000000000000000000000000G",
            "channels_sent": {
                "email": {"success": true, "message_id": "msg_00000000000000000000000001"},
                "sms": {"success": false, "message_id": "msg_00000000000000000000000002", "send_failed": true, "error": "provider_unavailable"},
            },
            "expires_at": "2026-01-15T10:45:00.000Z", "resend_after": "2026-01-15T10:35:30.000Z", "verification_mode": "any",
            "attempts_remaining": 3, "message": "OTP sent", "config": {"otp_length": 6, "expiry_minutes": 10, "max_attempts": 3},
            "data": {
                "session_id": "ses_0000000000000000000000000G", "expires_at": "2026-01-15T10:45:00.000Z", "channels": ["email", "sms"],
                "recipients": {"email": "a•••@example.com", "sms": "+1202•••0143"},
            },
        });
        assert_eq!(reply, expected, "{reply:#}");
    }

    #[test]
    fn a_sandbox_send_answers_its_codes_and_says_that_nothing_left_the_house() {
        let codes = [(Channel::Email, "482913"), (Channel::Sms, "004711")];
        let reply = read(body(&sent(session("sandbox", &accepted("sandbox"), &json!({})), &codes), "OTP sent"));
        assert_eq!(reply["sandbox"], json!(true), "{reply:#}");
        assert_eq!(reply["sandbox_otps"], json!({"email": "482913", "sms": "004711"}), "{reply:#}");
        assert_eq!(reply["data"]["otps"], reply["sandbox_otps"], "{reply:#}");
        assert_eq!(reply["channels_sent"]["sms"]["message_id"], "msg_sandbox_00000000000000000000000002", "{reply:#}");
    }

    #[test]
    fn every_reason_has_its_word_and_an_unclear_outcome_counts_as_sent() {
        let told =
            |attempt: Attempt| read(body(&sent(session("live", &attempt, &json!({})), &[]), ""))["channels_sent"]["sms"].clone();
        let reasons = [
            (FailureReason::Refused, "refused"),
            (FailureReason::Throttled, "throttled"),
            (FailureReason::Unreachable, "unreachable"),
            (FailureReason::ProviderUnavailable, "provider_unavailable"),
        ];
        for (reason, word) in reasons {
            assert_eq!(told(Attempt::Failed(reason))["error"], word);
        }
        for attempt in [Attempt::Unclear { provider: None }, Attempt::Sending] {
            assert_eq!(told(attempt), json!({"success": true, "message_id": "msg_00000000000000000000000002"}));
        }
    }

    #[test]
    fn a_resend_on_one_channel_tells_of_that_one() {
        let resent = Sent { channels: vec![Channel::Sms], ..sent(session("live", &accepted("sms"), &json!({})), &[]) };
        let reply = read(body(&resent, "OTP resent"));
        assert_eq!(reply["channels_sent"].as_object().unwrap().len(), 1, "{reply:#}");
        assert_eq!(reply["data"]["channels"], json!(["sms"]), "{reply:#}");
    }
}
