//! Live sends: over SMTP to a mail server, over HTTP to a gateway, and what happens when they misbehave.

use countersign_tests::{
    Act, Answer, Client, Expected, MailSink, ProviderDouble, Sent, TestApp, Vacant, email, sms, within_patience,
};
use serde_json::{Value, json};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_mail_brings_the_code_that_verifies() {
    let sink = MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let sent = app.live().send(email("ann@example.com")).await;
    let mail = sink.mail(1).await;
    assert_eq!((mail.from.as_str(), &mail.to), ("no-reply@acme.example", &vec!["ann@example.com".to_owned()]));
    app.live().status(&sent).await.json("$.channels.email.status", "sent").json("$.channels.email.provider", "mail");
    app.live().verify(&sent, &mail.code()).await.assert(200).json("$.verified", true).without("$.sandbox");
}

#[tokio::test]
async fn a_gateway_is_sent_json_to_the_letter() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    let sent = app.live().send(sms("+12025550143")).await;
    let request = double.request(1).await;
    assert_eq!(request.field("to"), "+12025550143");
    assert_eq!(request.field("channel"), "sms");
    sent.reply.json("$.channels_sent.sms.message_id", request.field("id"));
    app.live().verify(&sent, &request.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_gateway_is_sent_a_form_to_the_letter() {
    let double = ProviderDouble::start(Expected::form()).await;
    let gateway = |setup: countersign_tests::Setup| {
        setup
            .set("providers.forms.kind", "http")
            .set("providers.forms.channels", vec!["sms"])
            .set("providers.forms.url", format!("{}{}", double.base(), Expected::PATH))
            .set("providers.forms.headers.Authorization", Expected::AUTHORIZATION)
            .set("providers.forms.form.to", "{{ to }}")
            .set("providers.forms.form.msisdn", "{{ to_digits }}")
            .set("providers.forms.form.text", "{{ text }} & more = ü")
            .set("channels.sms.providers", vec!["forms"])
    };
    let app = TestApp::builder().with(gateway).spawn().await;
    let sent = app.live().send(sms("+12025550143")).await;
    let request = double.request(1).await;
    assert_eq!((request.field("to").as_str(), request.field("msisdn").as_str()), ("+12025550143", "12025550143"));
    assert!(request.field("text").ends_with(" & more = ü"), "{request:?}");
    app.live().verify(&sent, &request.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn channels_go_out_side_by_side() {
    let (sink, double) = (MailSink::start().await, ProviderDouble::start(Expected::json()).await);
    let gate = double.hold();
    let app = TestApp::builder().live_email(&sink).sms(&double).spawn().await;
    let client = app.live();
    let sending = tokio::spawn(async move { client.send(email("ann@example.com").and("sms", "+12025550143").all()).await });
    double.request(1).await;
    sink.mail(1).await;
    gate.open();
    let sent = sending.await.unwrap();
    let codes = (sink.mail(1).await.code(), double.request(1).await.code());
    assert_ne!(codes.0, codes.1);
    let reply = app.live().verify_each(&sent, &[("email", &codes.0), ("sms", &codes.1)]).await;
    reply.assert(200).json("$.session_verified", true);
}

#[tokio::test]
async fn the_next_provider_takes_over_with_the_same_code() {
    let (first, second) = (ProviderDouble::start(Expected::json()).await, ProviderDouble::start(Expected::json()).await);
    first.plan(Answer::With(503, "{}".to_owned()));
    let two = |setup: countersign_tests::Setup| {
        let setup = setup.gateway("first", &first, &["sms"]).gateway("second", &second, &["sms"]);
        setup.set("channels.sms.providers", vec!["first", "second"])
    };
    let app = TestApp::builder().with(two).spawn().await;
    let sent = app.live().send(sms("+12025550143")).await;
    sent.reply.json("$.channels_sent.sms.success", true);
    assert_eq!(first.request(1).await.code(), second.request(1).await.code());
    app.live().status(&sent).await.json("$.channels.sms.provider", "second");
    app.live().verify(&sent, &second.request(1).await.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_final_refusal_is_not_carried_to_another_provider() {
    let (first, second) = (ProviderDouble::start(Expected::json()).await, ProviderDouble::start(Expected::json()).await);
    first.plan(Answer::With(422, "{}".to_owned()));
    let two = |setup: countersign_tests::Setup| {
        let setup = setup.gateway("first", &first, &["sms"]).gateway("second", &second, &["sms"]);
        setup.set("channels.sms.providers", vec!["first", "second"]).set("providers.first.refuse.status", vec![422])
    };
    let app = TestApp::builder().with(two).spawn().await;
    let reply = app.live().try_send(&sms("+12025550143")).await;
    reply.error(502, "all_channels_failed").json("$.details.channels_sent.sms.error", "refused");
    assert!(second.requests().is_empty());
}

#[tokio::test]
async fn why_a_channel_failed_is_told_in_a_word() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    for (status, word) in
        [(429, "throttled"), (401, "provider_unavailable"), (500, "provider_unavailable"), (404, "provider_unavailable")]
    {
        double.plan(Answer::With(status, "{}".to_owned()));
        let reply = app.live().try_send(&sms("+12025550143")).await;
        reply.error(502, "all_channels_failed").json("$.details.channels_sent.sms.error", word);
    }
    let vacant = Vacant::any();
    let nobody =
        |setup: countersign_tests::Setup| setup.mail_server("mail", vacant.port()).set("channels.email.providers", vec!["mail"]);
    let app = TestApp::builder().with(nobody).spawn().await;
    let reply = app.live().try_send(&email("ann@example.com")).await;
    reply.error(502, "all_channels_failed").json("$.details.channels_sent.email.error", "unreachable");
}

#[tokio::test]
async fn a_session_of_which_nothing_went_out_is_closed() {
    let sink = MailSink::start().await;
    sink.plan(Act::RefuseRecipient("550 5.1.1 no such user"));
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let reply = app.live().try_send(&email("nobody@example.com")).await;
    reply.error(502, "all_channels_failed").json("$.message", "All channels failed");
    reply.json("$.details.channels_sent.email.success", false).json("$.details.channels_sent.email.error", "refused");
    reply.json("$.details.channels_sent.email.send_failed", true);
    let listed = app.live().get("/api/v1/otp/sessions").await;
    listed.json("$.data[0].status", "failed").json("$.data[0].channels.email.status", "failed");
}

#[tokio::test]
async fn one_channel_that_fails_beside_one_that_does_not_is_told_and_no_error() {
    let (sink, double) = (MailSink::start().await, ProviderDouble::start(Expected::json()).await);
    double.plan(Answer::With(500, "{}".to_owned()));
    let app = TestApp::builder().live_email(&sink).sms(&double).spawn().await;
    let sent = app.live().send(email("ann@example.com").and("sms", "+12025550143")).await;
    sent.reply.json("$.channels_sent.email.success", true).without("$.channels_sent.email.error");
    sent.reply.json("$.channels_sent.sms.success", false).json("$.channels_sent.sms.send_failed", true);
    sent.reply.json("$.channels_sent.sms.error", "provider_unavailable");
    assert!(sent.reply.text("$.channels_sent.sms.message_id").starts_with("msg_"), "{:?}", sent.reply);
    app.live().status(&sent).await.json("$.channels.sms.status", "failed").json("$.channels.email.status", "sent");
    app.live().verify(&sent, &sink.mail(1).await.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn where_all_channels_must_be_proved_one_final_refusal_fails_the_send() {
    let (sink, double) = (MailSink::start().await, ProviderDouble::start(Expected::json()).await);
    sink.plan(Act::RefuseRecipient("550 5.1.1 no such user"));
    let app = TestApp::builder().live_email(&sink).sms(&double).spawn().await;
    let reply = app.live().try_send(&email("nobody@example.com").and("sms", "+12025550143").all()).await;
    reply.error(502, "all_channels_failed");
    app.live().get("/api/v1/otp/sessions").await.json("$.data[0].status", "failed");
}

#[tokio::test]
async fn when_all_channels_fail_the_fallback_goes_out_at_once() {
    let (sink, double) = (MailSink::start().await, ProviderDouble::start(Expected::json()).await);
    sink.plan(Act::RefuseRecipient("550 5.1.1 no such user"));
    let app = TestApp::builder().live_email(&sink).sms(&double).spawn().await;
    let sent = app.live().send(email("nobody@example.com").later("sms", "+12025550143", 300)).await;
    sent.reply.json("$.channels_sent.email.success", false).json("$.channels_sent.sms.success", true);
    app.live().verify(&sent, &double.request(1).await.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_service_may_keep_a_session_of_which_nothing_went_out() {
    let sink = MailSink::start().await;
    sink.plan(Act::RefuseContent("451 4.3.0 try again later"));
    let app = TestApp::builder().live_email(&sink).set("session.all_failed", "session").spawn().await;
    let sent = app.live().send(email("ann@example.com")).await;
    sent.reply.json("$.channels_sent.email.success", false).json("$.channels_sent.email.send_failed", true);
    app.live().status(&sent).await.json("$.status", "pending").json("$.channels.email.status", "failed");
    app.advance(std::time::Duration::from_secs(30));
    app.live().resend(&sent).await.assert(200).json("$.channels_sent.email.success", true);
    app.live().verify(&sent, &sink.mail(1).await.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_resend_that_fails_leaves_the_old_code_alive() {
    let sink = MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let sent = app.live().send(email("ann@example.com")).await;
    app.advance(std::time::Duration::from_secs(30));
    sink.plan(Act::RefuseContent("451 4.3.0 try again later"));
    app.live().resend(&sent).await.error(502, "all_channels_failed");
    app.live().verify(&sent, &sink.mail(1).await.code()).await.assert(200).json("$.verified", true);
}

#[tokio::test]
async fn a_resend_goes_out_with_a_new_code_and_kills_the_old_one() {
    let sink = MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let sent = app.live().send(email("ann@example.com").length(8)).await;
    app.advance(std::time::Duration::from_secs(30));
    app.live().resend(&sent).await.assert(200).json("$.channels_sent.email.success", true);
    let (old, new) = (sink.mail(1).await.code(), sink.mail(2).await.code());
    assert_ne!(old, new);
    app.live().verify(&sent, &old).await.assert(200).json("$.verified", false);
    app.live().verify(&sent, &new).await.assert(200).json("$.verified", true);
}

/// Waits until the newest session's channel is told to be in a state.
async fn until_channel(client: &Client, channel: &str, state: &str) -> Value {
    let there = async {
        loop {
            let session = client.get("/api/v1/otp/sessions?limit=1").await.at("$.data[0]");
            if session["channels"][channel]["status"] == state {
                return session;
            }
        }
    };
    within_patience("a message to be recorded", there).await
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_of_a_send_changes_nothing_about_it() {
    let double = ProviderDouble::start(Expected::json()).await;
    let gate = double.hold();
    let app = TestApp::builder().sms(&double).spawn().await;
    let come = async { drop(double.request(1).await) };
    app.live().hang_up("/api/v1/otp/send", sms("+12025550143").body(), come).await;
    // A whole call later the server has seen the line break.
    let before = app.live().get("/api/v1/otp/sessions").await;
    before.json("$.data[0].status", "pending").json("$.data[0].channels.sms.status", "pending");
    gate.open();
    let session = until_channel(&app.live(), "sms", "sent").await;
    assert_eq!((&session["status"], &session["channels"]["sms"]["provider"]), (&json!("pending"), &json!("gateway")));
    assert_eq!(double.requests().len(), 1);
    let id = session["session_id"].as_str().unwrap().to_owned();
    let events = countersign_tests::happened(app.stop().await.path()).await.remove(&id).unwrap();
    let names: Vec<&str> = events.iter().map(|(_, kind)| kind.name()).collect();
    assert_eq!(names, ["session.created", "message.sent"]);
}

#[tokio::test]
async fn a_stop_waits_for_a_delivery_whose_caller_has_gone() {
    let double = ProviderDouble::start(Expected::json()).await;
    let gate = double.hold();
    let app = TestApp::builder().sms(&double).spawn().await;
    let come = async { drop(double.request(1).await) };
    app.live().hang_up("/api/v1/otp/send", sms("+12025550143").body(), come).await;
    let id = app.live().get("/api/v1/otp/sessions").await.text("$.data[0].session_id");
    let address = app.base().strip_prefix("http://").unwrap().to_owned();
    let stopping = tokio::spawn(app.stop());
    // The provider answers when nobody is listened to any more.
    within_patience("the listener to close", async { while TcpStream::connect(&address).await.is_ok() {} }).await;
    gate.open();
    let events = countersign_tests::happened(stopping.await.unwrap().path()).await.remove(&id).unwrap();
    let names: Vec<&str> = events.iter().map(|(_, kind)| kind.name()).collect();
    assert_eq!(names, ["session.created", "message.sent"]);
}

#[tokio::test]
async fn a_client_that_hangs_up_while_a_mail_goes_out_changes_nothing_either() {
    let sink = MailSink::start().await;
    let app = TestApp::builder().live_email(&sink).spawn().await;
    let come = async { drop(sink.mail(1).await) };
    app.live().hang_up("/api/v1/otp/send", email("ann@example.com").body(), come).await;
    until_channel(&app.live(), "email", "sent").await;
    assert_eq!(sink.mails().len(), 1);
}

/// Tries of five seconds: enough on a busy machine to say all that is to be said before the answer that does not come.
fn hasty(setup: countersign_tests::Setup) -> countersign_tests::Setup {
    setup.set("delivery.try_timeout_seconds", 5).set("delivery.deadline_seconds", 8)
}

#[tokio::test]
async fn a_server_that_hangs_before_the_mail_is_certainly_not_sent() {
    let sink = MailSink::start().await;
    sink.plan(Act::HangBeforeData);
    let app = TestApp::builder().live_email(&sink).with(hasty).spawn().await;
    let reply = app.live().try_send(&email("ann@example.com")).await;
    reply.error(502, "all_channels_failed").json("$.details.channels_sent.email.error", "unreachable");
}

#[tokio::test]
async fn a_mail_whose_fate_is_unclear_counts_as_sent_and_is_not_sent_again() {
    for act in [Act::HangAfterData, Act::CutAfterData] {
        let sink = MailSink::start().await;
        sink.plan(act);
        let app = TestApp::builder().live_email(&sink).with(hasty).spawn().await;
        let sent = app.live().send(email("ann@example.com")).await;
        sent.reply.json("$.channels_sent.email.success", true);
        assert_eq!(sink.transactions(), 1);
        app.live().verify(&sent, &sink.mail(1).await.code()).await.assert(200).json("$.verified", true);
    }
}

#[tokio::test]
async fn after_an_unclear_try_the_next_provider_is_tried_or_not_as_the_operator_decides() {
    for (policy, expected) in [("next", 1), ("stop", 0)] {
        let (first, second) = (ProviderDouble::start(Expected::json()).await, ProviderDouble::start(Expected::json()).await);
        first.plan(Answer::Cut);
        let two = |setup: countersign_tests::Setup| {
            let setup = setup.gateway("first", &first, &["sms"]).gateway("second", &second, &["sms"]);
            setup.set("channels.sms.providers", vec!["first", "second"]).set("delivery.on_unclear", policy)
        };
        let app = TestApp::builder().with(two).spawn().await;
        let sent = app.live().send(sms("+12025550143")).await;
        sent.reply.json("$.channels_sent.sms.success", true);
        assert_eq!(second.requests().len(), expected, "on_unclear = {policy}");
        assert_eq!(first.requests().len(), 1, "on_unclear = {policy}");
        app.live().verify(&sent, &first.request(1).await.code()).await.assert(200).json("$.verified", true);
    }
}

#[tokio::test]
async fn a_gateway_that_never_answers_holds_nobody_up_for_long() {
    let double = ProviderDouble::start(Expected::json()).await;
    double.plan(Answer::Hang);
    let app = TestApp::builder().sms(&double).with(hasty).spawn().await;
    let sent: Sent = app.live().send(sms("+12025550143")).await;
    sent.reply.json("$.channels_sent.sms.success", true);
    app.live().verify(&sent, &double.request(1).await.code()).await.assert(200).json("$.verified", true);
}
