//! The description of the wire, from the code that serves it.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};

use crate::described::{add_headers, describe_headers, printed};
use crate::dialects::native::failure::{ErrorReply, ProblemReply};
use crate::dialects::native::operations::{self, contacts};
use crate::health;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign",
        description = "Send one-time passwords by e-mail, SMS, WhatsApp and voice, and verify them.\n\nEvery operation is also mounted \
                       under `/v1` instead of `/api/v1`. Errors have one shape (`ErrorReply`); callers whose `Accept` names `application/problem+json` \
                       get the form of RFC 9457. Unknown fields are ignored, or refused under `Prefer: handling=strict`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        version = "1"
    ),
    paths(
        operations::send,
        operations::verify,
        operations::resend,
        operations::next,
        operations::status,
        operations::cancel,
        operations::list,
        operations::show,
        contacts::list,
        contacts::create,
        contacts::bulk,
        contacts::show,
        contacts::patch,
        contacts::put,
        contacts::remove,
        contacts::show_external,
        contacts::patch_external,
        contacts::put_external,
        contacts::remove_external,
        contacts::unsubscribe,
        operations::account,
        health::healthz,
        health::readyz
    ),
    components(schemas(ErrorReply, ProblemReply)),
    tags((name = "otp", description = "Sessions: send, verify, look at, end."),
         (name = "contacts", description = "The people you keep."), (name = "account", description = "Who you are."), (name = "operations", description = "Probes.")),
    modifiers(&Common)
)]
struct Description;

/// What every operation has in common and no operation says itself.
struct Common;

/// Replies that every operation behind a key can give: status, name, when.
const ERRORS: [(&str, &str, &str); 9] = [
    ("400", "BadRequest", "The body is malformed, or a field is wrong: `details.errors` lists every one."),
    ("401", "Unauthorized", "The API key or the session token is not recognised."),
    ("403", "Forbidden", "The key only reads."),
    ("408", "RequestTimeout", "The body did not arrive in time."),
    ("413", "PayloadTooLarge", "The body is larger than 64 KiB."),
    ("415", "UnsupportedMediaType", "The body is not declared as JSON."),
    (
        "429",
        "TooManyRequests",
        "A limit is used up, or the session is locked. `details.limit` names the limit, `Retry-After` the wait.",
    ),
    ("500", "InternalServerError", "A defect."),
    ("503", "ServiceUnavailable", "A store is away. Try again after `Retry-After`."),
];

impl Modify for Common {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let described = "`sk_live_…`, or `sk_test_…` for a sandbox in which nothing is sent.";
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-API-Key", described)));
        let components = openapi.components.get_or_insert_default();
        components.security_schemes.insert("api_key".to_owned(), RefOr::T(key));
        describe_headers(components);
        for (_, name, description) in &ERRORS {
            let mut response = Response::new(*description);
            complete(&mut response);
            components.responses.insert((*name).to_owned(), RefOr::T(response));
        }
        for item in openapi.paths.paths.values_mut() {
            for (looks, operation) in operations_of(item).filter(|(_, operation)| operation.security.is_some()) {
                add_common(looks, operation);
            }
        }
    }
}

/// The operations of a path, each with whether it only looks.
fn operations_of(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let others = [post, put, patch, delete].into_iter().flatten();
    get.iter_mut().map(|operation| (true, operation)).chain(others.map(|operation| (false, operation)))
}

fn add_common(looks: bool, operation: &mut Operation) {
    let bodiless = operation.request_body.is_none();
    let foreign = |status: &str| match status {
        "403" => looks,
        "408" | "413" | "415" => bodiless,
        _ => false,
    };
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            complete(response);
        }
    }
    for (status, name, _) in ERRORS.iter().filter(|(status, ..)| !foreign(status)) {
        responses.entry((*status).to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(*name)));
    }
}

/// Adds the headers of every reply, and the body of an error to a reply that describes none.
fn complete(response: &mut Response) {
    if response.content.is_empty() {
        for (media, schema) in [("application/json", "ErrorReply"), ("application/problem+json", "ProblemReply")] {
            let content = Content::new(Some(Ref::from_schema_name(schema)));
            response.content.insert(media.to_owned(), RefOr::T(content));
        }
    }
    add_headers(response);
}

/// The description of the wire (OpenAPI 3.1), as `/openapi.json` serves it.
#[must_use]
pub fn openapi_json() -> String {
    printed(&Description::openapi())
}

#[cfg(test)]
mod tests;
