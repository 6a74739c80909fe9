//! What a caller is told of its templates.

use countersign_model::{Template, Uuid};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::request::page::Statuses;
use super::super::request::template::PLACES;

/// A template.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct TemplateReply {
    #[schema(format = "uuid")]
    id: String,
    /// The tenant.
    #[schema(format = "uuid")]
    account_id: String,
    name: String,
    /// With `{code}` where the code goes.
    #[schema(examples("Your code is {code}"))]
    text: String,
    #[schema(examples("SMS"))]
    channel: String,
    /// Always `COMPLETED`: nobody has to approve one.
    status: &'static str,
    /// Always `text`.
    #[serde(rename = "type")]
    kind: &'static str,
    #[schema(examples("2025-08-18 00:00:00"))]
    create_date: String,
    update_date: String,
}

impl TemplateReply {
    /// Prints one. A change is a new version, so the newest was made when it was changed last.
    pub(in super::super) fn of(template: &Template) -> Self {
        let made = template.created_at.spaced_seconds();
        Self {
            id: template.id.to_string(),
            account_id: Uuid::from_u128(template.tenant.bits()).to_string(),
            name: template.name.clone(),
            text: template.body.replace(PLACES.1, PLACES.0),
            channel: template.channel.as_str().to_ascii_uppercase(),
            status: Statuses::Templates.ours(),
            kind: "text",
            create_date: made.clone(),
            update_date: made,
        }
    }
}
