//! A dialect costs one folder and one line: this one stands outside of the product, in a folder of the tests, and its line is the one that
//! adds it to a server.

mod voice;

use countersign_tests::{Client, KeyWish, Reply, TestApp, wrong_code};
use reqwest::Method;
use serde_json::json;

use self::voice::Fifth;

async fn speaking() -> TestApp {
    let reader = KeyWish::test().read_only();
    TestApp::builder().key("reader", reader).set("limits.calls_per_key", "100/1m").dialect(&Fifth).spawn().await
}

fn caller(app: &TestApp, key: &str) -> Client {
    app.nobody().with("X-Fifth-Key", app.secret(key))
}

#[track_caller]
fn says(reply: &Reply, status: u16, words: &str) {
    assert_eq!((reply.status, String::from_utf8_lossy(&reply.body).as_ref()), (status, words), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"), "{reply:?}");
    assert!(reply.header("x-request-id").is_some() && reply.header("x-ratelimit-limit") == Some("100"), "{reply:?}");
}

/// The session and the code that a reply tells.
fn told(reply: &Reply) -> (String, String) {
    let words = String::from_utf8_lossy(&reply.body).into_owned();
    let (session, code) = words.split_once(' ').unwrap_or_else(|| panic!("{reply:?}"));
    (session.to_owned(), code.to_owned())
}

#[tokio::test]
async fn a_code_is_sent_and_verified_and_every_other_dialect_sees_the_same_session() {
    let app = speaking().await;
    let fifth = caller(&app, "test");
    let sent = fifth.post("/fifth/codes", &json!({"phone": "+12025550143"})).await;
    sent.assert(201);
    let (session, code) = told(&sent);
    let answer = async |code: &str| {
        let body = json!({"code": code}).to_string();
        fifth.call(Method::PUT, &format!("/fifth/codes/{session}"), Some("application/json"), body).await
    };
    says(&answer(&wrong_code(&[&code])).await, 200, "no");
    app.get(&format!("/api/v1/otp/sessions/{session}")).await.assert(200).json("$.status", "pending");
    says(&answer(&code).await, 200, "yes");
    app.get(&format!("/api/v1/otp/sessions/{session}")).await.assert(200).json("$.status", "verified");
    says(&answer(&code).await, 409, "oh no: session already verified");
    let stranger = caller(&app, "live");
    let foreign =
        stranger.call(Method::PUT, &format!("/fifth/codes/{session}"), Some("application/json"), "{\"code\":\"1\"}").await;
    says(&foreign, 409, "oh no: no session of this caller answers to that");
}

#[tokio::test]
async fn what_stops_a_call_early_is_told_in_its_own_voice() {
    let app = speaking().await;
    let (fifth, reader) = (caller(&app, "test"), caller(&app, "reader"));
    says(&fifth.get("/fifth/nowhere").await, 404, "oh no: nothing there");
    let not_so = fifth.get("/fifth/codes").await;
    says(&not_so, 405, "oh no: not like that");
    assert_eq!(not_so.header("allow"), Some("POST, OPTIONS"), "{not_so:?}");
    let json = Some("application/json");
    says(&fifth.call(Method::POST, "/fifth/codes", json, "x".repeat(70_000)).await, 400, "oh no: more than 64 KiB");
    let untold = fifth.call(Method::POST, "/fifth/codes", None, "{}").await;
    says(&untold, 400, "oh no: not declared as plain JSON in UTF-8");
    says(&fifth.call(Method::POST, "/fifth/codes", json, "[]").await, 400, "oh no: not a JSON object");
    says(&app.post("/fifth/codes", &json!({})).await, 401, "oh no: who are you?");
    says(&reader.post("/fifth/codes", &json!({})).await, 403, "oh no: just looking, you said");
    says(&fifth.post("/fifth/codes", &json!({})).await, 400, "oh no: whose phone?");
    let options = fifth.call(Method::OPTIONS, "/fifth/codes/ses_1", None, "").await;
    assert_eq!((options.status, options.header("allow")), (204, Some("PUT, OPTIONS")), "{options:?}");
    // Beside its own paths it has nothing to say.
    fifth.get("/fifth").await.error(404, "not_found");
    app.stop().await;
}

#[tokio::test]
async fn a_defect_ends_one_call_and_is_told_in_its_own_voice() {
    let app = speaking().await;
    let fifth = caller(&app, "test");
    says(&fifth.get("/fifth/stumble").await, 500, "oh no: I stumbled");
    fifth.post("/fifth/codes", &json!({"phone": "+12025550143"})).await.assert(201);
}

#[tokio::test]
async fn its_calls_are_counted_with_all_others() {
    let app = TestApp::builder().set("limits.calls_per_key", "2/1m").dialect(&Fifth).spawn().await;
    let fifth = caller(&app, "test");
    fifth.post("/fifth/codes", &json!({})).await.assert(400);
    app.get("/api/v1/otp/sessions").await.assert(200);
    let refused = fifth.post("/fifth/codes", &json!({"phone": "+12025550143"})).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")), "{refused:?}");
    assert_eq!(refused.body, b"oh no: slowly, please", "{refused:?}");
}

#[tokio::test]
async fn its_description_stands_beside_the_others_and_its_paths_are_labels_without_what_callers_wrote() {
    let app = speaking().await;
    app.nobody().get("/openapi/fifth.json").await.assert(200).json("$.info.title", "Fifth");
    caller(&app, "test")
        .call(Method::PUT, "/fifth/codes/ses_secret", Some("application/json"), "{\"code\":\"1\"}")
        .await
        .assert(410);
    let mut metrics = String::new();
    // Of every node.
    for _ in 0..2 {
        metrics += &String::from_utf8_lossy(&app.admin().get("/metrics").await.assert(200).body);
    }
    assert!(metrics.contains("/fifth/codes/{session}") && !metrics.contains("ses_secret"), "{metrics}");
}
