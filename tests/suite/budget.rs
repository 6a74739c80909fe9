//! Wrong guesses at one recipient, over all its sessions.

use std::time::Duration;

use countersign_tests::{Ask, Sent, TestApp, email, run};
use serde_json::json;

use crate::admin_access::{chief, fields};

fn patient() -> Ask {
    email("ann@example.com").max_attempts(10)
}

async fn guess_wrong(app: &TestApp, sent: &Sent, times: usize) {
    for _ in 0..times {
        app.guess_wrong(sent).await.assert(200).json("$.verified", false);
    }
}

#[tokio::test]
async fn twenty_wrong_guesses_a_day_and_no_more_whatever_the_session() {
    let app = TestApp::builder().generous().spawn().await;
    for _ in 0..2 {
        let sent = app.send(patient()).await;
        guess_wrong(&app, &sent, 10).await;
    }
    let refused = app.try_send(&patient()).await;
    refused.error(429, "recipient_blocked");
    assert_eq!(refused.number_in("retry-after"), 86_400, "{refused:?}");
    app.send(email("bob@example.com")).await;
}

#[tokio::test]
async fn the_budget_survives_a_resend() {
    let app = TestApp::builder().generous().set("session.resend_after_seconds", 0).spawn().await;
    let sent = app.send(patient()).await;
    guess_wrong(&app, &sent, 10).await;
    let again = Sent::read(app.resend(&sent).await);
    again.reply.json("$.attempts_remaining", 10);
    let wrong = countersign_tests::wrong_code(&[sent.code("email"), again.code("email")]);
    for _ in 0..10 {
        app.verify(&again, &wrong).await.assert(200).json("$.verified", false);
    }
    app.resend(&sent).await.error(429, "recipient_blocked");
}

#[tokio::test]
async fn an_open_session_hears_no_guess_once_the_budget_is_used_up() {
    let app = TestApp::builder().generous().spawn().await;
    let (one, two, three) = (app.send(patient()).await, app.send(patient()).await, app.send(patient()).await);
    guess_wrong(&app, &one, 10).await;
    guess_wrong(&app, &two, 10).await;
    let reply = app.verify(&three, three.code("email")).await;
    reply.error(429, "recipient_blocked");
    assert!(reply.number_in("retry-after") > 0, "{reply:?}");
    app.status(&three).await.json("$.attempts_remaining", 10).json("$.status", "pending");
}

#[tokio::test]
async fn the_budget_comes_back_as_the_day_passes() {
    let app = TestApp::builder().generous().spawn().await;
    let sent = app.send(patient()).await;
    guess_wrong(&app, &sent, 10).await;
    app.advance(Duration::from_mins(5));
    let sent = app.send(patient()).await;
    guess_wrong(&app, &sent, 10).await;
    app.try_send(&patient()).await.error(429, "recipient_blocked");
    app.advance(Duration::from_hours(24) - Duration::from_mins(5));
    let sent = app.send(patient()).await;
    guess_wrong(&app, &sent, 10).await;
    app.try_send(&patient()).await.error(429, "recipient_blocked");
}

#[tokio::test]
async fn purposes_and_spellings_of_one_mailbox() {
    let app = TestApp::builder().generous().set("limits.wrong_guesses", "1/24h").spawn().await;
    let sent = app.send(email("Ann@Example.com")).await;
    guess_wrong(&app, &sent, 1).await;
    app.try_send(&email("ann@example.com")).await.error(429, "recipient_blocked");
    app.send(email("ann@example.com").set("purpose", "payment")).await;
}

#[tokio::test]
async fn sandbox_guesses_never_block_a_live_recipient() {
    let sink = countersign_tests::MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).generous().set("limits.wrong_guesses", "1/24h").spawn().await;
    let sent = app.live().send(patient().set("sandbox_mode", true)).await;
    app.live().guess_wrong(&sent).await.assert(200);
    app.live().try_send(&patient().set("sandbox_mode", true)).await.error(429, "recipient_blocked");
    app.live().send(patient()).await;
}

#[tokio::test]
async fn too_many_in_a_row_over_any_time_block_for_a_day() {
    let app = TestApp::builder().generous().set("limits.block_after", 3).set("limits.wrong_guesses", "20/24h").spawn().await;
    let sent = app.send(patient()).await;
    guess_wrong(&app, &sent, 3).await;
    let refused = app.try_send(&patient()).await;
    refused.error(429, "recipient_blocked");
    assert_eq!(refused.number_in("retry-after"), 86_400, "{refused:?}");
    app.advance(Duration::from_hours(24));
    let sent = app.send(patient()).await;
    guess_wrong(&app, &sent, 1).await;
    assert_eq!(app.try_send(&patient()).await.error(429, "recipient_blocked").number_in("retry-after"), 2 * 86_400);
}

#[tokio::test]
async fn a_right_guess_ends_the_row() {
    let app = TestApp::builder().generous().set("limits.block_after", 3).spawn().await;
    for _ in 0..3 {
        let sent = app.send(patient()).await;
        guess_wrong(&app, &sent, 2).await;
        app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
    }
}

#[tokio::test]
async fn an_operator_lifts_a_block_and_the_audit_log_masks_whose() {
    let app = TestApp::builder().generous().spawn().await;
    let chief = chief(&app).await;
    let path = "/admin/v1/tenants/default/recipients/unblock";
    for _ in 0..2 {
        let sent = app.send(patient()).await;
        guess_wrong(&app, &sent, 10).await;
    }
    app.try_send(&patient()).await.error(429, "recipient_blocked");
    let wish = json!({"recipient": "Ann@Example.com", "mode": "sandbox"});
    for other in
        [json!({"recipient": "ann@example.com"}), json!({"recipient": "ann@example.com", "mode": "sandbox", "purpose": "login"})]
    {
        chief.post(path, &other).await.assert(200).json("$.lifted", false);
        app.try_send(&patient()).await.error(429, "recipient_blocked");
    }
    let lifted = chief.post(path, &wish).await;
    lifted.assert(200).json("$.lifted", true).json("$.recipient", "A•••@example.com").json("$.purpose", "verification");
    let sent = app.send(patient()).await;
    app.verify(&sent, sent.code("email")).await.json("$.verified", true);
    chief.post(path, &wish).await.assert(200).json("$.lifted", false);
    let wrong = chief.post(path, &json!({"recipient": "ann", "mode": "test"})).await;
    assert_eq!(fields(&wrong), ["mode"], "{wrong:?}");
    let log = chief.get("/admin/v1/audit?tenant=default").await;
    log.json("$.data[0].what", "recipient.unblock");
    assert!(!String::from_utf8_lossy(&log.body).to_lowercase().contains("ann@"), "{log:?}");
    let said = run(app.path(), &["recipient", "unblock", "+12025550143", "--mode", "sandbox"]).await;
    assert_eq!((&said["recipient"], &said["lifted"]), (&json!("+1202•••0143"), &json!(false)));
}
