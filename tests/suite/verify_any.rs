//! Verification where one proved channel is enough.

use countersign_tests::{Ask, Sent, TestApp, email, sms, wrong_code};
use serde_json::{Value, json};

fn both(name: &str) -> Ask {
    email(&format!("{name}@example.com")).and("sms", "+12025550143")
}

#[tokio::test]
async fn a_right_code_answers_everything_that_clients_read() {
    let app = TestApp::spawn().await;
    let sent = app.send(both("ann").set("metadata", json!({"order": 7}))).await;
    let reply = app.verify_each(&sent, &[("email", sent.code("email"))]).await;
    reply
        .assert(200)
        .json("$.success", true)
        .json("$.verified", true)
        .json("$.session_verified", true)
        .json("$.attempts_remaining", 3)
        .json("$.verification_mode", "any")
        .json("$.verification_results", json!({"email": {"success": true}}))
        .json("$.verified_channels", json!(["email"]))
        .json("$.pending_channels", json!(["sms"]))
        .json("$.verified_at", "2026-01-15T10:45:00.000Z")
        .json("$.session_id", sent.session_id.as_str())
        .json("$.metadata", json!({"order": 7}))
        .json("$.sandbox", true)
        .json("$.data", json!({"verified": true, "verification_results": {"email": {"success": true}}}));
    assert_eq!(reply.text("$.verification_proof").split('.').count(), 3, "{reply:?}");
    assert!(!reply.text("$.message").to_lowercase().contains("invalid"), "{reply:?}");
}

#[tokio::test]
async fn a_wrong_code_is_an_answer_and_not_an_error() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let reply = app.verify_each(&sent, &[("email", &sent.wrong())]).await;
    let results = json!({"email": {"success": false, "message": "Invalid OTP"}});
    reply
        .assert(200)
        .json("$.success", false)
        .json("$.verified", false)
        .json("$.session_verified", false)
        .json("$.attempts_remaining", 2)
        .json("$.verification_mode", "any")
        .json("$.verification_results", results.clone())
        .json("$.verified_channels", json!([]))
        .json("$.pending_channels", json!(["email"]))
        .json("$.verified_at", Value::Null)
        .json("$.session_id", sent.session_id.as_str())
        .json("$.message", "Invalid OTP")
        .json("$.details", json!({"attempts_remaining": 2}))
        .json("$.data", json!({"verified": false, "verification_results": results}))
        .without("$.verification_proof");
}

#[tokio::test]
async fn the_last_allowed_guess_may_still_be_right() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").max_attempts(3)).await;
    app.guess_wrong(&sent).await.json("$.attempts_remaining", 2);
    app.guess_wrong(&sent).await.json("$.attempts_remaining", 1);
    let reply = app.verify(&sent, sent.code("email")).await;
    reply.assert(200).json("$.verified", true).json("$.attempts_remaining", 1);
}

#[tokio::test]
async fn the_guess_after_the_last_is_never_right() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").max_attempts(1)).await;
    app.guess_wrong(&sent).await.assert(200).json("$.attempts_remaining", 0);
    let reply = app.verify(&sent, sent.code("email")).await;
    reply.error(429, "session_locked").json("$.message", "Maximum verification attempts exceeded");
    reply.json("$.details.attempts_remaining", 0);
    assert_eq!(reply.header("retry-after"), None, "a locked session does not open by waiting: {reply:?}");
    app.status(&sent).await.json("$.status", "locked").json("$.attempts_remaining", 0);
}

#[tokio::test]
async fn a_code_verifies_once_ever() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
    let again = app.verify(&sent, sent.code("email")).await;
    again.error(409, "already_verified").json("$.message", "Session already verified").json("$.details.attempts_remaining", 3);
    again.json("$.sandbox", true);
}

#[tokio::test]
async fn the_channels_name_is_only_a_hint() {
    let app = TestApp::spawn().await;
    let sent = app.send(both("ann")).await;
    let reply = app.verify_each(&sent, &[("email", sent.code("sms"))]).await;
    reply
        .assert(200)
        .json("$.verified", true)
        .json("$.verification_results", json!({"email": {"success": true}}))
        .json("$.verified_channels", json!(["sms"]))
        .json("$.pending_channels", json!(["email"]));
}

#[tokio::test]
async fn a_right_guess_beside_a_wrong_one_completes_the_session_and_uses_an_attempt() {
    let app = TestApp::spawn().await;
    let sent = app.send(both("ann")).await;
    let wrong = wrong_code(&[sent.code("email"), sent.code("sms")]);
    let reply = app.verify_each(&sent, &[("email", sent.code("email")), ("sms", &wrong)]).await;
    reply.assert(200).json("$.verified", true).json("$.session_verified", true).json("$.attempts_remaining", 2);
    reply.json("$.verification_results.email.success", true).json("$.verification_results.sms.success", false);
}

#[tokio::test]
async fn two_wrong_guesses_in_one_call_use_one_attempt() {
    let app = TestApp::spawn().await;
    let sent = app.send(both("ann")).await;
    let wrong = wrong_code(&[sent.code("email"), sent.code("sms")]);
    let reply = app.verify_each(&sent, &[("email", &wrong), ("sms", &wrong)]).await;
    reply.assert(200).json("$.verified", false).json("$.attempts_remaining", 2);
}

#[tokio::test]
async fn a_code_without_a_channel_is_held_against_all() {
    let app = TestApp::spawn().await;
    let sent = app.send(both("ann")).await;
    let reply = app.verify(&sent, sent.code("sms")).await;
    reply.assert(200).json("$.verified", true).json("$.verified_channels", json!(["sms"]));
}

#[tokio::test]
async fn a_code_may_come_with_its_channel() {
    let app = TestApp::spawn().await;
    let sent = app.send(both("ann")).await;
    let body = json!({"session_token": sent.token, "code": sent.code("email"), "channel": "email"});
    let reply = app.post("/api/v1/otp/verify", &body).await;
    reply.assert(200).json("$.verified", true).json("$.verification_results", json!({"email": {"success": true}}));
}

/// What becomes of a code between eye and keyboard.
type Typed = fn(&str) -> String;

#[tokio::test]
async fn guesses_are_read_as_people_type_them() {
    let app = TestApp::builder().generous().spawn().await;
    let ways: [Typed; 6] = [
        |code| format!("  {code}\n"),
        |code| format!("{} {}", &code[..3], &code[3..]),
        |code| format!("{}-{}", &code[..3], &code[3..]),
        |code| code.chars().map(|digit| char::from_u32(digit as u32 - 0x30 + 0x0660).unwrap()).collect(),
        |code| code.chars().map(|digit| char::from_u32(digit as u32 - 0x30 + 0xFF10).unwrap()).collect(),
        |code| code.chars().map(|digit| char::from_u32(digit as u32 - 0x30 + 0x0966).unwrap()).collect(),
    ];
    for typed in ways {
        let sent = app.send(email("ann@example.com")).await;
        app.verify(&sent, &typed(sent.code("email"))).await.assert(200).json("$.verified", true);
    }
}

#[tokio::test]
async fn whatever_is_not_empty_is_a_guess() {
    let app = TestApp::builder().generous().spawn().await;
    for guess in ["1", "abcdef", "000000000000000000", "-", "🙂"] {
        let sent = app.send(email("ann@example.com")).await;
        app.verify(&sent, guess).await.assert(200).json("$.verified", false).json("$.attempts_remaining", 2);
    }
}

#[tokio::test]
async fn nothing_typed_is_no_guess() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let bodies = [
        json!({"session_token": sent.token}),
        json!({"session_token": sent.token, "otps": {}}),
        json!({"session_token": sent.token, "otps": null}),
        json!({"session_token": sent.token, "code": ""}),
        json!({"session_token": sent.token, "code": "  "}),
        json!({"session_token": sent.token, "otps": {"email": ""}}),
    ];
    for body in bodies {
        app.post("/api/v1/otp/verify", &body).await.error(400, "missing_code");
    }
    app.status(&sent).await.json("$.attempts_remaining", 3);
}

#[tokio::test]
async fn a_channel_outside_the_session_is_told_and_costs_nothing_beside_one_inside() {
    let app = TestApp::spawn().await;
    let sent = app.send(sms("+12025550143")).await;
    let reply = app.verify_each(&sent, &[("email", "123456"), ("sms", sent.code("sms"))]).await;
    reply.assert(200).json("$.verified", true).json("$.attempts_remaining", 3);
    reply.json("$.verification_results.email", json!({"success": false, "message": "Channel not found in session"}));
    reply.json("$.verification_results.sms", json!({"success": true}));
}

#[tokio::test]
async fn only_channels_outside_the_session_are_an_error_that_costs_nothing() {
    let app = TestApp::spawn().await;
    let sent = app.send(sms("+12025550143")).await;
    let reply = app.verify_each(&sent, &[("email", sent.code("sms")), ("voice", "123456")]).await;
    reply.error(400, "channel_not_found").json("$.message", "Channel not found in session");
    app.status(&sent).await.json("$.attempts_remaining", 3);
}

#[tokio::test]
async fn the_words_that_clients_match_never_mix() {
    let app = TestApp::builder().generous().spawn().await;
    let words = |reply: &countersign_tests::Reply| {
        let message = reply.text("$.message").to_lowercase();
        ["expired", "maximum", "invalid"].map(|word| message.contains(word))
    };
    let session = async || -> Sent { app.send(email("ann@example.com").max_attempts(1)).await };

    let sent = session().await;
    assert_eq!(words(&app.guess_wrong(&sent).await), [false, false, true]);
    assert_eq!(words(&app.guess_wrong(&sent).await), [false, true, false]);
    let sent = session().await;
    app.cancel(&sent).await.assert(200);
    assert_eq!(words(&app.guess_wrong(&sent).await), [false, false, false]);
    let sent = session().await;
    assert_eq!(words(&app.verify(&sent, sent.code("email")).await), [false, false, false]);
    assert_eq!(words(&app.verify(&sent, sent.code("email")).await), [false, false, false]);
    assert_eq!(words(&app.verify_each(&session().await, &[("sms", "123456")]).await), [false, false, false]);
    let sent = session().await;
    app.advance(std::time::Duration::from_mins(10));
    assert_eq!(words(&app.guess_wrong(&sent).await), [true, false, false]);
}
