//! Every field of a send that is not as it must be: 400, nothing sent, nothing counted, the field named.

use countersign_tests::{Ask, TestApp, email};
use serde_json::{Value, json};

/// A body, the code it is refused with (none: any), and the field that is named.
type Row = (Ask, Option<&'static str>, &'static str);

fn ann() -> Ask {
    email("ann@example.com")
}

fn both() -> Ask {
    ann().and("sms", "+12025550143")
}

async fn refused(rows: Vec<Row>) {
    let app = TestApp::builder().set("limits.sends_per_user", "1/5m").spawn().await;
    for (ask, code, field) in rows {
        let reply = app.try_send(&ask).await;
        assert_eq!(reply.status, 400, "{}: {reply:?}", ask.body());
        let code = code.map_or_else(|| reply.text("$.code"), ToOwned::to_owned);
        assert_eq!(reply.text("$.code"), code, "{}: {reply:?}", ask.body());
        assert_eq!(reply.text("$.details.field"), field, "{}: {reply:?}", ask.body());
        reply.error(400, &code);
        let errors = reply.at("$.details.errors");
        let named = errors.as_array().into_iter().flatten().any(|error| error["field"] == field);
        assert!(named, "{field} is not among details.errors: {reply:?}");
    }
    app.send(ann()).await;
}

#[tokio::test]
async fn channels() {
    let channels = |channels: Value| ann().set("channels", channels);
    refused(vec![
        (ann().without("channels"), Some("invalid_channel"), "channels"),
        (channels(json!([])), Some("invalid_channel"), "channels"),
        (channels(json!("email")), Some("invalid_channel"), "channels"),
        (channels(Value::Null), Some("invalid_channel"), "channels"),
        (channels(json!(["email", "pigeon"])), Some("invalid_channel"), "channels[1]"),
        (channels(json!(["email", 7])), Some("invalid_channel"), "channels[1]"),
        (channels(json!(["email", "EMAIL"])), Some("invalid_channel"), "channels[1]"),
    ])
    .await;
}

#[tokio::test]
async fn recipients() {
    let long = format!("{}@example.com", "a".repeat(65));
    refused(vec![
        (ann().without("recipients"), Some("missing_recipients"), "recipients"),
        (ann().set("recipients", Value::Null), Some("missing_recipients"), "recipients"),
        (ann().set("recipients", json!({})), Some("missing_recipients"), "recipients.email"),
        (ann().set("recipients.email", Value::Null), Some("missing_recipients"), "recipients.email"),
        (both().set("recipients.sms", Value::Null), Some("missing_recipients"), "recipients.sms"),
        (email("ann"), Some("invalid_recipient"), "recipients.email"),
        (email(""), Some("invalid_recipient"), "recipients.email"),
        (email("ann@localhost"), Some("invalid_recipient"), "recipients.email"),
        (email("ann@example.com\r\nBcc: bob@example.com"), Some("invalid_recipient"), "recipients.email"),
        (email(&long), Some("invalid_recipient"), "recipients.email"),
        (ann().set("recipients.email", 7), Some("invalid_recipient"), "recipients.email"),
        (both().set("recipients.sms", "12025550143"), Some("invalid_recipient"), "recipients.sms"),
        (both().set("recipients.sms", "+0123456789"), Some("invalid_recipient"), "recipients.sms"),
        (both().set("recipients.sms", "+1 202 555 0143"), Some("invalid_recipient"), "recipients.sms"),
        (both().set("recipients.sms", "+1234567890123456"), Some("invalid_recipient"), "recipients.sms"),
    ])
    .await;
}

#[tokio::test]
async fn config() {
    let config = |field: &str, value: Value| ann().set(&format!("config.{field}"), value);
    let mut rows = vec![
        (ann().set("config", json!("6")), Some("invalid_config"), "config"),
        (ann().set("verification_mode", "some"), Some("invalid_config"), "verification_mode"),
        (config("verification_mode", json!("some")), Some("invalid_config"), "config.verification_mode"),
        (config("shared_code", json!("yes")), Some("invalid_config"), "config.shared_code"),
        (both().all().set("config.shared_code", true), Some("invalid_config"), "config.shared_code"),
    ];
    for wrong in [json!(3), json!(9), json!(6.5), json!("6"), json!(-6), json!([6])] {
        rows.push((config("otp_length", wrong), Some("invalid_config"), "config.otp_length"));
    }
    for wrong in [json!(0), json!(61), json!(1.5), json!("10")] {
        rows.push((config("expiry_minutes", wrong), Some("invalid_config"), "config.expiry_minutes"));
    }
    for wrong in [json!(0), json!(11), json!("3")] {
        rows.push((config("max_attempts", wrong), Some("invalid_config"), "config.max_attempts"));
    }
    refused(rows).await;
}

#[tokio::test]
async fn the_rest() {
    let ann_with = |field: &str, value: Value| ann().set(field, value);
    refused(vec![
        (ann_with("metadata", json!([1])), None, "metadata"),
        (ann_with("metadata", json!("text")), None, "metadata"),
        (ann_with("metadata", json!({"text": "x".repeat(4_096)})), None, "metadata"),
        (ann_with("add_contact", json!("yes")), None, "add_contact"),
        (ann_with("sandbox_mode", json!(1)), None, "sandbox_mode"),
        (ann_with("service_id", json!("acme")), None, "service_id"),
        (ann_with("service_id", json!("8c4f9a52-2f0b-4f6e-9d0e-6a2b8f1f3c11")), None, "service_id"),
        (ann_with("locale", json!("not a tag!")), None, "locale"),
        (ann_with("purpose", json!("x".repeat(65))), None, "purpose"),
        (ann_with("purpose", json!("")), None, "purpose"),
        (ann_with("user_id", json!("x".repeat(129))), None, "user_id"),
        (ann_with("user_id", json!(17)), None, "user_id"),
        (ann_with("client_ip", json!("10.0.0.256")), None, "client_ip"),
        (ann_with("client_ip", json!("10.0.0.0/8")), None, "client_ip"),
        (ann_with("autofill", json!("example.com")), None, "autofill"),
        (ann_with("autofill.domain", json!("example com")), None, "autofill.domain"),
        (ann_with("autofill.app_hash", json!("short")), None, "autofill.app_hash"),
    ])
    .await;
}

#[tokio::test]
async fn codes() {
    refused(vec![
        (ann().set("code", "123"), None, "code"),
        (ann().set("code", "123456789"), None, "code"),
        (ann().set("code", "12a4"), None, "code"),
        (ann().set("code", 123_456), None, "code"),
        (both().all().set("code", "123456"), None, "code"),
        (ann().set("code", "123456").set("codes", json!({"email": "654321"})), None, "codes"),
        (ann().set("codes", json!("123456")), None, "codes"),
        (ann().set("codes", json!({"email": "12"})), None, "codes.email"),
        (both().set("codes", json!({"email": "123456"})), None, "codes.sms"),
        (both().all().set("codes", json!({"email": "123456", "sms": "123456"})), None, "codes.sms"),
    ])
    .await;
}

#[tokio::test]
async fn fallback() {
    let step = |channel: Value, after: Value| json!([{"channel": channel, "after_seconds": after}]);
    let with = |fallback: Value| ann().set("recipients.sms", "+12025550143").set("fallback", fallback);
    refused(vec![
        (with(json!({"channel": "sms"})), None, "fallback"),
        (with(step(json!("pigeon"), json!(30))), None, "fallback[0].channel"),
        (with(step(json!("email"), json!(30))), None, "fallback[0].channel"),
        (with(step(json!("sms"), json!(14))), None, "fallback[0].after_seconds"),
        (with(step(json!("sms"), json!(901))), None, "fallback[0].after_seconds"),
        (with(json!([{"channel": "sms"}])), None, "fallback[0].after_seconds"),
        (with(step(json!("sms"), json!(30))).all(), None, "fallback"),
        (ann().set("fallback", step(json!("sms"), json!(30))), Some("missing_recipients"), "recipients.sms"),
        (with(step(json!("sms"), json!(30))).set("recipients.sms", "0143"), Some("invalid_recipient"), "recipients.sms"),
    ])
    .await;
}

#[tokio::test]
async fn all_faulty_fields_are_named_at_once_and_the_message_is_the_firsts() {
    let app = TestApp::spawn().await;
    let ask = email("ann").length(3).max_attempts(0).set("client_ip", "nowhere");
    let reply = app.try_send(&ask).await;
    reply.assert(400);
    let errors = reply.at("$.details.errors");
    let errors = errors.as_array().unwrap();
    for field in ["recipients.email", "config.otp_length", "config.max_attempts", "client_ip"] {
        assert!(errors.iter().any(|error| error["field"] == field), "{field}: {reply:?}");
    }
    reply.json("$.message", errors[0]["message"].clone()).json("$.details.field", errors[0]["field"].clone());
}

#[tokio::test]
async fn the_vendors_own_message_is_kept_for_a_bad_address() {
    let app = TestApp::spawn().await;
    app.try_send(&email("ann")).await.error(400, "invalid_recipient").json("$.message", "Invalid recipient email address");
}
