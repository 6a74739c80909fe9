//! New codes for a session that is open already.

use std::time::Duration;

use countersign_tests::{Answer, Client, Expected, ProviderDouble, Sent, TestApp, email, sms, wrong_code};
use serde_json::json;

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

/// The reply to a resend that succeeded, with the session's token, which it need not repeat.
async fn resent(client: &Client, sent: &Sent) -> Sent {
    let reply = client.resend(sent).await;
    reply.assert(200).json("$.success", true).json("$.session_id", sent.session_id.as_str());
    Sent::read(reply)
}

#[tokio::test]
async fn a_resend_answers_like_a_send_with_a_new_expiry_and_the_same_session() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.guess_wrong(&sent).await.json("$.attempts_remaining", 2);
    app.advance(Duration::from_secs(45));
    let again = resent(&app, &sent).await;
    again
        .reply
        .json("$.expires_at", "2026-01-15T10:55:45.000Z")
        .json("$.resend_after", "2026-01-15T10:46:15.000Z")
        .json("$.attempts_remaining", 3)
        .json("$.sandbox", true)
        .json("$.channels_sent.email.success", true)
        .json("$.data.otps.email", again.code("email"));
    assert_eq!(again.token, sent.token, "the token stays");
    assert_ne!(again.code("email"), sent.code("email"), "the code is a new one");
}

#[tokio::test]
async fn rotate_kills_the_old_code() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(HALF_A_MINUTE);
    let again = resent(&app, &sent).await;
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", false).json("$.attempts_remaining", 2);
    app.verify(&sent, again.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn keep_previous_keeps_both_codes_until_their_own_expiry() {
    let app = TestApp::builder().resend_policy("keep_previous").spawn().await;
    let first = app.send(email("ann@example.com")).await;
    app.advance(HALF_A_MINUTE);
    resent(&app, &first).await;
    app.verify(&first, first.code("email")).await.assert(200).json("$.verified", true);

    let second = app.send(email("bob@example.com")).await;
    app.advance(HALF_A_MINUTE);
    let again = resent(&app, &second).await;
    app.advance(Duration::from_secs(571));
    app.verify(&second, second.code("email")).await.assert(200).json("$.verified", false);
    app.verify(&second, again.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn codes_that_live_side_by_side_share_the_attempts() {
    let app = TestApp::builder().resend_policy("keep_previous").spawn().await;
    let sent = app.send(email("ann@example.com").max_attempts(2)).await;
    app.advance(HALF_A_MINUTE);
    let again = resent(&app, &sent).await;
    let wrong = wrong_code(&[sent.code("email"), again.code("email")]);
    app.verify(&sent, &wrong).await.json("$.attempts_remaining", 1);
    app.verify(&sent, &wrong).await.json("$.attempts_remaining", 0);
    app.verify(&sent, sent.code("email")).await.error(429, "session_locked");
    app.verify(&sent, again.code("email")).await.error(429, "session_locked");
}

#[tokio::test]
async fn a_resend_before_its_time_is_refused_and_says_how_long() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(Duration::from_millis(10_500));
    let early = app.resend(&sent).await;
    early.error(429, "rate_limited").json("$.details.limit", "resend_after");
    assert_eq!(early.number_in("retry-after"), 20, "{early:?}");
    app.advance(Duration::from_millis(19_499));
    assert_eq!(app.resend(&sent).await.error(429, "rate_limited").number_in("retry-after"), 1);
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn the_wait_is_the_services_to_say() {
    let app = TestApp::builder().set("session.resend_after_seconds", 0).spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    resent(&app, &sent).await;
}

#[tokio::test]
async fn a_resend_unlocks_a_locked_session() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").max_attempts(1)).await;
    app.guess_wrong(&sent).await.json("$.attempts_remaining", 0);
    app.verify(&sent, sent.code("email")).await.error(429, "session_locked");
    app.advance(HALF_A_MINUTE);
    let again = resent(&app, &sent).await;
    app.status(&sent).await.json("$.status", "pending");
    app.verify(&sent, again.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_service_may_keep_locked_sessions_locked() {
    let app = TestApp::builder().set("session.resend_unlocks", false).spawn().await;
    let sent = app.send(email("ann@example.com").max_attempts(1)).await;
    app.guess_wrong(&sent).await.json("$.attempts_remaining", 0);
    app.advance(HALF_A_MINUTE);
    app.resend(&sent).await.error(429, "session_locked");
}

#[tokio::test]
async fn a_resend_after_expiry_makes_the_session_pending_again() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(Duration::from_hours(1));
    app.sweep().await;
    app.status(&sent).await.json("$.status", "expired");
    let again = resent(&app, &sent).await;
    again.reply.json("$.expires_at", "2026-01-15T11:55:00.000Z");
    app.status(&sent).await.json("$.status", "pending");
    app.verify(&sent, again.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn nothing_is_resent_once_the_token_is_dead() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(Duration::from_hours(24));
    app.resend(&sent).await.error(401, "session_not_recognised");
}

#[tokio::test]
async fn a_verified_session_is_not_resent() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.verify(&sent, sent.code("email")).await.assert(200);
    app.advance(HALF_A_MINUTE);
    app.resend(&sent).await.error(409, "already_verified").json("$.message", "Session already verified");
}

#[tokio::test]
async fn a_canceled_session_is_not_resent() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.cancel(&sent).await.assert(200);
    app.advance(HALF_A_MINUTE);
    app.resend(&sent).await.error(410, "session_canceled");
}

#[tokio::test]
async fn channels_may_be_chosen_and_only_theirs_are_new() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").and("sms", "+12025550143").all()).await;
    app.advance(HALF_A_MINUTE);
    let body = json!({"session_token": sent.token, "channels": ["sms"]});
    let reply = app.post("/api/v1/otp/resend", &body).await;
    let again = Sent::read(reply);
    again.reply.without("$.channels_sent.email").without("$.sandbox_otps.email").json("$.channels_sent.sms.success", true);
    let reply = app.verify_each(&sent, &[("email", sent.code("email")), ("sms", again.code("sms"))]).await;
    reply.assert(200).json("$.session_verified", true);
}

#[tokio::test]
async fn without_a_choice_all_channels_that_are_not_proved_are_sent_again() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").and("sms", "+12025550143").and("voice", "+12025550144").all()).await;
    app.verify_each(&sent, &[("sms", sent.code("sms"))]).await.json("$.verified", true);
    app.advance(HALF_A_MINUTE);
    let again = resent(&app, &sent).await;
    again
        .reply
        .without("$.channels_sent.sms")
        .json("$.channels_sent.email.success", true)
        .json("$.channels_sent.voice.success", true);
}

#[tokio::test]
async fn a_channel_outside_the_session_cannot_be_resent() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(HALF_A_MINUTE);
    let body = json!({"session_token": sent.token, "channels": ["sms"]});
    app.post("/api/v1/otp/resend", &body).await.error(400, "channel_not_found");
    let body = json!({"session_token": sent.token, "channels": ["pigeon"]});
    app.post("/api/v1/otp/resend", &body).await.error(400, "invalid_channel");
}

#[tokio::test]
async fn a_resend_is_a_send_and_counts_as_one() {
    let app = TestApp::builder().set("session.resend_after_seconds", 0).spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    for _ in 0..4 {
        resent(&app, &sent).await;
    }
    let refused = app.resend(&sent).await;
    refused.error(429, "rate_limited").json("$.details.limit", "sends_per_user");
    assert_eq!(refused.number_in("retry-after"), 300, "{refused:?}");
    app.try_send(&email("ann@example.com")).await.error(429, "rate_limited");
}

#[tokio::test]
async fn a_resend_counts_against_the_end_users_address() {
    let app = TestApp::builder().set("session.resend_after_seconds", 0).set("limits.sends_per_ip", "1/1h").spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let body = json!({"session_token": sent.token, "client_ip": "203.0.113.7"});
    app.post("/api/v1/otp/resend", &body).await.assert(200);
    let refused = app.post("/api/v1/otp/resend", &body).await;
    refused.error(429, "rate_limited").json("$.details.limit", "sends_per_ip");
    resent(&app, &sent).await;
}

/// A locked session of two attempts, the gateway it was sent through, and its code.
async fn locked(double: &ProviderDouble, app: &TestApp) -> (Sent, String) {
    let sent = app.live().send(sms("+12025550143").max_attempts(2)).await;
    let code = double.request(1).await.code();
    for _ in 0..2 {
        app.live().verify(&sent, &wrong_code(&[&code])).await.assert(200).json("$.verified", false);
    }
    app.live().verify(&sent, &code).await.error(429, "session_locked");
    app.advance(HALF_A_MINUTE);
    (sent, code)
}

#[tokio::test]
async fn a_resend_under_way_opens_no_door_for_the_old_code_of_a_locked_session() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    let (sent, old) = locked(&double, &app).await;
    let gate = double.hold();
    let resending = tokio::spawn({
        let (client, sent) = (app.live(), sent.clone());
        async move { client.resend(&sent).await }
    });
    let new = double.request(2).await.code();
    let early = app.live().verify(&sent, &old).await;
    assert!(early.status == 429 || early.at("$.verified") == false, "{early:?}");
    gate.open();
    resending.await.unwrap().assert(200);
    app.live().verify(&sent, &new).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_resend_that_fails_leaves_a_locked_session_locked() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    let (sent, old) = locked(&double, &app).await;
    double.plan(Answer::With(500, "{}".to_owned()));
    app.live().resend(&sent).await.error(502, "all_channels_failed");
    app.live().verify(&sent, &old).await.error(429, "session_locked");
    app.live().status(&sent).await.json("$.status", "locked").json("$.attempts_remaining", 0);
}
