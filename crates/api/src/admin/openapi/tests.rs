use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::admin::operations::{
    keys as key_calls, provider_tests as provider_test_calls, recipients as recipient_calls, templates as template_calls,
    tokens as token_calls, wallet as wallet_calls,
};
use crate::admin::request;
use crate::admin::routes::{Operation as Asked, ROUTES};

fn described() -> Value {
    serde_json::from_str(&admin_openapi_json()).unwrap()
}

#[test]
fn the_wire_is_the_one_in_the_golden_file() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/admin.json");
    let now = admin_openapi_json();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &now).unwrap();
    }
    let kept = std::fs::read_to_string(golden).unwrap_or_default();
    assert!(kept == now, "the wire has changed; look at it, then: UPDATE_GOLDEN=1 cargo nextest run -p countersign-api golden");
}

#[test]
fn every_reference_leads_somewhere() {
    let description = described();
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(description.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn what_is_described_is_what_is_routed() {
    let routed: BTreeSet<(String, String)> = ROUTES
        .iter()
        .flat_map(|route| route.operations.iter().map(move |(method, operation)| (route.template, method, *operation)))
        .filter(|(.., operation)| !matches!(operation, Asked::OpenApi | Asked::Docs))
        .map(|(path, method, _)| (path.to_owned(), method.as_str().to_ascii_lowercase()))
        .collect();
    let mut told = BTreeSet::new();
    for (path, item) in described()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["security"].is_array(), "{method} {path} asks for a token");
            told.insert((path.clone(), method.clone()));
        }
    }
    assert_eq!(told, routed);
}

#[test]
fn what_is_described_is_what_is_read() {
    let with_id = |fields: &[&'static str]| -> Vec<&'static str> { fields.iter().copied().chain(["id"]).collect() };
    let calls: [(&str, Vec<&str>); 18] = [
        ("TenantRequest", request::TENANT_FIELDS.to_vec()),
        ("Settings", request::SETTINGS_FIELDS.to_vec()),
        ("Limits", request::LIMITS_FIELDS.to_vec()),
        ("Profile", request::PROFILE_FIELDS.to_vec()),
        ("KeyRequest", key_calls::FIELDS.to_vec()),
        ("ServiceRequest", request::SERVICE_FIELDS.to_vec()),
        ("CreateServiceRequest", with_id(&request::SERVICE_FIELDS)),
        ("TemplateRequest", request::TEMPLATE_FIELDS.to_vec()),
        ("CreateTemplateRequest", with_id(&request::TEMPLATE_FIELDS)),
        ("PreviewRequest", template_calls::PREVIEW_FIELDS.to_vec()),
        ("SenderRequest", request::SENDER_FIELDS.to_vec()),
        ("CreateSenderRequest", with_id(&request::SENDER_FIELDS)),
        ("EndpointRequest", request::ENDPOINT_FIELDS.to_vec()),
        ("AmountRequest", wallet_calls::FIELDS.to_vec()),
        ("AdjustmentRequest", wallet_calls::ADJUSTMENT_FIELDS.to_vec()),
        ("ProviderTestRequest", provider_test_calls::FIELDS.to_vec()),
        ("UnblockRequest", recipient_calls::FIELDS.to_vec()),
        ("TokenRequest", token_calls::FIELDS.to_vec()),
    ];
    let description = described();
    for (schema, read) in calls {
        let told: BTreeSet<&str> =
            description["components"]["schemas"][schema]["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(told, read.into_iter().collect(), "{schema}");
    }
}
