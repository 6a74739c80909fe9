use serde_json::Value;

use super::*;
use crate::described::testing::{assert_golden, assert_whole};

fn described() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

#[test]
fn the_wire_is_the_one_in_the_golden_file() {
    assert_golden("openapi.json", &openapi_json());
}

#[test]
fn it_is_openapi_3_1_and_every_reference_leads_somewhere() {
    assert_whole(&described());
}

#[test]
fn every_operation_behind_a_key_describes_its_errors_and_headers() {
    let description = described();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(_, operation)| operation.get("security").is_some()) {
            for status in ["400", "401", "429", "500", "503"] {
                let described = &operation["responses"][status];
                let shared = described["$ref"].as_str().and_then(|reference| description.pointer(&reference[1..]));
                let response = shared.unwrap_or(described);
                assert!(response["content"]["application/json"].is_object(), "{method} {path} {status}");
                assert!(response["headers"]["RateLimit"].is_object(), "{method} {path} {status}");
            }
        }
    }
}

/// The names that a schema describes, in order.
fn described_fields(schema: &str) -> Vec<String> {
    let mut fields: Vec<String> = described()["components"]["schemas"][schema]["properties"]
        .as_object()
        .into_iter()
        .flat_map(|all| all.keys().cloned())
        .collect();
    fields.sort_unstable();
    fields
}

#[test]
fn what_is_described_is_what_is_read() {
    for (schema, read) in crate::dialects::native::known_fields() {
        let mut read: Vec<String> = read.iter().map(|name| (*name).to_owned()).collect();
        read.sort_unstable();
        assert_eq!(described_fields(schema), read, "{schema}");
    }
    for (path, read) in crate::dialects::native::known_parameters() {
        let parameters = &described()["paths"][path]["get"]["parameters"];
        let names: Vec<&str> = parameters.as_array().unwrap().iter().filter_map(|parameter| parameter["name"].as_str()).collect();
        assert_eq!(names, read, "{path}");
    }
}
