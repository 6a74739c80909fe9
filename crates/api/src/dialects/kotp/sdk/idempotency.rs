//! The key that makes an issue safe to repeat: without one nothing is issued.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use countersign_core::IdempotencyKey;
use serde_json::{Map, Value};

use crate::dialects::kotp::words::INVALID_PARAMETER;
use crate::fields::{Faults, Fields};

const HEADER: &str = "idempotency-key";
/// The field of the same meaning.
const FIELD: &str = "idempotencyKey";

/// The key of the header or of the body, which are equal where both are given; bound to the rest of the body, whatever order it is in.
pub(super) fn read(request: &HttpRequest, object: &Map<String, Value>, faults: &mut Faults) -> Option<IdempotencyKey> {
    let header = request.headers().get(HEADER).map(|line| line.to_str().unwrap_or_default().trim());
    let fields = Fields::new(object, "", INVALID_PARAMETER);
    let field = fields.parsed(FIELD, "a string", |text| Some(text.trim()), faults);
    if let (Some(header), Some(field)) = (header, field)
        && header != field
    {
        faults.add(FIELD, INVALID_PARAMETER, "Idempotency-Key and idempotencyKey must be the same");
        return None;
    }
    let key = header.or(field).unwrap_or_default();
    if !(1..=128).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "An idempotency key is needed, as Idempotency-Key or idempotencyKey: 1 to 128 visible ASCII characters";
        faults.add(FIELD, INVALID_PARAMETER, message);
        return None;
    }
    let payload: BTreeMap<_, _> = object.iter().filter(|(name, _)| *name != FIELD).collect();
    let body = serde_json::to_vec(&payload).unwrap_or_default();
    Some(IdempotencyKey { path: "issue", key: key.to_owned(), body })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;

    fn key(header: Option<&str>, body: &Value) -> Option<(String, Vec<u8>)> {
        let request = header.map_or_else(TestRequest::post, |key| TestRequest::post().insert_header((HEADER, key)));
        let mut faults = Faults::default();
        let key = read(&request.to_http_request(), body.as_object().unwrap(), &mut faults);
        assert_eq!(key.is_none(), !faults.into_vec().is_empty());
        key.map(|key| (key.key, key.body))
    }

    #[test]
    fn one_key_is_enough_and_two_must_be_equal() {
        let payload = json!({"a": 1, "b": 2});
        let with = |key: &str| json!({"b": 2, "idempotencyKey": key, "a": 1});
        assert_eq!(key(Some("k1"), &payload), key(None, &with("k1")));
        assert_eq!(key(Some("k1"), &payload), key(Some("k1"), &with(" k1 ")));
        assert_eq!(key(Some("k1"), &with("k2")), None);
    }

    #[test]
    fn a_key_is_visible_ascii_and_never_missing() {
        assert!(key(Some(&"k".repeat(128)), &json!({})).is_some());
        assert_eq!(key(None, &json!({})), None);
        for wrong in ["", " ", "a b", &"k".repeat(129), "schlüssel"] {
            assert_eq!(key(None, &json!({"idempotencyKey": wrong})), None, "{wrong}");
        }
    }
}
