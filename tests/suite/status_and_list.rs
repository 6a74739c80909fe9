//! Looking at sessions.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_tests::{Client, TestApp, email, sms};
use serde_json::{Value, json};

#[tokio::test]
async fn a_status_tells_where_a_session_stands() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").and("sms", "+12025550143").all().set("metadata", json!({"order": 7}))).await;
    let reply = app.status(&sent).await;
    reply
        .assert(200)
        .json("$.session_id", sent.session_id.as_str())
        .json("$.status", "pending")
        .json("$.verification_mode", "all")
        .json("$.attempts_remaining", 3)
        .json("$.created_at", "2026-01-15T10:45:00.000Z")
        .json("$.expires_at", "2026-01-15T10:55:00.000Z")
        .json("$.verified_at", Value::Null)
        .json("$.metadata", json!({"order": 7}))
        .json("$.sandbox", true)
        .json("$.channels.email.recipient", "a•••@example.com")
        .json("$.channels.email.status", "sent")
        .json("$.channels.email.provider", "sandbox")
        .json("$.channels.email.verified", false)
        .json("$.channels.email.sent_at", "2026-01-15T10:45:00.000Z")
        .json("$.channels.email.delivered_at", Value::Null)
        .json("$.channels.sms.recipient", "+1202•••0143");
    reply.json("$.channels.email.message_id", sent.reply.at("$.channels_sent.email.message_id"));
    assert!(reply.at("$.cost").is_object(), "{reply:?}");
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    for hidden in [sent.code("email"), sent.code("sms"), "ann@example.com", "+12025550143"] {
        assert!(!text.contains(hidden), "{hidden} is shown: {reply:?}");
    }
}

#[tokio::test]
async fn a_session_is_found_by_its_id_as_by_its_token() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let by_id = app.get(&format!("/api/v1/otp/sessions/{}", sent.session_id)).await;
    by_id.assert(200);
    assert_eq!(by_id.body(), app.status(&sent).await.body());
}

#[tokio::test]
async fn every_status_is_told_by_its_word() {
    let app = TestApp::builder().generous().spawn().await;
    let session = async || app.send(email("ann@example.com").max_attempts(1)).await;
    let (verified, locked, canceled, pending) = (session().await, session().await, session().await, session().await);
    app.verify(&verified, verified.code("email")).await.assert(200);
    app.guess_wrong(&locked).await.assert(200);
    app.cancel(&canceled).await.assert(200);
    for (sent, word) in [(&verified, "verified"), (&locked, "locked"), (&canceled, "canceled"), (&pending, "pending")] {
        app.status(sent).await.assert(200).json("$.status", word);
    }
    app.status(&verified).await.json("$.verified_at", "2026-01-15T10:45:00.000Z").json("$.channels.email.verified", true);
    app.advance(Duration::from_mins(10));
    for (sent, word) in [(&verified, "verified"), (&locked, "expired"), (&canceled, "canceled"), (&pending, "expired")] {
        app.status(sent).await.assert(200).json("$.status", word);
    }
}

#[tokio::test]
async fn an_unknown_id_and_an_unknown_token_are_answered_alike() {
    let app = TestApp::spawn().await;
    let unknown = app.get("/api/v1/otp/sessions/ses_01KEZZZZZZZZZZZZZZZZZZZZZZ").await;
    unknown.error(401, "session_not_recognised");
    let malformed = app.get("/api/v1/otp/sessions/not-an-id").await;
    assert_eq!(malformed.sameness(), unknown.sameness());
    let token = app.post("/api/v1/otp/status", &json!({"session_token": "x"})).await;
    assert_eq!(token.sameness(), unknown.sameness());
}

/// The ids that a list shows, page after page.
async fn listed(client: &Client, query: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let reply = client.get(&format!("/api/v1/otp/sessions?{query}{cursor}")).await;
        reply.assert(200);
        let rows = reply.at("$.data");
        ids.extend(rows.as_array().expect("a list").iter().map(|row| row["session_id"].as_str().unwrap().to_owned()));
        if reply.at("$.has_more") == json!(false) {
            reply.json("$.next_cursor", Value::Null);
            return ids;
        }
        cursor = format!("&cursor={}", reply.text("$.next_cursor"));
    }
}

#[tokio::test]
async fn a_list_shows_the_newest_first_page_by_page() {
    let app = TestApp::builder().generous().spawn().await;
    let mut opened = Vec::new();
    for number in 0..7 {
        opened.push(app.send(email(&format!("ann{number}@example.com"))).await.session_id);
        app.advance(Duration::from_secs(1));
    }
    opened.reverse();
    assert_eq!(listed(&app, "").await, opened);
    assert_eq!(listed(&app, "limit=3").await, opened);
    let page = app.get("/api/v1/otp/sessions?limit=3").await;
    page.json("$.has_more", true);
    assert_eq!(page.at("$.data").as_array().unwrap().len(), 3, "{page:?}");
}

#[tokio::test]
async fn a_list_is_filtered_by_status_channel_and_time() {
    let app = TestApp::builder().generous().spawn().await;
    let early = app.send(email("ann@example.com")).await;
    app.advance(Duration::from_secs(60));
    let verified = app.send(sms("+12025550143")).await;
    app.verify(&verified, verified.code("sms")).await.assert(200);
    app.advance(Duration::from_secs(60));
    let late = app.send(sms("+12025550144")).await;
    let set = |ids: &[&countersign_tests::Sent]| ids.iter().map(|sent| sent.session_id.clone()).collect::<BTreeSet<_>>();
    let found = async |query: &str| listed(&app, query).await.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(found("status=pending").await, set(&[&early, &late]));
    assert_eq!(found("status=verified").await, set(&[&verified]));
    assert_eq!(found("channel=sms").await, set(&[&verified, &late]));
    assert_eq!(found("from=2026-01-15T10:46:00.000Z").await, set(&[&verified, &late]));
    assert_eq!(found("to=2026-01-15T10:47:00Z").await, set(&[&early, &verified]));
    assert_eq!(found("channel=sms&status=pending&from=2026-01-15T10:46:30Z").await, set(&[&late]));
}

#[tokio::test]
async fn a_list_refuses_what_it_does_not_understand() {
    let app = TestApp::spawn().await;
    for (query, field) in [
        ("status=lost", "status"),
        ("channel=pigeon", "channel"),
        ("from=yesterday", "from"),
        ("to=tomorrow", "to"),
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("cursor=nowhere", "cursor"),
    ] {
        let reply = app.get(&format!("/api/v1/otp/sessions?{query}")).await;
        reply.assert(400).json("$.details.field", field);
        reply.error(400, &reply.text("$.code"));
    }
}

#[tokio::test]
async fn a_list_shows_the_callers_own_kind_of_sessions_only() {
    let app = TestApp::builder().key("foreign", countersign_tests::KeyWish::test().of_another_tenant()).spawn().await;
    let own = app.send(email("ann@example.com")).await;
    let foreign = app.as_key("foreign").send(email("ann@example.com")).await;
    let live = app.live().send(email("ann@example.com").set("sandbox_mode", true)).await;
    assert_eq!(listed(&app, "").await, [own.session_id]);
    assert_eq!(listed(&app.as_key("foreign"), "").await, [foreign.session_id]);
    assert_eq!(listed(&app.live(), "").await, [live.session_id]);
}
