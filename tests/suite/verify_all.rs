//! Verification where every channel must be proved.

use countersign_tests::{Ask, TestApp, email, wrong_code};
use serde_json::json;

fn both() -> Ask {
    email("ann@example.com").and("sms", "+12025550143").all()
}

#[tokio::test]
async fn a_guess_for_each_channel_completes_the_session() {
    let app = TestApp::spawn().await;
    let sent = app.send(both()).await;
    let reply = app.verify_each(&sent, &[("email", sent.code("email")), ("sms", sent.code("sms"))]).await;
    reply.assert(200).json("$.verified", true).json("$.session_verified", true).json("$.verification_mode", "all");
    reply.json("$.verified_channels", json!(["email", "sms"])).json("$.pending_channels", json!([]));
}

#[tokio::test]
async fn channels_may_be_proved_one_after_another() {
    let app = TestApp::spawn().await;
    let sent = app.send(both()).await;
    let first = app.verify_each(&sent, &[("sms", sent.code("sms"))]).await;
    first.assert(200).json("$.verified", true).json("$.session_verified", false).json("$.attempts_remaining", 3);
    first.json("$.verified_channels", json!(["sms"])).json("$.pending_channels", json!(["email"]));
    first.json("$.verified_at", serde_json::Value::Null).without("$.verification_proof");
    app.status(&sent)
        .await
        .json("$.status", "pending")
        .json("$.channels.sms.verified", true)
        .json("$.channels.email.verified", false);
    let second = app.verify_each(&sent, &[("email", sent.code("email"))]).await;
    second
        .assert(200)
        .json("$.verified", true)
        .json("$.session_verified", true)
        .json("$.verified_channels", json!(["email", "sms"]));
    app.status(&sent).await.json("$.status", "verified");
}

#[tokio::test]
async fn a_guess_counts_only_for_its_own_channel() {
    let app = TestApp::spawn().await;
    let sent = app.send(both()).await;
    let reply = app.verify_each(&sent, &[("email", sent.code("sms"))]).await;
    reply
        .assert(200)
        .json("$.verified", false)
        .json("$.attempts_remaining", 2)
        .json("$.pending_channels", json!(["email", "sms"]));
}

#[tokio::test]
async fn a_right_guess_is_kept_beside_a_wrong_one() {
    let app = TestApp::spawn().await;
    let sent = app.send(both()).await;
    let wrong = wrong_code(&[sent.code("email"), sent.code("sms")]);
    let reply = app.verify_each(&sent, &[("email", sent.code("email")), ("sms", &wrong)]).await;
    reply.assert(200).json("$.verified", false).json("$.session_verified", false).json("$.attempts_remaining", 2);
    reply.json("$.verification_results.email", json!({"success": true}));
    reply.json("$.verification_results.sms", json!({"success": false, "message": "Invalid OTP"}));
    reply.json("$.verified_channels", json!(["email"])).json("$.pending_channels", json!(["sms"]));
    let reply = app.verify_each(&sent, &[("sms", sent.code("sms"))]).await;
    reply.assert(200).json("$.verified", true).json("$.session_verified", true);
}

#[tokio::test]
async fn a_channel_proved_before_is_told_and_costs_nothing() {
    let app = TestApp::spawn().await;
    let sent = app.send(both()).await;
    app.verify_each(&sent, &[("email", sent.code("email"))]).await.json("$.verified", true);
    let reply = app.verify_each(&sent, &[("email", sent.code("email")), ("sms", sent.code("sms"))]).await;
    reply.assert(200).json("$.verified", true).json("$.session_verified", true).json("$.attempts_remaining", 3);
    reply.json("$.verification_results.email", json!({"success": false, "message": "Channel already verified"}));
}

#[tokio::test]
async fn only_a_channel_proved_before_is_a_conflict() {
    let app = TestApp::spawn().await;
    let sent = app.send(both()).await;
    app.verify_each(&sent, &[("email", sent.code("email"))]).await.json("$.verified", true);
    let reply = app.verify_each(&sent, &[("email", sent.code("email"))]).await;
    reply.assert(409).json("$.message", "Channel already verified").json("$.details.attempts_remaining", 3);
    app.status(&sent).await.json("$.attempts_remaining", 3).json("$.status", "pending");
}

#[tokio::test]
async fn a_code_without_a_channel_is_refused_while_more_than_one_could_be_meant() {
    let app = TestApp::spawn().await;
    let sent = app.send(both()).await;
    let reply = app.verify(&sent, sent.code("email")).await;
    reply.assert(400);
    reply.error(400, &reply.text("$.code")).json("$.details.attempts_remaining", 3);
    app.verify_each(&sent, &[("sms", sent.code("sms"))]).await.json("$.verified", true);
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.session_verified", true);
}

#[tokio::test]
async fn wrong_guesses_lock_the_session_whatever_was_proved() {
    let app = TestApp::spawn().await;
    let sent = app.send(both().max_attempts(1)).await;
    let wrong = wrong_code(&[sent.code("email"), sent.code("sms")]);
    app.verify_each(&sent, &[("email", sent.code("email")), ("sms", &wrong)]).await.assert(200).json("$.attempts_remaining", 0);
    app.verify_each(&sent, &[("sms", sent.code("sms"))]).await.error(429, "session_locked");
}
