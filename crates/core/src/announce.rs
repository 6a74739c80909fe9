//! Telling subscribers: an event becomes a delivery for each endpoint that wants to hear of it, in the transaction of what happened.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::{
    Contact, ContactId, DeliveryId, KeyKind, Rng, TenantId, Timestamp, WebhookEndpoint, WebhookEvent, WebhookFormat,
};
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
    /// With what kind of key whoever caused it was let in; none: nobody did.
    pub(crate) keys: Option<KeyKind>,
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
    let News { tenant, event_id, keys, event, at, told } = news;
    let spelt = told.into_iter().filter_map(|(format, data)| {
        let body = Notice { id: event_id.clone(), event, at, data }.body(format)?;
        Some((format, body))
    });
    let bodies: BTreeMap<_, _> = spelt.collect();
    let wanting =
        endpoints.iter().filter(|endpoint| endpoint.tenant == tenant && endpoint.hears_of(keys) && endpoint.wants(event));
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
        keys: None,
        event: WebhookEvent::ContactCreated,
        at: contact.created_at,
        told: Told::from([(WebhookFormat::Native, contact_json(contact))]),
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::{EndpointId, SeededRng};

    use super::*;

    fn endpoint(id: u128, keys: Option<KeyKind>) -> WebhookEndpoint {
        WebhookEndpoint {
            id: EndpointId::from_bits(id),
            tenant: TenantId::from_bits(7),
            url: "https://example.com/".to_owned(),
            format: WebhookFormat::Native,
            description: String::new(),
            events: Vec::new(),
            keys,
            disabled: None,
            created_at: Timestamp::from_millis(0),
            updated_at: None,
        }
    }

    #[test]
    fn an_endpoint_of_one_kind_of_keys_hears_nothing_of_the_other() {
        let endpoints = [endpoint(1, None), endpoint(2, Some(KeyKind::Live)), endpoint(3, Some(KeyKind::Test))];
        let told = |keys| {
            let news = News {
                tenant: TenantId::from_bits(7),
                event_id: "evt_1".to_owned(),
                keys,
                event: WebhookEvent::MessageSent,
                at: Timestamp::from_millis(0),
                told: Told::from([(WebhookFormat::Native, Value::Null)]),
            };
            let due = deliveries(news, &endpoints, &SeededRng::new(1));
            due.into_iter().map(|delivery| delivery.endpoint).collect::<Vec<_>>()
        };
        let ids = |ids: &[u128]| ids.iter().map(|id| EndpointId::from_bits(*id)).collect::<Vec<_>>();
        assert_eq!(told(Some(KeyKind::Live)), ids(&[1, 2]));
        assert_eq!(told(Some(KeyKind::Test)), ids(&[1, 3]));
        assert_eq!(told(None), ids(&[1]));
    }
}
