//! What readers of the API and relying parties fetch: the reference page, the description of the wire, the public keys of proofs.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY};
use actix_web::web::Bytes;
use countersign_model::Mode;
use data_encoding::BASE64;

use crate::call::Call;

/// The reference page. It fetches one description from where it was loaded and nothing from anywhere else.
const PAGE: &str = include_str!("docs.html");
/// Where the page wants the nonce that lets its own script and style through.
const NONCE: &str = "{{nonce}}";

/// What a reference page is about. Its texts stand in the page as they are.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) title: &'static str,
    /// Where its description is.
    pub(crate) openapi: &'static str,
    /// The header of a caller's credential.
    pub(crate) header: &'static str,
    /// What the header looks like.
    pub(crate) credential: &'static str,
}

/// The page of the public API.
pub(crate) fn docs(call: &Call<'_>) -> HttpResponse {
    let book = Book { title: "Countersign API", openapi: "/openapi.json", header: "X-API-Key", credential: "sk_test_…" };
    page(call, &book)
}

/// A page, under a policy that lets in nothing but its own script and style.
pub(crate) fn page(call: &Call<'_>, book: &Book) -> HttpResponse {
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
        .body(bound(book).replace(NONCE, &nonce))
}

fn bound(book: &Book) -> String {
    let places = [
        ("{{title}}", book.title),
        ("{{openapi}}", book.openapi),
        ("{{header}}", book.header),
        ("{{credential}}", book.credential),
    ];
    places.into_iter().fold(PAGE.to_owned(), |page, (place, text)| page.replace(place, text))
}

/// The description of the wire.
pub(crate) fn openapi(call: &Call<'_>) -> HttpResponse {
    json(call.api.openapi.clone())
}

/// A description that may be kept for a while.
pub(crate) fn json(description: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")))
        .body(description)
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
    fn every_place_of_the_page_is_filled() {
        let book = Book { title: "T", openapi: "/o.json", header: "H", credential: "C" };
        let page = bound(&book).replace(NONCE, "n");
        assert!(!page.contains("{{"), "{:?}", page.lines().find(|line| line.contains("{{")));
        assert!(page.contains("<title>T</title>") && page.contains("fetch(\"/o.json\")"));
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
