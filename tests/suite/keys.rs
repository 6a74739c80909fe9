//! Who is let in.

use std::time::Duration;

use countersign_tests::{KeyWish, TestApp, email, run, within_patience};

#[tokio::test]
async fn a_key_that_opens_nothing_is_one_answer_whatever_is_wrong_with_it() {
    let app = TestApp::builder()
        .key("elsewhere", KeyWish::test().only_from("203.0.113.0/24"))
        .key("short", KeyWish::test().expires_in(Duration::from_mins(1)))
        .spawn()
        .await;
    app.as_key("short").send(email("ann@example.com")).await;
    app.advance(Duration::from_mins(1));
    let nobody = app.nobody();
    let missing = nobody.try_send(&email("ann@example.com")).await;
    missing.error(401, "invalid_api_key");
    let malformed = ["", "sk_", "sk_test_", "sk_live_x", "Bearer sk_test_x", "\u{e4}"];
    let test = app.secret("test").to_owned();
    let nearly = format!("{}{}", &test[..test.len() - 1], if test.ends_with('A') { 'B' } else { 'A' });
    let longer = format!("{test}A");
    let known = [app.secret("elsewhere").to_owned(), app.secret("short").to_owned(), nearly, longer];
    for key in malformed.iter().map(ToString::to_string).chain(known) {
        let reply = app.with_key(&key).try_send(&email("ann@example.com")).await;
        assert_eq!(reply.sameness(), missing.sameness(), "{key}: {reply:?}");
    }
    let bearer = nobody.with("Authorization", &format!("Bearer {test}")).try_send(&email("ann@example.com")).await;
    assert_eq!(bearer.sameness(), missing.sameness());
}

#[tokio::test]
async fn a_key_that_is_revoked_at_the_terminal_opens_nothing_a_moment_later() {
    let app = TestApp::builder().generous().spawn().await;
    app.live().get("/api/v1/otp/sessions").await.assert(200);
    let listed = run(app.path(), &["key", "list"]).await;
    let live = listed["keys"].as_array().unwrap().iter().find(|key| key["mode"] == "live").unwrap();
    run(app.path(), &["key", "revoke", live["id"].as_str().unwrap()]).await;
    let refused = async {
        loop {
            let reply = app.live().get("/api/v1/otp/sessions").await;
            if reply.status != 200 {
                return reply;
            }
        }
    };
    let refused = within_patience("the end of a revoked key", refused).await;
    assert_eq!(refused.sameness(), app.nobody().get("/api/v1/otp/sessions").await.sameness());
    app.get("/api/v1/otp/sessions").await.assert(200);
}

#[tokio::test]
async fn a_key_that_is_made_at_the_terminal_opens_a_moment_later() {
    let app = TestApp::builder().generous().spawn().await;
    let made = run(app.path(), &["key", "create", "--mode", "test", "--name", "late"]).await;
    let client = app.with_key(made["secret"].as_str().unwrap());
    client.until_let_in().await;
}

#[tokio::test]
async fn a_read_only_key_looks_and_touches_nothing() {
    let app = TestApp::builder().key("read-only", KeyWish::test().read_only()).spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let reader = app.as_key("read-only");
    reader.status(&sent).await.assert(200).json("$.status", "pending");
    reader.get(&format!("/api/v1/otp/sessions/{}", sent.session_id)).await.assert(200);
    reader.get("/api/v1/otp/sessions").await.assert(200);
    app.advance(Duration::from_secs(30));
    for reply in [
        reader.try_send(&email("bob@example.com")).await,
        reader.verify(&sent, sent.code("email")).await,
        reader.resend(&sent).await,
        reader.next(&sent).await,
        reader.cancel(&sent).await,
    ] {
        reply.error(403, "forbidden");
    }
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn an_allow_list_goes_by_the_address_of_the_caller() {
    let here = KeyWish::test().only_from("127.0.0.0/8");
    let there = KeyWish::test().only_from("203.0.113.7/32");
    let app = TestApp::builder().key("here", here).key("there", there).spawn().await;
    app.as_key("here").get("/api/v1/otp/sessions").await.assert(200);
    app.as_key("there").get("/api/v1/otp/sessions").await.error(401, "invalid_api_key");
    let pretender = app.as_key("there").with("X-Forwarded-For", "203.0.113.7");
    pretender.get("/api/v1/otp/sessions").await.error(401, "invalid_api_key");
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_caller_is_whom_the_proxy_names() {
    let there = KeyWish::test().only_from("203.0.113.7/32");
    let app = TestApp::builder().key("there", there).set("http.trusted_proxies", vec!["127.0.0.0/8"]).spawn().await;
    let via = |path: &str| app.as_key("there").with("X-Forwarded-For", path);
    via("203.0.113.7").get("/api/v1/otp/sessions").await.assert(200);
    via("198.51.100.1, 203.0.113.7").get("/api/v1/otp/sessions").await.assert(200);
    via("203.0.113.7, 198.51.100.1").get("/api/v1/otp/sessions").await.error(401, "invalid_api_key");
    app.as_key("there").get("/api/v1/otp/sessions").await.error(401, "invalid_api_key");
}

#[tokio::test]
async fn a_team_header_is_ignored_where_there_are_no_teams() {
    let app = TestApp::spawn().await;
    app.with("X-Team-ID", "team_17").send(email("ann@example.com")).await;
}
