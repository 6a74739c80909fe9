//! Replies to verify. A wrong code is a reply like a right one, with status 200.

use std::borrow::Cow;

use countersign_core::{GuessResult, Verified};
use countersign_model::{Channel, SessionId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{ByChannel, Shown, metadata, sandbox, test_recipient};
use crate::dialects::native::words;

/// What the guesses came to.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "success": true, "verified": true, "session_verified": true, "attempts_remaining": 3, "verification_mode": "any",
    "verification_results": {"email": {"success": true}}, "verified_channels": ["email"], "pending_channels": [],
    "verified_at": "2026-01-15T10:36:00.000Z", "session_id": "ses_01J9ZQ3V8MTRX4N6D5B7C9E0FG", "metadata": {},
    "message": "OTP verified", "verification_proof": "eyJ…",
    "data": {"verified": true, "verification_results": {"email": {"success": true}}}
})))]
pub(crate) struct VerifyReply<'a> {
    /// The same as `verified`.
    success: bool,
    /// This call completed the session, or every guess of it for a channel that was still open was right.
    verified: bool,
    /// The session is complete by its mode.
    session_verified: bool,
    /// Calls with a wrong code that will still be heard. Always an integer of 0 or more.
    attempts_remaining: u8,
    /// `any` or `all`.
    verification_mode: &'static str,
    /// A result under each asked name.
    #[schema(value_type = std::collections::BTreeMap<String, ChannelResult>)]
    verification_results: &'a ByChannel<ChannelResult>,
    /// Channels proved so far. In `any` mode the one whose code it was, whatever name the guess came under.
    verified_channels: Vec<&'static str>,
    pending_channels: Vec<&'static str>,
    /// When the session was completed.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Shown<Timestamp>>,
    #[schema(value_type = String)]
    session_id: Shown<SessionId>,
    /// What the send was given, when the guesses were right.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    message: &'static str,
    /// A JWT (`EdDSA`) that third parties check with `/.well-known/jwks.json`, or `jwks-sandbox.json` for sandbox sessions and test recipients, when the session is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_proof: Option<&'a str>,
    /// Only in sandbox sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where all recipients are test recipients of the service: nothing was sent, and the code proves nothing about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
    /// Only when a guess was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<VerifyDetails>,
    /// The same once more, for clients that read `data`.
    data: VerifyData<'a>,
}

/// What one guess came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ChannelResult {
    success: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// For clients that read it here when a code is wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerifyDetails {
    attempts_remaining: u8,
}

/// What SDKs of the vendor read.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerifyData<'a> {
    verified: bool,
    #[schema(value_type = std::collections::BTreeMap<String, ChannelResult>)]
    verification_results: &'a ByChannel<ChannelResult>,
}

const fn result(result: GuessResult) -> ChannelResult {
    let message = match result {
        GuessResult::Right => None,
        GuessResult::Wrong => Some(words::WRONG_CODE),
        GuessResult::NotInSession => Some(words::CHANNEL_NOT_FOUND),
        GuessResult::VerifiedBefore => Some(words::CHANNEL_VERIFIED),
    };
    ChannelResult { success: message.is_none(), message }
}

fn names(channels: &[Channel]) -> Vec<&'static str> {
    channels.iter().map(|channel| channel.as_str()).collect()
}

/// Prints the reply. `strangers` are names that no session has: they are answered like a channel that this one has not.
pub(crate) fn body(verified: &Verified, strangers: Vec<String>) -> Result<Vec<u8>, serde_json::Error> {
    let (session, judgement) = (&verified.session, &verified.judgement);
    let mut results: ByChannel<ChannelResult> =
        judgement.results.iter().map(|(channel, told)| (*channel, result(*told))).collect();
    results.0.extend(strangers.into_iter().map(|name| (Cow::Owned(name), result(GuessResult::NotInSession))));
    let right = judgement.verified;
    let reply = VerifyReply {
        success: right,
        verified: right,
        session_verified: judgement.session_verified,
        attempts_remaining: judgement.attempts_remaining,
        verification_mode: session.policy().verification_mode.as_str(),
        verification_results: &results,
        verified_channels: names(&judgement.verified_channels),
        pending_channels: names(&judgement.pending_channels),
        verified_at: judgement.verified_at.map(Shown),
        session_id: Shown(session.id()),
        metadata: right.then(|| metadata(session)),
        message: if right { words::VERIFIED } else { words::WRONG_CODE },
        verification_proof: verified.proof.as_deref(),
        sandbox: sandbox(session),
        test_recipient: test_recipient(session),
        details: (!right).then_some(VerifyDetails { attempts_remaining: judgement.attempts_remaining }),
        data: VerifyData { verified: right, verification_results: &results },
    };
    serde_json::to_vec(&reply)
}

#[cfg(test)]
mod tests {
    use countersign_core::Judgement;
    use serde_json::{Value, json};

    use super::super::testing::{accepted, read, session};
    use super::*;

    fn printed(mode: &str, judgement: Judgement, strangers: &[&str]) -> Value {
        let proof = judgement.session_verified.then(|| "the.proof".to_owned());
        let session = session(mode, &accepted("sms"), &json!({}));
        let verified = Verified { session, judgement, proof, replayed: false };
        read(body(&verified, strangers.iter().map(|name| (*name).to_owned()).collect()))
    }

    fn right() -> Judgement {
        Judgement {
            results: vec![(Channel::Email, GuessResult::Right)],
            verified: true,
            session_verified: true,
            attempts_remaining: 3,
            verified_channels: vec![Channel::Email],
            pending_channels: vec![Channel::Sms],
            verified_at: Some(Timestamp::from_millis(1_768_473_360_000)),
        }
    }

    fn wrong() -> Judgement {
        Judgement {
            results: vec![(Channel::Email, GuessResult::Wrong)],
            verified: false,
            session_verified: false,
            attempts_remaining: 2,
            verified_channels: vec![],
            pending_channels: vec![Channel::Email, Channel::Sms],
            verified_at: None,
        }
    }

    #[test]
    fn a_right_code_is_told_with_its_proof() {
        let reply = printed("live", right(), &[]);
        let expected = json!({
            "success": true, "verified": true, "session_verified": true, "attempts_remaining": 3, "verification_mode": "any",
            "verification_results": {"email": {"success": true}}, "verified_channels": ["email"], "pending_channels": ["sms"],
            "verified_at": "2026-01-15T10:36:00.000Z", "session_id": "ses_0000000000000000000000000G", "metadata": {"b": 1.5, "a": []},
            "message": "OTP verified", "verification_proof": "the.proof",
            "data": {"verified": true, "verification_results": {"email": {"success": true}}},
        });
        assert_eq!(reply, expected, "{reply:#}");
    }

    #[test]
    fn a_wrong_code_is_told_in_the_same_form() {
        let reply = printed("live", wrong(), &[]);
        let results = json!({"email": {"success": false, "message": "Invalid OTP"}});
        let expected = json!({
            "success": false, "verified": false, "session_verified": false, "attempts_remaining": 2, "verification_mode": "any",
            "verification_results": results, "verified_channels": [], "pending_channels": ["email", "sms"], "verified_at": null,
            "session_id": "ses_0000000000000000000000000G", "message": "Invalid OTP", "details": {"attempts_remaining": 2},
            "data": {"verified": false, "verification_results": results},
        });
        assert_eq!(reply, expected, "{reply:#}");
    }

    #[test]
    fn channels_that_were_not_compared_are_told_apart() {
        let results = vec![
            (Channel::Email, GuessResult::Right),
            (Channel::Voice, GuessResult::NotInSession),
            (Channel::Sms, GuessResult::VerifiedBefore),
        ];
        let reply = printed("sandbox", Judgement { results, ..right() }, &["fax"]);
        let expected = json!({
            "email": {"success": true},
            "voice": {"success": false, "message": "Channel not found in session"},
            "sms": {"success": false, "message": "Channel already verified"},
            "fax": {"success": false, "message": "Channel not found in session"},
        });
        assert_eq!(reply["verification_results"], expected, "{reply:#}");
        assert_eq!((&reply["verified"], &reply["sandbox"]), (&json!(true), &json!(true)), "{reply:#}");
    }

    #[test]
    fn metadata_comes_back_in_its_own_order() {
        let session = session("live", &accepted("sms"), &json!({}));
        let verified = Verified { session, judgement: right(), proof: None, replayed: false };
        let text = String::from_utf8(body(&verified, Vec::new()).unwrap()).unwrap();
        assert!(text.contains("\"metadata\":{\"b\":1.5,\"a\":[]}"), "{text}");
    }
}
