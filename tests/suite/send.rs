//! A send that succeeds: what it answers, and what its fields change.

use countersign_tests::{Ask, TestApp, email, sms};
use serde_json::{Value, json};

#[tokio::test]
async fn a_send_answers_200_with_everything_that_clients_read() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let code = sent.code("email").to_owned();
    assert_eq!(code.len(), 6, "{:?}", sent.reply);
    assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{:?}", sent.reply);
    assert!(sent.session_id.starts_with("ses_"), "{:?}", sent.reply);
    assert_eq!(sent.token.split('.').count(), 3, "{:?}", sent.reply);
    sent.reply
        .json("$.success", true)
        .json("$.expires_at", "2026-01-15T10:55:00.000Z")
        .json("$.resend_after", "2026-01-15T10:45:30.000Z")
        .json("$.verification_mode", "any")
        .json("$.attempts_remaining", 3)
        .json("$.config", json!({"otp_length": 6, "expiry_minutes": 10, "max_attempts": 3}))
        .json("$.sandbox", true)
        .json("$.sandbox_otps", json!({"email": code}))
        .json("$.channels_sent.email.success", true)
        .json("$.data.session_id", sent.session_id.as_str())
        .json("$.data.expires_at", "2026-01-15T10:55:00.000Z")
        .json("$.data.channels", json!(["email"]))
        .json("$.data.recipients", json!({"email": "a•••@example.com"}))
        .json("$.data.otps", json!({"email": code}));
    assert!(sent.reply.text("$.channels_sent.email.message_id").starts_with("msg_sandbox_"), "{:?}", sent.reply);
    assert!(!sent.reply.text("$.message").is_empty(), "{:?}", sent.reply);
}

#[tokio::test]
async fn a_live_session_shows_no_code_and_says_nothing_of_a_sandbox() {
    let sink = countersign_tests::MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let sent = app.live().send(email("ann@example.com")).await;
    sent.reply.without("$.sandbox").without("$.sandbox_otps").without("$.data.otps");
    let id = sent.reply.text("$.channels_sent.email.message_id");
    assert!(id.starts_with("msg_") && !id.starts_with("msg_sandbox_"), "{:?}", sent.reply);
    let code = sink.mail(1).await.code();
    assert!(!String::from_utf8_lossy(&sent.reply.body).contains(&code), "{:?}", sent.reply);
}

#[tokio::test]
async fn every_channel_gets_a_code_of_its_own() {
    let app = TestApp::spawn().await;
    let ask = email("ann@example.com").and("sms", "+12025550143").and("whatsapp", "+12025550144").and("voice", "+12025550145");
    let sent = app.send(ask.length(8)).await;
    let codes: std::collections::BTreeSet<&str> = ["email", "sms", "whatsapp", "voice"].map(|channel| sent.code(channel)).into();
    assert_eq!(codes.len(), 4, "{:?}", sent.reply);
    sent.reply.json("$.data.recipients.sms", "+1202•••0143");
    for channel in ["email", "sms", "whatsapp", "voice"] {
        sent.reply.json(&format!("$.channels_sent.{channel}.success"), true);
    }
}

#[tokio::test]
async fn channels_are_read_in_either_case_and_answered_in_lower_case() {
    let app = TestApp::spawn().await;
    let ask = Ask::of(json!({"channels": ["EMAIL", "Sms"], "recipients": {"email": "ann@example.com", "sms": "+12025550143"}}));
    let sent = app.send(ask).await;
    sent.reply.json("$.data.channels", json!(["email", "sms"])).json("$.channels_sent.sms.success", true);
}

#[tokio::test]
async fn the_length_of_the_code_is_the_callers_choice() {
    let app = TestApp::spawn().await;
    for length in 4..=8_u32 {
        let sent = app.send(email(&format!("ann{length}@example.com")).length(length)).await;
        assert_eq!(sent.code("email").len(), length as usize, "{:?}", sent.reply);
        sent.reply.json("$.config.otp_length", length);
    }
}

#[tokio::test]
async fn the_life_of_the_code_is_the_callers_choice() {
    let app = TestApp::spawn().await;
    app.send(email("a@example.com").set("config.expiry_minutes", 1)).await.reply.json("$.expires_at", "2026-01-15T10:46:00.000Z");
    app.send(email("b@example.com").set("config.expiry_minutes", 60))
        .await
        .reply
        .json("$.expires_at", "2026-01-15T11:45:00.000Z");
}

#[tokio::test]
async fn the_attempts_are_the_callers_choice() {
    let app = TestApp::spawn().await;
    for attempts in [1, 10] {
        let sent = app.send(email(&format!("ann{attempts}@example.com")).max_attempts(attempts)).await;
        sent.reply.json("$.attempts_remaining", attempts).json("$.config.max_attempts", attempts);
    }
}

#[tokio::test]
async fn one_code_for_all_channels_when_asked_for() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").and("sms", "+12025550143").set("config.shared_code", true)).await;
    assert_eq!(sent.code("email"), sent.code("sms"));
}

#[tokio::test]
async fn the_verification_mode_may_stand_at_the_top_or_in_config() {
    let app = TestApp::spawn().await;
    let two = |name: &str| email(&format!("{name}@example.com")).and("sms", "+12025550143");
    app.send(two("a").set("verification_mode", "all")).await.reply.json("$.verification_mode", "all");
    app.send(two("b").set("config.verification_mode", "all")).await.reply.json("$.verification_mode", "all");
    app.send(two("c").set("config.verification_mode", "any")).await.reply.json("$.verification_mode", "any");
}

#[tokio::test]
async fn a_code_of_the_callers_own_is_used() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").set("code", "20260115")).await;
    assert_eq!(sent.code("email"), "20260115");
    app.verify(&sent, "20260115").await.assert(200).json("$.verified", true);

    let each = email("bob@example.com").and("sms", "+12025550143").set("codes", json!({"email": "1234", "sms": "567890"}));
    let sent = app.send(each.all()).await;
    assert_eq!((sent.code("email"), sent.code("sms")), ("1234", "567890"));
    app.verify_each(&sent, &[("email", "1234"), ("sms", "567890")]).await.assert(200).json("$.session_verified", true);
}

#[tokio::test]
async fn metadata_is_echoed_as_it_was_given() {
    let app = TestApp::spawn().await;
    let metadata = json!({"order": 17, "nested": {"a": [1, 2.5, null, "ü"]}, "": "empty key"});
    let sent = app.send(email("ann@example.com").set("metadata", metadata.clone())).await;
    app.status(&sent).await.assert(200).json("$.metadata", metadata.clone());
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.metadata", metadata);
}

#[tokio::test]
async fn recipients_that_were_not_asked_for_are_ignored() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").set("recipients.sms", "not a number").set("recipients.fax", 7)).await;
    sent.reply.json("$.data.recipients", json!({"email": "a•••@example.com"}));
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let app = TestApp::spawn().await;
    app.send(email("ann@example.com").set("template_key", "x").set("config.color", "red")).await;
}

#[tokio::test]
async fn strict_handling_names_fields_that_nobody_reads() {
    let app = TestApp::spawn().await;
    let strict = app.with("Prefer", "handling=strict");
    strict.try_send(&email("ann@example.com").set("colour", "red")).await.error(400, &code_of(&strict, "colour").await);
    let ask = email("ann@example.com").set("colour", "red").set("config.shape", "round").set("recipients.sms", "+12025550143");
    let reply = strict.try_send(&ask).await;
    reply.assert(400);
    let named: Vec<String> =
        reply.at("$.details.errors").as_array().unwrap().iter().map(|fault| fault["field"].to_string()).collect();
    for field in ["colour", "config.shape", "recipients.sms"] {
        assert!(named.contains(&format!("\"{field}\"")), "{field} is not named: {reply:?}");
    }
    strict.send(email("ann@example.com")).await;
}

/// The code with which a field is refused, whatever the word.
async fn code_of(client: &countersign_tests::Client, field: &str) -> String {
    let reply = client.try_send(&email("ann@example.com").set(field, "red")).await;
    reply.assert(400).json("$.details.field", field);
    reply.text("$.code")
}

#[tokio::test]
async fn a_live_key_may_ask_for_the_sandbox() {
    let app = TestApp::spawn().await;
    let sent = app.live().send(email("ann@example.com").set("sandbox_mode", true)).await;
    sent.reply.json("$.sandbox", true);
    app.live().verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true).json("$.sandbox", true);
}

#[tokio::test]
async fn a_test_key_stays_in_the_sandbox_whatever_is_asked() {
    let app = TestApp::spawn().await;
    app.send(email("ann@example.com").set("sandbox_mode", false)).await.reply.json("$.sandbox", true);
}

#[tokio::test]
async fn a_service_brings_its_own_defaults_and_the_call_wins_over_them() {
    let id = "8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11";
    let keys: [(&str, Value); 4] =
        [("code_length", 8.into()), ("life_minutes", 5.into()), ("max_attempts", 7.into()), ("resend_after_seconds", 90.into())];
    let app = TestApp::builder().with(|setup| setup.service(id, &keys)).spawn().await;
    let sent = app.send(email("ann@example.com").set("service_id", id)).await;
    sent.reply
        .json("$.config", json!({"otp_length": 8, "expiry_minutes": 5, "max_attempts": 7}))
        .json("$.resend_after", "2026-01-15T10:46:30.000Z");
    let sent = app.send(email("bob@example.com").set("service_id", id).length(4)).await;
    sent.reply.json("$.config", json!({"otp_length": 4, "expiry_minutes": 5, "max_attempts": 7}));
    let sent = app.send(email("eve@example.com")).await;
    sent.reply.json("$.config", json!({"otp_length": 6, "expiry_minutes": 10, "max_attempts": 3}));
}

#[tokio::test]
async fn a_life_above_the_services_ceiling_is_refused_not_cut() {
    let id = "8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11";
    let app = TestApp::builder().with(|setup| setup.service(id, &[("max_life_minutes", 15.into())])).spawn().await;
    let ask = |minutes: u32| email("ann@example.com").set("service_id", id).set("config.expiry_minutes", minutes);
    app.send(ask(15)).await;
    app.try_send(&ask(16)).await.error(400, "invalid_config").json("$.details.field", "config.expiry_minutes");
}

#[tokio::test]
async fn the_second_mount_speaks_the_same() {
    let app = TestApp::spawn().await;
    let reply = app.post("/v1/otp/send", email("ann@example.com").body()).await;
    let sent = countersign_tests::Sent::read(reply);
    let reply = app.post("/v1/otp/verify", &json!({"session_token": sent.token, "code": sent.code("email")})).await;
    reply.assert(200).json("$.verified", true);
    app.status(&sent).await.assert(200).json("$.status", "verified");
}

#[tokio::test]
async fn addresses_that_people_really_have_are_taken() {
    let app = TestApp::spawn().await;
    for address in ["o'hara+tag@sub.example.co.uk", "müller@bücher.example", "ANN@EXAMPLE.ORG"] {
        app.send(email(address)).await;
    }
    for number in ["+1234567", "+123456789012345", "+15550001111"] {
        app.send(sms(number)).await;
    }
}

#[tokio::test]
async fn a_live_number_must_be_possible_and_a_sandbox_number_only_well_formed() {
    let double = countersign_tests::ProviderDouble::start(countersign_tests::Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    app.send(sms("+1234567")).await;
    app.live().try_send(&sms("+1234567")).await.error(400, "invalid_recipient").json("$.details.field", "recipients.sms");
    app.live().send(sms("+12025550143")).await;
    assert_eq!(double.requests().len(), 1);
}
