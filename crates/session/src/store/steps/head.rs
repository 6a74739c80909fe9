//! What every node must learn at once: that a tenant's records have changed, and that a key is no longer good.

use countersign_model::{KeyId, TenantId};

use super::Step;
use crate::session::Context;
use crate::store::StoreError;
use crate::store::rows::{REVOKED_KEPT, Rows};

/// Tells that a tenant's records have a new revision. An older one than is known changes nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SetRevision {
    pub(crate) tenant: TenantId,
    pub(crate) revision: u64,
}

/// Refuses a key from now on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revoke {
    pub(crate) tenant: TenantId,
    pub(crate) key: KeyId,
}

impl Step for SetRevision {
    type Verdict = ();

    fn take(&self, rows: &mut dyn Rows, _: &Context<'_>) -> Result<(), StoreError> {
        let mut head = rows.head(self.tenant)?.unwrap_or_default();
        if head.revision < self.revision {
            head.revision = self.revision;
            rows.put_head(self.tenant, &head)?;
        }
        Ok(())
    }
}

impl Step for Revoke {
    type Verdict = ();

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<(), StoreError> {
        let mut head = rows.head(self.tenant)?.unwrap_or_default();
        head.revoke(self.key, cx.now.plus(REVOKED_KEPT), cx.now);
        rows.put_head(self.tenant, &head)
    }
}
