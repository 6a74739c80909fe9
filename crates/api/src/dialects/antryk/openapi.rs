//! The description of this wire, from the code that serves it.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};

use super::failure::ErrorReply;
use super::operations;
use crate::described::{add_headers, describe_headers, printed};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign, Antryk dialect",
        description = "Send one-time passwords and messages by SMS, in the manner of Antryk's API. Credentials are the headers `x-access-key` and \
                       `x-secret-key`; where neither is there, the fields `accessKey` and `secretKey` of the body. Errors have one shape (`ErrorReply`). \
                       Unknown fields are ignored.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        version = "1"
    ),
    paths(operations::send_otp, operations::verify_otp, operations::send),
    components(schemas(ErrorReply)),
    tags((name = "otp", description = "Codes."), (name = "messages", description = "Plain messages.")),
    modifiers(&Common)
)]
struct Description;

/// What every operation has in common and none says itself.
struct Common;

/// Replies that every operation can give: status, name, when.
const ERRORS: [(&str, &str, &str); 9] = [
    ("400", "BadRequest", "`malformed_request`, `invalid_recipient` or `otp_invalid`."),
    (
        "401",
        "Unauthorized",
        "`invalid_credentials`: bad, mixed or missing. `invalid_request`: `serviceId` is none of your services.",
    ),
    ("403", "Forbidden", "`forbidden`: the key only reads."),
    ("408", "RequestTimeout", "`request_timeout`: the body did not arrive in time."),
    ("413", "PayloadTooLarge", "`payload_too_large`: more than 64 KiB."),
    ("415", "UnsupportedMediaType", "`unsupported_media_type`: the body is not declared as JSON."),
    ("429", "TooManyRequests", "`rate_limited`: a limit is used up, or the number is locked. `Retry-After` says how long."),
    ("500", "InternalServerError", "`provider_unavailable`: no gateway took the message. `internal_error`: a defect."),
    ("503", "ServiceUnavailable", "`service_unavailable`: a store is away. Try again after `Retry-After`."),
];

impl Modify for Common {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let schemes = [
            ("access_key", "x-access-key", "A key's public half, `ak_…`."),
            ("secret_key", "x-secret-key", "Its secret: `sk_live_…`, or `sk_test_…` for a sandbox in which nothing is sent."),
        ];
        for (name, header, description) in schemes {
            let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(header, description)));
            components.security_schemes.insert(name.to_owned(), RefOr::T(scheme));
        }
        describe_headers(components);
        for (_, name, description) in &ERRORS {
            let mut response = Response::new(*description);
            let content = Content::new(Some(Ref::from_schema_name("ErrorReply")));
            response.content.insert("application/json".to_owned(), RefOr::T(content));
            add_headers(&mut response);
            components.responses.insert((*name).to_owned(), RefOr::T(response));
        }
        for operation in openapi.paths.paths.values_mut().filter_map(|item| item.post.as_mut()) {
            let responses = &mut operation.responses.responses;
            for response in responses.values_mut() {
                if let RefOr::T(response) = response {
                    add_headers(response);
                }
            }
            for (status, name, _) in &ERRORS {
                responses.entry((*status).to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(*name)));
            }
        }
    }
}

/// The description (OpenAPI 3.1), as `/openapi/antryk.json` serves it.
pub(super) fn json() -> String {
    printed(&Description::openapi())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::described::testing::{assert_golden, assert_whole};

    #[test]
    fn the_wire_is_the_one_in_the_golden_file() {
        assert_golden("antryk.json", &json());
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_path_is_served() {
        let description: Value = serde_json::from_str(&json()).unwrap();
        assert_whole(&description);
        let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths.len(), 3);
        for path in paths {
            assert_eq!(super::super::paths::find(path).unwrap().template, path);
        }
    }
}
