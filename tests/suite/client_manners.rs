//! How clients in the field talk to such an API: each manner must work by changing nothing but the address.

use countersign_tests::{Reply, TestApp, email, sms};
use serde_json::{Value, json};

#[tokio::test]
async fn a_client_that_posts_one_code_under_two_channels_is_understood() {
    let app = TestApp::spawn().await;
    let sent = app.send(sms("+12025550143")).await;
    let wrong = sent.wrong();
    let reply = app.verify_each(&sent, &[("sms", &wrong), ("email", &wrong)]).await;
    reply.assert(200).json("$.verified", false).json("$.attempts_remaining", 2);
    let reply = app.verify_each(&sent, &[("sms", sent.code("sms")), ("email", sent.code("sms"))]).await;
    reply.assert(200).json("$.verified", true).json("$.session_verified", true);

    // The same client, when both channels are in the session.
    let sent = app.send(email("ann@example.com").and("sms", "+12025550144")).await;
    let code = sent.code("email");
    let reply = app.verify_each(&sent, &[("sms", code), ("email", code)]).await;
    reply.assert(200).json("$.verified", true).json("$.session_verified", true);
}

#[tokio::test]
async fn a_client_that_calls_the_token_token_is_understood() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    let reply = app.post("/api/v1/otp/verify", &json!({"token": sent.token, "otps": {"email": sent.wrong()}})).await;
    reply.assert(200).json("$.verified", false);
    let body = json!({"token": "nonsense", "session_token": sent.token, "otps": {"email": sent.wrong()}});
    app.post("/api/v1/otp/verify", &body).await.assert(200).json("$.attempts_remaining", 1);
    let body = json!({"token": sent.token, "session_token": sent.token, "otps": {"email": sent.code("email")}});
    app.post("/api/v1/otp/verify", &body).await.assert(200).json("$.verified", true);
    let body = json!({"token": sent.token, "session_token": "nonsense", "otps": {"email": sent.code("email")}});
    app.post("/api/v1/otp/verify", &body).await.error(401, "session_not_recognised");
}

#[tokio::test]
async fn a_client_that_reads_below_data_finds_everything_there() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com").and("sms", "+12025550143")).await;
    let data = sent.reply.at("$.data");
    assert_eq!(data["session_id"], sent.session_id.as_str(), "{:?}", sent.reply);
    assert_eq!(data["expires_at"], sent.reply.at("$.expires_at"), "{:?}", sent.reply);
    assert_eq!(data["channels"], json!(["email", "sms"]), "{:?}", sent.reply);
    assert!(data["recipients"]["sms"].is_string() && data["recipients"]["email"].is_string(), "{:?}", sent.reply);
    assert_eq!(data["otps"]["email"], sent.code("email"), "{:?}", sent.reply);

    let wrong = app.guess_wrong(&sent).await;
    wrong.json("$.success", false).json("$.data.verified", false);
    assert_eq!(wrong.at("$.data.verification_results"), wrong.at("$.verification_results"));
    let right = app.verify_each(&sent, &[("email", sent.code("email"))]).await;
    right.json("$.success", true).json("$.data.verified", true).json("$.data.verification_results.email.success", true);
}

#[tokio::test]
async fn a_client_that_reads_attempts_below_details_finds_them_on_every_failure() {
    let app = TestApp::builder().generous().spawn().await;
    let attempts = |reply: &Reply| reply.int("$.details.attempts_remaining");
    let session = async || app.send(email("ann@example.com").max_attempts(2)).await;

    let sent = session().await;
    assert_eq!(attempts(&app.guess_wrong(&sent).await), 1);
    assert_eq!(attempts(&app.guess_wrong(&sent).await), 0);
    assert_eq!(attempts(app.guess_wrong(&sent).await.assert(429)), 0);
    let sent = session().await;
    app.verify(&sent, sent.code("email")).await.assert(200);
    assert_eq!(attempts(app.guess_wrong(&sent).await.assert(409)), 2);
    let sent = session().await;
    app.cancel(&sent).await.assert(200);
    assert_eq!(attempts(app.guess_wrong(&sent).await.assert(410)), 2);
    let sent = session().await;
    app.advance(std::time::Duration::from_mins(10));
    assert_eq!(attempts(app.guess_wrong(&sent).await.assert(410)), 2);
}

#[tokio::test]
async fn a_client_that_insists_on_whole_attempts_finds_them_on_every_verdict() {
    let app = TestApp::builder().generous().spawn().await;
    let whole = |reply: &Reply| {
        let left = reply.assert(200).at("$.attempts_remaining");
        assert!(left.is_u64(), "no whole number of attempts: {reply:?}");
    };
    let sent = app.send(email("ann@example.com")).await;
    whole(&sent.reply);
    whole(&app.guess_wrong(&sent).await);
    whole(&app.verify(&sent, sent.code("email")).await);
    whole(&app.status(&sent).await);
    let sent = app.send(email("ann@example.com").and("sms", "+12025550143").all()).await;
    whole(&app.verify_each(&sent, &[("sms", sent.code("sms"))]).await);
    app.advance(std::time::Duration::from_secs(30));
    let resent = app.resend(&sent).await;
    whole(&resent);
    assert!(!resent.text("$.expires_at").is_empty() && !resent.text("$.session_id").is_empty(), "{resent:?}");
}

#[tokio::test]
async fn a_client_that_compares_with_200_exactly_is_never_told_201() {
    let app = TestApp::spawn().await;
    let sent = app.send(email("ann@example.com")).await;
    assert_eq!(sent.reply.status, 200);
    app.verify(&sent, sent.code("email")).await.assert(200).json("$.verified", Value::Bool(true));
}
