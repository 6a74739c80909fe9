//! Path, method, size, media type, body, credentials, permissions, rate of calls, fields, limits: the first that fails answers.

use countersign_tests::{KeyWish, TestApp, email};
use reqwest::Method;
use serde_json::json;

const SEND: &str = "/api/v1/otp/send";
const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn each_check_comes_before_all_that_follow_it() {
    let app = TestApp::builder()
        .key("read-only", KeyWish::test().read_only())
        .set("limits.calls_per_key", "1/1m")
        .set("limits.sends_per_user", "1/5m")
        .spawn()
        .await;
    let (nobody, reader) = (app.nobody(), app.as_key("read-only"));
    let big = "x".repeat(70_000);

    // Everything is wrong; then one thing less at a time.
    nobody.call(Method::PUT, "/api/v1/otp/sned", Some("text/plain"), big.clone()).await.error(404, "not_found");
    nobody.call(Method::PUT, SEND, Some("text/plain"), big.clone()).await.error(405, "method_not_allowed");
    nobody.call(Method::POST, SEND, Some("text/plain"), big).await.error(413, "payload_too_large");
    nobody.call(Method::POST, SEND, Some("text/plain"), "{").await.error(415, "unsupported_media_type");
    nobody.call(Method::POST, SEND, JSON, "{").await.error(400, "malformed_body");
    nobody.call(Method::POST, SEND, JSON, "{}").await.error(401, "invalid_api_key");
    reader.call(Method::POST, SEND, JSON, "{}").await.error(403, "forbidden");
    app.send(email("ann@example.com")).await;
    app.call(Method::POST, SEND, JSON, "{}").await.error(429, "rate_limited").json("$.details.limit", "calls_per_key");
    app.advance(std::time::Duration::from_mins(1));
    app.call(Method::POST, SEND, JSON, "{}").await.error(400, "invalid_channel");
    app.advance(std::time::Duration::from_mins(1));
    app.try_send(&email("ann@example.com")).await.error(429, "rate_limited").json("$.details.limit", "sends_per_user");
}

#[tokio::test]
async fn a_call_that_is_refused_for_its_form_is_still_a_call() {
    let app = TestApp::builder().set("limits.calls_per_key", "2/1m").spawn().await;
    app.post(SEND, &json!({})).await.assert(400);
    app.post(SEND, &json!({})).await.assert(400);
    app.post(SEND, &json!({})).await.error(429, "rate_limited");
}
