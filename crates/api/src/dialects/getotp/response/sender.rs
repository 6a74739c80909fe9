//! What a caller is told of its senders.

use countersign_model::{Sender, Uuid};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::request::page::Statuses;

/// A sender.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct SenderReply {
    #[schema(format = "uuid")]
    id: String,
    /// The tenant.
    #[schema(format = "uuid")]
    account_id: String,
    /// What recipients see.
    #[schema(examples("GetOTP"))]
    name: String,
    /// The same once more.
    code: String,
    #[schema(examples("SMS"))]
    channel: String,
    /// `Numeric` for a number, else `Alphanumeric`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Always `Available`.
    status: &'static str,
    /// Always `null`: a sender is not tied to a country.
    country: Option<&'static str>,
    /// Always empty, for the same reason.
    countries: [&'static str; 0],
    /// Always 0.
    monthly_cost: u8,
    /// Always 0.
    setup_cost: u8,
    #[schema(examples("2025-08-18 00:00:00"))]
    create_date: String,
    update_date: String,
}

impl SenderReply {
    /// Prints one.
    pub(in super::super) fn of(sender: &Sender) -> Self {
        let made = sender.created_at.spaced_seconds();
        let is_number = sender.value.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit());
        Self {
            id: sender.id.to_string(),
            account_id: Uuid::from_u128(sender.tenant.bits()).to_string(),
            name: sender.value.clone(),
            code: sender.value.clone(),
            channel: sender.channel.as_str().to_ascii_uppercase(),
            kind: if is_number { "Numeric" } else { "Alphanumeric" },
            status: Statuses::Senders.ours(),
            country: None,
            countries: [],
            monthly_cost: 0,
            setup_cost: 0,
            create_date: made.clone(),
            update_date: made,
        }
    }
}
