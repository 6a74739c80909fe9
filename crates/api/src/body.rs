//! From bytes on a connection to a JSON object, within bounds of size and time.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::body::{BodyStream, MessageBody};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, BytesMut, Payload};
use serde_json::{Map, Value};

/// Most bytes of a body.
const MOST: usize = 64 * 1024;
/// How long a body may take to arrive: longer is a client that only holds a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A body that is a JSON object. Empty for calls that carry none.
#[derive(Debug, Default)]
pub struct Body {
    /// As it came: what an idempotency key is bound to.
    pub bytes: Bytes,
    /// What it says.
    pub object: Map<String, Value>,
}

/// Why there is no such body.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More than 64 KiB.
    #[error("more than 64 KiB")]
    TooLarge,
    /// Not declared as JSON in UTF-8, or compressed.
    #[error("not declared as plain JSON in UTF-8")]
    MediaType,
    /// Holds a place in the body, nothing of its content.
    #[error("{0}")]
    Malformed(String),
    /// Did not arrive within ten seconds.
    #[error("did not arrive in time")]
    TooSlow,
    /// The connection broke.
    #[error("broke off")]
    Broken,
}

/// Reads and parses. Size is looked at before the media type, and that before what the bytes say.
pub(crate) async fn read(request: &HttpRequest, payload: Payload) -> Result<Body, BodyError> {
    let bytes = arrive(request, payload).await?;
    understand(request, bytes)
}

/// The same for calls that may come without one: then neither a media type nor a form is asked for.
pub(crate) async fn read_if_any(request: &HttpRequest, payload: Payload) -> Result<Body, BodyError> {
    let bytes = arrive(request, payload).await?;
    if bytes.is_empty() { Ok(Body::default()) } else { understand(request, bytes) }
}

async fn arrive(request: &HttpRequest, payload: Payload) -> Result<Bytes, BodyError> {
    raw(request, payload, MOST).await
}

/// At most `most` bytes, as they came, of whatever kind.
pub(crate) async fn raw(request: &HttpRequest, payload: Payload, most: usize) -> Result<Bytes, BodyError> {
    if declared_length(request.headers()).is_some_and(|length| length > most) {
        return Err(BodyError::TooLarge);
    }
    tokio::time::timeout(PATIENCE, collect(payload, most)).await.map_err(|_| BodyError::TooSlow)?
}

fn understand(request: &HttpRequest, bytes: Bytes) -> Result<Body, BodyError> {
    if !is_plain_json(request.headers()) {
        return Err(BodyError::MediaType);
    }
    let object = parse(&bytes)?;
    Ok(Body { bytes, object })
}

pub(crate) fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body that came in one piece, as nearly all do, is not copied.
async fn collect(payload: Payload, most: usize) -> Result<Bytes, BodyError> {
    let mut stream = pin!(BodyStream::new(payload));
    let mut whole = Bytes::new();
    while let Some(chunk) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        let chunk = chunk.map_err(|_| BodyError::Broken)?;
        if whole.len() + chunk.len() > most {
            return Err(BodyError::TooLarge);
        }
        whole = if whole.is_empty() {
            chunk
        } else {
            let mut joined = BytesMut::from(whole);
            joined.extend_from_slice(&chunk);
            joined.freeze()
        };
    }
    Ok(whole)
}

/// `application/json` or `application/…+json`, in UTF-8, not compressed.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let identity = headers.get(CONTENT_ENCODING).is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    identity && declared.is_some_and(is_json_in_utf8)
}

fn is_json_in_utf8(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = media.strip_prefix("application/").is_some_and(|subtype| {
        subtype == "json" || subtype.strip_suffix("+json").is_some_and(|prefix| !prefix.is_empty() && !prefix.contains('/'))
    });
    let utf8 = |value: &str| ["utf-8", "utf8", "us-ascii"].iter().any(|known| known.eq_ignore_ascii_case(value));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => utf8(value.trim().trim_matches('"')),
        Some(_) | None => true,
    })
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, BodyError> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(BodyError::Malformed("not a JSON object".to_owned())),
        Err(error) => Err(BodyError::Malformed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::FromRequest;
    use actix_web::test::TestRequest;

    use super::*;

    async fn read_from(request: TestRequest) -> Result<Body, BodyError> {
        let (request, mut payload) = request.to_http_parts();
        let payload = Payload::from_request(&request, &mut payload).await.unwrap();
        read(&request, payload).await
    }

    #[actix_web::test]
    async fn an_object_in_json_is_taken() {
        let body =
            read_from(TestRequest::post().insert_header((CONTENT_TYPE, "application/json")).set_payload(r#"{"a":1}"#)).await;
        let body = body.unwrap();
        assert_eq!((body.object["a"].as_u64(), &body.bytes[..]), (Some(1), &br#"{"a":1}"#[..]));
    }

    #[actix_web::test]
    async fn what_is_not_declared_as_plain_json_is_refused() {
        for refused in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-16",
            "application/+json",
            "json",
            "",
        ] {
            let request = TestRequest::post().insert_header((CONTENT_TYPE, refused)).set_payload("{}");
            assert_eq!(read_from(request).await.unwrap_err(), BodyError::MediaType, "{refused}");
        }
        assert_eq!(read_from(TestRequest::post().set_payload("{}")).await.unwrap_err(), BodyError::MediaType);
        for taken in ["application/json", "Application/JSON; Charset=\"UTF-8\"", "application/vnd.api+json;profile=x"] {
            assert!(
                read_from(TestRequest::post().insert_header((CONTENT_TYPE, taken)).set_payload("{}")).await.is_ok(),
                "{taken}"
            );
        }
        let packed =
            TestRequest::post().insert_header((CONTENT_TYPE, "application/json")).insert_header((CONTENT_ENCODING, "gzip"));
        assert_eq!(read_from(packed.set_payload("{}")).await.unwrap_err(), BodyError::MediaType);
    }

    #[actix_web::test]
    async fn what_is_no_json_object_is_malformed_and_nothing_of_it_is_told() {
        for wrong in ["", "{", "[]", "7", "\"secret\"", "{\"secret\":tru}", "{\"a\":1}}", "\u{feff}{}"] {
            let request = TestRequest::post().insert_header((CONTENT_TYPE, "application/json")).set_payload(wrong);
            match read_from(request).await.unwrap_err() {
                BodyError::Malformed(told) => assert!(!told.contains("secret"), "{told}"),
                other => panic!("{wrong}: {other}"),
            }
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
        let request = TestRequest::post().insert_header((CONTENT_TYPE, "application/json")).set_payload(deep);
        assert!(matches!(read_from(request).await, Err(BodyError::Malformed(_))));
    }

    #[actix_web::test]
    async fn size_is_looked_at_before_everything_else() {
        let declared = TestRequest::post().insert_header((CONTENT_LENGTH, "65537"));
        assert_eq!(read_from(declared).await.unwrap_err(), BodyError::TooLarge);
        let undeclared = TestRequest::post().set_payload("x".repeat(MOST + 1));
        assert_eq!(read_from(undeclared).await.unwrap_err(), BodyError::TooLarge);
    }
}
