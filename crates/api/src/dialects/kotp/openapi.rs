//! The description of this wire, from the code that serves it.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};

use super::failure::{ReferenceError, SdkError};
use super::form::Form;
use super::paths;
use super::{reference, sdk};
use crate::described::{add_headers, describe_headers, printed};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign, K-OTP dialect",
        description = "Send one-time passwords and verify them, in the manner of K-OTP. The vendor has two APIs under one address: that of its reference \
                       page (`/v1/send`) and that which its SDK speaks (`/v1/issue`). `/v1/verify` belongs to both and is told apart by its body: `id` \
                       or `issueId`. Errors of the first are a `ReferenceError`, of the second an `SdkError`. Unknown fields are ignored.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        version = "1"
    ),
    paths(
        reference::send::run,
        sdk::verify::run,
        reference::status::run,
        reference::list::run,
        sdk::issue::run,
        sdk::status::run,
        sdk::issues::list,
        sdk::issues::show,
        sdk::balance::run,
        sdk::ledger::run,
        sdk::templates::list,
        sdk::templates::show
    ),
    components(schemas(ReferenceError, SdkError)),
    tags((name = "otps", description = "The reference API: send, verify, look at, list."),
         (name = "issues", description = "The SDK's API: issue, look at, list."),
         (name = "wallet", description = "What was paid in and what was taken."),
         (name = "templates", description = "What messages say.")),
    modifiers(&Common)
)]
struct Description;

/// What every operation has in common and none says itself.
struct Common;

/// Replies that every operation can give: status, the word in each API, when.
const ERRORS: [(&str, &str, &str, &str); 8] = [
    (
        "400",
        "`INVALID_REQUEST`, `INVALID_PARAMETER` or the word of a field",
        "`BAD_REQUEST`",
        "The body cannot be read, or a field is wrong.",
    ),
    ("401", "`INVALID_API_KEY`", "`UNAUTHORIZED`", "The API key is missing or not valid."),
    ("403", "`FORBIDDEN`", "`FORBIDDEN`", "The key may not do it."),
    ("413", "`PAYLOAD_TOO_LARGE`", "`PAYLOAD_TOO_LARGE`", "The body is larger than 64 KiB."),
    ("415", "`UNSUPPORTED_MEDIA_TYPE`", "`UNSUPPORTED_MEDIA_TYPE`", "The body is not declared as JSON."),
    ("429", "`RATE_LIMITED`", "`TOO_MANY_REQUESTS`", "A limit is used up. `Retry-After` says how long."),
    ("500", "`INTERNAL_ERROR`", "`INTERNAL_SERVER_ERROR`", "A defect."),
    ("503", "`SERVICE_UNAVAILABLE`", "`SERVICE_UNAVAILABLE`", "A store is away. Try again after `Retry-After`."),
];

impl Modify for Common {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some("`sk_live_…`, or `sk_test_…` for a sandbox in which nothing is sent.".to_owned());
        components.security_schemes.insert("api_key".to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
        describe_headers(components);
        for (path, item) in &mut openapi.paths.paths {
            let form = paths::find(path).map_or(Form::Reference, |(path, _)| path.form());
            for operation in [item.get.as_mut(), item.post.as_mut()].into_iter().flatten() {
                add_common(form, operation);
            }
        }
    }
}

fn add_common(form: Form, operation: &mut Operation) {
    let reads = operation.request_body.is_some();
    let responses = &mut operation.responses.responses;
    for (status, reference, sdk, when) in &ERRORS {
        let of_bodies = matches!(*status, "403" | "413" | "415");
        if !reads && of_bodies {
            continue;
        }
        let word = if form == Form::Reference { reference } else { sdk };
        responses.entry((*status).to_owned()).or_insert_with(|| RefOr::T(Response::new(format!("{word}: {when}"))));
    }
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            complete(form, response);
        }
    }
}

/// Adds the headers of every reply, and the body of an error to a reply that describes none.
fn complete(form: Form, response: &mut Response) {
    if response.content.is_empty() {
        let schema = if form == Form::Reference { "ReferenceError" } else { "SdkError" };
        let content = Content::new(Some(Ref::from_schema_name(schema)));
        response.content.insert("application/json".to_owned(), RefOr::T(content));
    }
    add_headers(response);
}

/// The description (OpenAPI 3.1), as `/openapi/kotp.json` serves it.
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
        assert_golden("kotp.json", &json());
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_path_is_served() {
        let description: Value = serde_json::from_str(&json()).unwrap();
        assert_whole(&description);
        let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths.len(), 12);
        for path in paths {
            assert_eq!(paths::find(path).unwrap().0.template(), path);
        }
    }
}
