//! The Antryk dialect: the exchanges of its pages and of ours, and what cannot be written down as an exchange.

mod fuzz;

use std::path::Path;
use std::time::Duration;

use countersign_tests::{
    Answer, Client, Expected, KeyWish, Process, ProviderDouble, Reply, Setup, TestApp, happened, run, scenario,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::admin_access::chief;

const SEND_OTP: &str = "/api/v1/sms/send-otp";
const VERIFY_OTP: &str = "/api/v1/sms/verify-otp";
const SEND: &str = "/api/v1/sms/send";
const SERVICE: &str = "7d1f0c52-3a4b-4c5d-8e6f-0123456789ab";
const OTHER: &str = "11111111-2222-4333-8444-555555555555";
const ANN: &str = "+12025550143";

/// Plays every exchange of a file.
async fn play(file: &str) {
    let files = scenario::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/antryk"));
    let (name, scenarios) = files.iter().find(|(name, _)| name.ends_with(file)).expect("the file of the scenarios");
    for scenario in scenarios {
        scenario::play(name, scenario).await;
    }
}

#[tokio::test]
async fn send_otp() {
    play("/send_otp.yaml").await;
}

#[tokio::test]
async fn verify_otp() {
    play("/verify_otp.yaml").await;
}

#[tokio::test]
async fn send() {
    play("/send.yaml").await;
}

#[tokio::test]
async fn errors() {
    play("/errors.yaml").await;
}

/// A server with two services.
fn serving() -> countersign_tests::Builder {
    TestApp::builder().service(SERVICE, &[]).service(OTHER, &[])
}

/// The caller with one of the server's keys, both halves of it.
fn caller(app: &TestApp, key: &str) -> Client {
    let (_, secret, access) = app.all_keys().find(|(name, ..)| *name == key).expect("a key of that name");
    app.nobody().with("x-access-key", access).with("x-secret-key", secret)
}

async fn ask(caller: &Client, to: &str) -> Reply {
    caller.post(SEND_OTP, &json!({"to": to, "serviceId": SERVICE})).await
}

async fn answer(caller: &Client, to: &str, otp: &str) -> Reply {
    caller.post(VERIFY_OTP, &json!({"to": to, "serviceId": SERVICE, "otp": otp})).await
}

/// Expects an error of this dialect, whole.
#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str) {
    reply.assert(status).json("$.success", false).json("$.errors[0].error", error).json("$.errors[0].code", status);
    assert_eq!(reply.at("$.errors").as_array().map(Vec::len), Some(1), "{reply:?}");
    assert!(!reply.text("$.errors[0].message").is_empty(), "{reply:?}");
}

#[tokio::test]
async fn a_live_code_goes_to_the_phone_and_not_into_the_reply() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = serving().sms(&double).spawn().await;
    let live = caller(&app, "live");
    let sent = ask(&live, ANN).await;
    sent.assert(200).without("$.data.otp").without("$.sandbox");
    let code = double.request(1).await.code();
    assert!(!String::from_utf8_lossy(&sent.body).contains(&code), "{sent:?}");
    answer(&live, ANN, &code).await.assert(200).json("$.data.valid", true).without("$.sandbox");
    refused(&answer(&live, ANN, &code).await, 404, "otp_not_found");
}

#[tokio::test]
async fn a_plain_message_arrives_word_by_word_and_is_kept_nowhere() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = serving().sms(&double).spawn().await;
    let words = "Your order 47-11 is on its way.\nTrack it at https://example.com/{{code}} {% raw %}";
    let sent = caller(&app, "live").post(SEND, &json!({"to": ANN, "serviceId": SERVICE, "body": words})).await;
    let message = sent.assert(200).text("$.messageId");
    let request = double.request(1).await;
    assert_eq!((request.field("text").as_str(), request.field("to").as_str(), request.field("id")), (words, ANN, message));
    app.live().get("/api/v1/otp/sessions").await.assert(200).json("$.data", json!([]));
    for file in std::fs::read_dir(app.stop().await.path()).unwrap() {
        let file = file.unwrap().path();
        let kept = if file.is_file() { std::fs::read(&file).unwrap() } else { Vec::new() };
        assert!(!kept.windows(11).any(|window| window == b"order 47-11"), "the words stand in {}", file.display());
    }
}

#[tokio::test]
async fn a_message_that_may_have_gone_out_holds_its_place_and_one_that_did_not_makes_way() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = serving().sms(&double).spawn().await;
    let live = caller(&app, "live");
    double.plan(Answer::Cut);
    ask(&live, ANN).await.assert(200).json("$.data.status", "pending");
    refused(&ask(&live, ANN).await, 409, "otp_pending");
    answer(&live, ANN, &double.request(1).await.code()).await.assert(200).json("$.data.valid", true);
    for _ in 0..2 {
        double.plan(Answer::With(400, "{}".to_owned()));
        refused(&ask(&live, ANN).await, 500, "provider_unavailable");
    }
    refused(&answer(&live, ANN, &double.request(3).await.code()).await, 404, "otp_not_found");
    ask(&live, ANN).await.assert(200);
}

#[tokio::test]
async fn a_sender_that_died_holds_its_place_for_the_time_of_its_lease() {
    let double = ProviderDouble::start(Expected::json()).await;
    let gate = double.hold();
    let app = serving().sms(&double).spawn().await;
    let live = caller(&app, "live");
    let sending = tokio::spawn({
        let live = live.clone();
        async move { ask(&live, ANN).await }
    });
    let code = double.request(1).await.code();
    refused(&ask(&live, ANN).await, 409, "otp_pending");
    // As long as nobody has taken the place, the code that may have arrived is good.
    app.advance(Duration::from_mins(2));
    answer(&live, ANN, &code).await.assert(200).json("$.data.valid", true);
    gate.open();
    sending.await.unwrap();

    let gate = double.hold();
    let sending = tokio::spawn({
        let live = live.clone();
        async move { ask(&live, ANN).await }
    });
    double.request(2).await;
    app.advance(Duration::from_mins(2));
    let taking = tokio::spawn({
        let live = live.clone();
        async move { ask(&live, ANN).await }
    });
    let code = double.request(3).await.code();
    gate.open();
    taking.await.unwrap().assert(200);
    sending.await.unwrap();
    answer(&live, ANN, &code).await.assert(200).json("$.data.valid", true);
}

#[tokio::test]
async fn ten_a_minute_go_to_one_number_over_all_services() {
    let app = serving().spawn().await;
    let caller = caller(&app, "test");
    for round in 0..8 {
        let code = ask(&caller, ANN).await.assert(200).text("$.data.otp");
        answer(&caller, ANN, &code).await.assert(200).json("$.data.valid", true);
        assert!(round < 8);
    }
    caller.post(SEND, &json!({"to": ANN, "serviceId": OTHER, "body": "Hello"})).await.assert(200);
    caller.post(SEND_OTP, &json!({"to": ANN, "serviceId": OTHER})).await.assert(200);
    let refusal = ask(&caller, ANN).await;
    refused(&refusal, 429, "rate_limited");
    assert_eq!(refusal.number_in("retry-after"), 60, "{refusal:?}");
    refused(&caller.post(SEND, &json!({"to": ANN, "serviceId": SERVICE, "body": "Hello"})).await, 429, "rate_limited");
    ask(&caller, "+12025550144").await.assert(200);
    app.advance(Duration::from_mins(1));
    ask(&caller, ANN).await.assert(200);
}

#[tokio::test]
async fn of_a_hundred_sends_at_once_one_message_goes_out() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = serving().generous().sms(&double).spawn().await;
    let live = caller(&app, "live");
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let live = live.clone();
            tokio::spawn(async move { ask(&live, ANN).await })
        })
        .collect();
    let mut passed = 0;
    for call in calls {
        let reply = call.await.unwrap();
        if reply.status == 200 {
            passed += 1;
        } else {
            refused(&reply, 409, "otp_pending");
            assert!((1..=300).contains(&reply.number_in("retry-after")), "{reply:?}");
        }
    }
    assert_eq!((passed, double.requests().len()), (1, 1));
    let sessions = happened(app.stop().await.path()).await;
    assert_eq!(sessions.len(), 1, "{sessions:?}");
}

#[tokio::test]
async fn two_tenants_see_nothing_of_each_other() {
    let keys = |builder: countersign_tests::Builder| builder.key("foreign", KeyWish::test().of_another_tenant());
    let app = keys(serving()).spawn().await;
    let (own, foreign) = (caller(&app, "test"), caller(&app, "foreign"));
    let mine = ask(&own, ANN).await.assert(200).text("$.data.otp");
    // The same number and service: nothing is found, nothing is held, nothing is locked.
    for _ in 0..6 {
        refused(&answer(&foreign, ANN, &mine).await, 404, "otp_not_found");
    }
    let theirs = ask(&foreign, ANN).await.assert(200).text("$.data.otp");
    for _ in 0..5 {
        let wrong = countersign_tests::wrong_code(&[&mine, &theirs]);
        answer(&foreign, ANN, &wrong).await.assert(200).json("$.data.valid", false);
    }
    refused(&answer(&foreign, ANN, &theirs).await, 429, "rate_limited");
    answer(&own, ANN, &mine).await.assert(200).json("$.data.valid", true);
    // A service of one tenant is none of the other's.
    let service = json!({"id": "22222222-2222-4222-8222-222222222222", "name": "web"});
    chief(&app).await.post("/admin/v1/tenants/default/services", &service).await.assert(201);
    let body = json!({"to": ANN, "serviceId": service["id"]});
    own.post(SEND_OTP, &body).await.assert(200);
    let (strange, unknown) =
        (foreign.post(SEND_OTP, &body).await, foreign.post(SEND_OTP, &json!({"to": ANN, "serviceId": "x"})).await);
    refused(&strange, 401, "invalid_request");
    assert_eq!(strange.body, unknown.body);
}

#[tokio::test]
async fn a_service_changes_under_the_hand_of_its_operator() {
    let app = TestApp::spawn().await;
    let (own, chief) = (caller(&app, "test"), chief(&app).await);
    let services = "/admin/v1/tenants/default/services";
    let profile = json!({"id": SERVICE, "name": "web", "profile": {"wrong_code": "error"}});
    chief.post(services, &profile).await.assert(201).json("$.profile.wrong_code", "error");
    let code = ask(&own, ANN).await.assert(200).text("$.data.otp");
    let wrong = countersign_tests::wrong_code(&[&code]);
    refused(&answer(&own, ANN, &wrong).await, 400, "otp_invalid");
    let patch = json!({"profile": {"wrong_code": "verdict"}});
    crate::admin_access::patch(&chief, &format!("{services}/{SERVICE}"), &patch).await.assert(200);
    let mut told = answer(&own, ANN, &wrong).await;
    if told.status == 400 {
        // Another node hears of it with its next step.
        told = answer(&own, ANN, &wrong).await;
    }
    told.assert(200).json("$.data.valid", false);
}

#[tokio::test]
async fn a_send_that_no_gateway_took_is_an_error_whatever_the_service_says() {
    let app = TestApp::builder().service(SERVICE, &[("all_failed", json!("session"))]).spawn().await;
    for _ in 0..2 {
        refused(&ask(&caller(&app, "live"), ANN).await, 500, "provider_unavailable");
    }
}

#[tokio::test]
async fn a_body_above_64_kib_is_too_large() {
    let app = serving().spawn().await;
    let body = |bytes: usize| json!({"to": ANN, "serviceId": SERVICE, "padding": "x".repeat(bytes)}).to_string();
    let caller = caller(&app, "test");
    let call = async |bytes| caller.call(Method::POST, SEND_OTP, Some("application/json"), body(bytes)).await;
    call(60_000).await.assert(200);
    refused(&call(70_000).await, 413, "payload_too_large");
}

#[tokio::test]
async fn while_the_store_is_away_callers_are_asked_to_come_back() {
    let app = serving().spawn().await;
    let caller = caller(&app, "test");
    let code = ask(&caller, ANN).await.assert(200).text("$.data.otp");
    app.break_store();
    let message = json!({"to": ANN, "serviceId": SERVICE, "body": "Hello"});
    for reply in [ask(&caller, ANN).await, answer(&caller, ANN, &code).await, caller.post(SEND, &message).await] {
        refused(&reply, 503, "service_unavailable");
        assert!(reply.number_in("retry-after") >= 1, "{reply:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_good_any_more_is_a_wrong_pair() {
    let app = serving().key("short", KeyWish::test().expires_in(Duration::from_mins(1))).spawn().await;
    let short = caller(&app, "short");
    ask(&short, ANN).await.assert(200);
    app.advance(Duration::from_mins(1));
    let (expired, unknown) =
        (ask(&short, ANN).await, ask(&app.nobody().with("x-access-key", "ak_x").with("x-secret-key", "sk_x"), ANN).await);
    refused(&expired, 401, "invalid_credentials");
    assert_eq!(expired.body, unknown.body);
    assert!(expired.header("www-authenticate").is_some(), "{expired:?}");
}

#[tokio::test]
async fn the_wire_describes_itself() {
    let app = TestApp::spawn().await;
    let described: Value = app.nobody().get("/openapi/antryk.json").await.assert(200).body();
    for path in [SEND_OTP, VERIFY_OTP, SEND] {
        assert!(described["paths"][path]["post"].is_object(), "{path}");
    }
}

#[tokio::test]
async fn no_key_code_number_or_word_stands_in_a_log_or_a_metric() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::default().generous().set("log.level", "trace,actix_http=trace,actix_web=trace,actix_server=trace");
    let process = Process::start(dir.path(), &setup.service(SERVICE, &[("code_length", json!(8))]), &[]).await;
    let key = run(dir.path(), &["key", "create", "--mode", "test"]).await;
    let [access, secret] = ["access_key", "secret"].map(|half| key[half].as_str().unwrap().to_owned());
    let nobody = process.client();
    let in_headers = nobody.with("x-access-key", &access).with("x-secret-key", &secret);
    let code = ask(&in_headers, "+12025550147").await.assert(200).text("$.data.otp");
    answer(&in_headers, "+12025550147", "13572468").await.assert(200);
    let in_body = json!({"accessKey": access, "secretKey": secret, "to": "+12025550147", "serviceId": SERVICE, "otp": code});
    nobody.post(VERIFY_OTP, &in_body).await.assert(200).json("$.data.valid", true);
    nobody.with("x-access-key", &access).post(VERIFY_OTP, &in_body).await.assert(401);
    let words = json!({"to": "+12025550147", "serviceId": SERVICE, "body": "a very private message"});
    in_headers.post(SEND, &words).await.assert(200);
    in_headers.post(SEND, &json!({"to": "+1202555014x", "serviceId": SERVICE, "body": words["body"]})).await.assert(400);
    let metrics = process.admin().get("/metrics").await;
    let (exit, lines) = process.stop().await;
    let written = lines.join("\n") + &String::from_utf8_lossy(&metrics.assert(200).body);
    assert!(exit == Some(0) && written.contains(VERIFY_OTP), "the log tells of calls: {written}");
    for hidden in [secret.as_str(), code.as_str(), "13572468", "2025550147", "1202555014x", "private message"] {
        let at = written.find(hidden);
        assert!(at.is_none(), "{hidden} stands in: {}", &written[at.unwrap_or(0).saturating_sub(200)..][..400]);
    }
}
