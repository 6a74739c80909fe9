//! How an event is spelt for its receiver. One file per format.

mod native;

use countersign_model::{Timestamp, WebhookEvent};
use serde_json::Value;

use crate::secret::EndpointSecrets;
use crate::sign::{self, WebhookId};

/// What a receiver is told, before it is spelt.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What happened.
    pub event: WebhookEvent,
    /// When it happened, not when it is told.
    pub at: Timestamp,
    /// The thing it happened to, as the API would show it. Holds no code, key or token.
    pub data: Value,
}

/// Whose spelling a receiver expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Ours: Standard Webhooks 1.0.
    #[default]
    Native,
}

impl Format {
    /// The body, always the same for the same notice: a retry posts what the first attempt posted.
    #[must_use]
    pub fn body(self, notice: &Notice) -> String {
        match self {
            Self::Native => native::body(notice),
        }
    }

    /// What identifies and signs an attempt at `now`.
    pub(crate) fn headers(
        self,
        id: &WebhookId,
        now: Timestamp,
        body: &str,
        secrets: &EndpointSecrets,
    ) -> [(&'static str, String); 3] {
        match self {
            Self::Native => sign::headers(id, now, body, secrets),
        }
    }
}
