//! Who the caller is, and what it can still spend.

use countersign_tests::{KeyWish, TestApp};
use reqwest::Method;

#[tokio::test]
async fn an_account_says_whose_it_is_and_that_there_is_enough_where_nobody_is_billed() {
    let app = TestApp::spawn().await;
    let account = app.get("/api/v1/account").await;
    account.assert(200).json("$.credits_remaining", 1_000_000).json("$.currency", "USD").json("$.plan", "standard");
    assert!(account.text("$.id").starts_with("ten_"), "{account:?}");
    assert!(account.at("$.email").is_null() || account.at("$.email").is_string(), "{account:?}");
    assert_eq!(app.get("/v1/account/").await.assert(200).body(), account.body());
    assert_eq!(app.live().get("/v1/account").await.assert(200).body(), account.body());
}

#[tokio::test]
async fn every_key_sees_its_own_account_and_no_other() {
    let app = TestApp::builder()
        .key("foreign", KeyWish::test().of_another_tenant())
        .key("read-only", KeyWish::test().read_only())
        .spawn()
        .await;
    let (own, foreign) = (app.get("/v1/account").await, app.as_key("foreign").get("/v1/account").await);
    assert_ne!(own.text("$.id"), foreign.assert(200).text("$.id"));
    assert_eq!(app.as_key("read-only").get("/v1/account").await.assert(200).text("$.id"), own.text("$.id"));
    app.nobody().get("/v1/account").await.error(401, "invalid_api_key");
    let reply = app.call(Method::POST, "/v1/account", Some("application/json"), "{}").await;
    reply.error(405, "method_not_allowed");
    assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS"), "{reply:?}");
}
