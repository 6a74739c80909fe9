//! Telling subscribers: an event becomes a delivery for each endpoint that wants to hear of it, in the transaction of what happened.

use countersign_model::{Contact, ContactId, DeliveryId, Rng, TenantId, Timestamp, WebhookEndpoint, WebhookEvent};
use countersign_records::NewDelivery;
use countersign_webhooks::{Format, Notice};
use serde_json::Value;

use crate::contacts::contact_json;

/// Something that subscribers can hear of.
pub(crate) struct News {
    /// Whose subscribers.
    pub(crate) tenant: TenantId,
    /// What the event is known by.
    pub(crate) event_id: String,
    /// What happened.
    pub(crate) event: WebhookEvent,
    /// When.
    pub(crate) at: Timestamp,
    /// The thing it happened to.
    pub(crate) data: Value,
}

/// One delivery for each of these endpoints that is the tenant's and wants to hear of it.
pub(crate) fn deliveries(news: News, endpoints: &[WebhookEndpoint], rng: &dyn Rng) -> Vec<NewDelivery> {
    let News { tenant, event_id, event, at, data } = news;
    let wanting = || endpoints.iter().filter(|endpoint| endpoint.tenant == tenant && endpoint.wants(event));
    if wanting().next().is_none() {
        return Vec::new();
    }
    let body = Format::Native.body(&Notice { event, at, data });
    let delivery = |endpoint: &WebhookEndpoint| NewDelivery {
        id: DeliveryId::mint(at, rng, tenant.partition()),
        tenant,
        endpoint: endpoint.id,
        event_id: event_id.clone(),
        event,
        body: body.clone(),
        at,
    };
    wanting().map(delivery).collect()
}

/// The news of a contact that was made. A contact is made once, so its event has its own number for ever.
pub(crate) fn contact_created(contact: &Contact) -> News {
    News {
        tenant: contact.tenant,
        event_id: contact.id.to_string().replacen(ContactId::PREFIX, "evt_", 1) + "_1",
        event: WebhookEvent::ContactCreated,
        at: contact.created_at,
        data: contact_json(contact),
    }
}
