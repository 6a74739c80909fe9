//! How an event is spelt and signed for its receiver. One file per format.

mod getotp;
mod kotp;
mod native;

use countersign_model::{Timestamp, WebhookEvent, WebhookFormat};
use serde_json::Value;

use crate::secret::EndpointSecrets;
use crate::sign::WebhookId;

/// What a receiver is told, before it is spelt.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What the event is known by, through every retry and replay.
    pub id: String,
    /// What happened.
    pub event: WebhookEvent,
    /// When it happened, not when it is told.
    pub at: Timestamp,
    /// The thing it happened to, in the words of the format it is spelt in. Holds no code, key or token.
    pub data: Value,
}

impl Notice {
    /// The body, always the same for the same notice: a retry posts what the first attempt posted. None: the format has no word for the
    /// event.
    #[must_use]
    pub fn body(&self, format: WebhookFormat) -> Option<String> {
        if !format.says(self.event) {
            return None;
        }
        match format {
            WebhookFormat::Native => Some(native::body(self)),
            WebhookFormat::Kotp => kotp::body(self),
            WebhookFormat::GetOtp => Some(getotp::body(self)),
        }
    }
}

/// What identifies and signs an attempt at `now`. The body must go out byte for byte as it stands here.
pub(crate) fn headers(
    format: WebhookFormat,
    id: &WebhookId,
    now: Timestamp,
    body: &str,
    secrets: &EndpointSecrets,
) -> Vec<(&'static str, String)> {
    match format {
        WebhookFormat::Native => native::headers(id, now, body, secrets).into(),
        WebhookFormat::Kotp => kotp::headers(now, body, secrets).into(),
        WebhookFormat::GetOtp => getotp::headers(body, secrets).into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_format_spells_what_it_has_a_word_for_and_nothing_else() {
        for format in WebhookFormat::ALL {
            for event in WebhookEvent::ALL.into_iter().chain([WebhookEvent::Test]) {
                let notice = Notice { id: "evt_1".to_owned(), event, at: Timestamp::from_millis(0), data: json!({}) };
                assert_eq!(notice.body(format).is_some(), format.says(event), "{format} {event}");
            }
        }
    }
}
