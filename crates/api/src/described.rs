//! What the descriptions of all dialects have in common: the headers of every reply, and how a description is printed and looked over.

use utoipa::openapi::header::Header;
use utoipa::openapi::schema::{Components, Object, Type};
use utoipa::openapi::{OpenApi, Ref, RefOr, Response};

/// Headers of every reply to a call.
const HEADERS: [(&str, &str, Type); 6] = [
    ("X-Request-Id", "Names the request. A caller's own of 8 to 128 letters, digits and `._:-` is echoed.", Type::String),
    ("X-RateLimit-Limit", "Calls a window.", Type::Integer),
    ("X-RateLimit-Remaining", "Calls left.", Type::Integer),
    ("X-RateLimit-Reset", "When more are left, in seconds since the epoch.", Type::Integer),
    ("RateLimit-Policy", "The same rule in the IETF form.", Type::String),
    ("RateLimit", "The same standing in the IETF form; `t` counts seconds from now.", Type::String),
];

/// Describes the headers once, for replies to refer to.
pub(crate) fn describe_headers(components: &mut Components) {
    for (name, description, kind) in &HEADERS {
        let mut header = Header::new(Object::with_type(kind.clone()));
        header.description = Some((*description).to_owned());
        components.headers.insert((*name).to_owned(), RefOr::T(header));
    }
}

/// Says that a reply has the headers.
pub(crate) fn add_headers(response: &mut Response) {
    for (name, ..) in &HEADERS {
        let header = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert((*name).to_owned(), RefOr::Ref(header));
    }
}

/// A description as it is served and kept.
pub(crate) fn printed(description: &OpenApi) -> String {
    let mut json = description.to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

/// Looks a description over.
#[cfg(test)]
pub(crate) mod testing {
    use std::path::Path;

    use serde_json::Value;

    /// Expects it to be the one that is kept for readers, and for whoever reviews a change of the wire.
    pub(crate) fn assert_golden(file: &str, now: &str) {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api").join(file);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, now).unwrap();
        }
        let kept = std::fs::read_to_string(golden).unwrap_or_default();
        assert!(
            kept == now,
            "the wire has changed; look at it, then: UPDATE_GOLDEN=1 cargo nextest run -p countersign-api golden"
        );
    }

    /// Expects it to be of OpenAPI 3.1, each of its references to lead somewhere.
    pub(crate) fn assert_whole(description: &Value) {
        assert!(description["openapi"].as_str().unwrap().starts_with("3.1."));
        for reference in description.to_string().split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(description.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
