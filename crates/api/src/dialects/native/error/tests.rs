use countersign_model::{Channel, InvalidRecipient, Mode, Timestamp};
use serde_json::{Value, json};

use super::super::response::testing::{sent, session, unavailable};
use super::*;

/// A live session with two attempts left.
const LEFT: About = left(2);

const fn left(attempts_remaining: u8) -> About {
    About { mode: Mode::Live, attempts_remaining, expires_at: Timestamp::from_millis(0) }
}

fn told(failure: &Failure) -> (u16, &'static str, &str) {
    (failure.status.as_u16(), failure.code, &failure.message)
}

fn details(failure: &Failure) -> Value {
    serde_json::to_value(&*failure.details).unwrap()
}

/// Every refusal that a session which is known can meet, with the word that its message alone may contain.
fn on_a_known_session() -> Vec<(Refusal, Option<&'static str>)> {
    let wait = Duration::from_millis(1500);
    let nothing_sent = Box::new(sent(session("live", &unavailable(), &json!({})), &[]));
    let limits = [
        LimitName::CallsPerKey,
        LimitName::FailedAuthentication,
        LimitName::SendsPerUser,
        LimitName::ActivePerUser,
        LimitName::SendsPerIp,
        LimitName::ResendAfter,
    ];
    let mut refusals = vec![
        (Refusal::AlreadyVerified(LEFT), None),
        (Refusal::Canceled(LEFT), None),
        (Refusal::Expired(LEFT), Some("expired")),
        (Refusal::Locked(left(0)), Some("maximum")),
        (Refusal::ChannelNotFound(LEFT), None),
        (Refusal::ChannelVerified(LEFT), None),
        (Refusal::ChannelNeeded(LEFT), None),
        (Refusal::NoFallback(LEFT), None),
        (Refusal::RecipientBlocked { wait, about: Some(LEFT) }, None),
        (Refusal::NothingSent(nothing_sent), None),
        (Refusal::IdempotencyRunning, None),
        (Refusal::IdempotencyMismatch, None),
        (Refusal::Unavailable(StoreError::Unavailable("disk full".to_owned())), None),
        (Refusal::Unavailable(StoreError::Unreadable("session")), None),
        (Refusal::Internal("a detail of the house"), None),
    ];
    refusals.extend(limits.map(|limit| (Refusal::Limited { limit, wait, about: None }, None)));
    refusals
}

#[test]
fn clients_that_match_words_are_never_misled() {
    for (refusal, own) in on_a_known_session() {
        let shown = format!("{refusal:?}");
        let failure = of_refusal(refusal);
        let message = failure.message.to_lowercase();
        for word in ["invalid", "expired", "maximum", "attempts exceeded"] {
            let allowed = own == Some(word) || own == Some("maximum") && word == "attempts exceeded";
            assert_eq!(message.contains(word), allowed, "{shown}: {message}");
        }
    }
    for message in [words::SENT, words::RESENT, words::VERIFIED, words::CHANNEL_NOT_FOUND, words::CHANNEL_VERIFIED] {
        assert!(!["invalid", "expired", "maximum"].iter().any(|word| message.to_lowercase().contains(word)), "{message}");
    }
    assert_eq!(words::WRONG_CODE, "Invalid OTP");
}

#[test]
fn each_refusal_has_its_status_and_code() {
    let wait = Duration::from_secs(9);
    let rows = [
        (Refusal::Unknown, (401, "session_not_recognised", "Session token not recognised")),
        (Refusal::AlreadyVerified(LEFT), (409, "already_verified", "Session already verified")),
        (Refusal::Canceled(LEFT), (410, "session_canceled", "Session canceled")),
        (Refusal::Expired(LEFT), (410, "session_expired", "Session expired")),
        (Refusal::Locked(left(0)), (429, "session_locked", "Maximum verification attempts exceeded")),
        (Refusal::ChannelNotFound(LEFT), (400, "channel_not_found", "Channel not found in session")),
        (Refusal::ChannelVerified(LEFT), (409, "channel_verified", "Channel already verified")),
        (Refusal::NoFallback(LEFT), (409, "no_fallback", "No fallback channel to open now")),
        (
            Refusal::RecipientBlocked { wait, about: Some(LEFT) },
            (429, "recipient_blocked", "Too many wrong codes for this recipient"),
        ),
        (Refusal::IdempotencyRunning, (409, "idempotency_running", "A call with this Idempotency-Key is still running")),
        (Refusal::IdempotencyMismatch, (422, "idempotency_mismatch", "Idempotency-Key was used with another body")),
        (Refusal::Unavailable(StoreError::Unavailable(String::new())), (503, "unavailable", "Service unavailable, try again")),
        (Refusal::Unavailable(StoreError::Unreadable("session")), (500, "internal_error", "Internal error")),
        (Refusal::Internal("a detail of the house"), (500, "internal_error", "Internal error")),
    ];
    for (refusal, expected) in rows {
        assert_eq!(told(&of_refusal(refusal)), expected);
    }
}

#[test]
fn a_known_session_says_how_many_attempts_are_left() {
    for (refusal, left) in [
        (Refusal::AlreadyVerified(left(2)), 2),
        (Refusal::Canceled(left(1)), 1),
        (Refusal::Expired(left(3)), 3),
        (Refusal::ChannelVerified(left(2)), 2),
        (Refusal::Locked(left(0)), 0),
        (Refusal::NoFallback(left(2)), 2),
        (Refusal::RecipientBlocked { wait: Duration::ZERO, about: Some(left(1)) }, 1),
    ] {
        assert_eq!(details(&of_refusal(refusal)), json!({"attempts_remaining": left}));
    }
    let needed = details(&of_refusal(Refusal::ChannelNeeded(left(2))));
    assert_eq!((&needed["attempts_remaining"], &needed["field"]), (&json!(2), &json!("channel")), "{needed}");
}

#[test]
fn what_can_be_tried_again_says_when_and_a_locked_session_does_not() {
    let limited = of_refusal(Refusal::Limited { limit: LimitName::SendsPerUser, wait: Duration::from_secs(7), about: None });
    assert_eq!(told(&limited), (429, "rate_limited", "Rate limit exceeded"));
    assert_eq!((details(&limited), limited.retry_after), (json!({"limit": "sends_per_user"}), Some(Duration::from_secs(7))));
    assert_eq!(of_refusal(Refusal::Locked(left(0))).retry_after, None);
    assert!(of_refusal(Refusal::Unavailable(StoreError::Unavailable(String::new()))).retry_after.is_some());
}

#[test]
fn when_nothing_went_out_every_channel_says_why() {
    let failure = of_refusal(Refusal::NothingSent(Box::new(sent(session("live", &unavailable(), &json!({})), &[]))));
    assert_eq!(told(&failure), (502, "all_channels_failed", "All channels failed"));
    assert_eq!(details(&failure)["channels_sent"]["sms"]["error"], "provider_unavailable");
}

#[test]
fn what_depends_on_the_service_is_a_field_fault_too() {
    let rows = [
        (SendError::UnknownService, "unknown_service", "service_id"),
        (SendError::LifeAboveCeiling { ceiling: Duration::from_secs(300) }, "invalid_config", "config.expiry_minutes"),
        (SendError::FallbackAfterExpiry { channel: Channel::Voice }, "invalid_field", "fallback"),
        (SendError::Recipient { channel: Channel::Sms, reason: InvalidRecipient::Phone }, "invalid_recipient", "recipients.sms"),
    ];
    for (error, code, field) in rows {
        let failure = of_send(error);
        assert_eq!((failure.status.as_u16(), failure.code), (400, code));
        assert_eq!(details(&failure)["field"], field);
        assert_eq!(details(&failure)["errors"][0]["message"], *failure.message);
    }
    let blocked = of_send(SendError::DestinationBlocked { channel: Channel::Voice });
    assert_eq!((blocked.status.as_u16(), blocked.code), (403, "destination_blocked"));
    assert_eq!(details(&blocked)["field"], "recipients.voice");
    assert_eq!(of_send(SendError::Refused(Refusal::Unknown)).code, "session_not_recognised");
}

#[test]
fn bodies_that_cannot_be_read_have_their_statuses() {
    let rows = [
        (BodyError::TooLarge, 413, "payload_too_large"),
        (BodyError::MediaType, 415, "unsupported_media_type"),
        (BodyError::Malformed("EOF".to_owned()), 400, "malformed_body"),
        (BodyError::Broken, 400, "malformed_body"),
        (BodyError::TooSlow, 408, "request_timeout"),
    ];
    for (error, status, code) in rows {
        let failure = of_body(error);
        assert_eq!((failure.status.as_u16(), failure.code), (status, code));
    }
}
