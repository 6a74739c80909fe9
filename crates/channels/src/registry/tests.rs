use serde_json::{Value, json};

use super::*;

fn kind(word: &Value) -> Result<ProviderKind, String> {
    ProviderKind::deserialize(word).map_err(|error| error.to_string())
}

#[test]
fn a_kind_that_there_is_not_is_told_with_those_that_there_are() {
    let told = kind(&json!("carrier-pigeon")).unwrap_err();
    assert!(ProviderKind::WORDS.iter().all(|word| told.contains(word)), "{told}");
    assert!(kind(&json!(5)).unwrap_err().contains("expected a string"));
}

#[cfg(not(feature = "smpp"))]
#[test]
fn a_kind_that_this_build_leaves_out_is_told_as_such() {
    let told = kind(&json!("smpp")).unwrap_err();
    assert_eq!(told, "this build leaves smpp out: build it with the cargo feature countersign-channels/smpp");
}

#[cfg(feature = "console")]
#[test]
fn a_section_read_by_its_kind_is_the_one_read_as_a_whole() {
    let read = kind(&json!("console")).unwrap().read(json!({})).unwrap();
    let whole: ProviderConfig = serde_json::from_value(json!({"kind": "console"})).unwrap();
    assert_eq!((read.kind(), format!("{read:?}")), ("console", format!("{whole:?}")));
}

#[cfg(feature = "http")]
#[test]
fn a_section_read_by_its_kind_keeps_the_names_of_keys() {
    use figment::value::Value;

    let keys = json!({
        "channels": ["sms"], "url": "https://gateway.example", "json": "1",
        "receipts": {"reference": "/ref", "status": "/status", "delivered": ["ok"], "hmac": {"header": "x", "key": ["hush"]}},
    });
    let keys = Value::serialize(keys).unwrap();
    let error = ProviderKind::Http.read(&keys).unwrap_err();
    assert_eq!(error.path.join("."), "receipts.hmac.key");
}
