//! What time does to a session, by a clock that the test moves.

use std::time::Duration;

use countersign_tests::{TestApp, email};

#[tokio::test]
async fn a_code_lives_to_its_last_millisecond() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(Duration::from_millis(599_999));
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_code_is_dead_at_its_expiry_whether_a_sweep_came_by_or_not() {
    let app = TestApp::spawn().await;
    let (swept, unswept) = (app.send(email("ann@example.com")).await, app.send(email("bob@example.com")).await);
    app.advance(Duration::from_mins(10));
    let reply = app.verify(&unswept, unswept.code("email")).await;
    reply.error(410, "session_expired").json("$.message", "Session expired").json("$.details.attempts_remaining", 3);
    app.sweep().await;
    app.verify(&swept, swept.code("email")).await.error(410, "session_expired");
    app.status(&swept).await.json("$.status", "expired");
}

#[tokio::test]
async fn an_expired_session_is_known_until_its_token_dies() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(Duration::from_hours(24) - Duration::from_secs(1));
    app.verify(&sent, sent.code("email")).await.error(410, "session_expired");
    app.status(&sent).await.json("$.status", "expired");
    app.advance(Duration::from_secs(1));
    app.verify(&sent, sent.code("email")).await.error(401, "session_not_recognised");
    app.status(&sent).await.error(401, "session_not_recognised");
    app.get(&format!("/api/v1/otp/sessions/{}", sent.session_id)).await.error(401, "session_not_recognised");
}

#[tokio::test]
async fn a_verified_session_stays_verified_past_its_codes_life() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.verify(&sent, sent.code("email")).await.assert(200);
    app.advance(Duration::from_hours(2));
    app.sweep().await;
    app.status(&sent).await.json("$.status", "verified");
    app.verify(&sent, sent.code("email")).await.error(409, "already_verified");
}

#[tokio::test]
async fn an_expiry_is_in_the_log_once() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    app.advance(Duration::from_mins(10));
    for _ in 0..3 {
        app.sweep().await;
    }
    let dir = app.stop().await;
    let events = countersign_tests::happened(dir.path()).await.remove(&sent.session_id).unwrap();
    let names: Vec<&str> = events.iter().map(|(_, kind)| kind.name()).collect();
    assert_eq!(names, ["session.created", "message.sent", "session.expired"]);
    assert_eq!(events.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3]);
}
