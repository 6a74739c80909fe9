//! What an operator looks at beside the records: the installation, its providers, what was changed.

use countersign_model::TenantId;
use countersign_records::{AuditEntry, AuditFilter};
use serde::Serialize;
use tracing::warn;

use super::error::ManageError;
use crate::platform::Platform;

/// The installation.
#[derive(Debug, Clone, Serialize)]
pub struct InfoView {
    /// Where callers reach it.
    pub public_url: String,
    /// The moment it takes for now.
    pub now: String,
    /// What amounts are in; none: nobody is billed.
    pub currency: Option<String>,
    /// Counts changes of tenants, keys, services, templates and senders; as this node has them.
    pub configuration_version: i64,
    /// How many tenants there are.
    pub tenants: usize,
}

/// What each part of the installation says of itself.
#[derive(Debug, Clone, Serialize)]
pub struct ReadinessView {
    /// Whether calls can be served.
    pub ready: bool,
    /// Whether a step could be taken.
    pub session_store: bool,
    /// Whether records can be read and written; without them codes go out and verify all the same.
    pub records: bool,
}

impl Platform {
    /// The installation as this node knows it.
    #[must_use]
    pub fn info(&self) -> InfoView {
        InfoView {
            public_url: self.settings.public_url.clone(),
            now: self.clock.now().to_string(),
            currency: self.settings.billing.as_ref().map(|billing| billing.currency.clone()),
            configuration_version: self.directory.version(),
            tenants: self.directory.tenants().len(),
        }
    }

    /// Asks both planes.
    pub async fn readiness(&self) -> ReadinessView {
        let session_store = self.store.ready().await;
        let records = self.records.configuration_version().await;
        if let Err(failure) = &session_store {
            warn!(%failure, "the session store is not ready");
        }
        if let Err(failure) = &records {
            warn!(%failure, "the records are not ready");
        }
        ReadinessView { ready: session_store.is_ok(), session_store: session_store.is_ok(), records: records.is_ok() }
    }

    /// Changes of operators, the newest first, at most `limit`; of one tenant, or all; before a number, to go on from a page.
    pub async fn list_audit(
        &self,
        tenant: Option<TenantId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, ManageError> {
        Ok(self.records.audit().list(AuditFilter { tenant, before }, limit).await?)
    }
}
