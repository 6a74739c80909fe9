//! Ending a session at the caller's wish.

use countersign_tests::{TestApp, email};

#[tokio::test]
async fn a_canceled_session_hears_no_guess() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.cancel(&sent).await.assert(200).json("$.status", "canceled").json("$.session_id", sent.session_id.as_str());
    let reply = app.verify(&sent, sent.code("email")).await;
    reply.error(410, "session_canceled").json("$.message", "Session canceled").json("$.details.attempts_remaining", 3);
}

#[tokio::test]
async fn canceling_twice_is_no_error() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let first = app.cancel(&sent).await;
    first.assert(200);
    let second = app.cancel(&sent).await;
    second.assert(200);
    assert_eq!(first.body(), second.body());
}

#[tokio::test]
async fn a_verified_session_is_not_canceled() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.verify(&sent, sent.code("email")).await.assert(200);
    app.cancel(&sent).await.error(409, "already_verified").json("$.details.attempts_remaining", 3);
    app.status(&sent).await.json("$.status", "verified");
}

#[tokio::test]
async fn a_session_of_which_nothing_went_out_no_longer_counts_as_active() {
    let app = TestApp::builder().set("limits.active_per_user", 1).spawn().await;
    for _ in 0..3 {
        app.live().try_send(&email("ann@example.com")).await.error(502, "all_channels_failed");
    }
}

#[tokio::test]
async fn a_canceled_session_no_longer_counts_as_active() {
    let app = TestApp::builder().set("limits.active_per_user", 1).spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.try_send(&email("ann@example.com")).await.error(429, "rate_limited").json("$.details.limit", "active_per_user");
    app.cancel(&sent).await.assert(200);
    app.send(email("ann@example.com")).await;
}
