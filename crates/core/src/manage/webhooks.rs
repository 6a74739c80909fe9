//! Where a tenant's events are posted to.

use countersign_model::{DeliveryId, EndpointId, Flaw, TenantId, WebhookEndpoint, WebhookEvent};
use countersign_records::{EndpointChange, NewDelivery, StoredSecrets, Transaction};
use countersign_webhooks::{EndpointSecrets, Format, Notice, WebhookSecret};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

use super::api_keys::Secretive;
use super::error::ManageError;
use super::order::{Acted, Done, Order, found, owner, seen};
use super::webhook_views::EndpointView;
use crate::platform::Platform;

/// What an operator may say of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointDraft {
    /// Where to.
    pub url: String,
    /// For people.
    pub description: String,
    /// What it hears of; empty: everything.
    pub events: Vec<WebhookEvent>,
    /// Whether it is posted to.
    pub enabled: bool,
}

/// What `disabled` says of an endpoint that an operator switched off.
const BY_OPERATOR: &str = "operator";

impl EndpointDraft {
    const LONGEST_DESCRIPTION: usize = 256;

    /// As it is now.
    #[must_use]
    pub fn of(endpoint: &WebhookEndpoint) -> Self {
        Self {
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            events: endpoint.events.clone(),
            enabled: endpoint.disabled.is_none(),
        }
    }

    fn check(&self, guard: &countersign_webhooks::Guard) -> Vec<Flaw> {
        let mut found = Vec::new();
        if let Err(forbidden) = guard.check(&self.url) {
            found.push(Flaw::new("url", format!("cannot be used: {forbidden}")));
        }
        if self.description.chars().count() > Self::LONGEST_DESCRIPTION || self.description.chars().any(char::is_control) {
            found.push(Flaw::new("description", "must have at most 256 characters, none of them a control character"));
        }
        if self.events.contains(&WebhookEvent::Test) {
            found.push(Flaw::new("events", "must not name webhook.test: every endpoint gets it when somebody asks for it"));
        }
        found
    }

    /// What is other than at `before`; what is the same is left alone, so that it stays what others make of it meanwhile.
    fn since(self, before: &WebhookEndpoint) -> EndpointChange {
        let was = Self::of(before);
        EndpointChange {
            url: (self.url != was.url).then_some(self.url),
            description: (self.description != was.description).then_some(self.description),
            events: (self.events != was.events).then_some(self.events),
            disabled: (self.enabled != was.enabled).then(|| (!self.enabled).then(|| BY_OPERATOR.to_owned())),
        }
    }
}

impl Platform {
    /// Makes an endpoint, with the secret that signs what is posted to it.
    pub async fn create_endpoint(
        &self,
        order: &Order,
        tenant: TenantId,
        draft: EndpointDraft,
    ) -> Result<Secretive<WebhookEndpoint>, ManageError> {
        ManageError::unless_sound(draft.check(&self.webhook_guard))?;
        let now = self.clock.now();
        let endpoint = WebhookEndpoint {
            id: EndpointId::mint(now, &*self.rng, tenant.partition()),
            tenant,
            url: draft.url,
            description: draft.description,
            events: draft.events,
            disabled: (!draft.enabled).then(|| BY_OPERATOR.to_owned()),
            created_at: now,
        };
        let secret = WebhookSecret::mint(&*self.rng).expose();
        let secrets = StoredSecrets { current: secret.clone(), previous: None };
        let done = self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            owner(transaction, tenant).await?;
            transaction.webhook_endpoints().insert(&endpoint, &secrets).await.map_err(ManageError::of("webhook endpoint"))?;
            Ok(Acted {
                record: endpoint.clone(),
                what: "webhook.create",
                target: endpoint.id.to_string(),
                before: None,
                after: seen(&EndpointView::of(&endpoint))?,
            })
        });
        Ok(Secretive::of(done.await?, shown(&secret)))
    }

    /// Changes an endpoint by what it is now; one that said it is gone is posted to again when it is enabled. `change` may run again.
    pub async fn update_endpoint(
        &self,
        order: &Order,
        tenant: TenantId,
        id: EndpointId,
        change: impl Fn(EndpointDraft) -> Result<EndpointDraft, Vec<Flaw>>,
    ) -> Result<Done<WebhookEndpoint>, ManageError> {
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let before = found("webhook endpoint", transaction.webhook_endpoints().find(tenant, id).await)?;
            let draft = change(EndpointDraft::of(&before)).map_err(ManageError::Invalid)?;
            ManageError::unless_sound(draft.check(&self.webhook_guard))?;
            let changed = transaction.webhook_endpoints().update(tenant, id, &draft.since(&before)).await;
            let after = found("webhook endpoint", changed)?;
            Ok(Acted {
                what: "webhook.update",
                target: id.to_string(),
                before: seen(&EndpointView::of(&before))?,
                after: seen(&EndpointView::of(&after))?,
                record: after,
            })
        })
        .await
    }

    /// Gives an endpoint a new secret. The one before goes on signing for 24 hours; one that was rotated out earlier stops at once.
    pub async fn rotate_endpoint(
        &self,
        order: &Order,
        tenant: TenantId,
        id: EndpointId,
    ) -> Result<Secretive<WebhookEndpoint>, ManageError> {
        let now = self.clock.now();
        let fresh = WebhookSecret::mint(&*self.rng);
        let done = self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let endpoint = found("webhook endpoint", transaction.webhook_endpoints().find(tenant, id).await)?;
            let stored = found("webhook endpoint", transaction.webhook_endpoints().secrets(tenant, id).await)?;
            let current = read(&stored.current)?;
            let rotated = EndpointSecrets::new(current).rotate(fresh.clone(), now);
            let previous = rotated.previous.map(|previous| (previous.secret.expose(), previous.until));
            let secrets = StoredSecrets { current: rotated.current.expose(), previous };
            if !transaction.webhook_endpoints().set_secrets(tenant, id, &secrets).await? {
                return Err(ManageError::Missing("webhook endpoint"));
            }
            let view = seen(&EndpointView::of(&endpoint))?;
            Ok(Acted { record: endpoint, what: "webhook.rotate", target: id.to_string(), before: view.clone(), after: view })
        });
        Ok(Secretive::of(done.await?, shown(&fresh.expose())))
    }

    /// Removes an endpoint. What waits for it is discarded; what was posted stays in the log of deliveries.
    pub async fn delete_endpoint(
        &self,
        order: &Order,
        tenant: TenantId,
        id: EndpointId,
    ) -> Result<Done<WebhookEndpoint>, ManageError> {
        let now = self.clock.now();
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let before = found("webhook endpoint", transaction.webhook_endpoints().find(tenant, id).await)?;
            if !transaction.webhook_endpoints().delete(tenant, id, now).await? {
                return Err(ManageError::Missing("webhook endpoint"));
            }
            Ok(Acted {
                what: "webhook.delete",
                target: id.to_string(),
                before: seen(&EndpointView::of(&before))?,
                after: None,
                record: before,
            })
        })
        .await
    }

    /// Puts a test event on its way to an endpoint, whatever events it wants to hear of. The log of deliveries tells what came of it.
    pub async fn test_endpoint(&self, order: &Order, tenant: TenantId, id: EndpointId) -> Result<Done<DeliveryId>, ManageError> {
        let now = self.clock.now();
        let delivery = DeliveryId::mint(now, &*self.rng, tenant.partition());
        let data = json!({"message": "somebody asked for a test of this endpoint"});
        let name = delivery.to_string();
        let new = NewDelivery {
            id: delivery,
            tenant,
            endpoint: id,
            event_id: format!("evt_{}_1", name.strip_prefix(DeliveryId::PREFIX).unwrap_or(&name)),
            event: WebhookEvent::Test,
            body: Format::Native.body(&Notice { event: WebhookEvent::Test, at: now, data }),
            at: now,
        };
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let endpoint = found("webhook endpoint", transaction.webhook_endpoints().find(tenant, id).await)?;
            if endpoint.disabled.is_some() {
                return Err(ManageError::State("the webhook endpoint is disabled: enable it first"));
            }
            transaction.webhook_deliveries().insert(std::slice::from_ref(&new)).await?;
            Ok(Acted { record: delivery, what: "webhook.test", target: id.to_string(), before: None, after: None })
        })
        .await
    }

    /// A tenant's endpoints, disabled ones too, oldest first.
    pub async fn list_endpoints(&self, tenant: TenantId) -> Result<Vec<WebhookEndpoint>, ManageError> {
        Ok(self.records.webhook_endpoints().list(tenant).await?)
    }

    /// One of them.
    pub async fn show_endpoint(&self, tenant: TenantId, id: EndpointId) -> Result<WebhookEndpoint, ManageError> {
        found("webhook endpoint", self.records.webhook_endpoints().find(tenant, id).await)
    }
}

fn read(secret: &SecretString) -> Result<WebhookSecret, ManageError> {
    secret.expose_secret().parse().map_err(|_| ManageError::Internal("a stored webhook secret cannot be read"))
}

fn shown(secret: &SecretString) -> Zeroizing<String> {
    Zeroizing::new(secret.expose_secret().to_owned())
}

#[cfg(test)]
mod tests {
    use countersign_model::Timestamp;
    use countersign_webhooks::{Guard, WebhookSettings};

    use super::*;

    fn draft(url: &str) -> EndpointDraft {
        EndpointDraft { url: url.to_owned(), description: String::new(), events: Vec::new(), enabled: true }
    }

    #[test]
    fn an_address_is_held_against_the_guard_and_tests_cannot_be_subscribed_to() {
        let guard = Guard::new(&WebhookSettings::default());
        assert_eq!(draft("https://example.com/hooks").check(&guard), Vec::new());
        let wrong = EndpointDraft {
            description: "a\nb".to_owned(),
            events: vec![WebhookEvent::Test],
            ..draft("https://169.254.169.254/latest")
        };
        let fields: Vec<_> = wrong.check(&guard).into_iter().map(|flaw| flaw.field).collect();
        assert_eq!(fields, ["url", "description", "events"]);
    }

    #[test]
    fn only_what_is_other_than_before_is_changed() {
        let before = WebhookEndpoint {
            id: EndpointId::from_bits(1),
            tenant: TenantId::from_bits(2),
            url: "https://example.com/".to_owned(),
            description: String::new(),
            events: Vec::new(),
            disabled: Some("gone".to_owned()),
            created_at: Timestamp::from_millis(0),
        };
        let same = EndpointDraft::of(&before);
        assert_eq!(same.clone().since(&before), EndpointChange::default());
        let enabled = EndpointDraft { enabled: true, ..same };
        assert_eq!(enabled.since(&before), EndpointChange { disabled: Some(None), ..EndpointChange::default() });
    }
}
