//! Channels whose turn comes later.

use std::time::Duration;

use countersign_tests::{Ask, Expected, ProviderDouble, Sent, Setup, TestApp, email, sms};
use serde_json::json;

fn ladder() -> Ask {
    email("ann@example.com").later("sms", "+12025550143", 30).later("voice", "+12025550143", 60)
}

#[tokio::test]
async fn a_fallback_waits_for_its_turn() {
    let app = TestApp::spawn().await;
    let sent = app.send(ladder()).await;
    sent.reply.json("$.data.channels", json!(["email"])).without("$.channels_sent.sms").without("$.sandbox_otps.sms");
    app.status(&sent).await.json("$.channels.email.status", "sent").without("$.channels.sms");
}

#[tokio::test]
async fn next_goes_to_the_next_channel_now() {
    let app = TestApp::spawn().await;
    let sent = app.send(ladder()).await;
    let next = Sent::read(app.next(&sent).await);
    next.reply.json("$.session_id", sent.session_id.as_str()).json("$.channels_sent.sms.success", true);
    next.reply.json("$.expires_at", "2026-01-15T10:55:00.000Z");
    app.verify_each(&sent, &[("sms", next.code("sms"))]).await.assert(200).json("$.verified_channels", json!(["sms"]));
}

#[tokio::test]
async fn whoever_asks_for_the_next_channel_while_it_is_being_opened_opens_no_other() {
    let (texts, calls) = (ProviderDouble::start(Expected::json()).await, ProviderDouble::start(Expected::json()).await);
    let setup = |setup: Setup| {
        let setup = setup.sms(&texts).gateway("calls", &calls, &["voice", "whatsapp"]);
        setup.set("channels.voice.providers", vec!["calls"]).set("channels.whatsapp.providers", vec!["calls"])
    };
    let app = TestApp::builder().with(setup).spawn().await;
    let (live, number) = (app.live(), "+12025550143");
    let sent = live.send(sms(number).later("voice", number, 60).later("whatsapp", number, 120)).await;
    let gate = calls.hold();
    let (asks, ask_again) = tokio::join!(live.next(&sent), async {
        calls.request(1).await;
        let refused = live.next(&sent).await;
        gate.open();
        refused
    });
    ask_again.error(409, "no_fallback");
    asks.assert(200).json("$.channels_sent.voice.success", true).without("$.channels_sent.whatsapp");
    live.next(&sent).await.assert(200).json("$.channels_sent.whatsapp.success", true);
    assert_eq!(calls.requests().len(), 2);
}

#[tokio::test]
async fn the_code_of_the_first_channel_still_opens_after_next() {
    let app = TestApp::spawn().await;
    let sent = app.send(ladder()).await;
    app.next(&sent).await.assert(200);
    app.verify(&sent, sent.code("email"))
        .await
        .assert(200)
        .json("$.verified", true)
        .json("$.verified_channels", json!(["email"]));
}

#[tokio::test]
async fn channels_come_in_the_order_given_until_none_is_left() {
    let app = TestApp::spawn().await;
    let sent = app.send(ladder()).await;
    app.next(&sent).await.assert(200).json("$.channels_sent.sms.success", true);
    app.next(&sent).await.assert(200).json("$.channels_sent.voice.success", true);
    let none = app.next(&sent).await;
    none.assert(409).error(409, &none.text("$.code"));
    app.send(email("bob@example.com")).await;
    let alone = app.send(email("eve@example.com")).await;
    app.next(&alone).await.assert(409);
}

#[tokio::test]
async fn next_on_a_session_that_has_ended_says_how_it_ended() {
    let app = TestApp::spawn().await;
    let sent = app.send(ladder()).await;
    app.verify(&sent, sent.code("email")).await.assert(200);
    app.next(&sent).await.error(409, "already_verified");

    let sent = app.send(ladder()).await;
    app.cancel(&sent).await.assert(200);
    app.next(&sent).await.error(410, "session_canceled");

    let sent = app.send(ladder()).await;
    app.advance(Duration::from_mins(10));
    app.next(&sent).await.error(410, "session_expired");
}

#[tokio::test]
async fn time_brings_the_fallback_while_nobody_has_verified() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").later("sms", "+12025550143", 30)).await;
    app.advance(Duration::from_secs(29));
    app.sweep().await;
    app.status(&sent).await.without("$.channels.sms");
    app.advance(Duration::from_secs(1));
    app.sweep().await;
    app.status(&sent).await.json("$.channels.sms.status", "sent").json("$.channels.sms.recipient", "+1202•••0143");
}

#[tokio::test]
async fn no_fallback_follows_a_session_that_has_ended() {
    let app = TestApp::builder().generous().spawn().await;
    let verified = app.send(ladder()).await;
    app.verify(&verified, verified.code("email")).await.assert(200);
    let canceled = app.send(ladder()).await;
    app.cancel(&canceled).await.assert(200);
    let locked = app.send(ladder().max_attempts(1)).await;
    app.guess_wrong(&locked).await.assert(200);
    app.advance(Duration::from_secs(120));
    app.sweep().await;
    for sent in [verified, canceled, locked] {
        app.status(&sent).await.assert(200).without("$.channels.sms").without("$.channels.voice");
    }
}

#[tokio::test]
async fn a_fallback_is_part_of_its_send_and_counts_against_no_limit() {
    let app = TestApp::builder().set("limits.sends_per_user", "1/5m").spawn().await;
    let sent = app.send(ladder()).await;
    app.next(&sent).await.assert(200);
    app.next(&sent).await.assert(200);
}
