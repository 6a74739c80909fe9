//! A body in which no object has a key twice. Readers disagree about which of the two counts, and an operator's change must not depend on it.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::body::BodyError;

/// Refuses bytes in which some object, however deep, has a key twice. Tells the place, not the key.
pub(super) fn check(bytes: &[u8]) -> Result<(), BodyError> {
    if bytes.is_empty() {
        return Ok(());
    }
    serde_json::from_slice::<Once>(bytes).map(drop).map_err(|error| BodyError::Malformed(error.to_string()))
}

/// Any JSON value, looked through and not kept.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Once, M::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(M::Error::custom("a key stands there twice"));
            }
            map.next_value::<Once>()?;
        }
        Ok(Once)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Once, S::Error> {
        while items.next_element::<Once>()?.is_some() {}
        Ok(Once)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_str<E>(self, _: &str) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_unit<E>(self) -> Result<Once, E> {
        Ok(Once)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_found_at_any_depth_and_not_repeated() {
        for sound in ["", "{}", r#"{"a":1,"b":[{"a":1.5},{"a":null,"b":true}],"c":{"a":"x","b":-1}}"#] {
            assert_eq!(check(sound.as_bytes()), Ok(()), "{sound}");
        }
        for wrong in [r#"{"secret":1,"secret":1}"#, r#"{"a":[{"b":{"secret":1,"c":2,"\u0073ecret":3}}]}"#] {
            let told = check(wrong.as_bytes()).unwrap_err().to_string();
            assert!(told.starts_with("a key stands there twice at line 1") && !told.contains("secret"), "{told}");
        }
    }
}
