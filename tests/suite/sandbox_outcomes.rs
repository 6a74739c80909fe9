//! The recipients by which a caller of the sandbox sees each outcome.

use std::time::Duration;

use countersign_tests::{Expected, MailSink, ProviderDouble, Reply, Sent, TestApp, email, sms, within_patience};
use serde_json::json;

/// The mailbox that stands for an outcome.
fn mailbox(outcome: &str) -> String {
    format!("{outcome}@sandbox.test")
}

/// Looks at a session until a channel has this status.
async fn until(app: &TestApp, sent: &Sent, channel: &str, status: &str) -> Reply {
    let place = format!("$.channels.{channel}.status");
    let asked = async {
        loop {
            let reply = app.status(sent).await;
            if reply.at(&place) == status {
                return reply;
            }
        }
    };
    within_patience(&format!("{channel} to be {status}"), asked).await
}

#[tokio::test]
async fn a_message_that_is_to_be_delivered_is() {
    let app = TestApp::spawn().await;
    for ask in [email(&mailbox("delivered")), email("delivered+ann@sandbox.test")] {
        let sent = app.send(ask).await;
        let status = until(&app, &sent, "email", "delivered").await;
        assert!(status.at("$.channels.email.delivered_at").is_string(), "{status:?}");
        app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
    }
    let sent = app.send(sms("+12025550110")).await;
    until(&app, &sent, "sms", "delivered").await;
}

#[tokio::test]
async fn a_late_receipt_comes_after_half_a_minute_and_not_before() {
    let app = TestApp::spawn().await;
    let (late, prompt) = (app.send(email(&mailbox("late"))).await, app.send(email(&mailbox("delivered"))).await);
    until(&app, &prompt, "email", "delivered").await;
    app.status(&late).await.json("$.channels.email.status", "sent");
    app.advance(Duration::from_secs(29));
    let another = app.send(email(&mailbox("delivered"))).await;
    until(&app, &another, "email", "delivered").await;
    app.status(&late).await.json("$.channels.email.status", "sent");
    app.advance(Duration::from_secs(1));
    until(&app, &late, "email", "delivered").await;
}

#[tokio::test]
async fn a_message_that_does_not_arrive_moves_on_to_the_fallback() {
    let app = TestApp::builder().generous().spawn().await;
    for outcome in ["undelivered", "not-there"] {
        let sent = app.send(email(&mailbox(outcome)).later("sms", "+12025550110", 300)).await;
        let status = until(&app, &sent, "sms", "delivered").await;
        status.json("$.channels.email.status", "failed").json("$.status", "pending");
        app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
    }
    let alone = app.send(email(&mailbox("undelivered"))).await;
    until(&app, &alone, "email", "failed").await.json("$.status", "pending");
}

#[tokio::test]
async fn a_message_of_which_nobody_hears_moves_on_where_the_service_wants_that() {
    let app =
        TestApp::builder().set("session.receipt_failover", "channel").set("session.receipt_wait_seconds.email", 20).spawn().await;
    let sent = app.send(email(&mailbox("silent")).later("sms", "+12025550143", 300)).await;
    app.advance(Duration::from_secs(19));
    app.sweep().await;
    app.status(&sent).await.json("$.channels.email.status", "sent").without("$.channels.sms");
    app.advance(Duration::from_secs(1));
    app.sweep().await;
    until(&app, &sent, "sms", "sent").await.json("$.channels.email.status", "sent");
}

#[tokio::test]
async fn a_send_that_fails_says_why_and_a_fallback_follows_at_once() {
    let app = TestApp::builder().generous().spawn().await;
    let reasons =
        [("fails", "provider_unavailable"), ("refused", "refused"), ("throttled", "throttled"), ("unreachable", "unreachable")];
    for (outcome, reason) in reasons {
        let reply = app.try_send(&email(&mailbox(outcome))).await;
        reply.error(502, "all_channels_failed").json("$.details.channels_sent.email.error", reason);
        let sent = app.send(email(&mailbox(outcome)).and("sms", "+12025550143")).await;
        sent.reply.json("$.channels_sent.email.error", reason).json("$.channels_sent.sms.success", true);
        let sent = app.send(email(&mailbox(outcome)).later("sms", "+12025550143", 60)).await;
        sent.reply.json("$.channels_sent.email.send_failed", true).json("$.channels_sent.sms.success", true);
        app.verify(&sent, sent.code("sms")).await.assert(200).json("$.verified", true);
    }
    // However often it fails, nobody else's sandbox suffers from it.
    for _ in 0..20 {
        app.try_send(&email(&mailbox("unreachable"))).await.assert(502);
    }
    app.send(email("ann@example.com")).await;
}

#[tokio::test]
async fn an_unclear_message_counts_as_sent() {
    let app = TestApp::spawn().await;
    let sent = app.send(email(&mailbox("unclear"))).await;
    sent.reply.json("$.channels_sent.email.success", true);
    app.status(&sent).await.json("$.channels.email.attempt", "unclear");
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_code_that_expires_early_dies_after_ten_seconds() {
    let app = TestApp::spawn().await;
    let sent = app.send(sms("+12025550121")).await;
    app.advance(Duration::from_secs(10));
    app.verify(&sent, sent.code("sms")).await.error(410, "session_expired");
    app.advance(Duration::from_secs(20));
    let again = Sent::read(app.resend(&sent).await);
    app.verify(&sent, again.code("sms")).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_send_that_is_to_be_turned_away_is_and_leaves_nothing_behind() {
    let app = TestApp::spawn().await;
    let to = |outcome: &str| email(&mailbox(outcome));
    app.try_send(&to("insufficient-balance")).await.error(402, "insufficient_balance");
    app.try_send(&to("destination-blocked")).await.error(403, "destination_blocked").json("$.details.field", "recipients.email");
    let blocked = app.try_send(&to("recipient-blocked")).await;
    assert_eq!(blocked.error(429, "recipient_blocked").number_in("retry-after"), 60);
    let limited = app.try_send(&to("rate-limited")).await;
    assert_eq!(limited.error(429, "rate_limited").number_in("retry-after"), 60);
    app.try_send(&email("ann@example.com").later("sms", "+12025550123", 30)).await.error(403, "destination_blocked");
    app.get("/api/v1/otp/sessions").await.assert(200).json("$.data", json!([]));
}

#[tokio::test]
async fn a_resend_and_a_next_have_the_outcome_of_their_recipients_too() {
    let app = TestApp::builder().generous().set("session.all_failed", "session").spawn().await;
    let sent = app.send(email(&mailbox("fails"))).await;
    app.advance(Duration::from_secs(31));
    let again = app.resend(&sent).await;
    again.assert(200).json("$.channels_sent.email.error", "provider_unavailable");

    let sent = app.send(email("ann@example.com").later("sms", "+12025550117", 60).later("voice", "+12025550110", 90)).await;
    let next = app.next(&sent).await;
    next.assert(200).json("$.channels_sent.sms.error", "throttled").json("$.channels_sent.voice.success", true);
    until(&app, &sent, "voice", "delivered").await;

    let sent = app.send(email(&mailbox("delivered"))).await;
    until(&app, &sent, "email", "delivered").await;
    app.advance(Duration::from_secs(31));
    app.resend(&sent).await.assert(200);
    until(&app, &sent, "email", "delivered").await;
}

#[tokio::test]
async fn in_live_mode_they_are_recipients_like_any_other() {
    let (sink, double) = (MailSink::start().await, ProviderDouble::start(Expected::json()).await);
    let app = TestApp::builder().live_email(&sink).sms(&double).generous().spawn().await;
    let live = app.live();
    let outcomes = [
        "delivered",
        "undelivered",
        "fails",
        "expires",
        "insufficient-balance",
        "destination-blocked",
        "recipient-blocked",
        "rate-limited",
    ];
    for (at, outcome) in outcomes.into_iter().enumerate() {
        let sent = live.send(email(&mailbox(outcome))).await;
        sent.reply.without("$.sandbox").json("$.channels_sent.email.success", true);
        let mail = sink.mail(at + 1).await;
        app.advance(Duration::from_secs(11));
        live.status(&sent).await.json("$.channels.email.status", "sent").json("$.channels.email.provider", "mail");
        live.verify(&sent, &mail.code()).await.assert(200).json("$.verified", true);
    }
    for number in ["+12025550110", "+12025550115", "+12025550123"] {
        live.send(sms(number)).await;
    }
    assert_eq!(double.requests().len(), 3);
}
