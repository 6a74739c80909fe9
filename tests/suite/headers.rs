//! What every reply carries.

use std::time::Duration;

use countersign_tests::{Reply, TestApp, email};
use reqwest::Method;
use serde_json::json;

#[track_caller]
fn carries_everything(reply: &Reply) {
    let id = reply.header("x-request-id").unwrap_or_else(|| panic!("no request id: {reply:?}"));
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    assert!((8..=128).contains(&id.len()) && id.bytes().all(harmless), "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
    assert_eq!(reply.number_in("x-ratelimit-limit"), 1000, "{reply:?}");
    assert!((0..=1000).contains(&reply.number_in("x-ratelimit-remaining")), "{reply:?}");
    assert!(reply.number_in("x-ratelimit-reset") >= 1_768_473_900, "in seconds of the epoch: {reply:?}");
    for name in ["ratelimit", "ratelimit-policy"] {
        assert!(reply.header(name).is_some_and(|value| !value.is_empty()), "no {name}: {reply:?}");
    }
}

#[tokio::test]
async fn every_reply_carries_its_request_id_the_limit_and_no_store() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    carries_everything(&sent.reply);
    carries_everything(&app.guess_wrong(&sent).await);
    carries_everything(&app.status(&sent).await);
    carries_everything(&app.try_send(&email("ann")).await);
    carries_everything(&app.post("/api/v1/otp/verify", &json!({"session_token": "x", "code": "1"})).await);
    carries_everything(&app.nobody().try_send(&email("ann@example.com")).await);
    carries_everything(&app.call(Method::POST, "/api/v1/otp/send", Some("application/json"), "{").await);
    carries_everything(&app.call(Method::POST, "/api/v1/otp/send", Some("text/plain"), "{}").await);
    carries_everything(&app.call(Method::POST, "/api/v1/otp/send", Some("application/json"), "x".repeat(70_000)).await);
    carries_everything(&app.get("/api/v1/otp/send").await);
    carries_everything(&app.get("/api/v1/otp/nowhere").await);
}

#[tokio::test]
async fn a_callers_request_id_is_echoed_when_it_is_harmless() {
    let app = TestApp::spawn().await;
    for id in ["abcdefgh", "01J9.x:y_z-1", &"a".repeat(128)] {
        let reply = app.with("X-Request-Id", id).try_send(&email("ann")).await;
        assert_eq!(reply.header("x-request-id"), Some(id), "{reply:?}");
        reply.json("$.requestId", id);
    }
    for id in ["short", "with space in it", "semi;colon;here", "<script>alert(1)</script>", &"a".repeat(129)] {
        let reply = app.with("X-Request-Id", id).try_send(&email("ann")).await;
        assert_ne!(reply.header("x-request-id"), Some(id), "{reply:?}");
        reply.error(400, "invalid_recipient");
    }
}

#[tokio::test]
async fn no_two_replies_share_a_request_id() {
    let app = TestApp::spawn().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        assert!(seen.insert(app.get("/api/v1/otp/sessions").await.header("x-request-id").unwrap().to_owned()));
    }
}

#[tokio::test]
async fn the_limit_headers_count_down_and_come_back() {
    let app = TestApp::builder().set("limits.calls_per_key", "3/1m").spawn().await;
    for remaining in [2, 1, 0] {
        let reply = app.get("/api/v1/otp/sessions").await;
        reply.assert(200);
        assert_eq!((reply.number_in("x-ratelimit-limit"), reply.number_in("x-ratelimit-remaining")), (3, remaining), "{reply:?}");
        assert_eq!(reply.number_in("x-ratelimit-reset"), app.now().seconds() + 60, "{reply:?}");
    }
    let refused = app.get("/api/v1/otp/sessions").await;
    refused.error(429, "rate_limited").json("$.message", "Rate limit exceeded");
    assert_eq!((refused.number_in("x-ratelimit-remaining"), refused.number_in("retry-after")), (0, 60), "{refused:?}");
    app.advance(Duration::from_secs(60));
    assert_eq!(app.get("/api/v1/otp/sessions").await.assert(200).number_in("x-ratelimit-remaining"), 2);
}
