//! What a caller is told of its webhooks.

use countersign_core::manage::OwnEndpoint;
use countersign_model::Uuid;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::request::webhook::EVENT;

/// A webhook.
#[derive(Serialize, ToSchema)]
pub(in super::super) struct WebhookReply {
    #[schema(format = "uuid")]
    id: String,
    /// The tenant.
    #[schema(format = "uuid")]
    account_id: String,
    #[schema(examples("https://example.com/getotp"))]
    url: String,
    /// What reports are signed with; `null` for a key that only reads.
    secret: Option<String>,
    /// Always `DELIVERY`.
    event: &'static str,
    name: String,
    /// Always `SMS`, whatever channel is reported on.
    channel: &'static str,
    #[schema(examples("2025-08-18 00:00:00"))]
    create_date: String,
    update_date: String,
}

impl WebhookReply {
    /// Prints one.
    pub(in super::super) fn of(endpoint: &OwnEndpoint) -> Self {
        Self {
            id: Uuid::from_u128(endpoint.id.bits()).to_string(),
            account_id: Uuid::from_u128(endpoint.tenant.bits()).to_string(),
            url: endpoint.url.clone(),
            secret: endpoint.secret.as_ref().map(|secret| secret.to_string()),
            event: EVENT,
            name: endpoint.name.clone(),
            channel: "SMS",
            create_date: endpoint.created_at.spaced_seconds(),
            update_date: endpoint.updated_at.spaced_seconds(),
        }
    }
}
