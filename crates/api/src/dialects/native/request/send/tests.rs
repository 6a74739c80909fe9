use std::time::Duration;

use countersign_core::Codes;
use countersign_model::VerificationMode;
use serde_json::{Value, json};

use super::super::testing::{only_fault, parse_with};
use super::*;
use crate::fields::Fault;

/// A call that asks e-mail and SMS, with `changes` laid over it.
fn call(changes: &Value) -> Value {
    let mut body = json!({"channels": ["email", "sms"], "recipients": {"email": "ann@example.com", "sms": "+12025550143"}});
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn read(changes: &Value) -> Result<Send, Vec<Fault>> {
    parse_with(&call(changes), &[], parse)
}

fn read_strictly(changes: &Value) -> Result<Send, Vec<Fault>> {
    parse_with(&call(changes), &[("Prefer", "handling=strict")], parse)
}

fn fault(changes: &Value) -> (String, &'static str) {
    let (field, code, _) = only_fault(read(changes));
    (field, code)
}

#[test]
fn what_is_left_out_is_left_to_the_service() {
    let send = read(&json!({})).unwrap();
    assert_eq!((send.code_length, send.life, send.max_attempts), (None, None, None));
    assert_eq!((send.shared_code, send.sandbox, send.add_contact), (false, false, false));
    assert_eq!(
        (send.verification_mode, send.metadata.as_str(), send.purpose.as_str()),
        (VerificationMode::Any, "{}", "verification")
    );
    assert!(send.service.is_none() && send.locale.is_none() && send.user_id.is_none() && send.client_ip.is_none());
    assert!(send.fallback.is_empty() && matches!(send.codes, Codes::Minted) && send.idempotency.is_none());
}

#[test]
fn null_is_the_same_as_left_out() {
    let nothing: serde_json::Map<String, Value> = FIELDS
        .iter()
        .filter(|name| !["channels", "recipients"].contains(name))
        .map(|name| ((*name).to_owned(), Value::Null))
        .collect();
    let send = read(&Value::Object(nothing)).unwrap();
    assert_eq!((send.verification_mode, send.metadata.as_str()), (VerificationMode::Any, "{}"));
}

#[test]
fn every_field_is_read() {
    let body = call(&json!({
        "config": {"otp_length": 8, "expiry_minutes": 15, "max_attempts": 5, "shared_code": true, "verification_mode": "any"},
        "metadata": {"z": 1, "a": "x"}, "add_contact": true, "sandbox_mode": true, "service_id": "6f1c2e0a-8a4b-4c58-9d53-0d5f2c1b7a90",
        "locale": "pt-BR", "purpose": "login", "user_id": "user_12345", "client_ip": "203.0.113.7",
        "autofill": {"domain": "Example.com"}, "verification_mode": "ANY",
        "fallback": [{"channel": "voice", "after_seconds": 60}], "recipients":
            {"email": "ann@example.com", "sms": "+12025550143", "voice": "+12025550144"},
    }));
    let send = parse_with(&body, &[("Idempotency-Key", "\"k1\"")], parse).unwrap();
    assert_eq!((send.code_length, send.life, send.max_attempts), (Some(8), Some(Duration::from_secs(900)), Some(5)));
    assert!(send.shared_code && send.sandbox && send.add_contact);
    assert_eq!(send.service.unwrap().to_string(), "6f1c2e0a-8a4b-4c58-9d53-0d5f2c1b7a90");
    assert_eq!(
        (send.locale.as_deref(), send.purpose.as_str(), send.user_id.as_deref()),
        (Some("pt-BR"), "login", Some("user_12345"))
    );
    assert_eq!(send.client_ip.unwrap().to_string(), "203.0.113.7");
    assert_eq!(send.autofill.domain.as_deref(), Some("example.com"));
    assert_eq!((send.fallback[0].channel, send.fallback[0].after), (Channel::Voice, Duration::from_secs(60)));
    assert_eq!(send.idempotency.unwrap().key, "k1");
}

#[test]
fn channels_are_taken_in_either_case_also_as_keys() {
    let body = json!({"channels": ["EMAIL", "Sms"], "recipients": {"Email": "ann@example.com", "SMS": "+12025550143"}});
    let send = parse_with(&body, &[], parse).unwrap();
    assert_eq!(send.channels.iter().map(|asked| asked.channel).collect::<Vec<_>>(), [Channel::Email, Channel::Sms]);
}

#[test]
fn a_list_of_channels_that_cannot_be_used_is_told_by_its_entry() {
    for wrong in [json!(null), json!([]), json!("sms"), json!({}), json!(["sms", "sms", "sms", "sms", "sms"])] {
        assert_eq!(fault(&json!({"channels": wrong})), ("channels".to_owned(), "invalid_channel"), "{wrong}");
    }
    for (wrong, entry) in
        [(json!(["sms", "fax"]), "channels[1]"), (json!(["sms", "SMS"]), "channels[1]"), (json!([7, "sms"]), "channels[0]")]
    {
        assert_eq!(fault(&json!({"channels": wrong})), (entry.to_owned(), "invalid_channel"), "{wrong}");
    }
    let (_, _, message) = only_fault(read(&json!({"channels": ["fax"]})));
    assert!(message.starts_with("Invalid channel"), "{message}");
}

#[test]
fn recipients_that_are_missing_or_unreachable_are_told_by_their_channel() {
    for wrong in [json!(null), json!([]), json!("ann@example.com")] {
        let (field, code, message) = only_fault(read(&json!({"recipients": wrong})));
        assert_eq!((field.as_str(), code, message.as_str()), ("recipients", "missing_recipients", "Missing recipients"));
    }
    let missing = json!({"recipients": {"email": "ann@example.com", "sms": null}});
    assert_eq!(fault(&missing), ("recipients.sms".to_owned(), "missing_recipients"));
    let (field, code, message) = only_fault(read(&json!({"recipients": {"email": "ann@", "sms": "+12025550143"}})));
    assert_eq!(
        (field.as_str(), code, message.as_str()),
        ("recipients.email", "invalid_recipient", "Invalid recipient email address")
    );
    for wrong in [json!("2025550143"), json!(12_025_550_143_u64), json!("+1 (202) 555-0143"), json!("")] {
        let (field, code, message) = only_fault(read(&json!({"recipients": {"email": "ann@example.com", "sms": wrong}})));
        assert_eq!((field.as_str(), code), ("recipients.sms", "invalid_recipient"));
        assert!(message.starts_with("Invalid recipient phone number"), "{message}");
    }
}

#[test]
fn what_is_wrong_with_a_recipient_comes_first_and_all_is_told() {
    let faults = read(&json!({
        "recipients": {"email": "ann@", "sms": "1"}, "config": {"otp_length": 3, "max_attempts": "3"}, "locale": 7, "sandbox_mode": "yes",
    }));
    let faults = faults.unwrap_err();
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        fields,
        ["recipients.email", "recipients.sms", "config.otp_length", "config.max_attempts", "sandbox_mode", "locale"]
    );
}

#[test]
fn config_is_held_to_its_ranges() {
    for (name, least, most) in [("otp_length", 4, 8), ("expiry_minutes", 1, 60), ("max_attempts", 1, 10)] {
        for right in [least, most] {
            assert!(read(&json!({"config": {name: right}})).is_ok(), "{name} {right}");
        }
        for wrong in [json!(least - 1), json!(most + 1), json!(least.to_string()), json!(4.5), json!(-1), json!(true), json!([4])]
        {
            assert_eq!(fault(&json!({"config": {name: wrong}})), (format!("config.{name}"), "invalid_config"), "{wrong}");
        }
    }
    assert_eq!(fault(&json!({"config": {"shared_code": 1}})).0, "config.shared_code");
    assert_eq!(fault(&json!({"config": []})), ("config".to_owned(), "invalid_config"));
}

#[test]
fn the_mode_stands_beside_config_or_in_it() {
    for changes in [json!({"verification_mode": "All"}), json!({"config": {"verification_mode": "all"}})] {
        assert_eq!(read(&changes).unwrap().verification_mode, VerificationMode::All);
    }
    assert_eq!(fault(&json!({"verification_mode": "some"})), ("verification_mode".to_owned(), "invalid_config"));
    let disagreeing = json!({"verification_mode": "any", "config": {"verification_mode": "all"}});
    assert_eq!(fault(&disagreeing).0, "config.verification_mode");
    assert_eq!(fault(&json!({"verification_mode": "all", "config": {"shared_code": true}})).0, "config.shared_code");
}

#[test]
fn metadata_keeps_its_order_and_is_bounded() {
    let text = r#"{"channels":["sms"],"recipients":{"sms":"+12025550143"},"metadata": { "z": 1.50, "a": 18446744073709551615, "s": " \u00e9 " } }"#;
    let body = crate::body::Body {
        bytes: actix_web::web::Bytes::from(text),
        object: serde_json::from_str::<Value>(text).unwrap().as_object().unwrap().clone(),
    };
    let request = actix_web::test::TestRequest::post().to_http_request();
    let send = parse(&Input { request: &request, body: &body }).unwrap();
    assert_eq!(send.metadata, r#"{"z":1.5,"a":18446744073709551615,"s":" é "}"#);
    let filled = |length: usize| read(&json!({"metadata": {"k": "x".repeat(length)}}));
    assert_eq!(filled(4096 - 8).unwrap().metadata.len(), 4096);
    assert_eq!(only_fault(filled(4096 - 7)).0, "metadata");
    for wrong in [json!("x"), json!([1]), json!(true)] {
        assert_eq!(fault(&json!({"metadata": wrong})).0, "metadata");
    }
}

#[test]
fn options_are_held_to_their_forms() {
    for (field, wrong) in [
        ("service_id", json!("default")),
        ("service_id", json!(7)),
        ("locale", json!("en_US")),
        ("purpose", json!("")),
        ("purpose", json!("x".repeat(65))),
        ("purpose", json!("a\u{7}")),
        ("user_id", json!("x".repeat(129))),
        ("user_id", json!(12345)),
        ("client_ip", json!("localhost")),
        ("client_ip", json!("1.2.3.4:80")),
        ("sandbox_mode", json!("true")),
        ("add_contact", json!(1)),
        ("autofill", json!("example.com")),
        ("fallback", json!({"channel": "voice"})),
    ] {
        assert_eq!(fault(&json!({field: wrong})), (field.to_owned(), "invalid_field"), "{wrong}");
    }
}

#[test]
fn autofill_is_a_domain_or_an_app_hash() {
    assert_eq!(
        read(&json!({"autofill": {"app_hash": "FA+9qCX9VSu"}})).unwrap().autofill.app_hash.as_deref(),
        Some("FA+9qCX9VSu")
    );
    assert_eq!(fault(&json!({"autofill": {"domain": "https://example.com"}})).0, "autofill.domain");
    assert_eq!(fault(&json!({"autofill": {"app_hash": "short"}})).0, "autofill.app_hash");
    assert_eq!(fault(&json!({"autofill": {"domain": "example.com", "app_hash": "FA+9qCX9VSu"}})).0, "autofill.app_hash");
}

fn with_fallback(fallback: &Value, more: &Value) -> Value {
    let mut changes = json!({
        "fallback": fallback,
        "recipients": {"email": "ann@example.com", "sms": "+12025550143", "voice": "+12025550143", "whatsapp": "+12025550143"},
    });
    for (name, value) in more.as_object().unwrap() {
        changes[name] = value.clone();
    }
    changes
}

#[test]
fn fallback_names_channels_whose_turn_comes_later() {
    let turns = json!([{"channel": "WhatsApp", "after_seconds": 15}, {"channel": "voice", "after_seconds": 900}]);
    let send = read(&with_fallback(&turns, &json!({}))).unwrap();
    assert_eq!(send.fallback.iter().map(|later| later.channel).collect::<Vec<_>>(), [Channel::Whatsapp, Channel::Voice]);
    let place = |fallback: Value| fault(&with_fallback(&fallback, &json!({}))).0;
    assert_eq!(place(json!([{"channel": "sms", "after_seconds": 60}])), "fallback[0].channel", "asked at once");
    assert_eq!(place(json!([{"channel": "fax", "after_seconds": 60}])), "fallback[0].channel");
    assert_eq!(place(json!([{"channel": "voice", "after_seconds": 14}])), "fallback[0].after_seconds");
    assert_eq!(place(json!([{"channel": "voice", "after_seconds": 901}])), "fallback[0].after_seconds");
    assert_eq!(place(json!([{"channel": "voice"}])), "fallback[0].after_seconds");
    assert_eq!(place(json!(["voice"])), "fallback[0]");
    let twice = json!([{"channel": "voice", "after_seconds": 60}, {"channel": "voice", "after_seconds": 90}]);
    assert_eq!(place(twice), "fallback[1].channel");
}

#[test]
fn fallback_needs_recipients_and_the_mode_any() {
    let voice = json!([{"channel": "voice", "after_seconds": 60}]);
    assert_eq!(fault(&json!({"fallback": voice})), ("recipients.voice".to_owned(), "missing_recipients"));
    assert_eq!(fault(&with_fallback(&voice, &json!({"verification_mode": "all"}))).0, "fallback");
}

fn given(send: &Send) -> Vec<(Channel, String)> {
    match &send.codes {
        Codes::Minted => Vec::new(),
        Codes::Given(codes) => codes.iter().map(|(channel, code)| (*channel, code.expose().to_owned())).collect(),
    }
}

#[test]
fn a_code_of_the_callers_own_is_for_every_channel() {
    let send = read(&json!({"code": "0471"})).unwrap();
    assert_eq!(given(&send), [(Channel::Email, "0471".to_owned()), (Channel::Sms, "0471".to_owned())]);
    assert_eq!(send.code_length, Some(4));
    for wrong in [json!("123"), json!("123456789"), json!("12a4"), json!(482_913), json!("")] {
        assert_eq!(fault(&json!({"code": wrong})).0, "code", "{wrong}");
    }
    assert_eq!(fault(&json!({"code": "482913", "verification_mode": "all"})).0, "code");
    let alone = json!({"channels": ["sms"], "code": "482913", "verification_mode": "all"});
    assert!(read(&alone).is_ok(), "one channel has nothing to mix up");
}

#[test]
fn codes_of_the_callers_own_are_one_for_each_asked_channel() {
    let send = read(&json!({"codes": {"Email": "482913", "sms": "0471"}})).unwrap();
    assert_eq!(given(&send), [(Channel::Email, "482913".to_owned()), (Channel::Sms, "0471".to_owned())]);
    assert_eq!(fault(&json!({"codes": {"email": "482913"}})).0, "codes.sms");
    assert_eq!(fault(&json!({"codes": {"email": "482913", "sms": "12"}})).0, "codes.sms");
    assert_eq!(fault(&json!({"codes": {"email": "482913", "sms": "0471", "voice": "0471"}})).0, "codes.voice");
    assert_eq!(fault(&json!({"codes": {"email": "482913", "sms": "482913"}, "verification_mode": "all"})).0, "codes.sms");
    assert!(read(&json!({"codes": {"email": "482913", "sms": "482913"}})).is_ok(), "any mode lets codes be equal");
    assert_eq!(fault(&json!({"codes": "482913"})).0, "codes");
}

#[test]
fn codes_of_the_callers_own_must_fit_the_rest_of_the_call() {
    assert_eq!(fault(&json!({"code": "482913", "codes": {"email": "482913", "sms": "0471"}})).0, "codes");
    assert_eq!(fault(&json!({"code": "482913", "config": {"otp_length": 4}})).0, "code");
    assert!(read(&json!({"code": "482913", "config": {"otp_length": 6}})).is_ok());
    let later = with_fallback(&json!([{"channel": "voice", "after_seconds": 60}]), &json!({"code": "482913"}));
    assert_eq!(fault(&later).0, "code");
}

#[test]
fn unknown_fields_are_ignored_unless_strict_handling_is_asked_for() {
    let changes = json!({
        "foo": 1, "config": {"length": 6}, "recipients": {"email": "ann@example.com", "sms": "+12025550143", "voice": "+1", "fax": "x"},
        "autofill": {"hash": "x"}, "fallback": [{"channel": "whatsapp", "after_seconds": 60, "note": 1}],
    });
    let mut lenient = changes.clone();
    lenient["recipients"]["whatsapp"] = json!("+12025550143");
    assert!(read(&lenient).is_ok());
    let faults = read_strictly(&lenient).unwrap_err();
    let mut fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["autofill.hash", "config.length", "fallback[0].note", "foo", "recipients.fax", "recipients.voice"]);
    assert!(faults.iter().all(|fault| fault.code == "unknown_field"), "{faults:?}");
    assert!(read_strictly(&json!({"recipients": {"Email": "ann@example.com", "sms": "+12025550143"}})).is_ok());
}

#[test]
fn a_broken_idempotency_key_is_told_with_the_fields() {
    let faults = parse_with(&call(&json!({"purpose": 1})), &[("Idempotency-Key", "")], parse).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["purpose", "Idempotency-Key"]);
}
