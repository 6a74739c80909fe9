//! Calls that carry an `Idempotency-Key`.

use std::time::Duration;

use countersign_tests::{Answer, Expected, MailSink, ProviderDouble, Reply, Sent, TestApp, email, sms};
use serde_json::json;

/// The reply is the first one's, and says so.
#[track_caller]
fn is_replay(first: &Reply, second: &Reply) {
    second.assert(first.status);
    assert_eq!(second.header("idempotency-replayed"), Some("true"), "{second:?}");
    assert_eq!(first.header("idempotency-replayed"), None, "{first:?}");
    assert_eq!(first.body(), second.body());
}

#[tokio::test]
async fn the_same_send_is_answered_the_same_and_sends_nothing_again() {
    let sink = MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let caller = app.live().with("Idempotency-Key", "order-17");
    let first = caller.try_send(&email("ann@example.com")).await;
    first.assert(200);
    app.advance(Duration::from_mins(5));
    let second = caller.try_send(&email("ann@example.com")).await;
    is_replay(&first, &second);
    assert_eq!(sink.mails().len(), 1);
    let code = sink.mail(1).await.code();
    caller.without("Idempotency-Key").verify(&Sent::read(second), &code).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_replayed_sandbox_send_shows_its_codes_again() {
    let app = TestApp::spawn().await;
    let caller = app.with("Idempotency-Key", "\"quoted-key\"");
    let first = caller.try_send(&email("ann@example.com")).await;
    let second = caller.try_send(&email("ann@example.com")).await;
    is_replay(&first, &second);
    let bare = app.with("Idempotency-Key", "quoted-key").try_send(&email("ann@example.com")).await;
    is_replay(&first, &bare);
}

#[tokio::test]
async fn a_replay_shows_the_callers_own_code_again() {
    let app = TestApp::spawn().await;
    let caller = app.with("Idempotency-Key", "own-code");
    let ask = email("ann@example.com").set("code", "918273");
    let first = caller.try_send(&ask).await;
    first.json("$.sandbox_otps.email", "918273");
    is_replay(&first, &caller.try_send(&ask).await);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let app = TestApp::spawn().await;
    let caller = app.with("Idempotency-Key", "order-17");
    caller.send(email("ann@example.com")).await;
    caller.try_send(&email("bob@example.com")).await.error(422, "idempotency_mismatch");
}

#[tokio::test]
async fn a_key_belongs_to_its_path_its_mode_and_its_tenant() {
    let foreign = countersign_tests::KeyWish::test().of_another_tenant();
    let app = TestApp::builder().set("session.resend_after_seconds", 0).key("foreign", foreign).spawn().await;
    let ask = email("ann@example.com");
    let first = app.with("Idempotency-Key", "order-17").send(ask.clone()).await;
    let other = app.as_key("foreign").with("Idempotency-Key", "order-17").send(ask.clone()).await;
    assert_ne!(first.session_id, other.session_id);
    let live = app.live().with("Idempotency-Key", "order-17").send(ask.set("sandbox_mode", true)).await;
    assert_ne!(first.session_id, live.session_id);
    let resent = app.with("Idempotency-Key", "order-17").resend(&first).await;
    resent.assert(200);
    assert_eq!(resent.header("idempotency-replayed"), None, "{resent:?}");
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let app = TestApp::spawn().await;
    let caller = app.with("Idempotency-Key", "order-17");
    let first = caller.send(email("ann@example.com")).await;
    app.advance(Duration::from_hours(24));
    let second = caller.send(email("ann@example.com")).await;
    assert_ne!(first.session_id, second.session_id);
}

#[tokio::test]
async fn a_verification_is_answered_again_with_its_proof() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let caller = app.with("Idempotency-Key", "verify-17");
    let first = caller.verify(&sent, sent.code("email")).await;
    first.assert(200).json("$.verified", true);
    is_replay(&first, &caller.verify(&sent, sent.code("email")).await);
    app.verify(&sent, sent.code("email")).await.error(409, "already_verified");
}

#[tokio::test]
async fn a_wrong_guess_that_is_repeated_under_its_key_costs_one_attempt() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let caller = app.with("Idempotency-Key", "verify-17");
    let first = caller.guess_wrong(&sent).await;
    first.assert(200).json("$.attempts_remaining", 2);
    is_replay(&first, &caller.guess_wrong(&sent).await);
    app.status(&sent).await.json("$.attempts_remaining", 2);
}

#[tokio::test]
async fn a_resend_and_a_cancel_are_answered_again() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(Duration::from_secs(30));
    let caller = app.with("Idempotency-Key", "again-17");
    let first = caller.resend(&sent).await;
    first.assert(200);
    is_replay(&first, &caller.resend(&sent).await);
    let first = caller.cancel(&sent).await;
    first.assert(200);
    is_replay(&first, &caller.cancel(&sent).await);
}

#[tokio::test]
async fn only_successes_are_remembered() {
    let app = TestApp::spawn().await;
    let caller = app.with("Idempotency-Key", "order-17");
    caller.try_send(&email("ann")).await.error(400, "invalid_recipient");
    let sent = caller.send(email("ann@example.com")).await;
    let resend = app.with("Idempotency-Key", "early");
    resend.resend(&sent).await.error(429, "rate_limited");
    app.advance(Duration::from_secs(30));
    let reply = resend.resend(&sent).await;
    reply.assert(200);
    assert_eq!(reply.header("idempotency-replayed"), None, "{reply:?}");
}

#[tokio::test]
async fn a_send_that_failed_everywhere_may_be_tried_again_under_its_key() {
    let double = ProviderDouble::start(Expected::json()).await;
    double.plan(Answer::With(500, "{}".to_owned()));
    let app = TestApp::builder().sms(&double).spawn().await;
    let caller = app.live().with("Idempotency-Key", "order-17");
    caller.try_send(&sms("+12025550143")).await.error(502, "all_channels_failed");
    caller.send(sms("+12025550143")).await;
    assert_eq!(double.requests().len(), 2);
}

#[tokio::test]
async fn while_the_first_call_runs_the_second_is_told_so() {
    let double = ProviderDouble::start(Expected::json()).await;
    let gate = double.hold();
    let app = TestApp::builder().sms(&double).spawn().await;
    let caller = app.live().with("Idempotency-Key", "order-17");
    let first = tokio::spawn({
        let caller = caller.clone();
        async move { caller.try_send(&sms("+12025550143")).await }
    });
    double.request(1).await;
    caller.try_send(&sms("+12025550143")).await.error(409, "idempotency_running");
    gate.open();
    let first = first.await.unwrap();
    first.assert(200);
    is_replay(&first, &caller.try_send(&sms("+12025550143")).await);
    assert_eq!(double.requests().len(), 1);
}

#[tokio::test]
async fn a_malformed_key_is_refused() {
    let app = TestApp::spawn().await;
    let long = "k".repeat(300);
    for key in ["", "\"\"", long.as_str()] {
        let reply = app.with("Idempotency-Key", key).try_send(&email("ann@example.com")).await;
        reply.assert(400);
        reply.error(400, &reply.text("$.code"));
    }
}

#[tokio::test]
async fn a_replay_counts_against_no_limit_of_sends() {
    let app = TestApp::builder().set("limits.sends_per_user", "1/5m").spawn().await;
    let caller = app.with("Idempotency-Key", "order-17");
    for _ in 0..3 {
        caller
            .post("/api/v1/otp/send", &json!({"channels": ["email"], "recipients": {"email": "ann@example.com"}}))
            .await
            .assert(200);
    }
}
