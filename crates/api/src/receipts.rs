//! Where providers post what became of messages: `/receipts/{kind}/{name}`, with a secret behind it for those that sign nothing.
//!
//! Whether a post is genuine is the provider's to say, over the bytes as they came; nobody needs an API key here.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Payload;
use countersign_core::{Callback, CallbackError, CallbackReply};
use tokio::sync::Semaphore;
use tracing::warn;

use crate::body;
use crate::call::Call;
use crate::dialect::Edge;
use crate::dialects::native;

/// What these paths are called in logs and metrics: a secret may stand in them.
pub(crate) const TEMPLATE: &str = "/receipts/{kind}/{name}";
/// Most bytes of a post: providers that batch their receipts send up to this much at a time.
const MOST: usize = 3 * 1024 * 1024;
/// Beyond that a post is a large one.
const SMALL: usize = 64 * 1024;
/// Places for large posts that are being read. Who posts is known only when all is there, so without a bound any stranger could fill the memory.
static LARGE: Semaphore = Semaphore::const_new(16);
const ALLOW: &str = "GET, POST";
/// When a post that could not be kept may come again.
const SHORTLY: Duration = Duration::from_secs(5);

/// A path of this kind, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection<'a> {
    kind: &'a str,
    name: &'a str,
    secret: Option<&'a str>,
}

impl<'a> Connection<'a> {
    /// None: it is another path.
    pub(crate) fn find(path: &'a str) -> Option<Self> {
        let mut parts = path.strip_prefix("/receipts/")?.trim_end_matches('/').split('/');
        let (kind, name, secret) = (parts.next()?, parts.next()?, parts.next());
        let sound = !kind.is_empty() && !name.is_empty() && secret.is_none_or(|secret| !secret.is_empty());
        (sound && parts.next().is_none()).then_some(Self { kind, name, secret })
    }
}

/// One post, or the question by which some providers find out whether the address is ours.
pub(crate) async fn answer(call: &Call<'_>, connection: Connection<'_>, payload: Payload) -> HttpResponse {
    let is_get = match *call.request.method() {
        Method::GET => true,
        Method::POST => false,
        _ => return native::method_not_allowed(call, ALLOW),
    };
    let (most, place) = if is_large(call.request.headers()) { (MOST, LARGE.try_acquire().map(Some)) } else { (SMALL, Ok(None)) };
    let Ok(_place) = place else { return native::not_now(call, SHORTLY) };
    let bytes = match body::raw(call.request, payload, most).await {
        Ok(bytes) => bytes,
        Err(error) => return native::turn_away(call, Edge::Body(error)),
    };
    let callback = Callback {
        is_get,
        url: url(call),
        path_secret: connection.secret.map(str::to_owned),
        headers: headers(call),
        body: bytes.into(),
    };
    match call.platform().callback(connection.kind, connection.name, &callback).await {
        Ok(CallbackReply::Taken) => reply(HttpResponse::new(StatusCode::OK)),
        Ok(CallbackReply::Say { media_type, body }) => {
            let mut response = HttpResponse::new(StatusCode::OK).set_body(actix_web::body::BoxBody::new(body));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            reply(response)
        }
        Err(CallbackError::NoConnection) => native::turn_away(call, Edge::NotFound),
        Err(CallbackError::Forged) => native::not_signed(call),
        Err(CallbackError::Malformed(_)) => native::no_receipt(call),
        Err(error @ CallbackError::Unavailable(_)) => {
            warn!(error = &error as &dyn std::error::Error, "a receipt could not be taken; its sender may post it again");
            native::not_now(call, SHORTLY)
        }
    }
}

/// Whether the body may be a large one: one that does not say how long it is may be.
fn is_large(headers: &HeaderMap) -> bool {
    body::declared_length(headers).map_or_else(|| headers.contains_key(TRANSFER_ENCODING), |length| length > SMALL)
}

/// The address as the provider was told it: the configured host, and the path and query as they came.
fn url(call: &Call<'_>) -> String {
    let tail = call.request.uri().path_and_query().map_or("/", |tail| tail.as_str());
    format!("{}{tail}", call.platform().public_url())
}

fn headers(call: &Call<'_>) -> Vec<(String, Vec<u8>)> {
    call.request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}

fn reply(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::CONTENT_LENGTH;

    use super::*;

    #[test]
    fn a_post_is_large_by_what_it_says_of_itself_or_where_it_says_nothing() {
        let headers = |name, value: &'static str| HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        for small in [HeaderMap::new(), headers(CONTENT_LENGTH, "0"), headers(CONTENT_LENGTH, "65536")] {
            assert!(!is_large(&small), "{small:?}");
        }
        for large in [headers(CONTENT_LENGTH, "65537"), headers(CONTENT_LENGTH, "3145729"), headers(TRANSFER_ENCODING, "chunked")]
        {
            assert!(is_large(&large), "{large:?}");
        }
    }

    #[test]
    fn a_connection_is_named_by_its_kind_and_name_with_at_most_a_secret_behind() {
        let plain = Connection { kind: "twilio", name: "main", secret: None };
        for path in ["/receipts/twilio/main", "/receipts/twilio/main/"] {
            assert_eq!(Connection::find(path), Some(plain), "{path}");
        }
        assert_eq!(Connection::find("/receipts/twilio/main/s3cret"), Some(Connection { secret: Some("s3cret"), ..plain }));
        for other in
            ["/receipts", "/receipts/", "/receipts/twilio", "/receipts//main", "/receipts/twilio/main/a/b", "/v1/receipts/a/b"]
        {
            assert_eq!(Connection::find(other), None, "{other}");
        }
    }
}
