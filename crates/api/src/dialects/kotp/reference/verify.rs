//! `POST /v1/verify` with `id`.

use countersign_core::{Caller, Guess, Guesses, Handle, Judgement, Platform, Session, Verify, otp_id};
use countersign_model::{SessionId, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::body::Body;
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::words::{self, INVALID_PARAMETER};
use crate::dialects::kotp::{Reply, error, ids};
use crate::fields::{Faults, Fields};

/// The code was right.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "valid": true, "id": "otp_0195a0c2b7f40c9a6d1e8f3b5a7c9d00", "verified_at": "2026-01-15T10:47:00Z", "attempts": 1,
    "metadata": {"user_id": "user_123"}
})))]
pub(crate) struct VerifyReply {
    /// Always true: a wrong code is an error.
    valid: bool,
    id: String,
    #[schema(value_type = String, format = DateTime)]
    verified_at: Option<String>,
    /// Checks made, this one included.
    attempts: u8,
    /// What the send was given.
    #[schema(value_type = Object)]
    metadata: Value,
    /// Only in the sandbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<bool>,
    /// Only where the recipient is a test recipient of the service: nothing was sent, and the code proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_recipient: Option<bool>,
}

/// Judges the code.
pub(crate) async fn run(platform: &Platform, caller: &Caller, body: &Body) -> Result<Reply, Failure> {
    let given = |field: &str| body.object.get(field).cloned();
    let (id, guess) = parse(&body.object).map_err(|faults| Failure::of_faults(faults, given))?;
    let Some(session) = id else { return Err(error::of_refusal(countersign_core::Refusal::Unknown)) };
    let command = Verify { handle: Handle::Id(session), guesses: Guesses::Unnamed(guess), idempotency: None };
    let verified = platform.verify(caller, command).await.map_err(error::of_refusal)?;
    let (session, judgement) = (&verified.session, &verified.judgement);
    if judgement.session_verified { Reply::new(&reply(session, judgement)) } else { Err(wrong(session, judgement)) }
}

/// Which OTP and what was typed. An id of another form is nobody's, and none here.
fn parse(object: &Map<String, Value>) -> Result<(Option<SessionId>, Guess), Faults> {
    let fields = Fields::new(object, "", INVALID_PARAMETER);
    let mut faults = Faults::default();
    let id = match fields.get("id") {
        None => {
            faults.add("id", INVALID_PARAMETER, "id is missing: which OTP is it?");
            None
        }
        Some(_) => fields.parsed("id", "a string", |text| Some(ids::session(text)), &mut faults),
    };
    let guess = match fields.get("code") {
        None => {
            faults.add("code", INVALID_PARAMETER, "code is missing: what was typed?");
            None
        }
        Some(_) => fields.parsed("code", "a string of what was typed", Guess::read, &mut faults),
    };
    faults.or(id.zip(guess))
}

fn reply(session: &Session, judgement: &Judgement) -> VerifyReply {
    let wrong = session.policy().max_attempts.saturating_sub(judgement.attempts_remaining);
    VerifyReply {
        valid: true,
        id: otp_id(session.id()),
        verified_at: judgement.verified_at.map(Timestamp::whole_seconds),
        attempts: wrong.saturating_add(1),
        metadata: super::metadata(session.metadata()),
        sandbox: super::sandbox(session.mode()),
        test_recipient: session.is_test().then_some(true),
    }
}

fn wrong(session: &Session, judgement: &Judgement) -> Failure {
    let failure = Failure::new(words::INVALID_CODE, "The code is not right");
    failure.detail("attempts_remaining", judgement.attempts_remaining).about(countersign_core::About::of(session))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(value: &Value) -> Vec<String> {
        let faults = parse(value.as_object().unwrap()).unwrap_err();
        faults.into_vec().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn an_id_of_another_form_is_nobodys() {
        let read = |id: &str| parse(json!({"id": id, "code": "123456"}).as_object().unwrap()).unwrap().0;
        assert_eq!(read("otp_0000000000000000000000000000002a"), Some(SessionId::from_bits(42)));
        assert_eq!(read("otp_1234567890abcdef"), None);
    }

    #[test]
    fn what_is_missing_or_of_another_type_is_named() {
        assert_eq!(told(&json!({})), ["id", "code"]);
        assert_eq!(told(&json!({"id": 7, "code": 123_456})), ["id", "code"]);
        assert_eq!(told(&json!({"id": "otp_1", "code": " "})), ["code"]);
    }
}
