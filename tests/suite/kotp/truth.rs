//! One truth: what was done in one dialect is seen in the others.

use countersign_tests::{Client, TestApp, email};
use serde_json::{Value, json};

use super::{caller, is_error, sent, text};
use crate::admin_access::chief;

/// The ids of a list.
async fn listed(caller: &Client, path: &str) -> Vec<Value> {
    let reply = caller.get(path).await;
    reply.assert(200).at("$.data").as_array().expect("rows").iter().map(|row| row["id"].clone()).collect()
}

#[tokio::test]
async fn an_otp_is_a_session_everywhere() {
    let app = TestApp::spawn().await;
    let (kotp, chief) = (caller(&app, "test"), chief(&app).await);
    let (id, code) = sent(&kotp, "+12025550143").await;
    let native = app.get("/api/v1/otp/sessions").await;
    native.assert(200).json("$.data[0].status", "pending").json("$.data[0].channels.sms.recipient", "+1202•••0143");
    let session = native.text("$.data[0].session_id");
    kotp.post("/v1/verify", &json!({"id": id, "code": code})).await.assert(200);
    app.get(&format!("/api/v1/otp/sessions/{session}")).await.assert(200).json("$.status", "verified");
    kotp.get("/v1/otps?status=verified").await.assert(200).json("$.data[0].id", id.as_str());
    let seen = chief.get(&format!("/admin/v1/tenants/{}/sessions/{id}", app.tenant())).await;
    seen.assert(200).json("$.status", "verified");
}

#[tokio::test]
async fn a_session_of_another_dialect_is_an_otp_here() {
    let app = TestApp::spawn().await;
    let kotp = caller(&app, "test");
    let native = app.send(email("ann@example.com").and("sms", "+12025550143")).await;
    let rows = kotp.get("/v1/otps").await;
    rows.assert(200).json("$.pagination.total", 1).json("$.data[0].method", "email").json("$.data[0].to", "ann@example.com");
    let id = rows.text("$.data[0].id");
    kotp.get(&format!("/v1/status/{id}")).await.assert(200).json("$.status", "sent").json("$.attempts", 0);
    let verified = kotp.post("/v1/verify", &json!({"id": id, "code": native.code("sms")})).await;
    verified.assert(200).json("$.valid", true);
    app.status(&native).await.assert(200).json("$.status", "verified");
}

#[tokio::test]
async fn a_session_of_several_codes_is_not_verified_here() {
    let app = TestApp::spawn().await;
    let kotp = caller(&app, "test");
    let native = app.send(email("ann@example.com").and("sms", "+12025550143").all()).await;
    let id = kotp.get("/v1/otps").await.text("$.data[0].id");
    is_error(&kotp.post("/v1/verify", &json!({"id": id, "code": native.code("sms")})).await, 400, "INVALID_REQUEST");
    app.status(&native).await.assert(200).json("$.status", "pending");
}

#[tokio::test]
async fn what_was_sent_is_in_the_list_at_once() {
    let app = TestApp::builder().generous().spawn().await;
    let kotp = caller(&app, "test");
    for number in 0..20 {
        let (id, _) = sent(&kotp, &format!("+120255501{number:02}")).await;
        assert_eq!(listed(&kotp, "/v1/otps?limit=1").await, [id], "{number}");
        app.advance(std::time::Duration::from_millis(1));
    }
}

#[tokio::test]
async fn a_canceled_session_is_over_here() {
    let app = TestApp::spawn().await;
    let kotp = caller(&app, "test");
    let native = app.send(email("ann@example.com")).await;
    let id = kotp.get("/v1/otps").await.text("$.data[0].id");
    app.cancel(&native).await.assert(200);
    kotp.get(&format!("/v1/status/{id}")).await.assert(200).json("$.status", "expired");
    let body = json!({"id": id, "code": native.code("email")});
    is_error(&kotp.post("/v1/verify", &body).await, 404, "OTP_NOT_FOUND");
    kotp.post("/v1/send", &text("+12025550143")).await.assert(200);
}
