//! Tables of secrets, as they are shown: with the names and without the values.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Serializer;

use crate::secret::SHOWN;

/// For `serialize_with`.
pub(super) fn values<S: Serializer>(secrets: &BTreeMap<String, SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(secrets.keys().map(|name| (name, SHOWN)))
}

/// For `serialize_with`: the same for a table that may be left out.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(super) fn some_values<S: Serializer>(
    secrets: &Option<BTreeMap<String, SecretString>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secrets {
        Some(secrets) => values(secrets, serializer),
        None => serializer.serialize_none(),
    }
}
