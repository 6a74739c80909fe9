//! Every failure in the API's own shape, whatever went wrong.

use countersign_tests::{Answer, Expected, ProviderDouble, Reply, TestApp, email, sms};
use reqwest::Method;
use serde_json::json;

const SEND: &str = "/api/v1/otp/send";

#[tokio::test]
async fn a_body_that_is_no_json_object_is_malformed() {
    let app = TestApp::spawn().await;
    for body in ["", "{", "[]", "7", "null", "\"text\"", "{\"channels\":[\"email\"],}", "{\"a\":1}{}", "channels=email"] {
        app.call(Method::POST, SEND, Some("application/json"), body).await.error(400, "malformed_body");
    }
    let deep = format!("{{\"metadata\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    app.call(Method::POST, SEND, Some("application/json"), deep).await.error(400, "malformed_body");
    app.call(Method::POST, SEND, Some("application/json"), vec![0xFF, 0xFE]).await.error(400, "malformed_body");
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let app = TestApp::spawn().await;
    for path in ["/", "/api", "/api/v1/otp", "/api/v1/otp/sends", "/api/v2/otp/send", "/metrics", "/admin", "/%00"] {
        app.get(path).await.error(404, "not_found");
        app.nobody().post(path, &json!({})).await.error(404, "not_found");
    }
}

#[tokio::test]
async fn a_known_path_says_which_methods_it_knows() {
    let app = TestApp::spawn().await;
    let rows = [
        (Method::GET, SEND, "POST"),
        (Method::PUT, SEND, "POST"),
        (Method::DELETE, "/api/v1/otp/verify", "POST"),
        (Method::GET, "/api/v1/otp/resend", "POST"),
        (Method::GET, "/v1/otp/cancel", "POST"),
        (Method::POST, "/api/v1/otp/sessions", "GET"),
        (Method::DELETE, "/api/v1/otp/sessions/ses_01KEZZZZZZZZZZZZZZZZZZZZZZ", "GET"),
        (Method::POST, "/healthz", "GET"),
    ];
    for (method, path, allowed) in rows {
        let reply = app.call(method, path, None, "").await;
        reply.error(405, "method_not_allowed");
        let allow = reply.header("allow").unwrap_or_default();
        assert!(allow.split(',').any(|method| method.trim() == allowed), "{path}: {reply:?}");
    }
}

#[tokio::test]
async fn a_body_above_64_kib_is_too_large() {
    let app = TestApp::spawn().await;
    let body = |bytes: usize| {
        let frame = email("ann@example.com").set("padding", "").body().to_string().len();
        email("ann@example.com").set("padding", "x".repeat(bytes - frame)).body().to_string()
    };
    app.call(Method::POST, SEND, Some("application/json"), body(65_536)).await.assert(200);
    app.call(Method::POST, SEND, Some("application/json"), body(65_537)).await.error(413, "payload_too_large");
    app.call(Method::POST, SEND, Some("application/json"), "x".repeat(1 << 20)).await.error(413, "payload_too_large");
}

#[tokio::test]
async fn another_media_type_is_not_read() {
    let app = TestApp::spawn().await;
    let body = email("ann@example.com").body().to_string();
    for media in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data; boundary=x")] {
        app.call(Method::POST, SEND, media, body.clone()).await.error(415, "unsupported_media_type");
    }
    for media in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"] {
        app.call(Method::POST, SEND, Some(media), body.clone()).await.assert(200);
    }
}

#[tokio::test]
async fn a_name_that_the_parser_keeps_for_itself_is_a_name_like_any_other() {
    let app = TestApp::spawn().await;
    let own = "$serde_json::private::RawValue";
    let ask = email("ann@example.com").set("config", json!({"otp_length": {own: "4"}}));
    let refused = app.try_send(&ask).await;
    refused.error(400, "invalid_config").json("$.details.field", "config.otp_length");
    // What stands under it is text: read as JSON, level upon level, it would use the stack up.
    let sent = app.send(email("ann@example.com").set("metadata", json!({own: "[1]"}))).await;
    assert_eq!(app.status(&sent).await.at("$.metadata"), json!({own: "[1]"}));
}

#[tokio::test]
async fn no_provider_for_a_channel_is_a_failed_send() {
    let app = TestApp::spawn().await;
    let reply = app.live().try_send(&sms("+12025550143")).await;
    reply.error(502, "all_channels_failed").json("$.message", "All channels failed");
    reply.json("$.details.channels_sent.sms.success", false).json("$.details.channels_sent.sms.error", "provider_unavailable");
}

#[tokio::test]
async fn errors_are_problems_for_those_who_ask_for_problems() {
    let app = TestApp::spawn().await;
    let client = app.with("Accept", "application/problem+json");
    for (reply, status, code) in [
        (client.try_send(&email("ann")).await, 400, "invalid_recipient"),
        (client.get("/nowhere").await, 404, "not_found"),
        (client.without("X-API-Key").try_send(&email("ann@example.com")).await, 401, "invalid_api_key"),
        (client.get(SEND).await, 405, "method_not_allowed"),
        (client.call(Method::POST, SEND, Some("text/plain"), "x").await, 415, "unsupported_media_type"),
        (client.call(Method::POST, SEND, Some("application/json"), "x").await, 400, "malformed_body"),
    ] {
        reply.assert(status).json("$.status", status).json("$.code", code);
        assert!(reply.header("content-type").unwrap().starts_with("application/problem+json"), "{reply:?}");
        assert!(
            reply.at("$.type").is_string() && reply.at("$.title").is_string() && reply.at("$.detail").is_string(),
            "{reply:?}"
        );
    }
    client.send(email("ann@example.com")).await;
}

#[tokio::test]
async fn no_failure_ever_speaks_html_or_plain_text() {
    let app = TestApp::spawn().await;
    let replies: Vec<Reply> = vec![
        app.with("Accept", "text/html").get("/nowhere").await,
        app.with("Accept", "text/html").call(Method::POST, SEND, Some("application/json"), "{").await,
        app.call(Method::PATCH, SEND, None, "").await,
        app.call(Method::POST, SEND, Some("application/json"), "x".repeat(100_000)).await,
        app.get("/api/v1/otp/sessions?limit=many").await,
        app.get("/api/v1/otp/sessions/%ff").await,
        app.get("/api/v1/otp/sessions?cursor=%ff%00").await,
    ];
    for reply in replies {
        assert!(reply.header("content-type").unwrap_or_default().starts_with("application/json"), "{reply:?}");
        reply.error(reply.status, &reply.text("$.code"));
    }
}

#[tokio::test]
async fn an_error_shows_no_internals_and_nothing_of_what_was_sent() {
    let double = ProviderDouble::start(Expected::json()).await;
    double.plan(Answer::With(500, r#"{"error":"stack trace at gateway.internal:5432"}"#.to_owned()));
    let app = TestApp::builder().sms(&double).spawn().await;
    let failed = app.live().try_send(&sms("+12025550143")).await;
    failed.error(502, "all_channels_failed");
    let refused = app.try_send(&email("very-private-local-part").set("code", "secret-9876")).await;
    refused.assert(400);
    for (reply, hidden) in [
        (&failed, "gateway.internal"),
        (&failed, "12025550143"),
        (&failed, "127.0.0.1"),
        (&refused, "very-private"),
        (&refused, "secret-9876"),
    ] {
        assert!(!String::from_utf8_lossy(&reply.body).contains(hidden), "{hidden} is shown: {reply:?}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_says_when_to_come_back() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.break_store();
    for reply in [
        app.try_send(&email("bob@example.com")).await,
        app.verify(&sent, "123456").await,
        app.resend(&sent).await,
        app.status(&sent).await,
        app.cancel(&sent).await,
    ] {
        reply.error(503, "unavailable");
        assert!(reply.number_in("retry-after") > 0, "{reply:?}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("table"), "{reply:?}");
    }
    app.mend_store().await;
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
}
