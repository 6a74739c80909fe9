use serde_json::Value;

use super::super::request::{check, create, template, webhook};
use super::*;
use crate::described::testing::{assert_golden, assert_whole};

fn described() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

#[test]
fn the_wire_of_getotp_is_the_one_in_the_golden_file() {
    assert_golden("getotp.json", &openapi_json());
}

#[test]
fn it_is_openapi_3_1_and_every_reference_leads_somewhere() {
    assert_whole(&described());
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
