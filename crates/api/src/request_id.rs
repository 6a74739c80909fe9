//! The name by which a request is found again in logs, here and at the caller's.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use countersign_model::Rng;
use data_encoding::HEXLOWER;

/// Carried by requests that bring a name along, and by every reply.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Safe to log, to print and to send back: letters, digits and `._:-` only.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The caller's own, when it is of a harmless form; else a new one.
    pub(crate) fn of(request: &HttpRequest, rng: &dyn Rng) -> Self {
        match request.headers().get(X_REQUEST_ID) {
            Some(given) if is_harmless(given.as_bytes()) => Self(given.clone()),
            Some(_) | None => Self::mint(rng),
        }
    }

    fn mint(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 16];
        rng.fill(&mut bytes);
        let text = format!("req_{}", HEXLOWER.encode(&bytes));
        Self(HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("req_none")))
    }

    /// For a header.
    pub(crate) fn value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// For a body or a log line.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

fn is_harmless(name: &[u8]) -> bool {
    (8..=128).contains(&name.len()) && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(byte))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use countersign_model::SeededRng;

    use super::*;

    fn named(given: &[u8]) -> String {
        let given = HeaderValue::from_bytes(given).unwrap();
        let request = TestRequest::get().insert_header((X_REQUEST_ID, given)).to_http_request();
        RequestId::of(&request, &SeededRng::new(1)).as_str().to_owned()
    }

    #[test]
    fn a_harmless_name_is_kept() {
        for given in ["abcd1234", "01J-x.y:z_A", &"a".repeat(128)] {
            assert_eq!(named(given.as_bytes()), given);
        }
    }

    #[test]
    fn any_other_is_replaced_by_a_new_one() {
        for given in
            [&b"short"[..], b"has space", b"\"quoted\"", b"\xff\xff\xff\xff\xff\xff\xff\xff", "a".repeat(129).as_bytes(), b""]
        {
            let name = named(given);
            assert!(name.starts_with("req_") && name.len() == 36, "{name}");
            assert!(is_harmless(name.as_bytes()), "{name}");
        }
    }
}
