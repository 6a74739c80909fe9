//! A contact as the world sees it.

use countersign_model::{Channel, Contact};
use serde_json::{Map, Value, json};

/// The contact, the same in replies and in webhooks.
#[must_use]
pub fn contact_json(contact: &Contact) -> Value {
    let fields = &contact.fields;
    let preferences: Map<String, Value> =
        fields.preferences.iter().map(|(channel, allowed)| (channel.as_str().to_owned(), json!(allowed))).collect();
    let verified: Vec<&str> = contact.verified_channels.iter().map(|channel: &Channel| channel.as_str()).collect();
    json!({
        "id": contact.id.to_string(),
        "external_id": fields.external_id,
        "email": fields.email,
        "phone": fields.phone,
        "first_name": fields.first_name,
        "last_name": fields.last_name,
        "locale": fields.locale,
        "tags": fields.tags,
        "custom_fields": object(&fields.custom_fields),
        "metadata": object(&fields.metadata),
        "preferences": preferences,
        "is_active": fields.is_active,
        "verified_channels": verified,
        "created_at": contact.created_at.to_string(),
        "updated_at": contact.updated_at.to_string(),
    })
}

/// An object that was kept as text.
fn object(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!({}))
}
