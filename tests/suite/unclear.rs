//! A process that dies between writing a send down and hearing the provider: the attempt is unclear, and nothing goes out twice.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Clock, EventKind, SystemClock};
use countersign_tests::{Answer, Expected, Process, ProviderDouble, Sent, Setup, TestApp, happened, run, sms};

#[tokio::test]
async fn a_kill_between_open_and_the_providers_answer_leaves_an_unclear_attempt_and_no_second_message() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let double = ProviderDouble::start(Expected::json()).await;
    let gate = double.hold();
    let setup = Setup::default().generous().sms(&double).set("public_url", "https://otp.acme.example");
    let process = Process::start(dir.path(), &setup, &[]).await;
    let test = process.first_key();
    let made = run(dir.path(), &["key", "create", "--mode", "live"]).await;
    let live = made["secret"].as_str().unwrap().to_owned();
    let client = process.client().with_key(&live);
    client.until_let_in().await;

    let ask = sms("+12025550143");
    let caller = client.with("Idempotency-Key", "order-17");
    let sending = tokio::spawn({
        let (caller, ask) = (caller.clone(), ask.clone());
        async move { caller.try_call("/api/v1/otp/send", ask.body()).await }
    });
    let code = double.request(1).await.code();
    process.kill().await;
    assert!(sending.await.unwrap().is_none(), "nobody was there to answer");
    gate.open();

    // The successor, a minute later: past the lease.
    let later = SystemClock.now().plus(Duration::from_mins(1));
    let app = TestApp::builder().with(|_| setup.clone()).on(&dir, &[("test", &test), ("live", &live)]).at(later).spawn().await;
    app.sweep().await;
    let listed = app.live().get("/api/v1/otp/sessions").await;
    listed.json("$.data[0].status", "pending");
    let id = listed.text("$.data[0].session_id");

    // The caller asks again under its key and gets the session that was opened.
    let again = Sent::read(app.live().with("Idempotency-Key", "order-17").try_send(&ask).await);
    assert_eq!(again.session_id, id);
    app.live().verify(&again, &code).await.assert(200).json("$.verified", true);
    assert_eq!(double.requests().len(), 1, "nothing is sent again by itself");

    let events = happened(app.stop().await.path()).await.remove(&id).unwrap();
    let unclear = events.iter().filter(|(_, kind)| matches!(kind, EventKind::MessageUnclear { .. })).count();
    assert_eq!(unclear, 1, "{events:?}");
}

#[tokio::test]
async fn a_resend_after_an_unclear_attempt_keeps_the_code_that_may_have_arrived() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    for (number, old_or_new) in [0, 1].into_iter().enumerate() {
        double.plan(Answer::Cut);
        let sent = app.live().send(sms(&format!("+1202555014{number}"))).await;
        app.live().status(&sent).await.json("$.status", "pending").json("$.channels.sms.status", "pending");
        app.advance(Duration::from_secs(30));
        app.live().resend(&sent).await.assert(200).json("$.channels_sent.sms.success", true);
        let codes = [double.request(2 * number + 1).await.code(), double.request(2 * number + 2).await.code()];
        app.live().verify(&sent, &codes[old_or_new]).await.assert(200).json("$.verified", true);
    }
}

#[tokio::test]
async fn an_answer_after_the_lease_is_still_taken_down() {
    let double = ProviderDouble::start(Expected::json()).await;
    let gate = double.hold();
    let app = TestApp::builder().sms(&double).spawn().await;
    let client = app.live();
    let sending = tokio::spawn(async move { client.send(sms("+12025550143")).await });
    let code = double.request(1).await.code();
    app.advance(Duration::from_mins(2));
    app.sweep().await;
    app.live().get("/api/v1/otp/sessions").await.json("$.data[0].status", "pending");
    gate.open();
    let sent = sending.await.unwrap();
    sent.reply.json("$.channels_sent.sms.success", true);
    app.live().status(&sent).await.json("$.channels.sms.status", "sent").json("$.channels.sms.provider", "gateway");
    app.live().verify(&sent, &code).await.assert(200).json("$.verified", true);
}
