//! Telling subscribers: an event becomes a delivery for each endpoint that wants to hear of it, in the transaction of what happened.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::{Contact, ContactId, DeliveryId, Rng, TenantId, Timestamp, WebhookEndpoint, WebhookEvent, WebhookFormat};
use countersign_records::NewDelivery;
use countersign_webhooks::Notice;
use serde_json::Value;

use crate::contacts::contact_json;

/// What an event did to something, in the words of each format in which somebody hears of it.
pub(crate) type Told = BTreeMap<WebhookFormat, Value>;

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
    /// The thing it happened to. Whose format is not in here hears nothing.
    pub(crate) told: Told,
}

/// The formats in which somebody wants to hear of an event of this tenant.
pub(crate) fn formats(endpoints: &[WebhookEndpoint], tenant: TenantId, event: WebhookEvent) -> BTreeSet<WebhookFormat> {
    endpoints
        .iter()
        .filter(|endpoint| endpoint.tenant == tenant && endpoint.wants(event))
        .map(|endpoint| endpoint.format)
        .collect()
}

/// One delivery for each of these endpoints that is the tenant's and wants to hear of it.
pub(crate) fn deliveries(news: News, endpoints: &[WebhookEndpoint], rng: &dyn Rng) -> Vec<NewDelivery> {
    let News { tenant, event_id, event, at, told } = news;
    let spelt = told.into_iter().filter_map(|(format, data)| {
        let body = Notice { id: event_id.clone(), event, at, data }.body(format)?;
        Some((format, body))
    });
    let bodies: BTreeMap<_, _> = spelt.collect();
    let wanting = endpoints.iter().filter(|endpoint| endpoint.tenant == tenant && endpoint.wants(event));
    let delivery = |endpoint: &WebhookEndpoint| {
        Some(NewDelivery {
            id: DeliveryId::mint(at, rng, tenant.partition()),
            tenant,
            endpoint: endpoint.id,
            event_id: event_id.clone(),
            event,
            body: bodies.get(&endpoint.format)?.clone(),
            format: endpoint.format,
            at,
        })
    };
    wanting.filter_map(delivery).collect()
}

/// The news of a contact that was made. A contact is made once, so its event has its own number for ever.
pub(crate) fn contact_created(contact: &Contact) -> News {
    News {
        tenant: contact.tenant,
        event_id: contact.id.to_string().replacen(ContactId::PREFIX, "evt_", 1) + "_1",
        event: WebhookEvent::ContactCreated,
        at: contact.created_at,
        told: Told::from([(WebhookFormat::Native, contact_json(contact))]),
    }
}
