use std::path::Path;

use serde_json::Value;

use super::*;

/// Where the description is kept for readers, and for whoever reviews a change of the wire.
fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/openapi.json")
}

fn described() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

#[test]
fn the_wire_is_the_one_in_the_golden_file() {
    let now = openapi_json();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden(), &now).unwrap();
    }
    let kept = std::fs::read_to_string(golden()).unwrap_or_default();
    assert!(kept == now, "the wire has changed; look at it, then: UPDATE_GOLDEN=1 cargo nextest run -p countersign-api golden");
}

#[test]
fn it_is_openapi_3_1() {
    assert!(described()["openapi"].as_str().unwrap().starts_with("3.1."));
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
