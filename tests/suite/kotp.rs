//! The K-OTP dialect: the exchanges of its page and of ours, and what cannot be written down as an exchange.

mod fuzz;
mod receipts;
mod truth;

use std::path::Path;

use countersign_tests::{Client, KeyWish, Reply, TestApp, scenario, wrong_code};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Plays every exchange of a file.
async fn play(file: &str) {
    let files = scenario::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/kotp"));
    let (name, scenarios) = files.iter().find(|(name, _)| name.ends_with(file)).expect("the file of the scenarios");
    for scenario in scenarios {
        scenario::play(name, scenario).await;
    }
}

#[tokio::test]
async fn send() {
    play("/send.yaml").await;
}

#[tokio::test]
async fn verify() {
    play("/verify.yaml").await;
}

#[tokio::test]
async fn status() {
    play("/status.yaml").await;
}

#[tokio::test]
async fn list() {
    play("/list.yaml").await;
}

#[tokio::test]
async fn errors() {
    play("/errors.yaml").await;
}

#[tokio::test]
async fn limits() {
    play("/limits.yaml").await;
}

#[tokio::test]
async fn issue() {
    play("/issue.yaml").await;
}

#[tokio::test]
async fn verdict() {
    play("/verdict.yaml").await;
}

#[tokio::test]
async fn issue_reads() {
    play("/issue_reads.yaml").await;
}

#[tokio::test]
async fn test_numbers() {
    play("/test_numbers.yaml").await;
}

#[tokio::test]
async fn wallet() {
    play("/wallet.yaml").await;
}

#[tokio::test]
async fn templates() {
    play("/templates.yaml").await;
}

#[tokio::test]
async fn browser() {
    play("/browser.yaml").await;
}

/// The caller with one of the server's keys.
fn caller(app: &TestApp, key: &str) -> Client {
    app.nobody().with("Authorization", &format!("Bearer {}", app.secret(key)))
}

/// A text message to a phone.
fn text(to: &str) -> Value {
    json!({"to": to, "method": "sms", "type": "verification"})
}

/// An OTP that was sent: its id and its sandbox code.
async fn sent(caller: &Client, to: &str) -> (String, String) {
    let reply = caller.post("/v1/send", &text(to)).await;
    reply.assert(200);
    (reply.text("$.id"), reply.text("$.sandbox_otp"))
}

/// Expects an error of the reference API, whole.
#[track_caller]
fn is_error(reply: &Reply, status: u16, code: &str) {
    reply.assert(status).json("$.error.code", code);
    let error = reply.at("$.error");
    let names: Vec<&String> = error.as_object().into_iter().flat_map(|error| error.keys()).collect();
    assert_eq!(names, ["code", "message", "details"], "{reply:?}");
    assert!(error["details"].is_object() && error["message"].as_str().is_some_and(|text| !text.is_empty()), "{reply:?}");
    assert!(reply.header("x-ratelimit-reset").is_some(), "{reply:?}");
}

/// Submits the same code as often as that at once.
async fn at_once(caller: &Client, id: &str, code: &str, count: usize) -> Vec<Reply> {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let (caller, body) = (caller.clone(), json!({"id": id, "code": code}));
        calls.spawn(async move { caller.post("/v1/verify", &body).await });
    }
    calls.join_all().await
}

#[tokio::test]
async fn of_a_hundred_right_codes_at_once_one_is_right() {
    let app = TestApp::spawn().await;
    let caller = caller(&app, "test");
    let (id, code) = sent(&caller, "+12025550143").await;
    let replies = at_once(&caller, &id, &code, 100).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1, "{replies:#?}");
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        is_error(reply, 400, "OTP_ALREADY_VERIFIED");
    }
}

#[tokio::test]
async fn of_a_hundred_wrong_codes_at_once_five_are_heard() {
    let app = TestApp::spawn().await;
    let caller = caller(&app, "test");
    let (id, code) = sent(&caller, "+12025550143").await;
    let replies = at_once(&caller, &id, &wrong_code(&[&code]), 100).await;
    let mut left: Vec<i64> = Vec::new();
    for reply in &replies {
        if reply.at("$.error.code") == "INVALID_CODE" {
            left.push(reply.int("$.error.details.attempts_remaining"));
        } else {
            is_error(reply, 400, "MAX_ATTEMPTS");
        }
    }
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn two_tenants_do_not_meet() {
    let app = TestApp::builder().key("stranger", KeyWish::test().of_another_tenant()).spawn().await;
    let (ours, theirs) = (caller(&app, "test"), caller(&app, "stranger"));
    let (id, code) = sent(&ours, "+12025550143").await;
    is_error(&theirs.get(&format!("/v1/status/{id}")).await, 404, "OTP_NOT_FOUND");
    for reply in at_once(&theirs, &id, &wrong_code(&[&code]), 10).await {
        is_error(&reply, 404, "OTP_NOT_FOUND");
    }
    is_error(&at_once(&theirs, &id, &code, 1).await[0], 404, "OTP_NOT_FOUND");
    theirs.get("/v1/otps").await.assert(200).json("$.pagination.total", 0);
    // What one sends to a person is not counted against the other.
    for _ in 0..9 {
        sent(&ours, "+12025550143").await;
    }
    is_error(&ours.post("/v1/send", &text("+12025550143")).await, 429, "RATE_LIMITED");
    sent(&theirs, "+12025550143").await;
    // Guessed at by strangers, the OTP is as it was.
    let right = at_once(&ours, &id, &code, 1).await.remove(0);
    right.assert(200).json("$.valid", true).json("$.attempts", 1);
}

#[tokio::test]
async fn a_body_above_64_kib_is_too_large() {
    let app = TestApp::spawn().await;
    let call = caller(&app, "test").call(Method::POST, "/v1/send", Some("application/json"), "x".repeat(65_537)).await;
    is_error(&call, 413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn metadata_of_1024_bytes_comes_back_and_one_byte_more_is_refused() {
    let app = TestApp::spawn().await;
    let caller = caller(&app, "test");
    let mut call = text("+12025550143");
    let metadata = |length: usize| json!({"note": "x".repeat(length - r#"{"note":""}"#.len())});
    call["metadata"] = metadata(1024);
    let reply = caller.post("/v1/send", &call).await;
    let body = json!({"id": reply.assert(200).text("$.id"), "code": reply.text("$.sandbox_otp")});
    caller.post("/v1/verify", &body).await.assert(200).json("$.metadata", metadata(1024));
    call["metadata"] = metadata(1025);
    is_error(&caller.post("/v1/send", &call).await, 400, "INVALID_METADATA");
}

#[tokio::test]
async fn a_store_that_is_away_is_told_in_this_apis_own_shape() {
    let app = TestApp::spawn().await;
    let caller = caller(&app, "test");
    let (id, code) = sent(&caller, "+12025550143").await;
    app.break_store();
    for reply in [
        caller.post("/v1/send", &text("+12025550143")).await,
        caller.post("/v1/verify", &json!({"id": id, "code": code})).await,
        caller.get(&format!("/v1/status/{id}")).await,
    ] {
        is_error(&reply, 503, "SERVICE_UNAVAILABLE");
        assert!(reply.number_in("retry-after") > 0, "{reply:?}");
    }
    app.mend_store().await;
    caller.post("/v1/verify", &json!({"id": id, "code": code})).await.assert(200).json("$.valid", true);
}
