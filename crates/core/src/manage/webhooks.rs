//! Where a tenant's events are posted to.

use countersign_model::{
    DeliveryId, EndpointId, Flaw, TenantId, Timestamp, WebhookEndpoint, WebhookEvent, WebhookFormat, is_steering,
};
use countersign_records::{EndpointChange, NewDelivery, StoredSecrets, Transaction};
use countersign_webhooks::{EndpointSecrets, Guard, Notice, WebhookSecret};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::api_keys::Secretive;
use super::error::ManageError;
use super::order::{Acted, Done, Order, found, owner, seen};
use super::webhook_views::EndpointView;
use crate::platform::Platform;
use crate::{delivery_report, otp_view};

/// What an operator may say of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointDraft {
    /// Where to.
    pub url: String,
    /// How what is posted to it is spelt and signed.
    pub format: WebhookFormat,
    /// For people.
    pub description: String,
    /// What it hears of; empty: everything that its format has a word for.
    pub events: Vec<WebhookEvent>,
    /// Whether it is posted to.
    pub enabled: bool,
}

/// What `disabled` says of an endpoint that an operator switched off.
const BY_OPERATOR: &str = "operator";

/// Why an endpoint cannot have another format.
const OTHER_SECRET: &str =
    "the secret of the webhook endpoint was given by its tenant and cannot sign that format: rotate it first";

/// Why a tenant gets no further endpoint.
pub(super) const FULL: &str = "the tenant has as many webhook endpoints as webhooks.endpoints_per_tenant allows";

impl EndpointDraft {
    const LONGEST_DESCRIPTION: usize = 256;

    /// As it is now.
    #[must_use]
    pub fn of(endpoint: &WebhookEndpoint) -> Self {
        Self {
            url: endpoint.url.clone(),
            format: endpoint.format,
            description: endpoint.description.clone(),
            events: endpoint.events.clone(),
            enabled: endpoint.disabled.is_none(),
        }
    }

    /// The same with its address in the form that is kept, if it may be; else all that is wrong.
    pub(super) fn sound(self, guard: &Guard) -> Result<Self, Vec<Flaw>> {
        let mut found = Vec::new();
        let url = guard.normal(&self.url);
        if let Err(forbidden) = &url {
            found.push(Flaw::new("url", format!("cannot be used: {forbidden}")));
        }
        if self.description.chars().count() > Self::LONGEST_DESCRIPTION || self.description.chars().any(is_steering) {
            found.push(Flaw::new(
                "description",
                "must have at most 256 characters, none of them a control character or a mark of writing direction",
            ));
        }
        if self.events.contains(&WebhookEvent::Test) {
            found.push(Flaw::new("events", "must not name webhook.test: every endpoint gets it when somebody asks for it"));
        }
        if let Some(event) = self.events.iter().find(|event| !self.format.says(**event)) {
            found.push(Flaw::new("events", format!("must not name {event}: the format {} has no word for it", self.format)));
        }
        match url {
            Ok(url) if found.is_empty() => Ok(Self { url, ..self }),
            Ok(_) | Err(_) => Err(found),
        }
    }

    /// What is other than at `before`; what is the same is left alone, so that it stays what others make of it meanwhile.
    fn since(self, before: &WebhookEndpoint) -> EndpointChange {
        let was = Self::of(before);
        EndpointChange {
            url: (self.url != was.url).then_some(self.url),
            format: (self.format != was.format).then_some(self.format),
            description: (self.description != was.description).then_some(self.description),
            events: (self.events != was.events).then_some(self.events),
            disabled: (self.enabled != was.enabled).then(|| (!self.enabled).then(|| BY_OPERATOR.to_owned())),
            updated_at: None,
        }
    }

    /// Of a new endpoint.
    fn made(self, id: EndpointId, tenant: TenantId, now: Timestamp) -> WebhookEndpoint {
        WebhookEndpoint {
            id,
            tenant,
            url: self.url,
            format: self.format,
            description: self.description,
            events: self.events,
            keys: None,
            disabled: (!self.enabled).then(|| BY_OPERATOR.to_owned()),
            created_at: now,
            updated_at: None,
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
        let secret = WebhookSecret::mint(draft.format, &*self.rng).expose();
        let endpoint = self.new_endpoint(tenant, draft)?;
        let secrets = StoredSecrets { current: secret.clone(), previous: None };
        let done = self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            self.add_endpoint(transaction, &endpoint, &secrets).await
        });
        Ok(Secretive::of(done.await?, shown(&secret)))
    }

    /// A sound endpoint that is not written yet.
    pub(super) fn new_endpoint(&self, tenant: TenantId, draft: EndpointDraft) -> Result<WebhookEndpoint, ManageError> {
        let now = self.clock.now();
        let draft = draft.sound(&self.webhook_guard).map_err(ManageError::Invalid)?;
        Ok(draft.made(EndpointId::mint(now, &*self.rng, tenant.partition()), tenant, now))
    }

    /// Writes a new endpoint, if its tenant may have another one.
    pub(super) async fn add_endpoint(
        &self,
        transaction: &mut Transaction,
        endpoint: &WebhookEndpoint,
        secrets: &StoredSecrets,
    ) -> Result<Acted<WebhookEndpoint>, ManageError> {
        owner(transaction, endpoint.tenant).await?;
        if transaction.webhook_endpoints().count(endpoint.tenant).await? >= self.webhooks.endpoints_per_tenant.get() as u64 {
            return Err(ManageError::State(FULL));
        }
        transaction.webhook_endpoints().insert(endpoint, secrets).await.map_err(ManageError::of("webhook endpoint"))?;
        Ok(Acted {
            record: endpoint.clone(),
            what: "webhook.create",
            target: endpoint.id.to_string(),
            before: None,
            after: seen(&EndpointView::of(endpoint))?,
        })
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
            let draft = draft.sound(&self.webhook_guard).map_err(ManageError::Invalid)?;
            let change = EndpointChange { updated_at: Some(self.clock.now()), ..draft.since(&before) };
            if let Some(format) = change.format {
                let stored = found("webhook endpoint", transaction.webhook_endpoints().secrets(tenant, id).await)?;
                WebhookSecret::read(format, stored.current.expose_secret()).map_err(|_| ManageError::State(OTHER_SECRET))?;
            }
            let changed = transaction.webhook_endpoints().update(tenant, id, &change).await;
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

    /// Gives an endpoint a new secret. The one before goes on signing for 24 hours where the format has room for two signatures, else it stops at
    /// once, as does one that was rotated out earlier.
    pub async fn rotate_endpoint(
        &self,
        order: &Order,
        tenant: TenantId,
        id: EndpointId,
    ) -> Result<Secretive<WebhookEndpoint>, ManageError> {
        let now = self.clock.now();
        // Any format can sign with it.
        let fresh = WebhookSecret::mint(WebhookFormat::Native, &*self.rng).expose();
        let done = self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let endpoint = found("webhook endpoint", transaction.webhook_endpoints().find(tenant, id).await)?;
            let stored = found("webhook endpoint", transaction.webhook_endpoints().secrets(tenant, id).await)?;
            let [current, fresh] = [&stored.current, &fresh].map(|secret| read(endpoint.format, secret));
            let rotated = EndpointSecrets::new(current?).rotate(fresh?, now);
            let previous = rotated.previous.map(|previous| (previous.secret.expose(), previous.until));
            let secrets = StoredSecrets { current: rotated.current.expose(), previous };
            if !transaction.webhook_endpoints().set_secrets(tenant, id, &secrets).await? {
                return Err(ManageError::Missing("webhook endpoint"));
            }
            let view = seen(&EndpointView::of(&endpoint))?;
            Ok(Acted { record: endpoint, what: "webhook.rotate", target: id.to_string(), before: view.clone(), after: view })
        });
        Ok(Secretive::of(done.await?, shown(&fresh)))
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
        let name = delivery.to_string();
        let event_id = format!("evt_{}_1", name.strip_prefix(DeliveryId::PREFIX).unwrap_or(&name));
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            let endpoint = found("webhook endpoint", transaction.webhook_endpoints().find(tenant, id).await)?;
            if endpoint.disabled.is_some() {
                return Err(ManageError::State("the webhook endpoint is disabled: enable it first"));
            }
            let format = endpoint.format;
            let notice =
                Notice { id: event_id.clone(), event: WebhookEvent::Test, at: now, data: test_data(format, tenant, now) };
            let body = notice.body(format).ok_or(ManageError::Internal("a format has no word for a test"))?;
            let event_id = event_id.clone();
            let new =
                NewDelivery { id: delivery, tenant, endpoint: id, event_id, event: WebhookEvent::Test, body, format, at: now };
            transaction.webhook_deliveries().insert(&[new]).await?;
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

/// What a test says: nothing that a receiver could take for one of its tenant's own.
fn test_data(format: WebhookFormat, tenant: TenantId, now: Timestamp) -> Value {
    match format {
        WebhookFormat::Native => json!({"message": "somebody asked for a test of this endpoint"}),
        WebhookFormat::Kotp => otp_view::sample(now),
        WebhookFormat::GetOtp => delivery_report::sample(tenant, now),
    }
}

fn read(format: WebhookFormat, secret: &SecretString) -> Result<WebhookSecret, ManageError> {
    WebhookSecret::read(format, secret.expose_secret())
        .map_err(|_| ManageError::Internal("a stored webhook secret cannot be read"))
}

fn shown(secret: &SecretString) -> Zeroizing<String> {
    Zeroizing::new(secret.expose_secret().to_owned())
}

#[cfg(test)]
mod tests {
    use countersign_webhooks::WebhookSettings;

    use super::*;

    fn draft(url: &str) -> EndpointDraft {
        let format = WebhookFormat::Native;
        EndpointDraft { url: url.to_owned(), format, description: String::new(), events: Vec::new(), enabled: true }
    }

    fn fields(draft: EndpointDraft) -> Vec<String> {
        let guard = Guard::new(&WebhookSettings::default());
        draft.sound(&guard).map_or_else(|flaws| flaws.into_iter().map(|flaw| flaw.field).collect(), |_| Vec::new())
    }

    #[test]
    fn an_address_is_held_against_the_guard_and_tests_cannot_be_subscribed_to() {
        let guard = Guard::new(&WebhookSettings::default());
        let kept = draft("HTTPS://EXAMPLE.com:443/hooks").sound(&guard).unwrap();
        assert_eq!(kept.url, "https://example.com/hooks");
        let wrong = EndpointDraft {
            description: "a\nb".to_owned(),
            events: vec![WebhookEvent::Test],
            ..draft("https://169.254.169.254/latest")
        };
        assert_eq!(fields(wrong), ["url", "description", "events"]);
    }

    #[test]
    fn a_format_cannot_be_asked_for_what_it_has_no_word_for() {
        for (format, event, expected) in [
            (WebhookFormat::Native, WebhookEvent::SessionCreated, vec![]),
            (WebhookFormat::Kotp, WebhookEvent::SessionVerified, vec![]),
            (WebhookFormat::Kotp, WebhookEvent::ContactCreated, vec!["events"]),
            (WebhookFormat::GetOtp, WebhookEvent::MessageDelivered, vec![]),
            (WebhookFormat::GetOtp, WebhookEvent::SessionVerified, vec!["events"]),
        ] {
            let asked = EndpointDraft { format, events: vec![event], ..draft("https://example.com/") };
            assert_eq!(fields(asked), expected, "{format} {event}");
        }
    }

    #[test]
    fn only_what_is_other_than_before_is_changed() {
        let before = WebhookEndpoint {
            id: EndpointId::from_bits(1),
            tenant: TenantId::from_bits(2),
            url: "https://example.com/".to_owned(),
            format: WebhookFormat::Native,
            description: String::new(),
            events: Vec::new(),
            keys: None,
            disabled: Some("gone".to_owned()),
            created_at: Timestamp::from_millis(0),
            updated_at: None,
        };
        let same = EndpointDraft::of(&before);
        assert_eq!(same.clone().since(&before), EndpointChange::default());
        let enabled = EndpointDraft { enabled: true, ..same };
        assert_eq!(enabled.since(&before), EndpointChange { disabled: Some(None), ..EndpointChange::default() });
    }
}
