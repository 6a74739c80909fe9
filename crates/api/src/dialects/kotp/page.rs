//! Callers that are pages in a browser: which of them may show a key, and what browsers have to be told before they let pages read.

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use actix_web::{HttpMessage, HttpRequest};
use countersign_core::Caller;

use super::failure::Failure;
use super::paths::{self, Operation, Path};
use super::words;

/// The origin of a page whose call was let in.
struct Page(HeaderValue);

/// Lets a page in that shows a key for browsers: from one of the key's origins, to issue and to verify.
///
/// Its origin is remembered for the reply. What is refused for its origin goes back without a word to the browser, which then keeps the reply from
/// the page.
pub(super) fn admit(request: &HttpRequest, operation: Operation, caller: &Caller) -> Result<(), Failure> {
    let origin = request.headers().get(ORIGIN);
    let known = origin.filter(|origin| caller.origins.iter().any(|known| known.as_str().as_bytes() == origin.as_bytes()));
    let Some(origin) = known else {
        return Err(Failure::new(words::FORBIDDEN, "This API key belongs to pages of other origins"));
    };
    request.extensions_mut().insert(Page(origin.clone()));
    match operation {
        Operation::Issue | Operation::Verify => Ok(()),
        Operation::Send
        | Operation::ShowOtp
        | Operation::ListOtps
        | Operation::ShowStatus
        | Operation::ListIssues
        | Operation::ShowIssue
        | Operation::ShowBalance
        | Operation::ListLedger
        | Operation::ListTemplates
        | Operation::ShowTemplate => {
            Err(Failure::new(words::FORBIDDEN, "An API key for browsers issues and verifies, and no more"))
        }
    }
}

/// Tells the browser that the page may read the reply, where it was let in.
pub(super) fn stamp(request: &HttpRequest, headers: &mut HeaderMap) {
    if let Some(Page(origin)) = request.extensions().get() {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("X-Request-Id, Retry-After"));
        headers.insert(VARY, HeaderValue::from_static("Origin"));
    }
}

/// Answers a browser that asks before a page's call. False: it is no such question, or no page calls there.
///
/// No key comes with the question, so any origin may call; whether its page may read the answer, the call's reply decides.
pub(super) fn preflight(request: &HttpRequest, headers: &mut HeaderMap) -> bool {
    let called_by_pages = matches!(paths::find(request.path()), Some((Path::Issue | Path::Verify, _)));
    let Some(origin) = request.headers().get(ORIGIN) else { return false };
    if !called_by_pages || !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return false;
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    let allowed = "Authorization, Content-Type, Idempotency-Key, X-Request-Id";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    true
}
