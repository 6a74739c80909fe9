//! The description of the wire, from the code that serves it.

use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};

use crate::dialects::native::failure::{ErrorReply, ProblemReply};
use crate::dialects::native::operations;
use crate::health;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign",
        description = "Send one-time passwords by e-mail, SMS, WhatsApp and voice, and verify them.\n\nEvery operation is also mounted \
                       under `/v1/otp`. Errors have one shape (`ErrorReply`); callers whose `Accept` names `application/problem+json` \
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
        health::healthz,
        health::readyz
    ),
    components(schemas(ErrorReply, ProblemReply)),
    tags((name = "otp", description = "Sessions: send, verify, look at, end."), (name = "operations", description = "Probes.")),
    modifiers(&Common)
)]
struct Description;

/// What every operation has in common and no operation says itself.
struct Common;

/// Replies that every operation behind a key can give.
const ERRORS: [(&str, &str); 9] = [
    ("400", "The body is malformed, or a field is wrong: `details.errors` lists every one."),
    ("401", "The API key or the session token is not recognised."),
    ("403", "The key only reads."),
    ("408", "The body did not arrive in time."),
    ("413", "The body is larger than 64 KiB."),
    ("415", "The body is not declared as JSON."),
    ("429", "A limit is used up, or the session is locked. `details.limit` names the limit, `Retry-After` the wait."),
    ("500", "A defect."),
    ("503", "A store is away. Try again after `Retry-After`."),
];

/// Headers of every reply of an operation behind a key.
const HEADERS: [(&str, &str, Type); 6] = [
    ("X-Request-Id", "Names the request. A caller's own of 8 to 128 letters, digits and `._:-` is echoed.", Type::String),
    ("X-RateLimit-Limit", "Calls a window.", Type::Integer),
    ("X-RateLimit-Remaining", "Calls left.", Type::Integer),
    ("X-RateLimit-Reset", "When more are left, in seconds since the epoch.", Type::Integer),
    ("RateLimit-Policy", "The same rule in the IETF form.", Type::String),
    ("RateLimit", "The same standing in the IETF form; `t` counts seconds from now.", Type::String),
];

impl Modify for Common {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let described = "`sk_live_…`, or `sk_test_…` for a sandbox in which nothing is sent.";
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-API-Key", described)));
        let components = openapi.components.get_or_insert_default();
        components.security_schemes.insert("api_key".to_owned(), RefOr::T(key));
        for item in openapi.paths.paths.values_mut() {
            for operation in operations_of(item).filter(|operation| operation.security.is_some()) {
                complete(operation);
            }
        }
    }
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    item.get.iter_mut().chain(item.post.iter_mut())
}

fn complete(operation: &mut Operation) {
    let reads = operation.request_body.is_none();
    let about_bodies = ["403", "408", "413", "415"];
    for (status, description) in ERRORS.iter().filter(|(status, _)| !(reads && about_bodies.contains(status))) {
        operation.responses.responses.entry((*status).to_owned()).or_insert_with(|| RefOr::T(Response::new(*description)));
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if response.content.is_empty() && !status.starts_with('2') {
            response.content.insert("application/json".to_owned(), refers_to("ErrorReply"));
            response.content.insert("application/problem+json".to_owned(), refers_to("ProblemReply"));
        }
        for (name, description, kind) in &HEADERS {
            let mut header = Header::new(Object::with_type(kind.clone()));
            header.description = Some((*description).to_owned());
            response.headers.insert((*name).to_owned(), RefOr::T(header));
        }
    }
}

fn refers_to(schema: &str) -> RefOr<Content> {
    RefOr::T(Content::new(Some(Ref::from_schema_name(schema))))
}

/// The description of the wire (OpenAPI 3.1), as `/openapi.json` serves it.
#[must_use]
pub fn openapi_json() -> String {
    let mut json = Description::openapi().to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

#[cfg(test)]
mod tests;
