//! `POST` and `PUT` of a webhook.

use countersign_core::manage::OwnEndpointDraft;

use super::super::error::{Failure, Faults};
use super::super::words;
use super::Data;
use crate::body::Body;

/// The fields of the call.
#[cfg(test)]
pub(in super::super) const FIELDS: [&str; 4] = ["url", "secret", "name", "event"];

/// What a webhook hears of.
pub(in super::super) const EVENT: &str = "DELIVERY";

/// Reads the call. What is missing stays empty: the verb tells all that is wrong with an address, a secret and a name.
pub(in super::super) fn parse(body: &Body) -> Result<OwnEndpointDraft, Failure> {
    let data = Data::of(body)?;
    let mut faults = Faults::default();
    if data.get("event").is_some_and(|event| !event.as_str().is_some_and(|event| event.eq_ignore_ascii_case(EVENT))) {
        faults.add(words::MALFORMED.saying("'data.event' must be DELIVERY"));
    }
    let text = |name: &str| data.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    faults.or(Some(OwnEndpointDraft { url: text("url"), secret: text("secret").into(), name: text("name") }))
}
