use serde_json::json;

use super::super::testing::body;
use super::*;

/// The vendor's own sample, with `changes` laid over it.
fn call(changes: &Value) -> Result<Send, Vec<u16>> {
    let mut data = json!({
        "channel": "sms", "sender": "GetOTP", "phone": "60123456789", "template": "6d16aa9d-bf19-4141-8169-48b46d972fc6", "code_length": 4,
    });
    for (name, value) in changes.as_object().unwrap() {
        data[name] = value.clone();
    }
    parse(&body(&data)).map_err(|failure| failure.numbers())
}

fn faults(changes: &Value) -> Vec<u16> {
    call(changes).unwrap_err()
}

#[test]
fn the_sample_is_taken() {
    let send = call(&json!({})).unwrap();
    assert_eq!((send.dialect, send.channels[0].channel, send.code_length), (Dialect::GetOtp, Channel::Sms, Some(4)));
    assert_eq!(send.channels[0].recipient.address(), "+60123456789");
    assert_eq!(send.sender, Some(SenderChoice::Name("GetOTP".to_owned())));
    assert!(matches!(send.template, Some(TemplateChoice::Id(_))));
    assert_eq!((send.metadata.as_str(), send.life, send.locale), ("{}", None, None));
}

#[test]
fn what_clients_in_the_field_send_is_taken() {
    let sender = json!({"sender": "9a0f3c1e-6d8e-4a58-bb7c-0b6c3e4c7a11"});
    assert!(matches!(call(&sender).unwrap().sender, Some(SenderChoice::Id(_))));
    assert_eq!(call(&json!({"channel": "SMS", "code_length": "6"})).unwrap().code_length, Some(6));
    for phone in [json!("+60123456789"), json!(60_123_456_789_u64), json!(" 60123456789 ")] {
        assert_eq!(call(&json!({"phone": phone})).unwrap().channels[0].recipient.address(), "+60123456789", "{phone}");
    }
    assert!(call(&json!({"campaign": "spring", "number_formatting": true, "ringing_duration": 8})).is_ok());
}

#[test]
fn each_rule_has_its_number() {
    let rows = [
        (json!({"channel": null}), vec![1515]),
        (json!({"channel": "fax"}), vec![1515]),
        (json!({"channel": "viber"}), vec![1515]),
        (json!({"channel": "telegram", "sender": null, "template": null}), vec![1515]),
        (json!({"channel": "sms,voice"}), vec![1515]),
        (json!({"sender": null}), vec![1620]),
        (json!({"sender": " "}), vec![1620]),
        (json!({"sender": "sixteen letters!"}), vec![1620]),
        (json!({"sender": 7}), vec![1620]),
        (json!({"phone": null}), vec![1621]),
        (json!({"phone": ""}), vec![1621]),
        (json!({"phone": "6012-345"}), vec![1523]),
        (json!({"phone": "++60123456789"}), vec![1523]),
        (json!({"phone": 6.5}), vec![1523]),
        (json!({"template": null}), vec![1622]),
        (json!({"template": "welcome"}), vec![1512]),
        (json!({"template": 7}), vec![1512]),
        (json!({"code_length": 3}), vec![1623]),
        (json!({"code_length": 9}), vec![1623]),
        (json!({"code_length": "six"}), vec![1623]),
        (json!({"code_length": 4.5}), vec![1623]),
        (json!({"code_length": null}), vec![1629]),
        (json!({"code": "1234"}), vec![1629]),
        (json!({"code_length": null, "code": "123"}), vec![1631]),
        (json!({"code_length": null, "code": "123456789"}), vec![1631]),
        (json!({"code_length": null, "code": "12ab"}), vec![1632]),
        (json!({"code_length": null, "code": ""}), vec![1632]),
        (json!({"payload": {"order": 1}}), vec![1705]),
        (json!({"payload": "x".repeat(501)}), vec![1705]),
        (json!({"ttl_in_seconds": 60}), vec![1642]),
        (json!({"ttl_in_seconds": "soon"}), vec![1640, 1642]),
        (json!({"channel": "whatsapp", "ttl_in_seconds": 60}), vec![1643]),
    ];
    for (changes, expected) in rows {
        assert_eq!(faults(&changes), expected, "{changes}");
    }
}

#[test]
fn several_faults_are_told_in_ascending_order() {
    assert_eq!(parse(&body(&json!({}))).unwrap_err().numbers(), [1515, 1620, 1621, 1622, 1629]);
    let all = json!({"sender": null, "phone": "1", "template": "x", "code": "ab", "code_length": 99, "payload": []});
    assert_eq!(faults(&all), [1512, 1523, 1620, 1623, 1629, 1632, 1705]);
}

#[test]
fn without_data_there_is_nothing_to_read() {
    for text in ["{}", r#"{"data":null}"#, r#"{"data":[]}"#, r#"{"channel":"sms","phone":"60123456789"}"#] {
        let object = serde_json::from_str::<Value>(text).unwrap().as_object().unwrap().clone();
        let body = Body { bytes: text.to_owned().into(), object };
        assert_eq!(parse(&body).unwrap_err().numbers(), [1400], "{text}");
    }
}

#[test]
fn a_code_of_the_callers_own_is_taken_as_a_string_or_a_number() {
    for code in [json!("0471"), json!(4711)] {
        let send = call(&json!({"code_length": null, "code": code})).unwrap();
        assert_eq!(send.code_length, Some(4));
        assert!(matches!(send.codes, Codes::Given(codes) if codes.contains_key(&Channel::Sms)));
    }
}

#[test]
fn a_payload_is_kept_byte_for_byte() {
    let payload = "{\"order_id\":\"xfdu48sfdjsdf\", \"agent_id\":2258}\n\u{0}é";
    let send = call(&json!({ "payload": payload })).unwrap();
    let kept: Value = serde_json::from_str(&send.metadata).unwrap();
    assert_eq!(kept, json!({ "payload": payload }));
    assert!(call(&json!({"payload": "é".repeat(500)})).is_ok());
}

#[test]
fn a_voice_call_is_read_out_in_a_language_and_needs_no_words() {
    let bare = json!({"channel": "voice", "sender": null, "template": null, "voice_type": "TTS"});
    let with = |changes: &Value| {
        let mut data = bare.clone();
        for (name, value) in changes.as_object().unwrap() {
            data[name] = value.clone();
        }
        call(&data)
    };
    assert_eq!(with(&json!({})).unwrap().locale.as_deref(), Some("en"));
    assert_eq!(with(&json!({"language": "mx", "code_length": 6})).unwrap().locale.as_deref(), Some("es-MX"));
    for (changes, expected) in [
        (json!({"voice_type": null}), vec![1515]),
        (json!({"voice_type": "flash"}), vec![1515]),
        (json!({"language": "Klingon"}), vec![1400]),
        (json!({"code_length": 7}), vec![1623]),
        (json!({"code_length": null, "code": "1234567"}), vec![1623]),
        (json!({"code_length": null, "code": "123"}), vec![1631]),
        (json!({"ttl_in_seconds": 60}), vec![1641]),
    ] {
        assert_eq!(with(&changes).unwrap_err(), expected, "{changes}");
    }
}

#[test]
fn a_mail_needs_a_mailbox_and_may_choose_its_life() {
    let mail = |changes: &Value| {
        let mut data = json!({"channel": "email", "sender": null, "template": null, "phone": null, "email": "ann@example.com"});
        for (name, value) in changes.as_object().unwrap() {
            data[name] = value.clone();
        }
        call(&data)
    };
    assert_eq!(mail(&json!({})).unwrap().channels[0].recipient.address(), "ann@example.com");
    assert_eq!(mail(&json!({"ttl_in_seconds": "90"})).unwrap().life, Some(Duration::from_secs(90)));
    for (changes, expected) in [
        (json!({"email": null}), vec![1621]),
        (json!({"email": null, "phone": "60123456789"}), vec![1621]),
        (json!({"email": "ann"}), vec![1523]),
        (json!({"email": 7}), vec![1523]),
        (json!({"ttl_in_seconds": 29}), vec![1644]),
        (json!({"ttl_in_seconds": "soon"}), vec![1640]),
    ] {
        assert_eq!(mail(&changes).unwrap_err(), expected, "{changes}");
    }
}
