//! The GetOTP dialect: the exchanges of its page and of ours, and what cannot be written down as an exchange.

mod fuzz;
mod reports;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use countersign_model::{SessionId, Uuid};
use countersign_tests::{
    Client, Expected, KeyWish, Process, ProviderDouble, Reply, Setup, TestApp, scenario, within_patience, wrong_code,
};
use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::admin_access::chief;

const PATH: &str = "/api/verify/";

/// Plays every exchange of a file.
async fn play(file: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/getotp");
    let files = scenario::read(&folder);
    let (name, scenarios) = files.iter().find(|(name, _)| name.ends_with(file)).expect("the file of the scenarios");
    for scenario in scenarios {
        scenario::play(name, scenario).await;
    }
}

#[tokio::test]
async fn create() {
    play("create.yaml").await;
}

#[tokio::test]
async fn check() {
    play("check.yaml").await;
}

#[tokio::test]
async fn errors() {
    play("errors.yaml").await;
}

#[tokio::test]
async fn limits() {
    play("limits.yaml").await;
}

#[tokio::test]
async fn management() {
    play("management.yaml").await;
}

/// The caller with one of the server's keys.
fn caller(app: &TestApp, key: &str) -> Client {
    app.nobody().with("X-OTP-Key", app.secret(key))
}

/// A call that is read out: the shortest way to a code.
fn voice(phone: &str) -> Value {
    json!({"data": {"channel": "voice", "voice_type": "tts", "phone": phone, "code_length": 6}})
}

async fn sent(caller: &Client, phone: &str) -> Reply {
    let reply = caller.post(PATH, &voice(phone)).await;
    reply.assert(200);
    reply
}

async fn checked(caller: &Client, query: &str) -> Reply {
    caller.get(&format!("{PATH}?{query}")).await
}

/// How many verifications a check found.
#[track_caller]
fn hits(reply: &Reply) -> usize {
    let rows = reply.assert(200).at("$.data").as_array().unwrap_or_else(|| panic!("no rows: {reply:?}")).len();
    reply.json("$.pagination", json!({"number": 1, "size": rows, "total": rows}));
    rows
}

/// Expects an error of this dialect, whole, with these numbers.
#[track_caller]
fn refused(reply: &Reply, status: u16, numbers: &[&str]) {
    let errors = reply.assert(status).at("$.errors");
    let told: Vec<&str> = errors.as_array().into_iter().flatten().filter_map(|entry| entry["code"].as_str()).collect();
    assert_eq!(told, numbers, "{reply:?}");
}

/// Makes the same check a hundred times at once, and counts what was found.
async fn a_hundred_times(caller: &Client, query: &str) -> usize {
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let (caller, query) = (caller.clone(), query.to_owned());
        calls.spawn(async move { hits(&checked(&caller, &query).await) });
    }
    calls.join_all().await.into_iter().sum()
}

#[tokio::test]
async fn of_a_hundred_checks_of_one_right_code_at_once_one_hits() {
    let app = TestApp::builder().generous().spawn().await;
    let caller = caller(&app, "test");
    let code = sent(&caller, "60123456789").await.text("$.sandbox_otp");
    assert_eq!(a_hundred_times(&caller, &format!("code={code}&phone=60123456789")).await, 1);
}

#[tokio::test]
async fn of_a_hundred_checks_that_say_nothing_but_the_code_one_hits() {
    let app = TestApp::builder().generous().spawn().await;
    let caller = caller(&app, "test");
    let code = sent(&caller, "60123456789").await.text("$.sandbox_otp");
    assert_eq!(a_hundred_times(&caller, &format!("code={code}")).await, 1);
}

#[tokio::test]
async fn however_many_codes_are_tried_at_once_a_hundred_wrong_ones_are_heard_and_no_more() {
    let app = TestApp::builder().generous().spawn().await;
    let caller = caller(&app, "test");
    let code = sent(&caller, "60123456789").await.text("$.sandbox_otp");
    let mut calls = JoinSet::new();
    for _ in 0..160 {
        let (caller, wrong) = (caller.clone(), wrong_code(&[&code]));
        calls.spawn(async move { caller.get(&format!("{PATH}?code={wrong}")).await.status });
    }
    let statuses = calls.join_all().await;
    let heard = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!((heard, statuses.len() - heard), (100, 60), "{statuses:?}");
    caller.get(&format!("{PATH}?code={code}")).await.assert(429).json("$.errors[0].code", "1429");
    // So many are counted by the second: the oldest second is given up as a whole.
    app.advance(Duration::from_secs(61));
    assert_eq!(hits(&checked(&caller, &format!("code={code}")).await), 1);
}

#[tokio::test]
async fn codes_that_are_made_for_the_caller_are_no_two_people_s_at_a_time() {
    let app = TestApp::builder().generous().spawn().await;
    let caller = caller(&app, "test");
    let mut codes = BTreeSet::new();
    for number in 0..150 {
        let phone = format!("6012345{number:04}");
        let body = json!({"data": {"channel": "voice", "voice_type": "tts", "phone": phone, "code_length": 4}});
        let reply = caller.post(PATH, &body).await;
        let code = reply.assert(200).text("$.sandbox_otp");
        assert!(
            codes.insert((code.clone(), phone)) && codes.iter().filter(|(known, _)| *known == code).count() == 1,
            "{code} twice"
        );
    }
    for (code, phone) in codes.iter().take(20) {
        let found = checked(&caller, &format!("code={code}")).await;
        assert_eq!(hits(&found), 1, "{found:?}");
        found.json("$.data[0].phone", phone.as_str());
    }
}

#[tokio::test]
async fn a_key_is_also_taken_as_the_user_of_basic_credentials() {
    let app = TestApp::spawn().await;
    for password in [":", ":token", ""] {
        let credentials = BASE64.encode(format!("{}{password}", app.secret("test")).as_bytes());
        let caller = app.nobody().with("Authorization", &format!("Basic {credentials}"));
        caller.get("/v1/senders").await.assert(200);
        caller.get("/v1/templates").await.assert(200).json("$.pagination.total", 0);
        // Its own header goes before.
        refused(&caller.with("X-OTP-Key", "wrong").get("/v1/senders").await, 401, &["1136"]);
    }
}

#[tokio::test]
async fn two_tenants_with_the_same_numbers_and_codes_do_not_get_in_each_others_way() {
    let app = TestApp::builder().key("stranger", KeyWish::test().of_another_tenant()).spawn().await;
    let (own, stranger) = (caller(&app, "test"), caller(&app, "stranger"));
    let body = json!({"data": {"channel": "voice", "voice_type": "tts", "phone": "60123456789", "code": "482913"}});
    let mine = own.post(PATH, &body).await.assert(200).text("$.message_id");
    let theirs = stranger.post(PATH, &body).await.assert(200).text("$.message_id");
    for _ in 0..6 {
        assert_eq!(hits(&checked(&stranger, "code=999999&phone=60123456789").await), 0);
    }
    assert_eq!(hits(&checked(&stranger, "code=482913&phone=60123456789").await), 0, "theirs is locked");
    checked(&own, "code=482913").await.json("$.data[0].message_id", mine.as_str()).json("$.pagination.total", 1);
    for _ in 0..10 {
        sent(&own, "60123456780").await;
    }
    refused(&own.post(PATH, &voice("60123456780")).await, 429, &["1429"]);
    sent(&stranger, "60123456780").await;
    assert_ne!(mine, theirs);
}

/// The session that a `message_id` names, in the native spelling.
fn session(message: &str) -> SessionId {
    SessionId::from_bits(Uuid::try_parse(message).unwrap().as_u128())
}

#[tokio::test]
async fn a_verification_is_the_same_session_in_every_other_dialect() {
    let app = TestApp::spawn().await;
    let getotp = caller(&app, "test");
    let opened = sent(&getotp, "60123456789").await;
    let id = session(&opened.text("$.message_id"));
    let path = format!("/api/v1/otp/sessions/{id}");
    let kotp = app.nobody().with("Authorization", &format!("Bearer {}", app.secret("test")));
    let status = format!("/v1/status/otp_{:032x}", id.bits());
    app.get(&path).await.assert(200).json("$.status", "pending").json("$.expires_at", opened.at("$.expire_date"));
    kotp.get(&status).await.assert(200).json("$.verified", false).json("$.to", "+60123456789");
    let code = opened.text("$.sandbox_otp");
    checked(&getotp, &format!("code={}&phone=60123456789", wrong_code(&[&code]))).await.assert(200);
    app.get(&path).await.assert(200).json("$.attempts_remaining", 4);
    assert_eq!(hits(&checked(&getotp, &format!("code={code}&phone=60123456789")).await), 1);
    app.get(&path).await.assert(200).json("$.status", "verified");
    kotp.get(&status).await.assert(200).json("$.verified", true).json("$.status", "verified");
    let seen = format!("/admin/v1/tenants/default/sessions/{id}");
    chief(&app).await.get(&seen).await.assert(200).json("$.status", "verified").json("$.id", id.to_string());
}

#[tokio::test]
async fn a_session_that_another_dialect_ends_is_not_found_by_a_check() {
    let app = TestApp::spawn().await;
    let getotp = caller(&app, "test");
    let opened = sent(&getotp, "60123456789").await;
    let id = session(&opened.text("$.message_id"));
    app.post("/api/v1/otp/cancel", &json!({"session_token": id.to_string()})).await.assert(401);
    let code = opened.text("$.sandbox_otp");
    app.post("/api/v1/otp/verify", &json!({"session_token": id.to_string(), "code": code})).await.assert(401);
    assert_eq!(hits(&checked(&getotp, &format!("code={code}")).await), 1, "ids open nothing in the native dialect");
}

#[tokio::test]
async fn the_words_of_a_template_reach_the_phone() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    let live = caller(&app, "live");
    let template = json!({"data": {"channel": "SMS", "name": "Pay", "text": "Pay with {code}, says {{app}}"}});
    let template = live.post("/v1/templates", &template).await.assert(201).text("$.data.id");
    let body =
        json!({"data": {"channel": "sms", "sender": "GetOTP", "phone": "60123456789", "template": template, "code": "00471198"}});
    live.post(PATH, &body).await.assert(200).without("$.sandbox_otp").without("$.sandbox");
    let request = double.request(1).await;
    assert_eq!((request.field("text").as_str(), request.field("to").as_str()), ("Pay with 00471198, says Acme", "+60123456789"));
    // A template that was made for choosing is used by nobody who does not choose it.
    app.live().try_send(&countersign_tests::sms("+60123456781")).await.assert(200);
    assert!(!double.request(2).await.field("text").contains("Pay with"));
}

#[tokio::test]
async fn no_provider_no_message_and_nothing_to_check() {
    let double = ProviderDouble::start(Expected::json()).await;
    let app = TestApp::builder().sms(&double).spawn().await;
    let live = caller(&app, "live");
    let template = json!({"data": {"channel": "SMS", "text": "{code}"}});
    let template = live.post("/v1/templates", &template).await.assert(201).text("$.data.id");
    double.plan(countersign_tests::Answer::With(500, "{}".to_owned()));
    let body =
        json!({"data": {"channel": "sms", "sender": "GetOTP", "phone": "60123456789", "template": template, "code": "482913"}});
    refused(&live.post(PATH, &body).await, 502, &["1502"]);
    assert_eq!(hits(&checked(&live, "code=482913&phone=60123456789").await), 0);
}

#[tokio::test]
async fn while_the_store_is_away_callers_are_asked_to_come_back() {
    let app = TestApp::spawn().await;
    let caller = caller(&app, "test");
    let code = sent(&caller, "60123456789").await.text("$.sandbox_otp");
    app.break_store();
    for reply in [caller.post(PATH, &voice("60123456789")).await, checked(&caller, &format!("code={code}")).await] {
        refused(&reply, 503, &["1503"]);
        assert!(reply.number_in("retry-after") >= 1, "{reply:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_told_before_anything_else() {
    let app = TestApp::spawn().await;
    let large = json!({"data": {"payload": "x".repeat(70_000)}}).to_string();
    for path in [PATH, "/v1/verifications", "/v1/webhooks"] {
        let reply = app.nobody().call(Method::POST, path, Some("text/plain"), large.clone()).await;
        refused(&reply, 413, &["1413"]);
    }
}

#[tokio::test]
async fn no_query_stands_in_a_log_or_in_a_reply() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::default().generous().set("log.level", "trace,actix_http=trace,actix_web=trace,actix_server=trace");
    let process = Process::start(dir.path(), &setup, &[]).await;
    let caller = process.client().with("X-OTP-Key", &process.first_key());
    let secrets = ["97531864", "60198765432", "whoever%40example.com", "whoever@example.com", "stray-parameter"];
    let queries = [
        "code=97531864&phone=60198765432".to_owned(),
        "code=97531864&phone=%2B60198765432".to_owned(),
        "code=97531864".to_owned(),
        "code=97531864&email=whoever%40example.com".to_owned(),
        "code=97531864&phone=6019876543x&stray-parameter=1".to_owned(),
        "code=97531864x&stray-parameter=1".to_owned(),
    ];
    for query in &queries {
        for path in ["/api/verify/", "/v1/verifications", "/v1/verifications/nowhere"] {
            for caller in [&caller, &caller.without("X-OTP-Key")] {
                for method in [Method::GET, Method::PUT, Method::HEAD] {
                    let reply = caller.call(method, &format!("{path}?{query}"), None, "").await;
                    let body = String::from_utf8_lossy(&reply.body).into_owned();
                    assert!(reply.status < 500 && secrets.iter().all(|secret| !body.contains(secret)), "{reply:?}");
                }
            }
        }
    }
    let metrics = process.admin().get("/metrics").await;
    let (code, lines) = process.stop().await;
    assert_eq!(code, Some(0), "{lines:#?}");
    let written = lines.join("\n") + &String::from_utf8_lossy(&metrics.assert(200).body);
    assert!(written.contains("/v1/verifications"), "the log tells of calls: {written}");
    for secret in secrets.into_iter().chain(["?code", "code="]) {
        let at = written.find(secret);
        assert!(at.is_none(), "{secret} stands in the log: {}", &written[at.unwrap_or(0).saturating_sub(200)..][..400]);
    }
}

#[tokio::test]
async fn a_delivery_that_fails_is_reported_signed_and_with_its_payload() {
    let (double, mut reports) = (ProviderDouble::start(Expected::json()).await, reports::Reports::start().await);
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::default().sms(&double).set("webhooks.allow_http", true);
    let setup = setup.set("webhooks.allowed_networks", vec!["127.0.0.1/32"]).set("webhooks.allowed_ports", vec![reports.port()]);
    let process = Process::start(dir.path(), &setup, &[]).await;
    let made = countersign_tests::run(dir.path(), &["key", "create", "--mode", "live", "--name", "shop"]).await;
    let native = process.client().with_key(made["secret"].as_str().unwrap());
    native.until_let_in().await;
    let live = process.client().with("X-OTP-Key", made["secret"].as_str().unwrap());
    let hook = json!({"data": {"url": reports.url(), "secret": "s3cret", "name": "Reports", "event": "DELIVERY"}});
    live.post("/v1/webhooks", &hook).await.assert(201).json("$.data.secret", "s3cret");
    let template = json!({"data": {"channel": "SMS", "text": "{code}"}});
    let template = live.post("/v1/templates", &template).await.assert(201).text("$.data.id");
    double.plan(countersign_tests::Answer::With(500, "{}".to_owned()));
    let payload = "{\"order_id\":\"xfdu48sfdjsdf\", \"agent_id\":2258} é\u{1F600}";
    let body = json!({"data": {"channel": "sms", "sender": "GetOTP", "phone": "60123456789", "template": template, "code_length": 6, "payload": payload}});
    refused(&live.post("/v1/verifications", &body).await, 502, &["1502"]);
    let report = within_patience("a report", reports.next()).await;
    assert_eq!(report.signature, reports::signature("s3cret", &report.body));
    let told: Value = serde_json::from_slice(&report.body).unwrap();
    let data = told["data"].as_object().unwrap_or_else(|| panic!("{told}"));
    let expected = [
        ("event", json!("delivery")),
        ("status", json!("failed")),
        ("channel", json!("SMS")),
        ("to", json!("60123456789")),
        ("payload", json!(payload)),
    ];
    for (name, value) in expected {
        assert_eq!(data[name], value, "{told}");
    }
    for (name, form) in [("account_id", "uuid"), ("message_id", "uuid"), ("timestamp", "table-time"), ("price", "number")] {
        assert_eq!(scenario::form::fits(form, &data[name]), Some(true), "{name}: {told}");
    }
}
