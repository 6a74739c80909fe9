//! The form in which endpoints and deliveries are shown. Secrets are not part of it.

use countersign_model::{KeyKind, WebhookEndpoint, WebhookEvent, WebhookFormat};
use countersign_records::{Delivery, DeliveryAttempt};
use serde::Serialize;

use super::views::text;

/// An endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct EndpointView {
    /// `whe_…`
    pub id: String,
    /// Where to.
    pub url: String,
    /// How what is posted to it is spelt and signed.
    pub format: WebhookFormat,
    /// For people.
    pub description: String,
    /// What it hears of; empty: everything that its format has a word for.
    pub events: Vec<WebhookEvent>,
    /// It hears only of what keys of this kind do; none: of everything.
    pub keys: Option<KeyKind>,
    /// Whether it is posted to.
    pub enabled: bool,
    /// Why not: `operator`, or `gone` where it answered 410.
    pub disabled: Option<String>,
    /// When it was made.
    pub created_at: String,
}

/// A delivery.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryView {
    /// `whd_…`
    pub id: String,
    /// Where to; the endpoint may be gone.
    pub endpoint: String,
    /// What the receiver knows the event by.
    pub event_id: String,
    /// What happened.
    pub event: WebhookEvent,
    /// `pending`, `delivered`, `failed` or `discarded`.
    pub state: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it is pending.
    pub next_at: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When nothing more was to be done.
    pub ended_at: Option<String>,
    /// The delivery that this one repeats.
    pub replay_of: Option<String>,
}

/// One try.
#[derive(Debug, Clone, Serialize)]
pub struct AttemptView {
    /// Counts from 1.
    pub number: u32,
    /// When it began.
    pub at: String,
    /// How long it took.
    pub took_ms: u64,
    /// What the endpoint answered, if it did.
    pub status: Option<u16>,
    /// What it said with a refusal, cut short.
    pub response: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

impl EndpointView {
    /// Shows `endpoint`.
    #[must_use]
    pub fn of(endpoint: &WebhookEndpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.clone(),
            format: endpoint.format,
            description: endpoint.description.clone(),
            events: endpoint.events.clone(),
            keys: endpoint.keys,
            enabled: endpoint.disabled.is_none(),
            disabled: endpoint.disabled.clone(),
            created_at: endpoint.created_at.to_string(),
        }
    }
}

impl DeliveryView {
    /// Shows `delivery`.
    #[must_use]
    pub fn of(delivery: &Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            endpoint: delivery.endpoint.to_string(),
            event_id: delivery.event_id.clone(),
            event: delivery.event,
            state: delivery.state.as_str(),
            attempts: delivery.attempts,
            next_at: delivery.ended_at.is_none().then(|| delivery.next_at.to_string()),
            created_at: delivery.created_at.to_string(),
            ended_at: text(delivery.ended_at),
            replay_of: delivery.replay_of.map(|id| id.to_string()),
        }
    }
}

impl AttemptView {
    /// Shows `attempt`.
    #[must_use]
    pub fn of(attempt: &DeliveryAttempt) -> Self {
        Self {
            number: attempt.number,
            at: attempt.at.to_string(),
            took_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            status: attempt.status,
            response: attempt.response.clone(),
            error: attempt.error.clone(),
        }
    }
}
