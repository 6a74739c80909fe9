//! Endpoints that a tenant keeps itself, with one of its API keys: those of GetOTP's management. Operators see them like all others; the tenant
//! sees no endpoint that has another format.

use std::fmt;

use countersign_model::{EndpointId, Flaw, KeyKind, KeyScope, TenantId, Timestamp, WebhookEndpoint, WebhookFormat};
use countersign_records::{EndpointChange, RecordsError, StoredSecrets, Transaction};
use countersign_webhooks::{Guard, WebhookSecret};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::error::ManageError;
use super::order::{Acted, Order, found, seen};
use super::webhook_views::EndpointView;
use super::webhooks::{EndpointDraft, FULL};
use crate::callers::Caller;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// What a tenant says of an endpoint of its own.
pub struct OwnEndpointDraft {
    /// Where to.
    pub url: String,
    /// What it is signed with: any text of 1 to 256 characters.
    pub secret: Zeroizing<String>,
    /// What people call it: 1 to 256 characters.
    pub name: String,
}

impl fmt::Debug for OwnEndpointDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnEndpointDraft({})", self.name)
    }
}

/// An endpoint of a tenant's own, as the tenant sees it.
pub struct OwnEndpoint {
    /// Its id. This dialect shows its 128 bits as a UUID.
    pub id: EndpointId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where to, in the form that is kept.
    pub url: String,
    /// What people call it.
    pub name: String,
    /// What it is signed with. None for a key that only reads: with the secret it could forge reports.
    pub secret: Option<Zeroizing<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed, or made.
    pub updated_at: Timestamp,
}

impl fmt::Debug for OwnEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnEndpoint({})", self.id)
    }
}

/// Why a call about own endpoints came to nothing. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum OwnEndpointError {
    /// The tenant has no such endpoint of this format.
    #[error("no webhook endpoint of this caller answers to that")]
    NotFound,
    /// Values that cannot be. Each is told by its field: `url`, `secret`, `name`.
    #[error("a webhook endpoint cannot be like that")]
    Invalid(Vec<Flaw>),
    /// The tenant has as many as it may.
    #[error("{FULL}")]
    Full,
    /// Any call can meet this.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<ManageError> for OwnEndpointError {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::Invalid(flaws) => Self::Invalid(flaws.into_iter().map(in_own_words).collect()),
            ManageError::Missing(_) => Self::NotFound,
            ManageError::State(_) => Self::Full,
            ManageError::Records(away) => Refusal::RecordsAway(away).into(),
            ManageError::Store(away) => Refusal::Unavailable(away).into(),
            ManageError::Busy => Refusal::Unsettled.into(),
            ManageError::Internal(what) => Refusal::Internal(what).into(),
            ManageError::Exists(_) | ManageError::IdempotencyMismatch => Refusal::Internal("an endpoint was made twice").into(),
        }
    }
}

impl From<RecordsError> for OwnEndpointError {
    fn from(error: RecordsError) -> Self {
        ManageError::from(error).into()
    }
}

impl OwnEndpointDraft {
    /// As operators know it, with its secret; else all that is wrong.
    fn sound(self, guard: &Guard) -> Result<(EndpointDraft, SecretString), ManageError> {
        let is_named = !self.name.trim().is_empty();
        let secret = WebhookSecret::read(WebhookFormat::GetOtp, &self.secret);
        let (url, description) = (self.url, self.name);
        let draft =
            EndpointDraft { url, format: WebhookFormat::GetOtp, description, events: Vec::new(), enabled: true }.sound(guard);
        match (draft, secret) {
            (Ok(draft), Ok(secret)) if is_named => Ok((draft, secret.expose())),
            (draft, secret) => {
                let mut flaws = draft.err().unwrap_or_default();
                if secret.is_err() {
                    flaws.push(Flaw::new("secret", "must have 1 to 256 characters, none of them a control character"));
                }
                if !is_named {
                    flaws.push(Flaw::new("name", "must have 1 to 256 characters"));
                }
                Err(ManageError::Invalid(flaws))
            }
        }
    }
}

impl Platform {
    /// Makes an endpoint for delivery reports.
    pub async fn create_own_endpoint(&self, caller: &Caller, draft: OwnEndpointDraft) -> Result<OwnEndpoint, OwnEndpointError> {
        let caller = self.admit(caller).await?;
        let (draft, secret) = draft.sound(&self.webhook_guard)?;
        let made = self.new_endpoint(caller.scope.tenant, draft)?;
        let endpoint = WebhookEndpoint { keys: Some(caller.scope.keys), ..made };
        let secrets = StoredSecrets { current: secret.clone(), previous: None };
        let order = order(&caller);
        let made = self.change(&order, Some(caller.scope.tenant), async |transaction: &mut Transaction| {
            self.add_endpoint(transaction, &endpoint, &secrets).await
        });
        Ok(shown(&caller, made.await?.record, &secret))
    }

    /// All of them, oldest first.
    pub async fn list_own_endpoints(&self, caller: &Caller) -> Result<Vec<OwnEndpoint>, OwnEndpointError> {
        let caller = self.admit(caller).await?;
        let mut own = Vec::new();
        for endpoint in self.records.webhook_endpoints().list(caller.scope.tenant).await? {
            if is_own(&caller, &endpoint) {
                // Deleted meanwhile: not one of them any more.
                let secrets = self.records.webhook_endpoints().secrets(endpoint.tenant, endpoint.id).await?;
                own.extend(secrets.map(|secrets| shown(&caller, endpoint, &secrets.current)));
            }
        }
        Ok(own)
    }

    /// One of them.
    pub async fn own_endpoint(&self, caller: &Caller, id: EndpointId) -> Result<OwnEndpoint, OwnEndpointError> {
        let caller = self.admit(caller).await?;
        let tenant = caller.scope.tenant;
        let own = |endpoint| own(&caller, endpoint);
        let endpoint = found(WHAT, self.records.webhook_endpoints().find(tenant, id).await).and_then(own)?;
        let secrets = found(WHAT, self.records.webhook_endpoints().secrets(tenant, id).await)?;
        Ok(shown(&caller, endpoint, &secrets.current))
    }

    /// Puts all that is said of one in the place of what was said before. The secret before signs nothing from now on. One that was disabled stays
    /// so.
    pub async fn replace_own_endpoint(
        &self,
        caller: &Caller,
        id: EndpointId,
        draft: OwnEndpointDraft,
    ) -> Result<OwnEndpoint, OwnEndpointError> {
        let caller = self.admit(caller).await?;
        let tenant = caller.scope.tenant;
        let (draft, secret) = draft.sound(&self.webhook_guard)?;
        let secrets = StoredSecrets { current: secret.clone(), previous: None };
        let order = order(&caller);
        let replaced = self.change(&order, Some(tenant), async |transaction: &mut Transaction| {
            let own = |endpoint| own(&caller, endpoint);
            let before = found(WHAT, transaction.webhook_endpoints().find(tenant, id).await).and_then(own)?;
            let change = EndpointChange {
                url: Some(draft.url.clone()),
                description: Some(draft.description.clone()),
                updated_at: Some(self.clock.now()),
                ..EndpointChange::default()
            };
            let after = found(WHAT, transaction.webhook_endpoints().update(tenant, id, &change).await)?;
            if !transaction.webhook_endpoints().set_secrets(tenant, id, &secrets).await? {
                return Err(ManageError::Missing(WHAT));
            }
            Ok(Acted {
                what: "webhook.update",
                target: id.to_string(),
                before: seen(&EndpointView::of(&before))?,
                after: seen(&EndpointView::of(&after))?,
                record: after,
            })
        });
        Ok(shown(&caller, replaced.await?.record, &secret))
    }

    /// Removes one. What waits for it is discarded.
    pub async fn delete_own_endpoint(&self, caller: &Caller, id: EndpointId) -> Result<(), OwnEndpointError> {
        let caller = self.admit(caller).await?;
        let tenant = caller.scope.tenant;
        let order = order(&caller);
        let deleted = self.change(&order, Some(tenant), async |transaction: &mut Transaction| {
            let own = |endpoint| own(&caller, endpoint);
            let before = found(WHAT, transaction.webhook_endpoints().find(tenant, id).await).and_then(own)?;
            if !transaction.webhook_endpoints().delete(tenant, id, self.clock.now()).await? {
                return Err(ManageError::Missing(WHAT));
            }
            Ok(Acted {
                what: "webhook.delete",
                target: id.to_string(),
                before: seen(&EndpointView::of(&before))?,
                after: None,
                record: before,
            })
        });
        deleted.await?;
        Ok(())
    }
}

const WHAT: &str = "webhook endpoint";

/// The API key is who did it.
fn order(caller: &Caller) -> Order {
    Order { who: caller.key.to_string(), key: None }
}

fn own(caller: &Caller, endpoint: WebhookEndpoint) -> Result<WebhookEndpoint, ManageError> {
    if is_own(caller, &endpoint) { Ok(endpoint) } else { Err(ManageError::Missing(WHAT)) }
}

/// Keys of one kind never see the endpoints of the other. One that an operator made, which hears of both, is for live keys alone.
fn is_own(caller: &Caller, endpoint: &WebhookEndpoint) -> bool {
    endpoint.format == WebhookFormat::GetOtp && endpoint.keys.unwrap_or(KeyKind::Live) == caller.scope.keys
}

fn shown(caller: &Caller, endpoint: WebhookEndpoint, secret: &SecretString) -> OwnEndpoint {
    let secret = (caller.may != KeyScope::ReadOnly).then(|| Zeroizing::new(secret.expose_secret().to_owned()));
    OwnEndpoint {
        id: endpoint.id,
        tenant: endpoint.tenant,
        url: endpoint.url,
        name: endpoint.description,
        secret,
        created_at: endpoint.created_at,
        updated_at: endpoint.updated_at.unwrap_or(endpoint.created_at),
    }
}

/// Operators call a name a description.
fn in_own_words(flaw: Flaw) -> Flaw {
    if flaw.field == "description" { Flaw::new("name", flaw.must) } else { flaw }
}
