//! What is said later of messages to test numbers.

use std::time::Duration;

use countersign_tests::{Client, TestApp, poll};
use serde_json::json;

use super::caller;

async fn issued(caller: &Client, number: &str) -> String {
    let body = json!({"phoneNumber": number, "purpose": "login", "idempotencyKey": number.replace(' ', "-")});
    caller.post("/v1/issue", &body).await.assert(200).text("$.issueId")
}

async fn delivery(caller: &Client, issue: &str) -> String {
    caller.get(&format!("/v1/status?issueId={issue}")).await.assert(200).text("$.deliveryStatus")
}

async fn until(caller: &Client, issue: &str, status: &str) {
    poll("the receipt", async || {
        let shown = delivery(caller, issue).await;
        if shown == status { Ok(()) } else { Err(shown) }
    })
    .await;
}

#[tokio::test]
async fn messages_to_test_numbers_arrive_or_fail_at_the_vendors_times() {
    let app = TestApp::spawn().await;
    let caller = caller(&app, "test");
    let timeline = [
        (0, "delivered", 2),
        (4, "delivered", 2),
        (5, "delivered", 2),
        (11, "delivered", 2),
        (1, "failed", 3),
        (10, "delivered", 4),
        (2, "delivered", 30),
    ];
    let mut issues = Vec::new();
    for (digits, status, seconds) in timeline {
        issues.push((issued(&caller, &format!("010-0000-00{digits:02}")).await, status, seconds));
    }
    let ambiguous = issued(&caller, "010-0000-0003").await;
    let mut now = 0;
    for moment in [2, 3, 4, 30] {
        // A millisecond before, nothing new is said of anybody; and what is due is taken in by the order of its time.
        app.advance(Duration::from_millis(1000 * (moment - now) - 1));
        let prompt = app.send(countersign_tests::email("delivered@sandbox.test")).await;
        poll("another receipt", async || {
            let shown = app.status(&prompt).await.text("$.channels.email.status");
            if shown == "delivered" { Ok(()) } else { Err(shown) }
        })
        .await;
        for (issue, status, seconds) in &issues {
            let expected = if *seconds < moment { *status } else { "sent" };
            assert_eq!(delivery(&caller, issue).await, expected, "at {moment}");
        }
        app.advance(Duration::from_millis(1));
        now = moment;
        for (issue, status, _) in issues.iter().filter(|(.., seconds)| *seconds == moment) {
            until(&caller, issue, status).await;
        }
    }
    assert_eq!(delivery(&caller, &ambiguous).await, "sent");
    let (failed, ..) = &issues[4];
    let status = caller.get(&format!("/v1/status?issueId={failed}")).await;
    status.json("$.overallStatus", "delivery_failed");
    let verified = caller.post("/v1/verify", &json!({"issueId": failed, "code": "000000"})).await;
    verified.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_message_has_one_id_whoever_shows_it() {
    let app = TestApp::spawn().await;
    let caller = caller(&app, "test");
    let issue = issued(&caller, "010-0000-0000").await;
    let id = caller.get(&format!("/v1/status?issueId={issue}")).await.assert(200).text("$.messageId");
    assert!(id.starts_with("msg_sandbox_"), "{id}");
    let native = app.get("/api/v1/otp/sessions").await;
    native.assert(200).json("$.data[0].channels.sms.message_id", id.as_str());
    let chief = crate::admin_access::chief(&app).await;
    let seen = chief.get(&format!("/admin/v1/tenants/{}/sessions/{issue}", app.tenant())).await;
    seen.assert(200).json("$.channels[0].message", id.as_str());
}

#[tokio::test]
async fn the_older_api_promises_no_receipt() {
    let app = TestApp::spawn().await;
    let caller = caller(&app, "test");
    let (id, _) = super::sent(&caller, "+12025550110").await;
    app.advance(Duration::from_secs(31));
    let issue = issued(&caller, "+1 202 555 0111").await;
    app.advance(Duration::from_secs(2));
    until(&caller, &issue, "delivered").await;
    caller.get(&format!("/v1/status/{id}")).await.assert(200).json("$.status", "sent");
}
