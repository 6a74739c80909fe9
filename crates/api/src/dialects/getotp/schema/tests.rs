use std::path::Path;

use serde_json::Value;

use super::super::request::{check, create, template, webhook};
use super::*;

/// Where the description is kept for readers, and for whoever reviews a change of the wire.
fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/getotp.json")
}

fn described() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

#[test]
fn the_wire_of_getotp_is_the_one_in_the_golden_file() {
    let now = openapi_json();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden(), &now).unwrap();
    }
    let kept = std::fs::read_to_string(golden()).unwrap_or_default();
    assert!(kept == now, "the wire has changed; look at it, then: UPDATE_GOLDEN=1 cargo nextest run -p countersign-api golden");
}

#[test]
fn it_is_openapi_3_1_and_every_reference_leads_somewhere() {
    let description = described();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1."));
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(description.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn every_error_is_described_in_the_one_shape() {
    for (path, item) in described()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in
                operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.as_str() >= "400")
            {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/ErrorReply", "{method} {path} {status}");
            }
            assert!(operation["responses"]["401"].is_object(), "{method} {path}");
        }
    }
}

#[test]
fn what_is_described_is_what_is_read() {
    let description = described();
    let names = |schema: &str| -> Vec<String> {
        description["components"]["schemas"][schema]["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names
    };
    let read = |fields: &[&str]| sorted(fields.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(sorted(names("CreateData")), read(&create::FIELDS));
    assert_eq!(sorted(names("TemplateData")), read(&template::FIELDS));
    assert_eq!(sorted(names("WebhookData")), read(&webhook::FIELDS));
    let parameters = description["paths"]["/v1/verifications"]["get"]["parameters"].as_array().unwrap();
    let parameters: Vec<&str> = parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
    assert_eq!(parameters, check::PARAMETERS);
}
