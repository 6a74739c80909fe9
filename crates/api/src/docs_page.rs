//! What readers of the API and relying parties fetch: the reference page, the description of the wire, the public keys of proofs.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY};
use countersign_model::Mode;
use data_encoding::BASE64;

use crate::serve::Call;

/// The reference page. It fetches `/openapi.json` from where it was loaded and nothing from anywhere else.
const PAGE: &str = include_str!("docs.html");
/// Where the page wants the nonce that lets its own script and style through.
const NONCE: &str = "{{nonce}}";

/// The page, under a policy that lets in nothing but its own script and style.
pub(crate) fn docs(call: &Call<'_>) -> HttpResponse {
    let mut bytes = [0; 18];
    call.api.platform.rng().fill(&mut bytes);
    let nonce = BASE64.encode(&bytes);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((REFERRER_POLICY, HeaderValue::from_static("no-referrer")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .body(PAGE.replace(NONCE, &nonce))
}

/// The description of the wire.
pub(crate) fn openapi(call: &Call<'_>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")))
        .body(call.api.openapi.clone())
}

/// The public keys by which proofs are checked. They may be kept for an hour: a new key is shown that long before it signs.
pub(crate) fn jwks(call: &Call<'_>, mode: Mode) -> HttpResponse {
    let mut response = HttpResponse::Ok().json(call.api.platform.jwks(mode));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_nobody_else_for_anything() {
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            let found: Vec<&str> = PAGE.lines().filter(|line| line.contains(outside)).collect();
            assert!(found.is_empty(), "{found:?}");
        }
    }

    #[test]
    fn every_script_and_style_of_the_page_carries_the_nonce_and_none_stands_in_an_attribute() {
        assert_eq!(PAGE.matches("<script").count(), PAGE.matches("<script nonce=\"{{nonce}}\"").count());
        assert_eq!(PAGE.matches("<style").count(), PAGE.matches("<style nonce=\"{{nonce}}\"").count());
        assert!(PAGE.matches(NONCE).count() >= 2);
        for attribute in [" style=", " onclick=", " onload=", "javascript:", "innerHTML"] {
            assert!(!PAGE.contains(attribute), "{attribute}");
        }
    }
}
